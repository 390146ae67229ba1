"""Runs over time, laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import Curve, limits_of, shaded, table_of, text_of
from batchlab.devices.plots._baseline import baseline_time, value_at
from batchlab.devices.plots._legends import labels_of
from batchlab.devices.plots._light import common_windows
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts
from batchlab.devices.plots._options import TimeOptions
from batchlab.devices.plots._transforms import Shown
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array

Quantity: TypeAlias = "Callable[[Run], tuple[Array, Shown]]"
"""Of a run: what is shown of it in the plain unit, row by row, and what that is."""

__all__ = ["Quantity", "curves_over_time", "overlay"]

_LONG_S = 1000.0


def overlay(
    runs: Sequence[Run], options: TimeOptions, look: Look, facts: Facts, quantity: Quantity, what: str
) -> Drawn:
    """One curve per run over the time of each, from a common baseline, the light shaded.

    Parameters
    ----------
    quantity
        Of a run: values as they are shown, without a baseline, and what they are.
    what
        In the title.
    """
    from batchlab.figures import Line, Plot

    curves, shown, warnings = curves_over_time(runs, options, quantity)
    if options.absolute:
        curves = [replace(curve, y=np.abs(curve.y)) for curve in curves]
    title, labels = labels_of([curve.run for curve in curves], options.legend_by, facts)
    curves = [replace(curve, label=label) for curve, label in zip(curves, labels, strict=True)]
    end = float(np.median([np.nanmax(curve.x) for curve in curves]))
    x_limits = (options.start, end)
    if end <= options.start:
        raise DataError(
            f"the runs end after {end:g} s, and the plot begins at {options.start:g} s; give an earlier start",
            reason="nothing-in-sight",
        )
    unit = unit_for((curve.y[curve.x >= options.start] for curve in curves), shown.unit)
    scaled = [(curve.x, unit.of(curve.y)) for curve in curves]
    y_limits = limits_of(scaled, options.padding, within=x_limits)
    lines = [
        Line(x=x, y=y, label=curve.label, colour=colour, width_pt=look.width_pt)
        for curve, (x, y), colour in zip(curves, scaled, look.colours(len(curves)), strict=True)
    ]
    windows = [(max(first, x_limits[0]), min(last, end)) for first, last in common_windows(runs)]
    y_label = f"{_symbol(shown, options)} ({unit.symbol})"
    plot = Plot(
        marks=(*shaded(windows, y_limits), *lines),
        x_limits=x_limits,
        y_limits=y_limits,
        x_label="t (s)",
        y_label=y_label,
        legend=look.legend(title),
        x_scientific=end > _LONG_S,
        grid=look.grid,
    )
    shown_curves = [replace(curve, y=y) for curve, (_, y) in zip(curves, scaled, strict=True)]
    return Drawn(
        sheets=(look.sheet((plot,), f"{text_of(runs)} – {what}"),),
        tables=(table_of(shown_curves, facts, "t (s)", y_label),),
        warnings=tuple(warnings),
    )


def curves_over_time(
    runs: Sequence[Run], options: TimeOptions, quantity: Quantity
) -> tuple[list[Curve], Shown, list[str]]:
    """The runs as curves, less their baselines; and what to warn of."""
    at_s = baseline_time(options.baseline, runs, options.start, options.baseline_auto_divisor)
    curves, warnings = [], []
    for run in runs:
        y, shown = quantity(run)
        t = run.columns["t (s)"]
        good = np.isfinite(t) & np.isfinite(y)
        if np.count_nonzero(good) < 2:
            warnings.append(f"run {run.run_id} has fewer than two finite points and is left out")
            continue
        t, y = t[good], y[good]
        if at_s is not None:
            if options.baseline == 0:  # its own first point in sight
                own = t[min(int(np.searchsorted(t, options.start)), t.size - 1)]
            else:
                own = at_s
            if not t[0] <= own <= t[-1]:
                warnings.append(
                    f"run {run.run_id} lasts from {t[0]:.4g} s to {t[-1]:.4g} s: "
                    f"its baseline at {own:.4g} s is its nearest end"
                )
            y = y - value_at(t, y, float(own))
        curves.append(Curve(run=run, x=t, y=y))
    if not curves:
        raise DataError("no run has two finite points; choose other runs", reason="no-runs")
    return curves, shown, warnings


def _symbol(shown: Shown, options: TimeOptions) -> str:
    symbol = shown.symbol if options.baseline == "none" else f"Δ{shown.symbol}"
    return f"|{symbol}|" if options.absolute else symbol
