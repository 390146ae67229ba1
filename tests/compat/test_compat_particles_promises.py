"""What the calls of an earlier program promise, on real runs over small missions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from batchlab.compat.particles import (
    FAST_plot_instrument_grid,
    FAST_plot_pitch_angle_grid,
    FAST_plot_spectrograms_directory,
    _directory,
    compute_global_extrema,
    fast_datasets,
)
from batchlab.engine import RunResult, Status, read_view
from batchlab.errors import ConfigError, DataError
from batchlab.figures import read_provenance
from batchlab.particles._exports import read_object
from batchlab.particles._synthetic import Mission, write_mission

SMALL = {"size_px": (700, 500), "verbose": False}
NAMED = ("ees", "ieb")


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    """Two orbits of two instruments; only read."""
    return write_mission(tmp_path_factory.mktemp("mission"), orbits=2, records=40, instruments=NAMED)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of its own, into which files of progress, extrema and log go."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[RunResult]:
    found: list[RunResult] = []
    run = _directory.run

    def kept(*args: Any, **named: Any) -> RunResult:
        found.append(run(*args, **named))
        return found[-1]

    monkeypatch.setattr(_directory, "run", kept)
    return found


def plotted(mission: Mission, **more: Any) -> list[dict[str, Any]]:
    return FAST_plot_spectrograms_directory(mission.data, "plots", **{**SMALL, "cusp_table_path": None, **more})


def ran(result: RunResult) -> int:
    return sum(result.counts.values())


def facts(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_provenance(path)["picture"])
    return found


def picture(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(f"plots/*/*/*/{pattern}")
    return found


# what is drawn


def test_pictures_are_of_counts_with_limits_by_instrument(mission: Mission, here: Path):
    told = plotted(mission, cusp_table_path=mission.cusp_table)
    assert told == [{"orbit": orbit, "status": "ok", "errors": []} for orbit in mission.orbits]
    grid = facts(picture(here, "20542_instrument-grid_ESA_y-linear_z-log_given_extrema-viridis.png"))
    assert [(row["instrument"], row["quantity"], row["unit"]) for row in grid["rows"]] == [
        ("ees", "Counts", ""),
        ("ieb", "Counts", ""),
    ]
    extrema = read_object(here / "FAST_calculated_extrema.json")
    for row in grid["rows"]:
        stated = 10 ** extrema[f"{row['instrument']}_linear_log_z_max"]
        assert 0.999 * stated <= row["z_max"] <= 1.101 * stated  # rounded outwards to two digits
        assert (row["y_min"], row["y_max"]) == (0.0, 4000.0)
    raw = facts(picture(here, "20542_instrument-grid_ESA_y-linear_z-log_raw-viridis.png"))
    assert [row["z_max"] for row in raw["rows"]] != [row["z_max"] for row in grid["rows"]]
    assert picture(here, "20542_cusp_pitch-angle_ESA_ees_y-linear_z-log_raw-viridis.png").is_file()


def test_extrema_are_those_of_the_true_counts(mission: Mission):
    found = compute_global_extrema(mission.data, "linear", "linear", extrema_json_path=None)
    truths = [each for each in mission.truths if each.instrument == "ees"]
    # The first channel is the instrument's fly-back, which no spectrogram shows.
    pooled = np.concatenate([each.counts_by_energy[each.valid, 1:].ravel() for each in truths])
    expected = np.percentile(pooled[pooled > 0], 95)
    assert found["ees_linear_linear_z_max"] == pytest.approx(expected, rel=2e-3)
    mins = compute_global_extrema(mission.data, "linear", "linear", extrema_json_path=None, compute_mins=True)
    assert mins["ees_linear_linear_z_min"] == pytest.approx(np.percentile(pooled[pooled > 0], 1), rel=2e-3)
    assert found["ees_linear_linear_z_min"] == 0


def test_extrema_read_only_what_is_new_and_leave_out_what_is_broken(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from batchlab.compat.particles import _extrema

    results: list[RunResult] = []
    run = _extrema.run
    monkeypatch.setattr(_extrema, "run", lambda *args, **named: results.append(run(*args, **named)) or results[-1])
    grown = write_mission(tmp_path / "grown", orbits=1, records=30, instruments=("ees",))
    first = compute_global_extrema(grown.data, z_scale="log")
    stamp = (here / "FAST_calculated_extrema.json").stat().st_mtime_ns
    assert compute_global_extrema(grown.data, z_scale="log") == first
    assert (here / "FAST_calculated_extrema.json").stat().st_mtime_ns == stamp
    write_mission(tmp_path / "grown", orbits=2, records=30, instruments=("ees",))
    (grown.data / "fa_esa_l2_ees_20011101120000_30000_v01.cdf").write_text("no CDF")
    third = compute_global_extrema(grown.data, z_scale="log")
    assert [ran(each) for each in results] == [1, 0, 2]
    assert third["ees_linear_log_extrema_progress"]["processed_index"] == 3
    assert third["linear_log_last_orbit"] == 30000
    assert "orbit 30000, ees is left out: invalid-cdf: " in caplog.text


def test_without_a_percentile_only_pictures_with_their_own_limits_are_drawn(mission: Mission, here: Path):
    plotted(mission, max_processing_percentile=None)
    drawn = [path.name for path in here.glob("plots/*/*/*/*.png")]
    assert len(drawn) == 6 and all("_raw-" in name for name in drawn)
    assert not (here / "FAST_calculated_extrema.json").exists()


def test_rows_are_overridden_by_instrument(mission: Mission, here: Path):
    rows = {"ees": {"y_max": 2000, "vmin": 3, "z_max": 77, "z_label": "Differential Energy Flux"}}
    plotted(mission, row_overrides=rows, instrument_order=("ieb", "ees"))
    for variant in ("given_extrema", "raw"):
        grid = facts(picture(here, f"20541_instrument-grid_ESA_y-linear_z-log_{variant}-viridis.png"))
        other, row = grid["rows"]
        assert (row["instrument"], row["y_max"], row["z_min"], row["z_max"]) == ("ees", 2000, 3, 77)
        assert other["instrument"] == "ieb" and other["z_max"] != 77
        pitch = facts(picture(here, f"20541_pitch-angle_ESA_ees_y-linear_z-log_{variant}-viridis.png"))
        assert {each["z_max"] for each in pitch["rows"]} == {77}


def test_a_grid_by_itself_takes_rows_of_its_own(mission: Mission, tmp_path: Path):
    paths = {name: mission.truth(20542, name).path for name in NAMED}
    rows = fast_datasets(paths)
    assert [(row["y_label"], row["z_label"]) for row in rows] == [("Energy (eV)", "Counts")] * 2
    rows[0] |= {"y_max": 1000.0, "z_label": "per second"}
    out = tmp_path / "a" / "grid.png"
    drawn = FAST_plot_instrument_grid(
        rows, y_max=3000.0, row_overrides={"ieb": {"vmax": 55}}, marked_records={"ees": (3, 9)}, output_path=out
    )
    first, second = drawn.facts["rows"]
    assert (first["y_max"], second["y_max"], second["z_max"]) == (1000.0, 3000.0, 55.0)
    assert [each["title"] for each in drawn.facts["columns"]] == ["Full", "Zoomed"]
    assert facts(out) == drawn.facts
    assert drawn.sheet.rows[0].z_label == "per second"
    broken = tmp_path / "fa_esa_l2_ees_20000101000000_20542_v01.cdf"
    broken.write_text("no CDF")
    half = FAST_plot_instrument_grid({"ees": broken, "ieb": paths["ieb"]})
    assert [row["instrument"] for row in half.facts["rows"]] == [None, "ieb"]
    with pytest.raises(DataError):
        FAST_plot_instrument_grid([broken])


def test_a_grid_of_pitch_angles_by_itself(mission: Mission, tmp_path: Path):
    path = mission.truth(20541, "ees").path
    drawn = FAST_plot_pitch_angle_grid(
        path, z_max=500.0, row_overrides={"upgoing": {"z_max": 50.0}}, output_path=tmp_path / "p.pdf"
    )
    assert {row["category"]: row["z_max"] for row in drawn.facts["rows"]} == {
        "all": 500.0,
        "downgoing": 500.0,
        "upgoing": 50.0,
        "perpendicular": 500.0,
    }
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


# arguments


def test_both_names_of_an_argument_are_one(mission: Mission, here: Path):
    first = plotted(mission)
    again = FAST_plot_spectrograms_directory(
        directory_path=mission.data,
        input_dir=mission.data,
        output_dir="plots",
        cusp_table_path=None,
        **SMALL,  # type: ignore[arg-type]
    )
    assert first == again
    with pytest.raises(ConfigError, match="directory_path='a' and input_dir='b' are the same argument"):
        FAST_plot_spectrograms_directory(directory_path="a", input_dir="b")
    with pytest.raises(ConfigError, match="output_base"):
        FAST_plot_spectrograms_directory(mission.data, output_base="a", output_dir="b")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"y_scale": "lin"}, "y_scale is 'lin'; choose linear or log"),
        ({"cusp_marker_style": "dot"}, "choose line, bracket or both"),
        ({"instrument_order": ("eex",)}, "unknown instrument 'eex'"),
        ({"row_overrides": {"ees": {"ymax": 1}}}, "'ymax' is nothing that a row has"),
        ({"colormap": "viridiz"}, "did you mean viridis"),
    ],
)
def test_wrong_arguments_are_told_before_anything_starts(
    wrong: Mapping[str, Any], words: str, mission: Mission, here: Path
):
    with pytest.raises(ConfigError, match=words):
        plotted(mission, **wrong)
    assert not (here / "plots").exists()


def test_a_folder_without_files_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="no file such as fa_esa_l2_ees_"):
        compute_global_extrema(tmp_path)


# errors


def test_each_fault_stands_under_its_instrument_and_reason(tmp_path: Path, here: Path, capsys: Any):
    faulty = write_mission(tmp_path / "faulty", orbits=1, records=40, instruments=NAMED, broken=True)
    told = {each["orbit"]: each for each in plotted(faulty)}
    first, second = sorted(told)[1:]
    assert [told[orbit]["status"] for orbit in sorted(told)] == ["ok", "error", "error"]
    said = read_object(here / "batch_multi_plot_FAST_progress.json")
    assert said["ees_linear_log_error-invalid-cdf"] == [first]
    assert said["ieb_linear_log_error-missing-variable"] == [first]
    assert said["ees_linear_log_error-empty"] == [second]
    assert said["linear_log_error_plotting"] == [first, second]
    assert any(each.startswith("ees: invalid-cdf: ") for each in told[first]["errors"])
    # What is good of an orbit is drawn; the log and the console say what is not.
    assert picture(here, f"{second}_instrument-grid_ESA_y-linear_z-log_raw-viridis.png").is_file()
    (log,) = here.glob("batch_multi_plot_FAST_log_*.log")
    line = f"orbit {first}, ees: invalid-cdf: "
    assert f"[ERROR] {line}" in log.read_text() and line in capsys.readouterr().err


HANG = """
import os, sys, time

