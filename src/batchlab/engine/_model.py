"""The nouns: what a batch is made of, as frozen data that can be stored, sent and explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from batchlab.errors import Category

Scalar: TypeAlias = float | int | str | bool | None
Json: TypeAlias = Any  # what the json module reads and writes

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Status(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"


class BatchState(StrEnum):
    """Where a batch stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Conflict(StrEnum):
    """What to do where a foreign file already has an output's name."""

    FAIL = "fail"
    OVERWRITE = "overwrite"
    SKIP = "skip"
    AUTO_INCREMENT = "auto_increment"
    TIMESTAMP = "timestamp"


class Durability(StrEnum):
    """What survives a power cut: everything announced (full), or all but the last commits (fast)."""

    FULL = "full"
    FAST = "fast"


class Gather(StrEnum):
    """Which members of an entry are handed over: those that are done, or all of them or none."""

    DONE = "done"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """An input that earlier jobs make.

    Without `gather` it is one output of one job; with it, the outputs and metrics of every job named.
    """

    jobs: tuple[str, ...]
    output: str | None = None
    gather: Gather | None = None


Input: TypeAlias = str | tuple[str, ...] | From
"""A file, many files, or what earlier jobs make. Paths are absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a job may take before it is killed; None means no limit."""

    timeout_s: float | None = None
    memory_bytes: int | None = None
    stages: Mapping[str, float] = field(default_factory=lambda: EMPTY)  # stage name -> seconds
    group_timeout_s: float | None = None  # summed run time of all jobs of the group


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One call of a task on named inputs: pure data, no callable in it."""

    name: str
    task: str  # a registered name such as spectra.compare, or /folder/file.py:function
    params: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    inputs: Mapping[str, Input] = field(default_factory=lambda: EMPTY)
    outputs: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # relative to the output root
    needs: tuple[str, ...] = ()  # jobs to wait for beside those its inputs name
    priority: int = 0  # higher runs first
    limits: Limits = NO_LIMITS
    group: str | None = None
    affinity: str | None = None  # jobs of one affinity prefer one worker
    metadata: Mapping[str, Scalar] = field(default_factory=lambda: EMPTY)

    @property
    def upstream(self) -> tuple[str, ...]:
        """Names of every job that must be over before this one starts."""
        names: dict[str, None] | None = None
        for value in self.inputs.values():
            if type(value) is From:
                names = names or dict.fromkeys(self.needs)
                names.update(dict.fromkeys(value.jobs))
        return self.needs if names is None else tuple(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a batch is run. The engine has no time or memory limit unless one is set."""

    workers: int | None = None  # None: one per core
    timeout_s: float | None = None  # of the whole run
    memory_bytes: int | None = None  # of all jobs at once, by admission
    retries: int = 2
    continue_on_error: bool = True
    conflict: Conflict = Conflict.FAIL
    durability: Durability = Durability.FULL
    flush_batch_size: int = 1
    flush_interval_s: float = 2.0
    grace_s: float = 10.0
    stop_after_failures: int | None = None  # consecutive failures of one category
    shared_output: bool = False  # other batches keep their outputs here, too: they are not told as left over


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A name, jobs, the folder that belongs to them, and settings."""

    name: str
    output: Path
    jobs: tuple[Job, ...]
    settings: Settings = field(default_factory=Settings)
    source: str | None = None  # the batch file's text, or the command, for the report; holds no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that a job made."""

    name: str  # the declared output's name; "figures/a.png" for a file inside an output folder
    path: str  # relative to the output root, with /
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file's share in a job that works over many at once."""

    name: str
    status: Status
    category: Category | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt, or a job, did not end well."""

    category: Category
    message: str
    reason: str | None = None
    signal: str | None = None  # SIGSEGV and the like
    stage: str | None = None  # the stage it was in
    traceback: str | None = None  # shown only on demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended."""

    job: str
    status: Status
    metrics: Mapping[str, Scalar] = field(default_factory=lambda: EMPTY)
    outputs: tuple[Output, ...] = ()
    items: tuple[Item, ...] = ()
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    attempts: int = 0
    elapsed_s: float | None = None
    peak_memory_bytes: int | None = None
    stages: Mapping[str, float] = field(default_factory=lambda: EMPTY)  # seconds spent in each stage
