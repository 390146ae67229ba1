from __future__ import annotations

import shutil

import numpy as np
import polars as pl
import pytest

from batchlab.devices import _store
from batchlab.devices._inspect import inspect_manifest, staging_stats, validate_manifest
from batchlab.devices._manifest import MANIFEST, columns_of, read_manifest
from batchlab.devices._model import Chip
from batchlab.devices._procedures import load_schema
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.errors import DataError

ALISSON67, ANOTHER = Chip("Alisson", 67), Chip("Alisson", 81)


@pytest.fixture(scope="module")
def staged(lab, tmp_path_factory):
    """A staged laboratory; only read."""
    root = tmp_path_factory.mktemp("store")
    stage(lab.raw_root, root)
    return root


@pytest.fixture
def own(staged, tmp_path):
    """A store to harm."""
    return shutil.copytree(staged, tmp_path / "store")


def test_runs_come_by_what_is_asked_for(lab, staged):
    store = Store(staged)

    def truths(**wanted):
        return sorted(
            truth.start_utc
            for truth in lab.truths
            if all(getattr(truth, name) == value for name, value in wanted.items())
        )

    def starts(**asked):
        return sorted(run.start_utc for run in store.runs(**asked))

    assert starts() == truths()
    assert starts(procedure="It") == truths(procedure="It")
    assert starts(procedure=["It", "Vt"]) == sorted(truths(procedure="It") + truths(procedure="Vt"))
    assert starts(chips=ALISSON67) == truths(chip=ALISSON67)
    assert starts(chips=[ALISSON67, ANOTHER]) == sorted(truths(chip=ALISSON67) + truths(chip=ANOTHER))
    assert starts(chips=()) == []
    lit = [t.start_utc for t in lab.truths if t.laser_voltage_v or t.procedure == "LaserCalibration"]
    assert starts(light=True) == sorted(lit)
    assert starts(procedure="It", wavelength_nm=405.0) == truths(procedure="It", wavelength_nm=405.0)
    assert starts(where=pl.col("rows") > 600) == [t for t in truths() if t in starts(where=pl.col("rows") > 600)] != []
    dead = sorted(t.start_utc for t in lab.truths if t.dead)
    assert starts(flagged=True) == dead and len(starts(flagged=False)) == len(lab.truths) - len(dead)


def test_few_columns_or_none_can_be_read(staged):
    store = Store(staged)
    for run in store.runs("It", columns=("I (A)",)):
        assert list(run.columns) == ["I (A)"] and run.rows > 1
    bare = list(store.runs("It", columns=()))
    assert bare and all(not run.columns and run.settings for run in bare)


@pytest.mark.parametrize(("span", "gap"), [(1, 0), (700, 100), (10**9, 10**9)])
def test_how_much_is_read_at_once_changes_nothing(staged, monkeypatch, span, gap):
    store = Store(staged)
    some = list(store.table["run_id"])[::3]
    whole = {run.run_id: run.columns for run in store.runs()}
    monkeypatch.setattr(_store, "SPAN", span)
    monkeypatch.setattr(_store, "GAP", gap)
    found = list(store.runs(run_ids=some))
    assert [run.run_id for run in found] == some
    for run in found:
        assert run.columns.keys() == whole[run.run_id].keys()
        for name, column in run.columns.items():
            np.testing.assert_array_equal(column, whole[run.run_id][name])


def test_a_kept_run_keeps_its_own_rows_alone(staged):
    for run in Store(staged).runs("IVg"):
        assert all(column.base is None and column.size == run.rows for column in run.columns.values())


def test_runs_by_id_come_in_the_order_given_also_by_the_beginning(staged):
    store = Store(staged)
    ids = list(store.table["run_id"])[:20:3][::-1]
    assert [run.run_id for run in store.read_runs(ids)] == ids
    short = next(name[:6] for name in ids if sum(other.startswith(name[:6]) for other in store.table["run_id"]) == 1)
    assert store.read_run(short).run_id.startswith(short)
    with pytest.raises(DataError, match="no run 'ffffff0'") as error:
        store.read_run("ffffff0")
    assert error.value.reason == "no-such-run"
    assert ids[0] in store and "x" not in store and len(store) == store.table.height


def test_all_rows_of_a_procedure_can_be_scanned(staged):
    store = Store(staged)
    rows = store.scan("IVg").select("run_id", "row", "Vg (V)").collect()
    runs = store.table.filter(proc="IVg")
    assert rows["run_id"].unique(maintain_order=True).equals(runs["run_id"]) and rows.height == runs["rows"].sum()
    beside = runs.select("chip_group", "chip_number").rows()
    assert len(set(beside)) > 1 and beside == sorted(beside), "the runs of a chip lie apart"
    with pytest.raises(DataError, match="no Pt is staged, only ITt, IV, IVg"):
        store.scan("Pt")


