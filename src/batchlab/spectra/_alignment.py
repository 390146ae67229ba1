"""How a sample lies on its reference: how many times as high, how far along the axis, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array

__all__ = ["Alignment", "align"]

_MOST_STEPS = 30
_SETTLED = 1e-4  # of the points' distance
_FAR_OUT = 5.0  # standard deviations of the noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """The reference, scaled and shifted, that fits a sample best.

    Attributes
    ----------
    scale
        How many times as high as the reference the sample is.
    shift
        How much too high the sample's axis reads, in the axis unit.
    residual : (n,) array
        Sample minus the fitted reference, in the sample's unit.
    """

    scale: float
    shift: float
    residual: Array


def align(axis: Array, reference: Array, sample: Array) -> Alignment:
    """Fit a reference to a sample by scale and shift, in the sense of least squares.

    The shift is found by the steps of Gauss and Newton, so it has to be small beside the width of the bands. Points
    far off the first fit, such as a band that the reference has not, have no say in the second.

    Parameters
    ----------
    axis : (n,) array
        The common axis, strictly monotone.
    reference, sample : (n,) arrays
        The signals on it.
    """
    step = -1 if axis[0] > axis[-1] else 1
    x, y, target = axis[::step], reference[::step], sample[::step]
    scale, shift = _fit(x, y, target, np.ones(x.size, dtype=bool), 0.0)
    off = np.abs(target - scale * np.interp(x - shift, x, y))
    kept = off <= _FAR_OUT * 1.4826 * float(np.median(off))
    if np.count_nonzero(kept) > x.size // 2:
        scale, shift = _fit(x, y, target, kept, shift)
    residual: Array = target - scale * np.interp(x - shift, x, y)
    return Alignment(scale=scale, shift=shift, residual=residual[::step])


def _fit(x: Array, y: Array, target: Array, kept: NDArray[np.bool_], shift: float) -> tuple[float, float]:
    """Scale and shift from the points kept, beginning at a shift."""
    slope = np.gradient(y, x)
    scale = 1.0
    longest = 5 * float(np.mean(np.diff(x)))  # a band may not be left behind in one step
    for _ in range(_MOST_STEPS):
        moved, moved_slope = np.interp(x - shift, x, y), np.interp(x - shift, x, slope)
        columns = np.column_stack((moved, -moved_slope))[kept]
        (scale, pull), *_ = np.linalg.lstsq(columns, target[kept], rcond=None)
        change = float(np.clip(pull / scale, -longest, longest)) if scale else 0.0
        shift += change
        if abs(change) < _SETTLED * longest:
            break
    moved = np.interp(x - shift, x, y)[kept]
    return float(np.dot(moved, target[kept]) / np.dot(moved, moved)), shift
