"""Charts as inline SVG whose every mark leads to the run it came from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from batchlab.devices._panel._numbers import told

__all__ = ["Axis", "Band", "Mark", "Series", "axis_of", "chart", "near", "round_names", "sparkline"]

WIDE, HIGH = 1120.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM, _LEGEND = 66.0, 14.0, 8.0, 46.0, 22.0
_R = 4.2  # of a mark
_LETTER = 6.4  # mean width of a letter
_ENOUGH, _FEW, _FAR = 6, 20, 4.0  # of values one of so many may be far off: by so many times the range of the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What is drawn along one side.

    Attributes
    ----------
    low, high
        Its ends; both positive where it is logarithmic.
    names
        Places that have a name, and a line across the chart.
    label
        With the unit.
    log
        Whether equal steps are equal ratios.
    """

    low: float
    high: float
    names: tuple[tuple[float, str], ...]
    label: str = ""
    log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value is: 0 at its low end, 1 at its high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A value of a run.

    Attributes
    ----------
    x, y
        Where it is drawn.
    href
        Where the run is told of.
    title
        What is shown to who points at it.
    run_id, value
        Where the value is from, and the value itself, unrounded, for programs.
    low, high
        Ends of a bar through it.
    error
        Standard error, drawn where it is larger than the mark.
    doubtful
        Drawn hollow.
    crossed
        Struck out.
    """

    x: float
    y: float
    href: str
    title: str
    run_id: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    doubtful: bool = False
    crossed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Marks of one look: told apart by colour and by shape."""

    label: str
    colour: str
    symbol: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the x axis with a name above it: a day."""

    low: float
    high: float
    label: str
    shaded: bool


def axis_of(values: Iterable[float], label: str, *, log: bool = False) -> Axis:
    """An axis with round names that holds all values but a few that are far off: those are drawn at its ends."""
    known = near(value for value in values if value > 0 or not log)
    low, high = (min(known), max(known)) if known else ((1.0, 10.0) if log else (0.0, 1.0))
    if log:
        low, high = low / 1.25, high * 1.25
        return Axis(low=low, high=high, names=_log_names(low, high), label=label, log=True)
    room = 0.06 * (high - low) or (abs(high) * 0.1 or 1.0)
    low, high = low - room, high + room
    return Axis(low=low, high=high, names=round_names(low, high), label=label)


def round_names(low: float, high: float, *, number: int = 6, least: float = 0.0) -> tuple[tuple[float, str], ...]:
    """About so many round numbers, no closer than the least step."""
    step = max(_step(high - low, number), least)
    digits = max(0, -math.floor(math.log10(step)))
    places = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return tuple((at, f"{at + 0.0:.{digits}f}".replace("-", "−")) for at in places)


def near(values: Iterable[float]) -> list[float]:
    """Finite values but a few that would leave all others no room: without each the range is several times smaller."""
    left = sorted(value for value in values if math.isfinite(value))
    for _ in range(max(1, len(left) // _FEW) if len(left) >= _ENOUGH else 0):
        span = left[-1] - left[0]
        without = min((left[1:], left[:-1]), key=lambda those: those[-1] - those[0])
        if span <= _FAR * (without[-1] - without[0]):
            break
        left = without
    return left


def chart(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    what: str,
    width: float = WIDE,
    height: float = HIGH,
    left: float = _LEFT,
    bands: Sequence[Band] = (),
    zero: bool = False,
) -> str:
    """A chart as an SVG element.

    Parameters
    ----------
    what
        What it shows, for who cannot see it.
    left
        Room for the names of the y axis.
    bands
        Stretches of the x axis.
    zero
        Whether a line marks y = 0.
    """
    shown = [each for each in series if each.marks]
    legend = len(shown) > 1
    top = _TOP + (_LEGEND if legend else 0.0) + (14.0 if bands else 0.0)
    inner = (left, top, width - _RIGHT, height - _BOTTOM)
    parts = [
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(what)}" '
        'xmlns="http://www.w3.org/2000/svg">',
        f"<desc>{escape(what)}</desc>",
        *_bands(bands, x, inner),
        *_sides(x, y, inner, height),
    ]
    if zero and y.low < 0 < y.high:
        at = _down(y, 0.0, inner)
        parts.append(f'<line class="zero" x1="{inner[0]:g}" x2="{inner[2]:g}" y1="{at:.1f}" y2="{at:.1f}"/>')
    for each in shown:
        parts += [_bars(mark, x, y, inner) for mark in each.marks]
    for each in shown:
        parts += [_mark(mark, each, x, y, inner) for mark in each.marks]
    if legend:
        parts += _legend(shown, inner)
    parts.append("</svg>")
    return "".join(parts)


def sparkline(values: Sequence[float], what: str) -> str:
    """A line the size of a word, its last value marked."""
    width, height, room = 120.0, 26.0, 4.0
    if len(values) < 2:
        return ""
    within = near(values)
    low, span = within[0], (within[-1] - within[0]) or 1.0
    values = [min(max(value, within[0]), within[-1]) for value in values]
    step = (width - 2 * room) / (len(values) - 1)
    places = [(room + k * step, height - room - (v - low) / span * (height - 2 * room)) for k, v in enumerate(values)]
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    return (
        f'<svg class="spark" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(what)}"><polyline points="{line}"/>'
        f'<circle cx="{places[-1][0]:.1f}" cy="{places[-1][1]:.1f}" r="2.6"/></svg>'
    )


def _along(x: Axis, value: float, inner: Sequence[float]) -> float:
    return inner[0] + x.share(value) * (inner[2] - inner[0])


def _down(y: Axis, value: float, inner: Sequence[float]) -> float:
    return inner[3] - y.share(value) * (inner[3] - inner[1])


def _bands(bands: Sequence[Band], x: Axis, inner: Sequence[float]) -> Iterable[str]:
    ends = [(_along(x, max(band.low, x.low), inner), _along(x, min(band.high, x.high), inner)) for band in bands]
    for band, (begin, end) in zip(bands, ends, strict=True):
        if band.shaded:
            yield (
                f'<rect class="band" x="{begin:.1f}" y="{inner[1]:g}" width="{max(end - begin, 0.5):.1f}" '
                f'height="{inner[3] - inner[1]:g}"/>'
            )
    # The widest first: where there is no room for two names, theirs stands.
    taken: list[tuple[float, float]] = []
    for place in sorted(range(len(bands)), key=lambda k: ends[k][0] - ends[k][1]):
        half = len(bands[place].label) * _LETTER / 2
        at = min(max(sum(ends[place]) / 2, inner[0] + half), inner[2] - half)
        if half and all(at + half + 4 < begin or at - half - 4 > end for begin, end in taken):
            taken.append((at - half, at + half))
            yield f'<text class="day" x="{at:.1f}" y="{inner[1] - 4:g}">{escape(bands[place].label)}</text>'


def _sides(x: Axis, y: Axis, inner: Sequence[float], height: float) -> Iterable[str]:
    left, top, right, bottom = inner
    for at, name in y.names:
        down = _down(y, at, inner)
        yield f'<line class="grid" x1="{left:g}" x2="{right:g}" y1="{down:.1f}" y2="{down:.1f}"/>'
        if name:
            yield f'<text class="y" x="{left - 6:g}" y="{down + 4:.1f}">{escape(name)}</text>'
    free = -math.inf
    for at, name in x.names:
        along = _along(x, at, inner)
        yield f'<line class="tick" x1="{along:.1f}" x2="{along:.1f}" y1="{bottom:g}" y2="{bottom + 4:g}"/>'
        wide = len(name) * _LETTER
        placed = min(along, right + _RIGHT - wide / 2)
        if name and placed - wide / 2 >= free:
            yield f'<text class="x" x="{placed:.1f}" y="{bottom + 17:g}">{escape(name)}</text>'
            free = placed + wide / 2 + 6
    yield f'<rect class="frame" x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}"/>'
    yield f'<text class="label" x="{(left + right) / 2:g}" y="{height - 8:g}">{escape(x.label)}</text>'
    if y.label:
        middle = (top + bottom) / 2
        yield f'<text class="label" transform="translate(13 {middle:g}) rotate(-90)">{escape(y.label)}</text>'


def _bars(mark: Mark, x: Axis, y: Axis, inner: Sequence[float]) -> str:
    along, parts = _along(x, mark.x, inner), []
    if mark.low is not None and mark.high is not None and not _off(mark, y):
        ends = [_down(y, min(max(end, y.low), y.high), inner) for end in (mark.low, mark.high)]
        parts.append(f'<line class="span" x1="{along:.1f}" x2="{along:.1f}" y1="{ends[0]:.1f}" y2="{ends[1]:.1f}"/>')
    if mark.error and not _off(mark, y):
        ends = [
            _down(y, min(max(mark.y + sign * mark.error, y.low), y.high), inner)
            for sign in (-1, 1)
            if not (y.log and mark.y - mark.error <= 0)
        ]
        if len(ends) == 2 and abs(ends[1] - ends[0]) > 2 * _R:
            parts.append(
                f'<line class="error" x1="{along:.1f}" x2="{along:.1f}" y1="{ends[0]:.1f}" y2="{ends[1]:.1f}"/>'
            )
    return "".join(parts)


def _mark(mark: Mark, series: Series, x: Axis, y: Axis, inner: Sequence[float]) -> str:
    along = _along(x, mark.x, inner)
    value = "" if mark.value is None else f' data-value="{mark.value!r}"'
    if _off(mark, y):
        up = mark.y > y.high
        down = inner[1] + 7 if up else inner[3] - 7
        drawn = _symbol("up" if up else "down", series.colour, along, down, hollow=True)
        right = along > inner[2] - 60
        at = f'x="{along - 8:.1f}" class="off left"' if right else f'x="{along + 8:.1f}" class="off"'
        drawn += f'<text {at} y="{down + 4:.1f}">{told(mark.y, 3)}</text>'
    else:
        down = _down(y, mark.y, inner)
        drawn = _symbol(series.symbol, series.colour, along, down, hollow=mark.doubtful)
    crossed = _cross(along, down) if mark.crossed else ""
    return (
        f'<a href="{escape(mark.href)}" data-run="{escape(mark.run_id)}"{value}><title>{escape(mark.title)}</title>'
        f"{drawn}{crossed}</a>"
    )


def _off(mark: Mark, y: Axis) -> bool:
    """Whether it lies beyond the ends of the axis."""
    low, high = sorted((y.low, y.high))
    return not low <= mark.y <= high


def _legend(shown: Sequence[Series], inner: Sequence[float]) -> Iterable[str]:
    at = inner[0] + 6
    for each in shown:
        yield _symbol(each.symbol, each.colour, at, 12.0)
        yield f'<text class="name" x="{at + 9:.1f}" y="16">{escape(each.label)}</text>'
        at += 28 + len(each.label) * _LETTER


def _symbol(symbol: str, colour: str, x: float, y: float, *, hollow: bool = False) -> str:
    look = f'fill="#ffffff" stroke="{colour}" stroke-width="1.6"' if hollow else f'fill="{colour}" stroke="#ffffff"'
    if symbol == "circle":
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{_R}" {look}/>'
    corners = " ".join(f"{x + dx * _R:.1f},{y + dy * _R:.1f}" for dx, dy in _SHAPES[symbol])
    return f'<polygon class="mark" points="{corners}" {look}/>'


_SHAPES = {
    "diamond": ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "up": ((0, -1.3), (1.25, 0.95), (-1.25, 0.95)),
    "down": ((0, 1.3), (1.25, -0.95), (-1.25, -0.95)),
    "plus": (
        (-0.45, -1.3), (0.45, -1.3), (0.45, -0.45), (1.3, -0.45), (1.3, 0.45), (0.45, 0.45),
        (0.45, 1.3), (-0.45, 1.3), (-0.45, 0.45), (-1.3, 0.45), (-1.3, -0.45), (-0.45, -0.45),
    ),
    "bar": ((-1.4, -0.55), (1.4, -0.55), (1.4, 0.55), (-1.4, 0.55)),
}  # fmt: skip


def _cross(x: float, y: float) -> str:
    r = 1.9 * _R
    left, right, top, bottom = (f"{at:.1f}" for at in (x - r, x + r, y - r, y + r))
    return f'<path class="cross" d="M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}"/>'


def _step(span: float, number: int) -> float:
    """The round step that makes about so many of a span."""
    raw = span / number
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * 0.999)


def _log_names(low: float, high: float) -> tuple[tuple[float, str], ...]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    few = math.log10(high / low) < 2.2
    factors = (1, 2, 5) if few else (1,)
    places = [factor * 10.0**decade for decade in decades for factor in factors]
    return tuple((at, told(at, 3)) for at in places if low <= at <= high)
