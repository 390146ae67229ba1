"""Jobs of this domain as a report sees them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path

from batchlab.engine import BatchView, JobView, Scalar, Status

__all__ = [
    "ANALYTICS",
    "COMPARE",
    "OVERVIEW",
    "done",
    "input_of",
    "jobs_of",
    "number_of",
    "output_of",
    "told",
    "unit_of",
]

COMPARE, ANALYTICS, OVERVIEW = "spectra.compare", "spectra.analytics", "spectra.overview"


def jobs_of(view: BatchView, task: str) -> list[JobView]:
    """The jobs of a task, in plan order."""
    return [job for job in view.jobs if job.task == task]


def done(jobs: Iterable[JobView]) -> list[JobView]:
    """Those that ended well."""
    return [job for job in jobs if job.state is Status.DONE]


def input_of(view: BatchView, job: JobView, name: str) -> Path | None:
    """The file of an input that is one file."""
    value = job.inputs.get(name)
    return Path(os.path.normpath(Path(view.root) / value)) if isinstance(value, str) else None


def output_of(job: JobView, name: str) -> str | None:
    """Where an output lies, relative to the output root."""
    return next((output.path for output in job.outputs if output.name == name), None)


def number_of(job: JobView, name: str) -> float:
    """A metric as a number; NaN where it is none."""
    value = job.metrics.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def told(job: JobView, name: str) -> Scalar:
    """A metric as a table shows it: blank where it is not a number."""
    value = job.metrics.get(name)
    return None if isinstance(value, float) and math.isnan(value) else value


def unit_of(jobs: Iterable[JobView], name: str) -> str | None:
    """A unit among the metrics, if all have the same; none for a plain number."""
    units = {job.metrics.get(name) for job in jobs}
    unit = units.pop() if len(units) == 1 else None
    return None if unit in (None, "1") else str(unit)
