"""Jobs of this domain as a report sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.particles._files import data_file
from batchlab.particles._model import INSTRUMENTS, DataFile

__all__ = ["COLLAPSE", "LIMITS", "PLOT", "by_place", "done", "file_of", "jobs_of", "number", "output_of", "place_of"]

COLLAPSE, LIMITS, PLOT = "particles.collapse", "particles.limits", "particles.plot"


def jobs_of(view: BatchView, task: str) -> list[JobView]:
    """The jobs of a task, in plan order."""
    return [job for job in view.jobs if job.task == task]


def done(jobs: Iterable[JobView]) -> list[JobView]:
    """Those that ended well."""
    return [job for job in jobs if job.state is Status.DONE]


def file_of(job: JobView) -> DataFile | None:
    """The data file that a job reads, or the first of several; None where a job tells none."""
    for name in ("file", "files"):
        given = job.inputs.get(name)
        path = given[0] if isinstance(given, list | tuple) and given else given
        if isinstance(path, str):
            return data_file(PurePath(path).name)
    return None


def place_of(job: JobView) -> str:
    """What a job is about: the number of an orbit, or the name of a file that is of none."""
    file = file_of(job)
    if file is None:
        return job.group or job.name
    return str(file.orbit) if file.orbit is not None else file.path.stem


def by_place(jobs: Iterable[JobView]) -> dict[str, list[JobView]]:
    """Jobs by what they are about: orbits ascending, then the others."""
    found: dict[str, list[JobView]] = {}
    for job in jobs:
        found.setdefault(place_of(job), []).append(job)
    return dict(sorted(found.items(), key=lambda each: _by_number(each[0])))


def _by_number(place: str) -> tuple[bool, int, str]:
    # Numbers of this kind alone are read as such: a file may be called ² or ٣.
    is_number = place.isascii() and place.isdecimal()
    return not is_number, int(place) if is_number else 0, place


def rank(instrument: str) -> tuple[int, str]:
    """The order of instruments: those of FAST as they always stand."""
    return (INSTRUMENTS.index(instrument) if instrument in INSTRUMENTS else len(INSTRUMENTS)), instrument


def number(job: JobView, name: str) -> float:
    """A metric as a number; 0 where it is none."""
    value: Scalar = job.metrics.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def output_of(job: JobView, name: str) -> str | None:
    """Where an output lies, relative to the output root."""
    return next((output.path for output in job.outputs if output.name == name), None)


def listed(names: Sequence[str], most: int = 4) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
