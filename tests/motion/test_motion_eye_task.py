"""Eyes through the engine: truth in the tables, both ways to ask, what is done again, and what is said of bad input."""

from __future__ import annotations

import csv
import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from batchlab.batchfile import load
from batchlab.cli import cli
from batchlab.engine import Batch, BatchView, JobView, Settings, Status, Verdict, plan, read_view, run
from batchlab.errors import Category, ConfigError
from batchlab.motion._eye import eyes_of_gaze
from batchlab.motion._eye_batch import eye_batch
from batchlab.motion._panel import eyes_panel
from batchlab.motion._read import read_gaze
from batchlab.motion._synthetic import EyeTruth, simulate, simulate_eye, write_eyes, write_recording
from batchlab.motion.cli._eye import eye, eye_params_asked
from batchlab.motion.tasks import EyeParams

CAMERA = {"focal_px": 590.0, "image_px": [400, 400]}
PARAMS = {"camera": CAMERA, "rate_hz": 120, "noise_px": 0.4}
ONE = Settings(workers=1, retries=0)


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> list[EyeTruth]:
    return write_eyes(tmp_path_factory.mktemp("eyes"), eyes=2, frames=600)


@pytest.fixture(scope="module")
def fitted(eyes: list[EyeTruth], tmp_path_factory: pytest.TempPathFactory) -> BatchView:
    paths = [truth.path for truth in eyes if truth.path]
    return done(eye_batch(paths, tmp_path_factory.mktemp("out"), params=PARAMS, settings=ONE))


def done(batch: Batch) -> BatchView:
    return read_view(run(batch).root)


def output(view: BatchView, job: JobView, name: str) -> Path:
    return Path(view.root) / next(each.path for each in job.outputs if each.name == name)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli, ["motion", *map(str, words)], catch_exceptions=False)


# what comes out


def test_the_truth_stands_in_the_tables_within_its_errors(eyes: list[EyeTruth], fitted: BatchView) -> None:
    for truth, job in zip(eyes, fitted.jobs, strict=True):
        assert job.state is Status.DONE and job.metrics["status"] == "converged"
        rows = table(output(fitted, job, "gaze"))
        assert len(rows) == 600
        np.testing.assert_allclose(column(rows, "time_s"), truth.recording.times_s, atol=1e-6)
        seen = ~truth.blinks
        assert [row["covered"] for row in rows] == ["measured" if each else "inferred" for each in seen]
        for name, true in (("azimuth_deg", truth.azimuth_rad), ("elevation_deg", truth.elevation_rad)):
            off = column(rows, name) - np.degrees(true)
            # A part of each error, that of the centre, is shared by all frames: one eye may be luckier than another.
            shares = (off / column(rows, f"sd_{name}"))[seen]
            assert 0.5 < np.sqrt(np.mean(shares**2)) < 1.6 and np.abs(shares).max() < 6
            assert np.isnan(column(rows, f"sd_{name}")[~seen]).all()
        gaze = np.column_stack([column(rows, f"gaze_{axis}") for axis in "xyz"])
        assert np.degrees(np.arccos(np.minimum((gaze * truth.gaze).sum(axis=1), 1.0)))[seen].max() < 1.0
        radius = column(rows, "pupil_radius_mm")
        np.testing.assert_allclose(radius[seen], 1e3 * truth.pupil_radius_m[seen], atol=0.1)
        np.testing.assert_allclose(column(rows, "pupil_scale"), radius / np.median(radius[seen]), atol=1e-4)
        for place, axis in enumerate("xyz"):
            off_mm = float(job.metrics[f"center_{axis}_mm"] or 0) - 1e3 * truth.center_m[place]
            assert abs(off_mm) < 4 * float(job.metrics[f"center_sd_{axis}_mm"] or 0)
        assert job.metrics["chi2_reduced"] == pytest.approx(1.0, abs=0.2)
        assert job.metrics["frames_inferred"] == truth.blinks.sum()
        found = np.degrees(np.ptp(np.quantile(truth.azimuth_rad[seen], [0.05, 0.95])))
        assert job.metrics["azimuth_range_deg"] == pytest.approx(found, abs=0.2)


