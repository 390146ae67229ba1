"""The files in an older program's keys: how often they are written, and what they say."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batchlab.compat.particles._log import LogFile, log_file
from batchlab.engine import Batch, Notice
from batchlab.particles import _exports as exports_module
from batchlab.particles._batch import Pictures, plot_batch
from batchlab.particles._exporting import Exports
from batchlab.particles._exports import (
    OrbitState,
    Trouble,
    done_orbits,
    extrema_entries,
    last_orbit,
    limits_from_extrema,
    read_object,
    reason_of,
    with_progress,
    write_object,
)
from batchlab.particles._files import Found
from batchlab.particles._limits import LimitRules
from batchlab.particles._model import DataFile, Limits, Scale, Spectrogram
from batchlab.particles._sketch import sketch_of
from batchlab.particles._synthetic import write_mission

LINEAR_LOG = (Scale.LINEAR, Scale.LOG)
RULES = LimitRules(percentile=95.0, percentile_min=None, energy_cap_ev=4000.0, whole=True)


def mission(root: Path, orbits: int, instruments: Sequence[str] = ("ees",)) -> Batch:
    """A batch of files that no one opens, with the sketches that reading them would leave."""
    files = [
        DataFile(orbit=orbit, instrument=name, path=root / f"{orbit}_{name}.cdf")
        for orbit in range(1, orbits + 1)
        for name in instruments
    ]
    batch = plot_batch(
        Found(files=tuple(files), orbit_files={}),
        root,
        pictures=Pictures(scales=(LINEAR_LOG,)),
        instrument_timeout_s=30.0,
        orbit_timeout_s=60.0,
    )
    (root / "_limits").mkdir(parents=True, exist_ok=True)
    for job in batch.jobs:
        if "sketch" in job.outputs:
            values = counts_of(job.metadata["orbit"])
            (root / job.outputs["sketch"]).write_bytes(sketch_of(spectrogram(values)).to_bytes())
    return batch


def counts_of(orbit: Any) -> np.ndarray:
    return np.arange(1, 41, dtype=np.float32).reshape(1, 10, 4) * orbit


def spectrogram(values: np.ndarray) -> Spectrogram:
    edges = np.array([10.0, 100.0, 1000.0, 2000.0, 9000.0])
    return Spectrogram(
        name="ees",
        quantity="Counts",
        unit="",
        categories=("all",),
        times_s=np.column_stack((np.arange(10.0), np.arange(1.0, 11.0))),
        mode=np.zeros(10, np.uint8),
        energy_edges_ev=(edges,),
        energies_ev=(np.array([50.0, 500.0, 1500.0, 5000.0]),),
        values=values,
    )


def ended(job: str, state: str = "done", **facts: Any) -> Notice:
    told = {"category": None, "reason": None, "message": None, "elapsed_s": 1.0, **facts}
    return Notice(kind="job-ended", at_s=0.0, job=job, facts={"state": state, **told})


def jobs_of(batch: Batch, orbit: int) -> list[str]:
    """Of an orbit: its files are read before anything is drawn."""
    return [job.name for job in batch.jobs if job.metadata.get("orbit") == orbit]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the JSON files in the order in which they were written."""
    names: list[str] = []
    write = exports_module.write_object

    def counted(path: Path, *args: Any) -> None:
        names.append(path.name)
        write(path, *args)

    monkeypatch.setattr("batchlab.particles._exporting.write_object", counted)
    return names


