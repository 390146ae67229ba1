"""Scores over what was swept: curves with error bars, a heat map, parallel coordinates."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from batchlab.engine import Json
from batchlab.figures import CYCLE
from batchlab.motion._panel._svg import Axis, Plot, axis_of, line, log_axis, svg, text, told, with_error

__all__ = ["Candidate", "heat_map", "parallel", "score_curves", "value_of"]

_WIDE = 900.0
_COLOURS = tuple(colour for colour in CYCLE if colour != "#000000")
# Viridis, which stays in order for colour-blind readers and in grey; the best is bright.
_RAMP = (
    (253, 231, 37),
    (110, 206, 88),
    (53, 183, 121),
    (31, 158, 137),
    (38, 130, 142),
    (49, 104, 142),
    (62, 74, 137),
    (68, 1, 84),
)
_SPAN = 20.0  # from the least value to the largest, from which an axis is logarithmic
_SPAN_OF_SCORES = 3.0
_MOST_LINES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A combination of options with its score in mm.

    Attributes
    ----------
    params
        Those that differ between candidates.
    mean, error
        Of the score; the error is NaN where one job alone has no folds.
    href
        Where its first job is told of.
    jobs
        How many.
    best, chosen
        Whether it has the least score, and whether it is the one to take.
    """

    params: Mapping[str, Json]
    mean: float
    error: float
    href: str
    jobs: int
    best: bool = False
    chosen: bool = False

    @property
    def title(self) -> str:
        """For who points at it."""
        named = ", ".join(f"{name} = {value_of(value)}" for name, value in self.params.items())
        return f"{named}: {with_error(self.mean, self.error)} mm"


def value_of(value: Json) -> str:
    """A value as people write it."""
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return told(value, 6) if isinstance(value, (int, float)) else str(value)


def score_curves(candidates: Sequence[Candidate], along: str, each: str | None = None) -> str:
    """Scores along one option with their standard errors, a curve for each value of a second one."""
    axis, place = _axis([candidate.params[along] for candidate in candidates], 0.06)
    lows = [c.mean - (c.error if math.isfinite(c.error) else 0.0) for c in candidates]
    highs = [c.mean + (c.error if math.isfinite(c.error) else 0.0) for c in candidates]
    groups = _values([c.params[each] for c in candidates]) if each is not None else [None]
    right = 200.0 if each is not None else 40.0
    plot = Plot(
        left=70.0,
        top=26.0,
        width=_WIDE - 70.0 - right,
        height=270.0,
        x=axis,
        y=_heights(min(lows), max(highs), min(c.mean for c in candidates)),
    )
    parts = [plot.sides(along, "distance of hidden markers from where they are foretold / mm")]
    for number, value in enumerate(groups):
        colour = _COLOURS[number % len(_COLOURS)]
        own = [c for c in candidates if each is None or repr(c.params[each]) == repr(value)]
        own.sort(key=lambda c: place(c.params[along]))
        nudge = (number - (len(groups) - 1) / 2) * 3.0
        x = [plot.at_x(place(c.params[along])) + nudge for c in own]
        if not any(isinstance(c.params[along], str) for c in own):
            parts.append(line(np.array(x), plot.down(np.array([c.mean for c in own])), colour, 1.6))
        for at, candidate in zip(x, own, strict=True):
            parts.append(_point(candidate, at, plot, colour))
        if each is not None:
            top = plot.top + 26 + 18 * number
            parts.append(line(np.array([_WIDE - right + 16, _WIDE - right + 38]), np.array([top, top]), colour, 2))
            parts.append(text(_WIDE - right + 44, top + 4, value_of(value)))
    if each is not None:
        parts.append(text(_WIDE - right + 16, plot.top + 8, each, soft=True))
    parts.append(_legend(plot.left + 8, plot.top + plot.height + 52))
    return svg(parts, _WIDE, plot.top + plot.height + 66, f"score along {along}")


