"""Transconductance: the derivative of a gate sweep, leg by leg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from batchlab.devices._model import Run
from batchlab.devices.metrics import slopes
from batchlab.devices.plots._axes import Curve, limits_of, span_of, table_of, text_of
from batchlab.devices.plots._legends import LegendBy, LegendWord, labels_of
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, column, only
from batchlab.devices.plots._options import PlotOptions, power_of
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["TransconductanceOptions", "draw_transconductance", "segments", "transconductance"]

_PROCEDURES = ("IVg",)
_STILL = 0.25  # of the usual step: a voltage that moves less rests
_RAW_WIDTH = 0.55
_QUALITIES = {"ultra": (31, 7), "high": (21, 7), "medium": (15, 5), "low": (9, 3)}  # window, order
_AUTO_SHARE = 10  # of a leg's points, for a window that fits itself


class TransconductanceOptions(PlotOptions):
    """Of transconductances.

    Attributes
    ----------
    method
        ``savgol`` smooths while it derives, ``gradient`` takes differences.
    window, polyorder
        Of the Savitzky-Golay filter: points, odd, and degree of the polynomial.
    quality
        In place of those two: ultra, high, medium, low; ``auto`` takes a tenth of a leg.
    show_raw
        Whether the differences are shown behind the smoothed derivative.
    legend_by
        What tells the curves apart.
    """

    method: Literal["savgol", "gradient"] = "savgol"
    window: Annotated[int, Field(ge=3)] = 21
    polyorder: Annotated[int, Field(ge=1)] = 7
    quality: Literal["auto", "ultra", "high", "medium", "low"] | None = None
    show_raw: bool = True
    legend_by: LegendWord = LegendBy.FILE

    @field_validator("window")
    @classmethod
    def _odd(cls, window: int) -> int:
        if window % 2 == 0:
            raise ValueError(f"window {window} is even; a window has a middle: write {window - 1} or {window + 1}")
        return window

    @model_validator(mode="after")
    def _fits(self) -> TransconductanceOptions:
        if self.polyorder >= self.window:
            raise ValueError(f"polyorder {self.polyorder} needs a window of more points than {self.window}")
        return self

    def smoothing(self, points: int) -> tuple[int, int]:
        """Window and degree for a leg of so many points."""
        if self.quality == "auto":
            window = max(9, points // _AUTO_SHARE)
            return window + 1 - window % 2, 3
        return (self.window, self.polyorder) if self.quality is None else _QUALITIES[self.quality]


def names(options: TransconductanceOptions) -> tuple[Name, ...]:
    """``gm_<tag>``, or ``gm_savgol_<tag>``."""
    kind = "gm_savgol" if options.method == "savgol" else "gm"
    return (Name(procedure="Transconductance", kind=kind),)


@plot("plot-transconductance", procedures=_PROCEDURES, options=TransconductanceOptions, names=names, uses=power_of)
def draw_transconductance(runs: Sequence[Run], options: TransconductanceOptions, look: Look, facts: Facts) -> Drawn:
    """Transconductance over gate voltage, by differences or a Savitzky-Golay filter."""
    from batchlab.figures import Line, Plot, Rule

    chosen = only(runs, _PROCEDURES, "plot-transconductance")
    title, labels = labels_of(chosen, options.legend_by, facts)
    curves, raw, warnings = [], [], []
    for run, label in zip(chosen, labels, strict=True):
        legs = segments(column(run, "Vg (V)"), column(run, "I (A)"))
        smooth = options.method == "savgol"
        parts = [
            (v, transconductance(v, i, *options.smoothing(v.size)) if smooth else np.gradient(i, v)) for v, i in legs
        ]
        if not parts:
            warnings.append(f"the gate voltage of run {run.run_id} never moves; it is left out")
            continue
        curves.append(Curve(run=run, x=_joined([v for v, _ in parts]), y=_joined([g for _, g in parts]), label=label))
        raw.append((_joined([v for v, _ in legs]), _joined([np.gradient(i, v) for v, i in legs])))
    if not curves:
        raise DataError("the gate voltage of no run moves; choose sweeps", reason="no-runs")
    unit = unit_for((curve.y for curve in curves), "S")
    curves = [replace(curve, y=unit.of(curve.y)) for curve in curves]
    colours = look.colours(len(curves))
    lines = [
        Line(x=curve.x, y=curve.y, label=curve.label, colour=colour, width_pt=look.width_pt)
        for curve, colour in zip(curves, colours, strict=True)
    ]
    behind = [
        Line(x=x, y=unit.of(y), colour=_pale(colour), width_pt=_RAW_WIDTH * look.width_pt)
        for (x, y), colour in zip(raw, colours, strict=True)
        if options.method == "savgol" and options.show_raw
    ]
    y_label = f"gm ({unit.symbol})"
    plot_of = Plot(
        marks=(Rule(at=0.0, colour="#A0A0A0"), *behind, *lines),
        x_limits=span_of(curve.x for curve in curves),
        y_limits=limits_of(((curve.x, curve.y) for curve in curves), max(options.padding, 0.05)),
        x_label="Vg (V)",
        y_label=y_label,
        legend=look.legend(title),
        grid=look.grid,
    )
    what = "transconductance" + (" (Savitzky–Golay)" if options.method == "savgol" else "")
    return Drawn(
        sheets=(look.sheet((plot_of,), f"{text_of(chosen)} – {what}"),),
        tables=(table_of(curves, facts, "Vg (V)", y_label),),
        warnings=tuple(warnings),
    )


def segments(v: Array, i: Array) -> tuple[tuple[Array, Array], ...]:
    """A sweep cut where its voltage turns, in measured order and direction; where it rests its first point counts.

    Unlike in the legs of metrics, the point where the voltage turns belongs to the way it came alone, and the halves of
    a leg at both ends of a loop stay apart: hysteresis and drift are steps there, of which a derivative makes spikes.

    Parameters
    ----------
    v, i : (n,) array
        Gate voltage in V and current in A; rows that are not finite are left out.

    Returns
    -------
    tuple of pairs of arrays
        Of three points or more, strictly one way.
    """
    good = np.isfinite(v) & np.isfinite(i)
    v, i = v[good], i[good]
    steps = np.abs(np.diff(v))
    moved = steps > _STILL * np.median(steps[steps > 0]) if (steps > 0).any() else np.zeros(steps.size, dtype=bool)
    if not moved.any():
        return ()
    kept = np.r_[True, moved]
    v, i = v[kept], i[kept]
    way = np.sign(np.diff(v))
    turns = [-1, *(np.flatnonzero(np.diff(way)) + 1).tolist(), v.size - 1]
    return tuple((v[a + 1 : b + 1], i[a + 1 : b + 1]) for a, b in pairwise(turns) if b - a >= 3)


def transconductance(v: Array, i: Array, window: int, polyorder: int) -> Array:
    """Derivative of a leg by a Savitzky-Golay filter, the one of mobilities.

    Parameters
    ----------
    v, i : (n,) array
        Gate voltage in V, one way; current in A. Three points or more.
    window, polyorder
        Points, odd, and degree; cut to what the leg holds.

    Returns
    -------
    (n,) array
        In S.
    """
    way = 1 if v[-1] > v[0] else -1
    return slopes(v[::way], i[::way], window, polyorder)[::way]


def _joined(parts: Sequence[Array]) -> Array:
    """Legs below each other, with a gap between."""
    gap = np.array([np.nan])
    return np.concatenate([piece for part in parts for piece in (part, gap)][:-1])


def _pale(colour: str) -> str:
    """A colour mixed with two thirds of white."""
    mixed = [round(int(colour[at : at + 2], 16) * 0.35 + 255 * 0.65) for at in (1, 3, 5)]
    return "#{:02x}{:02x}{:02x}".format(*mixed)
