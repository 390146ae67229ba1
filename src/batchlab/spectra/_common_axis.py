"""Bring two spectra to one axis: the reference's own points where both were measured, none extrapolated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum, read_only

__all__ = ["OnCommonAxis", "common_axis", "interpolate_overlap"]

LEAST_POINTS = 3
LEAST_COVERAGE = 0.1
_GENERIC = (Quantity.UNKNOWN, Quantity.INTENSITY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnCommonAxis:
    """Two signals on one axis.

    Attributes
    ----------
    axis : (n,) array
        The reference's points inside the overlap, strictly monotone, in the reference's direction.
    reference, sample : (n,) arrays
        The two signals there; the sample is interpolated linearly.
    coverage : float
        The share of the reference's range that the overlap covers, 0 to 1.
    axis_kind, axis_unit, quantity, unit
        What the axis and the signals are, as far as either spectrum says.
    warnings
        Where one spectrum does not say what the other says.
    """

    axis: Array
    reference: Array
    sample: Array
    coverage: float
    axis_kind: AxisKind
    axis_unit: str | None
    quantity: Quantity
    unit: str | None
    warnings: tuple[str, ...]


def common_axis(
    reference: Spectrum,
    sample: Spectrum,
    *,
    least_coverage: float = LEAST_COVERAGE,
    least_points: int = LEAST_POINTS,
) -> OnCommonAxis:
    """Bring a sample to the axis of its reference, where the two overlap.

    Parameters
    ----------
    reference, sample
        The spectra, in any direction. Points out of order are sorted, equal positions averaged.
    least_coverage
        The least share of the reference's range that the overlap must cover.
    least_points
        The least number of the reference's points that must lie in the overlap.

    Raises
    ------
    DataError
        Reason ``unit-mismatch``: both say what their axis is and they disagree. ``quantity-mismatch``:
        likewise for the signals. ``no-overlap``: the ranges do not meet, or too little.
    """
    warnings: list[str] = []
    kind, axis_unit = _agreed(
        "axis",
        reference,
        sample,
        (reference.axis_kind, reference.axis_unit),
        (sample.axis_kind, sample.axis_unit),
        warnings,
    )
    quantity, unit = _agreed(
        "signal",
        reference,
        sample,
        (reference.quantity, reference.unit),
        (sample.quantity, sample.unit),
        warnings,
    )
    axis, y_ref, y_sample, coverage = interpolate_overlap(
        reference.axis, reference.intensity, sample.axis, sample.intensity
    )
    if axis.size < least_points or coverage < least_coverage:
        raise DataError(
            f"{_called(sample, 'the sample')} spans {_span(sample)}, {_called(reference, 'the reference')} "
            f"{_span(reference)}: {axis.size} points of the reference ({coverage:.1%} of its range) lie in both, "
            f"{least_points} and {least_coverage:.0%} are needed; compare it with a reference of its own range",
            reason="no-overlap",
        )
    return OnCommonAxis(
        axis=read_only(axis),
        reference=read_only(y_ref),
        sample=read_only(y_sample),
        coverage=coverage,
        axis_kind=AxisKind(kind),
        axis_unit=axis_unit,
        quantity=Quantity(quantity),
        unit=unit,
        warnings=tuple(warnings),
    )


def interpolate_overlap(
    x_reference: Array, y_reference: Array, x_sample: Array, y_sample: Array
) -> tuple[Array, Array, Array, float]:
    """Interpolate a sample linearly at the reference's points that lie within the sample's range.

    Parameters
    ----------
    x_reference, y_reference : (n,) arrays
        Axis and signal of the reference; the axis in the sample's unit.
    x_sample, y_sample : (m,) arrays
        Axis and signal of the sample.

    Returns
    -------
    axis, reference, sample : (k,) arrays
        Strictly monotone, in the direction of the reference; empty where nothing overlaps.
    coverage : float
        Length of the overlap over the length of the reference's range.
    """
    descending = bool(x_reference[0] > x_reference[-1])
    x_ref, y_ref = _ascending(x_reference, y_reference)
    x_smp, y_smp = _ascending(x_sample, y_sample)
    low, high = max(x_ref[0], x_smp[0]), min(x_ref[-1], x_smp[-1])
    span = float(x_ref[-1] - x_ref[0])
    coverage = max(0.0, float(high - low)) / span if span > 0 else 0.0
    inside = slice(np.searchsorted(x_ref, low, side="left"), np.searchsorted(x_ref, high, side="right"))
    axis, y_ref = x_ref[inside], y_ref[inside]
    sample = np.interp(axis, x_smp, y_smp)
    step = -1 if descending else 1
    return axis[::step], y_ref[::step], sample[::step], min(1.0, coverage)


def _ascending(x: Array, y: Array) -> tuple[Array, Array]:
    """Sort by position and average what stands at one position."""
    steps = np.diff(x)
    if (steps > 0).all():
        return x, y
    if (steps < 0).all():
        return x[::-1], y[::-1]
    order = np.argsort(x, kind="stable")
    position, where, times = np.unique(x[order], return_inverse=True, return_counts=True)
    return position, np.bincount(where, weights=y[order]) / times


def _agreed(
    what: str,
    reference: Spectrum,
    sample: Spectrum,
    of_reference: tuple[AxisKind | Quantity, str | None],
    of_sample: tuple[AxisKind | Quantity, str | None],
    warnings: list[str],
) -> tuple[AxisKind | Quantity, str | None]:
    """What both say, or the one that says it; raise where they contradict each other."""
    (kind, unit), (other_kind, other_unit) = of_reference, of_sample
    kind_said, other_said = kind not in _SAYS_NOTHING, other_kind not in _SAYS_NOTHING
    if (kind_said and other_said and kind != other_kind) or (unit and other_unit and unit != other_unit):
        raise DataError(
            f"the {what} of {_called(reference, 'the reference')} is {_words(kind, unit)}, that of "
            f"{_called(sample, 'the sample')} {_words(other_kind, other_unit)}; convert one, or state what it is",
            reason="unit-mismatch" if what == "axis" else "quantity-mismatch",
        )
    if kind_said != other_said or (kind_said and (unit is None) != (other_unit is None)):
        silent = sample if kind_said and not (other_said and other_unit) else reference
        role = "the sample" if silent is sample else "the reference"
        named = (kind, unit) if silent is sample else (other_kind, other_unit)
        warnings.append(
            f"{_called(silent, role)} does not say what its {what} is; taken for {_words(*named)} as the other's"
        )
    return (kind if kind_said else other_kind if other_said else kind), unit or other_unit


_SAYS_NOTHING = (AxisKind.UNKNOWN, *_GENERIC)


def _words(kind: AxisKind | Quantity, unit: str | None) -> str:
    return f"{kind.value} in {unit}" if unit and unit != "1" else kind.value


def _called(spectrum: Spectrum, role: str) -> str:
    return f"{role} {spectrum.name!r}" if spectrum.name else role


def _span(spectrum: Spectrum) -> str:
    unit = f" {spectrum.axis_unit}" if spectrum.axis_unit not in (None, "1") else ""
    return f"{spectrum.axis.min():g} to {spectrum.axis.max():g}{unit}"
