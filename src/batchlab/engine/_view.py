"""What a ledger tells, as frozen data: the one shape that `status`, `why` and the reports read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batchlab.engine._model import EMPTY, BatchState, Item, Json, Output, Scalar, Status

_MOST_SHOWN = 30  # jobs, in a notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One try at a job, as recorded."""

    number: int  # counts from 1
    status: Status
    started_at: str  # UTC, ISO 8601
    elapsed_s: float | None
    category: str | None
    reason: str | None
    signal: str | None
    message: str | None
    peak_memory_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JobView:
    """One job, as recorded."""

    name: str
    task: str
    state: Status
    attempts: int
    category: str | None
    reason: str | None
    message: str | None
    metrics: Mapping[str, Scalar]  # NaN and infinities kept as floats
    outputs: tuple[Output, ...]
    items: tuple[Item, ...]
    warnings: tuple[str, ...]
    elapsed_s: float | None
    peak_memory_mb: float | None
    stages: Mapping[str, float]  # seconds in each
    params: Mapping[str, Json]
    inputs: Mapping[str, Json]  # path, list of paths, or {"from": ...}; paths relative to the output root
    group: str | None
    metadata: Mapping[str, Scalar]
    key: str | None
    thumbnail: str | None  # path of a small PNG relative to the output root
    log: str | None  # path of the job's log relative to the output root
    history: tuple[AttemptView, ...] = ()  # every attempt, of all runs

    def __repr__(self) -> str:
        time = "" if self.elapsed_s is None else f", {self.elapsed_s:.3g} s"
        why = "" if self.category is None else f", {self.reason or self.category}"
        return f"<JobView {self.name!r} of {self.task}: {self.state.value}{why}{time}>"

    def _repr_html_(self) -> str:
        """What was recorded and measured, as a notebook shows it."""
        said: list[tuple[str, Any]] = [
            ("task", self.task),
            ("state", self.state.value),
            ("reason", self.reason or self.category),
        ]
        said += [("message", self.message), ("time / s", self.elapsed_s), ("memory / MB", self.peak_memory_mb)]
        rows = [(name, value) for name, value in said if value is not None]
        rows += [(f"output {each.name}", each.path) for each in self.outputs]
        return _html(self.name, (), [*rows, *self.metrics.items()], self.warnings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One call of `run` on the batch."""

    number: int
    state: BatchState
    started_at: str  # UTC, ISO 8601
    ended_at: str | None
    elapsed_s: float | None
    workers: int
    reason: str | None  # why it stopped before its end, if it did
    environment: Mapping[str, str]  # python, platform, host, library versions
    settings: Mapping[str, Json]
    source: str | None  # the batch file's text or the command
    cache: Mapping[str, int] = field(default_factory=lambda: EMPTY)  # hits and misses of the workers' caches


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BatchView:
    """A whole batch, as recorded at one instant."""

    batch: str
    root: str  # the output root, absolute
    state: BatchState
    counts: Mapping[str, int]  # every job state: n
    jobs: tuple[JobView, ...]  # in plan order
    runs: tuple[RunView, ...]  # oldest first
    left: tuple[str, ...] = ()  # outputs still there of jobs that are no longer part of it, relative to the root

    def __repr__(self) -> str:
        return f"<BatchView {self.batch!r}: {self._counted}; in {self.root}>"

    def _repr_html_(self) -> str:
        """How many jobs ended how, and the jobs, unfinished ones first, as a notebook shows them."""
        jobs = sorted(self.jobs, key=lambda job: job.state is Status.DONE)
        rows = [(job.name, job.state.value, job.elapsed_s, job.message or job.reason) for job in jobs[:_MOST_SHOWN]]
        more = (f"and {len(jobs) - _MOST_SHOWN} more",) if len(jobs) > _MOST_SHOWN else ()
        return _html(f"{self.batch}: {self._counted}", ("job", "state", "time / s", "why"), rows, (*more, self.root))

    @property
    def _counted(self) -> str:
        told = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        return f"{self.state.value}, {told or 'no jobs'}"


def _html(title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]], notes: tuple[str, ...]) -> str:
    """A small table with all texts escaped."""
    from html import escape

    def cell(value: object) -> str:
        return "" if value is None else f"{value:.6g}" if isinstance(value, float) else escape(str(value))

    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell(value)}</td>" for value in row) + "</tr>" for row in rows)
    told = "".join(f"<li>{escape(text)}</li>" for text in notes)
    table = f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"
    return f"<p><b>{escape(title)}</b></p>{table}{f'<ul>{told}</ul>' if told else ''}"
