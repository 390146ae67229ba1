"""Values of a signal between its points: never outside its range, never across a gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._kinds import Interpolation
from batchlab.spectra._model import Array
from batchlab.spectra._signal import Signal

__all__ = ["inside", "values_at"]

Mask = NDArray[np.bool_]


def inside(points: Array, signal: Signal) -> Mask:
    """Which points lie within a piece of the signal.

    Parameters
    ----------
    points : (m,) array
        Strictly ascending.
    signal
        What was measured.

    Returns
    -------
    (m,) array of bool
    """
    within = np.zeros(points.size, dtype=bool)
    for piece in signal.pieces:
        low, high = signal.axis[piece.start], signal.axis[piece.stop - 1]
        first, after = np.searchsorted(points, low, side="left"), np.searchsorted(points, high, side="right")
        within[first:after] = True
    return within


def values_at(points: Array, signal: Signal, how: Interpolation) -> Array:
    """Interpolate a signal.

    Parameters
    ----------
    points : (m,) array
        Strictly ascending, each within a piece of the signal (`inside`).
    signal
        What was measured.
    how
        LINEAR joins points by lines. CUBIC is the twice differentiable spline [1]_, which may overshoot beside a
        steep band; PCHIP the monotone one [2]_, which never does. BIN takes the mean of what was measured within
        half a step either side of a point: for a signal with more points than are wanted, whose noise it averages;
        where fewer than two points lie there, or the bin leaves the piece, it is linear.

    Returns
    -------
    (m,) array

    References
    ----------
    .. [1] de Boor, *A Practical Guide to Splines*, 1978, ch. IV (not-a-knot ends).
    .. [2] Fritsch and Butland, *SIAM J. Sci. Stat. Comput.* 5 (1984) 300-304.
    """
    if not signal.gaps:
        return _within(points, signal.axis, signal.intensity, how)
    values = np.empty(points.size)
    for piece in signal.pieces:
        x, y = signal.axis[piece], signal.intensity[piece]
        run = slice(np.searchsorted(points, x[0], side="left"), np.searchsorted(points, x[-1], side="right"))
        values[run] = _within(points[run], x, y, how)
    return values


def _within(points: Array, x: Array, y: Array, how: Interpolation) -> Array:
    """Interpolate in one piece; a spline through too few points for one is a line."""
    if how is Interpolation.BIN and points.size > 1:
        return _bin_means(points, x, y)
    if how is Interpolation.CUBIC and x.size > 3:
        from scipy.interpolate import CubicSpline

        return np.asarray(CubicSpline(x, y)(points))
    if how is Interpolation.PCHIP and x.size > 2:
        from scipy.interpolate import PchipInterpolator

        return np.asarray(PchipInterpolator(x, y)(points))
    return np.interp(points, x, y)


def _bin_means(points: Array, x: Array, y: Array) -> Array:
    """Means within half a step of each point; a measured point on the edge of two bins counts half in each."""
    steps = np.diff(points)
    half = np.minimum(np.r_[steps[0], steps], np.r_[steps, steps[-1]]) / 2
    low, high = points - half, points + half
    totals = np.r_[0.0, np.cumsum(y - y[0])]
    inner = np.searchsorted(x, low, side="right"), np.searchsorted(x, high, side="left")
    outer = np.searchsorted(x, low, side="left"), np.searchsorted(x, high, side="right")
    times = (inner[1] - inner[0]) + (outer[1] - outer[0])
    total = totals[inner[1]] - totals[inner[0]] + totals[outer[1]] - totals[outer[0]]
    binned = (outer[1] - outer[0] >= 2) & (inner[1] > inner[0]) & (low >= x[0]) & (high <= x[-1])
    means = y[0] + total / np.maximum(times, 1)
    return np.where(binned, means, np.interp(points, x, y))
