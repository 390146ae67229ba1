"""What a finished batch came to: jobs by a parameter, the best of them, and how metrics are spread."""

from __future__ import annotations

import math
import statistics as stats
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from batchlab.engine import BatchView, JobView, Json, Scalar, Status
from batchlab.errors import ConfigError

__all__ = ["Choice", "Comparison", "Spread", "best", "compare", "statistics"]

Mode = Literal["min", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a metric is spread over jobs: numbers alone count, NaN does not.

    Attributes
    ----------
    count
        How many jobs have it.
    mean, sd, standard_error
        The last two are NaN for fewer than two.
    minimum, median, maximum
        As their names say.
    """

    count: int
    mean: float
    sd: float
    standard_error: float
    minimum: float
    median: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Jobs that share a value of a parameter.

    Attributes
    ----------
    value
        Of the parameter.
    jobs
        Names of those that are done.
    metrics
        By name.
    """

    value: Json
    jobs: tuple[str, ...]
    metrics: Mapping[str, Spread]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen, and between what.

    Attributes
    ----------
    params
        Of the choice: those that differ between jobs.
    score, standard_error
        Mean of the metric over the jobs of this choice, and its standard error (NaN for one job).
    jobs
        Names of the jobs of this choice.
    rule
        In words, how it was chosen.
    candidates
        All combinations from best to worst: params and spread.
    notes
        In words, what speaks against it; none where nothing does.
    """

    params: Mapping[str, Json]
    score: float
    standard_error: float
    jobs: tuple[str, ...]
    rule: str
    candidates: tuple[tuple[Mapping[str, Json], Spread], ...] = field(repr=False)
    notes: tuple[str, ...] = ()


def statistics(view: BatchView, *, task: str | None = None) -> dict[str, Spread]:
    """How each metric is spread over the jobs that are done.

    Parameters
    ----------
    view
        Of a finished batch: ``read_view(result.root)``.
    task
        Only jobs of this task.
    """
    done = [job for job in _done(view) if task is None or job.task == task]
    names = dict.fromkeys(name for job in done for name, value in job.metrics.items() if _is_number(value))
    return {name: _spread(job.metrics.get(name) for job in done) for name in names}


def compare(view: BatchView, parameter: str) -> tuple[Comparison, ...]:
    """Jobs by the value of a parameter, whatever else differs between them, in ascending order.

    Parameters
    ----------
    view
        Of a finished batch.
    parameter
        Dotted, as in ``weights.rotation``; a leading ``params.`` may stand or not. A key of the jobs' metadata counts
        as well.

    Raises
    ------
    ConfigError
        If no job has it.
    """
    done = _done(view)
    parameter = _known(done, parameter)
    values: dict[str, tuple[Json, list[JobView]]] = {}
    for job in done:
        found, value = _value(job, parameter)
        if found:
            values.setdefault(repr(value), (value, []))[1].append(job)
    rows = []
    for value, jobs in sorted(values.values(), key=lambda row: _order(row[0])):
        names = dict.fromkeys(name for job in jobs for name, metric in job.metrics.items() if _is_number(metric))
        metrics = {name: _spread(job.metrics.get(name) for job in jobs) for name in names}
        rows.append(Comparison(value=value, jobs=tuple(job.name for job in jobs), metrics=metrics))
    return tuple(rows)


def best(
    view: BatchView,
    metric: str,
    mode: Mode = "min",
    *,
    task: str | None = None,
    over: Iterable[str] = (),
    simpler: Callable[[Mapping[str, Json]], float] | None = None,
) -> Choice:
    """The combination of params whose jobs do best by a metric.

    Parameters
    ----------
    view
        Of a finished batch.
    metric
        A metric of the jobs.
    mode
        Whether the least or the largest is best.
    task
        Only jobs of this task.
    over
        Params and metadata that tell no combinations apart, such as the fold or the file: the mean over them counts.
    simpler
        How elaborate a combination is. With it the one-standard-error rule holds: of all that do as well as the best to
        within its standard error, the simplest is chosen.

    Raises
    ------
    ConfigError
        If no job that is done has the metric as a number.
    """
    done = [job for job in _done(view) if task is None or job.task == task]
    scored = [job for job in done if _is_number(job.metrics.get(metric)) and job.metrics[metric] == job.metrics[metric]]
    if not scored:
        names = sorted({name for job in done for name in job.metrics})
        raise ConfigError(f"no job that is done has a number as metric {metric!r}{_nearest(metric, names)}")
    skipped = {name.removeprefix("params.") for name in over}
    told = _differing(scored, skipped)
    groups: dict[str, tuple[Mapping[str, Json], list[JobView]]] = {}
    for job in scored:
        params = {name: _value(job, name)[1] for name in told}
        groups.setdefault(repr(params), (params, []))[1].append(job)
    sign = 1.0 if mode == "min" else -1.0
    ranked = [(params, jobs, _spread(job.metrics[metric] for job in jobs)) for params, jobs in groups.values()]
    ranked.sort(key=lambda row: sign * row[2].mean)
    chosen, rule = ranked[0], f"{'least' if mode == 'min' else 'largest'} mean of {metric}"
    error = chosen[2].standard_error
    if simpler is not None and error == error:
        reach = sign * chosen[2].mean + error
        chosen = min((row for row in ranked if sign * row[2].mean <= reach), key=lambda row: simpler(row[0]))
        rule += ", the simplest within one standard error"
    return Choice(
        params=chosen[0],
        score=chosen[2].mean,
        standard_error=chosen[2].standard_error,
        jobs=tuple(job.name for job in chosen[1]),
        rule=rule,
        candidates=tuple((params, spread) for params, _, spread in ranked),
    )


def _done(view: BatchView) -> list[JobView]:
    return [job for job in view.jobs if job.state is Status.DONE]


def _is_number(value: Scalar | None) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _spread(values: Iterable[Scalar | None]) -> Spread:
    numbers = [float(value) for value in values if value is not None and _is_number(value) and value == value]
    if not numbers:
        nan = math.nan
        return Spread(count=0, mean=nan, sd=nan, standard_error=nan, minimum=nan, median=nan, maximum=nan)
    finite = all(map(math.isfinite, numbers))
    sd = stats.stdev(numbers) if len(numbers) > 1 and finite else math.nan
    return Spread(
        count=len(numbers),
        mean=math.fsum(numbers) / len(numbers) if finite else sum(numbers) / len(numbers),
        sd=sd,
        standard_error=sd / math.sqrt(len(numbers)),
        minimum=min(numbers),
        median=stats.median(numbers),
        maximum=max(numbers),
    )


def _value(job: JobView, name: str) -> tuple[bool, Json]:
    """Whether a job has a parameter, and its value; metadata stand in where no param is called so."""
    value: Json = dict(job.params)
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return (True, job.metadata[name]) if name in job.metadata else (False, None)
        value = value[part]
    return True, value


def _names(job: JobView) -> list[str]:
    """Dotted names of all params that are no mappings, and of metadata."""
    found: list[str] = []

    def walk(value: Mapping[str, Json], above: str) -> None:
        for name, inner in value.items():
            if isinstance(inner, Mapping) and inner:
                walk(inner, f"{above}{name}.")
            else:
                found.append(above + name)

    walk(job.params, "")
    return [*found, *(name for name in job.metadata if name not in found)]


def _differing(jobs: list[JobView], skipped: set[str]) -> list[str]:
    """Params that tell jobs apart, without those that are averaged over and what only numbers the jobs."""
    names = dict.fromkeys(name for job in jobs for name in _names(job) if name not in skipped)
    return [name for name in names if len({repr(_value(job, name)) for job in jobs}) > 1]


def _known(jobs: list[JobView], parameter: str) -> str:
    plain = parameter.removeprefix("params.")
    if any(_value(job, plain)[0] for job in jobs):
        return plain
    names = sorted({name for job in jobs for name in _names(job)})
    raise ConfigError(f"no job that is done has the parameter {parameter!r}{_nearest(plain, names)}")


def _nearest(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}" if names else ""


def _order(value: Json) -> tuple[int, float, str]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0, float(value), ""
    return 1, 0.0, str(value)
