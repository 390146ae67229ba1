"""Which job comes next: priorities, needs, waits, memory, affinity. Pure decisions; the runner acts on them."""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from batchlab.engine._model import Job

LOOK_AHEAD = 64  # how far down the queue a job is sought that suits a warm worker


@dataclass(slots=True)
class _Queue:
    """Ready jobs of one priority, in order, with a way to the next one of an affinity."""

    jobs: OrderedDict[str, Job] = field(default_factory=OrderedDict)

    def take(self, warm: Collection[str], fits: Callable[[Job], bool]) -> Job | None:
        first: Job | None = None
        for at, job in enumerate(self.jobs.values()):
            if at >= LOOK_AHEAD:
                break
            if not fits(job):
                continue
            if not warm or job.affinity is None or job.affinity in warm:
                first = job
                break
            first = first or job
        if first is not None:
            del self.jobs[first.name]
        return first


class Schedule:
    """Jobs that wait, for others, for a time, or for a place."""

    def __init__(self) -> None:
        self._queues: dict[int, _Queue] = {}
        self._priorities: list[int] = []  # highest first
        self._later: list[tuple[float, int, Job, bool]] = []  # when, order, job, alone
        self._alone: deque[Job] = deque()
        self._waits: dict[str, int] = {}
        self._waiting: dict[str, Job] = {}
        self._above: dict[str, list[str]] = {}  # job -> those that wait for it
        self._count = 0

    def add(self, jobs: Iterable[Job], settled: Collection[str]) -> list[Job]:
        """Take in jobs; answers those that wait for none, given the names of needed jobs that are over."""
        free: list[Job] = []
        for job in jobs:
            waits = [name for name in job.upstream if name not in settled]
            if waits:
                self._waits[job.name] = len(waits)
                self._waiting[job.name] = job
                for name in waits:
                    self._above.setdefault(name, []).append(job.name)
            else:
                free.append(job)
        return free

    def ready(self, job: Job, *, at: float | None = None, alone: bool = False) -> None:
        """A job may run: now, from some time on, or when nothing else is left to run beside it."""
        if at is not None:
            self._count += 1
            heapq.heappush(self._later, (at, self._count, job, alone))
        elif alone:
            self._alone.append(job)
        else:
            if job.priority not in self._queues:
                self._queues[job.priority] = _Queue()
                self._priorities = sorted(self._queues, reverse=True)
            self._queues[job.priority].jobs[job.name] = job

    def over(self, name: str) -> list[Job]:
        """A job is over, well or not; answers those that waited for it and for nothing else."""
        freed: list[Job] = []
        for waiting in self._above.pop(name, ()):
            self._waits[waiting] -= 1
            if self._waits[waiting] == 0:
                del self._waits[waiting]
                freed.append(self._waiting.pop(waiting))
        return freed

    def take(
        self, now: float, *, running: int, warm: Collection[str], fits: Callable[[Job], bool]
    ) -> tuple[Job, bool] | None:
        """The next job to start and whether it runs alone, or None if none may start now."""
        while self._later and self._later[0][0] <= now:
            _, _, job, alone = heapq.heappop(self._later)
            self.ready(job, alone=alone)
        for priority in self._priorities:
            found = self._queues[priority].take(warm, fits)
            if found is not None:
                return found, False
        if self._alone and running == 0:
            return self._alone.popleft(), True
        return None

    @property
    def next_at(self) -> float | None:
        """When the next waiting job's time comes."""
        return self._later[0][0] if self._later else None

    @property
    def unfinished(self) -> bool:
        """Whether any job is left, waiting or ready."""
        return bool(self._waits or self._later or self._alone or any(queue.jobs for queue in self._queues.values()))

    def left(self) -> list[Job]:
        """Every job that has not started."""
        queued = [job for priority in self._priorities for job in self._queues[priority].jobs.values()]
        later = [job for _, _, job, _ in sorted(self._later, key=lambda entry: entry[:2])]
        return [*self._alone, *queued, *later, *self._waiting.values()]


@dataclass(slots=True)
class Admission:
    """Admits jobs while the memory that they should need together stays within the batch's limit.

    Parameters
    ----------
    limit_bytes
        For all jobs at once; None for no limit.
    predicted
        Peak memory of earlier jobs, by task.
    """

    limit_bytes: int | None
    predicted: dict[str, int] = field(default_factory=dict)
    _held: dict[str, int] = field(default_factory=dict)

    def fits(self, job: Job) -> bool:
        """Whether the job may start beside those that run. One alone always may."""
        if self.limit_bytes is None or not self._held:
            return True
        return sum(self._held.values()) + self.need(job) <= self.limit_bytes

    def need(self, job: Job) -> int:
        """What the job should need: as earlier ones did, else its own limit, else the whole."""
        known = self.predicted.get(job.task)
        if known is not None:
            return known
        return job.limits.memory_bytes or self.limit_bytes or 0

    def start(self, job: Job) -> None:
        """The job starts."""
        self._held[job.name] = self.need(job)

    def end(self, job: Job, peak_bytes: int | None) -> None:
        """The job is over; its peak is the next ones' prediction."""
        self._held.pop(job.name, None)
        if peak_bytes:
            self.predicted[job.task] = max(peak_bytes, self.predicted.get(job.task, 0))


def group_left_s(job: Job, spent: Mapping[str, float]) -> float | None:
    """Seconds that the job's group may still run; None without a limit."""
    limit = job.limits.group_timeout_s
    if limit is None or job.group is None:
        return None
    return limit - spent.get(job.group, 0.0)
