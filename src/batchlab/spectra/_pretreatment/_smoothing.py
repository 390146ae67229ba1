"""Smooth a spectrum: local polynomials, a moving mean, a Gaussian, penalised least squares."""

from __future__ import annotations

import math

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._pretreatment._local_polynomial import local_polynomial, window_points
from batchlab.spectra._pretreatment._runs import run_by_run
from batchlab.spectra._signal import Signal

__all__ = ["gaussian", "moving_mean", "savgol", "whittaker", "whittaker_smooth"]

_REACH = 4.0  # standard deviations, beyond which a Gaussian has no weight worth adding


def savgol(step: _steps.SavitzkyGolay, signal: Signal) -> Signal:
    """Local polynomials [1]_; on an axis of any spacing.

    References
    ----------
    .. [1] Savitzky and Golay, *Anal. Chem.* 36 (1964) 1627-1639.
    """
    return run_by_run(
        signal,
        lambda x, y: local_polynomial(x, y, window_points(step, x), step.polynomial),
        lambda x: window_points(step, x),
    )


def moving_mean(step: _steps.MovingMean, signal: Signal) -> Signal:
    """The mean of the points in a window, which is narrower at the ends so that it stays centred."""

    def mean(x: Array, y: Array) -> Array:
        half = np.minimum(window_points(step, x) // 2, np.minimum(np.arange(x.size), np.arange(x.size)[::-1]))
        totals = np.r_[0.0, np.cumsum(y - y[0])]
        at = np.arange(x.size)
        means: Array = y[0] + (totals[at + half + 1] - totals[at - half]) / (2 * half + 1)
        return means

    return run_by_run(signal, mean, lambda x: window_points(step, x))


def gaussian(step: _steps.Gaussian, signal: Signal) -> Signal:
    """The mean weighted by a Gaussian of distance and by what each point stands for; on an axis of any spacing."""
    sigma = step.fwhm / (2.0 * math.sqrt(2.0 * math.log(2.0)))

    def mean(x: Array, y: Array) -> Array:
        width = np.gradient(x)
        total, weights = y * width, width.copy()
        for offset in range(1, x.size):
            distance = (x[offset:] - x[:-offset]) / sigma
            if distance.min() > _REACH:
                break
            near = np.exp(-0.5 * distance**2)
            total[offset:] += near * width[:-offset] * y[:-offset]
            total[:-offset] += near * width[offset:] * y[offset:]
            weights[offset:] += near * width[:-offset]
            weights[:-offset] += near * width[offset:]
        means: Array = total / weights
        return means

    return run_by_run(signal, mean, 2)


def whittaker(step: _steps.Whittaker, signal: Signal) -> Signal:
    """Penalised least squares: near to the signal, with small differences of its neighbours [2]_.

    References
    ----------
    .. [2] Eilers, *Anal. Chem.* 75 (2003) 3631-3636.
    """
    return run_by_run(signal, lambda _, y: whittaker_smooth(y, step.lam, step.differences), step.differences + 2)


def whittaker_smooth(intensity: Array, lam: float, differences: int) -> Array:
    """Solve (I + lam D'D) z = y, where D takes differences of that order.

    Parameters
    ----------
    intensity : (n,) array
        Signal.
    lam
        Weight of roughness, for points one apart.
    differences
        Order of the differences, below n.

    Returns
    -------
    (n,) array
    """
    from scipy.linalg import solveh_banded

    n, d = intensity.size, differences
    signs = [(-1.0) ** k * math.comb(d, k) for k in range(d + 1)]
    band = np.zeros((d + 1, n))
    for i in range(d + 1):
        for j in range(i, d + 1):
            band[d - (j - i), j : j + n - d] += lam * signs[i] * signs[j]
    band[d] += 1.0
    smooth: Array = solveh_banded(band, intensity, check_finite=False)
    return smooth
