"""How a run is stopped: by signals, on request, by its own time, by failures, by a full disk."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from batchlab.engine._course import Course
from batchlab.engine._full_disk import FullDisk
from batchlab.engine._model import BatchState
from batchlab.engine._telling import Telling

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stop:
    """How the run is being stopped, if it is."""

    how: str | None = None  # drain or kill
    state: BatchState = BatchState.CANCELLED
    reason: str | None = None
    kill_at: float = float("inf")

    def __bool__(self) -> bool:
        return self.how is not None


class Stopping:
    """What holds the run up, and what ends it."""

    def __init__(self, course: Course, disk: FullDisk, telling: Telling) -> None:
        self._course = course
        self._disk = disk
        self._telling = telling
        self._paused = False
        self.stop = Stop()

    @property
    def holds(self) -> bool:
        """Whether nothing may be started for now."""
        return bool(self.stop) or self._paused or self._disk.is_full

    def pause(self) -> None:
        """Start nothing until told to go on."""
        self._paused = True
        self._telling.tell("paused", state="paused")

    def resume(self) -> None:
        """Go on after a pause."""
        self._paused = False
        self._telling.tell("resumed")

    def heed_signals(self) -> None:
        """The first signal drains, the second kills."""
        stops = self._course.on.interrupts.stops
        if stops >= 2 and self.stop.how != "kill":
            self.ask("kill", BatchState.CANCELLED, "killed by the user")
        elif stops == 1 and not self.stop:
            self.ask("drain", BatchState.CANCELLED, "cancelled by the user")

    def heed_disk(self) -> None:
        """Go on once there is room; stop if there is none for too long."""
        self._disk.look()
        if self._disk.overdue and not self.stop:
            reason = f"the disk of {self._course.on.place.root} is full; make room and run the same command again"
            self.ask("drain", BatchState.FAILED, reason)

    def heed_time(self, now: float) -> None:
        """The batch's own time, and the end of the grace time."""
        limit = self._course.settings.timeout_s
        if limit is not None and now - self._course.began >= limit and self.stop.how != "kill":
            self.ask("kill", BatchState.INTERRUPTED, f"the batch's own limit of {limit:g} s is over")
        if self.stop.how == "drain" and now >= self.stop.kill_at:
            self.ask("kill", self.stop.state, self.stop.reason)

    def ask(self, how: str, state: BatchState, reason: str | None) -> None:
        """Drain: start nothing more. Kill: end what runs, too."""
        self.stop.how, self.stop.state, self.stop.reason = how, state, reason
        self._telling.tell("stopping", state="stopping", how=how, reason=reason)
        log.info("stopping (%s): %s", how, reason)
        asked = state is not BatchState.FAILED  # after failures, what runs may finish in its own time
        if how == "kill" or asked:
            for attempt in list(self._course.running):
                self._course.on.executor.cancel(attempt, hard=how == "kill")
        if asked:
            self.stop.kill_at = self._course.on.clock() + self._course.settings.grace_s
