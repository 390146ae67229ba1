"""What a run tells of itself: notices and their facts, kept until there is time to put them up."""

from __future__ import annotations

from batchlab.engine._cases import Case
from batchlab.engine._course import Course
from batchlab.engine._events import Event, ItemEntered, StageEntered, Warned
from batchlab.engine._model import Json, Outcome, Status
from batchlab.engine._notice import Notice


class Telling:
    """Notices to whoever listens to the run."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._notices: list[Notice] = []

    def tell(self, kind: str, job: str | None = None, **facts: Json) -> None:
        """Keep a notice for the next post."""
        if self._course.on.board.heard:
            self._notices.append(Notice(kind=kind, at_s=self._course.elapsed_s, job=job, facts=facts))

    def post(self) -> None:
        """Put up what is to be told."""
        if self._notices:
            self._course.on.board.post(self._notices)
            self._notices = []

    def event(self, case: Case, event: Event) -> None:
        """What an attempt says of itself while it runs."""
        match event:
            case StageEntered():
                self.tell("stage", case.job.name, stage=event.stage)
            case ItemEntered():
                self.tell("item", case.job.name, item=event.item)
            case Warned():
                self.tell("warning", case.job.name, text=self._course.on.redactor.text(event.text))

    def start(self) -> None:
        """The run begins: what there is to do."""
        pending: dict[str, tuple[int, int]] = {}
        for case in self._course.cases.values():
            jobs, size = pending.get(case.job.task, (0, 0))
            pending[case.job.task] = (jobs + 1, size + case.planned.bytes)
        self.tell(
            "batch-started",
            batch=self._course.plan.batch.name,
            total=len(self._course.cases),
            found_done=self._course.tally.found_done,
            workers=self._course.on.executor.workers,
            pending=pending,
            priors=self._course.tally.priors,
        )
        self.post()

    def end(self, case: Case, outcome: Outcome) -> None:
        """A job is over, and recorded."""
        if not self._course.on.board.heard:
            return
        f = outcome.failure
        self.tell(
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
