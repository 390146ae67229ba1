from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import UTC, datetime

import polars as pl
import pytest

from batchlab.devices._history import (
    histories,
    history_of,
    read_histories,
    read_history,
    seqs_of,
    write_histories,
)
from batchlab.devices._history_view import export_history, select_runs, show
from batchlab.devices._model import Chip
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.devices._synthetic import write_run
from batchlab.errors import DataError

ALISSON67 = Chip("Alisson", 67)
COLUMNS = [
    *("seq", "date", "time_hms", "datetime_local", "proc", "summary", "has_light", "laser_voltage_v", "wavelength_nm"),
    *("vds_v", "ids_a", "vg_fixed_v", "vg_start_v", "vg_end_v", "vg_step_v", "laser_period_s", "parquet_path"),
    *("source_file", "chip_number", "chip_group", "chip_name", "run_id", "rows", "file_idx", "date_local"),
    *("day_folder", "start_time", "start_time_utc", "ingested_at_utc", "date_origin"),
]


@pytest.fixture(scope="module")
def store(lab, tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    stage(lab.raw_root, root)
    return Store(root)


@pytest.fixture(scope="module")
def history(store):
    return history_of(store.manifest(), ALISSON67, timezone=store.timezone)


def test_seq_counts_the_runs_of_a_chip_over_all_procedures(lab, store):
    found = histories(store.manifest(), timezone=store.timezone)
    chips = {truth.chip for truth in lab.truths if truth.chip}
    assert found.keys() == {chip.name for chip in chips}
    for chip in chips:
        truths = sorted(lab.of(chip=chip), key=lambda truth: truth.seq)
        table = found[chip.name]
        assert list(table["seq"]) == [truth.seq for truth in truths] == list(range(1, len(truths) + 1))
        assert list(table["source_file"]) == [truth.file for truth in truths]
        assert list(table["proc"]) == [truth.procedure for truth in truths]


def test_a_history_has_the_columns_that_are_promised(history, store):
    assert [name for name in history.columns if name in COLUMNS] == COLUMNS
    row = history.row(3, named=True)
    start = row["start_time_utc"]
    assert row["date"] == f"{start:%Y-%m-%d}" and row["time_hms"] == f"{start:%H:%M:%S}"
    assert row["datetime_local"] == start and str(row["datetime_local"].tzinfo) == "America/Santiago"
    assert row["start_time"] == pytest.approx(start.timestamp(), abs=1e-6)
    assert row["day_folder"] == str(row["date_local"]) and row["source_file"].endswith(f"_{row['file_idx']}.csv")
    assert (store.root / row["parquet_path"]).is_file()
    numbers = [name for name in COLUMNS if name.endswith(("_v", "_nm", "_s", "_a"))]
    assert all(history.schema[name] == pl.Float64 for name in numbers)


def test_a_summary_says_what_was_done(history):
    said = dict(history.select("seq", "summary").iter_rows())
    assert said[2] == "dark IVg Alisson67, VDS 0.1 V, VG -5 to 5 V by 0.05 V, #1"
    assert said[4].startswith("light It Alisson67, VDS 0.1 V, VG -") and said[4].endswith("VL 2 V, 405 nm, #1")


def test_chips_of_one_number_in_two_groups_are_two(tmp_path):
    for k, group in enumerate(("Alisson", "other")):
        write_run(
            tmp_path / "raw" / f"IVg2025-09-0{k + 1}_1.csv",
            "IVg",
            {"Chip group name": group, "Chip number": "71", "VDS": "0.1 V", "Laser voltage": "0 V"},
            ("Vg (V)", "I (A)"),
            ("0,1e-6", "1,2e-6"),
            metadata={"Start time": str(1_757_000_000 + k)},
        )
    stage(tmp_path / "raw", tmp_path / "store")
    store = Store(tmp_path / "store")
    found = histories(store.manifest(), timezone=store.timezone)
    assert {name: table.height for name, table in found.items()} == {"Alisson71": 1, "other71": 1}
    assert histories(store.manifest(), timezone=store.timezone, group="other").keys() == {"other71"}
    assert histories(store.manifest(), timezone=store.timezone, minimum=2) == {}


def test_chips_that_are_called_alike_are_two(tmp_path):
    for k, (group, number) in enumerate((("A1", 2), ("A", 12), ("A1", 2))):
        write_run(
            tmp_path / "raw" / f"IVg2025-09-0{k + 1}_1.csv",
            "IVg",
            {"Chip group name": group, "Chip number": str(number), "VDS": "0.1 V"},
            ("Vg (V)", "I (A)"),
            ("0,1e-6", "1,2e-6"),
            metadata={"Start time": str(1_757_000_000 + k)},
        )
    stage(tmp_path / "raw", tmp_path / "store")
    found = histories(Store(tmp_path / "store").manifest(), timezone="UTC")
    assert {name: table.height for name, table in found.items()} == {"A12": 1, "A1-2": 2}
    assert sorted(seqs_of(found).values()) == [1, 1, 2]


def test_runs_without_chip_stand_under_their_information(tmp_path):
    for k, text in enumerate(("LED: at the fibre's end", "LED: at the fibre's end", "")):
        write_run(
            tmp_path / "raw" / f"Pt2025-09-01_{k + 1}.csv",
            "Pt",
            {"Information": text, "Laser wavelength": "455", "Laser voltage": "1 V"},
            ("t (s)", "Power (W)", "VL (V)"),
            ("0,0,0", f"1,{k}e-6,1"),
            metadata={"Start time": str(1_757_000_000 + k)},
        )
    stage(tmp_path / "raw", tmp_path / "store")
    found = histories(Store(tmp_path / "store").manifest(), timezone="UTC")
    assert {name: table.height for name, table in found.items()} == {"LED_at_the_fibre_s_end": 2, "no_chip": 1}


def test_a_group_that_is_no_file_name_stays_in_the_folder(tmp_path, history):
    folder = tmp_path / "histories"
    write_histories({"../../etc/A1": history}, folder)
    assert [path.name for path in folder.iterdir()] == ["_.._etc_A1_history.parquet"]
    assert read_history(folder, "../../etc/A1").equals(history)


def test_histories_are_read_as_they_were_written_and_old_ones_go(store, tmp_path):
    found = histories(store.manifest(), timezone=store.timezone)
    write_histories(found, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    read = read_histories(tmp_path)
    assert read.keys() == found.keys() and all(read[name].equals(found[name]) for name in found)
    gone = sorted(found)[-1]
    found.pop(gone)
    write_histories(found, tmp_path)
    again = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert again == {name: raw for name, raw in first.items() if name != f"{gone}_history.parquet"}


def test_an_unknown_chip_names_the_nearest(store, tmp_path):
    write_histories(histories(store.manifest(), timezone=store.timezone), tmp_path)
    with pytest.raises(DataError, match="did you mean Alisson67") as error:
        read_history(tmp_path, "67")
    assert error.value.reason == "no-such-chip"
    with pytest.raises(DataError, match="did you mean Alisson67"):
        history_of(store.manifest(), Chip("alisson", 67), timezone="UTC")


def test_an_older_file_moves_the_numbers_after_it(lab, store, history, tmp_path):
    raw = shutil.copytree(lab.raw_root, tmp_path / "raw")
    late = history.row(4, named=True)["source_file"]
    (raw / late).rename(raw.parent / "late")
    stage(raw, tmp_path / "store")
    without = history_of(Store(tmp_path / "store").manifest(), ALISSON67, timezone="America/Santiago")
    assert list(without["run_id"]) == [name for k, name in enumerate(history["run_id"]) if k != 4]
    (raw.parent / "late").rename(raw / late)
    stage(raw, tmp_path / "store")
    whole = history_of(Store(tmp_path / "store").manifest(), ALISSON67, timezone="America/Santiago")
    assert whole.equals(history)


def test_runs_are_selected_with_their_numbers(lab, history):
    truths = lab.of(chip=ALISSON67)
    lit = select_runs(history, proc="It", light=True)
    assert list(lit["seq"]) == [t.seq for t in truths if t.procedure == "It" and t.laser_voltage_v]
    blue = select_runs(history, proc=["It", "Vt"], wavelength_nm=405)
    assert list(blue["seq"]) == [t.seq for t in truths if t.procedure in ("It", "Vt") and t.wavelength_nm == 405]
    day = str(history["date_local"][-1])
    assert list(select_runs(history, date=day)["seq"]) == [t.seq for t in truths if t.file.startswith(day)]
    noisy = history.with_columns(vg_fixed_v=pl.lit(-0.15000000000000002))
    assert select_runs(noisy, vg_v=-0.15, vds_v=0.1).height == history["vds_v"].is_not_null().sum()
    assert select_runs(history).equals(history) and select_runs(history, flagged=True).is_empty()


def test_a_table_tells_the_local_day_that_runs_are_chosen_by(history):
    # 21:30 in Santiago is the next day in UTC.
    late = datetime(2025, 9, 5, 1, 30, tzinfo=UTC)
    late_local = pl.lit(late).dt.convert_time_zone("America/Santiago")
    moved = history.head(1).with_columns(
        date=pl.lit("2025-09-05"),
        time_hms=pl.lit("01:30:00"),
        datetime_local=late_local,
        date_local=pl.lit("2025-09-04"),
    )
    chosen = select_runs(moved, date="2025-09-04")
    assert show(chosen).splitlines()[2].split()[1:3] == ["2025-09-04", "21:30:00"]
    assert show(moved, columns=("date", "time_hms")).splitlines()[2].split() == ["2025-09-05", "01:30:00"]


def test_a_history_is_shown_as_table_json_and_csv(history):
    table = show(history.head(3)).splitlines()
    assert table[0].split() == ["seq", "date_local", "time_local", "proc", "summary", "run_id"]
    start = history["datetime_local"][0]
    assert len(table) == 5 and table[2].split()[:4] == ["1", f"{start:%Y-%m-%d}", f"{start:%H:%M:%S}", "IV"]
    rows = json.loads(show(history, "json"))
    assert [row["run_id"] for row in rows] == list(history["run_id"])
    assert rows[1]["vg_start_v"] == -5.0 and rows[1]["start_time_utc"].endswith("+00:00")
    lines = list(csv.DictReader(io.StringIO(show(history, "csv"))))
    assert [line["summary"] for line in lines] == list(history["summary"])
    assert list(lines[0]) == history.columns
    few = show(history, "csv", columns=("seq", "proc")).splitlines()
    assert few[:2] == ["seq,proc", "1,IV"]
    assert show(history.clear()).count("\n") == 2 and json.loads(show(history.clear(), "json")) == []
    with pytest.raises(ValueError, match="no form 'xml'; there are table, json, csv"):
        show(history, "xml")
    with pytest.raises(ValueError, match="no column 'procs'"):
        show(history, columns=("procs",))


def test_a_history_is_exported_as_its_suffix_says(history, tmp_path):
    for suffix, form in ((".csv", "csv"), (".json", "json"), (".txt", "table"), (".tex", "latex")):
        export_history(history, tmp_path / "new" / f"h{suffix}")
        assert (tmp_path / "new" / f"h{suffix}").read_text(encoding="utf-8") == show(history, form)
    export_history(history.select("seq", "proc"), tmp_path / "few.tex")
    assert r"seq & proc \\" in (tmp_path / "few.tex").read_text(encoding="utf-8")
    export_history(history, tmp_path / "h.parquet")
    assert pl.read_parquet(tmp_path / "h.parquet").equals(history)
    with pytest.raises(ValueError, match=r"not \.xls"):
        export_history(history, tmp_path / "h.xls")


def test_a_history_is_a_table_of_a_paper_whatever_its_texts_hold(history):
    hostile = history.with_columns(summary=pl.lit(r"50 % of A_1 & B\C #2 {x} ~ $^2$"))
    lines = show(hostile, "latex", columns=("seq", "proc", "summary")).splitlines()
    assert lines[1] == r"\begin{longtable}{rll}" and lines[-1] == r"\end{longtable}"
    assert lines[3] == r"seq & proc & summary \\"
    rows = lines[lines.index(r"\endfoot") + 1 : -1]
    assert len(rows) == history.height
    assert rows[0] == (
        r"1 & IV & 50 \% of A\_1 \& B\textbackslash{}C \#2 \{x\} \textasciitilde{} \$\textasciicircum{}2\$ \\"
    )
    assert show(history, "latex").count("&") == 5 * (history.height + 1)
    assert r"date\_local" in show(history, "latex")


def test_no_two_histories_are_one_file(tmp_path):
    groups = [("Al isson", 67), ("Al_isson", 67), ("al_isson", 67), ("Al_isson-", 67), ("A1", 2), ("A", 12)]
    for k, (group, number) in enumerate(groups):
        write_run(
            tmp_path / "raw" / f"IVg2025-09-0{k + 1}_1.csv",
            "IVg",
            {"Chip group name": group, "Chip number": str(number), "VDS": "0.1 V"},
            ("Vg (V)", "I (A)"),
            ("0,1e-6", "1,2e-6"),
            metadata={"Start time": str(1_757_000_000 + k)},
        )
    stage(tmp_path / "raw", tmp_path / "store")
    manifest = Store(tmp_path / "store").manifest()
    found = histories(manifest, timezone="UTC")
    write_histories(found, tmp_path / "histories")
    files = [path.name for path in (tmp_path / "histories").iterdir()]
    assert len({file.casefold() for file in files}) == len(files) == len(groups)
    read = read_histories(tmp_path / "histories").values()
    assert {(table["chip_group"][0], table["chip_number"][0]) for table in read} == set(groups)
    # What is left out changes no name.
    assert histories(manifest, timezone="UTC", group="A1").keys() < found.keys()
