"""A page of memory that a worker and its pool share: who has started what, and what is taken back.

Attempts may be queued ahead in a worker, each in a place of its own, counted from 1. The pool takes one back by marking
its place, the worker starts one by writing the place's number: each writes first and reads after, with a fence
between, so never do both believe that the attempt is theirs. After a crash it tells which attempt was running.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading

_CELL = struct.Struct("=q")
_STARTED, _CANCELLED, _RECALLED = 0, 8, 64
PLACES = 64  # more than are ever queued in one worker
_SIZE = 128


class Slate:
    """The shared page, through a small file.

    Parameters
    ----------
    path
        Of the file; the pool makes it before the worker starts, and removes it.
    """

    def __init__(self, path: str, *, make: bool = False) -> None:
        self.path = path
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0), 0o600)
        try:
            if make:
                os.ftruncate(descriptor, _SIZE)
            self._page = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        if make:
            _CELL.pack_into(self._page, _STARTED, -1)
            _CELL.pack_into(self._page, _CANCELLED, -1)
        self._fence = threading.Lock()

    # the worker's side

    def begin(self, place: int) -> bool:
        """Start the attempt in this place of the queue; False if it was taken back."""
        _CELL.pack_into(self._page, _STARTED, place)
        with self._fence:
            return self._page[_RECALLED + place % PLACES] == 0

    def is_cancelled(self, attempt: int) -> bool:
        """Whether the running attempt is asked to stop."""
        return bool(_CELL.unpack_from(self._page, _CANCELLED)[0] == attempt)

    # the pool's side

    def started(self) -> int:
        """The place started last, those before it being over; -1 before the first."""
        value: int = _CELL.unpack_from(self._page, _STARTED)[0]
        return value

    def take_back(self, place: int) -> bool:
        """Take a queued attempt back; False if the worker may have started it, and will say what became of it."""
        self._page[_RECALLED + place % PLACES] = 1
        with self._fence:
            return self.started() < place

    def forget(self, place: int) -> None:
        """The worker has answered for this place."""
        self._page[_RECALLED + place % PLACES] = 0

    def cancel(self, attempt: int) -> None:
        """Ask the running attempt to stop."""
        _CELL.pack_into(self._page, _CANCELLED, attempt)

    def close(self) -> None:
        """Remove the page."""
        self._page.close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return
