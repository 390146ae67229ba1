"""Bring two spectra to one axis: the points where both were measured, none extrapolated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._interpolation import inside, values_at
from batchlab.spectra._kinds import Common, Interpolation
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum, read_only
from batchlab.spectra._recipe import LEAST_COVERAGE, Grid
from batchlab.spectra._signal import Gap, Signal, ascending, join_gaps, signal_of
from batchlab.spectra._words import agreed, counted

__all__ = ["OnCommonAxis", "common_axis", "interpolate_overlap"]

LEAST_POINTS = 3
_GENERIC = (Quantity.UNKNOWN, Quantity.INTENSITY)
_SAYS_NOTHING = (AxisKind.UNKNOWN, *_GENERIC)

Run = tuple[Array, Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnCommonAxis:
    """Two signals on one axis.

    Attributes
    ----------
    axis : (n,) array
        The points where both were measured, strictly monotone, in the reference's direction: the reference's own, or
        those of the given grid.
    reference, sample : (n,) arrays
        The two signals there, after every step of the recipe.
    coverage : float
        The share of the reference's range, as far as a grid reaches it, that both cover, 0 to 1. A range that was
        masked counts in neither.
    axis_kind, axis_unit, quantity, unit
        What the axis and the signals are, as far as either spectrum says; of the signals before they were derived
        or normalised.
    warnings
        Where one spectrum does not say what the other says, and what was odd on the way.
    reference_warnings
        Those of them that are of the reference alone, and so the same for the next sample.
    gaps
        Ranges that were taken out, low and high, ascending: nothing may be computed or drawn across one.
    unscaled_reference, unscaled_sample : (n,) arrays
        The two signals before the first normalisation, at the same points; the very signals where nothing was
        normalised.
    reference_alone, sample_alone
        Runs of axis and signal that the other does not reach, for a picture; filled for the mode ``union`` alone,
        and empty where a signal was normalised, since no scale is known there.
    done
        What was done to both, a text for each conversion and step, in order.
    treated
        The steps that made another quantity of the signals, for a label: ``("derivative", "snv")``.
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
    reference_warnings: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unscaled_reference: Array
    unscaled_sample: Array
    reference_alone: tuple[Run, ...] = ()
    sample_alone: tuple[Run, ...] = ()
    done: tuple[str, ...] = ()
    treated: tuple[str, ...] = ()


def common_axis(
    reference: Spectrum,
    sample: Spectrum,
    *,
    common: Common | str = Common.OVERLAP,
    grid: Grid | None = None,
    interpolation: Interpolation | str = Interpolation.LINEAR,
    least_coverage: float = LEAST_COVERAGE,
    least_points: int = LEAST_POINTS,
) -> OnCommonAxis:
    """Bring a sample to the axis of its reference, or both to a grid.

    Parameters
    ----------
    reference, sample
        The spectra, in any direction. Points out of order are sorted, equal positions averaged.
    common
        OVERLAP takes the reference's points where both were measured. UNION takes the same for the numbers, and
        hands over the rest of both for the picture. REFERENCE wants all points of the reference covered. GRID
        takes the points of `grid` where both were measured.
    grid
        For GRID: from where to where in which step, in the axis unit.
    interpolation
        How values between points are found.
    least_coverage
        The least share of the reference's range, as far as the grid reaches it, that must be covered.
    least_points
        The least number of points that both must have.

    Raises
    ------
    DataError
        Reason ``unit-mismatch``: both say what their axis is and they disagree. ``quantity-mismatch``:
        likewise for the signals. ``no-overlap``: the ranges do not meet, or too little. ``not-covered``: a point of
        the reference lies outside the sample, and all were wanted.
    """
    return join(
        signal_of(reference, "the reference"),
        signal_of(sample, "the sample"),
        common=Common.named(common),
        grid=grid,
        interpolation=Interpolation.named(interpolation),
        least_coverage=least_coverage,
        least_points=least_points,
    )


