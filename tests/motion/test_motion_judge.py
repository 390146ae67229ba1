"""What is odd about a recording is told: which marker, in how many frames, how far, where; and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from batchlab.motion._judge import Judgement, judge, swap_runs, unswapped
from batchlab.motion._judge._scale import turns_deg
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
    assert not [words for words in judgement.warnings if "too few markers for a pose" not in words]
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


def test_a_loose_marker_of_the_pointer_is_told_with_the_factor_of_the_rule(shared_motion: Path) -> None:
    recording = read_recording(shared_motion / "ktk_sample_probing_olecrane_R.c3d", markers=["Probe*"])
    judgement = judge(recording, fitted(recording, FitOptions()))
    factors = [float(words.rpartition(" times the noise")[0].split()[-1])
               for words in judgement.warnings if " times the noise of the others" in words]  # fmt: skip
    assert len(factors) == len(loose(judgement)) == 2
    assert min(factors) >= 2.0


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
    assert words.startswith("marker m4 jumps away by up to 7")
    assert words.endswith("in frames 500 to 502")


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
    assert any(
        "20 of 1000 frames see too few markers for a pose" in words and "400 to 419" in words
        for words in judgement.warnings
    )
    assert judgement.inferred == ((400, 420),)
    assert judgement.markers[-1].missing_share == 1.0
    assert np.isnan(judgement.markers[-1].rms_m)


def test_weights_that_do_not_tell_the_noise_are_told_with_the_right_one() -> None:
    options = replace(OPTIONS, smoothing=Smoothing.NONE, weights=Weights(data_per_m=5000))
    (words,) = judged(simulate(missing=0.0), options).warnings
    assert "weights.data_per_m = 5000" in words
    assert float(words.split(", so ")[1].split()[0]) == pytest.approx(500, rel=0.1)


@pytest.mark.parametrize("covariance", [True, False])
@pytest.mark.parametrize("weight", [0.0, 0.3, 3.0])
def test_noise_is_told_however_smooth_the_fit(weight: float, covariance: bool) -> None:
    weights = Weights(data_per_m=500, rotation=weight, translation=weight)
    truth = simulate(seed=3, frames=2000)
    judgement = judged(truth, FitOptions(weights=weights, covariance=covariance))
    # Smoothness takes up degrees of freedom, of which there were six a frame without it.
    assert judgement.noise_m == pytest.approx(0.002, rel=0.04)


def test_smoothness_that_bends_the_motion_is_told_and_no_other() -> None:
    truth = simulate(seed=3, frames=1000)
    for weight, bent in ((0.0, False), (0.3, False), (3.0, True)):
        weights = Weights(data_per_m=500, rotation=weight, translation=weight)
        warnings = judged(truth, FitOptions(weights=weights)).warnings
        assert any(words.startswith("smoothness bends the motion") for words in warnings) is bent
        assert not any("fits it" in words for words in warnings)


def test_many_loose_markers_are_told_in_one_sentence() -> None:
    truth = simulate(markers=15, missing=0.0)
    positions = truth.recording.positions.copy()
    wander = np.sin(np.arange(len(positions)) / 15)
    for place, size in ((2, 0.03), (5, 0.04), (7, 0.02), (11, 0.05)):
        positions[:, place, place % 3] += size * wander
    recording = moved(truth, positions)
    judgement = judge(recording, fitted(recording), data_per_m=500)
    assert loose(judgement) == ["m3", "m6", "m8", "m12"]
    (words,) = (words for words in judgement.warnings if "loose" in words)
    assert words.startswith("4 of 15 markers are loose")
    named = words.split("their places ")[1].split(";")[0].split(", ")
    assert [each.split()[0] for each in named] == ["m12", "m6", "m3", "m8"]
    assert all(each.endswith(" mm") for each in named)


def test_many_bodies_taken_for_one_are_told(shared_motion: Path) -> None:
    everything = read_recording(shared_motion / "pyomeca_markers.csv")
    judgement = judge(everything, fitted(everything, FitOptions()), data_per_m=1000)
    assert any(words.startswith("the 51 markers of body do not move as one rigid body") for words in judgement.warnings)
    assert not any("fits it" in words for words in judgement.warnings)


def test_no_sentence_begins_as_if_with_the_name_of_a_file() -> None:
    # A report groups warnings without a name and a colon ahead of them.
    for case in Case:
        truth = simulate(case=case, markers=6, missing=0.1, outliers=0.002)
        assert not [words for words in judged(truth).warnings if ": " in words]


def test_a_degenerate_fit_is_judged_by_what_was_seen() -> None:
    truth = simulate()
    blind = moved(truth, np.full_like(truth.recording.positions, np.nan))
    body = Body(name="body", markers=truth.recording.markers)
    fit, _ = fit_body([blind, truth.recording], body, OPTIONS)
    judgement = judge(blind, fit)
    assert judgement.swaps == ()
    assert np.isnan(judgement.noise_m)
    assert [words for words in judgement.warnings if "8 markers were never seen, m1, m2" in words]


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
    assert [(swap.start, swap.stop) for swap in judgement.swaps] == [(1952, 1953)]
    # The one that is not rigid moves with each step.
    assert any(words.startswith("marker Foot_Marker2 is loose") for words in judgement.warnings)


@pytest.mark.parametrize("pair", [(0, 1), (2, 5), (3, 7)])
def test_swapped_names_are_found_where_the_body_fits_worse_than_elsewhere(
    shared_motion: Path, pair: tuple[int, int]
) -> None:
    box = read_recording(shared_motion / "pyomeca_markers_analogs.c3d", markers="boite:*")
    positions = box.positions.copy()
    positions[200:240, list(pair)] = positions[200:240, list(reversed(pair))]
    swapped = replace(box, positions=positions)
    (swap,) = judge(swapped, fitted(swapped, FitOptions())).swaps
    assert set(swap.names) == {box.markers[marker] for marker in pair}
    assert (swap.start, swap.stop) == (200, 240)
    assert swap.frames >= 36  # in some of them one of both is hidden


def test_the_loose_marker_of_the_foot_is_the_second_not_the_fifth(shared_motion: Path) -> None:
    """Pairs tell it without any fit: where it takes part they vary most, and without it the least is left."""
    foot = read_recording(shared_motion / "ktk_walking_optitrack.c3d", markers="Foot*")
    places = foot.positions
    spread = {
        (one, other): float(np.nanstd(np.linalg.norm(places[:, one] - places[:, other], axis=1)))
        for one, other in combinations(range(5), 2)
    }
    assert sorted(spread, key=lambda pair: -spread[pair])[:2] == [(1, 2), (1, 3)]
    assert max(value for pair, value in spread.items() if 4 in pair) < 0.002
    left = []
    for without in range(5):
        names = tuple(name for at, name in enumerate(foot.markers) if at != without)
        (fit,) = fit_body([foot], Body(name="foot", markers=names), FitOptions(loss=Loss.SQUARED))
        left.append(float(np.sqrt(np.nanmean(np.sum(fit.residuals_m**2, axis=2)))))
    assert int(np.argmin(left)) == 1
    assert left[1] < 0.75 * left[4]
    assert judge(foot, fitted(foot)).warnings[1].startswith("marker Foot_Marker2 is loose")


def test_names_exchanged_in_one_frame_of_a_walk_are_found(shared_motion: Path) -> None:
    for chosen in ("Foot*", "Foot_Marker[1345]"):
        foot = read_recording(shared_motion / "ktk_walking_optitrack.c3d", markers=[chosen])
        judgement = judge(foot, fitted(foot, FitOptions()))
        (swap,) = judgement.swaps
        assert (swap.start, swap.stop) == (1952, 1953)
        assert set(swap.names) == {"Foot_Marker3", "Foot_Marker5"}
        assert not any("1952" in words and "jumps away" in words for words in judgement.warnings)
        mended = unswapped(foot, judgement.swaps)
        assert any(note.startswith("names mended in frame 1952:") for note in mended.notes)
        fit = fitted(mended, FitOptions())
        assert turns_deg(fit.rotations[1952:1953], fit.rotations[1951:1952])[0] < 5
        assert swap_runs(mended, fit) == ()


def test_a_pose_that_turns_round_and_back_is_told() -> None:
    # Names exchanged in a body that is almost the same turned round: no misfit tells it.
    shape = np.array([[0.05, 0.0, 0.0], [-0.05, 0.0, 0.0], [0.0, 0.03, 0.0]])
    truth = simulate(markers=3, missing=0.0)
    rng = np.random.default_rng(0)
    places = np.einsum("fij,mj->fmi", truth.rotations, shape) + rng.normal(0.0, 0.002, (1000, 3, 3))
    options = replace(OPTIONS, smoothing=Smoothing.NONE)
    plain = moved(truth, places)
    assert not any("turns" in words for words in judge(plain, fitted(plain, options)).warnings)
    swapped = places.copy()
    swapped[400, :2] = places[400, 1::-1]
    recording = moved(truth, swapped)
    (words,) = [words for words in judge(recording, fitted(recording, options)).warnings if "the pose turns" in words]
    assert "for one frame, at frame 400" in words
    assert "look for exchanged names" in words


def test_few_frames_are_told() -> None:
    truth = simulate(missing=0.0)
    whole = truth.recording
    for frames, said in ((1, "1 frame; no noise can be told"), (6, "6 frames; noise is hardly told"), (20, "")):
        note = f"the file holds {frames} frames, though TRIAL says 580, POINT:FRAMES says 570"
        part = replace(whole, times_s=whole.times_s[:frames], positions=whole.positions[:frames], notes=(note,))
        judgement = judge(part, fitted(part, FitOptions(weights=Weights(data_per_m=500))), data_per_m=500)
        warnings = judgement.warnings
        assert np.isnan(judgement.noise_m) == (frames == 1)
        assert not any("fits it" in words for words in warnings)
        assert any(f"holds {frames} of the 580 frames" in words for words in warnings)
        assert [words for words in warnings if words.startswith(f"{frames} frame")] == [
            words for words in warnings if said and words.startswith(said)
        ]
        assert any(said in words for words in warnings)
    other = replace(whole, notes=("the file holds 1000 frames, though its header says 1001",))
    assert not any("cut off" in words for words in judge(other, fitted(other)).warnings)


@pytest.mark.parametrize(("factor", "size"), [(1e3, " m "), (1e-3, " mm "), (1.0, "")])
def test_a_body_of_absurd_size_is_told(factor: float, size: str) -> None:
    truth = simulate(missing=0.0)
    recording = moved(truth, truth.recording.positions * factor)
    options = FitOptions(weights=Weights(data_per_m=500 / factor))
    told = [words for words in judge(recording, fitted(recording, options)).warnings if "is the unit right?" in words]
    assert len(told) == bool(size)
    assert all(size in words for words in told)


@pytest.mark.parametrize(("times", "told"), [(0.2, True), (0.6, False), (1.7, False), (2.5, True)])
def test_the_noise_warned_of_is_the_noise_of_the_judgement(times: float, told: bool) -> None:
    truth = simulate(missing=0.0)
    options = FitOptions(weights=Weights(data_per_m=500 * times))
    judgement = judged(truth, options)
    said = [words for words in judgement.warnings if "fits it" in words]
    assert len(said) == told
    for words in said:
        assert f"the noise of the markers is {1e3 * judgement.noise_m:.2g} mm" in words
        assert float(words.split(", so ")[1].split()[0]) == pytest.approx(1 / judgement.noise_m, rel=0.05)
