"""Take a step: find its mathematics, and say whose spectrum and which step it was where it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from batchlab.errors import Category, DataError
from batchlab.spectra._common_axis import OnCommonAxis
from batchlab.spectra._kinds import Quantity
from batchlab.spectra._model import read_only
from batchlab.spectra._normalization import degenerate
from batchlab.spectra._pretreatment import _baseline, _derivatives, _despike, _regions, _scaling, _scatter, _smoothing
from batchlab.spectra._pretreatment._steps import AnyStep, Convert
from batchlab.spectra._quantities import quantity_values, unit_wanted
from batchlab.spectra._signal import Signal, join_gaps

__all__ = ["apply", "apply_to_both", "converted"]

_MOST = 1e100


def apply(step: AnyStep, signal: Signal, target: Signal | None = None) -> Signal:
    """Take one step.

    Parameters
    ----------
    step
        What to do.
    signal
        What to do it to.
    target
        The reference at the same points, which msc and emsc fit to.

    Raises
    ------
    DataError
        As the step's own function; the message begins with whose spectrum it was, and the step.
    """
    try:
        if float(np.abs(signal.intensity).max()) > _MOST:
            raise degenerate(f"values beyond {_MOST:g} have no square that a computer can hold; scale them first")
        if isinstance(step, Convert):
            done = converted(signal, step.quantity, step.unit)
        elif step.step in _TO_A_TARGET:
            done = _TO_A_TARGET[step.step](step, signal, target)
        else:
            done = _ALONE[step.step](step, signal)
        if done.axis.size < 2:
            raise DataError("no two points are left of it; look at the regions", reason="too-few-points")
        if not np.isfinite(done.intensity).all():
            raise DataError("it left values that are no numbers", category=Category.NUMERICAL)
    except DataError as error:
        message = f"{signal.name}: {step.step}: {error}"
        raise DataError(message, category=error.category, reason=error.reason) from error
    return done


def apply_to_both(both: OnCommonAxis, steps: Sequence[AnyStep], reference: Signal, sample: Signal) -> OnCommonAxis:
    """Take steps at the points that two signals have in common.

    Parameters
    ----------
    both
        The two, after the steps that each took alone.
    steps
        What is left to do.
    reference, sample
        What they are called, and whether their axis falls.
    """
    turn = -1 if reference.falls else 1
    shared: dict[str, Any] = {
        "axis": both.axis[::turn],
        "gaps": both.gaps,
        "axis_kind": both.axis_kind,
        "axis_unit": both.axis_unit,
        "quantity": both.quantity,
        "unit": both.unit,
        "warnings": (),
    }
    one = replace(reference, intensity=both.reference[::turn], **shared)
    other = replace(sample, intensity=both.sample[::turn], **shared)
    for step in steps:
        one, other = apply(step, one, one), apply(step, other, one)
        if one.axis.size != other.axis.size or not np.array_equal(one.axis, other.axis):
            one, other = _at_the_same_points(one, other)
    kept = slice(None) if one.axis.size == both.axis.size else np.isin(both.axis, one.axis)
    return replace(
        both,
        axis=read_only(one.axis[::turn]),
        reference=read_only(one.intensity[::turn]),
        sample=read_only(other.intensity[::turn]),
        unscaled_reference=read_only(both.reference[kept]),
        unscaled_sample=read_only(both.sample[kept]),
        gaps=join_gaps((*one.gaps, *other.gaps)),
        quantity=one.quantity,
        unit=one.unit,
        warnings=(*both.warnings, *one.warnings, *other.warnings),
        reference_warnings=(*both.reference_warnings, *one.warnings),
        reference_alone=(),
        sample_alone=(),
    )


def converted(signal: Signal, quantity: Quantity, unit: str | None) -> Signal:
    """The signal as another quantity; points that have no such value leave gaps."""
    values, valid, warning = quantity_values(
        signal.intensity, (signal.quantity, signal.unit), (quantity, unit), called="the signal"
    )
    known = replace(signal, quantity=quantity, unit=unit_wanted(quantity, unit) or signal.unit)
    if warning is not None:
        warning = f"{signal.name}: {warning}"
    if valid.all():
        return known.having(values, warning)
    edges = np.flatnonzero(np.diff(np.r_[False, valid, False].astype(np.int8)))
    runs = tuple(slice(int(first), int(after)) for first, after in zip(edges[::2], edges[1::2], strict=True))
    return known.kept(runs, values, warning)


def _at_the_same_points(one: Signal, other: Signal) -> tuple[Signal, Signal]:
    """Only what both still have, where a step dropped points of one."""
    gaps = join_gaps((*one.gaps, *other.gaps))
    shared, left, right = np.intersect1d(one.axis, other.axis, assume_unique=True, return_indices=True)
    return (
        replace(one, axis=shared, intensity=one.intensity[left], gaps=gaps),
        replace(other, axis=shared, intensity=other.intensity[right], gaps=gaps),
    )


_ALONE: Mapping[str, Callable[[Any, Signal], Signal]] = MappingProxyType(
    {
        "despike": _despike.despike,
        "cut": _regions.cut,
        "mask": _regions.mask,
        "savgol": _smoothing.savgol,
        "moving-mean": _smoothing.moving_mean,
        "gaussian": _smoothing.gaussian,
        "whittaker": _smoothing.whittaker,
        "derivative": _derivatives.derivative,
        "norris-williams": _derivatives.norris_williams,
        "baseline": _baseline.subtract,
        "offset": _scaling.offset,
        "snv": _scaling.snv,
        "rnv": _scaling.rnv,
        "area": _scaling.area,
        "vector": _scaling.vector,
        "min-max": _scaling.min_max,
        "peak": _scaling.peak,
        "region": _scaling.region,
    }
)
_TO_A_TARGET: Mapping[str, Callable[[Any, Signal, Signal | None], Signal]] = MappingProxyType(
    {"msc": _scatter.msc, "emsc": _scatter.emsc}
)