def test_points_are_measured_and_fitted_and_filled(eyes: list[EyeTruth], fitted: BatchView) -> None:
    truth, job = eyes[0], fitted.jobs[0]
    rows = table(output(fitted, job, "points"))
    assert len(rows) == 600 * 8
    own = [row for row in rows if row["keypoint"] == "p3"]
    raw = np.column_stack([column(own, "raw_x_px"), column(own, "raw_y_px")])
    near = np.column_stack([column(own, "fitted_x_px"), column(own, "fitted_y_px")])
    seen = ~truth.blinks
    np.testing.assert_allclose(raw[seen], truth.recording.positions[seen, 2], atol=2e-3)
    assert np.isnan(raw[~seen]).all() and np.isfinite(near).all()
    lengths = column(own, "residual_px")
    np.testing.assert_allclose(lengths[seen], np.linalg.norm(raw - near, axis=1)[seen], atol=2e-3)
    assert {row["flag"] for row in own} == {"measured", "inferred"}
    whole = column(rows, "residual_px")
    assert job.metrics["rms_px"] == pytest.approx(np.sqrt(np.nanmean(whole**2)), rel=1e-3)


def test_the_report_of_a_job_has_what_its_page_shows(fitted: BatchView) -> None:
    job = fitted.jobs[0]
    told = json.loads(output(fitted, job, "eye").read_text())
    assert told["metrics"]["rms_px"] == job.metrics["rms_px"]
    assert told["params"]["camera"]["focal_px"] == 590.0
    assert told["camera"] == {"focal_px": 590.0, "principal_px": [200.0, 200.0]}
    (own,) = told["eyes"]
    assert own["status"] == "converged" and len(own["points"]) == 8
    assert [round(each["angle_deg"]) for each in own["points"]] == list(range(0, 360, 45))
    page = output(fitted, job, "page").read_text()
    assert page.count("<script") == page.count('<script type="application/json"') == 1
    assert "default-src 'none'" in html.unescape(page)
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    for name in ("azimuth", "elevation", "pupil radius", "speed of gaze", "two standard errors"):
        assert name in page
    assert "frames show too little of the pupil's edge" in html.unescape(page)
    assert re.search(r'href="viewer\.html#frame=\d+&amp;marker=p1"', page)
    assert output(fitted, job, "viewer").read_text().startswith("<!DOCTYPE html>")


def test_the_report_of_a_batch_has_a_row_for_each_eye(eyes: list[EyeTruth], fitted: BatchView) -> None:
    panel = eyes_panel(fitted)
    assert panel is not None
    assert [row[0] for row in panel.tables[0].rows] == ["eye/eye_01", "eye/eye_02"]
    assert panel.headline.startswith("gaze is known to 0.")
    assert len(panel.pictures) == 2


def test_an_outline_tells_the_same_gaze(eyes: list[EyeTruth], tmp_path: Path) -> None:
    truth = eyes[0]
    assert truth.path
    view = done(eye_batch([truth.path], tmp_path, params={**PARAMS, "edge": "outline"}, viewer=False, settings=ONE))
    rows = table(output(view, view.jobs[0], "gaze"))
    seen = ~truth.blinks
    off = column(rows, "azimuth_deg") - np.degrees(truth.azimuth_rad)
    assert np.sqrt(np.mean(off[seen] ** 2)) < 0.3
    points = table(output(view, view.jobs[0], "points"))
    apart = [column(points, f"raw_{axis}_px") - column(points, f"fitted_{axis}_px") for axis in "xy"]
    lengths = column(points, "residual_px")
    measured = np.isfinite(lengths)
    np.testing.assert_allclose(np.hypot(*apart)[measured], lengths[measured], atol=2e-3)


