"""An eye comes back from its pupil's edge: gaze, pupil, centre, their errors; and what one camera cannot tell."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from batchlab.errors import ConfigError, DataError
from batchlab.motion._eye import PUPIL_LABS, Camera, Edge, EyeFit, EyeOptions, camera_of_lens, fit_eye, gaze_vectors
from batchlab.motion._eye._optics import EyeState, project, pupil_places
from batchlab.motion._eye._solve import EyeProblem, evaluate
from batchlab.motion._model import Loss, Recording, Smoothing, Status
from batchlab.motion._read import read_gaze, read_recording
from batchlab.motion._solve._problem import Robust, chain_of
from batchlab.motion._synthetic import EyeTruth, simulate_eye

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = EyeOptions(noise_px=0.4)


def camera_of(truth: EyeTruth) -> Camera:
    return Camera(focal_px=truth.focal_px, principal_px=tuple(truth.principal_px))


def angles_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.degrees(np.arccos(np.clip(np.sum(one * other, axis=1), -1.0, 1.0)))
    return out


@pytest.mark.parametrize("edge", list(Edge))
@pytest.mark.parametrize("seed", range(3))
def test_the_truth_comes_back(seed: int, edge: Edge) -> None:
    truth = simulate_eye(seed=seed, frames=600)
    fit = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, edge=edge))
    assert fit.status is Status.CONVERGED
    seen = ~truth.blinks
    assert np.sqrt(np.mean(angles_deg(fit.gaze, truth.gaze)[seen] ** 2)) < 0.5
    assert np.sqrt(np.mean((fit.pupil_radius_m - truth.pupil_radius_m)[seen] ** 2)) < 5e-5
    assert fit.center_m == pytest.approx(truth.center_m, abs=1e-3)
    assert (np.abs(fit.center_m - truth.center_m) < 4 * fit.center_sd_m).all()
    assert fit.chi2_reduced == pytest.approx(1.0, abs=0.2)
    assert fit.tear_duct_px == pytest.approx(
        590 * (truth.center_m[:2] + np.array([0.007, 0.003])) / (truth.center_m[2] - 0.007) + 200, abs=0.1
    )
    np.testing.assert_array_equal(fit.covered == 2, truth.blinks)
    assert any("show too little of the pupil's edge" in words for words in fit.warnings) == truth.blinks.any()


@pytest.mark.parametrize("loss", [loss for loss in Loss if loss is not Loss.SQUARED])
def test_wild_points_hardly_move_a_robust_fit(loss: Loss) -> None:
    truth = simulate_eye(frames=400, seed=1)
    positions = truth.recording.positions.copy()
    rng = np.random.default_rng(0)
    wild = rng.random(positions.shape[:2]) < 0.03
    positions[wild] += rng.normal(0.0, 30.0, (int(wild.sum()), 2))
    recording = replace(truth.recording, positions=positions)
    errors, away = [], []
    for used in (loss, Loss.SQUARED):
        fit = fit_eye(recording, camera_of(truth), replace(OPTIONS, loss=used))
        errors.append(np.sqrt(np.mean(angles_deg(fit.gaze, truth.gaze)[~truth.blinks] ** 2)))
        away.append(np.linalg.norm(fit.center_m - truth.center_m))
    assert errors[0] < 0.5 * errors[1]
    assert away[0] < 1e-3


@pytest.mark.parametrize("edge", list(Edge))
def test_a_loss_bends_by_default_where_it_hardly_costs(edge: Edge) -> None:
    truth = simulate_eye(frames=300, seed=2)
    errors = {}
    for loss in Loss:
        fit = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, loss=loss, edge=edge))
        assert fit.status is Status.CONVERGED
        np.testing.assert_array_equal(fit.covered == 2, truth.blinks)
        errors[loss] = np.sqrt(np.mean(angles_deg(fit.gaze, truth.gaze)[~truth.blinks] ** 2))
    assert max(errors.values()) < 1.25 * errors[Loss.SQUARED]


def test_no_loss_throws_a_gaze_away() -> None:
    truth = simulate_eye(frames=300, seed=2)
    fit = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, loss=Loss.TUKEY, loss_scale=0.5))
    spared = (fit.covered == 2) & ~truth.blinks
    assert spared.sum() > 30
    assert any(
        text.startswith(f"in {spared.sum()} of 300 frames tukey would leave too little") for text in fit.warnings
    )
    assert np.isnan(fit.sd[spared]).all()
    assert angles_deg(fit.gaze, truth.gaze)[~truth.blinks].max() < 4


def test_missing_points_are_no_matter() -> None:
    truth = simulate_eye(frames=400, seed=2)
    positions = truth.recording.positions.copy()
    positions[np.random.default_rng(0).random(positions.shape[:2]) < 0.3] = np.nan
    positions[100:120] = np.nan
    fit = fit_eye(replace(truth.recording, positions=positions), camera_of(truth), OPTIONS)
    assert fit.status is Status.CONVERGED
    good = fit.covered < 2
    assert np.sqrt(np.mean(angles_deg(fit.gaze, truth.gaze)[good] ** 2)) < 0.6
    assert (fit.covered[100:120] == 2).all()
    assert np.isnan(fit.sd[100:120]).all()
    assert np.isfinite(fit.azimuth_rad).all()
    assert np.isnan(fit.residuals_px[np.isnan(positions[:, :8, 0])]).all()


def test_standard_errors_are_the_spread_of_errors() -> None:
    truth = simulate_eye(frames=1500, seed=3)
    fit = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, loss=Loss.SQUARED, min_confidence=0.5))
    seen = ~truth.blinks
    errors = np.stack([fit.azimuth_rad - truth.azimuth_rad, fit.elevation_rad - truth.elevation_rad], axis=1)[seen]
    assert np.std(errors / fit.sd[seen, :2]) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("smoothing", [Smoothing.FIRST, Smoothing.SECOND])
def test_smoothness_bridges_blinks_and_lessens_noise(smoothing: Smoothing) -> None:
    truth = simulate_eye(frames=400, seed=0, noise_px=1.5)
    times = truth.recording.times_s
    azimuth, elevation = 0.3 * np.sin(2 * times), 0.2 * np.sin(1.3 * times)
    recording = _seen_by(camera_of(truth), azimuth, elevation, truth.pupil_radius_m, truth.center_m, times, 1.5)
    recording.positions[200:215] = np.nan
    weight, radius = (300.0, 9e4) if smoothing is Smoothing.FIRST else (0.1, 50.0)
    known = replace(OPTIONS, noise_px=1.5, depth_m=0.035)
    plain = fit_eye(recording, camera_of(truth), known)
    options = replace(known, smoothing=smoothing, rotation=weight, radius=radius)
    fit = fit_eye(recording, camera_of(truth), options)
    assert fit.status is Status.CONVERGED
    gaze = gaze_vectors(azimuth, elevation)
    errors = [np.sqrt(np.mean(angles_deg(one.gaze, gaze) ** 2)) for one in (plain, fit)]
    assert errors[1] < 0.8 * errors[0]
    assert angles_deg(fit.gaze, gaze)[200:215].max() < 3
    assert (fit.sd[205:210] > fit.sd[100:105]).all()


@pytest.mark.parametrize("edge", list(Edge))
@pytest.mark.parametrize("smoothing", list(Smoothing))
@pytest.mark.parametrize("radius", [None, 0.012])
def test_the_gradient_is_that_of_differences(edge: Edge, smoothing: Smoothing, radius: float | None) -> None:
    truth = simulate_eye(frames=6, seed=4)
    options = replace(OPTIONS, edge=edge, eye_radius_m=radius)
    problem = EyeProblem(
        pixels=truth.recording.positions[:, :8],
        weights=np.full((6, 8), 6.25),
        angles=2 * np.pi * np.arange(8) / 8,
        chain=chain_of([truth.recording.times_s], smoothing, 0.7, 90.0),
        camera=camera_of(truth),
        options=options,
    )
    frames = np.column_stack([truth.azimuth_rad + 0.02, truth.elevation_rad - 0.01, truth.pupil_radius_m * 1.05])
    center = truth.center_m + 3e-4
    robust = Robust(loss=Loss.CAUCHY, scale=3.0)
    terms = evaluate(problem, EyeState(frames=frames, center=center), robust)
    for column, step in enumerate((1e-6, 1e-6, 1e-9)):
        for frame in range(6):
            change = np.zeros((6, 3))
            change[frame, column] = step
            ends = [
                evaluate(problem, EyeState(frames=frames + s * change, center=center), robust).cost for s in (1, -1)
            ]
            assert terms.downhill[frame, column] == pytest.approx(
                (ends[1] - ends[0]) / (2 * step), rel=1e-4, abs=1e-5 * np.abs(terms.downhill[:, column]).max()
            )
    for axis in range(3):
        change = 1e-8 * np.eye(3)[axis]
        ends = [evaluate(problem, EyeState(frames=frames, center=center + s * change), robust).cost for s in (1, -1)]
        assert terms.downhill_center[axis] == pytest.approx((ends[1] - ends[0]) / 2e-8, rel=1e-4)


def test_scale_is_the_users() -> None:
    truth = simulate_eye(frames=300)
    one = fit_eye(truth.recording, camera_of(truth), OPTIONS)
    two = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, pupil_distance_m=0.0204))
    np.testing.assert_allclose(two.gaze, one.gaze, atol=1e-4)
    np.testing.assert_allclose(two.center_m, 2 * one.center_m, rtol=1e-3)
    np.testing.assert_allclose(two.pupil_radius_m, 2 * one.pupil_radius_m, rtol=1e-3)


def test_an_edge_on_the_ball_moves_back_as_the_pupil_widens() -> None:
    truth = simulate_eye(frames=300)
    fit = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, eye_radius_m=0.0104))
    assert fit.status is Status.CONVERGED
    np.testing.assert_allclose(fit.pupil_distance_m**2 + fit.pupil_radius_m**2, 0.0104**2, rtol=1e-6)
    assert np.median(angles_deg(fit.gaze, truth.gaze)[~truth.blinks]) < 1.0


def test_gazes_too_small_to_tell_the_distance_are_degenerate_until_it_is_given() -> None:
    times = np.arange(300) / 120
    camera = Camera(focal_px=590.0, principal_px=(200.0, 200.0))
    azimuth, elevation = 0.005 * np.sin(3 * times), 0.005 * np.cos(2 * times)
    center = np.array([0.001, 0.0, 0.035])
    recording = _seen_by(camera, azimuth, elevation, np.full(300, 0.002), center, times, 0.5)
    fit = fit_eye(recording, camera, OPTIONS)
    assert fit.status is Status.DEGENERATE
    assert any("give depth_m" in words for words in fit.warnings)
    given = fit_eye(recording, camera, replace(OPTIONS, depth_m=0.035))
    assert given.status is Status.CONVERGED
    assert given.center_m[2] == 0.035
    assert given.pupil_radius_m == pytest.approx(0.002, rel=0.05)


@pytest.mark.parametrize("away", [0.0, 0.1, 0.3])
def test_an_eye_that_is_still_does_not_tell_its_distance(away: float) -> None:
    """Far away its noise would be movement: the least of the cost is there, and its standard errors are small."""
    times = np.arange(400) / 120
    camera, center = Camera(focal_px=590.0, principal_px=(200.0, 200.0)), np.array([0.001, 0.0, 0.035])
    for amplitude in (0.0, 0.002):
        azimuth = away + amplitude * np.sin(4 * times)
        recording = _seen_by(camera, azimuth, 0.5 * azimuth, np.full(400, 0.002), center, times, 0.4)
        fit = fit_eye(recording, camera, OPTIONS)
        assert fit.status is Status.DEGENERATE
        assert any("give depth_m" in words for words in fit.warnings)
        assert fit_eye(recording, camera, replace(OPTIONS, depth_m=0.035)).status is Status.CONVERGED
    azimuth = away + 0.02 * np.sin(4 * times)
    wider = _seen_by(camera, azimuth, 0.02 * np.cos(3 * times), np.full(400, 0.002), center, times, 0.4)
    fit = fit_eye(wider, camera, OPTIONS)
    assert fit.status is Status.CONVERGED
    assert abs(fit.center_m[2] - 0.035) < 4 * fit.center_sd_m[2]


def sized(truth: EyeTruth, factor: float) -> Recording:
    """A pupil of another size, at the same places."""
    positions = truth.recording.positions.copy()
    middle = positions[:, :8].mean(axis=1, keepdims=True)
    positions[:, :8] = middle + factor * (positions[:, :8] - middle)
    return replace(truth.recording, positions=positions)


@pytest.mark.parametrize(("factor", "side"), [(0.04, "near"), (6.0, "far away")])
def test_a_pupil_that_no_eye_has_is_told(factor: float, side: str) -> None:
    truth = simulate_eye(frames=300, seed=2)
    fit = fit_eye(sized(truth, factor), camera_of(truth), replace(OPTIONS, depth_m=0.035))
    assert re.match(
        rf"the pupil's radius is .* mm, 10.2 mm from .* found too {side}, .* look at depth_m", fit.warnings[0]
    )


@pytest.mark.parametrize("scale", [1.0, 0.14])
def test_a_pupil_in_proportion_to_its_eye_is_believed(scale: float) -> None:
    truth = simulate_eye(frames=300, seed=2)
    fit = fit_eye(truth.recording, camera_of(truth), replace(OPTIONS, pupil_distance_m=scale * 0.0102))
    assert fit.status is Status.CONVERGED
    assert not any("no eye has that" in words for words in fit.warnings)


def test_a_pupil_that_no_eye_has_is_degenerate_where_no_depth_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = simulate_eye(frames=300, seed=2)
    monkeypatch.setattr("batchlab.motion._eye._fit._NARROWEST", 0.5)
    fit = fit_eye(truth.recording, camera_of(truth), OPTIONS)
    assert fit.status is Status.DEGENERATE
    assert "give depth_m" in fit.warnings[0]


def test_small_ranges_of_gaze_have_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = simulate_eye(frames=300, seed=2)
    monkeypatch.setattr("batchlab.motion._eye._fit._UNSURE", 0.0)
    monkeypatch.setattr("batchlab.motion._eye._fit._NOISY", 1e9)
    positions = truth.recording.positions
    still = replace(truth.recording, positions=positions[:1] + 0.01 * (positions - positions[:1]))
    (words,) = (text for text in fit_eye(still, camera_of(truth), OPTIONS).warnings if "ranges over" in text)
    low, high = re.search(r"ranges over (\S+) by (\S+) degrees", words).groups()  # type: ignore[union-attr]
    assert 0 < float(low) < 1 and 0 < float(high) < 1


def test_what_is_not_an_eye_is_refused() -> None:
    truth = simulate_eye(frames=50)
    camera = camera_of(truth)
    with pytest.raises(DataError, match="with 2 coordinates in px"):
        fit_eye(replace(truth.recording, unit="m"), camera)
    with pytest.raises(DataError, match="name them p1 to p8"):
        fit_eye(replace(truth.recording, markers=tuple("abcdefghi")), camera)
    with pytest.raises(ConfigError, match="no point 'q'"):
        fit_eye(truth.recording, camera, replace(OPTIONS, angles_rad={"q": 0.0}))
    with pytest.raises(DataError, match="0 frames show enough"):
        fit_eye(replace(truth.recording, positions=truth.recording.positions * np.nan), camera)
    with pytest.raises(ConfigError, match="pupil_distance_m is 0"):
        fit_eye(truth.recording, camera, replace(OPTIONS, pupil_distance_m=0.0))
    with pytest.raises(ConfigError, match="without a weight"):
        fit_eye(truth.recording, camera, replace(OPTIONS, smoothing=Smoothing.FIRST))


def test_an_eye_shows_itself() -> None:
    truth = simulate_eye("<b>eye</b>", frames=300, seed=1)
    fit = fit_eye(truth.recording, camera_of(truth), OPTIONS)
    line = repr(fit)
    assert line.startswith(f"<EyeFit of '<b>eye</b>': converged after {fit.iterations} steps, 0.5")
    assert line.endswith(" px rms, 300 frames, 1 warning>")
    tree = ET.fromstring(f"<body>{fit._repr_html_()}</body>")
    assert tree.find("p/b").text == "eye in <b>eye</b>"  # type: ignore[union-attr]
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}svg"))) == 2
    assert [each.text for each in tree.iter("li")] == list(fit.warnings)


def test_cameras_by_their_data_sheet() -> None:
    assert pytest.approx(591.304, abs=1e-3) == PUPIL_LABS.focal_px
    assert PUPIL_LABS.principal_px == (200.0, 200.0)
    with pytest.raises(ConfigError, match="not square"):
        camera_of_lens(1.7, (1.0, 2.0), (400, 400))


def test_two_networks_on_one_mouse_tell_the_same_movements(shared_motion: Path) -> None:
    fits: list[EyeFit] = []
    middles = []
    # The camera is not stated: a long lens, an eye of usual size. Movements are compared, not directions.
    camera, options = (
        Camera(focal_px=1000.0, principal_px=(55.0, 50.0)),
        EyeOptions(pupil_distance_m=0.0014, depth_m=0.06, smoothing=Smoothing.SECOND, rotation=0.05, radius=0.5),
    )
    for seed in (0, 1):
        recording = read_recording(shared_motion / f"eks_ibl_pupil_left_rng{seed}.csv", unit="px", rate_hz=100)
        fits.append(fit_eye(recording, camera, options))
        middles.append(np.nanmean(recording.positions, axis=1))
    one, two = fits
    across = np.corrcoef(one.azimuth_rad, two.azimuth_rad)[0, 1]
    up = np.corrcoef(one.elevation_rad, two.elevation_rad)[0, 1]
    raw = [np.corrcoef(middles[0][:, axis], middles[1][:, axis])[0, 1] for axis in range(2)]
    assert across > raw[0] - 0.15
    assert up > max(raw[1] - 0.05, 0.9)
    assert np.corrcoef(one.pupil_radius_m, two.pupil_radius_m)[0, 1] > 0.6
    between = np.degrees(one.azimuth_rad - two.azimuth_rad)
    assert np.median(np.abs(between - np.median(between))) < 1.5
    assert np.median(one.pupil_radius_m) == pytest.approx(np.median(two.pupil_radius_m), rel=0.05)


@pytest.mark.parametrize("eye", [0, 1])
def test_gazes_of_pupil_labs_come_back_through_a_camera(shared_motion: Path, eye: int) -> None:
    """Their export has no images of the eye: their gazes are seen by a made camera, and found again."""
    gaze = read_gaze(shared_motion / "pupil_labs_gaze_positions.csv")
    normals = gaze.normals[:, eye]
    good = np.isfinite(normals).all(axis=1) & (gaze.confidence > 0.8)
    normals = normals[good] / np.linalg.norm(normals[good], axis=1, keepdims=True)
    middle = normals.mean(axis=0) / np.linalg.norm(normals.mean(axis=0))
    # A camera 35 mm before the eye, that it looks into on the whole.
    right = np.cross([0.0, 1.0, 0.0], middle)
    right /= np.linalg.norm(right)
    axes = np.stack([-right, np.cross(middle, right), -middle])
    seen = normals @ axes.T
    azimuth, elevation = np.arctan2(seen[:, 0], -seen[:, 2]), -np.arcsin(seen[:, 1])
    center = np.array([0.001, -0.0005, 0.035])
    radius = np.full(len(seen), 0.002)
    recording = _seen_by(PUPIL_LABS, azimuth, elevation, radius, center, gaze.times_s[good], 0.4)
    fit = fit_eye(recording, PUPIL_LABS, OPTIONS)
    assert fit.status is Status.CONVERGED
    assert np.sqrt(np.mean(angles_deg(fit.gaze, seen) ** 2)) < 0.6
    # Back in their axes, about their own centre.
    assert np.median(np.linalg.norm(fit.gaze @ axes - normals, axis=1)) < np.radians(0.6)
    assert fit.center_m == pytest.approx(center, abs=1e-3)


def _seen_by(
    camera: Camera,
    azimuth: np.ndarray,
    elevation: np.ndarray,
    radius: np.ndarray,
    center: np.ndarray,
    times: np.ndarray,
    noise_px: float,
) -> Recording:
    angles = np.broadcast_to(2 * np.pi * np.arange(8) / 8, (len(times), 8))
    state = EyeState(frames=np.column_stack([azimuth, elevation, radius]), center=center)
    pixels = project(pupil_places(state, angles, 0.0102, None)[0], camera)[0]
    noise = np.random.default_rng(0).normal(0.0, noise_px, pixels.shape)
    return Recording(
        name="eye", markers=tuple(f"p{n}" for n in range(1, 9)), times_s=times, positions=pixels + noise, unit="px"
    )
