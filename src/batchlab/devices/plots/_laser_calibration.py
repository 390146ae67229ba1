"""Optical power over the voltage of the laser, one curve per calibration, or a grid of wavelengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import Curve, limits_of, span_of, table_of
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, column, only
from batchlab.devices.plots._options import PlotOptions
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._units import unit_for
from batchlab.figures import Line, Plot

__all__ = ["draw_laser_calibration", "draw_laser_calibration_comparison"]

_PROCEDURES = ("LaserCalibration",)
_MOST_COLUMNS = 3
_MOST_NAMED = 12  # calibrations that have names and colours of their own


def names(options: PlotOptions) -> tuple[Name, ...]:
    """``LaserCalibration_<tag>``."""
    return (Name(procedure="LaserCalibration", kind="LaserCalibration"),)


def comparison_names(options: PlotOptions) -> tuple[Name, ...]:
    """``LaserCalibration_comparison_<tag>``."""
    return (Name(procedure="LaserCalibration", kind="LaserCalibration_comparison"),)


def no_values(options: PlotOptions) -> tuple[str, ...]:
    """A calibration has none."""
    return ()


@plot("plot-laser-calibration", procedures=_PROCEDURES, names=names, uses=no_values)
def draw_laser_calibration(runs: Sequence[Run], options: PlotOptions, look: Look, facts: Facts) -> Drawn:
    """Optical power over laser voltage: one curve per wavelength and fibre; of many, one colour."""
    chosen = sorted(only(runs, _PROCEDURES, "plot-laser-calibration"), key=_order)
    told = _Told.of(chosen, wavelength=True)
    curves = [_curve(run, told.name(run, facts)) for run in chosen]
    labels, colours = _by_kind(chosen, told, facts, look)
    plot_of, curves = _plot(curves, options, look, colours, labels)
    return Drawn(
        sheets=(look.sheet((plot_of,), f"Laser calibration{told.common}"),),
        tables=(table_of(curves, facts, "VL (V)", plot_of.y_label),),
    )


@plot("plot-laser-calibration-comparison", procedures=_PROCEDURES, names=comparison_names, uses=no_values)
def draw_laser_calibration_comparison(runs: Sequence[Run], options: PlotOptions, look: Look, facts: Facts) -> Drawn:
    """Calibrations of each wavelength beside each other: fibres and dates in one plot per wavelength."""
    chosen = sorted(only(runs, _PROCEDURES, "plot-laser-calibration-comparison"), key=_order)
    plots, all_curves = [], []
    told = replace(_Told.of(chosen, wavelength=False), dates=True)
    for nm, group in groupby(chosen, key=lambda run: run.number("wavelength_nm")):
        members = list(group)
        curves = [_curve(run, told.name(run, facts)) for run in members]
        labels = [curve.label for curve in curves]
        plot_of, scaled = _plot(curves, options, look, look.colours(len(curves)), labels, title=f"{nm:g} nm")
        plots.append(plot_of)
        # In W: plots of one sheet may differ in their units.
        all_curves += [_curve(curve.run, curve.label) for curve in scaled]
    columns = min(_MOST_COLUMNS, len(plots))
    return Drawn(
        sheets=(look.sheet(tuple(plots), f"Laser calibrations by wavelength{told.common}", columns=columns),),
        tables=(table_of(all_curves, facts, "VL (V)", "Power (W)"),),
    )


def _by_kind(runs: Sequence[Run], told: _Told, facts: Facts, look: Look) -> tuple[list[str], list[str]]:
    """Names and colours of curves: each its own, or where they are many those of its wavelength and fibre."""
    kinds = Counter(_order(run)[:2] for run in runs)
    if len(runs) <= _MOST_NAMED or len(kinds) == len(runs):
        return [told.name(run, facts) for run in runs], list(look.colours(len(runs)))
    plain = replace(told, dates=False)
    colour_of = dict(zip(kinds, look.colours(len(kinds)), strict=True))
    labels, named = [], set[tuple[float, str]]()
    for run in runs:
        kind = _order(run)[:2]
        labels.append("" if kind in named else f"{plain.name(run, facts)} ({kinds[kind]})")
        named.add(kind)
    return labels, [colour_of[_order(run)[:2]] for run in runs]


def _plot(
    curves: list[Curve],
    options: PlotOptions,
    look: Look,
    colours: Sequence[str],
    labels: Sequence[str],
    title: str = "",
) -> tuple[Plot, list[Curve]]:
    unit = unit_for((curve.y for curve in curves), "W")
    curves = [Curve(run=curve.run, x=curve.x, y=unit.of(curve.y), label=curve.label) for curve in curves]
    plot_of = Plot(
        marks=tuple(
            Line(x=curve.x, y=curve.y, label=label, colour=colour, width_pt=look.width_pt)
            for curve, colour, label in zip(curves, colours, labels, strict=True)
        ),
        x_limits=span_of(curve.x for curve in curves),
        y_limits=limits_of(((curve.x, curve.y) for curve in curves), max(options.padding, 0.02), floor=0.0),
        x_label="laser voltage (V)",
        y_label=f"optical power ({unit.symbol})",
        title=title,
        legend=replace(look.legend(), place="best", scale=0.8 * look.legend_scale) if title else look.legend(),
        grid=look.grid,
    )
    return plot_of, curves


def _curve(run: Run, label: str) -> Curve:
    x, y = column(run, "VL (V)"), column(run, "Power (W)")
    good = np.isfinite(x) & np.isfinite(y)
    return Curve(run=run, x=x[good], y=y[good], label=label)


def _order(run: Run) -> tuple[float, str, str]:
    nm = run.number("wavelength_nm")
    return (
        nm if np.isfinite(nm) else 0.0,
        _fibre(run),
        "" if run.start_utc is None else run.start_utc.isoformat(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the names of curves must say, and what is the same for all."""

    wavelengths: bool
    fibres: bool
    dates: bool
    common: str

    @classmethod
    def of(cls, runs: Sequence[Run], *, wavelength: bool) -> _Told:
        fibres, colours = sorted({_fibre(run) for run in runs}), {run.number("wavelength_nm") for run in runs}
        same = [f"{next(iter(colours)):g} nm" if wavelength and len(colours) == 1 else ""]
        same.append(f"fibre {fibres[0]}" if len(fibres) == 1 and fibres[0] else "")
        return cls(
            wavelengths=wavelength and len(colours) > 1,
            fibres=len(fibres) > 1,
            dates=len({_order(run)[:2] for run in runs}) < len(runs),
            common=" – " + ", ".join(filter(None, same)) if any(same) else "",
        )

    def name(self, run: Run, facts: Facts) -> str:
        moment = facts.local(run)
        parts = [
            f"{run.number('wavelength_nm'):g} nm" if self.wavelengths else "",
            _fibre(run) if self.fibres else "",
            f"{moment:%Y-%m-%d %H:%M}" if self.dates and moment is not None else "",
        ]
        return ", ".join(filter(None, parts)) or facts.name(run)


def _fibre(run: Run) -> str:
    fibre = str(run.settings.get("optical_fiber") or "").strip()
    return "" if fibre == "None" else fibre