def test_gazes_too_small_are_degenerate_and_told_first(tmp_path: Path) -> None:
    truth = simulate_eye(frames=200, seed=2)
    still = np.broadcast_to(truth.recording.positions[:1], truth.recording.positions.shape)
    noise = np.random.default_rng(0).normal(0.0, 0.4, still.shape)
    path = write_recording(tmp_path, replace(truth.recording, name="still", positions=still + noise), "dlc")
    view = done(eye_batch([path], tmp_path / "out", params=PARAMS, viewer=False, settings=ONE))
    assert view.jobs[0].metrics["status"] == "degenerate"
    assert any("give depth_m" in text for text in view.jobs[0].warnings)
    panel = eyes_panel(view)
    assert panel is not None and panel.headline.startswith("nothing tells how far the eye is: still")
    page = output(view, view.jobs[0], "page").read_text()
    assert 'class="warn"><span>solve</span><b>degenerate' in page


# ways to ask


def test_finished_eyes_are_not_fitted_again(eyes: list[EyeTruth], fitted: BatchView) -> None:
    paths = [truth.path for truth in eyes if truth.path]
    again = eye_batch(paths, fitted.root, params=PARAMS, settings=ONE)
    assert {each.verdict for each in plan(again).jobs} == {Verdict.SKIP}
    other = eye_batch(paths, fitted.root, params={**PARAMS, "noise_px": 0.5}, settings=ONE)
    assert {each.verdict for each in plan(other).jobs} == {Verdict.STALE}


def test_a_batch_file_and_a_command_ask_for_the_same(eyes: list[EyeTruth], tmp_path: Path) -> None:
    path = eyes[0].path
    assert path
    file = tmp_path / "eyes.json"
    entry = {
        "id": "eye",
        "task": "motion.eye",
        "inputs": {"recording": str(path.parent / "eye_01*.csv")},
        "params": PARAMS,
        "outputs": {"viewer": "{job}/viewer.html"},
    }
    file.write_text(json.dumps({"batch": "motion-eye", "output": "out", "jobs": [entry]}))
    assert run(load(file)).exit_code == 0
    python = eye_batch([path], tmp_path / "out", params=PARAMS, settings=ONE)
    assert {each.verdict for each in plan(python).jobs} == {Verdict.SKIP}
    found = ask("eye", path, "-o", tmp_path / "out", "--focal-px", 590, "--image", "400x400", "--rate", 120, "--noise",
                0.4, "-w", 1)  # fmt: skip
    assert found.exit_code == 0 and "1 found done" in found.output


def test_every_param_has_an_option() -> None:
    given: dict[str, Any] = {str(param.name): None for param in eye.params}
    given |= {"focal_px": 600.0, "principal_px": (201.0, 199.0), "angles": (("a", 0.0), ("b", 90.0), ("c", 180.0))}
    given |= {"edge": "outline", "tear_duct": "canthus", "pupil_distance_mm": 9.0, "eye_radius_mm": 12.0}
    given |= {"depth_mm": 30.0, "rate_hz": 60.0, "time_unit": "ms", "file_format": "dlc", "min_confidence": 0.5}
    given |= {"min_points": 6, "noise_px": 1.0, "smoothing": "first", "rotation": 1.0, "radius": 2.0, "loss": "tukey"}
    given |= {"loss_scale": 3.0, "iterations_max": 5, "tolerance": 1e-6}
    asked = EyeParams.model_validate(eye_params_asked(given))
    plain = EyeParams.model_validate({"camera": {"preset": "pupil-labs"}})
    assert [name for name in EyeParams.model_fields if getattr(asked, name) == getattr(plain, name)] == []
    options = asked.options
    assert options.angles_rad["b"] == pytest.approx(np.pi / 2)
    assert (options.pupil_distance_m, options.eye_radius_m, options.depth_m) == pytest.approx((0.009, 0.012, 0.03))
    assert (options.rotation, options.radius, options.min_points) == (1.0, 2.0, 6)


def test_cameras_are_told_in_three_ways() -> None:
    def camera(**told: object) -> tuple[float, tuple[float, float]]:
        asked = EyeParams.model_validate({"camera": told}).camera
        assert asked is not None
        return asked.camera.focal_px, asked.camera.principal_px

    known = camera(preset="pupil-labs")
    assert known == (pytest.approx(591.304, abs=1e-3), (200.0, 200.0))
    assert camera(focal_mm=1.7, sensor_mm=[1.15, 1.15], image_px=[400, 400]) == (pytest.approx(known[0]), known[1])
    assert camera(focal_px=500, principal_px=[90, 80]) == (500.0, (90.0, 80.0))
    assert camera(focal_px=500, image_px=[200, 100]) == (500.0, (100.0, 50.0))


