"""Staging and histories through the engine."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import polars as pl
import pytest
from device_batches import content, copied, rewrite, staged

from batchlab.batchfile import load
from batchlab.devices._batches import stage_batch
from batchlab.devices._inspect import validate_manifest
from batchlab.devices._manifest import read_manifest
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import write_lab
from batchlab.engine import Status, Verdict, plan, read_view, run
from batchlab.errors import DataError


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_lab(tmp_path_factory.mktemp("small"), chips=3, runs=8, documented=False, interval_s=1.0, step_v=0.25)


@pytest.fixture
def layout(small, tmp_path):
    return copied(small.raw_root, tmp_path)


def without_clock(store):
    return read_manifest(store).table.drop("ingested_at_utc")


def warnings_of(layout):
    (stage_job,) = [job for job in read_view(layout.stage).jobs if job.name == "stage"]
    return stage_job.warnings


def test_the_store_of_the_engine_is_the_store_of_the_library(layout, tmp_path):
    result = staged(layout)
    assert result.exit_code == 0
    stage(layout.raw, tmp_path / "beside")
    assert without_clock(layout.store).equals(without_clock(tmp_path / "beside"))
    assert validate_manifest(layout.store, raw_root=layout.raw) == []
    assert sorted(path.name for path in layout.histories.iterdir()) == [
        f"{chip}_history.parquet" for chip in sorted(Store(layout.store).table["chip_name"].drop_nulls().unique())
    ]


def test_every_raw_file_is_an_item(layout):
    staged(layout)
    (job,) = [job for job in read_view(layout.stage).jobs if job.name == "stage"]
    files = {path.relative_to(layout.raw).as_posix() for path in layout.raw.rglob("*.csv")}
    assert {item.name for item in job.items} == files
    assert {item.status for item in job.items} == {Status.DONE}


def test_a_bad_file_costs_itself(layout):
    bad = layout.raw / "a_letter.csv"
    bad.write_text("Dear all,\nthe lamp is broken.\n")
    result = staged(layout)
    assert (result.exit_code, result.items_failed) == (1, 1)
    (job,) = [job for job in read_view(layout.stage).jobs if job.name == "stage"]
    (failed,) = [item for item in job.items if item.status is Status.FAILED]
    assert (failed.name, failed.reason, str(failed.category)) == ("a_letter.csv", "not-a-run", "invalid-input")
    assert job.state is Status.DONE
    assert len(Store(layout.store)) == len(list(layout.raw.rglob("*.csv"))) - 1


def test_nothing_new_runs_nothing(layout):
    staged(layout)
    before = content(layout.stage)
    result = staged(layout)
    assert result.found_done == 2 and sum(result.counts.values()) == 0
    assert content(layout.stage) == before


@pytest.mark.parametrize("change", ["touched", "moved", "corrected", "deleted", "added", "header"])
def test_a_change_of_a_raw_file_reaches_store_and_histories(layout, small, change, tmp_path):
    staged(layout)
    first = layout.raw / small.of("IVg")[0].file
    if change == "touched":
        os.utime(first, ns=(10**18, 10**18))
    elif change == "moved":
        (layout.raw / "elsewhere").mkdir()
        first.rename(layout.raw / "elsewhere" / first.name)
    elif change == "corrected":
        lines = first.read_bytes().split(b"\r\n")
        first.write_bytes(b"\r\n".join(lines[:-3]) + b"\r\n")
    elif change == "deleted":
        first.unlink()
    elif change == "added":
        (layout.raw / "late").mkdir()
        text = first.read_bytes().replace(b"Chip number: ", b"Chip number: 1")
        (layout.raw / "late" / "IVg2025-09-09_1.csv").write_bytes(text)
    else:
        rewrite(first, b"VDS: 0.1 V", b"VDS: 0.2 V")
    assert staged(layout).exit_code == 0
    stage(layout.raw, tmp_path / "beside")
    assert without_clock(layout.store).equals(without_clock(tmp_path / "beside"))
    assert validate_manifest(layout.store, raw_root=layout.raw) == []
    seen = {row for path in layout.histories.iterdir() for row in pl.read_parquet(path)["source_file"]}
    runs = Store(layout.store).table
    assert seen == set(runs.filter(pl.col("proc") != "LaserCalibration")["source_file"])


def test_the_last_run_of_a_chip_takes_its_history_along(layout, small):
    staged(layout)
    chip = max(truth.chip for truth in small.truths if truth.chip is not None)
    for truth in small.of(chip=chip):
        (layout.raw / truth.file).unlink()
    staged(layout)
    assert chip.name not in {path.name.removesuffix("_history.parquet") for path in layout.histories.iterdir()}


def test_unchanged_files_are_not_read_again(layout, small, monkeypatch):
    staged(layout)
    spoilt = layout.raw / small.truths[0].file
    about = spoilt.stat()
    # Of the same size and time: only whoever reads it sees that it is spoilt.
    spoilt.write_bytes(b"x" * about.st_size)
    os.utime(spoilt, ns=(about.st_atime_ns, about.st_mtime_ns))
    (layout.raw / small.truths[1].file).unlink()
    assert staged(layout).items_failed == 0
    assert staged(layout, force=True).items_failed == 1


def test_a_forced_staging_leaves_nothing_to_do(layout):
    staged(layout)
    assert staged(layout, force=True).counts
    assert all(each.verdict is Verdict.SKIP for each in plan(stage_batch(layout)).jobs)


def test_groups_that_differ_in_capital_letters_alone_are_told_once(layout):
    staged(layout)
    assert not warnings_of(layout)
    path = next(path for path in sorted(layout.raw.rglob("*.csv")) if b"Chip group name: Alisson" in path.read_bytes())
    rewrite(path, b"Chip group name: Alisson", b"Chip group name: alisson")
    staged(layout)
    (warning,) = warnings_of(layout)
    assert "'Alisson' and 'alisson'" in warning and "different" in warning
    assert {"Alisson", "alisson"} <= set(read_manifest(layout.store).table["chip_group"])


def test_options_have_their_effect(layout, tmp_path):
    staged(layout, timezone="Pacific/Kiritimati")
    assert read_manifest(layout.store).timezone == "Pacific/Kiritimati"
    assert plan(stage_batch(layout)).jobs[0].reason == ('params.timezone: "Pacific/Kiritimati" -> "America/Santiago"')
    rows = [len(pl.read_parquet(path)) for path in layout.histories.iterdir()]
    staged(layout, timezone="Pacific/Kiritimati", minimum=max(rows) + 1)
    assert list(layout.histories.iterdir()) == []
    staged(layout, timezone="Pacific/Kiritimati", group="other")
    assert all(path.name.startswith("other") for path in layout.histories.iterdir())


def test_procedures_of_ones_own_are_part_of_the_key(layout, small, tmp_path):
    name = "Mine2025-09-09_1.csv"
    text = (layout.raw / small.of("IVg")[0].file).read_bytes().replace(b"procedures.IVg.IVg", b"procedures.Mine.Mine")
    (layout.raw / name).write_bytes(text)
    described = tmp_path / "procedures.yaml"
    body = "procedures:\n  Mine:\n    Parameters: {VDS: float}\n    Data: {Vg (V): float, I (A): float}\n"
    described.write_text(body)
    assert staged(layout).items_failed == 1
    assert staged(layout, procedures=described).items_failed == 0
    assert Store(layout.store).table.filter(pl.col("proc") == "Mine").height == 1
    described.write_text(body.replace("Vg (V): float,", "Vg (V): float, Leak (A): {type: float, required: true},"))
    assert staged(layout, procedures=described).items_failed == 1


def test_an_empty_folder_is_told_before_anything_is_touched(layout):
    staged(layout)
    before = content(layout.stage)
    with pytest.raises(DataError, match="no raw files"):
        stage_batch(replace(layout, raw=layout.raw / "nowhere"))
    assert content(layout.stage) == before


STAGE_FILE = """
batch: staging
output: out
jobs:
  - id: stage
    task: devices.stage
    inputs: {raw: {all: "RAW/**/*.csv"}}
    params: {raw_root: "ROOT"}
    outputs: {manifest: store/manifest.parquet, rejects: store/rejects.json, runs: store/runs/}
