"""Take offset and scale out of a spectrum by what it tells itself."""

from __future__ import annotations

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Array
from batchlab.spectra._normalization import Normalization, degenerate, normalize, refuse_constant
from batchlab.spectra._normalization import area as area_under
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._signal import Signal

__all__ = ["area", "min_max", "offset", "peak", "region", "rnv", "robust_normal_variate", "snv", "vector"]

_ROUNDING = 64 * np.finfo(np.float64).eps


def offset(step: _steps.Offset, signal: Signal) -> Signal:
    """Subtract a number, the least value, the mean, or the mean in a region."""
    y = signal.intensity
    if isinstance(step.subtract, tuple):
        return signal.having(y - float(np.mean(_inside(signal, *step.subtract)[1])))
    if isinstance(step.subtract, str):
        return signal.having(y - float(y.min() if step.subtract == "min" else y.mean()))
    return signal.having(y - step.subtract)


def snv(_: _steps.Snv, signal: Signal) -> Signal:
    """Standard normal variate."""
    return signal.having(normalize(signal.axis, signal.intensity, Normalization.SNV))


def min_max(_: _steps.MinMax, signal: Signal) -> Signal:
    """From 0 to 1."""
    return signal.having(normalize(signal.axis, signal.intensity, Normalization.MIN_MAX))


def rnv(step: _steps.Rnv, signal: Signal) -> Signal:
    """Robust normal variate."""
    refuse_constant(signal.intensity, "rnv")
    return signal.having(robust_normal_variate(signal.intensity, step.percentile))


def robust_normal_variate(intensity: Array, percentile: float) -> Array:
    """Subtract a percentile and divide by the standard deviation of the values up to it [1]_.

    Parameters
    ----------
    intensity : (n,) array
        Signal.
    percentile
        Of the values, 0 to 100; low, so that bands have no say.

    Returns
    -------
    (n,) array
        Without unit.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: the values up to the percentile are all the same.

    References
    ----------
    .. [1] Guo, Wu and Massart, *Anal. Chim. Acta* 382 (1999) 87-103.
    """
    level = float(np.percentile(intensity, percentile))
    below = intensity[intensity <= level]
    spread = float(np.std(below))
    if spread <= _ROUNDING * float(np.abs(intensity).max()):
        raise degenerate(f"the lowest {percentile:g} % of the values are all {level:g}; take a higher percentile")
    scaled: Array = (intensity - level) / spread
    return scaled


def area(_: _steps.Area, signal: Signal) -> Signal:
    """Divide by the area, without that of gaps."""
    if not signal.gaps:
        return signal.having(normalize(signal.axis, signal.intensity, Normalization.AREA))
    return signal.having(
        _divided(signal, _area(signal, signal.intensity), _area(signal, np.abs(signal.intensity)), "area")
    )


def vector(_: _steps.Vector, signal: Signal) -> Signal:
    """Divide by the root of the sum of squares."""
    largest = float(np.abs(signal.intensity).max())
    if largest == 0.0:
        raise degenerate("the intensity is 0 everywhere, so it has no length")
    scaled = signal.intensity / largest
    return signal.having(scaled / float(np.linalg.norm(scaled)))


def peak(step: _steps.Peak, signal: Signal) -> Signal:
    """Divide by the signal at a position, or by the highest point near it."""
    if step.within > 0:
        height = float(_inside(signal, step.at - step.within, step.at + step.within)[1].max())
    else:
        height = _value_at(signal, step.at)
    return signal.having(_divided(signal, height, float(np.abs(signal.intensity).max()), f"height at {step.at:g}"))


def region(step: _steps.InRegion, signal: Signal) -> Signal:
    """Divide by the area, or by the mean, in a region."""
    part, values = _inside(signal, *step.region)
    if step.by == "mean":
        measure, size = float(np.mean(values)), float(np.mean(np.abs(values)))
    else:
        measure, size = _area(part, values), _area(part, np.abs(values))
    low, high = step.region
    return signal.having(_divided(signal, measure, size, f"{step.by} from {low:g} to {high:g}"))


def _divided(signal: Signal, measure: float, size: float, what: str) -> Array:
    """Divide by a measure that is clearly above zero beside the size of what it was taken of."""
    if measure <= _ROUNDING * size:
        raise degenerate(
            f"the {what} is {measure:g}, so nothing can be divided by it; subtract the baseline first, or use snv"
        )
    scaled: Array = signal.intensity / measure
    return scaled


def _area(signal: Signal, intensity: Array) -> float:
    return sum(area_under(signal.axis[piece], intensity[piece]) for piece in signal.pieces)


def _inside(signal: Signal, low: float, high: float) -> tuple[Signal, Array]:
    """The part of a signal in a region, which must hold a point."""
    first, after = np.searchsorted(signal.axis, low, side="left"), np.searchsorted(signal.axis, high, side="right")
    if first == after:
        raise DataError(
            f"no point lies between {low:g} and {high:g}; it spans {signal.axis[0]:g} to {signal.axis[-1]:g}",
            reason="too-few-points",
        )
    part = signal.kept((slice(int(first), int(after)),))
    return part, part.intensity


def _value_at(signal: Signal, position: float) -> float:
    for piece in signal.pieces:
        x = signal.axis[piece]
        if x[0] <= position <= x[-1]:
            return float(np.interp(position, x, signal.intensity[piece]))
    raise DataError(
        f"nothing was measured at {position:g}; it spans {signal.axis[0]:g} to {signal.axis[-1]:g}",
        reason="too-few-points",
    )
