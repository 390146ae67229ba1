"""How alike are two signals: each measure a pure function of arrays on one axis."""

from __future__ import annotations

import math

import numpy as np

from batchlab.errors import Category, DataError
from batchlab.spectra._model import Array
from batchlab.spectra._normalization import area, degenerate, refuse_constant

__all__ = [
    "area_ratio",
    "cosine",
    "derivative",
    "derivative_r",
    "euclid",
    "hqi",
    "mae",
    "max_deviation",
    "pearson_r",
    "relative_rmse",
    "rmse",
    "sid",
    "spectral_angle_deg",
]

DERIVATIVE_POINTS = 7


def pearson_r(reference: Array, sample: Array) -> float:
    """Pearson's correlation coefficient of two signals; blind to offset and positive scale.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.

    Returns
    -------
    float
        -1 to 1; exactly 1 for a signal and itself.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: one of them is constant.
    """
    for signal in (reference, sample):
        refuse_constant(signal, "a correlation")
    return _product(_centred_unit(reference), _centred_unit(sample))


def derivative_r(axis: Array, reference: Array, sample: Array) -> float:
    """Pearson's correlation coefficient of the first derivatives; all but blind to a slow baseline.

    Parameters
    ----------
    axis : (n,) array
        The common axis, strictly monotone.
    reference, sample : (n,) arrays
        The signals.

    Returns
    -------
    float
        -1 to 1. Noise lowers it more than it lowers `pearson_r`. Unlike that, it depends on what the axis counts:
        narrow bands weigh more on an axis that spreads them less.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: one of them is constant or a straight line.
    """
    return pearson_r(derivative(axis, reference), derivative(axis, sample))


def derivative(axis: Array, signal: Array, points: int = DERIVATIVE_POINTS) -> Array:
    """First derivative of a signal by its axis, smoothed over a few neighbours [1]_.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone. On an uneven axis the slopes by point number of signal and axis are divided.
    signal : (n,) array
        Any unit.
    points
        Odd; how many neighbours a parabola is laid through. Fewer where the signal has fewer.

    Returns
    -------
    (n - points + 1,) array
        In the signal's unit over the axis unit, at the points that have all neighbours.

    References
    ----------
    .. [1] Savitzky and Golay, *Analytical Chemistry* 36 (1964) 1627-1639.
    """
    points = min(points, (axis.size - 1) // 2 * 2 + 1)
    weights = np.arange(points // 2, -points // 2, -1.0)
    slopes: Array = np.convolve(signal, weights, "valid") / np.convolve(axis, weights, "valid")
    return slopes


def rmse(reference: Array, sample: Array) -> float:
    """Root of the mean squared difference, in the signals' unit.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis, each point weighing the same.
    """
    difference = sample - reference
    largest = float(np.abs(difference).max())
    if largest == 0.0:
        return 0.0
    return largest * math.sqrt(float(np.mean((difference / largest) ** 2)))


def relative_rmse(reference: Array, sample: Array) -> float:
    """`rmse` over the standard deviation of the reference along its axis: 1 is as far off as its mean would be.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: the reference is constant.
    """
    return rmse(reference, sample) / spread(reference)


def mae(reference: Array, sample: Array) -> float:
    """Mean of the difference without its sign, in the signals' unit.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.
    """
    return float(np.mean(np.abs(sample - reference)))


def max_deviation(axis: Array, reference: Array, sample: Array) -> tuple[float, float]:
    """The largest difference, sample minus reference, with its sign, and where it is.

    Parameters
    ----------
    axis : (n,) array
        The common axis.
    reference, sample : (n,) arrays
        The signals.

    Returns
    -------
    deviation : float
        In the signals' unit; negative where the sample lies below.
    position : float
        In the axis unit; the first one where several are as large.
    """
    difference = sample - reference
    at = int(np.argmax(np.abs(difference)))
    return float(difference[at]), float(axis[at])


def euclid(reference: Array, sample: Array) -> float:
    """Euclidean distance of two signals taken as vectors, in their unit; grows with the number of points.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.
    """
    return rmse(reference, sample) * math.sqrt(reference.size)


def cosine(reference: Array, sample: Array) -> float:
    """Cosine of the angle between two signals taken as vectors; blind to a positive scale.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.

    Returns
    -------
    float
        -1 to 1; exactly 1 for a signal and itself.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: one of them is zero everywhere.
    """
    return _product(*_units(reference, sample))


def spectral_angle_deg(reference: Array, sample: Array) -> float:
    """Angle between two signals taken as vectors [1]_; blind to a positive scale.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.

    Returns
    -------
    float
        0 to 180 degrees. Computed by half-angles [2]_, since the arc cosine of a product near 1 has an error
        of 1e-6 degrees.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: one of them is zero everywhere.

    References
    ----------
    .. [1] Kruse et al., *Remote Sensing of Environment* 44 (1993) 145-163.
    .. [2] Kahan, *How Futile are Mindless Assessments of Roundoff*, 2006, section 12.
    """
    a, b = _units(reference, sample)
    return math.degrees(2.0 * math.atan2(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b))))


