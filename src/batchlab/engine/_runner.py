"""The only loop: gives attempts to an executor, and records what became of them before anyone is told.

Single-threaded. In each turn: take in what happened; commit it together with the starts of the next attempts; hand
those over; put the outputs of what is done into place while the workers go on. A job is announced when the commit
that says it is done has returned.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchlab import __version__
from batchlab.engine._cases import Case, Tally, attempt_for, made_of, redacted, worth_telling
from batchlab.engine._commands import Ask, Command, take_commands
from batchlab.engine._events import Done, Event, Executor, Failed, ItemEntered, Lost, Result, StageEntered, Warned
from batchlab.engine._key import inputs_text, make_key
from batchlab.engine._lease import Lease
from batchlab.engine._ledger import storable
from batchlab.engine._memory import Memory, Remembered
from batchlab.engine._model import (
    BatchState,
    Conflict,
    Durability,
    Failure,
    From,
    Gather,
    Item,
    Job,
    Json,
    Outcome,
    Output,
    Status,
)
from batchlab.engine._names import slug
from batchlab.engine._notice import Board, Notice
from batchlab.engine._place import Place
from batchlab.engine._plan import Plan, Verdict, changed
from batchlab.engine._promote import Move, Mover, is_whole, remove_scratch
from batchlab.engine._records import Records
from batchlab.engine._redact import Redactor
from batchlab.engine._retry import Breaker, GiveUp, next_step
from batchlab.engine._schedule import Admission, Schedule, group_left_s
from batchlab.engine._signals import Interrupts
from batchlab.errors import BatchlabError, Category, JobError

log = logging.getLogger(__name__)

TICK_S = 0.25  # how long a signal or a command waits at most
DISK_WAIT_S = 30.0  # how long a full disk is waited for
DISK_ROOM_BYTES = 1_000_000  # what must be free before work goes on
SUSPECT_DEATHS = 2  # a job that ran when the runner died this often runs alone, and last
MAX_BLAMED_ITEMS = 20
MAX_LOST = 5


@dataclass(slots=True)
class _Promotion:
    """Outputs on their way: the intent is recorded, the end is not."""

    case: Case
    outcome: Outcome
    key: str
    moves: tuple[Move, ...]


@dataclass(slots=True)
class _Stop:
    """How the run is being stopped, if it is."""

    how: str | None = None  # drain or kill
    state: BatchState = BatchState.CANCELLED
    reason: str | None = None
    kill_at: float = float("inf")

    def __bool__(self) -> bool:
        return self.how is not None


@dataclass(slots=True)
class Surroundings:
    """What a runner stands on; tests hand in their own."""

    place: Place
    records: Records
    lease: Lease
    memory: Memory
    mover: Mover
    executor: Executor
    board: Board
    redactor: Redactor
    interrupts: Interrupts
    predicted: Mapping[str, int] = field(default_factory=dict)  # peak bytes by task
    clock: Callable[[], float] = time.monotonic
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free


class Runner:
    """One run of a plan."""

    def __init__(self, plan: Plan, ids: Mapping[str, int], on: Surroundings) -> None:
        self._plan = plan
        self._settings = plan.batch.settings
        self._on = on
        self._memory = on.memory
        self._records = on.records
        self._clock = on.clock
        self._began = on.clock()
        # A folder for each run: a worker of a killed one, stuck in the kernel, may still write into its own.
        self._scratch = f"{on.place.scratch}/{on.records.run}"
        self._provenance = {"batch": plan.batch.name, "batchlab": __version__}
        self._cases: dict[str, Case] = {}
        self._running: dict[int, Case] = {}
        self._attempts = 0
        self._needed = {name for planned in plan.jobs for name in planned.job.upstream}
        self._not_done: dict[str, str] = {}  # a needed job that is not done -> why
        self._unwanted: set[str] = set()  # cancelled before they started
        self._made_now: dict[str, str] = {}  # path -> the job that put a file there in this run
        self._items_failed: Mapping[int, int] = on.records.items_failed()
        self._gatherers: dict[str, list[Case]] | None = None
        self._schedule = Schedule()
        self._fresh = deque[Job]()  # jobs that nothing holds back any more, still to be considered
        self._promoting: list[_Promotion] = []
        self._kept: list[Event] = []  # that happened while the ledger could not be written
        self._ended: list[tuple[Case, Outcome]] = []  # told after the next commit
        self._notices: list[Notice] = []
        self._waiting_since: float | None = None
        self._breaker = Breaker(self._settings.stop_after_failures)
        self._admission = Admission(self._settings.memory_bytes, dict(on.predicted))
        self._group_spent: dict[str, float] = {}
        self._alone = False
        self._stop = _Stop()
        self._paused = False
        self._full_since: float | None = None
        self._look_at = 0.0
        self.tally = Tally()
        self._prepare(ids)

    def _prepare(self, ids: Mapping[str, int]) -> None:
        settled: set[str] = set()
        for planned in self._plan.jobs:
            name = planned.job.name
            if planned.verdict is Verdict.SKIP and not planned.skipped:
                settled.add(name)
                self.tally.found_done += 1
                self.tally.items_failed += self._items_failed.get(ids[name], 0)
                continue
            remembered = self._memory.jobs.get(name)
            case = Case(planned=planned, id=ids[name])
            if remembered is not None:
                case.deaths = remembered.deaths
                case.number = remembered.attempts
            self._cases[name] = case
        free = self._schedule.add((case.job for case in self._cases.values()), settled)
        # Of those that run alone the one that was there most often comes last: an innocent neighbour gets its turn.
        if any(case.deaths >= SUSPECT_DEATHS for case in self._cases.values()):
            free.sort(key=lambda job: max(self._cases[job.name].deaths, SUSPECT_DEATHS))
        self._fresh.extend(free)

    # the loop

    def run(self) -> Tally:
        """Run until nothing is left to do, or somebody stops it."""
        self._post_start()
        while True:
            self._heed_others()
            while self._fresh:
                self._consider(self._fresh.popleft())
            starts = self._admit()
            if not starts and not self._running and not self._records.pending.any() and not self._unfinished():
                break
            if not starts and not (self._records.pending.any() and self._flush_is_due()):
                for event in self._happened(self._patience()):
                    self._take(event)
                starts = self._admit()
            else:
                for event in self._happened(0.0):
                    self._take(event)
            self._turn(starts)
        self._finish()
        return self.tally

    @property
    def elapsed_s(self) -> float:
        """Since the run began."""
        return self._clock() - self._began

    def _unfinished(self) -> bool:
        return not self._stop and self._schedule.unfinished

    def _happened(self, timeout_s: float) -> list[Event]:
        kept, self._kept = self._kept, []
        return [*kept, *self._on.executor.events(0.0 if kept else timeout_s)]

    def _patience(self) -> float:
        """How long to wait for the next event."""
        now = self._clock()
        wait = TICK_S
        # A retry whose time has come cannot start while nothing may: waiting for it would only spin.
        if self._schedule.next_at is not None and self._may_start() and self._on.executor.free() > 0:
            wait = min(wait, self._schedule.next_at - now)
        if self._waiting_since is not None:
            wait = min(wait, self._waiting_since + self._settings.flush_interval_s - now)
        return max(0.0, wait)

    def _turn(self, starts: list[Case]) -> None:
        """Commit, hand over, announce, and put outputs into place."""
        if self._flush_is_due() or self._settings.flush_batch_size <= 1 or self._clock() >= self._on.lease.due:
            self._commit()
            self._hand_over(starts)
            self._announce()
            self._promote()
        else:
            self._hand_over(starts)
        self._post()

    def _flush_is_due(self) -> bool:
        if not self._records.pending.any():
            return False
        waiting = len(self._ended) + len(self._promoting)
        if waiting >= self._settings.flush_batch_size or not self._running or self._stop:
            return True
        if waiting == 0:
            return self._settings.flush_batch_size <= 1
        if self._waiting_since is None:
            self._waiting_since = self._clock()
        return self._clock() - self._waiting_since >= self._settings.flush_interval_s

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
                if not self._means_full(error):
                    raise BatchlabError(
                        f"{self._on.place.ledger}: nothing more can be recorded ({error}); what was told as done "
                        "is, run the same command again for the rest",
                        category=Category.OUTPUT,
                    ) from error
                self._note_full_disk()
                if self._give_back_scratch(0.0) or self._on.place.give_up_reserve():
                    continue
                waited_s = self._clock() - (self._full_since or 0.0)
                if waited_s > DISK_WAIT_S or self._on.interrupts.stops >= 2:
                    raise BatchlabError(
                        f"{self._on.place.root}: the disk is full and nothing more can be recorded; make room and run "
                        "the same command again",
                        category=Category.DISK,
                    ) from error
                self._give_back_scratch(TICK_S)

    def _give_back_scratch(self, wait_s: float) -> bool:
        """Make the room that attempts which failed meanwhile have taken; answers whether there were any."""
        happened = self._on.executor.events(wait_s)
        self._kept += happened
        failed = [self._running[e.attempt] for e in happened if isinstance(e, Failed) and e.attempt in self._running]
        for case in failed:
            self._drop_scratch(case)
        return bool(failed)

    def _means_full(self, error: sqlite3.Error) -> bool:
        name = getattr(error, "sqlite_errorname", None) or ""
        return name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and self._room() < DISK_ROOM_BYTES)

    def _room(self) -> int:
        try:
            return self._on.free_bytes(self._on.place.root)
        except OSError:
            return 0

    # who may start

    def _admit(self) -> list[Case]:
        """Choose the next attempts; their starts are recorded before they are handed over."""
        starts: list[Case] = []
        free = self._on.executor.free()
        while len(starts) < free and self._may_start():
            taken = self._schedule.take(
                self._clock(),
                running=len(self._running) + len(starts),
                warm=self._on.executor.warm(),
                fits=self._admission.fits,
            )
            if taken is None:
                break
            job, alone = taken
            case = self._cases[job.name]
            if job.name in self._unwanted:
                self._settle_unwanted(case)
                continue
            left_s = group_left_s(job, self._group_spent)
            if left_s is not None and left_s <= 0.0:
                limit = job.limits.group_timeout_s
                text = f"group {job.group} has used up its {limit:g} s"
                self._fail(case, Failure(category=Category.TIMEOUT, reason="group", message=text), attempted=False)
                continue
            self._attempts += 1
            case.number += 1
            case.attempts += 1
            case.attempt = attempt_for(
                case,
                self._attempts,
                self._memory,
                scratch=self._scratch,
                durable=self._settings.durability is Durability.FULL,
                provenance=self._provenance,
                group_left_s=left_s,
            )
            self._admission.start(job)
            self._records.start(case.id, case.number)
            starts.append(case)
            if alone:
                self._alone = True
                break
        return starts

    def _may_start(self) -> bool:
        return not (self._stop or self._paused or self._full_since is not None or self._alone)

    def _hand_over(self, starts: list[Case]) -> None:
        for case in starts:
            assert case.attempt is not None
            self._running[case.attempt.id] = case
            self._tell("job-started", case.job.name, attempt=case.number)
            self._on.executor.submit(case.attempt)

    def _consider(self, job: Job) -> None:
        """Nothing holds this job back: let it run, unless there is no need or no way."""
        case = self._cases[job.name]
        planned = case.planned
        lost = self._culprit(job)
        if job.name in self._unwanted:
            self._settle_unwanted(case)
        elif lost is not None:
            self._settle(case, Outcome(job=job.name, status=Status.BLOCKED, attempts=case.number), note=lost)
        elif planned.conflict is not None:
            failure = Failure(category=Category.OUTPUT, reason="conflict", message=planned.conflict)
            self._fail(case, failure, attempted=False)
        elif planned.skipped:
            self._settle(case, Outcome(job=job.name, status=Status.SKIPPED), note=planned.reason)
        elif job.upstream and planned.reason.startswith("waits for") and self._still_right(case):
            case.found = True
            self._records.state(case.id, Status.DONE)
            self._ended.append((case, Outcome(job=job.name, status=Status.DONE)))
        else:
            self._schedule.ready(job, alone=case.deaths >= SUSPECT_DEATHS)

    def _still_right(self, case: Case) -> bool:
        """Whether what it waited for came out as before, so that its own result still stands."""
        remembered = self._memory.jobs.get(case.job.name)
        if remembered is None or not remembered.done:
            return False
        recipe = self._plan.recipes.of(case.job, self._plan.cards[case.job.task])
        return changed(case.job, recipe, remembered, self._memory) is None

    def _culprit(self, job: Job) -> str | None:
        """Why a job can never run: a needed one that is not done; members that may be missing are left out."""
        if not self._not_done:
            return None
        forgiven: set[str] = set()
        for value in job.inputs.values():
            if isinstance(value, From) and value.gather is Gather.DONE:
                forgiven.update(value.jobs)
        for name in job.upstream:
            if name in self._not_done and name not in forgiven:
                return f"blocked by {name} ({self._not_done[name]})"
        return None

    # what happened

    def _take(self, event: Event) -> None:
        case = self._running.get(event.attempt)
        if case is None or case.attempt is None or case.attempt.id != event.attempt:
            return
        match event:
            case Done():
                self._leave(case, event.result)
                self._done(case, event)
            case Failed():
                self._leave(case, event.result)
                self._failed(case, event)
            case Lost():
                self._leave(case, Result())
                self._lost(case, event)
            case StageEntered():
                self._tell("stage", case.job.name, stage=event.stage)
            case ItemEntered():
                self._tell("item", case.job.name, item=event.item)
            case Warned():
                self._tell("warning", case.job.name, text=self._on.redactor.text(event.text))

    def _leave(self, case: Case, result: Result) -> None:
        """The attempt is over, whatever came of it."""
        assert case.attempt is not None
        del self._running[case.attempt.id]
        self._alone = False
        self._admission.end(case.job, result.peak_memory_bytes)
        case.elapsed_s = result.elapsed_s
        if case.job.group is not None:
            self._group_spent[case.job.group] = self._group_spent.get(case.job.group, 0.0) + result.elapsed_s
        for name, count in result.cache.items():
            self.tally.cache[name] = self.tally.cache.get(name, 0) + count

    def _done(self, case: Case, event: Done) -> None:
        assert case.attempt is not None
        job, result = case.job, redacted(event.result, self._on.redactor)
        unnamed = next((o.path for o in event.outputs if storable(o.path) != o.path), None)
        if unnamed is not None:
            text = f"output {unnamed!r} has a name that is no text; give it one in UTF-8"
            failure = Failure(category=Category.OUTPUT, reason="bad-name", message=text)
            self._failed(case, Failed(attempt=event.attempt, failure=failure, result=event.result))
            return
        self.tally.see(job.task, case.planned.bytes, result)
        self._remember_files(job, result)
        self._records.attempt(case.id, case.number, Status.DONE, result.elapsed_s, result.peak_memory_bytes, None)
        recipe = self._plan.recipes.of(job, self._plan.cards[job.task])
        inputs = inputs_text(job, lambda path: result.digests[path][1], self._memory.handed)
        key = make_key(recipe, inputs)
        items = worth_telling((*case.blamed, *result.items))
        outcome = Outcome(
            job=job.name,
            status=Status.DONE,
            metrics={name: self._on.redactor.value(value) for name, value in event.metrics.items()},
            outputs=event.outputs,
            items=items,
            warnings=(*case.warnings, *result.warnings),
            attempts=case.number,
            elapsed_s=result.elapsed_s,
            peak_memory_bytes=result.peak_memory_bytes,
            stages=result.stages,
        )
        moves = self._moves(case, event)
        self._records.result(
            case.id,
            outcome,
            key=key,
            fields=f"{recipe.text}\n{inputs}",
            cpu_s=result.cpu_s,
            thumbnail=self._keep_thumbnail(case, event.thumbnail),
            log=self._keep_log(case, result.log),
            moves=moves,
        )
        if moves:
            self._promoting.append(_Promotion(case, outcome, key, moves))
        else:
            self._breaker.succeed()
            self._drop_superseded(case, ())
            if result.scratch:
                self._drop_scratch(case)
            self._remember(case, key, ())
            self._ended.append((case, outcome))

    def _failed(self, case: Case, event: Failed) -> None:
        result = redacted(event.result, self._on.redactor)
        failure = replace(
            event.failure,
            message=self._on.redactor.text(event.failure.message),
            traceback=self._on.redactor.maybe(event.failure.traceback),
        )
        status = Status.CANCELLED if failure.category is Category.CANCELLED else Status.FAILED
        self._remember_files(case.job, result)  # so that `why` can tell whether a bad file has been mended since
        self._records.attempt(case.id, case.number, status, result.elapsed_s, result.peak_memory_bytes, failure)
        self._drop_scratch(case)
        if status is Status.CANCELLED or (self._stop and self._stop.how == "kill"):
            log_path = self._keep_log(case, result.log)
            outcome = Outcome(job=case.job.name, status=Status.CANCELLED, attempts=case.number)
            self._settle(case, outcome, note="cancelled while it ran", log_path=log_path)
            return
        self.tally.see(case.job.task, case.planned.bytes, result)
        if event.item is not None and event.item not in case.skip_items and len(case.blamed) < MAX_BLAMED_ITEMS:
            self._blame(case, event.item, failure)
            return
        self._strike(case, failure, result)

    def _strike(self, case: Case, failure: Failure, result: Result) -> None:
        """Try again, or give up."""
        case.strikes += 1
        step = next_step(failure, strikes=case.strikes, retries=self._settings.retries, seed=case.id)
        if failure.category is Category.DISK:
            self._note_full_disk()
        if isinstance(step, GiveUp) or self._stop:
            self._fail(case, failure, result=result)
            return
        self._keep_log(case, result.log)
        self._tell("retry", case.job.name, category=str(failure.category), message=failure.message)
        self._records.event("retry", case.job.name, f"{failure.category}: {failure.message}")
        at = self._clock() + step.wait_s if step.wait_s > 0 else None
        self._again(case, at=at, alone=step.alone)

    def _again(self, case: Case, *, at: float | None = None, alone: bool = False) -> None:
        """The job is not over; it waits for its next attempt."""
        self._records.state(case.id, Status.PENDING)
        self._schedule.ready(case.job, at=at, alone=alone)

    def _blame(self, case: Case, item: str, failure: Failure) -> None:
        """A crash or a timeout inside an item costs that item; the job runs once more without it."""
        blamed = Item(
            name=item,
            status=Status.FAILED,
            category=failure.category,
            reason=failure.reason,
            message=failure.message,
        )
        case.blamed = (*case.blamed, blamed)
        case.skip_items = case.skip_items | {item}
        self._tell("retry", case.job.name, category=str(failure.category), message=f"without {item}: {failure.message}")
        self._again(case)

    def _lost(self, case: Case, event: Lost) -> None:
        self._records.attempt(case.id, case.number, Status.INTERRUPTED, None, None, None)
        self._drop_scratch(case)
        case.lost += 1
        if case.lost > MAX_LOST:
            text = f"its process was lost {case.lost} times ({event.detail})"
            self._fail(case, Failure(category=Category.CRASH, reason="lost", message=text))
        elif self._stop:
            outcome = Outcome(job=case.job.name, status=Status.INTERRUPTED, attempts=case.number)
            self._settle(case, outcome, note=event.detail)
        else:
            self._again(case)

    def _fail(self, case: Case, failure: Failure, *, result: Result | None = None, attempted: bool = True) -> None:
        result = result or Result()
        outcome = Outcome(
            job=case.job.name,
            status=Status.FAILED,
            failure=failure,
            items=worth_telling((*case.blamed, *result.items)),
            warnings=(*case.warnings, *result.warnings),
            attempts=case.number,
            elapsed_s=result.elapsed_s if attempted else None,
            peak_memory_bytes=result.peak_memory_bytes,
            stages=result.stages,
        )
        self._settle(case, outcome, log_path=self._keep_log(case, result.log))
        reason = self._breaker.fail(failure)
        if not self._settings.continue_on_error:
            reason = f"stopped at the first failure ({case.job.name})"
        if reason is not None and not self._stop:
            self._stop_running("drain", BatchState.FAILED, reason)

    def _settle(self, case: Case, outcome: Outcome, *, note: str | None = None, log_path: str | None = None) -> None:
        """A job is over without a result in place; it is told after the next commit."""
        self._records.result(case.id, outcome, note=note, log=log_path)
        case.note = note
        self._ended.append((case, outcome))
        remembered = self._memory.jobs.get(case.job.name)
        if remembered is not None:
            remembered.key = None  # what an earlier run made of it is not handed over any more

    def _settle_unwanted(self, case: Case) -> None:
        self._unwanted.discard(case.job.name)
        outcome = Outcome(job=case.job.name, status=Status.CANCELLED, attempts=case.number)
        self._settle(case, outcome, note="cancelled before it ran")

    # outputs

    def _moves(self, case: Case, event: Done) -> tuple[Move, ...]:
        assert case.attempt is not None
        conflict = self._settings.conflict
        moves: list[Move] = []
        for output in event.outputs:
            base = output.name.split("/", 1)[0]
            target = case.job.outputs[base]
            # A name that another job took in this very run is that job's, whoever had it before.
            ours = self._made_now.get(output.path) in (None, case.job.name)
            own = ours and (output.path in self._memory.owners or conflict is Conflict.OVERWRITE)
            moves.append(
                Move(
                    name=output.name,
                    path=output.path,
                    target=target,
                    digest=output.digest,
                    bytes=output.bytes,
                    scratch=f"{case.attempt.scratch}/{event.left[output.name]}",
                    own=own,
                )
            )
        return tuple(moves)

    def _promote(self) -> None:
        """Give the outputs whose intent was just committed their names; their end is committed next."""
        if not self._promoting:
            return
        placed: list[tuple[_Promotion, tuple[Move, ...]]] = []
        for promotion in self._promoting:
            try:
                moved = self._on.mover.place(promotion.moves)
            except JobError as error:
                self._not_placed(promotion, promotion.moves, error)
                continue
            if moved is None:
                self._drop_scratch(promotion.case)
                self._records.unplaced(promotion.case.id, promotion.moves)
                outcome = Outcome(job=promotion.case.job.name, status=Status.SKIPPED)
                self._settle(promotion.case, outcome, note="its output is there already")
                continue
            placed.append((promotion, moved))
        self._promoting.clear()
        try:
            self._on.mover.sync()
        except JobError as error:
            for promotion, moved in placed:  # they lie there, and may or may not do so after a power cut
                self._not_placed(promotion, [replace(move, own=True) for move in moved], error)
            return
        for promotion, moved in placed:
            case = promotion.case
            self._breaker.succeed()
            self._records.confirm(case.id, moved)
            self._drop_superseded(case, moved)
            self._drop_scratch(case)
            self._remember(case, promotion.key, moved)
            outputs = tuple(Output(name=m.name, path=m.path, digest=m.digest, bytes=m.bytes) for m in moved)
            self._ended.append((case, replace(promotion.outcome, outputs=outputs)))

    def _not_placed(self, promotion: _Promotion, moves: Sequence[Move], error: JobError) -> None:
        case = promotion.case
        self._records.unplaced(case.id, moves)
        self._drop_scratch(case)
        failure = Failure(category=error.category, reason=error.reason, message=str(error))
        self._strike(case, failure, Result())

    def _drop_superseded(self, case: Case, moved: tuple[Move, ...]) -> None:
        """Remove what an earlier run of this job made under names that it no longer uses."""
        remembered = self._memory.jobs.get(case.job.name)
        if remembered is None:
            return
        now = {move.path for move in moved}
        inodes = {move.stat[2] for move in moved}  # where Fig.png and fig.png are one file, it is kept
        for made in remembered.outputs:
            owner = self._memory.owners.get(made.path)
            if made.path in now or owner != case.job.name or not is_whole(self._memory.root, made.path, made.digest):
                continue
            file = self._on.place.root / made.path
            try:
                if file.stat().st_ino not in inodes:
                    file.unlink()
            except OSError as error:
                log.warning("%s is of no use any more and cannot be removed: %s", file, error)
            del self._memory.owners[made.path]

    def _remember(self, case: Case, key: str, moved: tuple[Move, ...]) -> None:
        made = tuple(map(made_of, moved))
        self._memory.jobs[case.job.name] = Remembered(case.id, Status.DONE, key, None, None, 0, case.number, made)
        for each in made:
            self._memory.owners[each.path] = self._made_now[each.path] = case.job.name

    def _remember_files(self, job: Job, result: Result) -> None:
        known = self._memory.files
        for value in job.inputs.values():
            if isinstance(value, From):
                continue
            for path in (value,) if isinstance(value, str) else value:
                found = result.digests.get(path)
                if found is not None and known.get(path) != found:
                    known[path] = found
                    self._records.pending.files[path] = found

    def _drop_scratch(self, case: Case) -> None:
        if case.attempt is not None:
            remove_scratch(case.attempt.scratch)

    def _keep_log(self, case: Case, text: str | None) -> str | None:
        """Write the job's log; answers its path relative to the root."""
        if text is None:
            return case.log
        case.log = case.log or f".batchlab/logs/{slug(case.job.name)}.log"
        try:
            mode = "a" if case.attempts > 1 else "w"
            with open(self._on.place.root / case.log, mode, encoding="utf-8", opener=_no_links) as file:
                file.write(f"== attempt {case.number} ==\n{text.rstrip()}\n")
        except OSError as error:
            log.warning("the log of %s cannot be written: %s", case.job.name, error)
        return case.log

    def _keep_thumbnail(self, case: Case, scratch: str | None) -> str | None:
        if scratch is None:
            return None
        path = f".batchlab/thumbnails/{slug(case.job.name)}.png"
        try:
            Path(scratch).replace(self._on.place.root / path)
        except OSError as error:
            log.warning("the thumbnail of %s cannot be kept: %s", case.job.name, error)
            return None
        return path

    # telling

    def _announce(self) -> None:
        """Tell what the last commit has recorded, and free those that waited for it."""
        recorded, self._ended = self._ended, []
        for case, outcome in recorded:
            name = case.job.name
            case.ended = outcome
            if case.found:
                self.tally.found_done += 1
                self.tally.items_failed += self._items_failed.get(case.id, 0)
            else:
                self.tally.count(outcome)
            self._tell_end(case, outcome)
            if outcome.status is not Status.DONE and name in self._needed:
                why = outcome.failure.category if outcome.failure else outcome.status
                self._not_done[name] = str(why)
                self._warn_gatherers(name, str(why))
            self._fresh.extend(self._schedule.over(name))

    def _warn_gatherers(self, name: str, why: str) -> None:
        if self._gatherers is None:
            self._gatherers = {}
            for case in self._cases.values():
                for value in case.job.inputs.values():
                    if isinstance(value, From) and value.gather is Gather.DONE:
                        for member in value.jobs:
                            self._gatherers.setdefault(member, []).append(case)
        for case in self._gatherers.get(name, ()):
            case.warnings = (*case.warnings, f"left out: {name} ({why})")

    def _tell_end(self, case: Case, outcome: Outcome) -> None:
        if not self._on.board.heard:
            return
        f = outcome.failure
        self._tell(
            "job-ended",
            case.job.name,
            task=case.job.task,
            state="skipped" if case.found else str(outcome.status),
            bytes=case.planned.bytes,
            elapsed_s=outcome.elapsed_s,
            attempts=outcome.attempts,
            category=f and str(f.category),
            reason=f.reason if f else case.note,
            message=f and f.message,
            items_failed=sum(item.status is Status.FAILED for item in outcome.items),
        )

    def _tell(self, kind: str, job: str | None = None, **facts: Json) -> None:
        if self._on.board.heard:
            self._notices.append(Notice(kind=kind, at_s=self._clock() - self._began, job=job, facts=facts))

    def _post(self) -> None:
        if self._notices:
            self._on.board.post(self._notices)
            self._notices = []

    def _post_start(self) -> None:
        pending: dict[str, tuple[int, int]] = {}
        for case in self._cases.values():
            jobs, size = pending.get(case.job.task, (0, 0))
            pending[case.job.task] = (jobs + 1, size + case.planned.bytes)
        self._tell(
            "batch-started",
            batch=self._plan.batch.name,
            total=len(self._cases),
            found_done=self.tally.found_done,
            workers=self._on.executor.workers,
            pending=pending,
            priors=self.tally.priors,
        )
        self._post()

    # stopping

    def _heed_others(self) -> None:
        """Signals, commands, the batch's own time, a full disk, the end of the grace time."""
        now = self._clock()
        stops = self._on.interrupts.stops
        if stops >= 2 and self._stop.how != "kill":
            self._stop_running("kill", BatchState.CANCELLED, "killed by the user")
        elif stops == 1 and not self._stop:
            self._stop_running("drain", BatchState.CANCELLED, "cancelled by the user")
        if now >= self._look_at:
            self._look_at = now + TICK_S
            for command in take_commands(self._on.place.commands):
                self._obey(command)
            self._look_at_disk(now)
        limit = self._settings.timeout_s
        if limit is not None and now - self._began >= limit and self._stop.how != "kill":
            self._stop_running("kill", BatchState.INTERRUPTED, f"the batch's own limit of {limit:g} s is over")
        if self._stop.how == "drain" and now >= self._stop.kill_at:
            self._stop_running("kill", self._stop.state, self._stop.reason)

    def _obey(self, command: Command) -> None:
        match command.ask:
            case Ask.CANCEL if command.jobs:
                for attempt, case in list(self._running.items()):
                    if case.job.name in command.jobs:
                        self._on.executor.cancel(attempt, hard=True)
                running = {case.job.name for case in self._running.values()}
                waiting = {name for name in command.jobs if name in self._cases and self._cases[name].ended is None}
                self._unwanted |= waiting - running
            case Ask.CANCEL:
                self._stop_running("kill" if command.now else "drain", BatchState.CANCELLED, "cancelled on request")
            case Ask.PAUSE:
                self._paused = True
                self._tell("paused", state="paused")
            case Ask.RESUME:
                self._paused = False
                self._tell("resumed")
            case Ask.RETRY:
                self._ask_again(command.jobs)

    def _ask_again(self, names: Sequence[str]) -> None:
        """Take failed jobs up once more, and those that they block."""
        failed = {n: c for n, c in self._cases.items() if c.ended is not None and c.ended.status is Status.FAILED}
        again = [case for name, case in failed.items() if not names or name in names]
        if not again or self._stop:
            return
        again += [c for c in self._cases.values() if c.ended is not None and c.ended.status is Status.BLOCKED]
        for case in again:
            outcome, case.ended, case.strikes, case.note = case.ended, None, 0, None
            assert outcome is not None
            self.tally.take_back(outcome)
            self._not_done.pop(case.job.name, None)
            self._records.state(case.id, Status.PENDING)
            facts = {"was": str(outcome.status), "task": case.job.task, "bytes": case.planned.bytes}
            self._tell("asked-again", case.job.name, **facts)
        waiting = {case.job.name for case in again}
        over = {name for planned in self._plan.jobs for name in planned.job.upstream if name not in waiting}
        self._fresh.extend(self._schedule.add((case.job for case in again), over))

    def _stop_running(self, how: str, state: BatchState, reason: str | None) -> None:
        """Drain: start nothing more. Kill: end what runs, too."""
        self._stop.how, self._stop.state, self._stop.reason = how, state, reason
        self._tell("stopping", state="stopping", how=how, reason=reason)
        log.info("stopping (%s): %s", how, reason)
        asked = state is not BatchState.FAILED  # after failures, what runs may finish in its own time
        if how == "kill" or asked:
            for attempt in list(self._running):
                self._on.executor.cancel(attempt, hard=how == "kill")
        if asked:
            self._stop.kill_at = self._clock() + self._settings.grace_s

    def _note_full_disk(self) -> None:
        if self._full_since is None:
            self._full_since = self._clock()
            log.warning("the disk of %s is full: nothing more is started until there is room", self._on.place.root)
            self._tell("paused", state="disk full")

    def _look_at_disk(self, now: float) -> None:
        if self._full_since is None:
            return
        if self._room() >= DISK_ROOM_BYTES:
            self._full_since = None
            with suppress(OSError):
                self._on.place.keep_reserve()
            self._tell("resumed")
        elif now - self._full_since > DISK_WAIT_S and not self._stop:
            reason = f"the disk of {self._on.place.root} is full; make room and run the same command again"
            self._stop_running("drain", BatchState.FAILED, reason)

    def _finish(self) -> None:
        tally = self.tally
        tally.elapsed_s = self.elapsed_s
        with suppress(OSError):
            os.rmdir(self._scratch)
        tally.reason = self._stop.reason
        if self._stop:
            tally.state = self._stop.state
        elif tally.troubled:
            tally.state = BatchState.FAILED
        else:
            tally.state = BatchState.DONE
        self._write(lambda: self._records.end(tally.state, tally.elapsed_s, tally.reason, tally.cache))
        self._tell("batch-ended", state=str(tally.state), reason=tally.reason)
        self._post()


def _no_links(path: str, flags: int) -> int:
    """Open a file of the engine's own; a link in its place could lead anywhere."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)
