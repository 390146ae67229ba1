"""The log of a run in a file of its own, written some records at a time, and what is told meanwhile."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchlab.particles._exports import OrbitState, Trouble
from batchlab.particles._flusher import Flusher
from batchlab.particles._model import Scales

__all__ = ["LogFile", "Talk", "log_file"]

log = logging.getLogger(__name__)

_NAME = "batch_multi_plot_FAST_log_"


def log_file(folder: Path) -> Path:
    """Where a run logs: on from the last log of the folder, else in a new one named by the time."""
    there = sorted(folder.glob(f"{_NAME}*.log"))
    return there[-1] if there else folder / f"{_NAME}{datetime.now(UTC):%Y%m%dT%H%M%S}.log"


class LogFile:
    """Records that are written together.

    Parameters
    ----------
    path
        Appended to; None writes nothing.
    flush_batch_size
        How many records are written at once.
    flush_interval_s
        How old the oldest may become, as far as others follow; None for as old as it likes.

    Attributes
    ----------
    writes
        How often the file was written.
    """

    def __init__(
        self,
        path: Path | None,
        flush_batch_size: int,
        flush_interval_s: float | None = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.writes = 0
        self._lines: list[str] = []
        self._flusher = Flusher(flush_batch_size, flush_interval_s, clock)

    def write(self, level: str, text: str) -> None:
        """Take a record."""
        if self.path is None:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._lines.append(f"{now} [{level}] {text}\n")
        self._flusher.add()
        if self._flusher.due:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        self._flusher.clear()
        lines, self._lines = self._lines, []
        if not lines or self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError as error:
            log.warning("%s cannot be written: %s", self.path, error)
        self.writes += 1


class Talk:
    """Tells of orbits: in the log, on the console, by a bar.

    Parameters
    ----------
    records
        The log.
    verbose
        Whether orbits are told on stdout; what goes wrong always is on stderr, at once.
    bar
        Whether a bar on stderr counts orbits, instead of lines.
    total
        How many orbits there are.
    """

    def __init__(self, records: LogFile, *, verbose: bool, bar: bool, total: int) -> None:
        self._log = records
        self._verbose = verbose and not bar
        self._bar: Any = None
        if bar:
            import click

            self._bar = click.progressbar(length=total, label="orbits", file=sys.stderr, show_pos=True)

    def say(self, text: str) -> None:
        """Something that is good to know."""
        self._log.write("INFO", text)
        if self._verbose:
            print(text, flush=True)

    def failed(self, orbit: int, trouble: Trouble) -> None:
        """Something of an orbit went wrong."""
        text = f"orbit {orbit}, {trouble.instrument}: {trouble.reason}: {trouble.message}"
        self._log.write("ERROR", text)
        print(text, file=sys.stderr, flush=True)

    def over(self, state: OrbitState, scales: Scales) -> None:
        """An orbit is over."""
        self.say(f"orbit {state.orbit} ({scales[0]}, {scales[1]}): {state.status}")
        if self._bar is not None:
            self._bar.update(1)

    def close(self) -> None:
        """Write the last records, and end the bar's line."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
        self._log.flush()