def sid(reference: Array, sample: Array) -> float:
    """Spectral information divergence [1]_: how badly one signal, read as a distribution, tells the other; symmetric.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis, above zero everywhere.

    Returns
    -------
    float
        0 upwards, in natural units of information; blind to a positive scale.

    Raises
    ------
    DataError
        Reason ``not-positive``: a point of one of them is zero or below, where no logarithm is. Nothing is lifted
        or left out to make it fit: that would decide the result.

    References
    ----------
    .. [1] Chang, *IEEE Transactions on Information Theory* 46 (2000) 1927-1932.
    """
    for signal in (reference, sample):
        if not signal.min() > 0.0:
            raise DataError(
                f"the spectral information divergence needs signals above zero, one falls to {signal.min():g}; "
                "mask those points, or use the spectral angle",
                category=Category.NUMERICAL,
                reason="not-positive",
            )
    p, q = reference / reference.max(), sample / sample.max()
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((p - q) * (np.log(p) - np.log(q))))


def hqi(reference: Array, sample: Array) -> float:
    """Hit quality of a library search by correlation: 1000 r², and 0 where r is negative.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.

    Returns
    -------
    float
        0 to 1000; exactly 1000 for a signal and itself. Other programs scale to 1 or 100, or count from 0 for the
        best; and the distance to the next hit tells as much as the number.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: one of them is constant.
    """
    return hqi_of_r(pearson_r(reference, sample))


def spread(signal: Array) -> float:
    """Standard deviation of a signal along its axis, with n - 1 in its denominator; raises for a constant."""
    refuse_constant(signal, "a relative deviation")
    scale = float(np.abs(signal).max())
    centred = signal / scale
    centred -= centred.mean()
    return scale * math.sqrt(float(np.dot(centred, centred)) / (signal.size - 1))


def hqi_of_r(r: float) -> float:
    """The hit quality that belongs to a correlation coefficient."""
    return 1000.0 * max(r, 0.0) ** 2


def area_ratio(axis: Array, reference: Array, sample: Array) -> float:
    """Area under the sample over the area under the reference, by the trapezoidal rule.

    Parameters
    ----------
    axis : (n,) array
        The common axis, strictly monotone.
    reference, sample : (n,) arrays
        The signals as measured.

    Returns
    -------
    float
        NaN where the reference's area is zero.
    """
    below = area(axis, reference)
    return area(axis, sample) / below if below else math.nan


def _product(a: Array, b: Array) -> float:
    """Scalar product of two unit vectors, by the chord between them: a sum would round 1 to 0.9999999999999998."""
    if np.dot(a, b) >= 0:
        return max(-1.0, min(1.0, 1.0 - float(np.sum((a - b) ** 2)) / 2))
    return max(-1.0, min(1.0, float(np.sum((a + b) ** 2)) / 2 - 1.0))


def _units(reference: Array, sample: Array) -> tuple[Array, Array]:
    if not (np.any(reference) and np.any(sample)):
        raise degenerate("a signal is zero everywhere, so it has no angle to another")
    return _unit(reference), _unit(sample)


def _unit(signal: Array) -> Array:
    scaled: Array = signal / np.abs(signal).max()
    return scaled / float(np.linalg.norm(scaled))


def _centred_unit(signal: Array) -> Array:
    centred: Array = signal / np.abs(signal).max()
    centred -= centred.mean()
    centred /= float(np.linalg.norm(centred))
    return centred
