"""``batchlab motion``: what each command makes of its options, and how it says that something is wrong."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from batchlab.cli import cli
from batchlab.engine import Settings, Verdict, plan, read_view
from batchlab.motion._synthetic import simulate, write_recording, write_recordings
from batchlab.motion.cli._asked import params_asked
from batchlab.motion.tasks import FitParams


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of one body."""
    folder = tmp_path_factory.mktemp("data")
    write_recordings(folder, sessions=3, frames=150)
    return folder


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli, ["motion", *map(str, words)], catch_exceptions=False)


def test_help_lists_the_commands_and_every_param_has_an_option() -> None:
    found = ask("--help")
    for name in ("fit", "sweep", "cross-validate", "view", "inspect"):
        assert f"\n  {name}" in found.output
    from batchlab.motion.cli._fit import fit

    given: dict[str, Any] = {str(param.name): None for param in fit.params}
    given |= {"bodies": (("a", ("b",)),), "markers": (), "edges": (("a", "b"),), "per_marker": (("a", 2.0),)}
    given |= {"origin": "a", "x_axis": "b", "xy_plane": "c", "unit": "mm", "rate_hz": 1.0, "time_unit": "s"}
    given |= {"min_confidence": 0.5, "file_format": "wide", "smoothing": "first", "noise_mm": 2.0, "rotation": 1.0}
    given |= {"translation": 1.0, "loss": "tukey", "loss_scale": 3.0, "geometry": "g.csv", "refine": True}
    given |= {"iterations_max": 5, "tolerance": 1e-6, "mend_swaps": True, "no_judge": True, "up": "y"}
    given |= {"no_covariance": True, "score": "held-out", "folds": 4, "burst_frames": 9, "score_seed": 7}
    given |= {"anchor_mm": 1.0, "distances": (("a", "b", 120.0, None),), "soft_edges": (("p", "a", 80.0, 5.0),)}
    given |= {"mirrors": ("a,b", "c"), "mirror_mm": 2.0}
    params, bodies = params_asked(given)
    asked = FitParams.model_validate({**params, "body": "a", "markers": list(bodies["a"])})
    plain = FitParams()
    same = [name for name in FitParams.model_fields if getattr(asked, name) == getattr(plain, name)]
    assert same == []
    assert asked.weights.data_per_m == 500.0


def test_what_is_known_is_told_by_options(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = data / "subject_01_session_1.csv"
    words = ("--noise", 2, "-w", 1, "--no-viewer", "--no-judge")
    found = ask("fit", file, "-o", out, *words, "--distance", "m1,m2=140:0.01", "--mirror", "m3,m4", "--mirror", "m5",
                "--mirror-sd", 50, "--soft-edge", "m8,m7=100:30")  # fmt: skip
    assert found.exit_code == 0, found.output
    (job,) = read_view(out).jobs
    asked = json.loads((out / job.name.replace("/", "_") / "fit.json").read_text())["params"]
    assert asked["distances"] == [{"between": ["m1", "m2"], "mm": 140.0, "sd_mm": 0.01}]
    assert asked["symmetry"] == {"pairs": [["m3", "m4"]], "middle": ["m5"], "sd_mm": 50.0}
    assert asked["soft_edges"] == [{"point": "m8", "marker": "m7", "mm": 100.0, "sd_mm": 30.0}]
    geometry = next(out.glob("*/geometry.csv"))
    with geometry.open(encoding="utf-8", newline="") as table:
        rows = {row["marker"]: [float(row[f"{axis}_mm"]) for axis in "xyz"] for row in csv.DictReader(table)}
    assert "m8" not in rows
    assert math.dist(rows["m1"], rows["m2"]) == pytest.approx(140.0, abs=0.05)
    held = ask("fit", file, "-o", tmp_path / "held", *words, "-m", "m[1-7]", "--geometry", geometry, "--anchor", 0.001)
    assert held.exit_code == 0, held.output
    with next((tmp_path / "held").glob("*/geometry.csv")).open(encoding="utf-8", newline="") as table:
        again = {row["marker"]: [float(row[f"{axis}_mm"]) for axis in "xyz"] for row in csv.DictReader(table)}
    assert math.dist(again["m1"], again["m2"]) == pytest.approx(140.0, abs=0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--distance", "m1=140"), "write a length as"),
        (("--distance", "m1,m2=-3"), "write a length as"),
        (("--mirror", "m1,m2,m3"), "write LEFT,RIGHT"),
        (("--mirror", "m1"), "name a pair"),
        (("--mirror-sd", 2), "name the markers"),
        (("--anchor", 1), "name the geometry"),
    ],
)
def test_what_is_known_and_told_wrong_is_refused(words: tuple[object, ...], said: str) -> None:
    found = ask("fit", "nothing.csv", *words)
    assert found.exit_code == 2
    assert said in found.output


