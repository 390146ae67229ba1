"""Progress without a terminal: plain lines for logs, and JSON lines for machines."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from batchlab.cli._progress_state import Snapshot, Watch
from batchlab.cli._words import counted, plain
from batchlab.engine import Notice

EVERY_S = 10.0
STEP = 10  # percent of the work
SHOWN_FAILURES = 50


class PlainLines:
    """A listener that writes a line at the start, now and then, and for each failure.

    Parameters
    ----------
    write
        Takes one line.
    clock
        Monotonic, in seconds.
    every_s
        The longest silence.
    """

    def __init__(
        self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic, every_s: float = EVERY_S
    ) -> None:
        self._write = write
        self._clock = clock
        self._watch = Watch(clock)
        self._every_s = every_s
        self._lock = threading.Lock()
        self._line_at = clock()
        self._next_step = STEP
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="batchlab-progress", daemon=True)
        self._thread.start()

    def __call__(self, notice: Notice) -> None:
        """Take in what happened, and say what is worth a line."""
        failure = self._watch.take(notice)
        now = self._watch.snapshot()
        if notice.kind == "batch-started":
            self._say(now, _start(now))
        elif failure is not None and now.failures <= SHOWN_FAILURES:
            more = "" if now.failures < SHOWN_FAILURES else "; further failures are not told here"
            self._say(now, f"failed: {failure}{more}")
        elif notice.kind == "stopping":
            how = "killing what still runs" if notice.facts.get("how") == "kill" else "stopping"
            self._say(now, f"{how}: {plain(notice.facts.get('reason') or 'asked to')}")
        elif notice.kind in ("paused", "resumed") and now.progress.state != "stopping":
            self._say(now, now.time_left if notice.kind == "paused" else "going on")
        elif notice.kind == "job-ended" and now.percent >= self._next_step:
            self._next_step = now.percent - now.percent % STEP + STEP
            if self._clock() - self._line_at >= 1.0:
                self._say(now, _line(now))

    def close(self) -> None:
        """Say nothing more."""
        self._over.set()
        self._thread.join()

    def _tick(self) -> None:
        while not self._over.wait(max(self._line_at + self._every_s - self._clock(), 0.05)):
            if self._clock() - self._line_at >= self._every_s:
                now = self._watch.snapshot()
                self._say(now, _line(now))

    def _say(self, now: Snapshot, text: str) -> None:
        with self._lock:
            self._line_at = self._clock()
            minutes, seconds = divmod(int(now.elapsed_s), 60)
            self._write(f"[{minutes:02d}:{seconds:02d}] {text}")


def _start(now: Snapshot) -> str:
    p = now.progress
    found = f", {p.found_done} found done" if p.found_done else ""
    return f"{plain(now.batch)}: {counted(p.total, 'job')} to run{found}, {counted(p.workers, 'worker')}"


def _line(now: Snapshot) -> str:
    words = ", ".join(text for _, text in now.counts)
    left = f", {now.time_left}" if now.time_left else ""
    return f"{now.percent} %, {words}{left}"


def turn_away(stream: TextIO) -> None:
    """Let a stream that nobody reads any more end in nothing, so that what is still in it harms nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


class JsonLines:
    """A listener that writes every notice as a line of JSON; after `finish` no line follows.

    Parameters
    ----------
    stream
        Takes the lines.
    root
        The output root: the file of a user's own task is told relative to it, as `status` does.
    """

    def __init__(self, stream: TextIO, root: Path) -> None:
        self._stream = stream
        self._root = root
        self._lock = threading.Lock()
        self._finished = False

    def __call__(self, notice: Notice) -> None:
        """Write one event."""
        line = notice.as_json()
        line.pop("priors", None)  # what earlier runs took, summed up for the time left
        if "task" in line:
            line["task"] = relative_task(line["task"], self._root)
        if "pending" in line:
            line["pending"] = {relative_task(task, self._root): left for task, left in line["pending"].items()}
        self._put(line)

    def finish(self, last: dict[str, Any]) -> None:
        """Write the last line."""
        self._put(last, last=True)

    def close(self) -> None:
        """Nothing is held back."""

    def _put(self, line: dict[str, Any], *, last: bool = False) -> None:
        with self._lock:
            if self._finished:
                return
            self._finished = last
            try:
                self._stream.write(dumps(line) + "\n")
                self._stream.flush()
            except BrokenPipeError:
                # Whoever read has gone, as head does after its lines: nobody is left to tell, and the run goes on.
                self._finished = True
                turn_away(self._stream)


def relative_task(task: str, root: Path) -> str:
    """The name of a task; a file's path as seen from the output root, as the ledger has it."""
    file, colon, function = task.rpartition(":")
    return f"{os.path.relpath(file, root.resolve())}:{function}" if colon else task


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON: NaN and infinities are null."""
    return json.dumps(_finite(value), allow_nan=False, indent=indent)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
