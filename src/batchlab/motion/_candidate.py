"""Combinations of options beside each other: mean score, its standard error, and who does as well as the best."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias, TypeGuard

from batchlab.engine import JobView, Json

__all__ = [
    "Candidate",
    "end_note",
    "is_number",
    "numbers",
    "outlier_note",
    "outliers_rule",
    "recording_of",
    "standard_error",
]

_FOLDS = {"held_out_mm": "held_out_folds_mm", "held_out_trimmed_mm": "held_out_trimmed_folds_mm"}
_SIZES = ("weights.", "loss_scale", "anchor_mm")
# Times the score without its worst twentieth.
_RULED = 1.5

# Group, what was scored, and the part of it that was hidden.
_Part: TypeAlias = tuple[Hashable, str, int]


class Candidate:
    """Jobs of one combination of options, with their scores.

    Parameters
    ----------
    params
        The options.
    jobs
        That have them.
    groups
        By a job's name: what its recordings belong to, where that is known. Others are groups of their own.
    """

    def __init__(self, params: Mapping[str, Json], jobs: tuple[JobView, ...], groups: Mapping[str, Hashable]) -> None:
        self.params = params
        self.jobs = jobs
        self._groups = groups

    def count(self, metric: str) -> int:
        """Jobs that have the metric."""
        return len(numbers(self.jobs, metric))

    def error(self, metric: str) -> float:
        """Standard error of the mean score."""
        jobs = [job for job in self.jobs if numbers([job], metric)]
        if len(jobs) > 1:
            return standard_error(numbers(jobs, metric), [self.group(job) for job in jobs])
        parts = [value for job in self.jobs for value in _folds(job, metric) if math.isfinite(value)]
        return standard_error(parts, range(len(parts)))

    def parts(self, metric: str) -> int:
        """Folds that have the metric, of all jobs."""
        return sum(math.isfinite(value) for job in self.jobs for value in _folds(job, metric))

    def within(self, other: Candidate, metric: str, sign: float) -> bool:
        """Whether this does as well as the best to within one standard error."""
        mine, best_ones = self._scores(metric), other._scores(metric)
        shared = [name for name in mine if name in best_ones]
        if len(shared) > 1 and len(mine) == len(best_ones) == len(shared):
            apart = [sign * (mine[name] - best_ones[name]) for name in shared]
            return fmean(apart) <= standard_error(apart, [group for group, _, _ in shared])
        error = other.error(metric)
        return not math.isnan(error) and sign * (fmean(mine.values()) - fmean(best_ones.values())) <= error

    def group(self, job: JobView) -> Hashable:
        """What is not independent of other jobs of its kind: a group of recordings, or a recording."""
        return self._groups.get(job.name, recording_of(job))

    def _scores(self, metric: str) -> dict[_Part, float]:
        """By what was scored: a job's recordings and fold, and the part of them that was hidden."""
        alone = len(self.jobs) == 1
        found: dict[_Part, list[float]] = {}
        for job in self.jobs:
            where = repr((recording_of(job), job.params.get("body")))
            values = (_folds(job, metric) if alone else []) or numbers([job], metric)
            for part, value in enumerate(values):
                if math.isfinite(value):
                    found.setdefault((part if alone else self.group(job), where, part), []).append(value)
        return {part: fmean(values) for part, values in found.items()}


def standard_error(values: Sequence[float], groups: Sequence[Hashable]) -> float:
    """Of the mean of values, of which those of a group may be alike; NaN for fewer than two.

    Of one group alone nothing tells how groups differ: its values are taken to be independent.
    """
    if len(values) < 2:
        return math.nan
    if len(set(groups)) < 2:
        groups = range(len(values))
    mean = fmean(values)
    apart: dict[Hashable, float] = {}
    for value, group in zip(values, groups, strict=True):
        apart[group] = apart.get(group, 0.0) + value - mean
    square = math.fsum(each**2 for each in apart.values())
    return math.sqrt(square * len(apart) / (len(apart) - 1)) / len(values)


def recording_of(job: JobView) -> str:
    """What a job was fitted to, as one text."""
    return repr(sorted(dict(job.inputs).items()))


def end_note(chosen: Mapping[str, Json], tried: Iterable[Mapping[str, Json]]) -> str | None:
    """In words, which values of a choice are the largest or the least of those tried, so that others may do better.

    Weights and lengths count; a least value of zero, which is none at all, has nothing below it.
    """
    tried = list(tried)
    ranges, mends = [], []
    for name, value in chosen.items():
        values = [float(each[name]) for each in tried if is_number(each.get(name))]
        if not name.startswith(_SIZES) or not is_number(value) or not values or min(values) == max(values):
            continue
        if value == max(values) or (value == min(values) and value > 0):
            ranges.append(f"{name} {min(values):g} to {max(values):g}")
            mends.append(f"a {'larger' if value == max(values) else 'smaller'} {name}")
    if not ranges:
        return None
    return f"the best lies at the end of the values tried ({', '.join(ranges)}): try {' and '.join(mends)}"


def outliers_rule(score: float, trimmed: float) -> bool:
    """Whether a score is much more than without its worst twentieth, both in one unit."""
    return score > _RULED * trimmed


def outlier_note(jobs: Sequence[JobView]) -> str | None:
    """In words, in how many jobs outliers rule the score that options were chosen by; None where they do in none.

    Ask it of jobs of the best combination: one that bends the motion foretells some markers far worse without outliers.
    """
    scored = [
        tuple(numbers([job], name)[0] for name in _FOLDS)
        for job in jobs
        if all(numbers([job], name) for name in _FOLDS)
    ]
    ruled = sum(outliers_rule(*scores) for scores in scored)
    if not ruled:
        return None
    return (
        f"outliers rule the held-out score of {ruled} of {len(scored)} jobs with these options, which is much less "
        "without the worst 5 %: "
        "choose by held_out_trimmed_mm (--metric)"
    )


def numbers(jobs: Iterable[JobView], metric: str) -> list[float]:
    """Finite values of a metric."""
    return [float(value) for value in (job.metrics.get(metric) for job in jobs) if is_number(value)]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _folds(job: JobView, metric: str) -> list[float]:
    """Scores of a job's folds, in order; none where the metric has none."""
    return [float(part) for part in str(job.metrics.get(_FOLDS.get(metric, ""), "")).split()]
