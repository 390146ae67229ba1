"""Gate sweeps of the parts of a chip, beside each other or laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from math import ceil, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import Curve, limits_of, span_of, table_of, text_of
from batchlab.devices.plots._ivg import PROCEDURES
from batchlab.devices.plots._legends import LegendBy, LegendWord, labels_of
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table, column, only
from batchlab.devices.plots._options import PlotOptions, power_of
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._transforms import Shown, current_as
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError
from batchlab.figures import Line, Plot

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["BySampleOptions", "draw_ivg_by_sample"]

_MOST_COLUMNS = 3
_MOST_NAMED = 12  # curves with names in a plot among several


class BySampleOptions(PlotOptions):
    """Of gate sweeps by sample.

    Attributes
    ----------
    layout
        ``grid`` has a plot for each sample, all of the same axes; ``overlay`` one plot, with a colour for each sample.
    first
        Whether only the first sweep of each sample is shown.
    legend_by
        What tells the curves of a sample apart.
    conductance
        Whether currents are divided by their drain voltage; with ``inverse`` the inverse of that is shown.
    inverse
        Whether the inverse of conductance is shown.
    absolute
        Whether magnitudes are shown.
    """

    layout: Literal["grid", "overlay"] = "grid"
    first: bool = False
    legend_by: LegendWord = LegendBy.FILE
    conductance: bool = False
    inverse: bool = False
    absolute: bool = False


def names(options: BySampleOptions) -> tuple[Name, ...]:
    """``IVg_samples_<tag>_G``; of first sweeps ``IVg_first_<tag>_overlay``."""
    made = {"G": options.conductance and not options.inverse, "invG": options.inverse}
    chosen = with_suffixes(overlay=options.layout == "overlay", **made)
    return (Name(procedure="IVg", kind="IVg_first" if options.first else "IVg_samples", suffixes=chosen),)


@plot("plot-ivg-by-sample", procedures=PROCEDURES, options=BySampleOptions, names=names, uses=power_of)
def draw_ivg_by_sample(runs: Sequence[Run], options: BySampleOptions, look: Look, facts: Facts) -> Drawn:
    """Drain current over gate voltage, by sample: a grid of them, or a colour for each."""
    chosen = sorted(only(runs, PROCEDURES, "plot-ivg-by-sample"), key=lambda run: (_sample(run), _began(run)))
    groups, warnings = _curves(chosen, options, facts)
    every = [curve for group in groups for curve in group]
    _, shown = _values(every[0].run, options)
    unit = unit_for((curve.y for curve in every), shown.unit)
    groups = [[replace(curve, y=unit.of(curve.y)) for curve in group] for group in groups]
    every = [curve for group in groups for curve in group]
    axes = Plot(
        marks=(Line(x=every[0].x, y=every[0].y),),
        x_limits=span_of(curve.x for curve in every),
        y_limits=limits_of(((curve.x, curve.y) for curve in every), max(options.padding, 0.02), floor=0.0),
        x_label="Vg (V)",
        y_label=f"{shown.symbol} ({unit.symbol})",
        grid=look.grid,
    )
    laid_over = options.layout == "overlay"
    plots = (_overlay(groups, axes, look),) if laid_over else _grid(groups, axes, look)
    columns = 1 if laid_over else min(_MOST_COLUMNS, ceil(sqrt(len(plots))))
    what = f"{'first ' if options.first else ''}IVg by sample"
    table = table_of(every, facts, axes.x_label, axes.y_label)
    samples = [_sample(curve.run) for curve in every for _ in range(curve.x.size)]
    return Drawn(
        sheets=(look.sheet(plots, f"{text_of(chosen)} – {what}", columns=columns),),
        tables=(Table(columns={"sample": samples, **table.columns}),),
        warnings=tuple(warnings),
    )


def _curves(runs: Sequence[Run], options: BySampleOptions, facts: Facts) -> tuple[list[list[Curve]], list[str]]:
    """Curves in plain units by sample; and what to warn of."""
    groups, warnings = [], []
    for _, members in groupby(runs, key=_sample):
        chosen = list(members)[: 1 if options.first else None]
        group = []
        for run, label in zip(chosen, labels_of(chosen, options.legend_by, facts)[1], strict=True):
            x, (y, _) = column(run, "Vg (V)"), _values(run, options)
            good = np.isfinite(x) & np.isfinite(y)
            if np.count_nonzero(good) < 2:
                warnings.append(f"run {run.run_id} has fewer than two finite points and is left out")
                continue
            group.append(Curve(run=run, x=x[good], y=y[good], label=label))
        if group:
            groups.append(group)
    if not groups:
        raise DataError("no run has two finite points; choose other runs", reason="no-runs")
    return groups, warnings


def _grid(groups: Sequence[Sequence[Curve]], axes: Plot, look: Look) -> tuple[Plot, ...]:
    """A plot for each sample."""
    small = replace(look.legend(), place=look.legend_place or "best", scale=0.8 * look.legend_scale)
    made = []
    for group in groups:
        lines = tuple(
            Line(x=curve.x, y=curve.y, label=curve.label, colour=colour, width_pt=look.width_pt)
            for curve, colour in zip(group, look.colours(len(group)), strict=True)
        )
        legend = small if len(group) <= _MOST_NAMED else False
        made.append(replace(axes, marks=lines, title=_told(group), legend=legend))
    return tuple(made)


def _overlay(groups: Sequence[Sequence[Curve]], axes: Plot, look: Look) -> Plot:
    """One plot, with a colour and a name for each sample."""
    lines = tuple(
        Line(x=curve.x, y=curve.y, label="" if at else _told(group), colour=colour, width_pt=look.width_pt)
        for group, colour in zip(groups, look.colours(len(groups)), strict=True)
        for at, curve in enumerate(group)
    )
    return replace(axes, marks=lines, legend=look.legend("Sample"))


def _told(group: Sequence[Curve]) -> str:
    """``A (12 sweeps)``; of a single one its number."""
    name = _sample(group[0].run) or "no sample"
    return f"{name} ({len(group)} sweeps)" if len(group) > 1 else f"{name}, {group[0].label}"


def _values(run: Run, options: BySampleOptions) -> tuple[Array, Shown]:
    chosen = {"conductance": options.conductance, "inverse": options.inverse, "absolute": options.absolute}
    return current_as(run, column(run, "I (A)"), **chosen)


def _sample(run: Run) -> str:
    return str(run.settings.get("sample") or "").strip()


def _began(run: Run) -> str:
    return "" if run.start_utc is None else run.start_utc.isoformat()