def join(
    reference: Signal,
    sample: Signal,
    *,
    common: Common = Common.OVERLAP,
    grid: Grid | None = None,
    interpolation: Interpolation = Interpolation.LINEAR,
    least_coverage: float = LEAST_COVERAGE,
    least_points: int = LEAST_POINTS,
) -> OnCommonAxis:
    """Bring two signals to one axis; as `common_axis`, for what was prepared."""
    warnings: list[str] = []
    axis: Array
    kind, axis_unit = _agreed(
        "axis", reference, sample, (reference.axis_kind, reference.axis_unit), (sample.axis_kind, sample.axis_unit),
        warnings,
    )  # fmt: skip
    quantity, unit = _agreed(
        "signal", reference, sample, (reference.quantity, reference.unit), (sample.quantity, sample.unit), warnings
    )
    wanted = _spans(reference)
    if grid is not None:
        points: Array = grid.start + grid.step * np.arange(grid.count, dtype=np.float64)
        last = float(points[-1])
        wanted = [(max(low, grid.start), min(high, last)) for low, high in wanted if low < last and high > grid.start]
        at = inside(points, reference) & inside(points, sample)
        axis = points[at]
        y_ref = values_at(axis, reference, interpolation)
    else:
        at = inside(reference.axis, sample)
        axis, y_ref = reference.axis[at], reference.intensity[at]
    coverage = _coverage(wanted, reference, sample)
    if common is Common.REFERENCE and not at.all():
        missed = reference.axis[~at]
        raise DataError(
            f"{sample.name} spans {_span(sample)}, so {missed.size} of {at.size} points of {reference.name} "
            f"({missed[0]:g} to {missed[-1]:g}) {agreed(missed.size, 'is', 'are')} not covered; use the "
            f"overlap, or cut the reference",
            reason="not-covered",
        )
    if axis.size < least_points or coverage < least_coverage:
        whose = f"the grid from {grid.start:g} to {grid.stop:g}" if grid is not None else "the reference"
        share = "of the reference's range in it" if grid is not None else "of its range"
        raise DataError(
            f"{sample.name} spans {_span(sample)}, {reference.name} "
            f"{_span(reference)}: {counted(axis.size, 'point')} of {whose} ({coverage:.1%} {share}) "
            f"{agreed(axis.size, 'lies', 'lie')} in both, "
            f"{least_points} and {least_coverage:.0%} are needed; compare it with a reference of its own range",
            reason="no-overlap",
        )
    if grid is not None:
        reference = _told_of_the_grid(reference, grid, last)
    y_sample = values_at(axis, sample, interpolation)
    step = -1 if reference.falls else 1
    signals = read_only(y_ref[::step]), read_only(y_sample[::step])
    union = common is Common.UNION
    return OnCommonAxis(
        axis=read_only(axis[::step]),
        reference=signals[0],
        sample=signals[1],
        coverage=coverage,
        axis_kind=AxisKind(kind),
        axis_unit=axis_unit,
        quantity=Quantity(quantity),
        unit=unit,
        warnings=(*reference.warnings, *sample.warnings, *warnings),
        reference_warnings=reference.warnings,
        gaps=join_gaps((*reference.gaps, *sample.gaps)),
        unscaled_reference=signals[0],
        unscaled_sample=signals[1],
        reference_alone=_alone(reference, sample, step) if union else (),
        sample_alone=_alone(sample, reference, step) if union else (),
    )


def _told_of_the_grid(reference: Signal, grid: Grid, last: float) -> Signal:
    """The reference with a warning where the grid reaches beyond it, by more than a step."""
    low, high = float(reference.axis[0]), float(reference.axis[-1])
    if low - grid.start < grid.step and last - high < grid.step:
        return reference
    warning = (
        f"the grid runs from {grid.start:g} to {last:g}, beyond {reference.name}, which spans {_span(reference)}: only "
        "what lies within is compared"
    )
    return replace(reference, warnings=(*reference.warnings, warning))


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
    x_ref, y_ref = ascending(x_reference, y_reference)
    x_smp, y_smp = ascending(x_sample, y_sample)
    reference, sample = Signal(axis=x_ref, intensity=y_ref), Signal(axis=x_smp, intensity=y_smp)
    at = inside(x_ref, sample)
    axis = x_ref[at]
    step = -1 if descending else 1
    y_sample = values_at(axis, sample, Interpolation.LINEAR)
    return axis[::step], y_ref[at][::step], y_sample[::step], _coverage(_spans(reference), reference, sample)