# what goes wrong


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"camera": None}, "no camera is given.*preset.*focal_mm, sensor_mm and image_px.*file_format: pupil-labs"),
        ({"camera": {}}, "no camera is given"),
        ({"camera": {"focal_mm": 1.7}}, "focal_mm wants sensor_mm and image_px"),
        ({"camera": {"focal_px": 590}}, "focal_px wants image_px or principal_px"),
        ({"camera": {"preset": "pupil-labs", "focal_px": 590}}, "preset and focal_px both tell"),
        ({"camera": {"focal_mm": 1, "sensor_mm": [1, 2], "image_px": [400, 400]}}, "not square"),
        ({"smoothing": "second"}, "smoothing second without a weight"),
        ({"angles_deg": {"p1": 0.0}}, "fewer than three points"),
        ({"camera": {"focal": 3}}, "focal"),
        ({"min_points": 2}, "min_points"),
    ],
)
def test_what_cannot_be_is_refused_before_a_job_starts(
    eyes: list[EyeTruth], tmp_path: Path, params: dict[str, Any], told: str
) -> None:
    path = eyes[0].path
    assert path
    with pytest.raises(ConfigError) as caught:
        eye_batch([path], tmp_path / "out", params={**PARAMS, **params})
    assert re.search(told, str(caught.value)), caught.value
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_command_says_in_one_line_that_no_camera_is_given(eyes: list[EyeTruth], tmp_path: Path) -> None:
    found = ask("eye", eyes[0].path, "-o", tmp_path / "out")
    assert found.exit_code == 2
    assert found.output.count("no camera is given") == 1 and not (tmp_path / "out").exists()
    assert ask("eye", eyes[0].path, "--image", "400").exit_code == 2
    assert ask("eye", eyes[0].path, "--angle", "p1").exit_code == 2


def test_files_without_a_pupil_fail_with_what_they_lack(tmp_path: Path, eyes: list[EyeTruth]) -> None:
    good = eyes[0].recording
    named = replace(good, name="named", markers=tuple("abcdefghi"))
    dark = replace(good, name="dark", confidence=np.zeros_like(good.confidence))
    paths = [write_recording(tmp_path / "data", each, "dlc") for each in (named, dark)]
    paths.append(write_recording(tmp_path / "data", simulate("space", frames=20).recording, "wide"))
    assert eyes[0].path
    batch = eye_batch([*paths, eyes[0].path, tmp_path / "gone.csv"], tmp_path / "out", params=PARAMS, viewer=False,
                      settings=ONE)  # fmt: skip
    result = run(batch)
    assert result.exit_code == 1
    found = {job.name: job for job in read_view(result.root).jobs}
    assert found["eye/eye_01"].state is Status.DONE
    assert found["eye/gone"].category == Category.MISSING_INPUT
    told = {
        "eye/named": ("no-pupil", "name them p1 to p8, or right, bottom, left and top"),
        "eye/dark": ("too-few-points", "0 frames show enough of the pupil's edge (3 of its 8 points)"),
        "eye/space": ("no-pupil", "its points are in space"),
    }
    for name, (reason, words) in told.items():
        job = found[name]
        assert (job.state, job.category, job.reason) == (Status.FAILED, Category.INVALID_INPUT, reason)
        assert words in str(job.message), job.message


def test_frames_with_too_few_points_are_inferred(eyes: list[EyeTruth], tmp_path: Path) -> None:
    recording = eyes[0].recording
    positions = recording.positions.copy()
    some = np.flatnonzero(~eyes[0].blinks)[100:120]
    positions[some[:, None], np.arange(4)] = np.nan
    path = write_recording(tmp_path, replace(recording, name="half", positions=positions), "dlc")
    covered = {}
    for least in (3, 6):
        params = {**PARAMS, "min_points": least}
        view = done(eye_batch([path], tmp_path / f"out{least}", params=params, viewer=False, settings=ONE))
        rows = table(output(view, view.jobs[0], "gaze"))
        covered[least] = {rows[frame]["covered"] for frame in some}
    assert covered == {3: {"partly"}, 6: {"inferred"}}