def test_a_run_that_lies_elsewhere_by_now_is_found_and_one_that_left_is_told(lab, tmp_path):
    raw = shutil.copytree(lab.raw_root, tmp_path / "raw")
    stage(raw, tmp_path / "store")
    store = Store(tmp_path / "store")
    first, *rest = store.table.filter(proc="VVg").select("run_id", "source_file").rows()
    before = {run.run_id: run.columns["VDS (V)"] for run in Store(tmp_path / "store").runs("VVg")}
    (raw / first[1]).unlink()
    stage(raw, tmp_path / "store")
    for name, _ in rest:
        np.testing.assert_array_equal(store.read_run(name).columns["VDS (V)"], before[name])
    with pytest.raises(DataError, match="has left the store") as error:
        store.read_run(first[0])
    assert error.value.reason == "no-such-run"
    assert first[0] in store and first[0] not in Store(tmp_path / "store")


def test_a_folder_without_a_store_is_told(tmp_path):
    with pytest.raises(DataError, match="stage raw files first") as error:
        Store(tmp_path)
    assert (error.value.category, error.value.reason) == ("missing-input", "no-store")
    (tmp_path / MANIFEST).write_bytes(b"PAR1")
    with pytest.raises(DataError, match="stage again") as error:
        Store(tmp_path)
    assert error.value.reason == "broken-store"


def test_a_whole_store_has_nothing_wrong(lab, staged):
    assert validate_manifest(staged) == [] == validate_manifest(staged, raw_root=lab.raw_root)


def test_every_column_of_the_manifest_is_described(staged):
    assert dict(read_manifest(staged).table.schema) == columns_of(load_schema())
    text = columns_of.__doc__
    assert all(f"``{name}``" in text for name in columns_of())


def test_harm_to_a_store_is_found_and_force_mends_it(own, lab):
    data = sorted((own / "runs").glob("It-*.parquet"))[0]
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    (said,) = validate_manifest(own)
    assert data.name in said and "damaged" in said and "force" in said
    stage(lab.raw_root, own, force=True)
    assert validate_manifest(own) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("source_file").map_elements(lambda name: f"/tmp/{name}", return_dtype=pl.String), "is not relative"),
        (pl.lit("ok?").alias("status"), "status is none that there is"),
        (pl.lit(None, pl.String).alias("digest").alias("proc"), "what it is is missing"),
        (pl.col("offset") + 1, "does not lie where"),
        (pl.lit("0123456789abcdef").alias("run_id"), "has the id of another run"),
        (pl.col("start_time_utc").dt.replace_time_zone(None), "column start_time_utc is"),
    ],
)
def test_a_manifest_that_lies_is_told(own, change, said):
    manifest = read_manifest(own)
    manifest.table.with_columns(change).write_parquet(own / MANIFEST, metadata=manifest.notes())
    assert any(said in line for line in validate_manifest(own))


def test_raw_files_that_changed_since_are_told(staged, lab, tmp_path):
    raw = shutil.copytree(lab.raw_root, tmp_path / "raw")
    gone, other = sorted(raw.rglob("It2*.csv"))[:2]
    gone.unlink()
    other.write_bytes(b"")
    assert validate_manifest(staged, raw_root=raw) == [
        f"{gone.relative_to(raw).as_posix()}: is no longer there; stage again",
        f"{other.relative_to(raw).as_posix()}: was changed since it was staged; stage again",
    ]


def test_statistics_count_what_there_is(lab, staged):
    stats = staging_stats(Store(staged).manifest())
    assert stats["files"] == len(lab.truths) == stats["by_status"]["ok"]
    assert stats["by_procedure"] == {
        name: len(lab.of(name)) for name in sorted({truth.procedure for truth in lab.truths})
    }
    assert stats["by_chip"]["Alisson67"] == len(lab.of(chip=ALISSON67))
    assert stats["rows"] == sum(truth.rows for truth in lab.truths)
    assert stats["quality_flags"] == {truth.dead: 1 for truth in lab.truths if truth.dead}
    assert stats["first_utc"] == min(truth.start_utc for truth in lab.truths).isoformat()
    assert sum(stats["by_light"].values()) == stats["files"] and stats["by_date_origin"] == {"meta": stats["files"]}


def test_rows_of_the_manifest_are_found(lab, staged):
    table = Store(staged).manifest()
    assert inspect_manifest(table, proc="IVg", chip="67").height == len(lab.of("IVg", ALISSON67))
    assert inspect_manifest(table, chip="Alisson67").height == len(lab.of(chip=ALISSON67))
    assert inspect_manifest(table, group="Alisson").height == sum(
        t.chip is not None and t.chip.group == "Alisson" for t in lab.truths
    )
    assert inspect_manifest(table, status="reject").is_empty()
    assert inspect_manifest(table, light=True, proc="It", columns=("run_id",)).columns == ["run_id"]
    days = inspect_manifest(table, date="2025-09-04")["date_local"].cast(pl.String).unique()
    assert list(days) == ["2025-09-04"]
