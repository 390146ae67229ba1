"""What jobs and batches came to."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from batchlab.compat.motion._plan import Planned
from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.errors import Category, ConfigError
from batchlab.motion._best import HELD_OUT, TRAINING

__all__ = ["BatchJobResult", "BatchResult", "OptimizationResult", "metric_of", "result_of", "told_of_costs"]

_METRICS = {
    "final_cost": "cost",
    "held-out": HELD_OUT,
    "held_out": HELD_OUT,
    "rms": "rms_mm",
    "residual": "rms_mm",
    "reduced_chi_square": "chi2_reduced",
    "duration": "duration_s",
    "duration_seconds": "duration_s",
}
_CONVERGED, _LIMIT, _DEGENERATE = "converged", "iteration-limit", "degenerate"


def metric_of(name: str) -> str:
    """The metric that a name of these calls means."""
    return _METRICS.get(name, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationResult:
    """How a solve ended, in numbers.

    Attributes
    ----------
    status
        ``converged`` or ``iteration-limit``.
    iterations
        Steps.
    initial_cost, final_cost
        Half the sum of squares of weighted residuals, robust where asked. Their unit is that of the weights: costs of
        jobs with other weights say nothing of each other.
    held_out_mm, held_out_se_mm
        How far hidden markers lie from where the fit puts them, and its standard error; None if nothing was hidden.
    rms_mm
        Of distances of measured markers from fitted ones; NaN of an eye, whose `metrics` have ``rms_px``.
    metrics
        All that the job measured.
    """

    status: str
    iterations: int
    initial_cost: float
    final_cost: float
    rms_mm: float
    held_out_mm: float | None
    held_out_se_mm: float | None
    metrics: Mapping[str, Scalar] = field(repr=False)

    @property
    def success(self) -> bool:
        """Whether it converged."""
        return self.status == _CONVERGED

    @property
    def cost_reduction(self) -> float:
        """How much of the initial cost is gone, in %."""
        if self.initial_cost == 0.0:
            return 0.0
        return 100.0 * (self.initial_cost - self.final_cost) / self.initial_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJobResult:
    """What one job came to.

    Attributes
    ----------
    job_id, job_name, metadata
        As it was asked for.
    status
        ``converged``, ``iteration-limit``, ``degenerate``, ``timed-out``, ``failed``, ``missing-input``, ``cancelled``
        or ``not-run``.
    success
        Whether it converged: that there was no error is not enough.
    optimization_result
        Of a solve that ended, converged or not.
    error
        Why it is no success, in words; None if it is one.
    start_time, end_time, duration
        Of its last try; UTC, and in s.
    output_dir
        Where its files are.
    parameters
        By dotted path: what tells it from other jobs.
    warnings
        What it had to say.
    """

    job_id: str
    job_name: str
    status: str
    success: bool
    optimization_result: OptimizationResult | None
    error: str | None
    start_time: datetime | None
    end_time: datetime | None
    duration: float | None
    metadata: Mapping[str, Any]
    output_dir: Path
    parameters: Mapping[str, Any]
    warnings: tuple[str, ...] = field(repr=False)

    @property
    def duration_seconds(self) -> float | None:
        """`duration`."""
        return self.duration

    @property
    def cost_reduction_percent(self) -> float | None:
        """How much of the initial cost is gone, in %; None if no solve ended."""
        return None if self.optimization_result is None else self.optimization_result.cost_reduction

    def metric(self, name: str) -> float | None:
        """A number by its name, such as ``held_out_mm`` or ``final_cost``; None if it has none."""
        name = metric_of(name)
        if name == "duration_s":
            return self.duration
        value = None if self.optimization_result is None else self.optimization_result.metrics.get(name)
        return float(value) if isinstance(value, (int, float)) and value == value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What a batch came to.

    Attributes
    ----------
    batch_name, output_root
        Of the batch.
    job_results
        In the order of its jobs.
    total_duration
        Of the run in s.
    view
        The same as the engine tells it.
    metadata
        Of the batch.
    """

    batch_name: str
    output_root: Path
    job_results: tuple[BatchJobResult, ...]
    total_duration: float
    view: BatchView = field(repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total_jobs(self) -> int:
        """How many jobs there are."""
        return len(self.job_results)

    @property
    def successful_jobs(self) -> int:
        """How many of them converged."""
        return sum(job.success for job in self.job_results)

    @property
    def failed_jobs(self) -> int:
        """How many did not."""
        return self.total_jobs - self.successful_jobs

    @property
    def success_rate(self) -> float:
        """Share of jobs that converged, from 0 to 1; 0 without jobs."""
        return self.successful_jobs / self.total_jobs if self.total_jobs else 0.0

    @property
    def average_duration(self) -> float | None:
        """Mean of the durations in s of jobs whose solves ended; None if none did."""
        times = [job.duration or 0.0 for job in self.job_results if job.optimization_result is not None]
        return sum(times) / len(times) if times else None

    def get_best_result(self, metric: str | None = None) -> BatchJobResult | None:
        """The successful job with the least of a metric; None if there is no successful job.

        By default that is the held-out score where all have one, and else the residual, which tells recordings of one
        set of weights apart. Final costs are compared on wish: `metric` ``final_cost``.

        Warns
        -----
        UserWarning
            If jobs with different weights are compared by cost or residual.
        """
        return min(self._ranked(metric), key=lambda pair: pair[0], default=(0.0, None))[1]

    def get_worst_result(self, metric: str | None = None) -> BatchJobResult | None:
        """The successful job with the most of a metric; as `get_best_result`."""
        return max(self._ranked(metric), key=lambda pair: pair[0], default=(0.0, None))[1]

    def summary(self) -> str:
        """What happened, in a few lines."""
        counted = f"{self.successful_jobs} of {self.total_jobs} jobs converged ({100.0 * self.success_rate:.1f} %)"
        lines = [f"{self.batch_name}: {counted} in {self.total_duration:.1f} s; in {self.output_root}"]
        done = [job for job in self.job_results if job.success]
        if len(done) > 1:
            metric = self._usual(done)
            told = told_of_costs(done) if metric != HELD_OUT else None
            if told is None:
                for word, chosen in (("best", self.get_best_result()), ("worst", self.get_worst_result())):
                    if chosen is not None:
                        lines.append(f"  {word}: {chosen.job_name}, {metric} {chosen.metric(metric):.4g}")
        lines += [f"  {job.job_name}: {job.status}, {job.error}" for job in self.job_results if not job.success]
        return "\n".join(lines)

    def _ranked(self, metric: str | None) -> list[tuple[float, BatchJobResult]]:
        done = [job for job in self.job_results if job.success]
        if not done:
            return []
        name = metric_of(metric or self._usual(done))
        found = [(value, job) for job in done if (value := job.metric(name)) is not None]
        if not found:
            known = sorted(done[0].optimization_result.metrics) if done[0].optimization_result else []
            raise ConfigError(f"no successful job has the metric {metric!r}; there are {', '.join(known)}")
        told = told_of_costs(done) if name in TRAINING else None
        if told is not None:
            warnings.warn(told, UserWarning, stacklevel=3)
        return found

    @staticmethod
    def _usual(done: Sequence[BatchJobResult]) -> str:
        return HELD_OUT if all(job.metric(HELD_OUT) is not None for job in done) else "rms_mm"


def told_of_costs(jobs: Sequence[BatchJobResult]) -> str | None:
    """Why costs and residuals of these jobs must not be compared; None if they may be."""
    names = sorted({name for job in jobs for name in job.parameters if name.startswith(("weights.", "optimization."))})
    named = [name for name in names if len({repr(job.parameters.get(name)) for job in jobs}) > 1]
    weighing = [name for name in named if not name.startswith("optimization.") or "robust" in name]
    if not weighing:
        return None
    return (
        f"jobs differ in {', '.join(weighing)}, so their costs are in different units and their residuals are least "
        "where nothing is smoothed: the lowest is that of the lowest weight, not of the best fit; compare held-out "
        "scores"
    )


def result_of(planned: Planned, view: BatchView, elapsed_s: float) -> BatchResult:
    """What the engine recorded, in the words of these calls."""
    seen = {job.name: job for job in view.jobs}
    jobs = tuple(_job_result(planned, name, seen.get(name)) for name in planned.jobs)
    return BatchResult(
        batch_name=planned.batch.name,
        output_root=planned.batch.output,
        job_results=jobs,
        total_duration=elapsed_s,
        view=view,
        metadata=planned.metadata,
    )


def _job_result(planned: Planned, name: str, seen: JobView | None) -> BatchJobResult:
    job = planned.jobs[name]
    solved = _solved(seen) if seen is not None and seen.state is Status.DONE else None
    status = solved.status if solved is not None else _status(seen)
    success = status == _CONVERGED
    started = seen.history[-1].started_at if seen is not None and seen.history else None
    begin = None if started is None else datetime.fromisoformat(started)
    lasted = None if seen is None else seen.elapsed_s
    return BatchJobResult(
        job_id=job.job_id,
        job_name=job.name,
        status=status,
        success=success,
        optimization_result=solved,
        error=None if success else _error(seen, solved),
        start_time=begin,
        end_time=None if begin is None or lasted is None else begin + timedelta(seconds=lasted),
        duration=lasted,
        metadata=dict(job.metadata),
        output_dir=job.pipeline_config.output_dir,
        parameters=planned.parameters[name],
        warnings=() if seen is None else seen.warnings,
    )


def _solved(seen: JobView) -> OptimizationResult:
    def number(name: str) -> float | None:
        value = seen.metrics.get(name)
        return float(value) if isinstance(value, (int, float)) else None

    return OptimizationResult(
        status=str(seen.metrics["status"]),
        iterations=int(number("iterations") or 0),
        initial_cost=number("cost_start") or 0.0,
        final_cost=number("cost") or 0.0,
        rms_mm=math.nan if seen.task == "motion.eye" else number("rms_mm") or 0.0,
        held_out_mm=number(HELD_OUT),
        held_out_se_mm=number("held_out_se_mm"),
        metrics=dict(seen.metrics),
    )


def _status(seen: JobView | None) -> str:
    if seen is None or seen.state in (Status.PENDING, Status.RUNNING, Status.INTERRUPTED):
        return "not-run"
    if seen.reason == "degenerate":
        return _DEGENERATE
    if seen.category == Category.TIMEOUT:
        return "timed-out"
    if seen.category == Category.MISSING_INPUT or seen.state is Status.BLOCKED:
        return "missing-input"
    return "cancelled" if seen.state is Status.CANCELLED else "failed"


def _error(seen: JobView | None, solved: OptimizationResult | None) -> str:
    if solved is not None and solved.status == _DEGENERATE:
        return "; ".join([_DEGENERATE, *(seen.warnings if seen is not None else ())])
    if solved is not None:
        return f"not converged after {solved.iterations} iterations; raise optimization.max_iterations"
    if seen is None:
        return "it was not run"
    return seen.message or seen.reason or str(seen.state)
