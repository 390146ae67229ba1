"""Which options to take: those that foretell best, and of equals the smoothest."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from statistics import fmean
from typing import Literal

from batchlab.builders import Choice, Spread, best
from batchlab.engine import BatchView, JobView, Json, Status
from batchlab.motion._candidate import Candidate, end_note, is_number, numbers, outlier_note, recording_of
from batchlab.motion._files import grouping
from batchlab.motion._model import Loss

__all__ = ["HELD_OUT", "TRAINING", "find_best", "smoothness"]

HELD_OUT = "held_out_mm"
"""The metric that options are chosen by."""

_COSTS = ("cost", "cost_start")
TRAINING = (*_COSTS, "rms_mm", "median_mm", "chi2_reduced", "test_rms_mm", "test_median_mm", "test_chi2_reduced")
"""Metrics of markers that poses were fitted to: they compare fits of equal weights alone."""

_NEVER = ("fold", "n_train", "n_test", "held_out", "body", "markers")
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
    group: str | Callable[[str], Hashable] | None = None,
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
    group
        What is not independent, such as recordings of a subject: ``subject_{subject}_*.csv``, or a function of the
        path. By default what a cross-validation in the same batch held out together; else recordings count as
        independent, and `rule` says so.

    Returns
    -------
    Choice
        Its standard error is that of the score: over jobs, in groups where these are known, or over folds where a job
        is alone, and so are those of its candidates; `rule` says which. Its notes say where the best lies at the end
        of the values tried, and where outliers rule the score.

    Raises
    ------
    ConfigError
        If no job that is done has the metric, or `group` does not match a recording.

    Warns
    -----
    UserWarning
        If jobs with different weights or losses are to be compared by cost, whose unit is the weight, or by residuals
        of markers that were fitted, which are least where nothing is smoothed.
    """
    jobs = [job for job in view.jobs if job.state is Status.DONE and job.task == "motion.fit"]
    # A fit of all recordings has seen what the folds hold out.
    folded = [job for job in jobs if "fold" in job.metadata]
    names = {job.name for job in folded or jobs}
    groups = _groups(view, group)
    view = _only(view, names)
    choice = best(view, metric, mode, task="motion.fit", over=(*_NEVER, *over))
    warning = _training_note(metric, choice.candidates)
    if warning is not None:
        warnings.warn(warning, UserWarning, stacklevel=2)
    every = [Candidate(params, _members(view, params), groups) for params, _ in choice.candidates]
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
    rule += _counted(first, metric, bool(groups))
    ends = None if metric in TRAINING else end_note(chosen.params, (params for params, _ in choice.candidates))
    ruled = outlier_note(chosen.jobs) if metric == HELD_OUT else None
    return Choice(
        params=chosen.params,
        score=fmean(numbers(chosen.jobs, metric)),
        standard_error=chosen.error(metric),
        jobs=tuple(job.name for job in chosen.jobs),
        rule=rule,
        candidates=tuple(
            (params, replace(spread, standard_error=each.error(metric)))
            for each, (params, spread) in zip(every, choice.candidates, strict=True)
        ),
        notes=tuple(note for note in (ends, ruled) if note is not None),
    )


def smoothness(params: Mapping[str, Json]) -> float:
    """How elaborate options are: the smoother the motion the simpler, and a plain loss before a robust one.

    Smooth is what weighs smoothness more, or data less: the ratio of the weights rules the motion.
    """
    smooth = sum(math.log(max(float(value), 1e-12)) for name in _STIFF if is_number(value := params.get(name)))
    data = params.get(_DATA)
    loose = len(_STIFF) * math.log(float(data)) if is_number(data) and data > 0 else 0.0
    robust = 0.0 if params.get("loss", Loss.SQUARED.value) == Loss.SQUARED.value else 1e-9
    return robust + loose - smooth


def _training_note(metric: str, candidates: Iterable[tuple[Mapping[str, Json], Spread]]) -> str | None:
    """Why a metric of what was fitted must not choose between these options; None if it may."""
    if metric not in TRAINING or not any(name.startswith(_WEIGHTS) for params, _ in candidates for name in params):
        return None
    if metric in _COSTS:
        return (
            "jobs differ in weights or losses, so their costs are in different units: the lowest cost is that of the "
            f"lowest weight, not of the best fit; choose by {HELD_OUT}"
        )
    return (
        f"jobs differ in weights or losses, and {metric} tells how closely a fit follows markers that it was shown: it "
        f"is least where least is asked of the motion, not where the fit is best; choose by {HELD_OUT}"
    )


def _groups(view: BatchView, group: str | Callable[[str], Hashable] | None) -> dict[str, Hashable]:
    """What the recordings of jobs belong to, by the jobs' names, where somebody said it."""
    if group is None:
        parts: dict[str, Hashable] = {}
        for job in view.jobs:
            told = job.params.get("parts") if job.task == "motion.validate" else None
            parts.update(told if isinstance(told, Mapping) else {})
        return parts
    of = grouping(group) if isinstance(group, str) else group
    found: dict[str, Hashable] = {}
    for job in view.jobs:
        files = job.inputs.get("test") or job.inputs.get("recordings") or ()
        found[job.name] = frozenset(of(file) for file in ([files] if isinstance(files, str) else files))
    return found


def _counted(first: Candidate, metric: str, grouped: bool) -> str:
    """Over what the standard error is, in words; nothing where there is none."""
    if math.isnan(first.error(metric)):
        return ""
    if first.count(metric) == 1:
        return f"; errors over {first.parts(metric)} folds of one fit"
    recordings = len({recording_of(job) for job in first.jobs})
    groups = len({first.group(job) for job in first.jobs})
    if grouped and 1 < groups < recordings:
        return f"; errors over {groups} groups of recordings"
    if recordings < 2:
        return f"; errors over {first.count(metric)} fits of one recording"
    if grouped and groups == recordings:
        return f"; errors over {recordings} recordings"
    what = "folds" if any("fold" in job.metadata for job in first.jobs) else "recordings"
    return f"; errors over {recordings} {what}, counted as independent"


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
