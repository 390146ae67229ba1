"""Differences of consecutive sweeps by the calls of an earlier pipeline.

All pairs of all chips are collected first, then done by one pool of processes, however many they are. The commands
``derive-all-metrics`` and ``derive-consecutive-sweeps`` do the same work as jobs of the engine, with a ledger and
without a pool where that pays; values are equal.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from batchlab.compat.devices import measurements
from batchlab.devices._layout import Layout
from batchlab.devices._manifest import MANIFEST, Status
from batchlab.devices._model import Category, Chip, DerivedMetric, Run
from batchlab.devices._store import Store
from batchlab.devices.metrics import Pair, PairingRules, Skip, find_pairs, pair_metrics
from batchlab.devices.metrics import _constants as constants
from batchlab.devices.metrics._pairs import VERSION
from batchlab.errors import BatchlabError, DataError

__all__ = ["ConsecutiveSweepDifferenceExtractor", "DerivedMetric", "MetricPipeline"]

logger = logging.getLogger(__name__)

_GROUP = "Alisson"
_STORED = "raw_measurements"
_LIGHT = ("t (s)", "VL (V)")
# What data may do to a method; anything else is a bug and ends the run.
_OF_A_PAIR = (BatchlabError, ArithmeticError, LookupError, OSError, TypeError, ValueError)
_NUMBER, _BETWEEN = "pair_number", "runs_between"
Metadata = Mapping[str, Any]
PairTask = tuple[Metadata, Metadata, "Sequence[ConsecutiveSweepDifferenceExtractor]"]


class ConsecutiveSweepDifferenceExtractor:
    """Compares a gate sweep with the one before it, leg by leg.

    Parameters
    ----------
    rules
        Which sweeps make a pair; by default those of one chip and procedure, measured alike.
    """

    metric_name = "consecutive_sweep_difference"
    metric_category = Category.ELECTRICAL

    def __init__(self, rules: PairingRules | None = None) -> None:
        self.rules = rules or PairingRules()

    @property
    def applicable_procedures(self) -> list[str]:
        """Of sweeps that it can compare."""
        return sorted(self.rules.procedures)

    def should_pair(self, metadata_1: Metadata, metadata_2: Metadata) -> bool:
        """Whether two rows of a manifest, the earlier one first, are sweeps to be compared."""
        found, _ = find_pairs([_run_of(metadata_1), _run_of(metadata_2)], self.rules)
        return bool(found)

    def extract(self, pair: Pair) -> list[DerivedMetric] | Skip:
        """Rows of a pair, or why there are none."""
        return pair_metrics(pair)

    def validate(self, metric: DerivedMetric) -> bool:
        """Whether a value is finite."""
        return metric.value_float is not None and abs(metric.value_float) < float("inf")


class MetricPipeline:
    """Derives metrics of pairs from a staged store.

    Parameters
    ----------
    base_dir
        The folder with ``data``, or the data folder itself.
    max_workers
        Processes; by default as many as there are cores.
    extraction_version
        Written into each row; by default that of the algorithm.
    pairwise_extractors
        By default that of consecutive sweeps.
    """

    def __init__(
        self,
        base_dir: str | Path = ".",
        *,
        max_workers: int | None = None,
        extraction_version: str = VERSION,
        pairwise_extractors: Sequence[ConsecutiveSweepDifferenceExtractor] | None = None,
    ) -> None:
        base = Path(base_dir)
        data = base if (base / "02_stage").is_dir() else base / "data"
        self.base_dir = base
        self.stage_dir = Layout.below(data).stage
        self.max_workers = max_workers or _cores()
        self.extraction_version = extraction_version
        given = [ConsecutiveSweepDifferenceExtractor()] if pairwise_extractors is None else pairwise_extractors
        self.pairwise_extractors = list(given)
        self.pairwise_extractor_map: dict[str, list[ConsecutiveSweepDifferenceExtractor]] = {}
        for extractor in self.pairwise_extractors:
            for procedure in extractor.applicable_procedures:
                self.pairwise_extractor_map.setdefault(procedure, []).append(extractor)

    def should_pair(self, metadata_1: Metadata, metadata_2: Metadata) -> bool:
        """Whether every extractor of the later row's procedure would compare it with the earlier one."""
        extractors = self.pairwise_extractor_map.get(str(metadata_2.get("proc")), [])
        return bool(extractors) and all(each.should_pair(metadata_1, metadata_2) for each in extractors)

    def _extract_pairwise_metrics(self, manifest: pl.DataFrame) -> list[DerivedMetric]:
        """Rows of all pairs among the rows of a manifest, in the order of runs and metrics.

        Parameters
        ----------
        manifest
            With ``chip_number, proc, start_time_utc, run_id``; further columns as those of the store. What is not there
            does not keep sweeps from being compared. ``seq_num`` and ``parquet_path`` need not be there.
        """
        if not self.pairwise_extractors:
            return []
        began = time.perf_counter()
        tasks = self._collect(manifest)
        if not tasks:
            logger.info("No pairwise tasks to process")
            return []
        logger.info("Processing %d pairs with %d workers", len(tasks), self.max_workers)
        size = constants.BATCH_SIZE
        metrics: list[DerivedMetric] = []
        with self._pool() as executor:
            for start in range(0, len(tasks), size):
                batch = tasks[start : start + size]
                if len(tasks) > size:
                    logger.info(
                        "Processing batch %d: pairs %d-%d", start // size + 1, start, min(start + size, len(tasks))
                    )
                metrics += self._process_pair_batch(batch, executor, done=start, total=len(tasks), found=len(metrics))
        elapsed = max(time.perf_counter() - began, 1e-9)
        logger.info("Pairwise extraction completed in %.2f s (%.1f pairs/sec)", elapsed, len(tasks) / elapsed)
        return sorted(metrics, key=lambda each: (each.run_id, each.metric_name, each.extraction_method))

    def _process_pair_batch(
        self,
        pair_tasks: Sequence[PairTask],
        executor: ProcessPoolExecutor | None = None,
        *,
        done: int = 0,
        total: int | None = None,
        found: int = 0,
    ) -> list[DerivedMetric]:
        """Rows of some pairs; one that fails is told in the log and costs itself alone.

        Parameters
        ----------
        executor
            Does the work; unless given, a pool of this batch's own.
        done, total, found
            Pairs of earlier batches, of all, and rows so far, for the progress.
        """
        if executor is None:
            with self._pool() as own:
                return self._process_pair_batch(pair_tasks, own, done=done, total=total, found=found)
        metrics: list[DerivedMetric] = []
        total = done + len(pair_tasks) if total is None else total
        futures = [executor.submit(_extract_pair_task, *task, self.extraction_version) for task in pair_tasks]
        for number, future in enumerate(as_completed(futures), done + 1):
            try:
                metrics += future.result()
            except _OF_A_PAIR as error:
                logger.error("Pair processing failed: %s", error)
            if number % constants.PAIRWISE_PROGRESS_INTERVAL == 0 or number == total:
                logger.info(
                    "Pairwise extraction progress: %d/%d pairs (%d metrics extracted so far)",
                    number,
                    total,
                    found + len(metrics),
                )
        return metrics

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(max_workers=self.max_workers, mp_context=multiprocessing.get_context("spawn"))

    def _collect(self, manifest: pl.DataFrame) -> list[PairTask]:
        """All pairs of all chips, before any is worked on."""
        missing = {"chip_number", "proc", "start_time_utc", "run_id"} - set(manifest.columns)
        if missing:
            raise DataError(f"the manifest has no column {', '.join(sorted(missing))}; pairs need it")
        tasks: list[PairTask] = []
        chip = [name for name in ("chip_group", "chip_number") if name in manifest.columns]
        good = pl.col("status") == Status.OK if "status" in manifest.columns else pl.lit(True)
        runs = manifest.filter(pl.col("chip_number").is_not_null() & good).sort("start_time_utc", "run_id")
        for history in runs.partition_by(chip, maintain_order=True):
            rows = [{**row, "parquet_path": self._path(row)} for row in history.iter_rows(named=True)]
            for procedure in sorted(self.pairwise_extractor_map):
                at = [place for place, row in enumerate(rows) if row["proc"] == procedure]
                tasks += self._pairs(rows, at, procedure)
        return tasks

    def _pairs(self, rows: Sequence[dict[str, Any]], at: Sequence[int], procedure: str) -> list[PairTask]:
        """Neighbours among the rows of a procedure that are to be compared; `at` are their places in the history."""
        found: list[PairTask] = []
        for earlier, later in pairwise(at):
            if self.should_pair(rows[earlier], rows[later]):
                between = tuple(row["run_id"] for row in rows[earlier + 1 : later])
                told = {**rows[later], _NUMBER: len(found) + 1, _BETWEEN: between}
                found.append((rows[earlier], told, self.pairwise_extractor_map[procedure]))
            else:
                logger.debug("Skipping pair: %s and %s", rows[earlier]["run_id"], rows[later]["run_id"])
        return found

    def _path(self, row: Metadata) -> str:
        """Where older stores keep a run; ours is found from there."""
        folder = self.stage_dir / _STORED / f"proc={row['proc']}" / f"date={row.get('date_local')}"
        return str(row.get("parquet_path") or folder / f"run_id={row['run_id']}" / "part-000.parquet")


