"""The numbers of a batch: counts, timings, memory and metrics, as plain data for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from batchlab.engine import BatchView, JobView, RunView, Status
from batchlab.reports._failures import failures

_SLOWEST = 10


def statistics(view: BatchView) -> dict[str, Any]:
    """Everything that ``batch_statistics.json`` holds.

    Parameters
    ----------
    view
        The batch as recorded.

    Returns
    -------
    dict
        JSON data: ``batch, root, state, as_of`` (the latest time recorded), ``jobs, counts, items, warnings,
        failures, elapsed`` (``all`` and ``by_task``: n, total, mean, median, p95 and max in s), ``stages`` (by task
        and stage: total and mean in s, share of the jobs' run time), ``slowest, peak_memory_mb, metrics`` (by
        task and name: n, nonfinite, mean, sample std, min, median, max, over the finite values; of positions the range
        alone), ``runs`` (each
        with its ``cache``: hits, misses, hit_rate; None where no cache was asked), ``environment`` (of the
        last run). Quantiles interpolate linearly. What is not known, NaN and infinities are None.
    """
    timed = [job for job in view.jobs if job.elapsed_s is not None]
    return {
        "batch": view.batch,
        "root": view.root,
        "state": str(view.state),
        "as_of": as_of(view),
        "jobs": len(view.jobs),
        "counts": {str(state): view.counts.get(state, 0) for state in Status},
        "items": item_counts(view),
        "warnings": sum(len(job.warnings) for job in view.jobs),
        "failures": [asdict(group) for group in failures(view)],
        "elapsed": {
            "all": timing(timed),
            "by_task": {task: timing(jobs) for task, jobs in by_task(timed).items()},
        },
        "stages": stage_times(view),
        "slowest": [{"name": job.name, "elapsed_s": job.elapsed_s} for job in slowest(view)],
        "peak_memory_mb": peak_memory(view),
        "metrics": metric_statistics(view),
        "runs": [finite_only(asdict_run(run)) for run in view.runs],
        "environment": dict(view.runs[-1].environment) if view.runs else {},
    }


def item_counts(view: BatchView) -> dict[str, int]:
    """How many items there are of each state that occurs."""
    counts: dict[str, int] = {}
    for job in view.jobs:
        for item in job.items:
            counts[str(item.status)] = counts.get(str(item.status), 0) + 1
    return dict(sorted(counts.items()))


def by_task(jobs: Iterable[JobView]) -> dict[str, list[JobView]]:
    """Jobs of each task, tasks in the order they first occur."""
    found: dict[str, list[JobView]] = {}
    for job in jobs:
        found.setdefault(job.task, []).append(job)
    return found


def timing(jobs: Sequence[JobView]) -> dict[str, float | int | None]:
    """Total, mean, median, 95th percentile and maximum of the jobs' run times, in s."""
    times = sorted(t for job in jobs if (t := job.elapsed_s) is not None and math.isfinite(t))
    total = math.fsum(times)
    return {
        "n": len(times),
        "total_s": total,
        "mean_s": total / len(times) if times else None,
        "median_s": quantile(times, 0.5),
        "p95_s": quantile(times, 0.95),
        "max_s": times[-1] if times else None,
    }


