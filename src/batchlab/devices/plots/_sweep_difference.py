"""What changed from one gate sweep to the next, leg by leg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.metrics._legs import Leg, split_legs
from batchlab.devices.plots._axes import limits_of, span_of, text_of
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table, column, only
from batchlab.devices.plots._options import PlotOptions
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError
from batchlab.figures import Line, Plot, Role, Rule

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["SweepDifference", "SweepDifferenceOptions", "draw_sweep_difference", "leg_difference"]

_COLUMNS = {"IVg": ("I (A)", "I_ds", "A"), "VVg": ("VDS (V)", "V_ds", "V")}
_PROCEDURES = tuple(_COLUMNS)
_COVERAGE = 0.95
_LEAST_CURRENT_A = 1e-12
_MOST_NAMED = 20


class SweepDifferenceOptions(PlotOptions):
    """Of differences of consecutive sweeps.

    Attributes
    ----------
    min_overlap
        V of gate voltage that two sweeps must share.
    resistance
        Whether a second panel shows how the resistance changed.
    """

    min_overlap: float = 1.0
    resistance: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepDifference:
    """One leg of a pair: gate voltages in V, later less earlier in the plain unit, and of resistances in Ω."""

    earlier: Run
    later: Run
    forward: bool
    v: Array
    delta: Array
    delta_r: Array


def names(options: SweepDifferenceOptions) -> tuple[Name, ...]:
    """``sweep_diff_<tag>``."""
    return (Name(procedure="ConsecutiveSweepDifference", kind="sweep_diff"),)


@plot("plot-consecutive-sweep-diff", procedures=_PROCEDURES, options=SweepDifferenceOptions, names=names)
def draw_sweep_difference(runs: Sequence[Run], options: SweepDifferenceOptions, look: Look, facts: Facts) -> Drawn:
    """Differences of consecutive gate sweeps, forward solid and backward dashed, and of their resistances."""
    chosen = only(runs, _PROCEDURES, "plot-consecutive-sweep-diff")
    procedures = {run.procedure for run in chosen}
    if len(procedures) > 1:
        raise DataError(
            f"{' and '.join(sorted(procedures))} have no common difference; choose one of them",
            reason="mixed-procedures",
        )
    ordered = sorted(chosen, key=lambda run: "" if run.start_utc is None else run.start_utc.isoformat())
    if len(ordered) < 2:
        raise DataError("a difference needs two sweeps; choose more runs", reason="no-runs")
    pairs, warnings = [], []
    for earlier, later in pairwise(ordered):
        legs = _legs_of(earlier, later, options.min_overlap)
        if legs:
            pairs.append(legs)
        else:
            warnings.append(
                f"runs {facts.name(earlier)} and {facts.name(later)} share no leg over {options.min_overlap:g} V"
            )
    if not pairs:
        raise DataError(f"no two sweeps share a leg over {options.min_overlap:g} V: {warnings[0]}", reason="no-overlap")
    _, symbol, plain = _COLUMNS[ordered[0].procedure]
    unit = unit_for((leg.delta for legs in pairs for leg in legs), plain)
    r_unit = unit_for((leg.delta_r for legs in pairs for leg in legs), "Ω")
    colours = look.colours(len(pairs))
    labels = [f"{_short(legs[0].later, facts)} − {_short(legs[0].earlier, facts)}" for legs in pairs]
    shown = [(symbol, unit, [[unit.of(leg.delta) for leg in legs] for legs in pairs])]
    finite_r = any(np.isfinite(leg.delta_r).sum() > 1 for legs in pairs for leg in legs)
    if options.resistance and finite_r:
        shown.append(("R", r_unit, [[r_unit.of(leg.delta_r) for leg in legs] for legs in pairs]))
    elif options.resistance:
        warnings.append("resistances are not known: the runs say nothing of VDS or IDS")
    plots = []
    for at, (name, its_unit, values) in enumerate(shown):
        lines = [
            Line(
                x=leg.v,
                y=y,
                label=label if leg is legs[0] and at == 0 else "",
                colour=colour,
                role=Role.REFERENCE if leg.forward else Role.LIMIT,
                width_pt=look.width_pt,
            )
            for legs, ys, colour, label in zip(pairs, values, colours, labels, strict=True)
            for leg, y in zip(legs, ys, strict=True)
            if np.isfinite(y).sum() > 1
        ]
        plots.append(
            Plot(
                marks=(Rule(at=0.0, colour="#A0A0A0"), *lines),
                x_limits=span_of(leg.v for legs in pairs for leg in legs),
                y_limits=limits_of(((line.x, line.y) for line in lines), max(options.padding, 0.05)),
                x_label="Vg (V)" if at == len(shown) - 1 else "",
                y_label=f"Δ{name} ({its_unit.symbol})",
                legend=look.legend("later − earlier") if at == 0 and len(pairs) <= _MOST_NAMED else False,
                grid=look.grid,
            )
        )
    what = "difference of consecutive sweeps" if len(pairs) > 1 else f"difference {labels[0]}"
    return Drawn(
        sheets=(look.sheet(tuple(plots), f"{text_of(ordered)} – {what}"),),
        tables=(_table(pairs, facts, f"Δ{symbol} ({plain})"),),
        warnings=tuple(warnings),
    )


def leg_difference(earlier: Leg, later: Leg) -> tuple[Array, Array, Array] | None:
    """Two legs at the gate voltages of the later one that both cover.

    Returns
    -------
    v, earlier, later : (n,) arrays, or None
        None where they share fewer than two voltages.
    """
    low, high = max(earlier.v[0], later.v[0]), min(earlier.v[-1], later.v[-1])
    slack = 1e-9 * max(abs(low), abs(high), 1.0)
    inside = (later.v >= low - slack) & (later.v <= high + slack)
    if np.count_nonzero(inside) < 2:
        return None
    v = later.v[inside]
    return v, np.interp(v, earlier.v, earlier.y), later.y[inside]


def _legs_of(earlier: Run, later: Run, min_overlap: float) -> list[SweepDifference]:
    name = _COLUMNS[later.procedure][0]
    first, second = (_full(split_legs(column(run, "Vg (V)"), column(run, name))) for run in (earlier, later))
    made = []
    for way, leg in second.items():
        both = leg_difference(first[way], leg) if way in first else None
        if both is None or both[0][-1] - both[0][0] < min_overlap:
            continue
        v, before, after = both
        made.append(
            SweepDifference(
                earlier=earlier,
                later=later,
                forward=way,
                v=v,
                delta=after - before,
                delta_r=_resistance(later, after) - _resistance(earlier, before),
            )
        )
    return made


def _full(legs: Sequence[Leg]) -> dict[bool, Leg]:
    """The first leg of each direction that covers the sweep."""
    if not legs:
        return {}
    span = max(float(leg.v[-1]) for leg in legs) - min(float(leg.v[0]) for leg in legs)
    found: dict[bool, Leg] = {}
    for leg in legs:
        if leg.span >= _COVERAGE * span:
            found.setdefault(leg.forward, leg)
    return found


def _resistance(run: Run, values: Array) -> Array:
    """In Ω: drain voltage over current; NaN where one is not known or no current flows."""
    if run.procedure == "VVg":
        i_ds = run.number("ids_a")
        return values / i_ds if i_ds else np.full(values.shape, np.nan)
    flows = np.abs(values) >= _LEAST_CURRENT_A
    return np.asarray(np.divide(run.number("vds_v"), values, out=np.full(values.shape, np.nan), where=flows))


def _short(run: Run, facts: Facts) -> str:
    seq = facts.of(run).seq
    return facts.name(run) if seq is None else str(seq)


def _table(pairs: Sequence[Sequence[SweepDifference]], facts: Facts, delta: str) -> Table:
    legs = [leg for each in pairs for leg in each]

    def each(values: Sequence[str]) -> list[str]:
        return [value for value, leg in zip(values, legs, strict=True) for _ in range(leg.v.size)]

    return Table(
        columns={
            "earlier_run_id": each([leg.earlier.run_id for leg in legs]),
            "later_run_id": each([leg.later.run_id for leg in legs]),
            "leg": each(["forward" if leg.forward else "backward" for leg in legs]),
            "Vg (V)": np.concatenate([leg.v for leg in legs]).tolist(),
            delta: np.concatenate([leg.delta for leg in legs]).tolist(),
            "ΔR (Ω)": np.concatenate([leg.delta_r for leg in legs]).tolist(),
        }
    )