def test_smoothing_without_a_weight_is_told(data: Path, tmp_path: Path) -> None:
    file = data / "subject_01_session_1.csv"
    for words, told in ((("--smoothing", "first"), True), ((), False), (("--smoothing", "none"), False)):
        out = tmp_path / "-".join(("out", *words))
        assert ask("fit", file, "-o", out, "--noise", 2, "-w", 1, "--no-viewer", "--no-tables", *words).exit_code == 0
        (job,) = read_view(out).jobs
        assert any("nothing is asked of the motion" in str(each) for each in job.warnings) is told


def test_fit_writes_results_of_each_recording(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = ask("fit", data, "-o", out, "-w", 1, "--noise", 2, "--rotation-weight", 0.1, "--translation-weight", 0.1,
                "--score", "held-out", "--score-folds", 3, "-m", "m[1-6]", "--origin", "m1")  # fmt: skip
    assert found.exit_code == 0, found.output
    view = read_view(out)
    assert [job.name for job in view.jobs] == [f"fit/subject_01_session_{number}" for number in (1, 2, 3)]
    for job in view.jobs:
        assert job.metrics["markers"] == 6
        assert job.metrics["held_out_mm"] == pytest.approx(2 * math.sqrt(3), rel=0.2)
        assert len(str(job.metrics["held_out_folds_mm"]).split()) == 3
    folder = out / "fit_subject_01_session_1"
    assert {path.name for path in folder.iterdir()} == {
        "fit.json",
        "geometry.csv",
        "markers.csv",
        "page.html",
        "poses.csv",
        "viewer.html",
    }
    with (folder / "geometry.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["marker"], float(first["x_mm"]), float(first["y_mm"])) == ("m1", 0.0, 0.0)
    again = ask("fit", data, "-o", out, "-w", 1, "--noise", 2, "--rotation-weight", 0.1, "--translation-weight", 0.1,
                "--score", "held-out", "--score-folds", 3, "-m", "m[1-6]", "--origin", "m1")  # fmt: skip
    assert again.exit_code == 0 and "3 found done" in again.output


def test_fit_runs_the_batch_of_its_python_form(data: Path, tmp_path: Path) -> None:
    from batchlab.motion._batch import fit_batch

    out = tmp_path / "out"
    assert ask("fit", data, "-o", out, "-w", 1, "--loss", "cauchy", "--no-tables", "--no-viewer").exit_code == 0
    batch = fit_batch([data], out, params={"loss": "cauchy", "score": "none"}, tables=False, viewer=False,
                      settings=Settings(workers=1))  # fmt: skip
    assert {each.verdict for each in plan(batch).jobs} == {Verdict.SKIP}


def test_a_dry_run_shows_the_plan_alone(data: Path, tmp_path: Path) -> None:
    found = ask("fit", data, "-o", tmp_path / "out", "-n", "--together")
    assert found.exit_code == 0 and "1" in found.output and "fit" in found.output
    assert not (tmp_path / "out").exists()


def test_a_sweep_tells_what_is_best(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = data / "subject_01_session_1.csv"
    found = ask("sweep", file, "-o", out, "-w", 1, "--noise", 2, "-g", "weights.rotation=0.001,0.1",
                "--grid", "weights.translation=0.001,0.1", "-g", "loss=huber")  # fmt: skip
    assert found.exit_code == 0, found.output
    view = read_view(out)
    assert len(view.jobs) == 4
    assert all(job.params["weights"]["data_per_m"] == 500.0 for job in view.jobs)
    best, note = found.output.strip().splitlines()[-2:]
    assert note.startswith("the best lies at the end of the values tried (weights.rotation 0.001 to 0.1, ")
    assert note.endswith(": try a larger weights.rotation and a larger weights.translation")
    assert best.startswith("best: weights.rotation 0.1, weights.translation 0.1 (held-out 3.")
    assert "±" in best and "the simplest within one standard error" in best
    lines = ask("sweep", file, "-o", out, "-w", 1, "--noise", 2, "-g", "weights.rotation=0.001,0.1", "--json",
                "-g", "weights.translation=0.001,0.1", "-g", "loss=huber").output  # fmt: skip
    assert json.loads(lines.strip().splitlines()[-1])["counts"]["done"] == 4


def test_cross_validation_groups_validates_and_refits(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    for session in range(4):
        truth = simulate(f"trial_{session // 2}_{session}", frames=120, session=session)
        write_recording(data, truth.recording)
    found = ask("cross-validate", data, "-o", out, "-w", 1, "--folds", 2, "--group", "trial_{block}_*.csv",
                "--noise", 2, "-g", "weights.rotation=0.001,0.1", "--translation-weight", "0.1")  # fmt: skip
    assert found.exit_code == 0, found.output
    view = read_view(out)
    held = {job.metadata["held_out"] for job in view.jobs if "fold" in job.metadata}
    assert held == {"trial_0_0, trial_0_1", "trial_1_2, trial_1_3"}
    assert (out / "validate.csv").is_file()
    assert (out / "refit_rotation=0.1" / "poses.csv").is_file()
    assert "best: weights.rotation 0.1" in found.output


def test_a_bad_recording_fails_and_the_rest_is_done(data: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.c3d").write_bytes(b"nothing")
    found = ask("fit", tmp_path / "broken.c3d", data, "-o", tmp_path / "out", "-w", 1, "--no-tables", "--no-viewer")
    assert found.exit_code == 1
    assert "not-a-recording" in found.output
    assert sum(job.state == "done" for job in read_view(tmp_path / "out").jobs) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["fit", "DATA/*.n3d"], "no file is there"),
        (["fit", "DATA", "--body", "box"], "write a body as NAME=PATTERN"),
        (["fit", "DATA", "-b", "a=m1,m2", "-m", "m3"], "name the markers of each body"),
        (["fit", "DATA", "--refine"], "name the geometry to start from"),
        (["fit", "DATA", "--marker-weight", "m1=0"], "write MARKER=FACTOR"),
        (["fit", "DATA", "--edge", "m1"], "write an edge as MARKER,MARKER"),
        (["fit", "DATA", "--noise", "0"], "--noise"),
        (["sweep", "DATA"], "Missing option '-g'"),
        (["sweep", "DATA", "-g", "weights.rotation"], "write PARAM=VALUE"),
        (["sweep", "DATA", "-g", "weights.rotaton=1"], "did you mean"),
        (["sweep", "DATA", "-g", "weights.rotation=-1"], "greater than or equal to 0"),
        (["sweep", "DATA", "-g", "folds=3", "-g", "folds=4"], "is given twice"),
        (["cross-validate", "DATA", "--folds", "9"], "cannot make 9 folds"),
        (["cross-validate", "DATA", "--group", "subject_*"], "has no field"),
        (["cross-validate", "DATA", "--geometry", "g.csv"], "fits the geometry itself"),
        (["inspect", "DATA", "--unit", "mile"], "no unit of coordinates"),
        (["inspect", "DATA/*.n3d"], "no file is there"),
        (["view", "DATA/subject_01_session_1.csv", "--rate", "0"], "--rate"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(data: Path, tmp_path: Path, words: list[str], told: str) -> None:
    asked = [word.replace("DATA", str(data)) for word in words]
    output = [] if words[0] in ("inspect", "view") else ["-o", tmp_path / "out"]
    found = ask(*asked, *output)
    assert found.exit_code == 2
    assert told in " ".join(found.output.split())
    assert not (tmp_path / "out").exists()


def test_inspect_tells_what_is_in_a_recording(data: Path, tmp_path: Path) -> None:
    found = ask("inspect", data / "subject_01_session_1.csv")
    assert found.exit_code == 0
    assert "150 frames, 100 Hz" in found.output and "8 markers in mm" in found.output
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    both = ask("inspect", data / "subject_01_session_2.csv", tmp_path / "odd.csv", "--json", "-m", "m1")
    assert both.exit_code == 1
    good, bad = json.loads(both.stdout)
    assert [each["marker"] for each in good["markers"]] == ["m1"]
    assert good["frames"] == 150 and good["rate_hz"] == 100.0
    assert bad["reason"] == "not-a-recording"


def test_inspect_of_a_real_file(shared_motion: Path) -> None:
    found = ask("inspect", shared_motion / "ktk_walking_optitrack.c3d")
    assert "3361 frames, 160 Hz, 21.00 s; 12 markers in mm" in found.output
    assert "Foot_Marker5" in found.output


def test_view_writes_a_page_with_the_bodies(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = ask("view", data / "subject_01_session_1.csv", "-o", page, "-b", "low=m1,m2,m3,m4", "-b", "high=m[5678]")
    assert found.exit_code == 0 and found.output.strip().endswith(str(page))
    text = page.read_text(encoding="utf-8")
    assert "<canvas" in text and '"low"' in text and '"high"' in text
    raw = ask("view", data / "subject_01_session_1.csv", "-o", page, "--raw")
    assert raw.exit_code == 0 and '"high"' not in page.read_text(encoding="utf-8")
    bad = ask("view", data / "none.csv", "-o", page)
    assert bad.exit_code == 2 and "none.csv" in bad.output
