"""Batches of light jobs, a place where their tasks are installed, and an executor that only pretends."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchlab.engine import Attempt, Batch, Done, Event, Failed, Failure, Job, Lost, Output, Settings
from batchlab.engine._digest import file_digest, stat_of
from batchlab.engine._events import Result
from batchlab.errors import Category

HERE = Path(__file__).parent
TASKS = ("add", "double", "table", "act")


def install(folder: Path) -> Path:
    """Make the toy tasks an installed distribution in this folder; answers what belongs on the search path."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "toy_tasks.py", folder / "toy_tasks.py")
    info = folder / "batchlab_toys-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: batchlab-toys\nVersion: 1.0\n")
    lines = [f"toy.{name} = toy_tasks:{name}" for name in TASKS]
    (info / "entry_points.txt").write_text("\n".join(["[batchlab.tasks]", *lines, ""]))
    return folder


def act(name: str, *acts: list[str], file: str | None = None, **fields: Any) -> Job:
    """A job that does as told; `file` is its output."""
    outputs = {} if file is None else {"file": file}
    params = {"acts": [list(each) for each in acts], "n": fields.pop("n", 0)}
    return Job(name=name, task="toy.act", params=params, outputs={**outputs, **fields.pop("outputs", {})}, **fields)


def batch(root: Path, jobs: Iterable[Job], name: str = "toys", **settings: Any) -> Batch:
    """A batch of them."""
    return Batch(name=name, output=root, jobs=tuple(jobs), settings=Settings(**{"workers": 2, **settings}))


def write_numbers(folder: Path, *numbers: int) -> str:
    """A file that toy.add can read; answers its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ("_".join(map(str, numbers)) + ".txt")
    path.write_text(" ".join(map(str, numbers)))
    return str(path)


class Clock:
    """A monotonic clock that goes on when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Pretender:
    """An executor that runs nothing: each attempt ends as its job's script says, in the clock's own time.

    A script is a sequence of ends, one an attempt: ``done``, ``lost``, or a Failure. What is not scripted is done.
    """

    clock: Clock
    workers: int = 2
    scripts: dict[str, list[Any]] = field(default_factory=dict)
    takes_s: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    before_wait: Callable[[], None] = lambda: None
    submitted: list[Attempt] = field(default_factory=list)
    cancelled: list[tuple[str, bool]] = field(default_factory=list)
    at: list[tuple[str, float]] = field(default_factory=list)  # job, when it was handed over
    beside: list[tuple[str, ...]] = field(default_factory=list)  # who ran when each was handed over
    waits: int = 0
    idle_waits: int = 0  # asked for events, had none, and no time passed
    _running: dict[int, tuple[float, Attempt]] = field(default_factory=dict)
    _told: deque[Event] = field(default_factory=deque)

    def __call__(self, *_: object) -> Pretender:
        return self

    def start(self) -> None:
        pass

    def free(self) -> int:
        return self.workers - len(self._running)

    def warm(self) -> frozenset[str]:
        return frozenset()

    def submit(self, attempt: Attempt) -> None:
        assert self.free() > 0, "more than it takes"
        self.beside.append(tuple(a.job for _, a in self._running.values()))
        self.submitted.append(attempt)
        self.at.append((attempt.job, self.clock.now))
        self._running[attempt.id] = (self.clock.now + self.takes_s.get(attempt.job, 1.0), attempt)

    def events(self, timeout_s: float | None) -> list[Event]:
        assert timeout_s is not None
        self.waits += 1
        self.before_wait()
        due = sorted(self._running.values(), key=lambda each: (each[0], each[1].id))
        told = list(self._told)
        self._told.clear()
        if not told and timeout_s > 0:
            until = min([self.clock.now + timeout_s, *(when for when, _ in due)])
            if until <= self.clock.now and not due:
                self.idle_waits += 1
            self.clock.now = max(self.clock.now, until)
        elif not told and not any(when <= self.clock.now for when, _ in due):
            self.idle_waits += 1
        for when, attempt in due:
            if when <= self.clock.now:
                told.append(self._end(attempt))
        return told

    def _end(self, attempt: Attempt) -> Event:
        del self._running[attempt.id]
        script = self.scripts.get(attempt.job)
        end = script.pop(0) if script else "done"
        digests = {p: (stat_of(p), file_digest(p)) for p in _paths(attempt) if Path(p).is_file()}
        result = Result(elapsed_s=self.takes_s.get(attempt.job, 1.0), digests=digests)
        if end == "lost":
            return Lost(attempt=attempt.id, detail="its worker is gone")
        if isinstance(end, Failure):
            return Failed(attempt=attempt.id, failure=end, result=result)
        outputs, left = [], {}
        for name, path in attempt.outputs.items():
            file = Path(attempt.scratch) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{attempt.job} {name}")
            outputs.append(Output(name=name, path=path, digest=file_digest(str(file)), bytes=file.stat().st_size))
            left[name] = name
        metrics = self.metrics.get(attempt.job, {})
        return Done(attempt=attempt.id, metrics=metrics, outputs=tuple(outputs), left=left, result=result)

    def cancel(self, attempt: int, *, hard: bool) -> None:
        if attempt in self._running:
            _, running = self._running[attempt]
            self.cancelled.append((running.job, hard))
            if hard:
                del self._running[attempt]
                failure = Failure(category=Category.CANCELLED, message="cancelled while it ran")
                self._told.append(Failed(attempt=attempt, failure=failure, result=Result(elapsed_s=0.5)))

    def close(self, grace_s: float) -> None:
        self._running.clear()


def _paths(attempt: Attempt) -> Iterable[str]:
    for value in attempt.inputs.values():
        if isinstance(value, str):
            yield value
        else:
            yield from (member for member in value if isinstance(member, str))
            yield from (path for member in value if not isinstance(member, str) for path in member.outputs.values())
