"""What a ledger tells, as frozen data: the one shape that `status`, `why` and the reports read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchlab.engine._model import EMPTY, BatchState, Item, Json, Output, Scalar, Status


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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A whole batch, as recorded at one instant."""

    batch: str
    root: str  # the output root, absolute
    state: BatchState
    counts: Mapping[str, int]  # every job state: n
    jobs: tuple[JobView, ...]  # in plan order
    runs: tuple[RunView, ...]  # oldest first
    left: tuple[str, ...] = ()  # outputs still there of jobs that are no longer part of it, relative to the root
