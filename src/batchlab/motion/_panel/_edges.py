"""What a page shows of a body's edges: how far their measured lengths are from the fitted ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._panel._courses import BLUE, RED, nameless, short
from batchlab.motion._panel._svg import Plot, axis_of, svg, text, told

if TYPE_CHECKING:
    from batchlab.motion._model import Fit, Recording

__all__ = ["edge_chart"]

_WIDE = 1120.0
_MOST_EDGES, _ENOUGH_FRAMES = 30, 2000
_MM = 1e3


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
        y=nameless(),
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
        parts.append(text(left - 8, centre + 4, short(name, 30), "end"))
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
        p5, p25, p50, p75, p95 = ((length - each.fitted_m) * _MM for length in each.percentiles_m)
        rows.append((f"{each.first} – {each.second}", each.fitted_m * _MM, (p5, p25, p50, p75, p95)))
    return rows
