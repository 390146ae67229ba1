"""Peaks: found above the noise, and measured between points."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._normalization import area as area_under

__all__ = ["Peak", "find_peaks", "least_prominence_of", "noise_level"]

_NOISES = 8.0
_LEAST_SHARE = 0.01
_REACH = 3.0
_TOP_SHARE = 0.2
_ENDS = 2  # neighbours either way whose median is the signal at a peak's foot
_MAD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """One peak.

    Attributes
    ----------
    position
        Of its top, in the axis unit, by a parabola through the points about it.
    intensity
        The signal at its top.
    height
        Its top above the straight line between its two feet; positive, for a dip too.
    fwhm
        Its width at half that height, in the axis unit.
    area
        Between it and that line, in the signal's unit times the axis unit; positive.
    prominence
        How far it stands out from the signal about it.
    left, right
        Its feet: the lowest points between it and its neighbours, but no farther away than three times its width.
        The far wings of a Lorentzian lie outside, and count for no area.
    """

    position: float
    intensity: float
    height: float
    fwhm: float
    area: float
    prominence: float
    left: float
    right: float


def noise_level(signal: Array) -> float:
    """Standard deviation of a signal's noise, by the median of its second differences: bands hardly count.

    Parameters
    ----------
    signal : (n,) array
        Evenly measured. Noise that neighbours share, as after smoothing, is underrated.
    """
    if signal.size < 3:
        return 0.0
    bends = signal[:-2] - 2.0 * signal[1:-1] + signal[2:]
    return float(_MAD * np.median(np.abs(bends)) / np.sqrt(6.0))


def least_prominence_of(signal: Array) -> float:
    """How far a peak has to stand out by default: eight times the noise, or 1 % of the signal's range."""
    return max(_NOISES * noise_level(signal), _LEAST_SHARE * float(np.ptp(signal)))


def find_peaks(
    axis: Array, signal: Array, *, least_prominence: float | None = None, downwards: bool = False
) -> tuple[Peak, ...]:
    """Find the peaks of a signal and measure them.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone, in any direction.
    signal : (n,) array
        Any unit. A sloping baseline is taken off peak by peak; a bent one is better taken off before.
    least_prominence
        How far a peak has to stand out, in the signal's unit; by default eight standard deviations of the noise or
        1 % of the signal's range, whichever is more.
    downwards
        Find dips, as in a transmittance.

    Returns
    -------
    tuple of Peak
        By position, upwards; each with a width, a height and an area above zero.
    """
    from scipy.signal import find_peaks as local_maxima
    from scipy.signal import peak_widths

    turn = -1 if axis[0] > axis[-1] else 1
    x, y = axis[::turn], (-signal if downwards else signal)[::turn]
    if least_prominence is None:
        least_prominence = least_prominence_of(y)
    tops, facts = local_maxima(y, prominence=max(least_prominence, np.finfo(float).tiny))
    if not tops.size:
        return ()
    feet = (facts["prominences"], facts["left_bases"], facts["right_bases"])
    _, _, left_half, right_half = peak_widths(y, tops, rel_height=0.5, prominence_data=feet)
    points = np.arange(x.size)
    widths = np.interp(right_half, points, x) - np.interp(left_half, points, x)
    valleys = [0, *(a + int(np.argmin(y[a : b + 1])) for a, b in itertools.pairwise(tops)), x.size - 1]
    measured = (
        _measured(x, y, int(top), float(width), float(prominence), limits, downwards)
        for top, width, prominence, limits in zip(
            tops, widths, facts["prominences"], itertools.pairwise(valleys), strict=True
        )
    )
    # What does not rise over the line between its feet is a tooth of the noise, or of points that interleave.
    return tuple(peak for peak in measured if min(peak.height, peak.fwhm, peak.area) > 0)


def _measured(
    x: Array, y: Array, top: int, width: float, prominence: float, limits: tuple[int, int], downwards: bool
) -> Peak:
    # A point either side at least: where points are closer on one side, a width in points is not one of the axis.
    first = max(limits[0], min(top - 1, int(np.searchsorted(x, x[top] - _REACH * width, side="left"))))
    last = min(limits[1], max(top + 1, int(np.searchsorted(x, x[top] + _REACH * width, side="right")) - 1))
    position, intensity = _summit(x, y, top, first, last, prominence)
    at, above = x[first : last + 1], y[first : last + 1]
    foot_left, foot_right = (float(np.median(y[max(i - _ENDS, 0) : i + _ENDS + 1])) for i in (first, last))
    line = np.interp([position, *at], [at[0], at[-1]], [foot_left, foot_right])
    height, above = intensity - float(line[0]), above - line[1:]
    return Peak(
        position=position,
        intensity=-intensity if downwards else intensity,
        height=height,
        fwhm=_width_at(at, above, top - first, height / 2),
        area=area_under(at, above),
        prominence=prominence,
        left=float(at[0]),
        right=float(at[-1]),
    )


def _summit(x: Array, y: Array, top: int, first: int, last: int, prominence: float) -> tuple[float, float]:
    """Top of the parabola through the points that are within a fifth of the peak's prominence of its highest."""
    low = y[top] - _TOP_SHARE * prominence
    start, stop = top, top
    while start > first and y[start - 1] >= low:
        start -= 1
    while stop < last and y[stop + 1] >= low:
        stop += 1
    # Even-handed: a parabola through more points of one side would lean that way.
    half = max(1, min(top - start, stop - top))
    start, stop = max(top - half, 0), min(top + half, y.size - 1)
    scale = float(x[stop] - x[start])
    bend, slope, level = np.polyfit((x[start : stop + 1] - x[top]) / scale, y[start : stop + 1], 2)
    if bend >= 0:
        return float(x[top]), float(y[top])
    at = float(np.clip(-slope / (2 * bend), (x[start] - x[top]) / scale, (x[stop] - x[top]) / scale))
    summit = float(level + slope * at + bend * at**2)
    if abs(summit - y[top]) > prominence:  # points that all but meet, or lie far apart, bend it out of all measure
        return float(x[top]), float(y[top])
    return float(x[top] + at * scale), summit


def _width_at(x: Array, above: Array, top: int, level: float) -> float:
    """Distance of the nearest crossings of a level either side of the top, or of the ends where there is none."""
    below = above < level
    left = np.flatnonzero(below[:top])
    right = np.flatnonzero(below[top + 1 :])
    start, stop = float(x[0]), float(x[-1])
    if left.size:
        i = int(left[-1])
        start = float(np.interp(level, above[i : i + 2], x[i : i + 2]))
    if right.size:
        i = top + 1 + int(right[0])
        stop = float(np.interp(-level, -above[i - 1 : i + 1], x[i - 1 : i + 1]))
    return stop - start
