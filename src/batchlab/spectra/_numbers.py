"""Compute the numbers asked for of two signals, for the whole axis and for regions of it, without the masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra import _metrics as formulas
from batchlab.spectra._measures import of_region
from batchlab.spectra._model import Array
from batchlab.spectra._normalization import area
from batchlab.spectra._signal import Gap, pieces

__all__ = ["Pair", "numbers_of", "region_numbers"]

_LEAST_POINTS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two signals that are judged.

    Attributes
    ----------
    axis : (n,) array
        Strictly monotone.
    reference, sample : (n,) arrays
        As they are compared: normalised.
    raw_reference, raw_sample : (n,) arrays
        Before they were normalised.
    gaps
        Ranges without points, across which nothing is computed.
    """

    axis: Array
    reference: Array
    sample: Array
    raw_reference: Array
    raw_sample: Array
    gaps: tuple[Gap, ...] = ()

    def at(self, kept: NDArray[np.bool_], gaps: tuple[Gap, ...] | None = None) -> Pair:
        """The same at fewer points."""
        return Pair(
            axis=self.axis[kept],
            reference=self.reference[kept],
            sample=self.sample[kept],
            raw_reference=self.raw_reference[kept],
            raw_sample=self.raw_sample[kept],
            gaps=self.gaps if gaps is None else gaps,
        )

    @cached_property
    def r(self) -> float:
        """Their correlation, which several numbers need."""
        return formulas.pearson_r(self.reference, self.sample)

    @cached_property
    def rmse(self) -> float:
        """Their root mean square difference, likewise."""
        return formulas.rmse(self.reference, self.sample)

    @cached_property
    def farthest(self) -> tuple[float, float]:
        """The largest deviation and where it is."""
        return formulas.max_deviation(self.axis, self.reference, self.sample)

    @property
    def runs(self) -> tuple[slice, ...]:
        """The points between gaps."""
        return pieces(self.axis, self.gaps)


def _derivative_r(pair: Pair) -> float:
    long = [run for run in pair.runs if run.stop - run.start >= _LEAST_POINTS]
    slopes = [
        np.concatenate([formulas.derivative(pair.axis[run], signal[run]) for run in long])
        for signal in (pair.reference, pair.sample)
    ]
    return formulas.pearson_r(*slopes)


def _area_ratio(pair: Pair) -> float:
    below, above = (
        sum(area(pair.axis[run], signal[run]) for run in pair.runs) for signal in (pair.raw_reference, pair.raw_sample)
    )
    return above / below if below else math.nan


_COMPUTE: Mapping[str, Callable[[Pair], float]] = {
    "pearson_r": lambda pair: pair.r,
    "derivative_r": _derivative_r,
    "rmse": lambda pair: pair.rmse,
    "relative_rmse": lambda pair: pair.rmse / formulas.spread(pair.reference),
    "mae": lambda pair: formulas.mae(pair.reference, pair.sample),
    "max_deviation": lambda pair: pair.farthest[0],
    "max_deviation_at": lambda pair: pair.farthest[1],
    "spectral_angle_deg": lambda pair: formulas.spectral_angle_deg(pair.reference, pair.sample),
    "cosine": lambda pair: formulas.cosine(pair.reference, pair.sample),
    "sid": lambda pair: formulas.sid(pair.reference, pair.sample),
    "euclid": lambda pair: pair.rmse * math.sqrt(pair.reference.size),
    "hqi": lambda pair: formulas.hqi_of_r(pair.r),
    "area_ratio": _area_ratio,
}


def numbers_of(pair: Pair, names: Iterable[str]) -> tuple[dict[str, float], list[str]]:
    """The numbers of these names, and what to warn of: a number that these signals do not have is NaN."""
    found: dict[str, float] = {}
    warnings: list[str] = []
    for name in names:
        try:
            found[name] = _COMPUTE[name](pair)
        except DataError as error:
            found[name] = math.nan
            warnings.append(f"no {name}: {error}")
    if math.isnan(found.get("area_ratio", 0.0)):
        warnings.append("the reference's area is zero, so there is no area ratio")
    return found, warnings


def region_numbers(
    pair: Pair, regions: Mapping[str, tuple[float, float]], names: Iterable[str]
) -> tuple[dict[str, float], list[str]]:
    """The numbers of each region, named such as ``pearson_r[C-H]``; NaN for a region that too few points lie in."""
    wanted = tuple(names)
    found: dict[str, float] = {}
    warnings: list[str] = []
    for region, (one, other) in regions.items():
        low, high = min(one, other), max(one, other)
        inside = (pair.axis >= low) & (pair.axis <= high)
        if np.count_nonzero(inside) < _LEAST_POINTS:
            numbers = dict.fromkeys(wanted, math.nan)
            told = [f"fewer than {_LEAST_POINTS} points that both have lie between {low:g} and {high:g}"]
        else:
            numbers, told = numbers_of(pair.at(inside), wanted)
        found.update((of_region(name, region), value) for name, value in numbers.items())
        warnings += [f"region {region}: {text}" for text in told]
    return found, warnings
