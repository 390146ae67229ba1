"""What an executor is given, and what it says happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from batchlab.engine._model import EMPTY, NO_LIMITS, Failure, Item, Json, Limits, Output, Scalar

Stat: TypeAlias = tuple[int, int, int]  # size, mtime_ns, inode


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What one earlier job hands over to a job that gathers."""

    job: str
    outputs: Mapping[str, str]  # output name -> absolute path
    metrics: Mapping[str, Scalar]


ResolvedInput: TypeAlias = str | tuple[str, ...] | tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a job, with everything a worker needs for it."""

    id: int  # unique within a run
    job: str
    number: int  # counts from 1
    task: str
    params: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    inputs: Mapping[str, ResolvedInput] = field(default_factory=lambda: EMPTY)
    outputs: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # wanted ones, relative paths
    scratch: str = ""  # folder to write in, made when first needed
    thumbnail: bool = True
    limits: Limits = NO_LIMITS
    affinity: str | None = None
    digests: Mapping[str, tuple[Stat, str]] = field(default_factory=lambda: EMPTY)  # already known
    skip_items: frozenset[str] = frozenset()
    durable: bool = True  # sync outputs to the disk
    provenance: Mapping[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The attempt's time counts from now: its task's libraries are imported. Told for a worker's first of a task."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntered:
    """A task went on to its next stage."""

    attempt: int
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEntered:
    """A task over many files took up the next one."""

    attempt: int
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A task warned while it goes on."""

    attempt: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is known at the end of an attempt, well or not."""

    items: tuple[Item, ...] = ()
    warnings: tuple[str, ...] = ()
    stages: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_bytes: int | None = None
    log: str | None = None  # head and tail of what it printed
    scratch: bool = True  # whether it may have left something in its scratch folder
    digests: Mapping[str, tuple[Stat, str]] = field(default_factory=lambda: EMPTY)  # of its inputs
    cache: Mapping[str, int] = field(default_factory=lambda: EMPTY)  # hits, misses since the last job


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The attempt succeeded; its outputs lie synced in its scratch folder."""

    attempt: int
    metrics: Mapping[str, Scalar]
    outputs: tuple[Output, ...]
    left: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # output name -> path in scratch
    thumbnail: str | None = None  # absolute path in scratch
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt failed."""

    attempt: int
    failure: Failure
    item: str | None = None  # the item entered last, where a kill or a crash is to blame on it
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The attempt never ran, or nobody can say how it ended; no strike."""

    attempt: int
    detail: str


Event: TypeAlias = Started | StageEntered | ItemEntered | Warned | Done | Failed | Lost
TERMINAL = (Done, Failed, Lost)


class Executor(Protocol):
    """Where attempts run: the one seam for 'where'.

    Each submitted attempt yields exactly one terminal event, and `close` leaves no process behind.
    """

    workers: int

    def start(self) -> None:
        """Get ready; raises StartError if it cannot."""

    def free(self) -> int:
        """How many attempts it would take up at once."""

    def warm(self) -> frozenset[str]:
        """Affinities that its free places have in their caches."""

    def submit(self, attempt: Attempt) -> None:
        """Take an attempt; never blocks."""

    def events(self, timeout_s: float | None) -> Iterable[Event]:
        """What happened; waits at most `timeout_s` for the first event."""

    def cancel(self, attempt: int, *, hard: bool) -> None:
        """Ask an attempt to stop, or kill it; its terminal event still comes."""

    def close(self, grace_s: float) -> None:
        """End everything, with force after the grace time."""
