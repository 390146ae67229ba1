"""Pairs by the calls of an earlier pipeline: one pool, and the values of the engine's own way."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from batchlab.compat.devices import constants, metric_pipeline
from batchlab.compat.devices.metric_pipeline import DerivedMetric, MetricPipeline, _extract_pair_task
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import write_lab
from batchlab.devices.metrics import _constants, extract_pairs
from batchlab.errors import DataError

POOL = "batchlab.compat.devices.metric_pipeline.ProcessPoolExecutor"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data``, staged; only read it."""
    place = tmp_path_factory.mktemp("pairs")
    stage(write_lab(place, chips=3, runs=50, interval_s=0.4).raw_root, place / "data" / "02_stage")
    return place


@pytest.fixture(scope="module")
def manifest(folder: Path) -> pl.DataFrame:
    return Store(folder / "data" / "02_stage").manifest()


def _order(metric: DerivedMetric) -> tuple[str, str, str]:
    return metric.run_id, metric.metric_name, metric.extraction_method


class Here:
    """A pool that works in this process, for what does not depend on there being others."""

    made = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        type(self).made += 1

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def submit(self, call: Callable[..., Any], *words: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*words))
        except Exception as error:  # noqa: BLE001 - as a pool does
            future.set_exception(error)
        return future


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> type[Here]:
    monkeypatch.setattr(metric_pipeline, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(Here, "made", 0)
    return Here


def test_one_pool_and_the_values_of_the_engine(folder: Path, manifest: pl.DataFrame):
    made: list[ProcessPoolExecutor] = []

    def counting(*args: Any, **kwargs: Any) -> ProcessPoolExecutor:
        made.append(ProcessPoolExecutor(*args, **kwargs))
        return made[-1]

    pipeline = MetricPipeline(base_dir=folder, max_workers=2)
    with patch(POOL, counting):
        found = pipeline._extract_pairwise_metrics(manifest)
    assert len(made) == 1
    own, _ = extract_pairs(Store(pipeline.stage_dir).runs())
    assert found == sorted(own, key=_order)
    assert len({each.chip for each in found}) == 3
    assert "consecutive_sweep_difference" in {each.metric_name for each in found}


@pytest.mark.parametrize("base", [".", "data"])
def test_the_store_lies_below_the_folder_or_its_data(folder: Path, base: str):
    assert MetricPipeline(base_dir=folder / base).stage_dir == (folder / "data" / "02_stage").resolve()


def test_one_pool_also_for_many_batches(
    folder: Path,
    manifest: pl.DataFrame,
    here: type[Here],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    ivg = manifest.filter(pl.col("proc") == "IVg", pl.col("chip_number") == 67).sort("start_time_utc")
    pipeline = MetricPipeline(base_dir=folder)
    whole = pipeline._extract_pairwise_metrics(ivg)
    here.made = 0
    caplog.clear()
    monkeypatch.setattr(_constants, "BATCH_SIZE", 5)
    with caplog.at_level(logging.INFO):
        assert pipeline._extract_pairwise_metrics(ivg) == whole
    assert here.made == 1
    pairs = len({each.run_id for each in whole})
    said = [record.message for record in caplog.records]
    assert "Processing batch 2: pairs 5-10" in said
    progress = [line for line in said if line.startswith("Pairwise extraction progress: ")]
    assert progress[0].startswith(f"Pairwise extraction progress: 10/{pairs} pairs (")
    assert progress[-1] == (
        f"Pairwise extraction progress: {pairs}/{pairs} pairs ({len(whole)} metrics extracted so far)"
    )
    assert any(line.startswith("Pairwise extraction completed in ") for line in said)


def test_more_than_five_hundred_pairs_take_one_pool(here: type[Here], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metric_pipeline, "_extract_pair_task", lambda *_: [])
    rows = constants.BATCH_SIZE + 2
    manifest = pl.DataFrame(
        {
            "chip_number": [67] * rows,
            "proc": ["IVg"] * rows,
            "start_time_utc": list(range(rows)),
            "run_id": [f"{k:016x}" for k in range(rows)],
        }
    )
    assert MetricPipeline(base_dir=tmp_path)._extract_pairwise_metrics(manifest) == []
    assert here.made == 1


def test_a_manifest_needs_neither_numbers_nor_paths(folder: Path, manifest: pl.DataFrame, here: type[Here]):
    few = manifest.filter(pl.col("proc") == "VVg").select("chip_number", "proc", "start_time_utc", "run_id")
    found = MetricPipeline(base_dir=folder)._extract_pairwise_metrics(few)
    assert {each.procedure for each in found} == {"VVg"}
    with pytest.raises(DataError, match="no column start_time_utc"):
        MetricPipeline(base_dir=folder)._extract_pairwise_metrics(few.drop("start_time_utc"))


def test_a_pair_that_fails_costs_itself_alone(
    folder: Path, manifest: pl.DataFrame, here: type[Here], caplog: pytest.LogCaptureFixture
):
    ivg = manifest.filter(pl.col("proc") == "IVg", pl.col("chip_number") == 67).sort("start_time_utc")
    pipeline = MetricPipeline(base_dir=folder)
    whole = pipeline._extract_pairwise_metrics(ivg)
    gone = ivg["run_id"][-1]
    broken = ivg.with_columns(run_id=pl.when(pl.col("run_id") == gone).then(pl.lit("f" * 16)).otherwise("run_id"))
    assert pipeline._extract_pairwise_metrics(broken) == [each for each in whole if each.run_id != gone]
    assert "Pair processing failed: " in caplog.text and "there is no run ffffffffffffffff" in caplog.text


def test_a_store_of_one_file_a_run_is_read(folder: Path, manifest: pl.DataFrame, here: type[Here], tmp_path: Path):
    store = Store(folder / "data" / "02_stage")
    ivg = manifest.filter(pl.col("proc") == "IVg", pl.col("chip_number") == 67).sort("start_time_utc").head(3)
    expected = MetricPipeline(base_dir=folder)._extract_pairwise_metrics(ivg)
    for run in store.read_runs(ivg["run_id"]):
        row = ivg.row(by_predicate=pl.col("run_id") == run.run_id, named=True)
        place = tmp_path / f"data/02_stage/raw_measurements/proc=IVg/date={row['date_local']}/run_id={run.run_id}"
        place.mkdir(parents=True)
        pl.DataFrame(dict(run.columns)).write_parquet(place / "part-000.parquet")
    assert MetricPipeline(base_dir=tmp_path)._extract_pairwise_metrics(ivg) == expected


def test_sweeps_measured_otherwise_make_no_pair(manifest: pl.DataFrame):
    one, two, *_ = (
        manifest.filter(pl.col("proc") == "IVg", pl.col("chip_number") == 67).sort("start_time_utc").to_dicts()
    )
    pipeline = MetricPipeline()
    assert pipeline.should_pair(one, two)
    (extractor,) = pipeline.pairwise_extractors
    assert pipeline.pairwise_extractor_map == {"IVg": [extractor], "VVg": [extractor]}
    for change in ({"vds_v": 7.0}, {"proc": "VVg"}, {"chip_number": 81}, {"chip_group": "Other"}, {"has_light": True}):
        assert not extractor.should_pair(one, {**two, **change})
    assert not pipeline.should_pair(one, {**two, "proc": "It"})


def test_rows_say_the_version_that_is_asked_for(folder: Path, manifest: pl.DataFrame, here: type[Here]):
    vvg = manifest.filter(pl.col("proc") == "VVg")
    found = MetricPipeline(base_dir=folder, extraction_version="9")._extract_pairwise_metrics(vvg)
    assert found and {each.extraction_version for each in found} == {"9"}


def test_a_batch_may_have_a_pool_of_its_own(folder: Path, manifest: pl.DataFrame, here: type[Here]):
    pipeline = MetricPipeline(base_dir=folder)
    vvg = manifest.filter(pl.col("proc") == "VVg")
    tasks = pipeline._collect(vvg)
    found = pipeline._process_pair_batch(tasks)
    assert here.made == 1
    alone = [row for task in tasks for row in _extract_pair_task(*task, pipeline.extraction_version)]
    assert sorted(found, key=_order) == sorted(alone, key=_order)


def test_nothing_to_compare_needs_no_pool(here: type[Here], folder: Path, manifest: pl.DataFrame):
    assert MetricPipeline(base_dir=folder)._extract_pairwise_metrics(manifest.head(0)) == []
    assert MetricPipeline(base_dir=folder, pairwise_extractors=[])._extract_pairwise_metrics(manifest) == []
    assert here.made == 0


def test_a_store_that_changed_is_opened_anew(folder: Path, manifest: pl.DataFrame, here: type[Here], tmp_path: Path):
    vvg = manifest.filter(pl.col("proc") == "VVg")
    pipeline = MetricPipeline(base_dir=tmp_path)
    assert pipeline._extract_pairwise_metrics(vvg) == []
    shutil.copytree(folder / "data", tmp_path / "data", symlinks=True)
    assert pipeline._extract_pairwise_metrics(vvg)
