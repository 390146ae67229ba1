"""Which options to take: those that foretell best, and of equals the smoothest."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from statistics import fmean, stdev
from typing import Literal, TypeGuard

from batchlab.builders import Choice, best
from batchlab.engine import BatchView, JobView, Json, Status
from batchlab.motion._model import Loss

__all__ = ["HELD_OUT", "find_best", "smoothness"]

HELD_OUT = "held_out_mm"
"""The metric that options are chosen by."""

_FOLDS = {HELD_OUT: "held_out_folds_mm", "held_out_trimmed_mm": "held_out_trimmed_folds_mm"}
_NEVER = ("fold", "n_train", "n_test", "held_out", "body", "markers")
_COSTS = ("cost",)
_WEIGHTS = ("weights.", "loss", "smoothing")
_STIFF = ("weights.rotation", "weights.translation")
_DATA = "weights.data_per_m"


def find_best(
    view: BatchView,
    metric: str = HELD_OUT,
    mode: Literal["min", "max"] = "min",
    *,
    over: Iterable[str] = (),
    one_standard_error: bool = True,
    simpler: Callable[[Mapping[str, Json]], float] | None = None,
) -> Choice:
    """The combination of options that does best.

    Parameters
    ----------
    view
        Of a finished sweep or cross-validation: ``read_view(result.root)``.
    metric
        By default how far hidden markers lie from where a fit puts them; ``held_out_trimmed_mm`` leaves the worst
        twentieth of them out, for recordings with gross outliers.
    mode
        Whether the least or the largest is best.
    over
        Metadata or params that tell no combinations apart: means over them count, as over folds, bodies and recordings.
    one_standard_error
        Whether the simplest is taken of all that do as well as the best to within one standard error. Of several
        recordings that is the standard error of the difference between recordings, of one that between folds: what they
        share, the noise of measurement above all, says nothing of options. Folds of a recording overlap in what they
        are fitted to and say nothing of other recordings, so with one recording, or few, it is rather too small.
    simpler
        How elaborate options are, the less the simpler; by default `smoothness`.

    Returns
    -------
    Choice
        Its standard error is that of the score: over jobs, or over folds where a job is alone.

    Raises
    ------
    ConfigError
        If no job that is done has the metric.

    Warns
    -----
    UserWarning
        If costs of jobs with different weights or losses are asked for: their unit is the weight.
    """
    jobs = [job for job in view.jobs if job.state is Status.DONE and job.task == "motion.fit"]
    # A fit of all recordings has seen what the folds hold out.
    folded = [job for job in jobs if "fold" in job.metadata]
    names = {job.name for job in folded or jobs}
    view = _only(view, names)
    choice = best(view, metric, mode, task="motion.fit", over=(*_NEVER, *over))
    if metric in _COSTS and any(name.startswith(_WEIGHTS) for params, _ in choice.candidates for name in params):
        warnings.warn(
            "jobs differ in weights or losses, so their costs are in different units: the lowest cost is that of the "
            f"lowest weight, not of the best fit; choose by {HELD_OUT}",
            UserWarning,
            stacklevel=2,
        )
    every = [_Candidate(params, _members(view, params)) for params, _ in choice.candidates]
    most = max(each.count(metric) for each in every)
    # A mean over other recordings, without one that failed, cannot be compared.
    ranked = [each for each in every if each.count(metric) == most]
    first = ranked[0]
    rule = choice.rule
    if len(ranked) < len(every):
        rule += f", among combinations whose {most} jobs are all done"
    chosen = first
    if one_standard_error:
        sign = 1.0 if mode == "min" else -1.0
        rank = simpler or smoothness
        equal = [each for each in ranked if each is first or each.within(first, metric, sign)]
        chosen = min(equal, key=lambda each: rank(each.params))
        rule += ", the simplest within one standard error"
    return Choice(
        params=chosen.params,
        score=fmean(_numbers(chosen.jobs, metric)),
        standard_error=chosen.error(metric),
        jobs=tuple(job.name for job in chosen.jobs),
        rule=rule,
        candidates=choice.candidates,
    )


def smoothness(params: Mapping[str, Json]) -> float:
    """How elaborate options are: the smoother the motion the simpler, and a plain loss before a robust one.

    Smooth is what weighs smoothness more, or data less: the ratio of the weights rules the motion.
    """
    smooth = sum(math.log(max(float(value), 1e-12)) for name in _STIFF if _is_number(value := params.get(name)))
    data = params.get(_DATA)
    loose = len(_STIFF) * math.log(float(data)) if _is_number(data) and data > 0 else 0.0
    robust = 0.0 if params.get("loss", Loss.SQUARED.value) == Loss.SQUARED.value else 1e-9
    return robust + loose - smooth


class _Candidate:
    """Jobs of one combination of options, with their scores."""

    def __init__(self, params: Mapping[str, Json], jobs: tuple[JobView, ...]) -> None:
        self.params = params
        self.jobs = jobs

    def count(self, metric: str) -> int:
        """Jobs that have the metric."""
        return len(_numbers(self.jobs, metric))

    def error(self, metric: str) -> float:
        """Standard error of the mean score."""
        values = _numbers(self.jobs, metric)
        if len(values) > 1:
            return stdev(values) / math.sqrt(len(values))
        parts = [value for job in self.jobs for value in _folds(job, metric) if math.isfinite(value)]
        return stdev(parts) / math.sqrt(len(parts)) if len(parts) > 1 else math.nan

    def within(self, other: _Candidate, metric: str, sign: float) -> bool:
        """Whether this does as well as the best to within one standard error."""
        mine, best_ones = self._scores(metric), other._scores(metric)
        shared = [name for name in mine if name in best_ones]
        if len(shared) > 1 and len(mine) == len(best_ones) == len(shared):
            apart = [sign * (mine[name] - best_ones[name]) for name in shared]
            return fmean(apart) <= stdev(apart) / math.sqrt(len(apart))
        error = other.error(metric)
        return not math.isnan(error) and sign * (fmean(mine.values()) - fmean(best_ones.values())) <= error

    def _scores(self, metric: str) -> dict[tuple[str, int], float]:
        """By what was scored: a job's recordings and fold, and the part of them that was hidden."""
        found = {}
        for job in self.jobs:
            where = repr((dict(job.inputs), job.params.get("body")))
            values = (_folds(job, metric) if len(self.jobs) == 1 else []) or _numbers([job], metric)
            found.update({(where, part): value for part, value in enumerate(values) if math.isfinite(value)})
        return found


def _folds(job: JobView, metric: str) -> list[float]:
    """Scores of a job's folds, in order; none where the metric has none."""
    return [float(part) for part in str(job.metrics.get(_FOLDS.get(metric, ""), "")).split()]


def _members(view: BatchView, params: Mapping[str, Json]) -> tuple[JobView, ...]:
    return tuple(
        job
        for job in view.jobs
        if job.state is Status.DONE and all(repr(_at(job, name)) == repr(value) for name, value in params.items())
    )


def _at(job: JobView, name: str) -> Json:
    value: Json = job.params
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return job.metadata.get(name)
        value = value[part]
    return value


def _only(view: BatchView, names: set[str]) -> BatchView:
    return replace(view, jobs=tuple(job for job in view.jobs if job.name in names))


def _numbers(jobs: Iterable[JobView], metric: str) -> list[float]:
    """Finite values of a metric."""
    return [float(value) for value in (job.metrics.get(metric) for job in jobs) if _is_number(value)]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
