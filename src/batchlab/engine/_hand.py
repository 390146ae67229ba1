"""One worker process, as the pool knows it: what it runs, what is queued in it, when it must be looked at."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchlab.engine import _procs
from batchlab.engine._events import Attempt, Failed, Result
from batchlab.engine._model import Failure
from batchlab.engine._slate import Slate
from batchlab.engine._wire import Wire
from batchlab.engine._worker import read_log
from batchlab.errors import Category

LOAD_LIMIT_S = 120.0  # for importing a task's libraries, which is not the job's own time
MEMORY_POLL_S = 0.1
PEAK_POLL_S = 0.5
LOG_LIMIT_BYTES = 64_000_000
WARM_TAGS = 8


@dataclass(slots=True, eq=False)
class Place:
    """An attempt in a worker's queue."""

    attempt: Attempt
    number: int
    taken_back: bool = False


@dataclass(slots=True, eq=False)
class Hand:
    """One worker; the first place of its queue is the attempt that runs."""

    number: int
    wire: Wire
    slate: Slate
    log_path: str
    pid: int | None = None  # until the keeper has told it
    queue: deque[Place] = field(default_factory=deque)
    places: int = 0  # given out so far
    began: float = 0.0  # when the running attempt's time began to count
    loading: bool = False  # its task's libraries are not imported yet
    stage: str = ""
    stage_began: float = 0.0
    item: str | None = None
    peak_bytes: int = 0
    next_poll: float = 0.0
    verdict: Failure | None = None  # why it is being killed
    give_up_at: float = float("inf")  # when to stop waiting for its end
    torn: bool = False
    retiring: bool = False  # it takes no more attempts, and goes when it has nothing left to do
    jobs: int = 0
    first_bytes: int | None = None  # resident after its first job
    tasks: set[str] = field(default_factory=set)
    tags: OrderedDict[str, None] = field(default_factory=OrderedDict)

    @property
    def attempt(self) -> Attempt | None:
        """What runs, or is about to."""
        return self.queue[0].attempt if self.queue else None

    @property
    def doomed(self) -> bool:
        """Whether it is about to end, by force or by itself."""
        return self.torn or self.verdict is not None

    @property
    def usable(self) -> bool:
        """Whether it takes attempts."""
        return not self.doomed and not self.retiring

    def begin(self, now: float) -> None:
        """The first place of the queue becomes the running one."""
        attempt = self.queue[0].attempt
        self.began = self.stage_began = now
        self.loading = attempt.task not in self.tasks
        self.stage, self.item, self.peak_bytes = "", None, 0
        self.next_poll = now + (MEMORY_POLL_S if attempt.limits.memory_bytes else PEAK_POLL_S)

    def tag(self, affinity: str | None) -> None:
        """Its caches will hold what this affinity names."""
        if affinity is not None:
            self.tags[affinity] = None
            self.tags.move_to_end(affinity)
            if len(self.tags) > WARM_TAGS:
                self.tags.popitem(last=False)

    def due(self) -> float:
        """When it must be looked at again."""
        if self.doomed:
            return self.give_up_at
        return min(self.deadline()[0], self.next_poll)

    def deadline(self) -> tuple[float, Failure | None]:
        """When the running attempt's time is over, and what is said then."""
        limits = self.queue[0].attempt.limits
        if self.loading:
            message = f"importing the task's libraries took longer than {LOAD_LIMIT_S:g} s"
            return self.began + LOAD_LIMIT_S, _timeout(message, "import")
        if limits.timeout_s is None and not limits.stages:
            return float("inf"), None
        nearest, failure = float("inf"), None
        if limits.timeout_s is not None:
            nearest = self.began + limits.timeout_s
            where = f" (in stage {self.stage})" if self.stage else ""
            failure = _timeout(f"took longer than its limit of {limits.timeout_s:g} s{where}", self.stage)
        stage_s = limits.stages.get(self.stage)
        if stage_s is not None and self.stage_began + stage_s < nearest:
            nearest = self.stage_began + stage_s
            failure = _timeout(f"stage {self.stage} took longer than its limit of {stage_s:g} s", self.stage)
        return nearest, failure

    def poll(self, now: float) -> Failure | None:
        """Look at the memory of the worker and its children, and at how much it prints; answers what is too much."""
        limit = self.queue[0].attempt.limits.memory_bytes
        self.next_poll = now + (MEMORY_POLL_S if limit else PEAK_POLL_S)
        if self.pid is None:
            return None
        resident = _procs.tree_rss_bytes(self.pid)
        self.peak_bytes = max(self.peak_bytes, resident)
        _bound_log(self.log_path)
        if limit is None or resident <= limit:
            return None
        message = f"used {resident / 1e6:.0f} MB, more than its limit of {limit / 1e6:.0f} MB"
        return Failure(category=Category.MEMORY, reason="limit", message=message, stage=self.stage or None)

    def has_grown(self, by_bytes: int) -> bool:
        """Whether the process holds that much more than after its first job; looked up now and then."""
        if self.pid is None or self.jobs % 25 != 1:
            return False
        resident = _procs.rss_bytes(self.pid)
        if self.first_bytes is None:
            self.first_bytes = resident
        return resident - self.first_bytes > by_bytes

    def death(self, code: int, now: float, *, starved: bool) -> Failed:
        """What its end means for the attempt that ran; `starved` if the kernel has killed for want of memory."""
        signal = _procs.signal_name(-code) if code < 0 else None
        failure = self.verdict
        if failure is None:
            how = f"was killed by {signal}" if signal else f"ended with exit code {code}"
            failure = Failure(
                category=Category.CRASH,
                message=f"the process that ran it {how}",
                signal=signal,
                reason=signal or f"exit-{code}",
                stage=self.stage or None,
            )
            if signal == "SIGKILL" and starved:
                text = "the system killed it for want of memory; give it fewer neighbours or a smaller input"
                failure = replace(failure, category=Category.MEMORY, reason="out-of-memory", message=text)
        result = Result(
            elapsed_s=now - self.began, peak_memory_bytes=self.peak_bytes or None, log=_last_words(self.log_path)
        )
        return Failed(attempt=self.queue[0].attempt.id, failure=failure, item=self.item, result=result)

    def close(self) -> None:
        """Drop what belongs to it here."""
        self.wire.close()
        self.slate.close()
        Path(self.log_path).unlink(missing_ok=True)


def _timeout(message: str, stage: str) -> Failure:
    return Failure(category=Category.TIMEOUT, message=message, reason=stage or None, stage=stage or None)


def _last_words(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return read_log(descriptor)
    finally:
        os.close(descriptor)


def _bound_log(path: str) -> None:
    """A job that prints without end must not fill the disk: drop what is beyond the bound."""
    try:
        if os.stat(path).st_size > LOG_LIMIT_BYTES:
            os.truncate(path, 16_384)
    except FileNotFoundError:
        return