def _extract_pair_task(
    metadata_1: Metadata,
    metadata_2: Metadata,
    extractors: Sequence[ConsecutiveSweepDifferenceExtractor],
    extraction_version: str,
) -> list[DerivedMetric]:
    """Rows of one pair, in a process of its own.

    Parameters
    ----------
    metadata_1, metadata_2
        Rows of a manifest with ``parquet_path``: the file of the run, or a file below the store that holds it.

    Raises
    ------
    DataError
        If there is neither.
    """
    between = [_read(metadata_2, run_id, _LIGHT) for run_id in metadata_2.get(_BETWEEN, ())]
    pair = Pair(
        number=int(metadata_2.get(_NUMBER, 1)),
        earlier=_read(metadata_1, str(metadata_1["run_id"])),
        later=_read(metadata_2, str(metadata_2["run_id"])),
        between=tuple(between),
    )
    metrics: list[DerivedMetric] = []
    for extractor in extractors:
        found = extractor.extract(pair)
        if isinstance(found, Skip):
            logger.debug("%s skipped %s: %s", extractor.metric_name, pair.later.run_id, found.detail)
        else:
            metrics += [replace(each, extraction_version=extraction_version) for each in found]
    return metrics


def _read(metadata: Metadata, run_id: str, columns: Sequence[str] | None = None) -> Run:
    """A run from its own file, else from the store that the file would lie in."""
    path = Path(metadata["parquet_path"])
    if run_id == metadata["run_id"] and path.is_file():
        table = measurements.read_measurement_parquet(path)
        numbers = {
            name: table[name].cast(pl.Float64).to_numpy() for name, kind in table.schema.items() if kind.is_numeric()
        }
        return replace(_run_of(metadata), columns=numbers)
    root = path.parents[4]
    manifest = root / MANIFEST
    store = _store(root, manifest.stat().st_mtime_ns if manifest.is_file() else 0)
    found = list(store.runs(run_ids=[run_id], columns=columns))
    if not found:
        raise DataError(f"{root}: there is no run {run_id}, and no file {path}; stage it")
    return found[0]


@lru_cache(maxsize=2)
def _store(root: Path, changed_ns: int) -> Store:
    """The store as it was changed last: opened once in a process."""
    return Store(root)


def _run_of(metadata: Metadata) -> Run:
    """A run without data, by its row in a manifest; settings are whatever else the row says."""
    number, start = metadata.get("chip_number"), metadata.get("start_time_utc")
    known = {name: value for name, value in metadata.items() if isinstance(value, str | int | float | bool)}
    return Run(
        run_id=str(metadata["run_id"]),
        procedure=str(metadata["proc"]),
        chip=None if number is None else Chip(str(metadata.get("chip_group") or _GROUP), int(number)),
        start_utc=start if isinstance(start, datetime) else None,
        has_light=metadata.get("has_light"),
        settings=known,
    )


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