def _spans(signal: Signal) -> list[Gap]:
    """From where to where each piece reaches."""
    return [(float(signal.axis[each.start]), float(signal.axis[each.stop - 1])) for each in signal.pieces]


def _coverage(wanted: list[Gap], *signals: Signal) -> float:
    """The share of the wanted ranges that lies in a piece of each signal."""
    whole = sum(high - low for low, high in wanted)
    covered = wanted
    for signal in signals:
        spans = _spans(signal)
        meets = [(max(a, low), min(b, high)) for a, b in covered for low, high in spans]
        covered = [(low, high) for low, high in meets if low < high]
    return min(1.0, sum(high - low for low, high in covered) / whole) if whole > 0 else 0.0


def _alone(one: Signal, other: Signal, step: int) -> tuple[Run, ...]:
    """The runs of a signal below and above the other's range."""
    below = int(np.searchsorted(one.axis, other.axis[0], side="left"))
    above = int(np.searchsorted(one.axis, other.axis[-1], side="right"))
    runs = []
    for piece in one.pieces:
        for low, high in ((piece.start, min(piece.stop, below)), (max(piece.start, above), piece.stop)):
            if low < high:
                runs.append((read_only(one.axis[low:high][::step]), read_only(one.intensity[low:high][::step])))
    return tuple(runs[::step])


def _agreed(
    what: str,
    reference: Signal,
    sample: Signal,
    of_reference: tuple[AxisKind | Quantity, str | None],
    of_sample: tuple[AxisKind | Quantity, str | None],
    warnings: list[str],
) -> tuple[AxisKind | Quantity, str | None]:
    """What both say, or the one that says it; raise where they contradict each other."""
    (kind, unit), (other_kind, other_unit) = of_reference, of_sample
    if what == "axis" and AxisKind.UNKNOWN is kind is other_kind and None in (unit, other_unit):
        _tell_silent_axes(reference, sample, unit or other_unit, warnings)
    kind_said, other_said = kind not in _SAYS_NOTHING, other_kind not in _SAYS_NOTHING
    if (kind_said and other_said and kind != other_kind) or (unit and other_unit and unit != other_unit):
        mend = "to_axis" if what == "axis" else "to_quantity"
        raise DataError(
            f"the {what} of {reference.name} is {_words(kind, unit)}, that of "
            f"{sample.name} {_words(other_kind, other_unit)}; convert both to one ({mend}), or state what it is",
            reason="unit-mismatch" if what == "axis" else "quantity-mismatch",
        )
    if kind_said != other_said or (kind_said and (unit is None) != (other_unit is None)):
        silent = sample if kind_said and not (other_said and other_unit) else reference
        named = (kind, unit) if silent is sample else (other_kind, other_unit)
        warnings.append(
            f"{silent.name}: its file does not say what its {what} is; taken for {_words(*named)}, as the other's"
        )
    return (kind if kind_said else other_kind if other_said else kind), unit or other_unit


def _tell_silent_axes(reference: Signal, sample: Signal, unit: str | None, warnings: list[str]) -> None:
    """Tell what is assumed of two axes of which neither, or one, says no more than a unit."""
    if unit is None:
        both = f"{sample.name}: neither its file nor that of {reference.name} says what its axis is"
        warnings.append(f"{both}; taken for one axis of one unit, so state axis_kind and axis_unit")
        return
    silent = sample if sample.axis_unit is None else reference
    warnings.append(f"{silent.name}: its file does not say what its axis is; taken for one in {unit}, as the other's")


def _words(kind: AxisKind | Quantity, unit: str | None) -> str:
    return f"{kind.value} in {unit}" if unit not in (None, "", "1", kind.value) else kind.value


def _span(signal: Signal) -> str:
    unit = f" {signal.axis_unit}" if signal.axis_unit not in (None, "1") else ""
    return f"{signal.axis[0]:g} to {signal.axis[-1]:g}{unit}"
