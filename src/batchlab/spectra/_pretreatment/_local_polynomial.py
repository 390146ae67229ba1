"""Local polynomials by least squares, on any axis: the filter of Savitzky and Golay where points are equally far."""

from __future__ import annotations

import math

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._pretreatment._runs import typical_step
from batchlab.spectra._pretreatment._steps import Windowed

__all__ = ["local_polynomial", "window_points"]

_EQUAL = 1e-3  # of a step: what four digits of an exported axis leave


def window_points(step: Windowed, axis: Array) -> int:
    """Odd number of points of a window on this axis, enough for its polynomial."""
    if step.window_points is not None:
        return step.window_points
    half = round(float(step.window_width or 0.0) / typical_step(axis) / 2) if axis.size > 1 else 0
    least = getattr(step, "polynomial", 0) + 1
    return max(2 * half + 1, least + (1 - least % 2), 3)


def local_polynomial(axis: Array, intensity: Array, window: int, order: int, derivative: int = 0) -> Array:
    """Fit a polynomial to the window around each point, and take its value or derivative there.

    Parameters
    ----------
    axis : (n,) array
        Strictly ascending, in any spacing.
    intensity : (n,) array
        Signal.
    window
        Odd number of points, at most n. Near the ends the polynomial of the outermost window is taken.
    order
        Of the polynomial, below `window`.
    derivative
        0, 1 or 2.

    Returns
    -------
    (n,) array
        In the signal's unit over the axis unit to the power of `derivative`. Exact for a polynomial of that order on
        any axis.

    References
    ----------
    .. [1] Savitzky and Golay, *Anal. Chem.* 36 (1964) 1627-1639.
    .. [2] Gorry, *Anal. Chem.* 63 (1991) 534-536 (points not equally far).
    """
    steps = np.diff(axis)
    mean = float((axis[-1] - axis[0]) / (axis.size - 1))
    if float(np.abs(steps - mean).max()) <= _EQUAL * mean:
        from scipy.signal import savgol_filter

        filtered: Array = savgol_filter(intensity, window, order, deriv=derivative, delta=mean, mode="interp")
        return filtered
    half = window // 2
    middles = np.arange(half, axis.size - half)
    x = np.lib.stride_tricks.sliding_window_view(axis, window) - axis[middles, None]
    scale = np.abs(x).max(axis=1, keepdims=True)
    u = x / scale
    y = np.lib.stride_tricks.sliding_window_view(intensity, window) - intensity[middles, None]
    powers = u[None] ** np.arange(2 * order + 1)[:, None, None]
    moments = powers.sum(axis=2)
    rank = np.arange(order + 1)
    gram = np.moveaxis(moments[rank[:, None] + rank], 2, 0)
    right = np.einsum("kiw,iw->ik", powers[: order + 1], y)
    coefficients = np.linalg.solve(gram, right[..., None])[..., 0]
    out = np.empty(axis.size)
    unscaled = scale[:, 0] ** derivative
    out[middles] = coefficients[:, derivative] * math.factorial(derivative) / unscaled
    for fit, points in ((0, slice(0, half)), (-1, slice(axis.size - half, axis.size))):
        at = (axis[points] - axis[middles[fit]]) / scale[fit, 0]
        polynomial = np.polynomial.Polynomial(coefficients[fit]).deriv(derivative)
        out[points] = polynomial(at) / unscaled[fit]
    if derivative == 0:
        out[middles] += intensity[middles]
        out[:half] += intensity[middles[0]]
        out[axis.size - half :] += intensity[middles[-1]]
    return out
