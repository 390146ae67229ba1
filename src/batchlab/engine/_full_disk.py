"""A full disk: noticed, waited for, and given up on in the end."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import suppress

from batchlab.engine._course import Course
from batchlab.engine._telling import Telling

log = logging.getLogger(__name__)

DISK_WAIT_S = 30.0  # how long a full disk is waited for
DISK_ROOM_BYTES = 1_000_000  # what must be free before work goes on


class FullDisk:
    """Whether the disk of the outputs is full, and since when."""

    def __init__(self, course: Course, telling: Telling) -> None:
        self._course = course
        self._telling = telling
        self._since: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether there was no room when last looked at."""
        return self._since is not None

    @property
    def overdue(self) -> bool:
        """Whether it has been waited for long enough."""
        return self._since is not None and self._course.on.clock() - self._since > DISK_WAIT_S

    def note(self) -> None:
        """Something could not be written for want of room."""
        if self._since is None:
            self._since = self._course.on.clock()
            root = self._course.on.place.root
            log.warning("the disk of %s is full: nothing more is started until there is room", root)
            self._telling.tell("paused", state="disk full")

    def look(self) -> None:
        """See whether there is room again."""
        if self.is_full and self._room() >= DISK_ROOM_BYTES:
            self._since = None
            with suppress(OSError):
                self._course.on.place.keep_reserve()
            self._telling.tell("resumed")

    def explains(self, error: sqlite3.Error) -> bool:
        """Whether the ledger could not be written because there is no room."""
        name = getattr(error, "sqlite_errorname", None) or ""
        return name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and self._room() < DISK_ROOM_BYTES)

    def _room(self) -> int:
        try:
            return self._course.on.free_bytes(self._course.on.place.root)
        except OSError:
            return 0
