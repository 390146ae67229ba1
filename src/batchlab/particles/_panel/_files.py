"""What was read of files, how much of them is shown, and what failed, by orbit and category."""

from __future__ import annotations

from collections.abc import Sequence

from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.particles._panel._jobs import COLLAPSE, PLOT, by_place, done, file_of, jobs_of, listed, number, rank
from batchlab.reports import Panel, Table

__all__ = ["files_panel"]

_MUCH = 0.05  # of a file that is not shown
_MOST_FILES = 60
_MOST_ORBITS = 100
_LOST = (Status.FAILED, Status.INTERRUPTED, Status.CANCELLED)


def files_panel(view: BatchView) -> Panel | None:
    """Files by instrument, those of which most is left out, and failures by orbit; None without any job of ours."""
    reading = jobs_of(view, COLLAPSE)
    drawing = jobs_of(view, PLOT)
    if not (reading or drawing):
        return None
    read = _each_once(done(reading))
    lost = [job for job in (*reading, *drawing) if job.state in _LOST]
    return Panel(
        title="Particles: files",
        headline=_headline(read, lost),
        text=_text(read),
        tables=tuple(each for each in (_failures(lost, drawing), _instruments(read), _worst(read)) if each is not None),
    )


def _each_once(read: Sequence[JobView]) -> list[JobView]:
    """Of files that several jobs read in several ways, the first."""
    found: dict[object, JobView] = {}
    for job in read:
        found.setdefault(str(job.inputs.get("file", job.name)), job)
    return list(found.values())


def _headline(read: Sequence[JobView], lost: Sequence[JobView]) -> str:
    parts = []
    orbits = by_place(lost)
    if orbits:
        told = [f"{place} ({', '.join(_instruments_of(jobs))})" for place, jobs in orbits.items()]
        parts.append(f"{len(orbits)} {'orbit lacks' if len(orbits) == 1 else 'orbits lack'} something: {listed(told)}")
    much = [_name(job) for job in sorted(read, key=_left_out, reverse=True) if _left_out(job) > _MUCH]
    if much:
        parts.append(f"of {len(much)} {'file' if len(much) == 1 else 'files'} more than {_MUCH:.0%} is left out: ")
        parts[-1] += listed(much)
    return "; ".join(parts)


def _text(read: Sequence[JobView]) -> str:
    records = sum(number(job, "records") for job in read)
    shown = sum(number(job, "shown") for job in read)
    text = f"{len(read)} files were read: {records:.0f} records, of which {shown:.0f} are shown."
    empty = [_name(job) for job in read if number(job, "positive_values") == 0]
    if empty:
        text += f" Without a single value above zero: {listed(empty, 8)}."
    turned = [_name(job) for job in read if number(job, "out_of_order_records")]
    if turned:
        text += f" Put in order of time: {listed(turned, 8)}."
    return text


def _failures(lost: Sequence[JobView], drawing: Sequence[JobView]) -> Table | None:
    """A row for each orbit that lacks something: pictures, and instruments by what became of them."""
    if not lost:
        return None
    kinds = sorted({_kind(job) for job in lost})
    pictures = by_place(drawing)
    rows: list[tuple[Scalar, ...]] = []
    for place, jobs in list(by_place(lost).items())[:_MOST_ORBITS]:
        of_orbit = pictures.get(place, [])
        by_kind = [", ".join(_instruments_of([job for job in jobs if _kind(job) == kind])) or None for kind in kinds]
        rows.append((place, len(done(of_orbit)), len(of_orbit) - len(done(of_orbit)), *by_kind))
    return Table(
        title="What failed, by orbit and category",
        columns=("orbit", "pictures", "lacking", *kinds),
        rows=tuple(rows),
    )


def _kind(job: JobView) -> str:
    if job.reason and job.category == "invalid-input":
        return job.reason
    return job.category or job.state.value


def _instruments(read: Sequence[JobView]) -> Table | None:
    """A row for each instrument."""
    found: dict[str, list[JobView]] = {}
    for job in read:
        file = file_of(job)
        found.setdefault(file.instrument if file is not None else job.name, []).append(job)
    if len(found) == len(read):
        return None
    names = ("records", "shown", "invalid_records", "low_quality_records", "out_of_order_records")
    rows: tuple[tuple[Scalar, ...], ...] = tuple(
        (name, len(jobs), *(int(sum(number(job, each) for job in jobs)) for each in names), _mean_left(jobs))
        for name, jobs in sorted(found.items(), key=lambda each: rank(each[0]))
    )
    return Table(
        title="By instrument",
        columns=("instrument", "files", "records", "shown", "bad", "of low quality", "out of order", "cells left out"),
        units=(None, None, None, None, None, None, None, "%"),
        rows=rows,
    )


def _worst(read: Sequence[JobView]) -> Table | None:
    """Files of which something is left out, most of all first."""
    wanting = sorted((job for job in read if _left_out(job) > 0), key=lambda job: (-_left_out(job), job.name))
    if not wanting:
        return None
    title = "Of which files something is left out"
    if len(wanting) > _MOST_FILES:
        title += f": the {_MOST_FILES} with most of {len(wanting)}"
    measured: dict[str, list[Scalar]] = {
        "records": [int(number(job, "records")) for job in wanting],
        "bad": [int(number(job, "invalid_records")) for job in wanting],
        "of low quality": [int(number(job, "low_quality_records")) for job in wanting],
        "records left out": [_percent(_records_left(job)) for job in wanting],
        "fill": [_percent(number(job, "fill_fraction")) for job in wanting],
        "out of range": [_percent(number(job, "out_of_range_fraction")) for job in wanting],
    }
    units = {"records left out": "%", "fill": "% of cells", "out of range": "% of cells"}
    told = {name: column[:_MOST_FILES] for name, column in measured.items() if any(column)}
    return Table(
        title=title,
        columns=("file", *told),
        units=(None, *(units.get(name) for name in told)),
        rows=tuple(zip((_name(job) for job in wanting[:_MOST_FILES]), *told.values(), strict=True)),
    )


def _records_left(job: JobView) -> float:
    records = number(job, "records")
    return 1.0 - number(job, "shown") / records if records else 0.0


def _left_out(job: JobView) -> float:
    """Share of a file that is not shown: records, and cells of those that are."""
    cells = min(number(job, "fill_fraction") + number(job, "out_of_range_fraction"), 1.0)
    return 1.0 - (1.0 - _records_left(job)) * (1.0 - cells)


def _mean_left(jobs: Sequence[JobView]) -> float:
    shares = [number(job, "fill_fraction") + number(job, "out_of_range_fraction") for job in jobs]
    return _percent(sum(shares) / len(shares))


def _percent(share: float) -> float:
    return round(100.0 * share, 3)


def _name(job: JobView) -> str:
    file = file_of(job)
    if file is None:
        return job.name
    return f"{file.orbit} {file.instrument}" if file.orbit is not None else file.path.stem


def _instruments_of(jobs: Sequence[JobView]) -> list[str]:
    """Instruments of jobs, each once; ``all`` for a grid of all."""
    names = set()
    for job in jobs:
        file = file_of(job)
        several = job.task == PLOT and job.params.get("kind") == "instruments"
        names.add("grid" if several or file is None else file.instrument)
    return sorted(names, key=rank)
