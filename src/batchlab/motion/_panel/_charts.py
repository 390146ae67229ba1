"""What a page shows of points over time, a row each: how far they were from the fit, and when they were seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._panel._courses import BLUE, ORANGE, RED, nameless, short, spread, time_axis
from batchlab.motion._panel._svg import Plot, axis_of, bars, columns_of, svg, text, told

if TYPE_CHECKING:
    from batchlab.motion._eye import EyeFit
    from batchlab.motion._model import Code, Fit, Float

__all__ = ["Link", "Seen", "residual_chart", "seen_of_eye", "seen_of_fit", "visibility_chart"]

Link = Callable[[int, str | None], str | None]
"""Where a frame, and a marker in it, can be seen; None where nowhere."""

_GREY = "currentColor"
_WIDE, _LEFT, _RIGHT = 1120.0, 124.0, 62.0
_MOST_ROWS, _MOST_LINKS = 40, 480
_INLIER = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Markers of a body, or points of a pupil's edge, as they were seen and fitted.

    Attributes
    ----------
    times_s
        (F,).
    names
        (M,).
    lengths
        (F, M) distances of measured from fitted places, in `unit`; NaN where nothing was measured.
    weights
        (F, M) robust weights.
    covered
        (F,) codes of what the frame rests on.
    unit
        Of `lengths`.
    what
        The frame's: a pose, a gaze.
    """

    times_s: Float
    names: tuple[str, ...]
    lengths: Float
    weights: Float
    covered: Code
    unit: str
    what: str


def seen_of_fit(fit: Fit) -> Seen:
    """Markers of a body."""
    return Seen(
        times_s=fit.times_s,
        names=fit.body.markers,
        lengths=np.sqrt(np.einsum("fmi,fmi->fm", fit.residuals_m, fit.residuals_m)) * 1e3,
        weights=fit.weights_used,
        covered=fit.covered,
        unit="mm",
        what="pose",
    )


def seen_of_eye(fit: EyeFit) -> Seen:
    """Points of a pupil's edge."""
    return Seen(
        times_s=fit.times_s,
        names=fit.points,
        lengths=np.linalg.norm(fit.residuals_px, axis=2),
        weights=fit.weights_used,
        covered=fit.covered,
        unit="px",
        what="gaze",
    )


