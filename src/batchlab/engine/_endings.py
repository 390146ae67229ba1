"""What the end of an attempt means for its job: done, failed, to be tried again, without an item, given up."""

from __future__ import annotations

from dataclasses import replace

from batchlab.engine._cases import Case, redacted, worth_telling
from batchlab.engine._course import Course
from batchlab.engine._events import Done, Failed, Lost, Result
from batchlab.engine._full_disk import FullDisk
from batchlab.engine._key import inputs_text, make_key
from batchlab.engine._ledger import storable
from batchlab.engine._model import BatchState, Failure, Item, Outcome, Status
from batchlab.engine._placing import Placing, Promotion
from batchlab.engine._retry import Breaker, GiveUp, next_step
from batchlab.engine._schedule import Schedule
from batchlab.engine._stopping import Stopping
from batchlab.engine._telling import Telling
from batchlab.errors import Category

MAX_BLAMED_ITEMS = 20
MAX_LOST = 5


class Endings:
    """Outcomes of jobs, and their records; a job that is not over goes back into the schedule."""

    def __init__(
        self,
        course: Course,
        *,
        schedule: Schedule,
        placing: Placing,
        stopping: Stopping,
        disk: FullDisk,
        telling: Telling,
    ) -> None:
        self._course = course
        self._memory = course.on.memory
        self._records = course.on.records
        self._redactor = course.on.redactor
        self._schedule = schedule
        self._placing = placing
        self._stopping = stopping
        self._disk = disk
        self._telling = telling
        self._breaker = Breaker(course.settings.stop_after_failures)

    def done(self, case: Case, event: Done) -> None:
        """The task came to its end; its outputs are still to be put into place."""
        assert case.attempt is not None
        job, result = case.job, redacted(event.result, self._redactor)
        unnamed = next((o.path for o in event.outputs if storable(o.path) != o.path), None)
        if unnamed is not None:
            text = f"output {unnamed!r} has a name that is no text; give it one in UTF-8"
            failure = Failure(category=Category.OUTPUT, reason="bad-name", message=text)
            self.failed(case, Failed(attempt=event.attempt, failure=failure, result=event.result))
            return
        self._course.tally.see(job.task, case.planned.bytes, result)
        self._placing.remember_files(job, result)
        self._records.attempt(case.id, case.number, Status.DONE, result.elapsed_s, result.peak_memory_bytes, None)
        card = self._course.plan.cards[job.task]
        recipe, around = self._course.plan.recipes.of(job, card), self._course.plan.around.of(job, card)
        inputs = inputs_text(job, lambda path: result.digests[path][1], self._memory.handed, around)
        key = make_key(recipe, inputs)
        items = worth_telling((*case.blamed, *result.items))
        outcome = Outcome(
            job=job.name,
            status=Status.DONE,
            metrics={name: self._redactor.value(value) for name, value in event.metrics.items()},
            outputs=event.outputs,
            items=items,
            warnings=(*case.warnings, *result.warnings),
            attempts=case.number,
            elapsed_s=result.elapsed_s,
            peak_memory_bytes=result.peak_memory_bytes,
            stages=result.stages,
        )
        moves = self._placing.moves(case, event)
        self._records.result(
            case.id,
            outcome,
            key=key,
            fields=f"{recipe.text}\n{inputs}",
            cpu_s=result.cpu_s,
            thumbnail=self._placing.keep_thumbnail(case, event.thumbnail),
            log=self._placing.keep_log(case, result.log),
            moves=moves,
        )
        if moves:
            self._placing.intend(Promotion(case, outcome, key, moves))
        else:
            self._breaker.succeed()
            self._placing.drop_superseded(case, ())
            if result.scratch:
                self._placing.drop_scratch(case)
            self._placing.remember(case, key, ())
            self._course.ended.append((case, outcome))

    def place(self) -> None:
        """Put the outputs whose intent was just committed into place, and say what came of it."""
        for promotion, placed in self._placing.place():
            case = promotion.case
            if isinstance(placed, Failure):
                self._strike(case, placed, Result())
            elif placed is None:
                outcome = Outcome(job=case.job.name, status=Status.SKIPPED)
                self.settle(case, outcome, note="its output is there already")
            else:
                self._breaker.succeed()
                self._course.ended.append((case, replace(promotion.outcome, outputs=placed)))

    def failed(self, case: Case, event: Failed) -> None:
        """The attempt failed: its job may be cancelled, run without an item, again, or be given up."""
        result = redacted(event.result, self._redactor)
        failure = replace(
            event.failure,
            message=self._redactor.text(event.failure.message),
            traceback=self._redactor.maybe(event.failure.traceback),
        )
        status = Status.CANCELLED if failure.category is Category.CANCELLED else Status.FAILED
        # So that `why` can tell whether a bad file has been mended since.
        self._placing.remember_files(case.job, result)
        self._records.attempt(case.id, case.number, status, result.elapsed_s, result.peak_memory_bytes, failure)
        self._placing.drop_scratch(case)
        if status is Status.CANCELLED or (self._stopping.stop and self._stopping.stop.how == "kill"):
            log_path = self._placing.keep_log(case, result.log)
            outcome = Outcome(job=case.job.name, status=Status.CANCELLED, attempts=case.number)
            self.settle(case, outcome, note="cancelled while it ran", log_path=log_path)
            return
        self._course.tally.see(case.job.task, case.planned.bytes, result)
        if event.item is not None and event.item not in case.skip_items and len(case.blamed) < MAX_BLAMED_ITEMS:
            self._blame(case, event.item, failure)
            return
        self._strike(case, failure, result)

    def _strike(self, case: Case, failure: Failure, result: Result) -> None:
        """Try again, or give up."""
        case.strikes += 1
        step = next_step(failure, strikes=case.strikes, retries=self._course.settings.retries, seed=case.id)
        if failure.category is Category.DISK:
            self._disk.note()
        if isinstance(step, GiveUp) or self._stopping.stop:
            self.fail(case, failure, result=result)
            return
        self._placing.keep_log(case, result.log)
        self._telling.tell("retry", case.job.name, category=str(failure.category), message=failure.message)
        self._records.event("retry", case.job.name, f"{failure.category}: {failure.message}")
        at = self._course.on.clock() + step.wait_s if step.wait_s > 0 else None
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
        message = f"without {item}: {failure.message}"
        self._telling.tell("retry", case.job.name, category=str(failure.category), message=message)
        self._again(case)

    def lost(self, case: Case, event: Lost) -> None:
        """The attempt went under through no fault of its own."""
        self._records.attempt(case.id, case.number, Status.INTERRUPTED, None, None, None)
        self._placing.drop_scratch(case)
        case.lost += 1
        if case.lost > MAX_LOST:
            text = f"its process was lost {case.lost} times ({event.detail})"
            self.fail(case, Failure(category=Category.CRASH, reason="lost", message=text))
        elif self._stopping.stop:
            outcome = Outcome(job=case.job.name, status=Status.INTERRUPTED, attempts=case.number)
            self.settle(case, outcome, note=event.detail)
        else:
            self._again(case)

    def fail(self, case: Case, failure: Failure, *, result: Result | None = None, attempted: bool = True) -> None:
        """A job is over and has failed; the run may stop for it."""
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
        self.settle(case, outcome, log_path=self._placing.keep_log(case, result.log))
        reason = self._breaker.fail(failure)
        if not self._course.settings.continue_on_error:
            reason = f"stopped at the first failure ({case.job.name})"
        if reason is not None and not self._stopping.stop:
            self._stopping.ask("drain", BatchState.FAILED, reason)

    def settle(self, case: Case, outcome: Outcome, *, note: str | None = None, log_path: str | None = None) -> None:
        """A job is over without a result in place; it is told after the next commit."""
        self._records.result(case.id, outcome, note=note, log=log_path)
        case.note = note
        self._course.ended.append((case, outcome))
        remembered = self._memory.jobs.get(case.job.name)
        if remembered is not None:
            remembered.key = None  # what an earlier run made of it is not handed over any more
