"""Derivatives of a curve by local polynomials."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["slope_gain", "slopes"]


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
