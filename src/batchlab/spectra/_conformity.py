"""Does a sample conform: a tolerance band about its reference, and rules that pass or fail it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from batchlab.errors import ConfigError, DataError
from batchlab.spectra._comparison import Comparison
from batchlab.spectra._model import Array, read_only
from batchlab.spectra._rules import ALL_INSIDE, Finding, Rule, findings, parse_rule
from batchlab.spectra._signal import ascending, pieces
from batchlab.spectra._words import agreed

__all__ = [
    "Band",
    "Conformity",
    "Stretch",
    "band_about",
    "band_between",
    "band_of_replicates",
    "judge",
]

_LEAST_REPLICATES = 3
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """The signals that conform, point by point.

    Attributes
    ----------
    axis : (n,) array
        Strictly ascending.
    lower, upper : (n,) arrays
        The least and the largest signal there, in the unit of the signals that are judged: of normalised signals
        if those are.
    words
        Where it is from.
    """

    axis: Array
    lower: Array
    upper: Array
    words: str

    def __post_init__(self) -> None:
        for name in ("axis", "lower", "upper"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        if self.axis.ndim != 1 or not self.axis.shape == self.lower.shape == self.upper.shape or self.axis.size < 2:
            raise DataError(
                f"a tolerance band needs a lower and an upper limit for each of two or more points, got shapes "
                f"{self.axis.shape}, {self.lower.shape} and {self.upper.shape}",
                reason="not-a-band",
            )
        if not all(np.isfinite(each).all() for each in (self.axis, self.lower, self.upper)):
            raise DataError("a tolerance band holds values that are not finite numbers", reason="not-a-band")
        if (np.diff(self.axis) <= 0).any():
            raise DataError("the axis of a tolerance band has to run upwards", reason="not-a-band")
        crossed = self.lower > self.upper
        if crossed.any():
            raise DataError(
                f"the lower limit lies above the upper at {self.axis[np.argmax(crossed)]:g}; exchange the two there",
                reason="not-a-band",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Neighbouring points outside of a band, all above or all below it.

    Attributes
    ----------
    first, last
        Its ends, upwards along the axis.
    points
        How many.
    excess, at
        Distance from the band of the point farthest outside, positive above it, and where that is.
    """

    first: float
    last: float
    points: int
    excess: float
    at: float

    def __str__(self) -> str:
        where = f"at {self.first:g}" if self.points == 1 else f"from {self.first:g} to {self.last:g}"
        way = "above" if self.excess > 0 else "below"
        return f"{where} {way} by up to {abs(self.excess):.3g} (at {self.at:g})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformity:
    """Whether a sample passed, and where it failed.

    Attributes
    ----------
    passed
        Whether every rule holds.
    findings
        What became of each rule.
    outside
        The stretches outside of the band, the farthest outside first; empty without a band.
    numbers
        Of the band: ``outside_points, outside_percent, longest_run, largest_excess, largest_excess_at``.
    warnings
        What the band could not judge.
    """

    passed: bool
    findings: tuple[Finding, ...]
    outside: tuple[Stretch, ...]
    numbers: dict[str, float | int]
    warnings: tuple[str, ...]

    @property
    def words(self) -> str:
        """The verdict in a sentence: what failed, and where."""
        failed = [str(each) for each in self.findings if not each.passed]
        if not failed:
            return f"conforms: {len(self.findings)} of {len(self.findings)} rules hold"
        text = f"does not conform: {'; '.join(failed)}"
        if self.outside:
            more = len(self.outside) - _MOST_NAMED
            text += f"; outside {', '.join(map(str, self.outside[:_MOST_NAMED]))}"
            text += f" and in {more} more places" if more > 0 else ""
        return text

    @property
    def metrics(self) -> dict[str, float | int | str | bool]:
        """Flat, for a table: ``conforms``, ``verdict`` and the numbers of the band."""
        return {"conforms": self.passed, "verdict": self.words, **self.numbers}


def band_of_replicates(axis: ArrayLike, replicates: ArrayLike, *, k: float = 3.0, least: float = 0.0) -> Band:
    """Mean ± k standard deviations of replicates, point by point.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone.
    replicates : (m, n) array
        Three or more spectra on it, prepared as the samples will be.
    k
        How many standard deviations (with m - 1 in their denominator) either way. With few replicates they are
        uncertain: of three, 3 standard deviations hold a fourth only nine times in ten.
    least
        Least half-width, in the signals' unit, where the replicates happen to agree.

    Raises
    ------
    DataError
        Reason ``too-few-replicates``, or ``not-a-band``.
    """
    values = np.atleast_2d(np.asarray(replicates, dtype=np.float64))
    if len(values) < _LEAST_REPLICATES:
        raise DataError(
            f"a tolerance band needs {_LEAST_REPLICATES} replicates or more, got {len(values)}; measure more, or give "
            "limits",
            reason="too-few-replicates",
        )
    if not k > 0:
        raise ConfigError(f"k is how many standard deviations a band is wide either way, not {k:g}")
    half = np.maximum(k * values.std(axis=0, ddof=1), least)
    return band_about(axis, values.mean(axis=0), half, words=f"mean ± {k:g} sd of {len(values)} replicates")


