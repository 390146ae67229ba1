"""Runs over time, one after the other as they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import Curve, limits_of, shaded, table_of, text_of
from batchlab.devices.plots._its import PROCEDURES as CURRENTS
from batchlab.devices.plots._its import ItsOptions, its_quantity
from batchlab.devices.plots._legends import LegendBy, LegendWord, labels_of
from batchlab.devices.plots._light import Window, last_time, light_windows
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, only
from batchlab.devices.plots._options import PlotOptions, power_of
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import intruders, plot
from batchlab.devices.plots._traces import Quantity
from batchlab.devices.plots._units import unit_for
from batchlab.devices.plots._vt import PROCEDURES as VOLTAGES
from batchlab.devices.plots._vt import VtOptions, vt_quantity
from batchlab.errors import DataError

__all__ = ["ItsSequentialOptions", "SequentialOptions", "VtSequentialOptions", "sequence"]

_LONG_GAP_S = 100.0
_LONG_S = 1000.0


class SequentialOptions(PlotOptions):
    """Of runs one after the other.

    Attributes
    ----------
    legend_by
        What tells the runs apart.
    start
        How much of the beginning of each run is left out, in s.
    gaps
        ``real`` keeps the time between runs; ``none`` puts each where the one before ends.
    absolute
        Whether magnitudes are shown.
    """

    legend_by: LegendWord = LegendBy.POWER
    start: Annotated[float, Field(ge=0)] = 20.0
    gaps: Literal["real", "none"] = "real"
    absolute: bool = False


class ItsSequentialOptions(SequentialOptions):
    """Of currents; ``conductance``: whether they are divided by their drain voltage."""

    conductance: bool = False


class VtSequentialOptions(SequentialOptions):
    """Of voltages; ``resistance``: whether they are divided by their drain current."""

    resistance: bool = False


def its_names(options: ItsSequentialOptions) -> tuple[Name, ...]:
    """``It_sequential_<tag>_G``."""
    return (Name(procedure="It", kind="It_sequential", suffixes=with_suffixes(G=options.conductance)),)


def vt_names(options: VtSequentialOptions) -> tuple[Name, ...]:
    """``Vt_sequential_<tag>_R``."""
    return (Name(procedure="Vt", kind="Vt_sequential", suffixes=with_suffixes(R=options.resistance)),)


@plot(
    "plot-its-sequential",
    procedures=CURRENTS,
    options=ItsSequentialOptions,
    names=its_names,
    unbroken=True,
    uses=power_of,
)
def draw_its_sequential(runs: Sequence[Run], options: ItsSequentialOptions, look: Look, facts: Facts) -> Drawn:
    """Current over the time of a whole series of runs, with the gaps between them."""
    quantity = its_quantity(ItsOptions(conductance=options.conductance))
    return sequence(only(runs, CURRENTS, "plot-its-sequential"), options, look, facts, quantity, "It sequence")


@plot(
    "plot-vt-sequential", procedures=VOLTAGES, options=VtSequentialOptions, names=vt_names, unbroken=True, uses=power_of
)
def draw_vt_sequential(runs: Sequence[Run], options: VtSequentialOptions, look: Look, facts: Facts) -> Drawn:
    """Drain voltage over the time of a whole series of runs, with the gaps between them."""
    quantity = vt_quantity(VtOptions(resistance=options.resistance))
    return sequence(only(runs, VOLTAGES, "plot-vt-sequential"), options, look, facts, quantity, "Vt sequence")


def sequence(
    runs: Sequence[Run], options: SequentialOptions, look: Look, facts: Facts, quantity: Quantity, what: str
) -> Drawn:
    """Runs one after the other; each a colour, boundaries dashed, the light of each shaded.

    Raises
    ------
    DataError
        Reason ``interrupted-series``: a run of another procedure lies between them; or a run has no start.
    """
    from batchlab.figures import Line, Plot, Rule

    seqs = [seq for run in runs if (seq := facts.of(run).seq) is not None]
    between = intruders(seqs, facts.history, sorted({run.procedure for run in runs}))
    if between:
        raise DataError(
            f"other measurements lie between the runs: {', '.join(between)}; make a plot of each side",
            reason="interrupted-series",
        )
    placed, warnings = _offsets(runs, options)
    _, labels = labels_of([run for run, _ in placed], options.legend_by, facts)
    curves: list[Curve] = []
    windows: list[Window] = []
    starts = []
    for (run, offset), label in zip(placed, labels, strict=True):
        y, shown = quantity(run)
        t = run.columns["t (s)"]
        good = np.isfinite(t) & np.isfinite(y) & (t >= options.start)
        if np.count_nonzero(good) < 2:
            warnings.append(f"run {run.run_id} shows nothing after {options.start:g} s and is left out")
            continue
        values = np.abs(y[good]) if options.absolute else y[good]
        curves.append(Curve(run=run, x=t[good] + offset, y=values, label=label))
        starts.append(offset + options.start)
        windows += [(max(a, options.start) + offset, b + offset) for a, b in light_windows(run) if b > options.start]
    if not curves:
        raise DataError(f"no run shows anything after {options.start:g} s; give an earlier start", reason="no-runs")
    title, _ = labels_of([curve.run for curve in curves], options.legend_by, facts)
    unit = unit_for((curve.y for curve in curves), shown.unit)
    curves = [replace(curve, y=unit.of(curve.y)) for curve in curves]
    x_limits = (starts[0], max(float(curve.x[-1]) for curve in curves))
    y_limits = limits_of(((curve.x, curve.y) for curve in curves), max(options.padding, 0.02))
    boundaries = [Rule(at=at, upright=True, colour="#A0A0A0") for at in starts[1:]]
    lines = [
        Line(x=curve.x, y=curve.y, label=curve.label, colour=colour, width_pt=look.width_pt)
        for curve, colour in zip(curves, look.colours(len(curves)), strict=True)
    ]
    symbol = f"|{shown.symbol}|" if options.absolute else shown.symbol
    y_label = f"{symbol} ({unit.symbol})"
    plot_of = Plot(
        marks=(*shaded(windows, y_limits), *boundaries, *lines),
        x_limits=x_limits,
        y_limits=y_limits,
        x_label="running time (s)",
        y_label=y_label,
        legend=look.legend(title),
        x_scientific=x_limits[1] > _LONG_S,
        grid=look.grid,
    )
    return Drawn(
        sheets=(look.sheet((plot_of,), f"{text_of(runs)} – {what}"),),
        tables=(table_of(curves, facts, "running time (s)", y_label),),
        warnings=tuple(warnings),
    )


def _offsets(runs: Sequence[Run], options: SequentialOptions) -> tuple[list[tuple[Run, float]], list[str]]:
    """When each run began, in s after the first, in that order; and what to warn of."""
    without = [run.run_id for run in runs if run.start_utc is None]
    if without:
        raise DataError(
            f"when runs {', '.join(without)} began is not known, so they cannot be put one after the other",
            reason="no-start-time",
        )
    # All have a start by now; the type checker does not know.
    ordered = sorted(runs, key=lambda run: (str(run.start_utc.isoformat() if run.start_utc else ""), run.run_id))
    placed: list[tuple[Run, float]] = []
    warnings, long = [], []
    for run in ordered:
        if not placed:
            placed.append((run, 0.0))
            continue
        first, (before, offset) = ordered[0], placed[-1]
        end = offset + last_time(before)
        began = (run.start_utc - first.start_utc).total_seconds() if run.start_utc and first.start_utc else end
        if began < end - 1.0:
            warnings.append(f"run {run.run_id} began before the one ahead of it had ended")
        if began - end > _LONG_GAP_S and options.gaps == "real":
            long.append(began - end)
        placed.append((run, began if options.gaps == "real" else end - options.start))
    if long:
        gaps = f"{len(long)} gaps" if len(long) > 1 else "a gap"
        warnings.append(f"{gaps} between runs of more than {_LONG_GAP_S:g} s, the longest of {max(long):.0f} s")
    return placed, warnings