def stage_times(view: BatchView) -> dict[str, dict[str, dict[str, float]]]:
    """How the run time of each task's jobs is spread over their stages: total and mean in s, share from 0 to 1.

    Jobs without stages are left out; what is missing to a share of 1 was spent outside of all stages.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for task, jobs in by_task(view.jobs).items():
        staged = [(job, spent) for job in jobs if (spent := {k: v for k, v in job.stages.items() if 0 <= v < math.inf})]
        totals: dict[str, list[float]] = {}
        for _, spent in staged:
            for name, seconds in spent.items():
                totals.setdefault(name, []).append(seconds)
        sums = {name: math.fsum(values) for name, values in totals.items()}
        # A job that still runs has stages and no run time yet: then it is at least the sum of its stages.
        whole = math.fsum(max(job.elapsed_s or 0.0, math.fsum(spent.values())) for job, spent in staged)
        if whole > 0 and math.isfinite(whole):
            found[task] = {
                name: {"total_s": total, "mean_s": total / len(staged), "share": total / whole}
                for name, total in sums.items()
            }
    return found


def cache_facts(run: RunView) -> dict[str, float | int] | None:
    """Hits, misses and the share of hits of the caches that tasks keep in their workers; None if none was asked."""
    hits, misses = run.cache.get("hits", 0), run.cache.get("misses", 0)
    return {"hits": hits, "misses": misses, "hit_rate": hits / (hits + misses)} if hits + misses else None


def as_of(view: BatchView) -> str | None:
    """The latest time recorded: of a run's or an attempt's start or end, in UTC; None if nothing was run."""
    times = [(text, None) for run in view.runs for text in (run.started_at, run.ended_at) if text is not None]
    tries = [(attempt.started_at, attempt.elapsed_s) for job in view.jobs for attempt in job.history]
    known = [moment for text, elapsed_s in (*times, *tries) if (moment := _moment(text, elapsed_s)) is not None]
    return max(known).isoformat(timespec="milliseconds").replace("+00:00", "Z") if known else None


def _moment(text: str, elapsed_s: float | None) -> datetime | None:
    """So long after a recorded time; None if that is no time."""
    try:
        began = datetime.fromisoformat(text)
        aware = began.replace(tzinfo=UTC) if began.tzinfo is None else began.astimezone(UTC)
        return aware + timedelta(seconds=elapsed_s or 0.0)
    except (ValueError, OverflowError):
        return None


def slowest(view: BatchView) -> list[JobView]:
    """The jobs that took longest, slowest first; equal ones in plan order."""
    timed = [job for job in view.jobs if job.elapsed_s is not None and math.isfinite(job.elapsed_s)]
    return sorted(timed, key=lambda job: -(job.elapsed_s or 0.0))[:_SLOWEST]


def peak_memory(view: BatchView) -> dict[str, Any]:
    """Largest and median peak memory of the jobs, in MB, and the job that needed most."""
    known = [(m, job.name) for job in view.jobs if (m := job.peak_memory_mb) is not None and math.isfinite(m)]
    most = max(known, key=lambda entry: entry[0], default=(None, None))
    return {"max": most[0], "job": most[1], "median": quantile(sorted(m for m, _ in known), 0.5)}


def metric_statistics(view: BatchView) -> dict[str, dict[str, dict[str, Any]]]:
    """Statistics of every numeric metric, by task and name."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for task, jobs in by_task(view.jobs).items():
        named = {name: describe_metric(name, values) for name, values in numeric_metrics(jobs).items()}
        if named:
            found[task] = named
    return found


def numeric_metrics(jobs: Iterable[JobView]) -> dict[str, list[float]]:
    """Values of each metric that is a number in every job that has it; truth values and texts are none."""
    values: dict[str, list[float]] = {}
    other: set[str] = set()
    for job in jobs:
        for name, value in job.metrics.items():
            number = as_number(value)
            if number is not None:
                values.setdefault(name, []).append(number)
            elif value is not None:
                other.add(name)
    return {name: numbers for name, numbers in values.items() if name not in other}


def as_number(value: object) -> float | None:
    """A number as float; None for what is no number, or an integer beyond all floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def describe(values: Iterable[float]) -> dict[str, Any]:
    """n, mean, sample standard deviation, min, median, max of the finite values; how many are not finite."""
    every = list(values)
    finite = sorted(v for v in every if math.isfinite(v))
    n = len(finite)
    if not n:
        return {
            "n": 0,
            "nonfinite": len(every),
            **dict.fromkeys(("mean", "std", "min", "median", "max")),
        }
    # Scaled, so that neither sums nor squares overflow near the ends of the float range.
    scale = max(abs(finite[0]), abs(finite[-1])) or 1.0
    mean = math.fsum(v / scale for v in finite) / n
    spread = math.sqrt(math.fsum((v / scale - mean) ** 2 for v in finite) / (n - 1)) if n > 1 else None
    return {
        "n": n,
        "nonfinite": len(every) - n,
        "mean": mean * scale,
        "std": None if spread is None or math.isinf(spread * scale) else spread * scale,
        "min": finite[0],
        "median": quantile(finite, 0.5),
        "max": finite[-1],
    }


def describe_metric(name: str, values: Iterable[float]) -> dict[str, Any]:
    """The same for a metric; of a position, such as ``max_deviation_at``, the range alone.

    Where something lies in one job has nothing to do with where it lies in another: their mean is a place of nothing.
    """
    facts = describe(values)
    return {**facts, **dict.fromkeys(("mean", "std", "median"))} if is_position(name) else facts


def is_position(name: str) -> bool:
    """Whether a metric says where something is: its name ends in ``_at``, before the region that it may be of."""
    return name.partition("[")[0].endswith("_at")


def quantile(ordered: Sequence[float], fraction: float) -> float | None:
    """Quantile of ascending values by linear interpolation; None without values."""
    if not ordered:
        return None
    place = fraction * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    share = place - low
    return ordered[low] * (1 - share) + ordered[high] * share


def asdict_run(run: RunView) -> dict[str, Any]:
    """A run as a dict of plain mappings, also where a field is a read-only mapping."""
    return {
        "number": run.number,
        "state": str(run.state),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "elapsed_s": run.elapsed_s,
        "workers": run.workers,
        "reason": run.reason,
        "environment": dict(run.environment),
        "settings": dict(run.settings),
        "source": run.source,
        "cache": cache_facts(run),
    }


def finite_only(value: Any) -> Any:
    """The same JSON data with None for NaN and infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite_only(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite_only(inner) for inner in value]
    return value