def heat_map(candidates: Sequence[Candidate], across: str, down: str) -> str:
    """Scores of all combinations of two options."""
    columns = _values([c.params[across] for c in candidates])
    rows = _values([c.params[down] for c in candidates])[::-1]
    wide, high, left, top = min(110.0, 760.0 / len(columns)), 38.0, 130.0, 12.0
    shade = _shade(candidates)
    parts = []
    for candidate in candidates:
        column = [repr(value) for value in columns].index(repr(candidate.params[across]))
        row = [repr(value) for value in rows].index(repr(candidate.params[down]))
        x, y, share = left + column * wide, top + row * high, shade(candidate)
        ink = "#111" if share < 0.5 else "#fff"
        box = (
            f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{wide - 2:.1f}" height="{high - 2:.1f}" '
            f'fill="{_colour(share)}"><title>{escape(candidate.title)}</title></rect>'
        )
        parts.append(_linked(candidate, box))
        number = (
            f'<text x="{x + wide / 2:.1f}" y="{y + high / 2 + 4:.1f}" text-anchor="middle" font-size="12" '
            f'fill="{ink}" pointer-events="none">{told(candidate.mean, 4)}</text>'
        )
        parts.append(number if wide >= 44 else "")
        parts.append(_mark(candidate, x + 16, y + high / 2, "#b3001b" if share < 0.5 else "#fff"))
    for column, value in enumerate(columns):
        parts.append(text(left + (column + 0.5) * wide, top + len(rows) * high + 16, value_of(value), "middle"))
    for row, value in enumerate(rows):
        parts.append(text(left - 8, top + (row + 0.5) * high + 4, value_of(value), "end"))
    bottom = top + len(rows) * high
    parts.append(text(left + len(columns) * wide / 2, bottom + 34, across, "middle", soft=True))
    middle = top + len(rows) * high / 2
    parts.append(
        f'<text transform="translate(20 {middle:.1f}) rotate(-90)" text-anchor="middle" font-size="11.5" '
        f'fill="currentColor" fill-opacity=".7">{escape(down)}</text>'
    )
    parts.append(_legend(left, bottom + 58))
    return svg(parts, _WIDE, bottom + 72, f"score by {across} and {down}")


def parallel(candidates: Sequence[Candidate]) -> str:
    """A line for each combination through all its options to its score; the best in front."""
    names = list(candidates[0].params)
    top, high, left, right = 44.0, 250.0, 80.0, 90.0
    gap = (_WIDE - left - right) / len(names)
    sides = [_axis([c.params[name] for c in candidates], 0.0) for name in names]
    means = [c.mean for c in candidates]
    score = axis_of(min(means), max(means))
    shade = _shade(candidates)
    shown = sorted(candidates, key=lambda c: -c.mean)[-_MOST_LINES:]
    parts = []
    for candidate in shown:
        given = [candidate.params[name] for name in names]
        places = [axis.share(np.array(place(value))) for value, (axis, place) in zip(given, sides, strict=True)]
        places.append(score.share(np.array(candidate.mean)))
        points = " ".join(
            f"{left + k * gap:.1f},{top + (1 - float(share)) * high:.1f}" for k, share in enumerate(places)
        )
        marked = candidate.best or candidate.chosen
        if marked:  # so that the brightest colour shows on any paper
            parts.append(f'<polyline fill="none" stroke="currentColor" stroke-width="5" points="{points}"/>')
        look = f'stroke="{_colour(shade(candidate))}" stroke-width="{3 if marked else 1.4}"'
        look += "" if marked else ' stroke-opacity=".75"'
        line_ = f'<polyline fill="none" {look} points="{points}"><title>{escape(candidate.title)}</title></polyline>'
        parts.append(_linked(candidate, line_))
        end = top + (1 - float(places[-1])) * high
        parts.append(_mark(candidate, left + len(names) * gap, end, "#d62728"))
    for number, (name, (axis, _)) in enumerate([*zip(names, sides, strict=True), ("score / mm", (score, None))]):
        x = left + number * gap
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:g}" y2="{top + high:g}" stroke="currentColor"/>')
        parts.append(text(x, top - 22 + 12 * (number % 2), name, "middle", bold=True))
        for at, label in axis.names:
            y = top + (1 - float(axis.share(np.array(at)))) * high
            # Lines run behind it.
            parts.append(text(x + 7, y + 4, label).replace("<text ", '<text paint-order="stroke" stroke="var(--paper, '
                         '#fff)" stroke-width="4" stroke-linejoin="round" ', 1))  # fmt: skip
    parts.append(_legend(left, top + high + 30))
    return svg(parts, _WIDE, top + high + 44, "options and scores")


