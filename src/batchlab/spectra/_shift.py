"""How far a sample's axis is shifted against its reference's: told before anything is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._least_squares import Fit, fit_columns
from batchlab.spectra._metrics import derivative, pearson_r
from batchlab.spectra._model import Array
from batchlab.spectra._normalization import refuse_constant

__all__ = ["Shift", "correct_shift", "estimate_shift"]

_FARTHEST_STEPS, _FARTHEST_SHARE = 20, 0.02
_PLAIN_STEPS, _MOST_STEPS = 3, 25
_SETTLED = 1e-4  # of the points' distance
_ALIKE, _SAME = 0.6, 0.98  # correlations
_PARTS = 8
_SURE = 3.0  # standard errors
_NOTABLE = 0.5  # of the points' distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift of the sample's axis.

    Attributes
    ----------
    value, error
        How much too high the sample's axis reads, and the standard error of that, in the axis unit; NaN where no
        shift brings the two together.
    step
        The typical distance of neighbouring points.
    likeness
        Correlation of the sample with the fitted reference once it is shifted.
    """

    value: float
    error: float
    step: float
    likeness: float

    @property
    def found(self) -> bool:
        """Whether the two are alike enough for a shift to mean anything."""
        return math.isfinite(self.value)

    @property
    def sure(self) -> bool:
        """Whether it is beyond doubt: more than three standard errors."""
        return self.found and abs(self.value) > _SURE * self.error

    @property
    def notable(self) -> bool:
        """Whether it is beyond doubt, more than half the distance of points, and of two that are all but the same."""
        return self.sure and abs(self.value) > _NOTABLE * self.step and self.likeness >= _SAME

    def words(self, unit: str | None) -> str:
        """One sentence about it."""
        if not self.found:
            return "no shift of the sample's axis brings it upon the reference"
        of_unit = f" {unit}" if unit and unit != "1" else ""
        way = "higher" if self.value > 0 else "lower"
        return (
            f"the sample's axis reads {abs(self.value):.3g} ± {self.error:.1g}{of_unit} {way} than the reference's "
            f"({abs(self.value) / self.step:.2g} times the distance of its points), or its bands have moved"
        )


def estimate_shift(axis: Array, reference: Array, sample: Array, *, farthest: float | None = None) -> Shift:
    """Estimate how much too high a sample's axis reads.

    The cross-correlation of the first derivatives gives the nearest whole point; from there the steps of Gauss and
    Newton fit ``sample(x) = k reference(x - shift) + c + e x``, in which points that only the sample has lose their
    say. So scale, offset and a sloping baseline do not matter. What differs in one band alone, such as the red edge of
    two leaves, is a shift with a large error: the error allows for parts of the axis that disagree.

    Parameters
    ----------
    axis : (n,) array
        The common axis, strictly monotone.
    reference, sample : (n,) arrays
        The signals on it.
    farthest
        How far to look either way, in the axis unit; by default 20 points or 2 % of the axis, whichever is more.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: one of them is constant or a straight line.
    """
    for signal in (reference, sample):
        refuse_constant(signal, "a shift")
    turn = -1 if axis[0] > axis[-1] else 1
    x, y, target = axis[::turn], *(signal[::turn] / np.abs(signal).max() for signal in (reference, sample))
    step = float(np.median(np.diff(x)))
    limit = farthest or max(_FARTHEST_STEPS * step, _FARTHEST_SHARE * float(x[-1] - x[0]))
    limit = min(limit, float(x[-1] - x[0]) / 4)
    shift = _nearest_point(x, y, target, limit)
    slope = _slope(x, y)
    lost = Shift(value=math.nan, error=math.nan, step=step, likeness=math.nan)
    for number in range(_MOST_STEPS):
        # Only where the shifted reference was measured: beyond its ends it would be a flat line.
        inside = (x >= x[0] + shift) & (x <= x[-1] + shift)
        at, wanted = x[inside], target[inside]
        if at.size < 8:
            return lost
        moved = np.interp(at - shift, x, y)
        line = (at - at.mean()) / (at[-1] - at[0])
        columns = np.column_stack((moved, -np.interp(at - shift, x, slope), np.ones(at.size), line))
        # As long as the shift is wrong, the bands themselves would stand out and lose their say.
        fit = fit_columns(columns, wanted, robust=number >= _PLAIN_STEPS)
        scale, pull = float(fit.coefficients[0]), float(fit.coefficients[1])
        if scale <= 0.0:
            return lost
        change = float(np.clip(pull / scale, -5 * step, 5 * step))
        shift += change
        if abs(shift) > 1.1 * limit:
            return lost
        if abs(change) < _SETTLED * step and number >= _PLAIN_STEPS:
            break
    centred = wanted - fit.coefficients[2] - fit.coefficients[3] * line
    try:
        likeness = pearson_r(moved, centred)
    except DataError:  # what is left of the one within reach of the other is flat
        return lost
    if likeness < _ALIKE:
        return Shift(value=math.nan, error=math.nan, step=step, likeness=likeness)
    error = max(float(fit.errors[1]) / scale, _spread_of_parts(columns[:, 1], fit) / scale)
    return Shift(value=shift, error=error, step=step, likeness=likeness)


