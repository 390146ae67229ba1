"""Plots as inline SVG that follows the colours of its page: axes with round names, lines thinned to their width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from batchlab.motion._model import Bool, Float

__all__ = [
    "Axis",
    "Columns",
    "Plot",
    "area",
    "axis_of",
    "bars",
    "columns_of",
    "line",
    "log_axis",
    "svg",
    "text",
    "told",
    "with_error",
]

_MINUS = "−"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What is drawn along one side: its ends, and places that have a name."""

    low: float
    high: float
    names: tuple[tuple[float, str], ...]
    log: bool = False

    def share(self, values: Float) -> Float:
        """How far along the axis values are: 0 at its low end, 1 at its high one."""
        if self.log:
            found: Float = (np.log10(values) - math.log10(self.low)) / math.log10(self.high / self.low)
            return found
        return (values - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A rectangle with two axes, in units of the drawing."""

    left: float
    top: float
    width: float
    height: float
    x: Axis
    y: Axis

    def across(self, values: Float) -> Float:
        """Where values of the x axis are."""
        return self.left + self.x.share(values) * self.width

    def down(self, values: Float) -> Float:
        """Where values of the y axis are."""
        return self.top + (1.0 - self.y.share(values)) * self.height

    def at_x(self, value: float) -> float:
        """Where one value of the x axis is."""
        return float(self.across(np.array([value]))[0])

    def at_y(self, value: float) -> float:
        """Where one value of the y axis is."""
        return float(self.down(np.array([value]))[0])

    def sides(self, x_label: str = "", y_label: str = "", *, x_names: bool = True, grid: bool = True) -> str:
        """The frame, lines across at the names, and the names."""
        right, bottom = self.left + self.width, self.top + self.height
        out = []
        for at, name in self.y.names:
            place = self.at_y(at)
            if grid:
                out.append(_rule(self.left, place, right, place, 0.13))
            out.append(text(self.left - 6, place + 4, name, "end"))
        for at, name in self.x.names if x_names else ():
            place = self.at_x(at)
            out.append(_rule(place, bottom, place, bottom + 4, 0.5))
            out.append(text(place, bottom + 16, name, "middle"))
        out.append(
            f'<rect x="{self.left:g}" y="{self.top:g}" width="{self.width:g}" height="{self.height:g}" fill="none" '
            'stroke="currentColor" stroke-opacity=".35"/>'
        )
        if x_label:
            out.append(text(self.left + self.width / 2, bottom + (32 if x_names else 16), x_label, "middle", soft=True))
        if y_label:
            out.append(text(self.left, self.top - 7, y_label, "start", soft=True))
        return "".join(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Frames put together into columns no narrower than a drawing can show.

    Attributes
    ----------
    starts
        (C,) first frame of each.
    ends
        (C, 2) where each begins and ends, along the axis of time.
    """

    starts: np.ndarray
    ends: Float

    def lowest(self, values: Float) -> Float:
        """(C, ...) of each column; NaN where a column has nothing else."""
        out: Float = np.fmin.reduceat(values, self.starts, axis=0)
        return out

    def highest(self, values: Float) -> Float:
        """(C, ...) of each column; NaN where a column has nothing else."""
        out: Float = np.fmax.reduceat(values, self.starts, axis=0)
        return out

    def every(self, flags: Bool) -> Bool:
        """(C, ...) whether all frames of a column have it."""
        out: Bool = np.logical_and.reduceat(flags, self.starts, axis=0)
        return out

    def some(self, flags: Bool) -> Bool:
        """(C, ...) whether any frame of a column has it."""
        out: Bool = np.logical_or.reduceat(flags, self.starts, axis=0)
        return out


def axis_of(low: float, high: float, number: int = 5) -> Axis:
    """From a low to a high end, with about so many round names."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high <= low:
        room = abs(low) * 0.1 or 1.0
        low, high = low - room, high + room
    step = _step((high - low) / number)
    digits = max(0, -math.floor(math.log10(step)))
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    names = tuple((k * step, f"{k * step + 0.0:.{digits}f}".replace("-", _MINUS)) for k in places)
    return Axis(low=low, high=high, names=names)


def log_axis(low: float, high: float) -> Axis:
    """Logarithmic, with a name for each power of ten, or for 1, 2 and 5 where there are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = high / low > 300
    places = [digit * 10.0**power for power in powers for digit in ((1,) if wide else (1, 2, 5))]
    return Axis(
        low=low, high=high, names=tuple((at, told(at)) for at in places if low * 0.999 <= at <= high * 1.001), log=True
    )


def columns_of(times: Float, plot: Plot) -> Columns:
    """Frames in columns of the plot, one unit wide or more."""
    pixels = max(1, min(int(plot.width), len(times)))
    share = np.clip(plot.x.share(times), 0.0, 1.0)
    column = np.minimum((share * pixels).astype(np.int64), pixels - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    begin = plot.left + column[starts] * (plot.width / pixels)
    end = np.append(begin[1:], plot.left + plot.width)
    return Columns(starts=starts, ends=np.column_stack([begin, end]))


def line(x: Float, y: Float, colour: str, width: float = 1.2) -> str:
    """A line through places of the drawing, broken where one is NaN."""
    d = _path(x, y)
    return f'<path fill="none" stroke="{colour}" stroke-width="{width:g}" d="{d}"/>' if d else ""


def area(x: Float, low: Float, high: Float, colour: str, opacity: float = 1.0) -> str:
    """What lies between two lines, in pieces where one of them is NaN."""
    out = []
    for start, stop in _runs(np.isfinite(low) & np.isfinite(high)):
        there = slice(start, stop)
        around = np.concatenate([x[there], x[there][::-1]]), np.concatenate([high[there], low[there][::-1]])
        out.append(_path(*around) + "Z")
    shade = "" if opacity >= 1 else f' fill-opacity="{opacity:g}"'
    return f'<path fill="{colour}"{shade} d="{"".join(out)}"/>' if out else ""


def bars(flags: Bool, ends: Float, top: float, height: float, colour: str, opacity: float = 1.0) -> str:
    """Boxes over the columns that a flag stands for; neighbours are one box."""
    parts = []
    for start, stop in _runs(flags):
        begin, end = float(ends[start, 0]), float(ends[stop - 1, 1])
        parts.append(f"M{begin:.1f} {top:g}h{max(end - begin, 0.6):.1f}v{height:g}H{begin:.1f}Z")
    shade = "" if opacity >= 1 else f' fill-opacity="{opacity:g}"'
    return f'<path fill="{colour}"{shade} d="{"".join(parts)}"/>' if parts else ""


def text(
    x: float, y: float, words: str, anchor: str = "start", *, soft: bool = False, size: float = 11.5, bold: bool = False
) -> str:
    """Words at a place."""
    look = (' fill-opacity=".7"' if soft else "") + (' font-weight="650"' if bold else "")
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="currentColor"{look}>'
        f"{escape(words)}</text>"
    )


def svg(parts: Iterable[str], width: float, height: float, what: str) -> str:
    """A drawing; `what` it shows is for who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'font-family="system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif" aria-label="{escape(what)}">'
        f"{''.join(parts)}</svg>"
    )


def told(value: float | None, digits: int = 3) -> str:
    """A number to so many digits, without needless noughts; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("-", _MINUS)
    rounded = float(f"{value:.{digits}g}")
    places = 0 if not rounded else max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    found = f"{rounded:.{places}f}"
    return (found.rstrip("0").rstrip(".") if "." in found else found).replace("-", _MINUS)


def with_error(value: float, error: float) -> str:
    """``0.423 ± 0.025``: to the digits that the standard error has, of which it has two; alone where there is none."""
    if not (math.isfinite(error) and error > 0 and math.isfinite(value)):
        return told(value, 4)
    places = max(0, 1 - math.floor(math.log10(float(f"{error:.2g}"))))
    return f"{value:.{places}f} ± {error:.{places}f}".replace("-", _MINUS)


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((each * power for each in (1.0, 2.0, 5.0) if each * power >= rough), 10.0 * power)


def _rule(x1: float, y1: float, x2: float, y2: float, opacity: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" '
        f'stroke-opacity="{opacity:g}"/>'
    )


def _path(x: Float, y: Float) -> str:
    out = []
    for start, stop in _runs(np.isfinite(x) & np.isfinite(y)):
        count = stop - start
        if count == 1:
            out.append(f"M{x[start]:.1f} {y[start]:.1f}h.8")
        else:
            pairs = np.column_stack([x[start:stop], y[start:stop]]).ravel().tolist()
            out.append(("M%.1f %.1fL" + " ".join(["%.1f %.1f"] * (count - 1))) % tuple(pairs))
    return "".join(out)


def _runs(flags: Bool) -> Sequence[tuple[int, int]]:
    """Stretches [start, stop) of what is true."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True))