# real files


def test_two_networks_on_one_mouse_run(shared_motion: Path, tmp_path: Path) -> None:
    params = {
        "camera": {"focal_px": 1000, "principal_px": [55, 50]},
        "pupil_distance_mm": 1.4,
        "depth_mm": 60,
        "rate_hz": 100,
    }
    view = done(eye_batch([str(shared_motion / "eks_ibl_pupil_left_rng*.csv")], tmp_path, params=params, settings=ONE))
    gazes = []
    for job in view.jobs:
        assert (job.state, job.metrics["status"]) == (Status.DONE, "converged")
        assert job.metrics["points"] == 4 and job.metrics["frames"] == 2000
        assert job.metrics["center_z_mm"] == 60.0
        gazes.append(column(table(output(view, job, "gaze")), "elevation_deg"))
    assert np.corrcoef(*gazes)[0, 1] > 0.85


def test_gaze_of_pupil_labs_is_told_in_the_same_form(shared_motion: Path, tmp_path: Path) -> None:
    path = shared_motion / "pupil_labs_gaze_positions.csv"
    view = done(eye_batch([path], tmp_path, params={"file_format": "pupil-labs"}, settings=ONE))
    (job,) = view.jobs
    assert job.state is Status.DONE
    assert job.metrics["status"] == "Pupil Labs" and job.metrics["eyes"] == 2 and job.metrics["points"] == 0
    assert job.metrics["rms_px"] is None or np.isnan(float(job.metrics["rms_px"] or np.nan))
    gaze, rows = read_gaze(path), table(output(view, job, "gaze"))
    assert len(rows) == 2 * len(gaze.times_s)
    for eye_number in range(2):
        own = [row for row in rows if row["eye"] == f"eye{eye_number}"]
        found = np.column_stack([column(own, f"gaze_{axis}") for axis in "xyz"])
        known = np.isfinite(gaze.normals[:, eye_number]).all(axis=1)
        np.testing.assert_allclose(found[known], gaze.normals[known, eye_number], atol=1e-6)
        assert np.isnan(found[~known]).all()
        assert {row["covered"] for row, has in zip(own, known, strict=True) if not has} <= {"inferred"}
        # Angles are from straight ahead.
        azimuth, elevation = np.radians(column(own, "azimuth_deg")), np.radians(column(own, "elevation_deg"))
        again = np.column_stack(
            [np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)]
        )
        np.testing.assert_allclose(again[known], found[known], atol=1e-6)
    told = json.loads(output(view, job, "eye").read_text())
    assert [each["vendor"] for each in told["eyes"]] == ["Pupil Labs"] * 2
    for number, each in enumerate(told["eyes"]):
        good = np.isfinite(gaze.normals[:, number]).all(axis=1) & (gaze.confidence >= 0.3)
        np.testing.assert_allclose(
            each["model"]["center_mm"], 1e3 * np.median(gaze.centers_m[good, number], axis=0), atol=1e-6
        )
    assert "nothing was fitted" in output(view, job, "page").read_text()
    without = ask("eye", path, "-o", tmp_path / "camera", "--camera", "pupil-labs", "-w", 1)
    assert without.exit_code == 1 and "no-pupil" in without.output


def test_an_eyeball_that_moves_in_its_socket_is_told(shared_motion: Path) -> None:
    gaze = read_gaze(shared_motion / "pupil_labs_gaze_positions.csv")
    assert not any("moves by" in text for fit in eyes_of_gaze(gaze) for text in fit.warnings)
    moved = gaze.centers_m + 0.005 * np.sin(np.arange(len(gaze.times_s)))[:, None, None]
    assert all("moves by" in fit.warnings[1] for fit in eyes_of_gaze(replace(gaze, centers_m=moved)))