def _hang(event, args):
    if event == "open" and args and isinstance(args[0], (str, bytes, os.PathLike)) and {name!r} in os.fsdecode(args[0]):
        frame = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename.endswith("_cdf_source.py"):
                time.sleep(3600)
            frame = frame.f_back

sys.addaudithook(_hang)
"""  # whoever decodes the file hangs


@pytest.mark.faults
@pytest.mark.parametrize("retried", [True, False])
def test_a_file_that_hangs_is_killed_and_others_are_unharmed(
    retried: bool, mission: Mission, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
):
    hung = mission.truth(20542, "ieb").path.name
    (tmp_path / "sitecustomize.py").write_text(HANG.format(name=hung))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ["PYTHONPATH"])))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # in which no other test has left the file decoded
    told = plotted(mission, max_workers=2, instrument_timeout_seconds=4.0, retry_timeouts=retried)
    assert [each["status"] for each in told] == ["ok", "timeout"]
    assert (told[1]["timeout_type"], told[1]["timeout_instrument"]) == ("instrument", "ieb")
    said = read_object(here / "batch_multi_plot_FAST_progress.json")
    assert said["ieb_linear_log_timed_out"] == said["ieb_linear_log_error-timeout"] == [20542]
    assert "linear_log_error_plotting" not in said
    states = {job.name: job for job in read_view(here / "plots").jobs}
    assert states["read/20542/ieb"].attempts == 1 + retried
    assert states["plot/20542/ees/linear-log/raw"].state is Status.DONE
    assert states["plot/20542/instruments/linear-log/raw"].state is Status.DONE
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"].partition(os.pathsep)[2])
    assert [each["status"] for each in plotted(mission)] == ["ok"] * 2
    assert read_object(here / "batch_multi_plot_FAST_progress.json") == {"linear_log_last_orbit": 20542}


# going on


def test_a_second_call_does_nothing_and_another_percentile_what_it_must(
    mission: Mission, here: Path, runs: list[RunResult]
):
    first = plotted(mission)
    stamps = {path: path.stat().st_mtime_ns for path in here.glob("*.json")}
    assert plotted(mission) == first
    assert ran(runs[1]) == 0
    assert {path: path.stat().st_mtime_ns for path in here.glob("*.json")} == stamps
    plotted(mission, max_processing_percentile=60.0)
    assert 0 < ran(runs[2]) < ran(runs[0])
    plotted(mission, max_processing_percentile=60.0, ignore_progress_json=True)
    assert ran(runs[3]) == ran(runs[0])


def test_progress_is_kept_for_each_pair_of_scales(mission: Mission, here: Path):
    plotted(mission)
    plotted(mission, y_scale="log", z_scale="linear", colormap="plasma")
    said = read_object(here / "batch_multi_plot_FAST_progress.json")
    assert said == {"linear_log_last_orbit": 20542, "log_linear_last_orbit": 20542}
    assert len(list(here.glob("plots/*/*/*/*.png"))) == 24


def test_files_of_progress_and_log_may_be_left_out(mission: Mission, here: Path, capsys: Any):
    plotted(mission, progress_json_path=None, extrema_json_path=None, log_path=None, use_tqdm=True)
    assert "orbits" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["plots"]


def test_an_older_programs_progress_is_read_on_wish(mission: Mission, here: Path, runs: list[RunResult]):
    (here / "old.json").write_text(json.dumps({"linear_log_last_orbit": 20542, "linear_log_error_plotting": [20541]}))
    told = plotted(mission, progress_json_path="old.json", use_progress_json=True)
    assert [each["orbit"] for each in told] == [20541]
    # What it tells of limits is that of all orbits, drawn or not.
    extrema = read_object(here / "FAST_calculated_extrema.json")
    assert extrema["ees_linear_log_extrema_progress"]["total"] == 2
    # By now the file is ours, and what is drawn here is known here.
    again = plotted(mission, progress_json_path="old.json", use_progress_json=True)
    assert [each["orbit"] for each in again] == [20541] and ran(runs[1]) == 0


def test_an_older_programs_extrema_are_used_on_wish(mission: Mission, here: Path):
    said = {"ees_linear_log_y_max": 1000, "ees_linear_log_z_max": 2.0, "ees_linear_log_z_min": -1.0}
    (here / "FAST_calculated_extrema.json").write_text(json.dumps(said))
    plotted(mission, use_extrema_json=True)
    ees, ieb = facts(picture(here, "20542_instrument-grid_ESA_y-linear_z-log_given_extrema-viridis.png"))["rows"]
    assert (ees["y_max"], ees["z_max"]) == (1000.0, pytest.approx(100.0))
    assert ieb["y_max"] == 4000.0
    assert read_object(here / "FAST_calculated_extrema.json") == said


def test_a_picture_of_another_program_stays_on_wish(mission: Mission, here: Path):
    name = "20541_instrument-grid_ESA_y-linear_z-log_raw-viridis.png"
    foreign = here / "plots" / "2001" / "10" / "20541" / name
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"theirs")
    told = plotted(mission, override_plots=False)
    assert foreign.read_bytes() == b"theirs" and told[0]["status"] == "ok"
    plotted(mission, override_plots=True)
    assert foreign.read_bytes() != b"theirs"


@pytest.mark.faults
def test_a_kill_loses_nothing_that_was_drawn(mission: Mission, here: Path, runs: list[RunResult]):
    code = (
        "from batchlab.compat.particles import FAST_plot_spectrograms_directory as plot\n"
        f"plot({str(mission.data)!r}, 'plots', size_px=(700, 500), cusp_table_path=None, max_workers=3)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    drawn = threading.Event()
    while process.poll() is None and len(list(here.glob("plots/*/*/*/*.png"))) < 5:
        drawn.wait(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(children, timeout=20)
    before = {path: path.stat().st_mtime_ns for path in here.glob("plots/*/*/*/*.png")}
    known = sum(job.state is Status.DONE for job in read_view(here / "plots").jobs)
    assert len(before) >= 5 and known >= 5
    assert [each["status"] for each in plotted(mission)] == ["ok"] * 2
    assert runs[0].found_done >= known
    kept = sum(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    # A picture that was in place a moment before its record is drawn again, one for each worker at most.
    assert kept >= len(before) - 3
    assert read_object(here / "batch_multi_plot_FAST_progress.json") == {"linear_log_last_orbit": 20542}
    shutil.copytree(here / "plots", here / "killed")
    whole = FAST_plot_spectrograms_directory(mission.data, "whole", cusp_table_path=None, **SMALL)  # type: ignore[arg-type]
    assert [each["status"] for each in whole] == ["ok"] * 2
    for path in (here / "whole").glob("*/*/*/*.png"):
        assert path.read_bytes() == (here / "killed" / path.relative_to(here / "whole")).read_bytes()


# signals


@pytest.fixture
def handler() -> Iterator[Any]:
    def mine(number: int, frame: Any) -> None:
        raise AssertionError("a handler of the caller was called")

    before = signal.signal(signal.SIGINT, mine)
    yield mine
    signal.signal(signal.SIGINT, before)


def test_handlers_are_restored_after_runs_and_after_errors(mission: Mission, tmp_path: Path, handler: Any):
    plotted(mission)
    assert signal.getsignal(signal.SIGINT) is handler
    compute_global_extrema(mission.data, flush_batch_size=1)
    assert signal.getsignal(signal.SIGINT) is handler
    (tmp_path / "file").touch()
    with pytest.raises(Exception, match="file"):
        FAST_plot_spectrograms_directory(mission.data, tmp_path / "file" / "below", cusp_table_path=None)
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.faults
def test_ctrl_c_is_raised_when_all_is_written(mission: Mission, here: Path):
    code = (
        "from batchlab.compat.particles import FAST_plot_spectrograms_directory as plot\n"
        "import signal, sys\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "try:\n"
        f"    plot({str(mission.data)!r}, 'plots', size_px=(700, 500), cusp_table_path=None, max_workers=1)\n"
        "except KeyboardInterrupt:\n"
        "    assert signal.getsignal(signal.SIGINT) is before\n"
        "    sys.exit(77)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait = threading.Event()
    while process.poll() is None and not list(here.glob("plots/*/*/*/*.png")):
        wait.wait(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 77
    (log,) = here.glob("batch_multi_plot_FAST_log_*.log")
    assert "stopped: " in log.read_text()
    progress = read_object(here / "batch_multi_plot_FAST_progress.json")
    states = [job for job in read_view(here / "plots").jobs if job.task == "particles.plot"]
    over = {orbit for orbit in mission.orbits if all(
        job.state is Status.DONE for job in states if job.metadata["orbit"] == orbit
    )}  # fmt: skip
    assert (progress.get("linear_log_last_orbit", 0) > 0) == (20541 in over)
