"""A run's own log file, and the level of the package's logger while runs are under way."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from logging.handlers import MemoryHandler
from pathlib import Path

__all__ = ["run_log"]

_LINES = 200  # kept in memory before they are written


@contextlib.contextmanager
def run_log(path: Path, verbose: bool) -> Iterator[None]:
    """Write what the package logs into a file: buffered, and written at the end whatever happens.

    Parameters
    ----------
    path
        The file; made with the first line.
    verbose
        Whether it takes what is told for debugging, too.
    """
    file = _QuietFile(path, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    buffer = MemoryHandler(_LINES, flushLevel=logging.WARNING, target=file)
    buffer.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger = logging.getLogger("batchlab")
    with _LOUDNESS.at_least(buffer.level):
        logger.addHandler(buffer)
        try:
            yield
        finally:
            logger.removeHandler(buffer)
            buffer.close()  # flushes
            with contextlib.suppress(OSError):  # what a full disk has not taken yet
                file.close()


class _Loudness:
    """Keeps a logger as talkative as the most curious of several runs at once needs it, and restores it after all."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._asked: list[int] = []
        self._before = logging.NOTSET
        self._ours = logging.NOTSET  # the level as we set it: one that somebody sets meanwhile is left alone

    @contextlib.contextmanager
    def at_least(self, level: int) -> Iterator[None]:
        """Hold the logger at this level or below."""
        with self._lock:
            if not self._asked:
                self._before = self._ours = self._logger.level
            self._asked.append(level)
            self._settle()
        try:
            yield
        finally:
            with self._lock:
                self._asked.remove(level)
                self._settle()

    def _settle(self) -> None:
        if self._logger.level != self._ours:
            return
        above = self._logger.parent.getEffectiveLevel() if self._logger.parent is not None else logging.WARNING
        usual = self._before or above
        lowest = min(self._asked, default=usual)
        self._ours = self._before if lowest >= usual else lowest
        self._logger.setLevel(self._ours)


_LOUDNESS = _Loudness(logging.getLogger("batchlab"))


class _QuietFile(logging.FileHandler):
    """A log that cannot be written, on a full disk say, is no reason to end a run."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or go without."""
        with contextlib.suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Go without."""
