"""The coordinator: one call that validates, normalises, compares, saves and tells how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from batchlab.compat.spectra._components import AINormalizer, CSVParser, GraphGenerator
from batchlab.compat.spectra._file_manager import FileManager
from batchlab.compat.spectra._results import BatchProcessResult, ProcessingEstimate, ProcessingProgress
from batchlab.compat.spectra._run import BatchRun
from batchlab.compat.spectra._settings import BatchConfig, OutputSettings
from batchlab.compat.spectra._space import estimate
from batchlab.errors import ConfigError

__all__ = ["BatchProcessor"]

log = logging.getLogger(__name__)


class BatchProcessor:
    """Compares many samples with one baseline. One batch at a time; another processor may run another.

    Attributes
    ----------
    csv_parser, ai_normalizer, graph_generator, file_manager
        The parts, for use by themselves.
    """

    def __init__(self) -> None:
        self.csv_parser = CSVParser()
        self.ai_normalizer = AINormalizer()
        self.graph_generator = GraphGenerator()
        self.file_manager = FileManager()
        self._run: BatchRun | None = None
        self._started_at: datetime | None = None
        self._batches = 0
        self._totals: Counter[str] = Counter()
        self._peak_mb = 0.0
        self._stage_seconds: dict[str, float] = {}
        self._error_types: Counter[str] = Counter()

    async def process_spectral_batch(
        self,
        baseline_file: str | os.PathLike[str],
        sample_files: Sequence[str | os.PathLike[str]],
        output_settings: OutputSettings,
        progress_callback: Callable[[ProcessingProgress], object] | None = None,
        config: BatchConfig | None = None,
    ) -> BatchProcessResult:
        """Compare each sample with the baseline.

        The work is done in processes of its own, watched from a thread, so the event loop goes on. What is wrong with
        files, folder or jobs is told in the result. What was done by an earlier call into the same folder, and has not
        changed, is not done again.

        Parameters
        ----------
        baseline_file, sample_files
            Files.
        output_settings
            Where outputs go, and how they look.
        progress_callback
            Called in the event loop's thread after each step. One that raises is not called any more.
        config
            How hard the machine may work.

        Raises
        ------
        ConfigError
            If this processor is at work already.
        asyncio.CancelledError
            If the awaiting task is cancelled; the batch is stopped first, and what is done stays.
        """
        if self._run is not None:
            raise ConfigError("this BatchProcessor is at work; wait for it, or make another")
        loop = asyncio.get_running_loop()
        callback = None if progress_callback is None else _in_loop(loop, progress_callback)
        run = self._run = BatchRun(
            baseline_file, tuple(sample_files), output_settings, config or BatchConfig(), callback
        )
        self._started_at = self._started_at or datetime.now(UTC)
        thread = ThreadPoolExecutor(1, thread_name_prefix="batchlab-compat")
        try:
            working = loop.run_in_executor(thread, run.run)
            try:
                result = await asyncio.shield(working)
            except asyncio.CancelledError:
                run.cancel(now=True)
                while not working.done():  # asked again and again, it still stops in good order
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.wait([working])
                raise
        finally:
            self._run = None
            thread.shutdown(wait=False)
        self._remember(run, result)
        return result

    def estimate_processing_time(
        self,
        baseline_file: str | os.PathLike[str],
        sample_files: Sequence[str | os.PathLike[str]],
        config: BatchConfig | None = None,
    ) -> ProcessingEstimate:
        """Say what a batch should take in time, memory and room; nothing is read.

        Parameters
        ----------
        baseline_file, sample_files
            Files; those that are not there count as empty.
        config
            How it would be run.
        """
        return estimate(baseline_file, tuple(sample_files), config or BatchConfig())

    def cancel_processing(self, *, now: bool = False) -> bool:
        """Stop the batch that is being processed; answers whether there is one.

        Files that are being worked on are finished, or with `now` given up. What is done stays, and the same call
        later goes on from there.
        """
        if self._run is None:
            return False
        self._run.cancel(now)
        return True

    def get_processing_stats(self) -> dict[str, object]:
        """What this processor has done so far, and how far its batch is.

        Returns
        -------
        dict
            ``is_processing``, ``progress`` (a `ProcessingProgress` or None), ``start_time`` (ISO 8601, UTC),
            ``batches``, ``files_processed``, ``successful``, ``failed``, ``skipped``, ``ai_normalizations``,
            ``cache_hits``, ``memory_peak_mb``, ``stage_seconds`` (summed over the workers) and ``error_types``
            (category: how often; of files that were refused before any job, and of jobs that failed).
        """
        run = self._run
        return {
            "is_processing": run is not None,
            "progress": None if run is None else run.teller.latest,
            "start_time": None if self._started_at is None else self._started_at.isoformat(timespec="seconds"),
            "batches": self._batches,
            **{name: self._totals[name] for name in _TOTALS},
            "memory_peak_mb": self._peak_mb,
            "stage_seconds": dict(self._stage_seconds),
            "error_types": dict(self._error_types),
        }

    def _remember(self, run: BatchRun, result: BatchProcessResult) -> None:
        self._batches += 1
        self._totals["files_processed"] += result.successful + result.failed
        self._totals["successful"] += result.successful
        self._totals["failed"] += result.failed
        self._totals["skipped"] += len(result.skipped_files)
        self._totals["ai_normalizations"] += result.ai_normalizations
        self._totals["cache_hits"] += result.cache_hits
        self._peak_mb = max(self._peak_mb, result.memory_peak_mb)
        for stage, seconds in run.stage_seconds.items():
            self._stage_seconds[stage] = self._stage_seconds.get(stage, 0.0) + seconds
        self._error_types.update(run.error_types)


_TOTALS = ("files_processed", "successful", "failed", "skipped", "ai_normalizations", "cache_hits")


def _in_loop(
    loop: asyncio.AbstractEventLoop, callback: Callable[[ProcessingProgress], object]
) -> Callable[[ProcessingProgress], None]:
    """The callback, called in the loop's own thread whatever thread it is told from."""
    failed = False

    def call(progress: ProcessingProgress) -> None:
        nonlocal failed
        if failed:
            return
        try:
            callback(progress)
        except Exception:
            failed = True
            log.warning("the progress callback failed and is not called any more", exc_info=True)

    def tell(progress: ProcessingProgress) -> None:
        loop.call_soon_threadsafe(call, progress)

    return tell
