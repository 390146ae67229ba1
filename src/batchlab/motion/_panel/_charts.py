"""What a page shows of one recording: residuals by marker, what was seen, the poses, and lengths of edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._panel._svg import (
    Axis,
    Plot,
    area,
    axis_of,
    bars,
    columns_of,
    line,
    svg,
    text,
    told,
)

if TYPE_CHECKING:
    from batchlab.motion._model import Fit, Float, Recording

__all__ = ["Link", "edge_chart", "pose_charts", "residual_chart", "visibility_chart"]

Link = Callable[[int, str | None], str | None]
"""Where a frame, and a marker in it, can be seen; None where nowhere."""

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "currentColor"
_WIDE, _LEFT, _RIGHT = 1120.0, 124.0, 62.0
_MOST_ROWS, _MOST_LINKS, _MOST_EDGES = 40, 480, 30
_MM = 1e3
_INLIER = 0.5
_ENOUGH_FRAMES = 2000


def residual_chart(fit: Fit, link: Link) -> str:
    """A row for each marker: how far it was from where the fit has it; grey where it was not seen."""
    lengths = _lengths(fit)
    rows = _worst_rows(lengths)
    high = 34.0 if len(rows) <= 12 else 22.0
    top_mm = _top(lengths)
    axis = _time_axis(fit)
    whole = Plot(left=_LEFT, top=22.0, width=_WIDE - _LEFT - _RIGHT, height=high * len(rows), x=axis, y=axis_of(0, 1))
    columns = columns_of(fit.times_s, whole)
    middle = columns.ends.mean(axis=1)
    parts = [text(_WIDE - _RIGHT + 6, 14, "rms / mm", soft=True)]
    for place, number in enumerate(rows):
        top = whole.top + place * high
        row = Plot(left=whole.left, top=top + 2, width=whole.width, height=high - 4, x=axis, y=axis_of(0.0, top_mm))
        own = lengths[:, number]
        seen = np.isfinite(own)
        low, most = columns.lowest(own), columns.highest(own)
        cut = most > top_mm
        parts.append(bars(columns.every(~seen), columns.ends, top + 2, high - 4, GREY, 0.16))
        parts.append(_spread(row, middle, np.minimum(low, top_mm), np.minimum(most, top_mm), BLUE))
        doubted = columns.some(seen & (fit.weights_used[:, number] < _INLIER))
        parts.append(bars(doubted, columns.ends, top + high - 5, 3, ORANGE))
        parts.append(bars(cut, columns.ends, top + 1, 3, RED))
        parts.append(
            f'<rect x="{row.left:g}" y="{row.top:g}" width="{row.width:g}" height="{row.height:g}" fill="none" '
            'stroke="currentColor" stroke-opacity=".22"/>'
        )
        parts.append(text(_LEFT - 8, top + high / 2 + 4, _short(fit.body.markers[number]), "end"))
        parts.append(text(_WIDE - _RIGHT + 8, top + high / 2 + 4, told(_rms(own))))
        parts += _links(fit, number, own, row, link, max(6, min(48, _MOST_LINKS // len(rows))))
    base = Plot(left=whole.left, top=whole.top, width=whole.width, height=whole.height, x=axis, y=_nameless())
    parts.append(base.sides("time / s"))
    parts.append(text(_LEFT, 14, f"each row from 0 to {told(top_mm)} mm", soft=True))
    return svg(parts, _WIDE, whole.top + whole.height + 38, "distance of each marker from the fit over time")


def visibility_chart(fit: Fit) -> str:
    """Frames by markers: seen, seen and doubted, not seen; below it what the poses rest on."""
    lengths = _lengths(fit)
    rows = list(range(lengths.shape[1]))
    high = max(5.0, min(16.0, 340.0 / len(rows)))
    axis = _time_axis(fit)
    plot = Plot(left=_LEFT, top=8.0, width=_WIDE - _LEFT - _RIGHT, height=high * len(rows), x=axis, y=_nameless())
    columns = columns_of(fit.times_s, plot)
    seen = np.isfinite(lengths)
    parts = [
        f'<rect x="{plot.left:g}" y="{plot.top:g}" width="{plot.width:g}" height="{plot.height + 14:g}" '
        f'fill="{BLUE}" fill-opacity=".3"/>'
    ]
    every = 1 if high >= 11 else int(np.ceil(11 / high))
    for number in rows:
        top = plot.top + number * high
        missing, none = columns.some(~seen[:, number]), columns.every(~seen[:, number])
        parts.append(bars(missing & ~none, columns.ends, top, high - 0.6, "#777777", 0.75))
        parts.append(bars(none, columns.ends, top, high - 0.6, "#3a3a3a"))
        doubted = seen[:, number] & (fit.weights_used[:, number] < _INLIER)
        parts.append(bars(columns.some(doubted), columns.ends, top, high - 0.6, ORANGE))
        if number % every == 0:
            parts.append(text(_LEFT - 8, top + high / 2 + 4, _short(fit.body.markers[number]), "end"))
        share = 100.0 * float(seen[:, number].mean())
        if number % every == 0:
            parts.append(text(_WIDE - _RIGHT + 8, top + high / 2 + 4, f"{told(share)} %"))
    under = plot.top + plot.height + 3
    parts.append(bars(columns.some(fit.covered == 1), columns.ends, under, 8, ORANGE, 0.7))
    parts.append(bars(columns.some(fit.covered == 2), columns.ends, under, 8, RED))
    parts.append(text(_LEFT - 8, under + 9, "pose", "end", soft=True))
    base = Plot(left=plot.left, top=plot.top, width=plot.width, height=plot.height + 14, x=axis, y=_nameless())
    parts.append(base.sides("time / s"))
    return svg(parts, _WIDE, plot.top + plot.height + 52, "which marker was seen in which frame")


def pose_charts(fit: Fit) -> list[tuple[str, str]]:
    """Names and drawings: places and turns with two standard errors, and speeds."""
    angles, angle_sd = _angles(fit)
    place_sd = None if fit.pose_sd is None else fit.pose_sd[:, 3:]
    out = []
    for axis, name in enumerate("xyz"):
        sd = None if place_sd is None else 2 * _MM * place_sd[:, axis]
        out.append((f"place {name} / mm", _pose(fit, _MM * fit.translations_m[:, axis], sd, f"place along {name}")))
        sd = None if angle_sd is None else 2 * angle_sd[:, axis]
        out.append((f"turn about {name} / °", _pose(fit, angles[:, axis], sd, f"turn about {name}")))
    if len(fit.times_s) > 2:
        speed, turning = _speeds(fit)
        out.append(("speed / mm/s", _pose(fit, speed, None, "speed")))
        out.append(("angular speed / °/s", _pose(fit, turning, None, "angular speed")))
    return out


def edge_chart(recordings: Sequence[Recording], fits: Sequence[Fit]) -> str:
    """Each edge a row: how far its measured lengths are from the fitted one; empty where there is no edge."""
    rows = _edge_rows(recordings, fits)
    if not rows:
        return ""
    reach = max(max(abs(numbers[0]), abs(numbers[4])) for _, _, numbers in rows)
    high = 17.0
    left = 210.0
    plot = Plot(
        left=left,
        top=20.0,
        width=_WIDE - left - 110.0,
        height=high * len(rows),
        x=axis_of(-reach, reach, 8),
        y=_nameless(),
    )
    parts = [plot.sides("measured minus fitted length / mm")]
    zero = plot.at_x(0.0)
    parts.append(
        f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="{plot.top:g}" y2="{plot.top + plot.height:g}" '
        'stroke="currentColor" stroke-dasharray="3 3" stroke-opacity=".6"/>'
    )
    parts.append(text(_WIDE - 104, 13, "fitted / mm", soft=True))
    for place, (name, fitted, numbers) in enumerate(rows):
        centre = plot.top + (place + 0.5) * high
        at = plot.across(np.array(numbers)).tolist()
        parts.append(
            f'<line x1="{at[0]:.1f}" x2="{at[4]:.1f}" y1="{centre:.1f}" y2="{centre:.1f}" stroke="{BLUE}"/>'
            f'<rect x="{at[1]:.1f}" y="{centre - 4:.1f}" width="{max(at[3] - at[1], 0.8):.1f}" height="8" '
            f'fill="{BLUE}" fill-opacity=".55"/>'
            f'<line x1="{at[2]:.1f}" x2="{at[2]:.1f}" y1="{centre - 6:.1f}" y2="{centre + 6:.1f}" stroke="{RED}" '
            'stroke-width="2"/>'
        )
        parts.append(text(left - 8, centre + 4, _short(name, 30), "end"))
        parts.append(text(_WIDE - 100, centre + 4, told(fitted, 5)))
    return svg(parts, _WIDE, plot.top + plot.height + 38, "lengths of edges, measured minus fitted")


def _edge_rows(
    recordings: Sequence[Recording], fits: Sequence[Fit]
) -> list[tuple[str, float, tuple[float, float, float, float, float]]]:
    """Name, fitted length in mm, and percentiles 5, 25, 50, 75 and 95 of the differences; the widest first."""
    from batchlab.motion._quality import edge_lengths

    # Percentiles of some thousand frames are as good as those of all.
    recordings = [
        replace(each, positions=each.positions[:: max(1, len(each.positions) // _ENOUGH_FRAMES)]) for each in recordings
    ]
    body, geometry = fits[0].body, fits[0].geometry_m
    found = [each for each in edge_lengths(recordings, body, geometry) if np.isfinite(each.sd_m + each.fitted_m)]
    kept = sorted(found, key=lambda each: -each.sd_m)[:_MOST_EDGES]
    rows = []
    for each in kept:
        lengths = []
        for recording in recordings:
            if {each.first, each.second} <= set(recording.markers):
                one, other = (recording.markers.index(name) for name in (each.first, each.second))
                lengths.append(np.linalg.norm(recording.positions[:, one] - recording.positions[:, other], axis=1))
        apart = (np.concatenate(lengths) - each.fitted_m) * _MM
        p5, p25, p50, p75, p95 = np.nanpercentile(apart, (5, 25, 50, 75, 95)).tolist()
        rows.append((f"{each.first} – {each.second}", each.fitted_m * _MM, (p5, p25, p50, p75, p95)))
    return rows


def _pose(fit: Fit, values: Float, two_sd: Float | None, what: str) -> str:
    """A line over time; with errors a band, and below it how wide that is, which the band is often too thin to show."""
    width, left = 552.0, 62.0
    axis = _time_axis(fit, 6)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.05 * (high - low)
    plot = Plot(
        left=left, top=8.0, width=width - left - 12, height=104.0, x=axis, y=axis_of(low - room, high + room, 4)
    )
    columns = columns_of(fit.times_s, plot)
    middle = columns.ends.mean(axis=1)
    parts = []
    if two_sd is not None:
        lower, upper = columns.lowest(values - two_sd), columns.highest(values + two_sd)
        ends = plot.y.low, plot.y.high
        parts.append(area(middle, plot.down(np.clip(lower, *ends)), plot.down(np.clip(upper, *ends)), BLUE, 0.3))
    parts.append(_spread(plot, middle, columns.lowest(values), columns.highest(values), BLUE))
    parts.append(bars(columns.some(fit.covered == 2), columns.ends, plot.top, plot.height, RED, 0.18))
    parts.append(plot.sides(x_names=two_sd is None))
    if two_sd is None:
        return svg(parts, width, 134, what)
    finite = two_sd[np.isfinite(two_sd)]
    top = float(np.quantile(finite, 0.995)) * 1.15 if finite.size else 1.0
    strip = Plot(left=left, top=131.0, width=plot.width, height=28.0, x=axis, y=_ends(0.0, top or 1.0))
    error = np.minimum(columns.highest(two_sd), top)
    parts.append(area(middle, strip.down(np.zeros_like(error)), strip.down(error), GREEN, 0.5))
    parts.append(strip.sides(grid=False))
    parts.append(text(left, 126, "± 2 standard errors", soft=True, size=10))
    return svg(parts, width, 180, what)


def _spread(plot: Plot, middle: Float, low: Float, high: Float, colour: str) -> str:
    """A line where columns hold one frame each, and the whole of what they hold where they hold many."""
    if np.array_equal(low, high, equal_nan=True):
        return line(middle, plot.down(high), colour)
    up_down = np.column_stack([low, high])
    up_down[1::2] = up_down[1::2, ::-1]
    return line(np.repeat(middle, 2), plot.down(up_down.ravel()), colour, 1.0)


def _links(fit: Fit, number: int, lengths: Float, row: Plot, link: Link, slots: int) -> list[str]:
    """Boxes to point at and to follow: each tells of the worst frame under it."""
    marker = fit.body.markers[number]
    out = []
    edges = np.linspace(0, len(lengths), min(slots, len(lengths)) + 1).astype(int)
    across = row.across(fit.times_s)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = lengths[start:stop]
        if not np.isfinite(part).any():
            continue
        frame = start + int(np.nanargmax(part))
        begin, end = float(across[start]), float(across[min(stop, len(across) - 1)])
        title = f"{marker}, frame {frame} ({fit.times_s[frame]:.3f} s): {told(float(lengths[frame]))} mm"
        box = (
            f'<rect x="{begin:.1f}" y="{row.top:g}" width="{max(end - begin, 1.0):.1f}" height="{row.height:g}" '
            f'fill="transparent"><title>{escape(title)}</title></rect>'
        )
        href = link(frame, marker)
        out.append(box if href is None else f'<a href="{escape(href)}">{box}</a>')
    return out


def _angles(fit: Fit) -> tuple[Float, Float | None]:
    """Turns about x, then y, then z of the laboratory in degrees (F, 3), continuous; and their standard errors."""
    r = fit.rotations
    x = np.arctan2(r[:, 2, 1], r[:, 2, 2])
    y = np.arcsin(np.clip(-r[:, 2, 0], -1.0, 1.0))
    z = np.arctan2(r[:, 1, 0], r[:, 0, 0])
    angles = np.column_stack([x, y, z])
    known = np.flatnonzero(np.isfinite(x))
    for axis in (0, 2):
        angles[known, axis] = np.unwrap(angles[known, axis])
    if fit.pose_sd is None:
        return np.degrees(angles), None
    variance = fit.pose_sd[:, :3] ** 2
    c2, s2 = np.cos(z) ** 2, np.sin(z) ** 2
    forward = c2 * variance[:, 0] + s2 * variance[:, 1]
    level = np.maximum(np.cos(y) ** 2, 1e-6)
    sd = np.sqrt(
        np.column_stack(
            [
                forward / level,
                s2 * variance[:, 0] + c2 * variance[:, 1],
                variance[:, 2] + forward * (1.0 - level) / level,
            ]
        )
    )
    return np.degrees(angles), np.degrees(sd)


def _speeds(fit: Fit) -> tuple[Float, Float]:
    """Of the origin in mm/s and of turning in degrees/s, (F,) each; the first frame is as the second."""
    from batchlab.motion._solve import logarithms

    steps = np.diff(fit.times_s)
    with np.errstate(invalid="ignore"):
        moved = np.linalg.norm(np.diff(fit.translations_m, axis=0), axis=1) / steps
        known = np.isfinite(fit.rotations[:, 0, 0])
        turned = np.full(len(steps), np.nan)
        pairs = known[1:] & known[:-1]
        between = np.einsum("fij,fkj->fik", fit.rotations[1:][pairs], fit.rotations[:-1][pairs])
        turned[pairs] = np.degrees(np.linalg.norm(logarithms(between), axis=1)) / steps[pairs]
    return np.append(moved[:1], moved) * _MM, np.append(turned[:1], turned)


def _lengths(fit: Fit) -> Float:
    """(F, M) distances of measured from fitted in mm."""
    out: Float = np.sqrt(np.einsum("fmi,fmi->fm", fit.residuals_m, fit.residuals_m)) * _MM
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


def _time_axis(fit: Fit, number: int = 10) -> Axis:
    return axis_of(float(fit.times_s[0]), float(fit.times_s[-1]), number)


def _nameless() -> Axis:
    return Axis(low=0.0, high=1.0, names=())


def _ends(low: float, high: float) -> Axis:
    return Axis(low=low, high=high, names=((low, "0"), (high, told(high, 2))))


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else f"…{name[-most + 1 :]}"
