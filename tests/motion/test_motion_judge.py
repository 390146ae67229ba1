"""What is odd about a recording is told: which marker, in how many frames, how far, where; and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from batchlab.motion._judge import Judgement, judge, swap_runs, unswapped
from batchlab.motion._model import Body, Fit, FitOptions, Loss, Recording, Smoothing, Weights
from batchlab.motion._read import read_recording
from batchlab.motion._solve import fit_body
from batchlab.motion._synthetic import Case, Truth, simulate

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = FitOptions(weights=Weights(data_per_m=500, rotation=0.3, translation=0.3))


def fitted(recording: Recording, options: FitOptions = OPTIONS) -> Fit:
    (fit,) = fit_body([recording], Body(name="body", markers=recording.markers), options)
    return fit


def judged(truth: Truth, options: FitOptions = OPTIONS) -> Judgement:
    return judge(truth.recording, fitted(truth.recording, options), data_per_m=options.weights.data_per_m)


def moved(truth: Truth, positions: np.ndarray) -> Recording:
    return replace(truth.recording, positions=positions)


def loose(judgement: Judgement) -> list[str]:
    return [row.name for row in judgement.markers if row.loose]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("markers", [4, 5, 8])
def test_nothing_is_said_of_a_plain_recording(seed: int, markers: int) -> None:
    judgement = judged(simulate(seed=seed, markers=markers, missing=0.02))
    assert not [words for words in judgement.warnings if "no markers of theirs" not in words]
    assert judgement.swaps == ()
    assert loose(judgement) == []
    assert judgement.noise_m == pytest.approx(0.002, rel=0.5)
    for row in judgement.markers:
        assert row.inlier_share > 0.995
        assert row.missing_share < 0.1
        assert row.rms_m == pytest.approx(0.0034, rel=0.5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("markers", [4, 5, 6, 8])
def test_a_loose_marker_is_named_and_no_other(seed: int, markers: int) -> None:
    truth = simulate(case=Case.LOOSE, seed=seed, markers=markers)
    judgement = judged(truth)
    assert loose(judgement) == [truth.loose]
    (words,) = [words for words in judgement.warnings if f"marker {truth.loose} is loose" in words]
    assert "mm from its place" in words
    assert "leave it out" in words


def test_a_noisy_marker_is_not_called_loose() -> None:
    truth = simulate()
    noise = np.random.default_rng(1).normal(0.0, 0.01, (1000, 3))
    positions = truth.recording.positions.copy()
    positions[:, 2] += noise
    recording = moved(truth, positions)
    judgement = judge(recording, fitted(recording))
    assert any("marker m3 is noisy" in words for words in judgement.warnings)


def test_a_marker_that_was_knocked_is_told_with_frame_and_distance() -> None:
    truth = simulate()
    positions = truth.recording.positions.copy()
    positions[600:, 4] += np.einsum("fij,j->fi", truth.rotations[600:], np.array([0.0, 0.015, 0.0]))
    recording = moved(truth, positions)
    (words,) = [words for words in judge(recording, fitted(recording)).warnings if "was knocked" in words]
    assert words.startswith("marker m5")
    frame = int(words.split("from frame ")[1].split()[0])
    assert abs(frame - 600) <= 12
    assert float(words.split(" mm from where")[0].split()[-1]) == pytest.approx(15, abs=3)


@pytest.mark.parametrize("outliers", [0.0, 0.01])
@pytest.mark.parametrize(("seed", "markers"), [(0, 8), (1, 5), (2, 8), (3, 6)])
def test_swapped_names_are_found_where_they_are(seed: int, markers: int, outliers: float) -> None:
    truth = simulate(case=Case.SWAPPED, seed=seed, markers=markers, outliers=outliers)
    judgement = judged(truth)
    assert truth.swap is not None
    (swap,) = judgement.swaps
    assert set(swap.names) == {truth.swap.first, truth.swap.second}
    assert abs(swap.start - truth.swap.start) <= 2
    assert abs(swap.stop - truth.swap.stop) <= 2
    assert swap.after_m < 0.003 < 0.01 < swap.before_m
    assert any("bear each other's name" in words and f"frames {swap.start} to" in words for words in judgement.warnings)
    assert loose(judgement) == []


def test_mended_names_fit_as_if_never_swapped() -> None:
    truth = simulate(case=Case.SWAPPED)
    fit = fitted(truth.recording)
    swaps = swap_runs(truth.recording, fit)
    mended = unswapped(truth.recording, swaps)
    again = fitted(mended)
    plain = fitted(simulate().recording)
    assert swap_runs(mended, again) == ()
    assert again.cost == pytest.approx(plain.cost, rel=1e-9)
    assert any("names mended in frames 333 to 432" in note for note in mended.notes)


def test_three_names_in_a_ring_are_told_by_name() -> None:
    truth = simulate(missing=0.0)
    positions = truth.recording.positions.copy()
    positions[200:260, [0, 1, 2]] = truth.recording.positions[200:260, [1, 2, 0]]
    recording = moved(truth, positions)
    judgement = judge(recording, fitted(recording))
    (swap,) = judgement.swaps
    # Column m1 holds what is m2.
    assert dict(zip(swap.names, swap.truly, strict=True)) == {"m1": "m2", "m2": "m3", "m3": "m1"}
    assert (swap.start, swap.stop) == (200, 260)
    assert "m1 is m2" in judgement.warnings[0]


def test_a_name_given_to_another_marker_while_that_is_hidden_is_found() -> None:
    truth = simulate(missing=0.0)
    positions = truth.recording.positions.copy()
    positions[300:340, 1] = positions[300:340, 0]
    positions[300:340, 0] = np.nan
    recording = moved(truth, positions)
    (swap,) = judge(recording, fitted(recording)).swaps
    assert dict(zip(swap.names, swap.truly, strict=True))["m2"] == "m1"
    assert (swap.start, swap.stop) == (300, 340)


def test_scattered_outliers_are_no_swaps_and_are_counted() -> None:
    for seed in range(3):
        judgement = judged(simulate(seed=seed, markers=5, outliers=0.01))
        assert judgement.swaps == ()
        count = sum(run.frames for run in judgement.outliers)
        assert 25 <= count <= 75
        assert all(0.015 < run.largest_m < 0.08 for run in judgement.outliers)


def test_one_jump_is_told_with_marker_frames_and_distance() -> None:
    truth = simulate(missing=0.0)
    positions = truth.recording.positions.copy()
    positions[500:503, 3, 2] += 0.08
    recording = moved(truth, positions)
    judgement = judge(recording, fitted(recording))
    (words,) = judgement.warnings
    assert words.startswith("marker m4 jumps away in 3 frames, by up to 7")
    assert words.endswith("frames 500 to 502")


def test_frames_in_which_the_body_does_not_fit_are_told() -> None:
    truth = simulate(missing=0.0)
    positions = truth.recording.positions.copy()
    positions[700:710] += np.random.default_rng(0).normal(0.0, 0.05, (10, 8, 3))
    recording = moved(truth, positions)
    judgement = judge(recording, fitted(recording))
    assert set(judgement.outlier_frames) == set(range(700, 710))
    assert any("half of the markers or more" in words and "frames 700 to 709" in words for words in judgement.warnings)


def test_a_flat_body_is_told_and_a_triangle_is_not() -> None:
    flat = judged(simulate(case=Case.PLANAR))
    assert any("lie in a plane" in words for words in flat.warnings)
    assert flat.thickness_m < 0.0002 < 0.02 < flat.width_m
    triangle = judged(simulate(markers=3, missing=0.0))
    assert triangle.warnings == ()


def test_a_body_almost_on_a_line_is_told_with_its_uncertainty() -> None:
    truth = simulate(missing=0.0)
    line = np.zeros((8, 3))
    line[:, 0] = np.linspace(-0.1, 0.1, 8)
    line[:, 1] = 0.005 * np.array([1, -1, 1, -1, -1, 1, -1, 1])
    clean = np.einsum("fij,mj->fmi", truth.rotations, line) + truth.translations_m[:, None]
    recording = moved(truth, clean + np.random.default_rng(0).normal(0.0, 0.0003, clean.shape))
    (words,) = judge(recording, fitted(recording, replace(OPTIONS, smoothing=Smoothing.NONE))).warnings
    assert "almost on a line" in words
    assert "degrees" in words


def test_what_was_not_seen_is_told() -> None:
    truth = simulate(case=Case.NEVER_VISIBLE, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[400:420] = np.nan
    positions[50:, 0] = np.nan
    recording = moved(truth, positions)
    judgement = judge(recording, fitted(recording))
    assert any("marker m8 was never seen" in words for words in judgement.warnings)
    assert any("marker m1 was seen in 5.0 % of the frames only" in words for words in judgement.warnings)
    assert any("20 of 1000 frames have a pose" in words and "400 to 419" in words for words in judgement.warnings)
    assert judgement.inferred == ((400, 420),)
    assert judgement.markers[-1].missing_share == 1.0
    assert np.isnan(judgement.markers[-1].rms_m)


def test_weights_that_do_not_tell_the_noise_are_told_with_the_right_one() -> None:
    options = replace(OPTIONS, smoothing=Smoothing.NONE, weights=Weights(data_per_m=5000))
    (words,) = judged(simulate(missing=0.0), options).warnings
    assert "weights.data_per_m = 5000" in words
    assert float(words.split(", so ")[1].split()[0]) == pytest.approx(500, rel=0.1)


def test_a_degenerate_fit_is_judged_by_what_was_seen() -> None:
    truth = simulate()
    blind = moved(truth, np.full_like(truth.recording.positions, np.nan))
    body = Body(name="body", markers=truth.recording.markers)
    fit, _ = fit_body([blind, truth.recording], body, OPTIONS)
    judgement = judge(blind, fit)
    assert judgement.swaps == ()
    assert np.isnan(judgement.noise_m)
    assert len([words for words in judgement.warnings if "was never seen" in words]) == 8


@pytest.mark.parametrize("loss", list(Loss))
def test_every_loss_tells_the_same(loss: Loss) -> None:
    truth = simulate(case=Case.SWAPPED, missing=0.02)
    judgement = judged(truth, replace(OPTIONS, loss=loss, loss_scale=4.0))
    assert {frozenset(swap.names) for swap in judgement.swaps} == {frozenset({"m1", "m2"})}


def test_real_bodies(shared_motion: Path) -> None:
    weights = Weights(data_per_m=1 / 0.0003, rotation=0.3, translation=0.3)
    box = read_recording(shared_motion / "pyomeca_markers_analogs.c3d", markers="boite:*")
    judgement = judge(box, fitted(box, FitOptions(weights=weights)))
    assert judgement.swaps == ()
    assert loose(judgement) == []
    assert judgement.noise_m == pytest.approx(0.0001, rel=0.3)
    foot = read_recording(shared_motion / "ktk_walking_optitrack.c3d", markers="Foot*")
    judgement = judge(foot, fitted(foot, FitOptions(weights=weights)))
    assert judgement.swaps == ()
    # The one that is not rigid moves with each step.
    assert any(words.startswith("marker Foot_Marker2 is loose") for words in judgement.warnings)
