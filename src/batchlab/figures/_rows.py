"""The rows of pixels that a picture's own ink reaches: all others are as on the picture before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._decimate import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_AROUND_PX = 2.0  # rounded to pixels, and smoothed at its edges, a line covers somewhat more than its width


def is_within(axes: Axes, y: Floats) -> bool:
    """Whether a curve leaves its axes neither at the top nor at the bottom."""
    low, high = sorted(axes.get_ylim())
    return bool(low <= np.fmin.reduce(y) and np.fmax.reduce(y) <= high)


def rows_of_curve(axes: Axes, artist: Line2D, y: Floats, height: int) -> slice:
    """The rows that a curve reaches at most, counted from the top of a picture so many pixels high."""
    ends = axes.transData.transform([(0.0, np.fmin.reduce(y)), (0.0, np.fmax.reduce(y))])[:, 1]
    around = artist.get_linewidth() / 72 * axes.figure.dpi + _AROUND_PX
    first, end = math.floor(height - ends.max() - around), math.ceil(height - ends.min() + around)
    return slice(max(0, first), min(end, height))


def runs_of(rows: NDArray[np.bool_]) -> list[slice]:
    """The marked rows, as stretches without a gap."""
    edges = np.flatnonzero(np.diff(rows, prepend=False, append=False)).tolist()
    return [slice(first, end) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def runs_beside(axes: Axes, rows: Sequence[slice], height: int) -> list[slice]:
    """Those stretches that meet axes, or the outer half of their spines."""
    around = max(spine.get_linewidth() for spine in axes.spines.values()) / 72 * axes.figure.dpi + _AROUND_PX
    first, end = height - axes.bbox.y1 - around, height - axes.bbox.y0 + around
    return [run for run in rows if run.start < end and run.stop > first]


def draw_within(artist: Any, rows: Sequence[slice], renderer: Any) -> None:
    """Draw what has no other limits in some rows alone."""
    from matplotlib.transforms import Bbox

    for run in rows:
        artist.set_clip_box(
            Bbox.from_extents(0, renderer.height - run.stop, renderer.width, renderer.height - run.start)
        )
        artist.draw(renderer)
    artist.set_clip_box(None)
