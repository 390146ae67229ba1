"""From a ledger to what the caller is told of a batch."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from batchlab.compat.spectra._jobs import Work
from batchlab.compat.spectra._results import BatchProcessResult
from batchlab.engine import BatchView, JobView, Status
from batchlab.errors import Category

__all__ = ["MEMORY", "VALIDATION", "WRITABLE", "Before", "result_of"]

MEMORY = "Memory limit exceeded"
VALIDATION = "File validation failed"
WRITABLE = "Output directory not writable"
_HELP = {
    Category.MEMORY: "reduce max_concurrent_files or increase memory_limit_mb",
    Category.TIMEOUT: "increase timeout_per_file_minutes",
}


@dataclass(slots=True)
class Before:
    """What was known before any job started."""

    total: int = 0
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: int = 0  # samples that validation turned down
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ending:
    """How one sample ended, and the job that decided it."""

    state: str  # done, failed, skipped, cancelled
    job: JobView


def result_of(
    before: Before, work: Work, view: BatchView, found_done: frozenset[str], seconds: float
) -> BatchProcessResult:
    """What came of a batch.

    Parameters
    ----------
    before
        What was known before.
    work
        What was to be done.
    view
        What the ledger says of it.
    found_done
        Jobs whose earlier results stand.
    seconds
        It all took.
    """
    jobs = {job.name: job for job in view.jobs}
    errors, warnings = list(before.errors), list(before.warnings)
    baseline = jobs[work.baseline.normalize]
    # What every comparison needs: where it failed, each of them did.
    culprit = next((job for job in (baseline, jobs[work.limits]) if job.state is Status.FAILED), None)
    if culprit is not None:
        errors.append(_error(work.baseline.name, culprit))
    counts = {"done": 0, "failed": 0}
    skipped, cancelled = list(before.skipped), []
    files: list[str] = []
    files += _paths(view, baseline, "kept")
    for sample in work.samples:
        ending = _ending(jobs[sample.normalize], jobs[sample.compare or ""], culprit is not None)
        match ending.state:
            case "skipped":
                skipped.append(sample.name)
            case "cancelled":
                cancelled.append(sample.name)
            case state:
                counts[state] += 1
        if ending.state == "failed" and ending.job.state is Status.FAILED:
            errors.append(_error(sample.name, ending.job))
        files += _paths(view, jobs[sample.compare or ""], "figure")
        files += _paths(view, jobs[sample.normalize], "kept")
    for each in (work.baseline, *work.samples):
        for job in (each.normalize, each.compare):
            warnings += [f"{each.name}: {text}" for text in (jobs[job].warnings if job is not None else ())]
    readings = [jobs[each.normalize] for each in (work.baseline, *work.samples)]
    done = [job for job in readings if job.state is Status.DONE and job.name not in found_done]
    finished = {each.compare for each in work.samples} & found_done
    ours = [job for job in jobs.values() if job.name in work.by_job and job.name not in found_done]
    return BatchProcessResult(
        total_files=before.total,
        successful=counts["done"],
        failed=counts["failed"] + before.refused,
        output_files=tuple(dict.fromkeys(files)),
        errors=tuple(errors),
        warnings=tuple(dict.fromkeys(warnings)),
        processing_time=seconds,
        ai_normalizations=sum(job.metrics.get("source") == "ai" for job in done),
        cache_hits=sum(job.metrics.get("source") == "cache" for job in done) + len(finished),
        skipped_files=tuple(skipped),
        cancelled_files=tuple(cancelled),
        memory_peak_mb=max((job.peak_memory_mb or 0.0 for job in ours), default=0.0),
    )


def _ending(normalize: JobView, compare: JobView, hopeless: bool) -> _Ending:
    if compare.state is Status.DONE:
        return _Ending("done", compare)
    if compare.state is Status.SKIPPED:
        return _Ending("skipped", compare)
    for job in (normalize, compare):
        if job.state is Status.FAILED:
            return _Ending("failed", job)
    # Blocked though nothing failed: what it waited for was not done when the batch was stopped.
    return _Ending("failed" if hopeless else "cancelled", compare)


def _error(name: str, job: JobView) -> str:
    said = job.message or job.reason or job.category or "failed"
    help_ = _HELP.get(Category(job.category)) if job.category else None
    title = f"{MEMORY}: " if job.category == Category.MEMORY else ""
    return f"{title}{name}: {said}" + (f"; {help_}" if help_ else "")


def _paths(view: BatchView, job: JobView, output: str) -> list[str]:
    """Where an output of the job lies now."""
    if job.state is not Status.DONE:
        return []
    return [os.path.join(view.root, each.path) for each in job.outputs if each.name == output]
