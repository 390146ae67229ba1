"""A bench to test executors on: it hands attempts over, and keeps every event it is told.

To hold another executor to the contract, add it to `BACKENDS` with the flags of what it can do.
"""

from __future__ import annotations

import itertools
import os
import select
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from batchlab.engine import Attempt, Done, Executor, Failed, InlineExecutor, Limits, LocalPool, Lost
from batchlab.engine._events import TERMINAL

TASKS = Path(__file__).with_name("executor_tasks.py")
PATIENCE_S = 60.0  # how long a test waits for what must happen before it calls it a failure
LATENESS_S = float(os.environ.get("BATCHLAB_LATENESS_S", "10"))  # 1 is promised, on a machine that is not overloaded
MB = 1_000_000


@dataclass(frozen=True)
class Backend:
    """An executor to test, and what it can do."""

    name: str
    make: Callable[..., Executor]  # (workers, folder) -> not started
    kills: bool = True  # enforces limits, and ends what runs when it is cancelled hard
    isolates: bool = True  # a crash costs its own attempt alone
    concurrent: bool = True  # attempts go on while nobody asks for events
    logs: bool = True  # what a job prints comes with its result


def _pool(method: str) -> Callable[..., Executor]:
    def make(workers: int, folder: Path, **options: Any) -> Executor:
        return LocalPool(workers, logs=folder / "logs", start_method=method, **options)

    return make


def _inline(workers: int, folder: Path) -> Executor:
    return InlineExecutor()


BACKENDS = (
    Backend("inline", _inline, kills=False, isolates=False, concurrent=False, logs=False),
    Backend("forkserver", _pool("forkserver")),
    Backend("spawn", _pool("spawn")),
)


def on(*abilities: str) -> pytest.MarkDecorator:
    """Run a test on every executor that can do all of this."""
    able = [b for b in BACKENDS if all(getattr(b, ability) for ability in abilities)]
    return pytest.mark.parametrize("backend", able, ids=lambda b: b.name)


class Bench:
    """An executor under test, with everything it ever told."""

    numbers = itertools.count(1)

    def __init__(self, executor: Executor, folder: Path) -> None:
        self.executor = executor
        self.folder = folder
        self.told: dict[int, list[Any]] = {}
        self.patience_s = PATIENCE_S
        self._queue: list[Attempt] = []

    # handing over

    def attempt(
        self,
        task: str,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        timeout_s: float | None = None,
        options: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> Attempt:
        """An attempt of a task of the file beside this one, or of the one given in full."""
        number = next(self.numbers)
        return Attempt(
            id=number,
            job=f"trial/{number}",
            number=1,
            task=task if ":" in task else f"{TASKS}:{task}",
            params={name: str(v) if isinstance(v, Path) else v for name, v in given.items()},
            inputs=inputs or {},
            outputs=outputs or {},
            scratch=str(self.folder / "scratch" / str(number)),
            limits=limits or Limits(timeout_s=timeout_s),
            **(options or {}),
        )

    def submit(self, *attempts: Attempt) -> None:
        """Hand over as many as it takes; the rest follows as places become free."""
        for attempt in attempts:
            self.told[attempt.id] = []
        self._queue += attempts
        self._feed()

    def _feed(self) -> None:
        while self._queue and self.executor.free() > 0:
            self.executor.submit(self._queue.pop(0))

    # watching

    def pump(self, timeout_s: float = 0.05) -> None:
        """Take in what has happened; a second terminal event of an attempt fails the test."""
        for event in self.executor.events(timeout_s):
            assert event.attempt in self.told, f"an event of an attempt that was never submitted: {event}"
            assert self.end(event.attempt) is None, f"{event} came after {self.end(event.attempt)}"
            self.told[event.attempt].append(event)
        self._feed()

    def end(self, attempt: Attempt | int) -> Done | Failed | Lost | None:
        """The attempt's terminal event, if it has come."""
        told = self.told[attempt if isinstance(attempt, int) else attempt.id]
        return told[-1] if told and isinstance(told[-1], TERMINAL) else None

    def until(self, happened: Callable[[], Any], what: str) -> Any:
        """Take in events until `happened` answers; its answer."""
        deadline = time.monotonic() + self.patience_s
        while not (answer := happened()):
            assert time.monotonic() < deadline, f"waited {self.patience_s:g} s for {what}"
            self.pump(0.02)
        return answer

    def line(self, pipe: Pipe) -> str:
        """What a task tells next."""
        return str(self.until(pipe.take, "a task to speak"))

    def run(self, *attempts: Attempt) -> list[Any]:
        """Submit, and wait for all terminal events; they come in the attempts' order."""
        self.submit(*attempts)
        return self.wait(*attempts)

    def wait(self, *attempts: Attempt) -> list[Any]:
        """Wait until these have ended."""
        deadline = time.monotonic() + self.patience_s
        while missing := [a.job for a in attempts if self.end(a) is None]:
            names = ", ".join(missing[:5])
            assert time.monotonic() < deadline, f"no terminal event of {names} in {self.patience_s:g} s"
            self.pump(1.0)
        return [self.end(a) for a in attempts]

    def done(self, *attempts: Attempt) -> list[Any]:
        """Run these; the test fails if one of them is not done."""
        ends = self.run(*attempts)
        for end in ends:
            assert isinstance(end, Done), end
        return ends

    def failed(self, attempt: Attempt) -> Failed:
        """Run this one; the test fails if it does not fail."""
        [end] = self.run(attempt)
        assert isinstance(end, Failed), end
        return end

    def assert_well(self) -> None:
        """It still runs what it is given."""
        attempts = [self.attempt("value", count=n) for n in range(3)]
        assert [end.metrics["value"] for end in self.done(*attempts)] == [0, 2, 4]

    @property
    def settled(self) -> bool:
        """Every attempt has ended."""
        return not self._queue and all(self.end(number) for number in self.told)


class Pipe:
    """A named pipe between a test and its tasks."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._read = b""

    def take(self) -> str | None:
        """A line, if one has come."""
        if b"\n" not in self._read and select.select([self._descriptor], [], [], 0)[0]:
            self._read += os.read(self._descriptor, 65536)
        line, newline, rest = self._read.partition(b"\n")
        if not newline:
            return None
        self._read = rest
        return line.decode()

    def open_gate(self, times: int = 1) -> None:
        """Let as many tasks go on."""
        os.write(self._descriptor, b"." * times)

    def close(self) -> None:
        os.close(self._descriptor)


def alive(pids: Iterable[int]) -> list[int]:
    """Those of these processes that run; one that has ended and was not yet reaped does not."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def assert_gone(pids: Iterable[int], within_s: float = LATENESS_S) -> None:
    """None of these processes runs on."""
    wanted = list(pids)
    deadline = time.monotonic() + within_s
    while left := alive(wanted):
        if time.monotonic() > deadline:
            for pid in left:
                psutil.Process(pid).kill()
            raise AssertionError(f"still running: {left} of {wanted}")
        select.select([], [], [], 0.01)


def descendants() -> set[int]:
    """Every process below this one."""
    return {process.pid for process in psutil.Process().children(recursive=True)}
