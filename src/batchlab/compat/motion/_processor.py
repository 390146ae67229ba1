"""`BatchProcessor`: a batch from its plan to its result."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from batchlab.compat.motion._jobs import BatchConfig
from batchlab.compat.motion._plan import Planned, plan_batch
from batchlab.compat.motion._progress import ProgressTracker
from batchlab.compat.motion._report import BatchReportGenerator, job_table
from batchlab.compat.motion._results import BatchJobResult, BatchResult, result_of
from batchlab.engine import BatchState, Listener, Notice, read_view, run

__all__ = ["BatchProcessor"]

RESULT = "job_result.json"
SUMMARY = "batch_summary.csv"


class BatchProcessor:
    """Runs a batch: jobs side by side, again where a reason was passing, and never what is done already.

    Parameters
    ----------
    config
        Of `create_batch_from_files` and the like, or made by hand.
    show_progress
        Whether a line is printed for each job that ends.
    listeners
        Called with what happens, as of `batchlab.engine.run`.
    """

    def __init__(self, config: BatchConfig, show_progress: bool = True, listeners: Sequence[Listener] = ()) -> None:
        self.config = config
        self._show = show_progress
        self._listeners = tuple(listeners)

    def run(self, fresh: bool = False, install_signal_handlers: bool | None = None) -> BatchResult:
        """Run what is left to do.

        Parameters
        ----------
        fresh
            Do everything anew.
        install_signal_handlers
            Whether Ctrl-C ends the run in good order; by default in the main thread.

        Raises
        ------
        ConfigError
            If something is wrong with a job; none was started.
        KeyboardInterrupt
            If it was stopped; what is done stands, and running it again goes on from there.
        """
        planned = plan_batch(self.config)
        told = _Told(planned, show=self._show, keep=self.config.save_intermediate)
        if install_signal_handlers is None:
            install_signal_handlers = threading.current_thread() is threading.main_thread()
        ended = run(
            planned.batch,
            listeners=[told.hear, *self._listeners],
            fresh=fresh,
            install_signal_handlers=install_signal_handlers,
        )
        result = result_of(planned, read_view(ended.root), ended.elapsed_s)
        if self.config.save_intermediate:
            for job in result.job_results:
                _write_result(planned, job)
        if self.config.generate_summary_report:
            BatchReportGenerator(result).save_all_reports(planned.batch.output)
        if ended.state is BatchState.CANCELLED:
            raise KeyboardInterrupt
        return result


class _Told:
    """What is said and written while a batch runs."""

    def __init__(self, planned: Planned, *, show: bool, keep: bool) -> None:
        self._planned = planned
        self._show = show
        self._keep = keep
        self._tracker = ProgressTracker(len(planned.jobs))
        # Of many jobs not every one is worth a new summary.
        self._step = max(1, len(planned.jobs) // 100)

    def hear(self, notice: Notice) -> None:
        """Take in what happened."""
        if notice.kind == "batch-started":
            total = int(notice.facts["total"]) + int(notice.facts["found_done"])
            self._tracker = ProgressTracker(total)
            self._tracker.update(int(notice.facts["found_done"]))
        if notice.kind != "job-ended" or notice.job is None or notice.job not in self._planned.jobs:
            return
        self._tracker.update()
        if self._show:
            why = "" if notice.facts["message"] is None else f": {notice.facts['message']}"
            print(f"{self._tracker}  {notice.job}: {notice.facts['state']}{why}", flush=True)
        if self._keep and self._tracker.completed % self._step == 0:
            self._write(notice.job)

    def _write(self, name: str) -> None:
        output = self._planned.batch.output
        result = result_of(self._planned, read_view(output), self._tracker.elapsed_seconds)
        _write_result(self._planned, next(job for job in result.job_results if job.job_name == name))
        job_table(result).write_csv(output / SUMMARY)


def _write_result(planned: Planned, job: BatchJobResult) -> None:
    solved = job.optimization_result
    told: dict[str, Any] = {
        "job_id": job.job_id,
        "job_name": job.job_name,
        "status": job.status,
        "success": job.success,
        "error": job.error,
        "start_time": None if job.start_time is None else job.start_time.isoformat(),
        "end_time": None if job.end_time is None else job.end_time.isoformat(),
        "duration_s": job.duration,
        "parameters": dict(job.parameters),
        "metadata": dict(job.metadata),
        "metrics": {} if solved is None else dict(solved.metrics),
        "warnings": list(job.warnings),
    }
    path = Path(job.output_dir).absolute() / RESULT
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{RESULT}.tmp")
    temporary.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    temporary.replace(path)