def _axis(values: Sequence[Json], room: float) -> tuple[Axis, Callable[[Json], float]]:
    """An axis for values of an option, and the place of each: even steps where they are no numbers."""
    distinct = _values(values)
    numbers = [float(value) for value in distinct if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(distinct) and min(numbers) > 0 and max(numbers) / min(numbers) >= _SPAN:
        grow = (max(numbers) / min(numbers)) ** room
        axis = log_axis(min(numbers) / grow, max(numbers) * grow)
        few = tuple((value, value_of(value)) for value in numbers)
        if len(few) <= 12:
            axis = Axis(low=axis.low, high=axis.high, names=few, log=True)
        return axis, lambda value: float(str(value))
    if len(numbers) == len(distinct) and (min(numbers) > 0 or max(numbers) / _least(numbers) < _SPAN):
        span = (max(numbers) - min(numbers)) or 1.0
        return axis_of(min(numbers) - room * span, max(numbers) + room * span), lambda value: float(str(value))
    labels = [repr(value) for value in distinct]
    names = tuple((float(at), value_of(value)) for at, value in enumerate(distinct))
    reach = room * max(1, len(distinct) - 1) + (0.0 if len(distinct) > 1 else 0.5)
    return Axis(low=-reach, high=len(distinct) - 1 + reach, names=names), lambda value: float(labels.index(repr(value)))


def _heights(low: float, high: float, least: float) -> Axis:
    """For scores; logarithmic where the worst are so bad that the good ones would all look alike."""
    if high > _SPAN_OF_SCORES * least:
        return log_axis(max(low, 0.5 * least) / 1.05, high * 1.05)
    room = 0.08 * (high - low) or 0.1
    return axis_of(max(0.0, low - room), high + room)


def _least(numbers: Sequence[float]) -> float:
    """The least that is above zero."""
    return min((number for number in numbers if number > 0), default=math.inf)


def _values(values: Sequence[Json]) -> list[Json]:
    """Distinct ones: numbers in order, others as they come."""
    distinct = list({repr(value): value for value in values}.values())
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in distinct):
        return sorted(distinct, key=lambda value: float(str(value)))
    return distinct


def _shade(candidates: Sequence[Candidate]) -> Callable[[Candidate], float]:
    """From 0 for the best to 1 for the worst; small differences near the best show."""
    low, high = min(c.mean for c in candidates), max(c.mean for c in candidates)
    return lambda c: math.sqrt((c.mean - low) / (high - low)) if high > low else 0.0


def _colour(share: float) -> str:
    at = share * (len(_RAMP) - 1)
    low = min(len(_RAMP) - 2, int(at))
    mixed = (round(a + (b - a) * (at - low)) for a, b in zip(_RAMP[low], _RAMP[low + 1], strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _point(candidate: Candidate, x: float, plot: Plot, colour: str) -> str:
    y = plot.at_y(candidate.mean)
    parts = []
    if math.isfinite(candidate.error):
        low, high = plot.at_y(candidate.mean - candidate.error), plot.at_y(candidate.mean + candidate.error)
        parts.append(
            f'<path fill="none" stroke="{colour}" d="M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6'
            f'M{x - 3:.1f} {high:.1f}h6"/>'
        )
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{escape(candidate.title)}</title></circle>'
    parts.append(_linked(candidate, dot))
    parts.append(_mark(candidate, x, y, "currentColor"))
    return "".join(parts)


def _mark(candidate: Candidate, x: float, y: float, colour: str) -> str:
    """A ring around the least score, a diamond around the choice."""
    out = ""
    if candidate.best:
        out += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7.5" fill="none" stroke="{colour}" stroke-width="1.6"/>'
    if candidate.chosen:
        out += (
            f'<path fill="none" stroke="{colour}" stroke-width="1.8" d="M{x:.1f} {y - 11:.1f}l11 11l-11 11l-11 -11Z"/>'
        )
    return out


def _legend(x: float, y: float) -> str:
    ring = Candidate(params={}, mean=0.0, error=0.0, href="", jobs=0, best=True)
    diamond = Candidate(params={}, mean=0.0, error=0.0, href="", jobs=0, chosen=True)
    return (
        _mark(ring, x + 8, y - 4, "currentColor")
        + text(x + 22, y, "least score")
        + _mark(diamond, x + 124, y - 4, "currentColor")
        + text(x + 142, y, "chosen: the simplest that is no worse than one standard error")
    )


def _linked(candidate: Candidate, inner: str) -> str:
    return f'<a href="{escape(candidate.href)}">{inner}</a>' if candidate.href else inner
