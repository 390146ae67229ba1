"""Compare a sample with its reference: on one axis, in numbers, as a difference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import ConfigError, DataError
from batchlab.spectra._common_axis import OnCommonAxis
from batchlab.spectra._comparison import MOVED, Comparison, Range
from batchlab.spectra._difference import Factor, difference_of, subtraction_factor
from batchlab.spectra._measures import DEFAULT_METRICS, Difference, ShiftHandling, known_metrics
from batchlab.spectra._metrics import (
    area_ratio,
    cosine,
    derivative_r,
    euclid,
    hqi,
    mae,
    max_deviation,
    pearson_r,
    relative_rmse,
    rmse,
    sid,
    spectral_angle_deg,
)
from batchlab.spectra._model import Array, Spectrum, read_only
from batchlab.spectra._normalization import Normalization, normalize, refuse_constant
from batchlab.spectra._numbers import Pair, numbers_of, region_numbers
from batchlab.spectra._recipe import LEAST_COVERAGE, Recipe, prepare
from batchlab.spectra._shift import Shift, correct_shift, estimate_shift
from batchlab.spectra._signal import join_gaps, pieces
from batchlab.spectra._words import counted

__all__ = [
    "Comparison",
    "area_ratio",
    "compare",
    "cosine",
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

# Normalisations that are steps of a recipe and nothing else.
_BY_A_STEP = (Normalization.VECTOR, Normalization.RNV, Normalization.MSC, Normalization.EMSC)
_GOOD_COVERAGE = 0.8
_LEAST_POINTS = 3
_NO_REGIONS: Mapping[str, Range] = {}


def compare(
    reference: Spectrum,
    sample: Spectrum,
    normalization: Normalization | str = Normalization.NONE,
    *,
    least_coverage: float = LEAST_COVERAGE,
    recipe: Recipe | None = None,
    metrics: Iterable[str] = DEFAULT_METRICS,
    regions: Mapping[str, Sequence[float]] = _NO_REGIONS,
    masks: Iterable[Sequence[float]] = (),
    difference: Difference | str = Difference.DIFFERENCE,
    factor: float | str = "values",
    shift: ShiftHandling | str = ShiftHandling.IGNORE,
    memory: MutableMapping[str, Any] | None = None,
) -> Comparison:
    """Compare a sample with a reference.

    Both are prepared alike and brought to one axis, by default to the reference's points inside the overlap; then
    normalised there, each by itself; then judged. ``area_ratio`` is of the signals before the first step that
    normalises, since normalising would make it say nothing.

    Parameters
    ----------
    reference, sample
        The spectra.
    normalization
        After the recipe's own steps; vector, rnv, msc and emsc are its last step.
    least_coverage
        The least share of the reference's range that the sample must cover; a recipe has its own.
    recipe
        Units, pretreatment and common axis.
    metrics
        Names from `METRICS`, or ``all``. One that these two do not have is NaN, with a warning.
    regions
        Name to the two ends of a region, in the unit of the common axis: each metric is told for it too.
    masks
        Ranges that no number is to know of, in the unit of the common axis. The curves still show them.
    difference
        What the curve beneath is: difference, scaled difference, ratio, log ratio.
    factor
        Of a scaled difference: a number; or how it is found, ``values`` or ``derivative``, see
        `subtraction_factor`; or the name of a region, in which it is found by ``values``.
    shift
        Ignore a shift of the sample's axis, estimate it, or correct it. Told in ``axis_shift`` and in a warning, if
        it is beyond doubt and more than half the distance of points; one not beyond doubt is never corrected.
    memory
        Where a prepared reference is kept for the next sample.

    Raises
    ------
    ConfigError
        A word, a metric or a region that there is not; a mask or a region that is not two numbers; what is no
        spectrum.
    DataError
        Reasons ``no-overlap``, ``unit-mismatch``, ``quantity-mismatch``, ``degenerate-spectrum``; those of the recipe.
    """
    for role, given in (("reference", reference), ("sample", sample)):
        if not isinstance(given, Spectrum):
            raise ConfigError(f"the {role} {given!r:.60} is no spectrum; read a file with read_spectrum first")
    normalization, kind = Normalization.named(normalization), Difference.named(difference)
    shift = ShiftHandling.named(shift)
    wanted, ranges, hidden = _settings(metrics, regions, masks)
    recipe = recipe or Recipe.model_validate({"least_coverage": least_coverage})
    if not isinstance(recipe, Recipe):
        raise ConfigError(f"the recipe {recipe!r:.60} is none; write such as Recipe(preset='ftir', steps=['snv'])")
    if normalization in _BY_A_STEP:
        recipe, normalization = recipe.normalized(normalization), Normalization.NONE
    both = prepare(reference, sample, recipe, memory)
    warnings, done = list(both.warnings), list(both.done)
    facts: dict[str, float | str] = {}
    if shift is not ShiftHandling.IGNORE:
        both, found = _shifted(both, hidden, shift, warnings, done)
        facts |= {"axis_shift": found.value, "axis_shift_error": found.error}
    axis = both.axis
    y_ref = _scaled(axis, both.reference, normalization, f"the reference {reference.name!r}")
    y_sample = _scaled(axis, both.sample, normalization, f"the sample {sample.name!r}")
    pair = Pair(
        axis=axis,
        reference=y_ref,
        sample=y_sample,
        raw_reference=both.unscaled_reference,
        raw_sample=both.unscaled_sample,
        gaps=both.gaps,
    )
    kept = _kept(axis, hidden)
    warnings += [
        f"the mask from {low:g} to {high:g} hides no point of the comparison"
        for low, high in hidden
        if not ((axis >= low) & (axis <= high)).any()
    ]
    judged = pair if kept is None else pair.at(kept, join_gaps((*both.gaps, *hidden)))
    if judged.axis.size < _LEAST_POINTS:
        raise DataError(
            f"the masks leave {judged.axis.size} of {axis.size} points of the sample {sample.name!r}, "
            f"{_LEAST_POINTS} are needed; mask less",
            reason="no-overlap",
        )
    numbers, told = numbers_of(judged, wanted)
    of_regions, told_of_regions = region_numbers(judged, ranges, wanted)
    warnings += [*told, *told_of_regions]
    if both.coverage < _GOOD_COVERAGE:
        within = "" if recipe.grid is None else " within the grid"
        warnings.append(f"the sample covers only {both.coverage:.0%} of the reference's range{within}")
    subtracted = _factor(kind, factor, pair, kept, ranges)
    if subtracted is not None:
        by = factor if isinstance(factor, str) else "given"
        facts |= {"factor": subtracted.value, "factor_error": subtracted.error, "factor_by": by}
    curve = difference_of(y_ref, y_sample, kind, subtracted.value if subtracted else 1.0)
    if kind in (Difference.RATIO, Difference.LOG_RATIO) and np.isnan(curve).any():
        missing = int(np.count_nonzero(np.isnan(curve)))
        warnings.append(f"the {kind.value} is not a number at {counted(missing, 'point')}")
    return Comparison(
        axis=axis,
        reference=read_only(y_ref),
        sample=read_only(y_sample),
        difference=read_only(curve),
        axis_kind=both.axis_kind,
        axis_unit=both.axis_unit,
        quantity=both.quantity,
        unit=both.unit,
        normalization=normalization,
        reference_name=reference.name,
        sample_name=sample.name,
        metrics={
            **numbers,
            "coverage": both.coverage,
            "n_points": int(judged.axis.size),
            "axis_first": float(axis[0]),
            "axis_last": float(axis[-1]),
            "axis_unit": both.axis_unit or "not stated",
            **facts,
            **of_regions,
        },
        difference_kind=kind,
        regions=ranges,
        masks=hidden,
        gaps=both.gaps,
        done=tuple(done),
        treated=both.treated,
        reference_alone=both.reference_alone,
        sample_alone=both.sample_alone,
        sample_metadata=sample.metadata,
        warnings=tuple(warnings),
        reference_warnings=both.reference_warnings,
    )


def _settings(
    metrics: Iterable[str], regions: Mapping[str, Sequence[float]], masks: Iterable[Sequence[float]]
) -> tuple[tuple[str, ...], dict[str, Range], tuple[Range, ...]]:
    try:
        wanted = known_metrics(metrics)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    ranges = {name: _range(ends, f"region {name}") for name, ends in regions.items()}
    return wanted, ranges, join_gaps(tuple(_range(ends, "a mask") for ends in masks))


def _range(ends: Sequence[float], what: str) -> Range:
    try:
        low, high = sorted(map(float, ends))
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        raise ConfigError(f"{what} runs from one position to another: write [LOW, HIGH], not {ends!r}")
    return low, high


def _kept(axis: Array, masks: tuple[Range, ...]) -> NDArray[np.bool_] | None:
    """The points that no mask hides; None for all."""
    if not masks:
        return None
    kept = np.ones(axis.size, dtype=bool)
    for low, high in masks:
        kept &= (axis < low) | (axis > high)
    return kept


def _shifted(
    both: OnCommonAxis, masks: tuple[Range, ...], handling: ShiftHandling, warnings: list[str], done: list[str]
) -> tuple[OnCommonAxis, Shift]:
    """Estimate the shift and, if that is wished and it is beyond doubt, take it out."""
    kept = _kept(both.axis, masks)
    at = slice(None) if kept is None else kept
    found = estimate_shift(both.axis[at], both.reference[at], both.sample[at])
    words = found.words(both.axis_unit)
    if handling is ShiftHandling.CORRECT and found.sure:
        both = _moved(both, found.value)
        unit = f" {both.axis_unit}" if both.axis_unit not in (None, "1") else ""
        done.append(f"{MOVED} {-found.value:.6g}{unit}")
        warnings.append(f"{words}; it was corrected")
    elif found.notable or not found.found:
        warnings.append(f"{words}; nothing was corrected")
    return both, found


def _moved(both: OnCommonAxis, shift: float) -> OnCommonAxis:
    """The sample moved to where it belongs, each piece between gaps by itself; what it no longer reaches is cut."""
    kept: list[NDArray[np.intp]] = []
    samples: list[Array] = []
    unscaled: list[Array] = []
    for run in pieces(both.axis, both.gaps):
        moved, left = correct_shift(both.axis[run], both.sample[run], shift)
        samples.append(moved)
        unscaled.append(correct_shift(both.axis[run], both.unscaled_sample[run], shift)[0])
        kept.append(np.arange(run.start, run.stop)[left])
    at = np.concatenate(kept)
    return replace(
        both,
        axis=both.axis[at],
        reference=both.reference[at],
        unscaled_reference=both.unscaled_reference[at],
        sample=np.concatenate(samples),
        unscaled_sample=np.concatenate(unscaled),
    )


def _factor(
    kind: Difference, factor: float | str, pair: Pair, kept: NDArray[np.bool_] | None, regions: Mapping[str, Range]
) -> Factor | None:
    if kind is not Difference.SCALED:
        return None
    if not isinstance(factor, str):
        return Factor(float(factor), 0.0)
    if factor in regions:
        low, high = regions[factor]
        inside = (pair.axis >= low) & (pair.axis <= high)
        kept, factor = inside if kept is None else inside & kept, "values"
    elif factor not in ("values", "derivative"):
        raise ConfigError(
            f"factor {factor!r}: write a number, values, derivative, or a region's name"
            + (f" ({', '.join(regions)})" if regions else "")
        )
    return subtraction_factor(pair.axis, pair.reference, pair.sample, by=factor, kept=kept)


def _scaled(axis: Array, signal: Array, method: Normalization, whose: str) -> Array:
    """Normalise a signal that varies; an error says whose it is."""
    try:
        refuse_constant(signal, "a comparison")
        return normalize(axis, signal, method)
    except DataError as error:
        raise DataError(f"{whose}: {error}", category=error.category, reason=error.reason) from error