def band_about(axis: ArrayLike, centre: ArrayLike, tolerance: ArrayLike, *, words: str = "") -> Band:
    """A band that reaches a tolerance either way from its centre.

    Parameters
    ----------
    axis, centre : (n,) arrays
        Such as those of the reference; the axis strictly monotone.
    tolerance : float or (n,) array
        Half the width, in the signals' unit; not negative.
    words
        Where it is from.
    """
    middle, half = np.asarray(centre, dtype=np.float64), np.asarray(tolerance, dtype=np.float64)
    if half.ndim == 0 and not words:
        words = f"± {float(half):g}"
    return band_between(axis, middle - half, middle + half, words=words or "centre ± tolerance")


def band_between(axis: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, words: str = "lower and upper limits") -> Band:
    """A band between two limits, such as the columns of a file.

    Parameters
    ----------
    axis, lower, upper : (n,) arrays
        In any direction.
    words
        Where it is from.
    """
    x = np.asarray(axis, dtype=np.float64)
    turn = -1 if x.ndim == 1 and x.size > 1 and x[0] > x[-1] else 1
    low, high = (np.asarray(each, dtype=np.float64)[::turn] for each in (lower, upper))
    return Band(axis=x[::turn], lower=low, upper=high, words=words)


def judge(comparison: Comparison, rules: Iterable[Rule | str] | None = None, band: Band | None = None) -> Conformity:
    """Hold a comparison against rules, and its sample against a band.

    Parameters
    ----------
    comparison
        Its sample, as compared, is held against the band, in the points that the band's axis reaches and no mask
        hides; the band is interpolated linearly.
    rules
        See `parse_rule`. Where there is a band and none of them is about it, one more: no point lies outside.
    band
        In the unit of the comparison's axis and of its normalised signals.

    Raises
    ------
    ConfigError
        No rule and no band; a rule that cannot be read, or whose number was not computed.
    DataError
        Reason ``no-overlap``: the band reaches no point of the sample.
    """
    try:
        known = [parse_rule(rule) if isinstance(rule, str) else rule for rule in rules or ()]
        if not known and band is None:
            raise ValueError("without a rule and without a tolerance band nothing can fail; give one")
        numbers: dict[str, float | int] = {}
        outside: tuple[Stretch, ...] = ()
        warnings: tuple[str, ...] = ()
        if band is not None:
            outside, numbers, warnings = _against(comparison, band)
            if not any(rule.of_band for rule in known):
                known.append(ALL_INSIDE)
        found = findings(known, {**comparison.metrics, **numbers})
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return Conformity(
        passed=all(each.passed for each in found),
        findings=found,
        outside=outside,
        numbers=numbers,
        warnings=warnings,
    )


def _against(comparison: Comparison, band: Band) -> tuple[tuple[Stretch, ...], dict[str, float | int], tuple[str, ...]]:
    axis, sample = ascending(comparison.axis, comparison.sample)
    shown = np.ones(axis.size, dtype=bool)
    for low, high in comparison.masks:
        shown &= (axis < low) | (axis > high)
    reached = (axis >= band.axis[0]) & (axis <= band.axis[-1])
    judged = shown & reached
    if not judged.any():
        raise DataError(
            f"the tolerance band spans {band.axis[0]:g} to {band.axis[-1]:g}, the comparison {axis[0]:g} to "
            f"{axis[-1]:g}: no point can be judged; give a band in the comparison's axis unit",
            reason="no-overlap",
        )
    # What is under a mask is not judged because that was asked for; it is no surprise to anybody.
    beyond = int(np.count_nonzero(shown & ~reached))
    warnings: tuple[str, ...] = ()
    if beyond:
        warnings = (
            f"{beyond} of {axis.size} points {agreed(beyond, 'lies', 'lie')} beyond the tolerance band, which spans "
            f"{band.axis[0]:g} to {band.axis[-1]:g}, and {agreed(beyond, 'is', 'are')} not judged",
        )
    x, y = axis[judged], sample[judged]
    above, below = y - np.interp(x, band.axis, band.upper), y - np.interp(x, band.axis, band.lower)
    excess = np.where(above > 0, above, np.where(below < 0, below, 0.0))
    stretches = [
        _stretch(x, excess, piece.start + first, piece.start + after)
        for piece in pieces(x, comparison.masks)
        for first, after in _runs(np.sign(excess[piece]))
    ]
    count, worst = int(np.count_nonzero(excess)), int(np.argmax(np.abs(excess)))
    numbers: dict[str, float | int] = {
        "outside_points": count,
        "outside_percent": 100.0 * count / x.size,
        "longest_run": max(
            (b - a for piece in pieces(x, comparison.masks) for a, b in _runs(np.abs(np.sign(excess[piece])))),
            default=0,
        ),
        "largest_excess": float(abs(excess[worst])),
        "largest_excess_at": float(x[worst]) if count else math.nan,
    }
    return tuple(sorted(stretches, key=lambda each: -abs(each.excess))), numbers, warnings


def _runs(sides: Array) -> list[tuple[int, int]]:
    """Where points on one side of the band follow each other: first, and one beyond the last."""
    edges = np.flatnonzero(np.diff(sides, prepend=0.0, append=0.0))
    return [(int(a), int(b)) for a, b in itertools.pairwise(edges) if sides[a] != 0]


def _stretch(x: Array, excess: Array, first: int, after: int) -> Stretch:
    worst = first + int(np.argmax(np.abs(excess[first:after])))
    return Stretch(
        first=float(x[first]),
        last=float(x[after - 1]),
        points=after - first,
        excess=float(excess[worst]),
        at=float(x[worst]),
    )
