"""What leaves its panel is told inside it: in a sentence, and by an arrow where a curve goes out of sight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from batchlab.figures._decimate import Floats
from batchlab.figures._text import plain_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SENTENCE_PT = 8.5
_ARROW_PT = 6.5
_COLOUR = "#8C2D04"
_UNSEEN = 1e-3  # of the panel's height: less is no more than the width of a line
_MOST_ARROWS = 8  # of a curve, at either edge
_APART = 0.03  # of the panel's width, from one arrow to the next
_FROM_SIDE = 0.01
_MOST_NAMED = 2
_DUST = 1e-6  # of the panel's height
_LONGEST_NAME = 28


class Drawn(NamedTuple):
    """A curve on axes, as far as it matters here."""

    label: str
    colour: str
    x: Floats
    y: Floats


class _Cut(NamedTuple):
    label: str
    low: float
    high: float
    below: bool
    above: bool
    wholly: bool
    many: bool = False


def tell_cut(axes: Axes, curves: Sequence[Drawn], size_pt: float = SENTENCE_PT) -> list[Any]:
    """Tell of curves that leave linear axes at the top or the bottom; nothing where all is in sight.

    Parameters
    ----------
    axes
        With their limits settled.
    curves
        What is on them. A NaN or an infinity is a gap; what lies beyond the ends of x is not looked at.
    size_pt
        Of the letters.

    Returns
    -------
    list of artists
        Put onto the axes, over all else: arrows, then the sentence.
    """
    bottom, top = axes.get_ylim()
    low, high = min(bottom, top), max(bottom, top)
    slack = _UNSEEN * (high - low)
    found, made = [], []
    for curve in curves:
        if not curve.y.size or (np.fmin.reduce(curve.y) >= low - slack and np.fmax.reduce(curve.y) <= high + slack):
            continue
        left, right = sorted(axes.get_xlim())
        seen = np.isfinite(curve.y) & (curve.x >= left) & (curve.x <= right)
        below, above = seen & (curve.y < low - slack), seen & (curve.y > high + slack)
        if not (below.any() or above.any()):
            continue
        ends = float(curve.y[seen].min()), float(curve.y[seen].max())
        wholly = not (seen & ~below & ~above).any()
        found.append(_Cut(curve.label, *ends, bool(below.any()), bool(above.any()), wholly))
        for out, at_top in ((below, top < bottom), (above, bottom < top)):
            made += _arrows(axes, curve, out, at_top)
    if found:
        made += _sentence(axes, found, curves, size_pt)
    return made


def _arrows(axes: Axes, curve: Drawn, out: Any, at_top: bool) -> list[Any]:
    """One where each stretch is farthest out, those farthest of all first, as far as there is room."""
    at = np.flatnonzero(out)
    if not at.size:
        return []
    from matplotlib.lines import Line2D

    bottom, top = axes.get_ylim()
    with np.errstate(over="ignore"):
        excess = np.abs(curve.y[at] - (bottom + top) / 2)
    starts = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    stops = np.append(starts[1:], at.size)
    left, right = axes.get_xlim()
    places: list[float] = []
    for run in np.argsort(-np.maximum.reduceat(excess, starts), kind="stable")[: 8 * _MOST_ARROWS].tolist():
        farthest = at[starts[run] + int(np.argmax(excess[starts[run] : stops[run]]))]
        place = min(max((float(curve.x[farthest]) - left) / (right - left), _FROM_SIDE), 1 - _FROM_SIDE)
        if all(abs(place - other) >= _APART for other in places):
            places.append(place)
        if len(places) == _MOST_ARROWS:
            break
    inward = 0.7 * _up(axes, _ARROW_PT)
    arrows = Line2D(
        places,
        [1 - inward if at_top else inward] * len(places),
        transform=axes.transAxes,
        linestyle="none",
        marker="^" if at_top else "v",
        markersize=_ARROW_PT,
        markerfacecolor=curve.colour,
        markeredgewidth=0.0,
        zorder=5.0,
    )
    return [axes.add_artist(arrows)]


def _sentence(axes: Axes, found: list[_Cut], curves: Sequence[Drawn], size_pt: float) -> list[Any]:
    """The longest form that fits the width of the axes, in the corner where it hides least."""
    text = axes.text(
        0.0,
        0.0,
        "",
        transform=axes.transAxes,
        ha="left",
        va="bottom",
        fontsize=size_pt,
        color=_COLOUR,
        zorder=5.0,
        bbox={"facecolor": "#ffffff", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    low, high = sorted(axes.get_ylim())
    for form in _forms(found, (low, high)):
        text.set_text(form)
        box = text.get_window_extent(renderer)
        if box.width <= 0.9 * axes.bbox.width:
            break
    text.set_position(_corner(axes, curves, box.width / axes.bbox.width, box.height / axes.bbox.height))
    return [text]


def _corner(axes: Axes, curves: Sequence[Drawn], width: float, height: float) -> tuple[float, float]:
    """Where the lower left end of a text goes, all in shares of the axes."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    aside, away = 5 / 72 * float(axes.figure.dpi) / float(axes.bbox.width), _up(axes, 1.5 * _ARROW_PT)
    places = [(across, up) for up in (1 - away - height, away) for across in (aside, 1 - aside - width)]
    hidden = [0] * len(places)
    for curve in curves:
        with np.errstate(over="ignore", invalid="ignore"):
            x, y = (curve.x - left) / (right - left), (curve.y - bottom) / (top - bottom)
        lowest, highest = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
        for at, (across, up) in enumerate(places):
            crossed = (x[1:] > across) & (x[:-1] < across + width) & (lowest < up + height) & (highest > up)
            hidden[at] += int(np.count_nonzero(crossed))
    return places[hidden.index(min(hidden))]


def _forms(found: list[_Cut], limits: tuple[float, float]) -> Iterator[str]:
    if len(found) <= _MOST_NAMED:
        yield "\n".join(_words(each, limits) for each in found)
    together = _Cut(
        f"{len(found)} curves" if len(found) > 1 else "",
        min(each.low for each in found),
        max(each.high for each in found),
        any(each.below for each in found),
        any(each.above for each in found),
        all(each.wholly for each in found),
        len(found) > 1,
    )
    yield _words(together, limits)
    yield f"to {' and '.join(_number(end) for end in _far_ends(together))}: cut"
    yield "cut"


def _far_ends(each: _Cut) -> list[float]:
    return [end for end, out in ((each.low, each.below), (each.high, each.above)) if out]


def _words(each: _Cut, limits: tuple[float, float]) -> str:
    name = shortened(plain_text(each.label), _LONGEST_NAME)
    low, high = (_number(end) for end in limits)
    where = f"{low} and {high}" if each.below and each.above else low if each.below else high
    one, many = ("lies out of sight, from", "lie out of sight, from") if each.wholly else ("reaches from", "reach from")
    far = many if each.many else one
    dust = _DUST * (limits[1] - limits[0])
    ends = (_number(0.0 if abs(end) < dust else end) for end in (each.low, each.high))
    return f"{name} {far} {' to '.join(ends)}; cut at {where}".strip()


def _number(value: float) -> str:
    text = f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _up(axes: Axes, points: float) -> float:
    """Points as a share of the axes' height."""
    return points / 72 * float(axes.figure.dpi) / float(axes.bbox.height)
