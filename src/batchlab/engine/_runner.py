"""The only loop: gives attempts to an executor, and records what became of them before anyone is told.

Single-threaded. In each turn: take in what happened; commit it together with the starts of the next attempts; hand
those over; put the outputs of what is done into place while the workers go on. A job is announced when the commit
that says it is done has returned.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress

from batchlab.engine._cases import Case, Tally
from batchlab.engine._commands import Ask, Command, take_commands
from batchlab.engine._course import Course, Surroundings
from batchlab.engine._endings import Endings
from batchlab.engine._events import TERMINAL, Done, Event, Failed, Lost, Result
from batchlab.engine._full_disk import FullDisk
from batchlab.engine._lineup import Lineup
from batchlab.engine._model import BatchState, Outcome, Status
from batchlab.engine._placing import Placing
from batchlab.engine._plan import Plan
from batchlab.engine._schedule import Schedule
from batchlab.engine._stopping import Stopping
from batchlab.engine._telling import Telling
from batchlab.errors import BatchlabError, Category

__all__ = ["Runner", "Surroundings"]

TICK_S = 0.25  # how long a signal or a command waits at most


class Runner:
    """One run of a plan."""

    def __init__(self, plan: Plan, ids: Mapping[str, int], on: Surroundings) -> None:
        self._on = on
        self._settings = plan.batch.settings
        self._records = on.records
        self._clock = on.clock
        course = self._course = Course(plan, on)
        self._running = course.running
        self.tally: Tally = course.tally
        telling = self._telling = Telling(course)
        disk = self._disk = FullDisk(course, telling)
        stopping = self._stopping = Stopping(course, disk, telling)
        placing = self._placing = Placing(on.place.root, on.mover, on.memory, on.records, self._settings.conflict)
        schedule = Schedule()
        endings = self._endings = Endings(
            course, schedule=schedule, placing=placing, stopping=stopping, disk=disk, telling=telling
        )
        self._lineup = Lineup(course, ids, schedule=schedule, endings=endings, stopping=stopping, telling=telling)
        self._kept: list[Event] = []  # that happened while the ledger could not be written
        self._waiting_since: float | None = None
        self._look_at = 0.0

    def run(self) -> Tally:
        """Run until nothing is left to do, or somebody stops it."""
        self._telling.start()
        while True:
            self._heed_others()
            self._lineup.consider()
            starts = self._lineup.admit()
            if not starts and not self._running and not self._records.pending.any() and not self._unfinished():
                break
            if not starts and not (self._records.pending.any() and self._flush_is_due()):
                for event in self._happened(self._patience()):
                    self._take(event)
                starts = self._lineup.admit()
            else:
                for event in self._happened(0.0):
                    self._take(event)
            self._turn(starts)
        self._finish()
        return self.tally

    @property
    def elapsed_s(self) -> float:
        """Since the run began."""
        return self._course.elapsed_s

    def _unfinished(self) -> bool:
        return not self._stopping.stop and self._lineup.unfinished

    def _heed_others(self) -> None:
        """Signals, commands, a full disk, the batch's own time, the end of the grace time."""
        now = self._clock()
        self._stopping.heed_signals()
        if now >= self._look_at:
            self._look_at = now + TICK_S
            for command in take_commands(self._on.place.commands):
                self._obey(command)
            self._stopping.heed_disk()
        self._stopping.heed_time(now)

    def _obey(self, command: Command) -> None:
        match command.ask:
            case Ask.CANCEL if command.jobs:
                self._lineup.cancel(command.jobs)
            case Ask.CANCEL:
                self._stopping.ask("kill" if command.now else "drain", BatchState.CANCELLED, "cancelled on request")
            case Ask.PAUSE:
                self._stopping.pause()
            case Ask.RESUME:
                self._stopping.resume()
            case Ask.RETRY:
                self._lineup.ask_again(command.jobs)

    def _happened(self, timeout_s: float) -> list[Event]:
        kept, self._kept = self._kept, []
        return [*kept, *self._on.executor.events(0.0 if kept else timeout_s)]

    def _patience(self) -> float:
        """How long to wait for the next event."""
        now = self._clock()
        wait = TICK_S
        # A retry whose time has come cannot start while nothing may: waiting for it would only spin.
        next_at = self._lineup.next_at
        if next_at is not None:
            wait = min(wait, next_at - now)
        if self._waiting_since is not None:
            wait = min(wait, self._waiting_since + self._settings.flush_interval_s - now)
        return max(0.0, wait)

    def _take(self, event: Event) -> None:
        case = self._running.get(event.attempt)
        if case is None or case.attempt is None or case.attempt.id != event.attempt:
            return
        match event:
            case Done():
                self._leave(case, event.result)
                self._endings.done(case, event)
            case Failed():
                self._leave(case, event.result)
                self._endings.failed(case, event)
            case Lost():
                self._leave(case, Result())
                self._endings.lost(case, event)
            case _:
                self._telling.event(case, event)

    def _leave(self, case: Case, result: Result) -> None:
        """The attempt is over, whatever came of it."""
        assert case.attempt is not None
        del self._running[case.attempt.id]
        self._lineup.leave(case, result)
        for name, count in result.cache.items():
            self.tally.cache[name] = self.tally.cache.get(name, 0) + count

    def _turn(self, starts: list[Case]) -> None:
        """Commit, hand over, announce, and put outputs into place."""
        if self._flush_is_due() or self._settings.flush_batch_size <= 1 or self._clock() >= self._on.lease.due:
            self._commit()
            self._hand_over(starts)
            self._announce()
            self._endings.place()
        else:
            self._hand_over(starts)
        self._telling.post()

    def _flush_is_due(self) -> bool:
        if not self._records.pending.any():
            return False
        waiting = len(self._course.ended) + self._placing.waiting
        if waiting >= self._settings.flush_batch_size or not self._running or self._stopping.stop:
            return True
        if waiting == 0:
            return self._settings.flush_batch_size <= 1
        if self._waiting_since is None:
            self._waiting_since = self._clock()
        return self._clock() - self._waiting_since >= self._settings.flush_interval_s

    def _hand_over(self, starts: list[Case]) -> None:
        for case in starts:
            assert case.attempt is not None
            self._running[case.attempt.id] = case
            self._telling.tell("job-started", case.job.name, attempt=case.number)
            self._on.executor.submit(case.attempt)

    def _announce(self) -> None:
        """Tell what the last commit has recorded, and free those that waited for it."""
        recorded, self._course.ended = self._course.ended, []
        for case, outcome in recorded:
            case.ended = outcome
            if case.found:
                self.tally.found_done += 1
                self.tally.items_failed += self._course.items_failed.get(case.id, 0)
            else:
                self.tally.count(outcome)
            self._telling.end(case, outcome)
            self._lineup.over(case, outcome)
            if outcome.status is Status.DONE:
                # All of it is in the ledger; a batch of thousands is not to be held in memory as well.
                case.ended = Outcome(job=outcome.job, status=outcome.status)
                case.attempt, case.warnings, case.log = None, (), None

    def _commit(self) -> None:
        if not self._records.pending.any() and self._clock() < self._on.lease.due:
            return
        self._write(lambda: self._records.commit(self._on.lease.beat))
        self._waiting_since = None

    def _write(self, act: Callable[[], None]) -> None:
        """Write into the ledger; wait for a full disk, for what is done is recorded before anything else is begun."""
        while True:
            try:
                return act()
            except sqlite3.Error as error:
                if not self._disk.explains(error):
                    raise BatchlabError(
                        f"{self._on.place.ledger}: nothing more can be recorded ({error}); what was told as done "
                        "is, run the same command again for the rest",
                        category=Category.OUTPUT,
                    ) from error
                self._disk.note()
                if self._give_back_scratch(0.0):
                    continue
                # Not while jobs run that would fill it themselves, unless they run on and on.
                if (self._all_answered() or self._disk.overdue) and self._on.place.give_up_reserve():
                    continue
                if self._disk.overdue or self._on.interrupts.stops >= 2:
                    raise BatchlabError(
                        f"{self._on.place.root}: the disk is full and nothing more can be recorded; make room and run "
                        "the same command again",
                        category=Category.DISK,
                    ) from error
                self._give_back_scratch(TICK_S)

    def _all_answered(self) -> bool:
        """Whether every attempt that was handed over has ended."""
        ended = {event.attempt for event in self._kept if isinstance(event, TERMINAL)}
        return self._running.keys() <= ended

    def _give_back_scratch(self, wait_s: float) -> bool:
        """Make the room that attempts which failed meanwhile have taken; answers whether there were any."""
        happened = self._on.executor.events(wait_s)
        self._kept += happened
        failed = [self._running[e.attempt] for e in happened if isinstance(e, Failed) and e.attempt in self._running]
        for case in failed:
            self._placing.drop_scratch(case)
        return bool(failed)

    def _finish(self) -> None:
        tally = self.tally
        tally.elapsed_s = self.elapsed_s
        with suppress(OSError):
            os.rmdir(self._course.scratch)
        tally.reason = self._stopping.stop.reason
        if self._stopping.stop:
            tally.state = self._stopping.stop.state
        elif tally.troubled:
            tally.state = BatchState.FAILED
        else:
            tally.state = BatchState.DONE
        self._write(lambda: self._records.end(tally.state, tally.elapsed_s, tally.reason, tally.cache))
        self._telling.tell("batch-ended", state=str(tally.state), reason=tally.reason)
        self._telling.post()
