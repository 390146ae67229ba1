"""How alike are two spectra: the numbers of a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._common_axis import LEAST_COVERAGE, common_axis
from batchlab.spectra._model import (
    Array,
    AxisKind,
    Quantity,
    Spectrum,
    axis_label,
    intensity_label,
    read_only,
)
from batchlab.spectra._normalization import Normalization, area, degenerate, normalize, refuse_constant

__all__ = [
    "Comparison",
    "area_ratio",
    "compare",
    "max_deviation",
    "pearson_r",
    "rmse",
    "spectral_angle_deg",
]

_GOOD_COVERAGE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A sample beside its reference on one axis.

    Attributes
    ----------
    axis : (n,) array
        The reference's points inside the overlap, in the reference's direction, in `axis_unit`.
    reference, sample, difference : (n,) arrays
        The two signals, normalised, and sample minus reference.
    axis_kind, axis_unit, quantity, unit
        What the axis and the signals are; `unit` is that of the signals before they were normalised.
    normalization
        How the signals were scaled.
    reference_name, sample_name
        What they are called.
    metrics
        Flat: ``pearson_r, rmse, max_deviation, max_deviation_at, spectral_angle_deg`` of the normalised
        signals, ``area_ratio`` of the signals as measured, and ``coverage, n_points, axis_first, axis_last,
        axis_unit``.
    warnings
        What is worth a look.
    """

    axis: Array
    reference: Array
    sample: Array
    difference: Array
    axis_kind: AxisKind = AxisKind.UNKNOWN
    axis_unit: str | None = None
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None
    normalization: Normalization = Normalization.NONE
    reference_name: str = ""
    sample_name: str = ""
    metrics: Mapping[str, float | int | str]
    warnings: tuple[str, ...] = ()

    @property
    def axis_label(self) -> str:
        """The axis as a plot names it."""
        return axis_label(self.axis_kind, self.axis_unit)

    @property
    def intensity_label(self) -> str:
        """The compared signal as a plot names it, such as ``Absorbance (snv)``."""
        if self.normalization is Normalization.NONE:
            return intensity_label(self.quantity, self.unit)
        return f"{intensity_label(self.quantity, '1')} ({self.normalization.value})"


def compare(
    reference: Spectrum,
    sample: Spectrum,
    normalization: Normalization | str = Normalization.NONE,
    *,
    least_coverage: float = LEAST_COVERAGE,
) -> Comparison:
    """Compare a sample with a reference.

    Both are brought to the reference's points inside the overlap, then normalised there, each by itself.
    ``rmse``, ``max_deviation``, ``pearson_r`` and ``spectral_angle_deg`` are of the normalised signals;
    ``area_ratio`` is of the signals as measured, since normalising would make it say nothing.

    Parameters
    ----------
    reference, sample
        The spectra.
    normalization
        None, snv, min-max or area.
    least_coverage
        The least share of the reference's range that the sample must cover.

    Raises
    ------
    DataError
        Reasons ``no-overlap``, ``unit-mismatch``, ``quantity-mismatch``, ``degenerate-spectrum``.
    """
    normalization = Normalization(normalization)
    both = common_axis(reference, sample, least_coverage=least_coverage)
    axis = both.axis
    y_ref = _scaled(both.axis, both.reference, normalization, f"the reference {reference.name!r}")
    y_sample = _scaled(both.axis, both.sample, normalization, f"the sample {sample.name!r}")
    deviation, position = max_deviation(axis, y_ref, y_sample)
    ratio = area_ratio(axis, both.reference, both.sample)
    warnings = list(both.warnings)
    if both.coverage < _GOOD_COVERAGE:
        warnings.append(f"the sample covers only {both.coverage:.0%} of the reference's range")
    if math.isnan(ratio):
        warnings.append("the reference's area is zero, so there is no area ratio")
    metrics: dict[str, float | int | str] = {
        "pearson_r": pearson_r(y_ref, y_sample),
        "rmse": rmse(y_ref, y_sample),
        "max_deviation": deviation,
        "max_deviation_at": position,
        "spectral_angle_deg": spectral_angle_deg(y_ref, y_sample),
        "area_ratio": ratio,
        "coverage": both.coverage,
        "n_points": int(axis.size),
        "axis_first": float(axis[0]),
        "axis_last": float(axis[-1]),
        "axis_unit": both.axis_unit or "not stated",
    }
    return Comparison(
        axis=axis,
        reference=read_only(y_ref),
        sample=read_only(y_sample),
        difference=read_only(y_sample - y_ref),
        axis_kind=both.axis_kind,
        axis_unit=both.axis_unit,
        quantity=both.quantity,
        unit=both.unit,
        normalization=normalization,
        reference_name=reference.name,
        sample_name=sample.name,
        metrics=metrics,
        warnings=tuple(warnings),
    )


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
    a, b = _centred_unit(reference), _centred_unit(sample)
    # By the chord between the unit vectors: a product of them would round 1 to 0.9999999999999998.
    if np.dot(a, b) >= 0:
        return max(-1.0, min(1.0, 1.0 - float(np.sum((a - b) ** 2)) / 2))
    return max(-1.0, min(1.0, float(np.sum((a + b) ** 2)) / 2 - 1.0))


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
    if not (np.any(reference) and np.any(sample)):
        raise degenerate("a signal is zero everywhere, so it has no angle to another")
    a, b = _unit(reference), _unit(sample)
    return math.degrees(2.0 * math.atan2(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b))))


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


def _scaled(axis: Array, signal: Array, method: Normalization, whose: str) -> Array:
    """Normalise a signal that varies; an error says whose it is."""
    try:
        refuse_constant(signal, "a comparison")
        return normalize(axis, signal, method)
    except DataError as error:
        raise DataError(f"{whose}: {error}", category=error.category, reason=error.reason) from error


def _unit(signal: Array) -> Array:
    scaled: Array = signal / np.abs(signal).max()
    return scaled / float(np.linalg.norm(scaled))


def _centred_unit(signal: Array) -> Array:
    scaled = signal / np.abs(signal).max()
    return _unit(scaled - scaled.mean())
