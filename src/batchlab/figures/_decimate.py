"""Long lines, thinned to what a pixel can show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POINTS_PER_BIN = 8  # at most: first, last, and lowest and highest with a neighbour on each side


def decimate(x: Floats, y: Floats, *, limits: tuple[float, float], bins: int) -> tuple[Floats, Floats]:
    """Keep of each bin of x the first and last point, and the lowest and highest with their neighbours.

    The points between are covered by the stroke from the lowest to the highest, so the picture is the same up
    to where in its bin the second highest peak lies [1]_; the neighbours keep a single spike upright. Gaps stay
    gaps, and of what lies beyond the limits enough stays for the line to leave the axes at the right place.
    x need not be sorted: a line that comes back to a bin passes through it again.

    Parameters
    ----------
    x, y
        (n,) arrays. A point with a NaN or an infinity is a gap.
    limits
        Left and right end of the x axis.
    bins
        How many bins lie between them, one per pixel or more.

    Returns
    -------
    x, y
        (m,) arrays; the arguments themselves if thinning would gain little.

    References
    ----------
    .. [1] U. Jugel et al., *M4: a visualization-oriented time series data aggregation*, PVLDB 7 (2014) 797.
    """
    if x.size <= _POINTS_PER_BIN * bins:
        return x, y
    finite = np.isfinite(x) & np.isfinite(y)
    left, right = limits
    with np.errstate(over="ignore", invalid="ignore"):
        place = np.clip(np.floor((x - left) * (bins / (right - left))), -1, bins)
    place[~finite] = -2
    starts = np.flatnonzero(np.diff(place, prepend=-3))
    ends = np.append(starts[1:], x.size) - 1
    values = np.where(finite, y, 0.0)
    run = np.repeat(np.arange(starts.size), ends - starts + 1)
    lowest = _first_of_each(values == np.minimum.reduceat(values, starts)[run], run)
    highest = _first_of_each(values == np.maximum.reduceat(values, starts)[run], run)
    keep = np.zeros(x.size, dtype=bool)
    keep[starts] = keep[ends] = True
    for extremes in (lowest[finite[lowest]], highest[finite[highest]]):
        for step in (-1, 0, 1):
            keep[np.clip(extremes + step, 0, x.size - 1)] = True
    thin_y = y[keep]
    thin_y[~finite[keep]] = np.nan
    return x[keep], thin_y


def _first_of_each(chosen: NDArray[np.bool_], run: NDArray[np.intp]) -> NDArray[np.intp]:
    """Index of the first chosen point of each run; each run has one."""
    at = np.flatnonzero(chosen)
    return at[np.flatnonzero(np.diff(run[at], prepend=-1))]