@pytest.fixture(autouse=True)
def _unknown_before(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing was run in these folders, which is told and no matter here."""
    caplog.set_level(logging.ERROR)


def exports(batch: Batch, folder: Path, **more: Any) -> Exports:
    more = {"flush_interval_s": None, "rules": RULES, **more}
    return Exports(batch, (LINEAR_LOG,), progress=folder / "progress.json", extrema=folder / "extrema.json", **more)


@pytest.mark.parametrize(("orbits", "flush", "writes"), [(25, 10, 3), (20, 10, 2), (3, 10, 1), (5, 1, 5), (4, 0, 4)])
def test_files_are_written_once_for_so_many_orbits_and_at_the_end(
    orbits: int, flush: int, writes: int, tmp_path: Path, written: list[str]
):
    batch = mission(tmp_path / "out", orbits)
    told = exports(batch, tmp_path, flush_batch_size=flush)
    for orbit in range(1, orbits + 1):
        for job in jobs_of(batch, orbit):
            told(ended(job))
    told.close()
    assert told.writes == {"progress": writes, "extrema": writes}
    assert sorted(written) == ["extrema.json"] * writes + ["progress.json"] * writes
    assert read_object(tmp_path / "progress.json") == {"linear_log_last_orbit": orbits}


def test_never_more_than_one_less_than_a_batch_of_orbits_is_unwritten(tmp_path: Path):
    batch = mission(tmp_path / "out", 25)
    told = exports(batch, tmp_path, flush_batch_size=10)
    for orbit in range(1, 26):
        for job in jobs_of(batch, orbit):
            told(ended(job))
        for name in ("progress", "extrema"):
            assert orbit - read_object(tmp_path / f"{name}.json").get("linear_log_last_orbit", 0) < 10


def test_nothing_is_written_where_nothing_is_new(tmp_path: Path, written: list[str]):
    batch = mission(tmp_path / "out", 3)
    for _ in range(2):
        told = exports(batch, tmp_path)
        for orbit in (1, 2, 3):
            for job in jobs_of(batch, orbit):
                told(ended(job))
        told.close()
        told.close()
    assert sorted(written) == ["extrema.json", "progress.json"]
    idle = exports(batch, tmp_path / "idle")
    idle(Notice(kind="job-started", at_s=0.0, job="read/1/ees"))
    assert idle.writes == {"progress": 0, "extrema": 0} and not (tmp_path / "idle").exists()


def test_a_folder_that_takes_no_file_stops_no_run(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING)
    batch = mission(tmp_path / "out", 1)
    (tmp_path / "file").touch()
    told = exports(batch, tmp_path / "file")
    for job in jobs_of(batch, 1):
        told(ended(job))
    told.close()
    assert told.writes == {"progress": 0, "extrema": 0}
    assert "progress.json cannot be written" in caplog.text


def test_what_is_old_is_written_though_it_is_little(tmp_path: Path):
    now = [0.0]
    batch = mission(tmp_path / "out", 5)
    told = exports(batch, tmp_path, flush_interval_s=60.0, clock=lambda: now[0])
    for job in jobs_of(batch, 1):
        told(ended(job))
    now[0] = 59.0
    told(Notice(kind="stage", at_s=59.0))
    assert told.writes == {"progress": 0, "extrema": 0}
    now[0] = 60.0
    told(Notice(kind="stage", at_s=60.0))
    assert told.writes == {"progress": 1, "extrema": 1}
    now[0] = 500.0
    told(Notice(kind="stage", at_s=500.0))
    assert told.writes == {"progress": 1, "extrema": 1}


def test_extrema_are_those_of_all_values_in_any_order(tmp_path: Path):
    batch = mission(tmp_path / "out", 7)
    files = []
    for order in ([1, 2, 3, 4, 5, 6, 7], [5, 3, 7, 1, 2, 6, 4]):
        folder = tmp_path / str(order[0])
        told = exports(batch, folder, flush_batch_size=2)
        for orbit in order:
            for job in jobs_of(batch, orbit):
                told(ended(job))
        told.close()
        files.append((folder / "extrema.json").read_bytes())
    assert files[0] == files[1]
    found = read_object(tmp_path / "1" / "extrema.json")
    pooled = np.concatenate([counts_of(orbit).ravel() for orbit in range(1, 8)])
    assert found["ees_linear_log_z_max"] == pytest.approx(np.log10(np.ceil(np.percentile(pooled, 95))))
    assert (found["ees_linear_log_z_min"], found["ees_linear_log_y_min"]) == (-1, 0)
    assert found["ees_linear_log_y_max"] == 4000
    progress = found["ees_linear_log_extrema_progress"]
    assert (progress["processed_index"], progress["total"], progress["complete"]) == (7, 7, True)
    assert next(iter(found)) == "linear_log_last_orbit"


@pytest.mark.parametrize("what", ["percentile", "file"])
def test_another_percentile_or_file_is_noticed(what: str, tmp_path: Path):
    batch = mission(tmp_path / "out", 2)
    rules = RULES
    for _ in range(2):
        told = exports(batch, tmp_path, rules=rules)
        for orbit in (1, 2):
            for job in jobs_of(batch, orbit):
                told(ended(job))
        told.close()
        if what == "percentile":
            rules = LimitRules(percentile=50.0, percentile_min=None, whole=True)
        else:
            sketch = sketch_of(spectrogram(counts_of(100)))
            (tmp_path / "out" / "_limits" / "1_ees.npz").write_bytes(sketch.to_bytes())
    assert told.writes["extrema"] == 1


def test_troubles_stand_under_instrument_and_reason_as_data(tmp_path: Path):
    batch = mission(tmp_path / "out", 6, ("ees", "ies"))
    told = exports(batch, tmp_path)
    failures = {
        "read/1/ees": {
            "category": "invalid-input",
            "reason": "invalid-cdf",
            "message": "timeout, they say, in plotting",
        },
        "plot/2/ees/linear-log/raw": {"category": "plotting", "reason": None, "message": "invalid CDF"},
        "plot/3/ies/linear-log/raw": {"category": "timeout", "reason": "draw", "message": "m", "elapsed_s": 30.2},
        "plot/4/instruments/linear-log/raw": {"category": "timeout", "reason": None, "message": "m", "elapsed_s": 30.2},
        "read/5/ies": {"category": "timeout", "reason": "group", "message": "m", "elapsed_s": None},
        "plot/6/ies/linear-log/raw": {"category": "numerical", "reason": "ZeroDivisionError", "message": "m"},
    }
    for orbit in range(1, 7):
        for job in jobs_of(batch, orbit):
            told(ended(job, "failed", **failures[job]) if job in failures else ended(job))
    told.close()
    assert read_object(tmp_path / "progress.json") == {
        "ees_linear_log_error-invalid-cdf": [1],
        "linear_log_error-invalid-cdf": [1],
        "ees_linear_log_error-plotting": [2],
        "linear_log_error-plotting": [2],
        "ies_linear_log_error-timeout": [3, 5],
        "instrument_grid_linear_log_error-timeout": [4],
        "linear_log_error-timeout": [3, 4, 5],
        "ies_linear_log_timed_out": [3],
        "instrument_grid_linear_log_timed_out": [4],
        "orbit_linear_log_timed_out": [5],
        "ies_linear_log_error-divide-by-zero": [6],
        "linear_log_error-divide-by-zero": [6],
        "linear_log_error_plotting": [1, 2, 6],
        "linear_log_last_orbit": 6,
    }
    assert [state.status for state in told.states(LINEAR_LOG)] == [
        *("error", "error", "timeout", "timeout", "timeout", "error")
    ]


def test_an_orbit_is_over_when_its_last_picture_is(tmp_path: Path):
    batch = mission(tmp_path / "out", 1)
    over: list[OrbitState] = []
    told = exports(batch, tmp_path, on_over=lambda state, scales: over.append(state))
    *most, last = jobs_of(batch, 1)
    for job in most:
        told(ended(job))
    told(ended(last, "cancelled"))
    assert not over and not told.states(LINEAR_LOG)[0].over
    told(ended(last, "failed", category="crash"))
    assert [state.status for state in over] == ["error"]
    told(Notice(kind="asked-again", at_s=0.0, job=last, facts={}))
    told(ended(last))
    assert [state.status for state in over] == ["error", "ok"]


def test_what_is_mended_leaves_the_lists_and_other_entries_stay():
    before = {
        "linear_log_error_plotting": [3, 9],
        "ees_linear_log_error-plotting": [3],
        "ees_linear_linear_error-plotting": [3],
        "orbit_linear_log_timed_out": [4],
        "of_another": "kind",
    }
    states = [OrbitState(orbit=3, over=True), OrbitState(orbit=4, over=False)]
    assert with_progress(before, states, LINEAR_LOG) == {
        "linear_log_error_plotting": [9],
        "ees_linear_linear_error-plotting": [3],
        "orbit_linear_log_timed_out": [4],
        "of_another": "kind",
        "linear_log_last_orbit": 3,
    }


def test_the_last_orbit_is_one_up_to_which_all_are_over():
    def states(*over: int) -> list[OrbitState]:
        return [OrbitState(orbit=orbit, over=orbit in over) for orbit in (4, 2, 1, 3)]

    assert last_orbit(states(1, 2, 4)) == 2
    assert last_orbit(states(2, 3, 4)) is None
    assert last_orbit([]) is None


def test_orbits_that_a_run_leaves_out_stay_done():
    before = {"linear_log_last_orbit": 7}
    mended = [OrbitState(orbit=3, over=True)]
    assert with_progress(before, mended, LINEAR_LOG)["linear_log_last_orbit"] == 7
    anew = [*mended, OrbitState(orbit=4, over=False), OrbitState(orbit=7, over=True)]
    assert with_progress(before, anew, LINEAR_LOG)["linear_log_last_orbit"] == 3


def test_orbits_of_an_older_programs_file_are_done_unless_they_went_wrong():
    said = {"linear_log_last_orbit": 5, "linear_log_error_plotting": [2], "orbit_linear_log_timed_out": [3, "x"]}
    assert done_orbits(said, range(1, 9), LINEAR_LOG) == {1, 4, 5}
    assert done_orbits(said, range(1, 9), (Scale.LOG, Scale.LOG)) == frozenset()


@pytest.mark.parametrize("scales", [(y, z) for y in Scale for z in Scale])
def test_extrema_come_back_as_they_were(scales: tuple[Scale, Scale]):
    limits = Limits(y_max=4000.0, z_min=3.0, z_max=1234.0)
    entries = extrema_entries("ies", limits, scales, processed=1, total=2, key="k")
    assert entries[f"ies_{scales[0]}_{scales[1]}_extrema_progress"]["complete"] is False
    back = limits_from_extrema(entries, "ies", scales)
    assert back is not None
    assert (back.y_max, back.z_min, back.z_max) == pytest.approx((4000.0, 3.0, 1234.0))
    assert not back.y_min
    assert limits_from_extrema(entries, "ees", scales) is None


def test_floors_of_logarithms_are_as_asked():
    told = extrema_entries(
        *("ees", Limits(y_max=1.2, z_max=0.5), (Scale.LOG, Scale.LOG)),
        processed=1, total=1, key="k", log_floor_cutoff=0.2, log_floor_value=-7.0,
    )  # fmt: skip
    assert [told[f"ees_log_log_{end}"] for end in ("y_min", "y_max", "z_min", "z_max")] == [-7, -7, -7, -7]


def test_plain_values_under_the_key_of_a_logarithm_are_taken_as_they_are():
    said = {"ees_linear_log_y_max": 4000, "ees_linear_log_z_max": 3599, "ees_linear_log_z_min": -1.0}
    assert limits_from_extrema(said, "ees", LINEAR_LOG) == Limits(y_max=4000.0, z_max=3599.0)


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_broken_file_is_written_anew(text: str, tmp_path: Path):
    path = tmp_path / "progress.json"
    path.write_text(text)
    assert read_object(path) == {}


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "deep" / "progress.json"
    write_object(path, {"b": 1, "a": 2}, ("b",))
    assert list(read_object(path)) == ["b", "a"]
    fail: Callable[..., None] = lambda *_: (_ for _ in ()).throw(OSError("full"))  # noqa: E731
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="full"):
        write_object(path, {"c": 1})
    assert [each.name for each in path.parent.iterdir()] == ["progress.json"]
    assert read_object(path) == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("category", "reason", "told"),
    [
        ("timeout", "group", "timeout"),
        ("invalid-input", "invalid-cdf", "invalid-cdf"),
        ("invalid-input", "missing-variable", "missing-variable"),
        ("invalid-input", "empty", "empty"),
        ("numerical", None, "divide-by-zero"),
        ("memory", "out-of-memory", "out-of-memory"),
        ("generic", "KeyError", "generic"),
        (None, None, "generic"),
        ("of-tomorrow", None, "generic"),
    ],
)
def test_a_reason_is_what_a_failure_is(category: str | None, reason: str | None, told: str):
    assert reason_of(category, reason) == told


def test_trouble_with_time_comes_before_others():
    late, wrong = (Trouble(instrument="ees", reason=each, message="") for each in ("timeout", "plotting"))
    assert OrbitState(orbit=1, over=True, troubles=(wrong, late)).status == "timeout"


# the log


@pytest.mark.parametrize(("records", "flush", "writes"), [(25, 10, 3), (20, 10, 2), (4, 1, 4), (3, 20, 1), (0, 5, 0)])
def test_the_log_is_written_once_for_so_many_records(records: int, flush: int, writes: int, tmp_path: Path):
    log = LogFile(tmp_path / "a.log", flush, None)
    for number in range(records):
        log.write("INFO", f"record {number}")
    log.flush()
    log.flush()
    assert log.writes == writes
    if records:
        lines = (tmp_path / "a.log").read_text().splitlines()
        assert [line.partition("] ")[2] for line in lines] == [f"record {number}" for number in range(records)]


def test_records_of_the_log_do_not_grow_old(tmp_path: Path):
    now = [0.0]
    log = LogFile(tmp_path / "a.log", 10, 60.0, clock=lambda: now[0])
    log.write("INFO", "early")
    now[0] = 61.0
    log.write("INFO", "late")
    assert log.writes == 1


def test_runs_go_on_in_the_last_log_of_the_folder(tmp_path: Path):
    first = log_file(tmp_path)
    assert first.name.startswith("batch_multi_plot_FAST_log_") and first.suffix == ".log"
    (tmp_path / "batch_multi_plot_FAST_log_20200101T000000.log").touch()
    assert log_file(tmp_path).name == "batch_multi_plot_FAST_log_20200101T000000.log"
    log = LogFile(None, 1)
    log.write("INFO", "nowhere")
    assert log.writes == 0


# our own command


def test_our_own_command_writes_these_files_on_wish(tmp_path: Path):
    write_mission(tmp_path, orbits=1, records=30, instruments=("ees",))
    words = ["particles", "plot", str(tmp_path / "FAST_data"), "-o", str(tmp_path / "out"), "--size", "700x500"]
    words += [
        "--progress-json",
        str(tmp_path / "progress.json"),
        "--extrema-json",
        str(tmp_path / "extrema.json"),
        "-q",
    ]

    for more in (["--dry-run"], ["--flush-batch-size", "1"]):
        assert not (tmp_path / "progress.json").exists()
        command = [sys.executable, "-m", "batchlab.cli", *words, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
        assert done.returncode == 0, done.stderr
    assert read_object(tmp_path / "progress.json") == {"log_log_last_orbit": 20541}
    extrema = read_object(tmp_path / "extrema.json")
    limits = json.loads((tmp_path / "out" / "_limits" / "ees.json").read_text())["limits"]["all"]
    assert 10 ** extrema["ees_log_log_z_max"] <= limits["z_max"] * 1.000001
    assert limits["z_max"] <= 1.1 * 10 ** extrema["ees_log_log_z_max"]
