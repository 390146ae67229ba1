"""Gate sweeps, laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import Curve, limits_of, span_of, table_of, text_of
from batchlab.devices.plots._legends import LegendBy, LegendWord, labels_of
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, column
from batchlab.devices.plots._options import PlotOptions, power_of
from batchlab.devices.plots._transforms import Shown
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Quantity", "SweepOptions", "dirac_points_of", "sweeps"]

Quantity: TypeAlias = "Callable[[Run], tuple[Array, Shown]]"

_DIRAC = ("cnp_forward", "cnp_backward")


class SweepOptions(PlotOptions):
    """Of gate sweeps.

    Attributes
    ----------
    legend_by
        What tells the curves apart; by default the number of the file, and whether it was lit.
    show_cnp
        Whether Dirac points are marked, as far as they are known: a ring, or a cross where the metrics doubt it.
    inverse
        Whether the inverse of conductance or resistance is shown.
    absolute
        Whether magnitudes are shown.
    """

    legend_by: LegendWord = LegendBy.FILE
    show_cnp: bool = False
    inverse: bool = False
    absolute: bool = False


def dirac_points_of(options: SweepOptions) -> tuple[str, ...]:
    """Derived values that a plot of sweeps looks at."""
    return (*((*_DIRAC, "cnp_voltage") if options.show_cnp else ()), *power_of(options))


def sweeps(
    runs: Sequence[Run], options: SweepOptions, look: Look, facts: Facts, quantity: Quantity, what: str
) -> Drawn:
    """One curve per run over the gate voltage, both ways of a loop in one colour."""
    from batchlab.figures import Line, Plot, Points

    title, labels = labels_of(runs, options.legend_by, facts)
    curves, warnings = [], []
    for run, label in zip(runs, labels, strict=True):
        y, shown = quantity(run)
        x = column(run, "Vg (V)")
        good = np.isfinite(x) & np.isfinite(y)
        if np.count_nonzero(good) < 2:
            warnings.append(f"run {run.run_id} has fewer than two finite points and is left out")
            continue
        curves.append(Curve(run=run, x=x[good], y=y[good], label=label))
    if not curves:
        raise DataError("no run has two finite points; choose other runs", reason="no-runs")
    unit = unit_for((curve.y for curve in curves), shown.unit)
    curves = [replace(curve, y=unit.of(curve.y)) for curve in curves]
    x_limits = span_of(curve.x for curve in curves)
    y_limits = limits_of(((curve.x, curve.y) for curve in curves), max(options.padding, 0.02), floor=0.0)
    lines = [
        Line(x=curve.x, y=curve.y, label=curve.label, colour=colour, width_pt=look.width_pt)
        for curve, colour in zip(curves, look.colours(len(curves)), strict=True)
    ]
    marks: list[Points] = []
    if options.show_cnp:
        for curve, colour in zip(curves, look.colours(len(curves)), strict=True):
            at = _dirac_points(curve, facts)
            if at is None:
                warnings.append(
                    f"no Dirac point of run {curve.run.run_id} is known: it has none, "
                    "or derive-all-metrics --enrich was not run"
                )
                continue
            flags = _doubts(curve.run, facts)
            # Rings: a curve is not hidden where it turns, nor a mark in its tip. What is doubted has none.
            name, symbol = ("Dirac point", "o") if flags is None else ("doubtful Dirac point", "x")
            if flags is not None:
                warnings.append(f"the Dirac point of {facts.name(curve.run)} is doubtful: {flags}")
            label = "" if any(mark.label == name for mark in marks) else name
            marks.append(
                Points(
                    x=at[0],
                    y=at[1],
                    label=label,
                    colour=colour,
                    symbol=symbol,
                    size_pt=look.mark_pt + 3,
                    hollow=True,
                )
            )
    y_label = f"{shown.symbol} ({unit.symbol})"
    plot = Plot(
        marks=(*lines, *marks),
        x_limits=x_limits,
        y_limits=y_limits,
        x_label="Vg (V)",
        y_label=y_label,
        legend=look.legend(title),
        grid=look.grid,
    )
    return Drawn(
        sheets=(look.sheet((plot,), f"{text_of(runs)} – {what}"),),
        tables=(table_of(curves, facts, "Vg (V)", y_label),),
        warnings=tuple(warnings),
    )


def _doubts(run: Run, facts: Facts) -> str | None:
    """What speaks against the Dirac points that are marked; None where nothing does."""
    doubts = facts.of(run).doubts
    told = [doubts[name] for name in _DIRAC if name in doubts] or [
        doubts[name] for name in ("cnp_voltage",) if name in doubts
    ]
    return (", ".join(dict.fromkeys(flag for flags in told for flag in flags)) or "little confidence") if told else None


def _dirac_points(curve: Curve, facts: Facts) -> tuple[Array, Array] | None:
    """Where the Dirac points of a run lie on its own curve."""
    known = facts.of(curve.run).metrics
    volts = [known[name] for name in _DIRAC if name in known] or [
        known[name] for name in ("cnp_voltage",) if name in known
    ]
    if not volts:
        return None
    rising = np.gradient(curve.x) > 0
    heights = []
    for at, volt in enumerate(volts):
        leg = rising if at == 0 else ~rising
        distance = np.abs(curve.x - volt) + (0.0 if len(volts) == 1 else np.where(leg, 0.0, np.inf))
        heights.append(float(curve.y[int(np.argmin(distance))]))
    return np.array(volts, dtype=np.float64), np.array(heights)
