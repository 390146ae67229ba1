"""Derive a spectrum along its axis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._pretreatment._local_polynomial import local_polynomial, window_points
from batchlab.spectra._pretreatment._runs import run_by_run
from batchlab.spectra._signal import Signal

__all__ = ["derivative", "norris_williams"]


def derivative(step: _steps.Derivative, signal: Signal) -> Signal:
    """First or second derivative of local polynomials, in the signal's unit per axis unit (squared) [1]_.

    References
    ----------
    .. [1] Savitzky and Golay, *Anal. Chem.* 36 (1964) 1627-1639.
    """
    return run_by_run(
        signal,
        lambda x, y: local_polynomial(x, y, window_points(step, x), step.polynomial, step.order),
        lambda x: window_points(step, x),
    )


def norris_williams(step: _steps.NorrisWilliams, signal: Signal) -> Signal:
    """Differences of averaged segments, over the distance of their middles [2]_.

    The points near the ends of a run, where a segment would leave it, have no derivative and are left out.

    References
    ----------
    .. [2] Norris and Williams, *Cereal Chem.* 61 (1984) 158-165.
    """
    half, gap = step.segment_points // 2, step.gap_points
    margin = half + gap

    def differences(x: Array, y: Array) -> Array:
        mean_x, mean_y = _segments(x, half), _segments(y, half)
        before, middle, after = slice(0, -2 * gap), slice(gap, -gap), slice(2 * gap, None)
        out = np.zeros(x.size)
        if step.order == 1:
            slope = (mean_y[after] - mean_y[before]) / (mean_x[after] - mean_x[before])
        else:
            right = (mean_y[after] - mean_y[middle]) / (mean_x[after] - mean_x[middle])
            left = (mean_y[middle] - mean_y[before]) / (mean_x[middle] - mean_x[before])
            slope = 2.0 * (right - left) / (mean_x[after] - mean_x[before])
        out[margin : x.size - margin] = slope
        return out

    done = run_by_run(signal, differences, 2 * margin + 2)
    return done.kept(tuple(_without_ends(done, margin)))


def _without_ends(signal: Signal, margin: int) -> list[slice]:
    return [slice(piece.start + margin, piece.stop - margin) for piece in signal.pieces]


def _segments(values: Array, half: int) -> Array:
    """Means of each point and `half` of its neighbours on either side, where there are as many."""
    windows = np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1)
    take_mean: Callable[..., Array] = np.mean
    return take_mean(windows, axis=1)
