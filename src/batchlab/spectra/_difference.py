"""What a sample has beyond its reference: difference, scaled difference, ratio, log ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import ConfigError
from batchlab.spectra._kinds import Quantity
from batchlab.spectra._least_squares import fit_columns
from batchlab.spectra._measures import Difference
from batchlab.spectra._model import Array, intensity_label
from batchlab.spectra._normalization import refuse_constant

__all__ = ["Difference", "Factor", "difference_label", "difference_of", "subtraction_factor"]

_GAP = 5
_NOTHING = 1e-9  # of the largest value: a reference this low divides nothing


@dataclass(frozen=True, slots=True)
class Factor:
    """How many times the reference is in the sample, and the standard error of that."""

    value: float
    error: float


def subtraction_factor(
    axis: Array,
    reference: Array,
    sample: Array,
    *,
    by: str = "values",
    kept: NDArray[np.bool_] | None = None,
) -> Factor:
    """The factor at which a reference, subtracted, leaves the least of itself in a sample.

    Found by robust least squares, so bands that only the sample has weigh little: they stay in the scaled
    difference, which is what it is made for. Noise in the reference lowers the factor by about its share of the
    reference's variance, which the standard error does not know of: a good reference is an averaged one.

    Parameters
    ----------
    axis : (n,) array
        The common axis, strictly monotone.
    reference, sample : (n,) arrays
        The signals.
    by
        ``values``: the sample is fitted by the reference, an offset and a slope along the axis. ``derivative``: the
        differences over ten points are fitted by those of the reference, so a slow baseline of any shape does not
        count; noise counts more.
    kept : (n,) array of bool, optional
        The points that have a say: one band of the reference, or all but a mask.

    Raises
    ------
    ConfigError
        If `by` is neither.
    DataError
        Reason ``degenerate-spectrum``: the reference is constant or a straight line there.
    """
    inside = np.ones(axis.size, dtype=bool) if kept is None else kept
    refuse_constant(reference[inside], "a scaled difference")
    if by == "values":
        x = axis[inside]
        line = (x - x.mean()) / np.abs(x - x.mean()).max()
        columns = np.column_stack((reference[inside], np.ones(x.size), line))
        target = sample[inside]
    elif by == "derivative":
        gap = min(2 * _GAP, axis.size // 3)
        both = inside[gap:] & inside[:-gap]
        steps = (reference[gap:] - reference[:-gap])[both]
        columns = np.column_stack((steps, np.ones(steps.size)))  # a slope is a constant step
        target = (sample[gap:] - sample[:-gap])[both]
    else:
        raise ConfigError(f"a factor is found by 'values' or by 'derivative', not by {by!r}")
    fit = fit_columns(columns, target)
    return Factor(float(fit.coefficients[0]), float(fit.errors[0]))


def difference_of(reference: Array, sample: Array, kind: Difference | str, factor: float = 1.0) -> Array:
    """Compute a difference or a ratio at each point.

    Parameters
    ----------
    reference, sample : (n,) arrays
        The signals, on one axis.
    kind
        DIFFERENCE: sample - reference. SCALED: sample - factor * reference. RATIO: sample / reference. LOG_RATIO:
        the decadic logarithm of that, for intensities minus the absorbance.
    factor
        Of SCALED.

    Returns
    -------
    (n,) array
        In the signals' unit, or a plain number; NaN where the reference is zero or all but zero, and for LOG_RATIO
        where either is not positive.
    """
    kind = Difference.named(kind)
    if kind is Difference.DIFFERENCE:
        return sample - reference
    if kind is Difference.SCALED:
        return sample - factor * reference
    divides = np.abs(reference) > _NOTHING * np.abs(reference).max()
    if kind is Difference.LOG_RATIO:
        divides &= (reference > 0) & (sample > 0)
    with np.errstate(over="ignore", under="ignore"):
        ratio: Array = np.divide(sample, reference, out=np.full(reference.size, np.nan), where=divides)
    ratio[np.isinf(ratio)] = np.nan
    if kind is Difference.RATIO:
        return ratio
    ratio[ratio == 0.0] = np.nan  # smaller than any float
    logarithm: Array = np.log10(ratio)
    return logarithm


def difference_label(
    kind: Difference, quantity: Quantity, unit: str | None, treatment: str = "", factor: float | None = None
) -> str:
    """Name a difference for a plot: ``Sample - 0.983 × reference / mV``, ``lg(sample / reference)``."""
    if kind is Difference.RATIO:
        return "Sample / reference"
    if kind is Difference.LOG_RATIO:
        return "lg(sample / reference)"
    if kind is Difference.SCALED:
        name = "Sample − k × reference" if factor is None else f"Sample − {factor:.4g} × reference"
    else:
        name = "Difference"
    if treatment:
        return f"{name} ({treatment})"
    _, slash, of_signal = intensity_label(quantity, unit).partition(" / ")
    return f"{name}{slash}{of_signal}"
