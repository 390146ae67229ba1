"""Derivatives of a curve by local polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices.metrics._trace import median, noise_of

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Steepest", "despiked", "slope_gain", "slopes", "steepest"]

_SPIKE = 6.0  # standard deviations by which a reading must leave its neighbours to be none
_ALIKE = 6.0  # standard deviations within which slopes are those of one plateau: the largest is itself two above it
_GROWTH = 0.05  # of the steepest slope, over the last two windows: it goes on beyond the curve


@dataclass(frozen=True, slots=True)
class Steepest:
    """The steepest stretch of a curve.

    Attributes
    ----------
    v, y
        Its middle: means over the places whose slopes are alike.
    slope, error
        Mean of these slopes along the side that was asked for, with its standard error.
    at_edge
        Whether the slope still grows where the last whole window lies.
    """

    v: float
    y: float
    slope: float
    error: float
    at_edge: bool


def slopes(v: Array, y: Array, window: int, order: int) -> Array:
    """First derivative by Savitzky and Golay's polynomials; at the ends that of the outermost window.

    Parameters
    ----------
    v : (n,) array
        Ascending; what is not equally spaced is brought to equal spacing and back.
    y : (n,) array
        Values.
    window, order
        Odd number of points, clipped to the curve, and degree.

    Returns
    -------
    (n,) array
        dy/dv.
    """
    window = min(window, v.size - (1 - v.size % 2))
    order = min(order, window - 1)
    if window < 3:
        return np.gradient(y, v) if v.size > 1 else np.zeros_like(y)
    step = float(v[-1] - v[0]) / (v.size - 1)
    even = bool(np.abs(np.diff(v) - step).max() < 0.05 * step)
    grid = v if even else np.linspace(v[0], v[-1], v.size)
    values = y if even else np.interp(grid, v, y)
    half = window // 2
    taps = _taps(window, order)
    out = np.empty(v.size)
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    out[half : v.size - half] = views @ taps[half]
    out[:half] = taps[:half] @ views[0]
    out[v.size - half :] = taps[half + 1 :] @ views[-1]
    out /= step
    return out if even else np.interp(v, grid, out)


def steepest(v: Array, y: Array, side: int, *, window: int, order: int) -> Steepest | None:
    """The steepest stretch of a curve that rises towards one side.

    Slopes count where their window is whole: at an end one reading turns a slope. Noise makes the largest of many
    slopes too large, so that all that are alike within the noise have a say.

    Parameters
    ----------
    side
        1 where the curve rises with `v`, -1 where it falls.

    Returns
    -------
    Steepest or None
        None of fewer than three points, or of a curve that does not rise.
    """
    if v.size < 3:
        return None
    window = min(window, v.size - (1 - v.size % 2))
    order = min(order, window - 1)
    half = window // 2 if v.size >= 2 * window else 0
    slope = side * slopes(v, y, window, order)[half : v.size - half]
    at = int(np.argmax(slope))
    if slope[at] <= 0:
        return None
    high = y[y >= y.max() / 2]  # where it is steep it is large, and noise goes with it
    noise = max(noise_of(high), noise_of(y))
    one = noise * slope_gain(window, order) / median(np.diff(v))
    apart = np.flatnonzero(slope < slope[at] - _ALIKE * one)
    left = int(apart[apart < at][-1]) + 1 if (apart < at).any() else 0
    right = int(apart[apart > at][0]) if (apart > at).any() else slope.size
    mean = float(slope[left:right].mean())
    outer, inner = (
        (slope.size - 1, max(slope.size - 1 - 2 * window, 0)) if side > 0 else (0, min(2 * window, slope.size - 1))
    )
    grown = float(slope[at] - slope[inner])
    return Steepest(
        float(v[half + left : half + right].mean()),
        float(y[half + left : half + right].mean()),
        mean,
        one / max(1.0, (right - left) / window) ** 0.5,
        abs(at - outer) <= window // 2 and grown > max(_GROWTH * float(slope[at]), 3 * one),
    )


def despiked(y: Array) -> Array:
    """The curve with single bad readings replaced by the mean of their neighbours.

    A spike bends the curve one way and its neighbours the other; a smooth curve does not, however sharp its turn.
    """
    bend = y[2:] - 2 * y[1:-1] + y[:-2]
    least = _SPIKE * 6**0.5 * noise_of(y)
    if y.size < 7 or least == 0.0:
        return y
    size = np.abs(bend[1:-1])
    against = np.minimum(-np.sign(bend[1:-1]) * bend[:-2], -np.sign(bend[1:-1]) * bend[2:])
    bad = np.flatnonzero((size > least) & (against > size / 4)) + 2
    if not bad.size:
        return y
    y = y.copy()
    y[bad] = (y[bad - 1] + y[bad + 1]) / 2
    return y


def slope_gain(window: int, order: int) -> float:
    """Standard deviation of a slope in the middle, for white noise of 1 and a step of 1."""
    return float(np.sqrt(np.sum(_taps(window, order)[window // 2] ** 2)))


@lru_cache(maxsize=32)
def _taps(window: int, order: int) -> Array:
    """Weights of a window's values for the slope at each of its points: (window, window)."""
    x = np.arange(window, dtype=float) - window // 2
    design = np.vander(x, order + 1, increasing=True)
    derivative = np.stack([k * x ** (k - 1) if k else np.zeros_like(x) for k in range(order + 1)], axis=1)
    taps: Array = derivative @ np.linalg.pinv(design)
    return taps
