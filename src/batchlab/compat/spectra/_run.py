"""One batch from its validation to its last temporary file, in a thread that may take its time."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from batchlab.compat.spectra._folder import show_folder
from batchlab.compat.spectra._jobs import Work, names_of, places, plan_work
from batchlab.compat.spectra._outcome import VALIDATION, WRITABLE, Before, result_of
from batchlab.compat.spectra._results import BatchProcessResult, ProcessingStage
from batchlab.compat.spectra._settings import BatchConfig, OutputSettings
from batchlab.compat.spectra._space import estimate, output_problem
from batchlab.compat.spectra._telling import Callback, Teller
from batchlab.compat.spectra._validation import examined
from batchlab.engine import Ask, BatchView, Command, Notice, Place, Status, drop_command, read_view, run
from batchlab.errors import StartError

__all__ = ["BatchRun"]

log = logging.getLogger(__name__)

_STAGES = {
    "baseline": "loading",
    "normalize": "normalization",
    "limits": "graph_generation",
    "compare": "graph_generation",
}


class BatchRun:
    """The course of one batch. Runs once; `cancel` may be called from any thread.

    Parameters
    ----------
    baseline, samples
        Files, as the caller gave them.
    output, config
        The caller's settings.
    callback
        Receives progress, in whatever thread it happens.
    """

    def __init__(
        self,
        baseline: str | os.PathLike[str],
        samples: Sequence[str | os.PathLike[str]],
        output: OutputSettings,
        config: BatchConfig,
        callback: Callback | None = None,
    ) -> None:
        self._baseline = os.fspath(baseline)
        self._samples = [os.fspath(each) for each in samples]
        self._output = output
        self._config = config
        self._root = Path(os.path.abspath(os.fspath(output.output_dir)))
        self._teller = self.teller = Teller(callback, len(self._samples))
        self._before = Before(total=len(self._samples))
        self._cancelled = threading.Event()
        self._now = False
        self._running = threading.Event()
        self._began = 0.0
        self._good: list[str] = []  # samples that are to be done
        self._hopeless = False  # nothing can be compared at all
        self._started: set[str] = set()
        self.stage_seconds: dict[str, float] = dict.fromkeys(("validation", *_STAGES.values(), "cleanup"), 0.0)
        self.error_types: Counter[str] = Counter()

    def cancel(self, now: bool) -> None:
        """Stop the batch: what runs may end, or with `now` is killed; what is done stays done."""
        self._now = self._now or now
        self._cancelled.set()
        if self._running.is_set():
            self._ask()

    def run(self) -> BatchProcessResult:
        """Do it all; what is wrong with files, folder or jobs is told in the result."""
        self._began = time.monotonic()
        log.info("comparing %d samples with %s into %s", len(self._samples), self._baseline, self._root)
        with self._timed("validation"):
            may_start = self._validated()
        if not may_start or self._cancelled.is_set():
            return self._unstarted()
        try:
            work = plan_work(self._baseline, self._good, self._output, self._config)
            self._tell_skipped(work)
            view = self._run_jobs(work) if work.samples else None
        except StartError as error:
            self._before.errors.append(f"{WRITABLE}: {error}")
            self._teller.count(errors=1)
            self._hopeless = True
            return self._unstarted()
        self._teller.tell(ProcessingStage.CLEANUP, "cleaning up", 98.0)
        with self._timed("cleanup"):
            self._clean_up(work)
        if view is None:
            result = self._unstarted()
        else:
            found_done = self._take_times(view)
            self._teller.count(over=sum(each.compare in found_done for each in work.samples))
            result = result_of(self._before, work, view, found_done, self._elapsed())
        self._teller.tell(ProcessingStage.CLEANUP, "done", 100.0)
        if self._output.open_folder_after and result.output_files:
            show_folder(self._root)
        return result

    def _validated(self) -> bool:
        """Look at all files and at the folder; answers whether anything may start."""
        before, teller = self._before, self._teller
        teller.tell(ProcessingStage.VALIDATION, "validating files", 0.0)
        unique = list(dict.fromkeys(map(os.path.abspath, self._samples)))
        twice = Counter(map(os.path.abspath, self._samples))
        before.skipped = tuple(name for path, n in twice.items() for name in [os.path.basename(path)] * (n - 1))
        before.warnings += [f"{os.path.basename(p)}: named {n} times, compared once" for p, n in twice.items() if n > 1]
        baseline = os.path.abspath(self._baseline)
        found, categories = examined(baseline, unique, self._config)
        self.error_types.update(categories)
        before.warnings += found.warnings
        before.errors += [f"{VALIDATION}: {name}: {reason}" for name, reason in found.invalid_files]
        valid = set(found.valid_files)
        good = [path for path in unique if path in valid]
        before.refused = len(unique) - len(good)
        teller.count(over=before.refused + len(before.skipped), errors=len(found.invalid_files))
        teller.count(warnings=len(before.warnings))
        problem = self._output_problem(good)
        if problem is not None:
            before.errors.append(f"{WRITABLE}: {problem}")
            teller.count(errors=1)
        room = places(self._config, self._output.dpi)
        if room < min(self._config.max_concurrent_files, len(good)):
            limit = f"memory_limit_mb={self._config.memory_limit_mb:g}"
            before.warnings.append(f"{limit} leaves room for {room} file{'s' * (room > 1)} at a time")
        teller.tell(ProcessingStage.VALIDATION, f"{len(good)} of {len(unique)} files are fit", 5.0)
        self._good = good
        self._hopeless = baseline not in valid or problem is not None
        return not self._hopeless and (not before.refused or self._config.continue_on_error)

    def _output_problem(self, good: list[str]) -> str | None:
        needed = estimate(self._baseline, good, self._config, self._output.dpi)
        return output_problem(self._root, needed.estimated_output_mb)

    def _tell_skipped(self, work: Work) -> None:
        self._before.skipped += work.skipped
        self._good = [each.path for each in work.samples]
        self._teller.count(over=len(work.skipped))
        self._teller.begin(work)

    def _run_jobs(self, work: Work) -> BatchView:
        result = run(work.batch, listeners=[self._listen], install_signal_handlers=False)
        self._running.clear()
        return read_view(result.root)

    def _listen(self, notice: Notice) -> None:
        if notice.kind == "batch-started":
            # What was asked before the engine listened is asked again, for it heeds no earlier wishes.
            self._running.set()
            if self._cancelled.is_set():
                self._ask()
        if notice.kind == "job-started" and notice.job is not None:
            self._started.add(notice.job)
        if notice.kind == "job-ended" and notice.facts["state"] == "failed":
            self.error_types[str(notice.facts["category"])] += 1
        self._teller(notice)

    def _ask(self) -> None:
        drop_command(Place(self._root).commands, Command(Ask.CANCEL, (), self._now))

    def _clean_up(self, work: Work) -> None:
        if not self._config.cleanup_temp_files:
            return
        for each in work.temporary:
            path = self._root / each
            path.unlink(missing_ok=True)
            for folder in (path.parent, path.parent.parent):
                with contextlib.suppress(OSError):  # another batch's copies are in it
                    folder.rmdir()

    def _unstarted(self) -> BatchProcessResult:
        """The result of a batch of which no job was started."""
        before = self._before
        names = names_of(list(dict.fromkeys(map(os.path.abspath, self._samples))))
        left = tuple(names[path] for path in self._good)
        return BatchProcessResult(
            total_files=before.total,
            failed=before.refused + (len(left) if self._hopeless else 0),
            errors=tuple(before.errors),
            warnings=tuple(before.warnings),
            processing_time=self._elapsed(),
            skipped_files=before.skipped,
            cancelled_files=() if self._hopeless else left,
        )

    def _take_times(self, view: BatchView) -> frozenset[str]:
        """Add up what the jobs took; answers which of them were done before."""
        found_done = frozenset(job.name for job in view.jobs if job.state is Status.DONE) - self._started
        for job in view.jobs:
            if job.name in self._started:
                self.stage_seconds[_STAGES[job.name.split("/", 1)[0]]] += job.elapsed_s or 0.0
        return found_done

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.stage_seconds[stage] += time.monotonic() - began

    def _elapsed(self) -> float:
        return time.monotonic() - self._began
