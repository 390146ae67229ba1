"""Which job runs next: those that nothing holds back, in turn, and why others never will."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from batchlab import __version__
from batchlab.engine._cases import Case, attempt_for
from batchlab.engine._course import Course
from batchlab.engine._endings import Endings
from batchlab.engine._events import Result
from batchlab.engine._model import Durability, Failure, From, Gather, Job, Outcome, Status
from batchlab.engine._plan import Verdict, changed
from batchlab.engine._schedule import Admission, Schedule, group_left_s
from batchlab.engine._stopping import Stopping
from batchlab.engine._telling import Telling
from batchlab.errors import Category

SUSPECT_DEATHS = 2  # a job that ran when the runner died this often runs alone, and last


class Lineup:
    """The jobs of a run that are not over, up to the moment when they start."""

    def __init__(
        self,
        course: Course,
        ids: Mapping[str, int],
        *,
        schedule: Schedule,
        endings: Endings,
        stopping: Stopping,
        telling: Telling,
    ) -> None:
        self._course = course
        self._plan = course.plan
        self._cases = course.cases
        self._memory = course.on.memory
        self._records = course.on.records
        self._executor = course.on.executor
        self._schedule = schedule
        self._endings = endings
        self._stopping = stopping
        self._telling = telling
        self._provenance = {"batch": course.plan.batch.name, "batchlab": __version__}
        self._attempts = 0
        self._needed = {name for planned in course.plan.jobs for name in planned.job.upstream}
        self._not_done: dict[str, str] = {}  # a needed job that is not done -> why
        self._unwanted: set[str] = set()  # cancelled before they started
        self._gatherers: dict[str, list[Case]] | None = None
        self._fresh = deque[Job]()  # jobs that nothing holds back any more, still to be considered
        self._admission = Admission(course.settings.memory_bytes, dict(course.on.predicted))
        self._group_spent: dict[str, float] = {}
        self._alone = False
        self._prepare(ids)

    def _prepare(self, ids: Mapping[str, int]) -> None:
        settled: set[str] = set()
        for planned in self._plan.jobs:
            name = planned.job.name
            if planned.verdict is Verdict.SKIP and not planned.skipped:
                settled.add(name)
                self._course.tally.found_done += 1
                self._course.tally.items_failed += self._course.items_failed.get(ids[name], 0)
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

    @property
    def unfinished(self) -> bool:
        """Whether any job is left to run."""
        return self._schedule.unfinished

    @property
    def next_at(self) -> float | None:
        """When the next waiting job's time comes, if it could start then."""
        at = self._schedule.next_at
        return at if at is not None and self._may_start() and self._executor.free() > 0 else None

    def consider(self) -> None:
        """Look at the jobs that nothing holds back any more."""
        while self._fresh:
            self._consider(self._fresh.popleft())

    def admit(self) -> list[Case]:
        """Choose the next attempts; their starts are recorded before they are handed over."""
        starts: list[Case] = []
        free = self._executor.free()
        while len(starts) < free and self._may_start():
            taken = self._schedule.take(
                self._course.on.clock(),
                running=len(self._course.running) + len(starts),
                warm=self._executor.warm(),
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
                failure = Failure(category=Category.TIMEOUT, reason="group", message=text)
                self._endings.fail(case, failure, attempted=False)
                continue
            self._attempts += 1
            case.number += 1
            case.attempts += 1
            case.attempt = attempt_for(
                case,
                self._attempts,
                self._memory,
                scratch=self._course.scratch,
                durable=self._course.settings.durability is Durability.FULL,
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
        return not (self._stopping.holds or self._alone)

    def _consider(self, job: Job) -> None:
        """Nothing holds this job back: let it run, unless there is no need or no way."""
        case = self._cases[job.name]
        planned = case.planned
        lost = self._culprit(job)
        if job.name in self._unwanted:
            self._settle_unwanted(case)
        elif lost is not None:
            self._endings.settle(case, Outcome(job=job.name, status=Status.BLOCKED, attempts=case.number), note=lost)
        elif planned.conflict is not None:
            failure = Failure(category=Category.OUTPUT, reason="conflict", message=planned.conflict)
            self._endings.fail(case, failure, attempted=False)
        elif planned.skipped:
            self._endings.settle(case, Outcome(job=job.name, status=Status.SKIPPED), note=planned.reason)
        elif job.upstream and planned.reason.startswith("waits for") and self._still_right(case):
            case.found = True
            self._records.state(case.id, Status.DONE)
            self._course.ended.append((case, Outcome(job=job.name, status=Status.DONE)))
        else:
            self._schedule.ready(job, alone=case.deaths >= SUSPECT_DEATHS)

    def _still_right(self, case: Case) -> bool:
        """Whether what it waited for came out as before, so that its own result still stands."""
        remembered = self._memory.jobs.get(case.job.name)
        if remembered is None or not remembered.done:
            return False
        card = self._plan.cards[case.job.task]
        recipe, around = self._plan.recipes.of(case.job, card), self._plan.around.of(case.job, card)
        return changed(case.job, recipe, around, remembered, self._memory) is None

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

    def leave(self, case: Case, result: Result) -> None:
        """An attempt is over, whatever came of it: what it held is free again."""
        self._alone = False
        self._admission.end(case.job, result.peak_memory_bytes)
        if case.job.group is not None:
            self._group_spent[case.job.group] = self._group_spent.get(case.job.group, 0.0) + result.elapsed_s

    def over(self, case: Case, outcome: Outcome) -> None:
        """A job is over, and told: free those that waited for it."""
        name = case.job.name
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

    def cancel(self, names: Collection[str]) -> None:
        """End these jobs if they run, and let those that wait never start."""
        running = self._course.running
        for attempt, case in list(running.items()):
            if case.job.name in names:
                self._executor.cancel(attempt, hard=True)
        waiting = {name for name in names if name in self._cases and self._cases[name].ended is None}
        self._unwanted |= waiting - {case.job.name for case in running.values()}

    def ask_again(self, names: Sequence[str]) -> None:
        """Take failed jobs up once more, and those that they block."""
        failed = {n: c for n, c in self._cases.items() if c.ended is not None and c.ended.status is Status.FAILED}
        again = [case for name, case in failed.items() if not names or name in names]
        if not again or self._stopping.stop:
            return
        again += [c for c in self._cases.values() if c.ended is not None and c.ended.status is Status.BLOCKED]
        for case in again:
            outcome, case.ended, case.strikes, case.note = case.ended, None, 0, None
            assert outcome is not None
            self._course.tally.take_back(outcome)
            self._not_done.pop(case.job.name, None)
            self._records.state(case.id, Status.PENDING)
            facts = {"was": str(outcome.status), "task": case.job.task, "bytes": case.planned.bytes}
            self._telling.tell("asked-again", case.job.name, **facts)
        waiting = {case.job.name for case in again}
        over = {name for planned in self._plan.jobs for name in planned.job.upstream if name not in waiting}
        self._fresh.extend(self._schedule.add((case.job for case in again), over))

    def _settle_unwanted(self, case: Case) -> None:
        self._unwanted.discard(case.job.name)
        outcome = Outcome(job=case.job.name, status=Status.CANCELLED, attempts=case.number)
        self._endings.settle(case, outcome, note="cancelled before it ran")
