"""From what the engine tells to what the caller is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from batchlab.compat.spectra._jobs import Work, WorkFile
from batchlab.compat.spectra._results import ProcessingProgress, ProcessingStage
from batchlab.engine import Notice, Progress, fold

__all__ = ["Teller"]

log = logging.getLogger(__name__)

_JOBS_FROM, _JOBS_TO = 5.0, 97.0  # percent: what is before them is validation, what is after cleaning up
_OPERATIONS = {
    ProcessingStage.LOADING: "loading the baseline",
    ProcessingStage.NORMALIZATION: "normalizing",
    ProcessingStage.GRAPH_GENERATION: "drawing the comparison",
    ProcessingStage.SAVING: "saved",
}

Callback = Callable[[ProcessingProgress], object]


class Teller:
    """Keeps count of a batch and calls back after each step.

    Parameters
    ----------
    callback
        Receives each `ProcessingProgress`.
    total
        How many samples there are.
    """

    def __init__(self, callback: Callback | None, total: int) -> None:
        self._callback = callback
        self._total = total
        self._progress = Progress()
        self._files: Mapping[str, WorkFile] = {}
        self._percent = 0.0
        self._over: set[str] = set()
        self._without_job = 0
        self._errors = 0
        self._warnings = 0
        self.latest = ProcessingProgress(total_files=total)

    def begin(self, work: Work) -> None:
        """From now on notices are about these jobs."""
        self._files = work.by_job

    def count(self, *, over: int = 0, errors: int = 0, warnings: int = 0) -> None:
        """Add what no job tells: files that were refused or skipped before any started."""
        self._without_job += over
        self._errors += errors
        self._warnings += warnings

    def tell(self, stage: ProcessingStage, operation: str, percent: float, file: str = "") -> None:
        """Say what happens now."""
        self._percent = max(self._percent, min(percent, 100.0))
        eta = self._progress.eta
        self.latest = ProcessingProgress(
            current_file=file,
            files_completed=min(self._total, len(self._over) + self._without_job),
            total_files=self._total,
            current_stage=stage,
            progress_percent=self._percent,
            estimated_remaining_minutes=0.0 if eta is None else eta.likely_s / 60,
            current_operation=f"{file}: {operation}" if file else operation,
            errors_count=self._errors,
            warnings_count=self._warnings,
        )
        log.debug("%.0f %% %s: %s", self._percent, stage.value, self.latest.current_operation)
        if self._callback is not None:
            self._callback(self.latest)

    def __call__(self, notice: Notice) -> None:
        """Take in what the engine tells."""
        self._progress = fold(self._progress, notice)
        file = self._files.get(notice.job or "")
        if file is None:
            return
        stage = self._stage_of(file, notice)
        if notice.kind == "warning":
            self._warnings += 1
        elif notice.kind == "job-ended":
            self._take_end(file, notice)
        elif notice.kind not in ("job-started", "stage", "retry"):
            return
        self.tell(stage, self._words(stage, notice), self._percent_now(), file.name)

    def _take_end(self, file: WorkFile, notice: Notice) -> None:
        if notice.facts["state"] == "failed":
            self._errors += 1
        # A job that a stop has kept from running is not over, whatever its own state is called.
        ran = notice.facts["state"] in ("done", "failed", "skipped")
        if file.compare is not None and notice.job == file.compare and (ran or self._progress.state == "running"):
            self._over.add(file.compare)

    def _stage_of(self, file: WorkFile, notice: Notice) -> ProcessingStage:
        if file.compare is None:
            return ProcessingStage.LOADING
        if notice.job != file.compare:
            return ProcessingStage.NORMALIZATION
        saved = notice.kind == "job-ended" and notice.facts["state"] in ("done", "skipped")
        return ProcessingStage.SAVING if saved else ProcessingStage.GRAPH_GENERATION

    def _words(self, stage: ProcessingStage, notice: Notice) -> str:
        facts = notice.facts
        if notice.kind == "retry":
            return f"{_OPERATIONS[stage]}, tried again"
        if notice.kind == "warning":
            return str(facts["text"])
        if notice.kind == "job-ended" and facts["state"] not in ("done", "skipped"):
            return f"{facts['state']}: {facts['message'] or facts['reason'] or facts['category'] or ''}".rstrip(": ")
        return _OPERATIONS[stage]

    def _percent_now(self) -> float:
        done = self._progress.ended / self._progress.total if self._progress.total else 1.0
        return _JOBS_FROM + (_JOBS_TO - _JOBS_FROM) * done