"""


@pytest.mark.parametrize("root", ["data/01_raw", "./data/01_raw/", "01_raw"])
def test_a_raw_root_of_a_batch_file_is_that_of_its_inputs(layout, tmp_path, root):
    file = layout.raw.parent.parent / "stage.yaml"
    file.write_text(STAGE_FILE.replace("RAW", "data/01_raw").replace("ROOT", root))
    batch = load(file)
    result = run(batch)
    assert result.exit_code <= 1
    assert plan(batch).jobs[0].verdict is Verdict.SKIP
    staged = read_manifest(file.parent / "out" / "store").table
    stage(layout.raw, tmp_path / "other")
    assert staged["source_file"].equals(read_manifest(tmp_path / "other").table["source_file"])


@pytest.mark.parametrize(
    ("root", "told"), [("raws", "none above all raw files"), (".", "none above"), ("a/b", " and ")]
)
def test_a_raw_root_that_may_mean_anything_is_refused(layout, tmp_path, root, told):
    shutil.copytree(layout.raw, tmp_path / "a" / "b" / "a" / "b")
    file = tmp_path / "stage.yaml"
    file.write_text(STAGE_FILE.replace("RAW", "a/b/a/b").replace("ROOT", root))
    result = run(load(file))
    (job,) = read_view(result.root).jobs
    assert job.reason == "doubtful-raw-root"
    assert told in job.message
    assert "in full" in job.message
