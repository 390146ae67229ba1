from __future__ import annotations

import shutil

import polars as pl
import pytest

from batchlab.devices._history import history_of
from batchlab.devices._model import Chip
from batchlab.devices._references import Drift, drift, meaning, read_pins, reference_of, resolve, write_pins
from batchlab.devices._stage import stage
from batchlab.devices._store import Store
from batchlab.errors import DataError

ALISSON67 = Chip("Alisson", 67)


@pytest.fixture(scope="module")
def history(lab, tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    stage(lab.raw_root, root)
    return history_of(Store(root).manifest(), ALISSON67, timezone="America/Santiago")


@pytest.mark.parametrize(
    ("written", "seqs"),
    [
        (52, [52]),
        ("52", [52]),
        ("52-58", range(52, 59)),
        ([52, 57], [52, 57]),
        ("52,57,58", [52, 57, 58]),
        ("89-92,95,100-105", [89, 90, 91, 92, 95, *range(100, 106)]),
        (["3", "5-6", 9], [3, 5, 6, 9]),
    ],
)
def test_numbers_mean_runs_by_their_place(history, written, seqs):
    ids = dict(history.select("seq", "run_id").iter_rows())
    assert resolve(history, written) == {str(seq): ids[seq] for seq in seqs}


def test_every_run_has_a_stable_name_that_means_it(history):
    for run_id in history["run_id"]:
        name = reference_of(history, run_id)
        assert "#" in name and resolve(history, name) == {name: run_id}
        assert resolve(history, run_id[:10]) == {run_id[:10]: run_id}


def test_day_and_number_name_a_run_with_its_procedure_where_several_have_it(history):
    row = history.row(1, named=True)
    day, number = row["date_local"], row["file_idx"]
    with pytest.raises(DataError, match=f"IVg{day}#{number} or It{day}#{number}") as error:
        resolve(history, f"{day}#{number}")
    assert error.value.reason == "ambiguous-run"
    for name in (f"IVg{day}#{number}", f"IVg{day}_{number}"):
        assert resolve(history, name) == {name: row["run_id"]}
    mixed = resolve(history, [f"IVg{day}#{number}", 5, row["run_id"]])
    assert list(mixed.values()) == [row["run_id"], history["run_id"][4], row["run_id"]]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (999, "no run has the number 999; its history has 1 to 114"),
        ("58-52", "runs down"),
        ("abc", "beginning of a run's id"),
        ("fffffff0", "no run begins with fffffff0"),
        ("1999-01-01#1", "that day has none"),
        (True, "is no number"),
        ("", "is no number"),
    ],
)
def test_what_means_no_run_is_told(history, written, said):
    with pytest.raises(DataError, match=said):
        resolve(history, written)


def test_an_ambiguous_beginning_is_told():
    two = pl.DataFrame(
        {
            "seq": [1, 2],
            "run_id": ["abcdef0000000001", "abcdef0000000002"],
            "proc": ["It", "It"],
            "date_local": ["2025-01-01", "2025-01-01"],
            "file_idx": [1, 1],
            "chip_name": ["A1", "A1"],
        }
    )
    with pytest.raises(DataError, match="2 runs begin with abcdef00; write more"):
        resolve(two, "abcdef00")
    with pytest.raises(DataError, match="write a run's id"):
        resolve(two, "2025-01-01#1")
    assert reference_of(two, "abcdef0000000002") == "abcdef0000000002"
    assert meaning(two, ["abcdef00", "2", "3"]) == {"abcdef00": None, "2": "abcdef0000000002", "3": None}


def test_a_number_that_now_means_another_run_is_told(lab, history, tmp_path):
    raw = shutil.copytree(lab.raw_root, tmp_path / "raw")
    late = raw / history.row(9, named=True)["source_file"]
    late.rename(raw.parent / "late")
    stage(raw, tmp_path / "store")
    before = history_of(Store(tmp_path / "store").manifest(), ALISSON67, timezone="America/Santiago")
    stable = reference_of(before, before["run_id"][19])
    pins = {"Alisson67": resolve(before, ["5", "20", "113", stable])}
    write_pins(tmp_path / "pins.json", pins)
    assert read_pins(tmp_path / "pins.json") == pins
    now = {"Alisson67": meaning(before, pins["Alisson67"])}
    assert drift(read_pins(tmp_path / "pins.json"), now) == []

    (raw.parent / "late").rename(late)
    stage(raw, tmp_path / "store")
    after = history_of(Store(tmp_path / "store").manifest(), ALISSON67, timezone="America/Santiago")
    found = drift(read_pins(tmp_path / "pins.json"), {"Alisson67": meaning(after, pins["Alisson67"])})
    assert found == [
        Drift(chip="Alisson67", reference=seq, before=pins["Alisson67"][seq], now=after["run_id"][int(seq) - 1])
        for seq in ("20", "113")
    ]
    assert "Alisson67: seq 20 meant run" in str(found[0]) and after["run_id"][19] in str(found[0])
    gone = drift(pins, {"Alisson67": meaning(after.head(30), pins["Alisson67"])})
    assert "now means none" in str(next(each for each in gone if each.reference == "113"))


def test_pins_that_are_none_are_told(tmp_path):
    assert read_pins(tmp_path / "absent.json") == {}
    for text in ("[]", "{}", "{", '{"form": 9, "chips": {}}', '{"form": 1, "chips": {"A1": 3}}'):
        (tmp_path / "pins.json").write_text(text)
        with pytest.raises(DataError, match="remove it"):
            read_pins(tmp_path / "pins.json")


def test_pins_are_the_same_bytes_in_any_order(tmp_path):
    write_pins(tmp_path / "a", {"B1": {"10": "x", "9": "y"}, "A1": {"2": "z"}})
    write_pins(tmp_path / "b", {"A1": {"2": "z"}, "B1": {"9": "y", "10": "x"}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
