from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from batchlab.devices._manifest import MANIFEST, REJECTS, read_manifest
from batchlab.devices._model import Chip
from batchlab.devices._procedures import load_schema
from batchlab.devices._read import read_run
from batchlab.devices._run_id import peer_run_id
from batchlab.devices._stage import Change, stage
from batchlab.devices._stage import _stage as stage_module
from batchlab.devices._store import Store
from batchlab.devices._synthetic import write_lab, write_run
from batchlab.errors import DataError, StartError


@pytest.fixture(scope="module")
def broken_lab(tmp_path_factory):
    """A laboratory with every fault, never written after."""
    return write_lab(
        tmp_path_factory.mktemp("broken"), chips=2, runs=8, documented=False, interval_s=1.0, step_v=0.25, broken=True
    )


@pytest.fixture
def raw(broken_lab, tmp_path):
    """Raw files of one's own, to change."""
    folder = tmp_path / "data" / "01_raw"
    shutil.copytree(broken_lab.raw_root, folder)
    return folder


def content(store: Path) -> dict[str, bytes]:
    """Every file of a store but the lock."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".staging.lock"
    }


def no_reading(*args, **kwargs):
    raise AssertionError("a raw file was read again")


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))


def test_every_run_is_staged_as_it_reads_from_its_file(broken_lab, tmp_path):
    stage(broken_lab.raw_root, tmp_path / "store")
    store = Store(tmp_path / "store")
    for row in store.table.iter_rows(named=True):
        stored, read = store.read_run(row["run_id"]), read_run(broken_lab.raw_root / row["source_file"])
        assert (stored.procedure, stored.chip, stored.start_utc) == (read.procedure, read.chip, read.start_utc)
        assert (stored.has_light, stored.flags, dict(stored.settings)) == (read.has_light, read.flags, read.settings)
        assert [type(value) for value in stored.settings.values()] == [
            type(read.settings[name]) for name in stored.settings
        ]
        assert list(stored.columns) == list(read.columns)
        for name, column in read.columns.items():
            np.testing.assert_array_equal(stored.columns[name], column)


def test_faults_are_rejects_or_warnings_each_with_its_reason(broken_lab, tmp_path):
    staged = stage(broken_lab.raw_root, tmp_path / "store")
    by_name = {file.name: file for file in staged.files}
    refused = {name for name, file in by_name.items() if file.status == "reject"}
    for name, fault in broken_lab.broken.items():
        if name in refused:
            assert by_name[name].reason == fault
            assert by_name[name].message.startswith(name) and str(tmp_path) not in by_name[name].message
        else:
            assert by_name[name].warnings
    assert refused < set(broken_lab.broken) and len(refused) == 7
    listed = json.loads((tmp_path / "store" / REJECTS).read_text())
    assert [reject["source_file"] for reject in listed] == sorted(refused)
    assert all(reject["reason"] and reject["category"] and reject["message"] for reject in listed)
    assert staged.counts["ok"] + staged.counts["reject"] == staged.counts["files"] == len(staged.files)


def test_a_strict_store_refuses_what_does_not_follow_the_schema(broken_lab, tmp_path):
    lenient, strict = (stage(broken_lab.raw_root, tmp_path / "store", strict=strict) for strict in (False, True))
    more = {file.name for file in strict.rejects} - {file.name for file in lenient.rejects}
    assert more == {"broken/no_chip.csv"}


def test_each_file_is_an_item_and_a_bad_one_costs_itself(broken_lab, tmp_path):
    done, failed = [], {}

    @contextmanager
    def item(name):
        try:
            yield
        except DataError as error:
            failed[name] = (error.category, error.reason, str(error))
        else:
            done.append(name)

    staged = stage(broken_lab.raw_root, tmp_path / "store", item=item)
    assert sorted([*done, *failed]) == [file.name for file in staged.files]
    assert failed == {file.name: (file.category, file.reason, file.message) for file in staged.rejects}
    again = dict(failed)
    failed.clear()
    stage(broken_lab.raw_root, tmp_path / "store", item=item)
    assert failed == again  # a bad file is told as long as it lies there


def test_nothing_new_reads_nothing_and_writes_nothing(raw, tmp_path, monkeypatch):
    store = tmp_path / "store"
    stage(raw, store)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.name != ".staging.lock"}
    monkeypatch.setattr(stage_module, "read_fresh", no_reading)
    monkeypatch.setattr("batchlab.devices._stage._previous.digest_of", no_reading)
    staged = stage(raw, store)
    assert not staged.changed and not staged.added and not staged.removed
    assert staged.counts["unchanged"] == staged.counts["files"]
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.name != ".staging.lock"} == before


def test_a_touched_file_is_known_by_its_content(raw, tmp_path, monkeypatch):
    store = tmp_path / "store"
    stage(raw, store)
    before = content(store)
    for path in raw.rglob("IVg*.csv"):
        os.utime(path, ns=(1, 1_700_000_000_000_000_000))
    read = []
    real = stage_module.read_fresh
    monkeypatch.setattr(stage_module, "read_fresh", lambda files, *rest: read.extend(files) or real(files, *rest))
    staged = stage(raw, store)
    assert not read and not staged.added and not staged.removed
    after = content(store)
    assert {name for name in after if after[name] != before[name]} == {MANIFEST}
    assert content_of_fresh(raw, tmp_path) == after


def content_of_fresh(raw: Path, tmp_path: Path) -> dict[str, bytes]:
    """What a store would be without memory."""
    fresh = tmp_path / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    stage(raw, fresh)
    return content(fresh)


def test_the_time_of_a_file_counts_where_nothing_else_tells_when_it_was_measured(raw, tmp_path):
    path = raw / "broken" / "no_metadata.csv"
    os.utime(path, (1_700_000_000, 1_700_000_000))
    stage(raw, tmp_path / "store")
    os.utime(path, (1_700_090_000, 1_700_090_000))
    stage(raw, tmp_path / "store")
    row = Store(tmp_path / "store").table.row(
        by_predicate=pl.col("source_file") == "broken/no_metadata.csv", named=True
    )
    assert row["date_origin"] == "mtime" and row["start_time_utc"] == datetime.fromtimestamp(1_700_090_000, UTC)
    assert content_of_fresh(raw, tmp_path) == content(tmp_path / "store")


def test_a_corrected_file_replaces_its_run(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    path = next(path for path in sorted(raw.rglob("IVg*.csv")) if b"VDS: 0.1" in path.read_bytes())
    name = path.relative_to(raw).as_posix()
    before = Store(store).table.row(by_predicate=pl.col("source_file") == name, named=True)
    lines = path.read_bytes().split(b"\r\n")
    cells = lines[-2].split(b",")
    lines[-2] = b",".join([cells[0], b"0.123", *cells[2:]])
    path.write_bytes(b"\r\n".join(lines))
    staged = stage(raw, store)
    opened = Store(store)
    after = opened.table.row(by_predicate=pl.col("source_file") == name, named=True)
    assert staged.removed == (before["run_id"],) and staged.added == (after["run_id"],)
    assert staged.counts["changed"] == 1 and before["run_id"] not in opened
    assert opened.read_run(after["run_id"]).columns["I (A)"][-1] == 0.123
    assert content_of_fresh(raw, tmp_path) == content(store)


def test_a_corrected_header_keeps_the_run_and_changes_its_settings(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    path = next(path for path in sorted(raw.rglob("IVg*.csv")) if b"VDS: 0.1" in path.read_bytes())
    rewrite(path, b"VDS: 0.1 V", b"VDS: 0.25 V")
    staged = stage(raw, store)
    assert staged.changed and not staged.added and not staged.removed and staged.counts["changed"] == 1
    row = Store(store).table.row(by_predicate=pl.col("source_file") == path.relative_to(raw).as_posix(), named=True)
    assert row["vds_v"] == 0.25 and json.loads(row["settings"])["vds_v"] == 0.25
    assert content_of_fresh(raw, tmp_path) == content(store)


def test_a_deleted_file_takes_its_run_along(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    gone = sorted(raw.rglob("It*.csv"))[0]
    other = next(iter(raw.rglob("LaserCalibration*.csv")))
    for path in raw.rglob("LaserCalibration*.csv"):
        path.unlink()  # a whole procedure
    gone.unlink()
    assert not other.exists()
    staged = stage(raw, store)
    assert staged.counts["removed"] == len(staged.removed) == 5
    assert gone.relative_to(raw).as_posix() in {f.name for f in staged.files if f.change is Change.REMOVED}
    assert "LaserCalibration" not in set(Store(store).table["proc"])
    assert not list((store / "runs").glob("LaserCalibration*"))
    assert content_of_fresh(raw, tmp_path) == content(store)


def test_two_files_of_one_run_are_one_run_and_told(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    first = sorted(raw.rglob("IVg*.csv"))[0]
    copy = raw / "zz" / "copy of it.csv"
    copy.parent.mkdir()
    shutil.copy(first, copy)
    staged = stage(raw, store)
    (told,) = staged.duplicates
    name = first.relative_to(raw).as_posix()
    assert told.name == "zz/copy of it.csv" and name in told.message and "remove" in told.message
    assert not staged.added and not staged.removed
    assert content_of_fresh(raw, tmp_path) == content(store)
    first.unlink()
    staged = stage(raw, store)
    assert not staged.duplicates and not staged.added and not staged.removed
    row = Store(store).table.row(by_predicate=pl.col("run_id") == told.run_id, named=True)
    assert row["source_file"] == "zz/copy of it.csv" and row["message"] is None
    assert content_of_fresh(raw, tmp_path) == content(store)


def test_line_ends_do_not_change_the_run(raw, tmp_path):
    stage(raw, tmp_path / "crlf")
    for path in raw.rglob("*.csv"):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    stage(raw, tmp_path / "lf")
    crlf, lf = Store(tmp_path / "crlf"), Store(tmp_path / "lf")
    assert list(crlf.table["run_id"]) == list(lf.table["run_id"])
    assert list(crlf.table["digest"]) != list(lf.table["digest"])
    names = {name for name in content(tmp_path / "crlf") if name.startswith("runs/")}
    assert names == {name for name in content(tmp_path / "lf") if name.startswith("runs/")}


def test_staging_in_steps_in_any_order_gives_the_bytes_of_staging_at_once(broken_lab, tmp_path):
    paths = sorted(broken_lab.raw_root.rglob("*.csv"))
    rng = np.random.default_rng(3)
    raw, store = tmp_path / "raw", tmp_path / "store"
    for some in np.array_split(rng.permutation(len(paths)), 4):
        for k in some:
            to = raw / paths[k].relative_to(broken_lab.raw_root)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths[k], to)
        stage(raw, store)
    assert content_of_fresh(raw, tmp_path) == content(store)
    stage(raw, store, force=True)
    assert content_of_fresh(raw, tmp_path) == content(store)


def test_how_much_is_read_at_once_changes_nothing(broken_lab, tmp_path, monkeypatch):
    stage(broken_lab.raw_root, tmp_path / "one")
    monkeypatch.setattr("batchlab.devices._stage._fresh.BATCH", 20_000)
    stage(broken_lab.raw_root, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_the_store_does_not_depend_on_where_the_laboratory_lies(broken_lab, tmp_path, monkeypatch):
    stage(broken_lab.raw_root, tmp_path / "one")
    moved = tmp_path / "2011-01-02" / "raw"
    shutil.copytree(broken_lab.raw_root, moved)
    monkeypatch.chdir(moved.parent)
    stage("raw", tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert str(tmp_path) not in str(read_manifest(tmp_path / "two").table.to_dicts())


def test_a_store_elsewhere_is_only_read(raw, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    stage(raw, old)
    before = content(old)
    sorted(raw.rglob("It*.csv"))[0].unlink()
    stage(raw, new, previous=old)
    assert content(old) == before and content(new) == content_of_fresh(raw, tmp_path)
    third = tmp_path / "third"
    stage(raw, third, previous=new)
    assert content(third) == content(new)
    assert not (third / ".staging.lock").exists()


@pytest.mark.parametrize("harm", ["cut data", "no data", "cut manifest", "foreign manifest"])
def test_a_damaged_store_is_made_anew(raw, tmp_path, harm):
    store = tmp_path / "store"
    stage(raw, store)
    whole = content(store)
    data = next((store / "runs").glob("IVg*.parquet"))
    if harm == "cut data":
        data.write_bytes(data.read_bytes()[:-10])
    elif harm == "no data":
        data.unlink()
    elif harm == "cut manifest":
        (store / MANIFEST).write_bytes((store / MANIFEST).read_bytes()[:-10])
    else:
        pl.DataFrame({"a": [1]}).write_parquet(store / MANIFEST)
    stage(raw, store)
    assert content(store) == whole


def test_other_procedures_or_another_zone_read_everything_again(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    days = dict(Store(store).table.select("run_id", "date_local").iter_rows())
    staged = stage(raw, store, timezone="Asia/Tokyo")
    assert not staged.added and not staged.removed
    moved = dict(Store(store).table.select("run_id", "date_local").iter_rows())
    assert moved.keys() == days.keys() and moved != days and Store(store).timezone == "Asia/Tokyo"
    own = tmp_path / "own.yaml"
    own.write_text("procedures:\n  IVgg:\n    Data: {Vg (V): {type: float, required: true}, I (A): float}\n")
    staged = stage(raw, store, schema=load_schema(own))
    assert "IVgg" in set(Store(store).table["proc"])
    assert "unknown-procedure" not in {file.reason for file in staged.rejects}


def test_times_of_staging_are_kept_and_only_noted_when_given(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    assert Store(store).table["ingested_at_utc"].null_count() == len(Store(store))
    shutil.rmtree(store)
    late = raw / "late.csv"
    gone = sorted(raw.rglob("It*.csv"))[0]
    gone.rename(late.with_suffix(".hidden"))
    first, second = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 10, 2, tzinfo=UTC)
    stage(raw, store, now=first)
    late.with_suffix(".hidden").rename(late)
    (added,) = stage(raw, store, now=second).added
    times = dict(Store(store).table.select("run_id", "ingested_at_utc").iter_rows())
    assert times.pop(added) == second and set(times.values()) == {first}
    stage(raw, store, now=datetime(2025, 10, 3, tzinfo=UTC), force=True)
    assert dict(Store(store).table.select("run_id", "ingested_at_utc").iter_rows()) == times | {added: second}


def test_no_raw_files_is_an_error_and_leaves_the_store(raw, tmp_path):
    store = tmp_path / "store"
    stage(raw, store)
    before = content(store)
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(DataError, match="no raw files") as error:
            stage(folder, store)
        assert error.value.reason == "no-raw-files"
    assert content(store) == before


def test_two_at_once_in_one_folder_are_refused(raw, tmp_path):
    from batchlab.devices._durable import held

    (tmp_path / "store").mkdir()
    with held(tmp_path / "store"), pytest.raises(StartError, match="another process"):
        stage(raw, tmp_path / "store")
    assert stage(raw, tmp_path / "store").added


def test_an_unforeseen_error_costs_the_file_it_comes_from(raw, tmp_path, monkeypatch):
    from batchlab.devices._stage import _fresh

    bad = sorted(raw.rglob("IVg*.csv"))[1]
    real = _fresh.read_many

    def reading(paths, *args, **kwargs):
        if bad in set(paths):
            raise RuntimeError("nobody thought of this")
        return real(paths, *args, **kwargs)

    monkeypatch.setattr(_fresh, "read_many", reading)
    staged = stage(raw, tmp_path / "store")
    strange = [file for file in staged.rejects if file.reason == "unexpected"]
    assert [file.name for file in strange] == [bad.relative_to(raw).as_posix()]
    assert "nobody thought of this" in strange[0].message
    monkeypatch.undo()
    assert len(stage(raw, tmp_path / "store").added) == 1  # it is tried again
    assert content_of_fresh(raw, tmp_path) == content(tmp_path / "store")


def test_unreadable_files_are_tried_again(raw, tmp_path):
    path = sorted(raw.rglob("IVg*.csv"))[0]
    name = path.relative_to(raw).as_posix()
    target = path.with_suffix(".moved")
    path.rename(target)
    path.symlink_to("nowhere.csv")
    (reject,) = [file for file in stage(raw, tmp_path / "store").rejects if file.name == name]
    assert (reject.category, reject.reason) == ("missing-input", "unreadable")
    path.unlink()
    target.rename(path)
    assert len(stage(raw, tmp_path / "store").added) == 1


def test_older_names_of_runs_stand_beside_ours(broken_lab, tmp_path):
    stage(broken_lab.raw_root, tmp_path / "store")
    store = Store(tmp_path / "store")
    schema = load_schema()
    for row in store.table.iter_rows(named=True):
        run = store.read_run(row["run_id"])
        names = [column.name for column in schema.procedures[run.procedure].columns if column.name != "Ig (A)"]
        data = pl.DataFrame({name: run.columns.get(name, np.full(run.rows, np.nan)) for name in names})
        data = data.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names if name not in run.columns)
        assert row["peer_run_id"] == peer_run_id(run.procedure, run.chip, row["start_time_utc"], data)


def test_times_are_utc_and_days_local(lab, tmp_path):
    stage(lab.raw_root, tmp_path / "store")
    table = Store(tmp_path / "store").table
    assert table.schema["start_time_utc"] == pl.Datetime("us", "UTC")
    starts = {truth.file: truth.start_utc for truth in lab.truths}
    late = 0
    for name, start, day in table.select("source_file", "start_time_utc", "date_local").iter_rows():
        assert start == starts[name] and str(day) == name[:10]
        late += start.date() != day
    assert late  # some were measured after midnight in Greenwich


def test_flags_light_and_chips_are_those_of_the_laboratory(lab, tmp_path):
    stage(lab.raw_root, tmp_path / "store")
    runs = {row["source_file"]: row for row in Store(tmp_path / "store").table.iter_rows(named=True)}
    assert runs.keys() == {truth.file for truth in lab.truths}
    for truth in lab.truths:
        row = runs[truth.file]
        assert (row["quality_flags"] or "").split(",")[0] == (truth.dead or "")
        assert row["rows"] == truth.rows and row["proc"] == truth.procedure
        if truth.chip is not None:
            assert Chip(row["chip_group"], row["chip_number"]) == truth.chip and row["chip_name"] == truth.chip.name
            assert row["has_light"] == (truth.laser_voltage_v != 0)


def test_names_of_older_stores_do_not_count_what_those_did_not_record(tmp_path):
    write_run(
        tmp_path / "raw" / "IVg2025-09-04_1.csv",
        "IVg",
        {"Chip group name": "Alisson", "Chip number": "67", "VDS": "0.1 V"},
        ("Vg (V)", "I (A)"),
        ("0,1e-6", "1,2e-6"),
        metadata={"Start time": "1757019355"},
    )
    stage(tmp_path / "raw", tmp_path / "store")
    (row,) = Store(tmp_path / "store").table.rows(named=True)
    columns = ("Vg (V)", "I (A)", "Plate T (degC)", "Ambient T (degC)", "Clock (ms)")
    printed = pl.DataFrame(
        {"Vg (V)": [0.0, 1.0], "I (A)": [1e-6, 2e-6], **dict.fromkeys(columns[2:])},
        schema=dict.fromkeys(columns, pl.Float64),
    )
    assert row["peer_run_id"] == peer_run_id("IVg", Chip("Alisson", 67), row["start_time_utc"], printed)
