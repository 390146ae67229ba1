"""What changed from one gate sweep to the next, leg by leg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.metrics import Leg, Skip, Sweep, leg_difference, sweep_of
from batchlab.devices.plots._axes import limits_of, span_of, text_of
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table, only
from batchlab.devices.plots._options import SEQ, PlotOptions
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError
from batchlab.figures import Line, Plot, Role, Rule

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["SweepDifference", "SweepDifferenceOptions", "draw_sweep_difference"]

_SHOWN = {"IVg": ("I_ds", "A"), "VVg": ("V_ds", "V")}
_PROCEDURES = tuple(_SHOWN)
_COVERAGE = 0.95
_OPEN = 1e-6  # of the largest current: below it a resistance is a division by noise
_MOST_NAMED = 60


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


def numbers_of(options: SweepDifferenceOptions) -> tuple[str, ...]:
    """Differences are called by the numbers of their sweeps; all else is in these."""
    return (SEQ,)


@plot(
    "plot-consecutive-sweep-diff", procedures=_PROCEDURES, options=SweepDifferenceOptions, names=names, uses=numbers_of
)
def draw_sweep_difference(runs: Sequence[Run], options: SweepDifferenceOptions, look: Look, facts: Facts) -> Drawn:
    """Differences of consecutive gate sweeps, forward solid and backward dashed, and of their resistances."""
    chosen = only(runs, _PROCEDURES, "plot-consecutive-sweep-diff")
    procedures = {run.procedure for run in chosen}
    if len(procedures) > 1:
        raise DataError(
            f"{' and '.join(sorted(procedures))} have no common difference; choose one of them: --procedure "
            f"{min(procedures)}, or procedure: {min(procedures)} in a batch file",
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
    symbol, plain = _SHOWN[ordered[0].procedure]
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
    if len({leg.forward for legs in pairs for leg in legs}) > 1:
        what += " (backward dashed)"
    return Drawn(
        sheets=(look.sheet(tuple(plots), f"{text_of(ordered)} – {what}"),),
        tables=(_table(pairs, facts, f"Δ{symbol} ({plain})"),),
        warnings=tuple(warnings),
    )


def _legs_of(earlier: Run, later: Run, min_overlap: float) -> list[SweepDifference]:
    first, second = (_full(sweep_of(run, _COVERAGE)) for run in (earlier, later))
    made = []
    for way, leg in second.items():
        both = leg_difference(first[way], leg) if way in first else None
        if both is None or both.v[-1] - both.v[0] < min_overlap:
            continue
        delta_r = _resistance(later, both.later) - _resistance(earlier, both.earlier)
        made.append(
            SweepDifference(earlier=earlier, later=later, forward=way, v=both.v, delta=both.delta, delta_r=delta_r)
        )
    return made


def _full(sweep: Sweep | Skip) -> dict[bool, Leg]:
    """Legs that cover the sweep, by their direction."""
    return {} if isinstance(sweep, Skip) else {leg.forward: leg for leg in sweep.full}


def _resistance(run: Run, values: Array) -> Array:
    """In Ω: drain voltage over current; NaN where one is not known or no current flows."""
    if run.procedure == "VVg":
        i_ds = run.number("ids_a")
        return values / i_ds if i_ds else np.full(values.shape, np.nan)
    flows = np.abs(values) > _OPEN * np.max(np.abs(values))
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