def residual_chart(seen: Seen, link: Link) -> str:
    """A row for each marker or point: how far it was from where the fit has it; grey where it was not seen."""
    lengths = seen.lengths
    rows = _worst_rows(lengths)
    high = 34.0 if len(rows) <= 12 else 22.0
    top_value = _top(lengths)
    axis = time_axis(seen.times_s)
    whole = Plot(left=_LEFT, top=22.0, width=_WIDE - _LEFT - _RIGHT, height=high * len(rows), x=axis, y=axis_of(0, 1))
    columns = columns_of(seen.times_s, whole)
    middle = columns.ends.mean(axis=1)
    parts = [text(_WIDE - _RIGHT + 6, 14, f"rms / {seen.unit}", soft=True)]
    for place, number in enumerate(rows):
        top = whole.top + place * high
        row = Plot(left=whole.left, top=top + 2, width=whole.width, height=high - 4, x=axis, y=axis_of(0.0, top_value))
        own = lengths[:, number]
        known = np.isfinite(own)
        low, most = columns.lowest(own), columns.highest(own)
        cut = most > top_value
        parts.append(bars(columns.every(~known), columns.ends, top + 2, high - 4, _GREY, 0.16))
        parts.append(spread(row, middle, np.minimum(low, top_value), np.minimum(most, top_value), BLUE))
        doubted = columns.some(known & (seen.weights[:, number] < _INLIER))
        parts.append(bars(doubted, columns.ends, top + high - 5, 3, ORANGE))
        parts.append(bars(cut, columns.ends, top + 1, 3, RED))
        parts.append(
            f'<rect x="{row.left:g}" y="{row.top:g}" width="{row.width:g}" height="{row.height:g}" fill="none" '
            'stroke="currentColor" stroke-opacity=".22"/>'
        )
        parts.append(text(_LEFT - 8, top + high / 2 + 4, short(seen.names[number]), "end"))
        parts.append(text(_WIDE - _RIGHT + 8, top + high / 2 + 4, told(_rms(own))))
        parts += _links(seen, number, row, link, max(6, min(48, _MOST_LINKS // len(rows))))
    base = Plot(left=whole.left, top=whole.top, width=whole.width, height=whole.height, x=axis, y=nameless())
    parts.append(base.sides("time / s"))
    parts.append(text(_LEFT, 14, f"each row from 0 to {told(top_value)} {seen.unit}", soft=True))
    return svg(parts, _WIDE, whole.top + whole.height + 38, "distance of each point from the fit over time")


def visibility_chart(seen: Seen) -> str:
    """Frames by markers: seen, seen and doubted, not seen; below it what frames rest on."""
    lengths = seen.lengths
    rows = list(range(lengths.shape[1]))
    high = max(5.0, min(16.0, 340.0 / len(rows)))
    axis = time_axis(seen.times_s)
    plot = Plot(left=_LEFT, top=8.0, width=_WIDE - _LEFT - _RIGHT, height=high * len(rows), x=axis, y=nameless())
    columns = columns_of(seen.times_s, plot)
    known = np.isfinite(lengths)
    parts = [
        f'<rect x="{plot.left:g}" y="{plot.top:g}" width="{plot.width:g}" height="{plot.height + 14:g}" '
        f'fill="{BLUE}" fill-opacity=".3"/>'
    ]
    every = 1 if high >= 11 else int(np.ceil(11 / high))
    for number in rows:
        top = plot.top + number * high
        missing, none = columns.some(~known[:, number]), columns.every(~known[:, number])
        parts.append(bars(missing & ~none, columns.ends, top, high - 0.6, "#777777", 0.75))
        parts.append(bars(none, columns.ends, top, high - 0.6, "#3a3a3a"))
        doubted = known[:, number] & (seen.weights[:, number] < _INLIER)
        parts.append(bars(columns.some(doubted), columns.ends, top, high - 0.6, ORANGE))
        if number % every == 0:
            parts.append(text(_LEFT - 8, top + high / 2 + 4, short(seen.names[number]), "end"))
        share = 100.0 * float(known[:, number].mean())
        if number % every == 0:
            parts.append(text(_WIDE - _RIGHT + 8, top + high / 2 + 4, f"{told(share)} %"))
    under = plot.top + plot.height + 3
    parts.append(bars(columns.some(seen.covered == 1), columns.ends, under, 8, ORANGE, 0.7))
    parts.append(bars(columns.some(seen.covered == 2), columns.ends, under, 8, RED))
    parts.append(text(_LEFT - 8, under + 9, seen.what, "end", soft=True))
    base = Plot(left=plot.left, top=plot.top, width=plot.width, height=plot.height + 14, x=axis, y=nameless())
    parts.append(base.sides("time / s"))
    return svg(parts, _WIDE, plot.top + plot.height + 52, "which point was seen in which frame")


def _links(seen: Seen, number: int, row: Plot, link: Link, slots: int) -> list[str]:
    """Boxes to point at and to follow: each tells of the worst frame under it."""
    marker, lengths = seen.names[number], seen.lengths[:, number]
    out = []
    edges = np.linspace(0, len(lengths), min(slots, len(lengths)) + 1).astype(int)
    across = row.across(seen.times_s)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = lengths[start:stop]
        if not np.isfinite(part).any():
            continue
        frame = start + int(np.nanargmax(part))
        begin, end = float(across[start]), float(across[min(stop, len(across) - 1)])
        title = f"{marker}, frame {frame} ({seen.times_s[frame]:.3f} s): {told(float(lengths[frame]))} {seen.unit}"
        box = (
            f'<rect x="{begin:.1f}" y="{row.top:g}" width="{max(end - begin, 1.0):.1f}" height="{row.height:g}" '
            f'fill="transparent"><title>{escape(title)}</title></rect>'
        )
        href = link(frame, marker)
        out.append(box if href is None else f'<a href="{escape(href)}">{box}</a>')
    return out


def _top(lengths: Float) -> float:
    """A height that usual distances keep below: one marker that is far off leaves room for the others."""
    tops = [np.quantile(own[np.isfinite(own)], 0.97) for own in lengths.T if np.isfinite(own).any()]
    return min(1.5 * float(max(tops)), 4.0 * float(np.median(tops))) or 1.0 if tops else 1.0


def _worst_rows(lengths: Float) -> list[int]:
    """Markers in their order; of very many the worst."""
    count = lengths.shape[1]
    if count <= _MOST_ROWS:
        return list(range(count))
    worst = np.argsort([-_rms(lengths[:, number]) for number in range(count)])[:_MOST_ROWS]
    return sorted(worst.tolist())


def _rms(lengths: Float) -> float:
    known = lengths[np.isfinite(lengths)]
    return float(np.sqrt(np.mean(known**2))) if known.size else float("nan")
