"""Who runs a batch: a row in the ledger that heals itself, never a lock to be removed by hand."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from batchlab.engine import _procs
from batchlab.engine._ledger import Ledger
from batchlab.errors import StartError

log = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
DEAD_AFTER_S = 30.0  # by the observer's own clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process, named so that no later process can be taken for it."""

    host: str
    pid: int
    start_time: str | None
    boot_id: str
    beats: int
    token: str


def this_process() -> Holder:
    """The holder that this process would be."""
    pid = os.getpid()
    return Holder(
        host=socket.gethostname(),
        pid=pid,
        start_time=_procs.start_time(pid),
        boot_id=_procs.boot_id(),
        beats=0,
        token=secrets.token_hex(8),
    )


def is_dead(
    holder: Holder, here: Holder, *, start_time: Callable[[int], str | None] = _procs.start_time
) -> bool | None:
    """Whether the holder has ended; None if only its heartbeat can tell.

    The same host after another boot, the same pid with another start time: both are somebody else.
    """
    if holder.host != here.host:
        return None
    if holder.boot_id != here.boot_id:
        return True
    began = start_time(holder.pid)
    return began is None or began != holder.start_time


class Lease:
    """The right to run the batch of one ledger."""

    def __init__(self, ledger: Ledger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        self._me = this_process()
        self._last_beat = 0.0

    def acquire(
        self,
        *,
        wait: Callable[[float], None] = time.sleep,
        start_time: Callable[[int], str | None] = _procs.start_time,
    ) -> Holder | None:
        """Take the lease; answers who held it before and died with it, or None.

        Raises
        ------
        StartError
            If another run holds it and lives.
        """
        try:
            return self._acquire(wait, start_time)
        except sqlite3.OperationalError as error:
            raise StartError(f"{self._ledger.path}: the ledger is in use and cannot be taken ({error})") from error

    def _acquire(self, wait: Callable[[float], None], start_time: Callable[[int], str | None]) -> Holder | None:
        watched: Holder | None = None
        since = self._clock()
        while True:
            with self._ledger.writing():
                holder = self._read()
                dead = holder is not None and is_dead(holder, self._me, start_time=start_time)
                if holder is not None and dead is None and holder == watched:
                    dead = self._clock() - since >= DEAD_AFTER_S
                if holder is None or dead:
                    self._write()
                    return holder
            if holder.host == self._me.host or (watched is not None and holder.beats != watched.beats):
                where = "" if holder.host == self._me.host else f" on {holder.host}"
                raise StartError(
                    f"{self._ledger.path.parent.parent} is being run by process {holder.pid}{where}; wait for it, or "
                    "stop it with `batchlab cancel`"
                )
            if watched is None:
                watched, since = holder, self._clock()
            wait(1.0)

    def beat(self) -> None:
        """Show that this run lives, and see that nobody took it for dead; call it inside every transaction.

        Raises
        ------
        StartError
            If another run has taken over: this one must not write any more.
        """
        if self._ledger.execute("SELECT 1 FROM lease WHERE token = ?", (self._me.token,)).fetchone() is None:
            raise StartError(
                f"{self._ledger.path}: another run has taken over, since this one gave no sign of life; "
                "wait for it, then run the same command again"
            )
        now = self._clock()
        if now - self._last_beat >= HEARTBEAT_S:
            self._last_beat = now
            self._ledger.execute("UPDATE lease SET beats = beats + 1 WHERE token = ?", (self._me.token,))

    @property
    def due(self) -> float:
        """When the next beat is due, by the clock."""
        return self._last_beat + HEARTBEAT_S

    def release(self) -> None:
        """Give it back; where that cannot be written, the end of this process tells the same."""
        try:
            with self._ledger.writing():
                self._ledger.execute("DELETE FROM lease WHERE token = ?", (self._me.token,))
        except sqlite3.Error as error:
            log.warning("%s: the lease is not given back (%s)", self._ledger.path, error)

    def _read(self) -> Holder | None:
        row = self._ledger.execute("SELECT host, pid, start_time, boot_id, beats, token FROM lease").fetchone()
        if row is None:
            return None
        host, pid, start_time, boot_id, beats, token = row
        return Holder(host=host, pid=pid, start_time=start_time, boot_id=boot_id, beats=beats, token=token)

    def _write(self) -> None:
        me = self._me
        self._last_beat = self._clock()
        self._ledger.execute(
            "INSERT OR REPLACE INTO lease VALUES (1, ?, ?, ?, ?, ?, ?)",
            (me.host, me.pid, me.start_time, me.boot_id, 1, me.token),
        )