def correct_shift(axis: Array, sample: Array, shift: float) -> tuple[Array, slice]:
    """Take a shift out of a sample by interpolating it linearly where its points belong.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone.
    sample : (n,) array
        The signal as read on an axis that reads `shift` too high.
    shift
        In the axis unit.

    Returns
    -------
    signal : (m,) array
        The signal at those points of the axis that it still reaches.
    kept : slice
        Which they are; the other end is lost.
    """
    turn = -1 if axis[0] > axis[-1] else 1
    x, y = axis[::turn], sample[::turn]
    first = int(np.searchsorted(x, x[0] - shift, side="left"))
    last = int(np.searchsorted(x, x[-1] - shift, side="right"))
    moved = np.interp(x[first:last] + shift, x, y)[::turn]
    return moved, slice(first, last) if turn == 1 else slice(x.size - last, x.size - first)


def _nearest_point(x: Array, y: Array, target: Array, limit: float) -> float:
    """The shift, in whole points of an even axis, at which the slopes agree best."""
    even = np.linspace(x[0], x[-1], x.size)
    step = float(even[1] - even[0])
    slopes = [derivative(even, np.interp(even, x, signal)) for signal in (y, target)]
    # Clipped, so that one spike does not decide.
    a, b = (np.clip(s, *np.quantile(s, (0.005, 0.995))) for s in slopes)
    size = 1 << (2 * a.size - 1).bit_length()
    product = np.fft.irfft(np.conj(np.fft.rfft(a - a.mean(), size)) * np.fft.rfft(b - b.mean(), size), size)
    most = min(int(limit / step), a.size - 1)
    lags = np.arange(-most, most + 1)
    return float(lags[np.argmax(product[lags])]) * step


def _spread_of_parts(slope: Array, fit: Fit) -> float:
    """Standard error by how well parts of the axis, each with an equal share of all slopes, agree on what is left.

    A shift of the axis moves every band; where one band alone has moved the parts disagree.
    """
    worth = slope**2  # of points that lost their say too: they may be the band that has not moved
    edges = np.searchsorted(np.cumsum(worth), np.linspace(0.0, 1.0, _PARTS + 1)[1:-1] * worth.sum())
    starts = np.unique(np.r_[0, edges])
    weighs = np.add.reduceat(worth, starts)
    pulls = np.add.reduceat(slope * fit.residual, starts)[weighs > 0] / weighs[weighs > 0]
    return float(np.std(pulls, ddof=1)) / math.sqrt(pulls.size) if pulls.size > 1 else 0.0


def _slope(x: Array, y: Array) -> Array:
    """The derivative at every point, smoothed as `derivative` does; the outermost repeat."""
    inner = derivative(x, y)
    missing = x.size - inner.size
    return np.pad(inner, (missing // 2, missing - missing // 2), mode="edge")
