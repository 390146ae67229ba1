"""What a fit promises: truth recovered, scipy's cost, invariances, words about degenerate bodies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_makers import Truth, fitted, motion, rms

from batchlab.errors import ConfigError, DataError
from batchlab.motion._model import (
    Body,
    DegenerateBody,
    Fit,
    FitOptions,
    FrameConvention,
    Loss,
    Recording,
    Smoothing,
    Status,
    Weights,
)
from batchlab.motion._quality import quality
from batchlab.motion._solve import fit_body, fit_body_by_scipy, logarithms

if TYPE_CHECKING:
    from pathlib import Path

PER_M = 500.0
FIRST = FitOptions(
    smoothing=Smoothing.FIRST, weights=Weights(data_per_m=PER_M, rotation=20, translation=20), loss=Loss.SQUARED
)
SECOND = replace(FIRST, smoothing=Smoothing.SECOND, weights=Weights(data_per_m=PER_M, rotation=0.3, translation=0.3))
NONE = replace(FIRST, smoothing=Smoothing.NONE, weights=Weights(data_per_m=PER_M))
ORDERS = [pytest.param(options, id=options.smoothing.value) for options in (NONE, FIRST, SECOND)]


def fit(truth: Truth, options: FitOptions) -> Fit:
    (found,) = fit_body([truth.recording], truth.body, options)
    return found


def with_outliers(truth: Truth, share: float, size_m: float, seed: int = 9) -> Truth:
    random = np.random.default_rng(seed)
    positions = truth.recording.positions.copy()
    hit = random.random(positions.shape[:2]) < share
    way = random.normal(size=(int(hit.sum()), 3))
    positions[hit] += size_m * way / np.linalg.norm(way, axis=1)[:, None]
    return truth.with_positions(positions)


@pytest.mark.parametrize("geometry", [True, False])
@pytest.mark.parametrize("loss", list(Loss))
@pytest.mark.parametrize("options", ORDERS)
def test_the_cost_is_scipys(options: FitOptions, loss: Loss, geometry: bool) -> None:
    truth = with_outliers(motion(30), 0.02, 0.03)
    options = replace(
        options, loss=loss, loss_scale=6.0, geometry=geometry, geometry_m=None if geometry else truth.geometry,
        iterations_max=300,
    )  # fmt: skip
    found = fit(truth, options)
    (oracle,) = fit_body_by_scipy([truth.recording], truth.body, options)
    assert found.status is Status.CONVERGED
    assert found.cost == pytest.approx(oracle.cost, rel=1e-6)
    np.testing.assert_allclose(fitted(found), fitted(oracle), atol=2e-6)


@pytest.mark.parametrize("options", ORDERS)
def test_the_truth_comes_back(options: FitOptions) -> None:
    truth = motion(1000)
    found = fit(truth, options)
    assert found.status is Status.CONVERGED
    raw = rms(truth.recording.positions - truth.clean)
    assert raw == pytest.approx(2e-3 * np.sqrt(3), rel=0.02)
    # Six unknowns tell eight markers: at most half of the noise is left, less with smoothness.
    assert rms(fitted(found) - truth.clean) < {"none": 0.57, "first": 0.54, "second": 0.25}[options.smoothing] * raw
    lengths = np.linalg.norm(found.geometry_m[:, None] - found.geometry_m, axis=-1)
    true_lengths = np.linalg.norm(truth.geometry[:, None] - truth.geometry, axis=-1)
    np.testing.assert_allclose(lengths, true_lengths, atol=1e-3)
    assert np.linalg.det(found.rotations) == pytest.approx(np.ones(1000))
    np.testing.assert_allclose(found.geometry_m.mean(axis=0), 0, atol=1e-12)


def test_poses_without_noise_are_exact() -> None:
    truth = motion(100, noise_m=0.0)
    found = fit(truth, replace(NONE, loss=Loss.HUBER))
    np.testing.assert_allclose(fitted(found), truth.clean, atol=1e-9)


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER])
@pytest.mark.parametrize("options", ORDERS)
def test_the_reduced_chi_square_is_one_where_weights_tell_the_noise(options: FitOptions, loss: Loss) -> None:
    found = fit(motion(2000), replace(options, loss=loss))
    assert found.chi2_reduced == pytest.approx(1.0, abs=0.03 if loss is Loss.SQUARED else 0.1)
    quiet = fit(motion(2000), replace(options, loss=loss, covariance=False))
    assert quiet.chi2_reduced == pytest.approx(found.chi2_reduced, rel=0.01)


@pytest.mark.parametrize("options", [ORDERS[0], ORDERS[2]])
def test_standard_errors_are_the_spread_of_errors(options: FitOptions) -> None:
    truth = motion(1500, noise_m=2e-3)
    weights = replace(
        options.weights, rotation=options.weights.rotation / 3, translation=options.weights.translation / 3
    )
    found = fit(truth, replace(options, geometry=False, geometry_m=truth.geometry, weights=weights))
    assert found.pose_sd is not None
    turns = logarithms(found.rotations @ np.swapaxes(truth.rotations, 1, 2))
    moves = found.translations_m - truth.translations
    pulls = np.concatenate([turns, moves], axis=1) / found.pose_sd
    # With smoothness errors are alike for many frames, so their spread is known to a tenth only.
    assert np.sqrt((pulls**2).mean()) == pytest.approx(1.0, abs=0.05 if options is NONE else 0.15)


def test_scaled_weights_leave_standard_errors_alone() -> None:
    truth = motion(300)
    one, other = fit(truth, NONE), fit(truth, replace(NONE, weights=Weights(data_per_m=50.0)))
    np.testing.assert_allclose(one.pose_sd, other.pose_sd, rtol=1e-6)
    assert other.chi2_reduced == pytest.approx(one.chi2_reduced / 100)


@pytest.mark.parametrize("loss", [Loss.HUBER, Loss.CAUCHY, Loss.GEMAN_MCCLURE, Loss.TUKEY])
def test_outliers_hardly_move_a_robust_fit(loss: Loss) -> None:
    truth = with_outliers(motion(600), 0.02, 0.05)
    plain = fit(truth, SECOND)
    robust = fit(truth, replace(SECOND, loss=loss, loss_scale=4.0, iterations_max=300))
    clean = fit(motion(600), SECOND)
    error = rms(fitted(robust) - truth.clean)
    assert error < 1.25 * rms(fitted(clean) - truth.clean)
    assert error < 0.75 * rms(fitted(plain) - truth.clean)
    far = np.linalg.norm(truth.recording.positions - truth.clean, axis=-1) > 0.03
    assert robust.weights_used[far].max() < 0.35
    assert np.median(robust.weights_used[~far & (robust.weights_used > 0)]) > 0.75


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER])
@pytest.mark.parametrize("options", ORDERS)
def test_the_fit_does_not_depend_on_laboratory_axes(options: FitOptions, loss: Loss) -> None:
    options = replace(options, loss=loss)
    truth = motion(150)
    turn = motion(2, seed=5).rotations[1]
    moved = truth.with_positions(truth.recording.positions @ turn.T + np.array([3.0, -2.0, 1.0]))
    one, other = fit(truth, options), fit(moved, options)
    assert other.cost == pytest.approx(one.cost, rel=1e-8)
    np.testing.assert_allclose(fitted(other), fitted(one) @ turn.T + np.array([3.0, -2.0, 1.0]), atol=1e-6)
    np.testing.assert_allclose(other.geometry_m, one.geometry_m, atol=1e-6)


@pytest.mark.parametrize("options", ORDERS)
def test_the_fit_does_not_depend_on_the_bodys_frame(options: FitOptions) -> None:
    truth = motion(150)
    turn, shift = motion(2, seed=6).rotations[1], np.array([0.5, 0.2, -0.3])
    for joint in (True, False):
        given = replace(options, geometry=joint, geometry_m=truth.geometry)
        other = replace(options, geometry=joint, geometry_m=truth.geometry @ turn.T + shift)
        here, there = fit(truth, given), fit(truth, other)
        assert there.cost == pytest.approx(here.cost, rel=1e-9)
        np.testing.assert_allclose(fitted(there), fitted(here), atol=1e-7)
        np.testing.assert_allclose(there.rotations @ turn, here.rotations, atol=1e-5)
        assert here.pose_sd is not None
        assert there.pose_sd is not None
        np.testing.assert_allclose(there.pose_sd[:, :3], here.pose_sd[:, :3], rtol=1e-4)


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER])
@pytest.mark.parametrize("options", ORDERS)
def test_time_reversed_gives_the_fit_reversed(options: FitOptions, loss: Loss) -> None:
    options = replace(options, loss=loss)
    truth = motion(150)
    recording = truth.recording
    backwards = replace(
        recording, positions=recording.positions[::-1], times_s=recording.times_s[-1] - recording.times_s[::-1]
    )
    one = fit(truth, options)
    (other,) = fit_body([backwards], truth.body, options)
    assert other.cost == pytest.approx(one.cost, rel=1e-8)
    np.testing.assert_allclose(fitted(other)[::-1], fitted(one), atol=1e-6)
    assert one.pose_sd is not None
    assert other.pose_sd is not None
    np.testing.assert_allclose(other.pose_sd[::-1], one.pose_sd, rtol=1e-3)


def test_without_smoothness_the_order_of_frames_is_nothing() -> None:
    truth = motion(150)
    order = np.random.default_rng(1).permutation(150)
    one, other = fit(truth, NONE), fit(truth.with_positions(truth.recording.positions[order]), NONE)
    assert other.cost == pytest.approx(one.cost, rel=1e-9)
    np.testing.assert_allclose(fitted(other), fitted(one)[order], atol=1e-7)


def test_the_order_of_markers_is_nothing() -> None:
    truth = motion(150)
    other = Body(name="body", markers=truth.body.markers[::-1])
    one, (two,) = fit(truth, SECOND), fit_body([truth.recording], other, SECOND)
    assert two.cost == pytest.approx(one.cost, rel=1e-9)
    np.testing.assert_allclose(fitted(two)[:, ::-1], fitted(one), atol=1e-7)


@pytest.mark.parametrize("options", ORDERS)
def test_the_unit_of_length_is_nothing(options: FitOptions) -> None:
    truth = motion(150)
    per_km = replace(
        options,
        weights=Weights(
            data_per_m=1e-3 * PER_M,
            rotation=options.weights.rotation,
            translation=1e-3 * options.weights.translation,
        ),
    )
    one, other = fit(truth, options), fit(truth.with_positions(1e3 * truth.recording.positions), per_km)
    assert other.cost == pytest.approx(one.cost, rel=1e-9)
    np.testing.assert_allclose(1e-3 * fitted(other), fitted(one), atol=1e-7)


def test_recordings_share_one_geometry() -> None:
    parts = [motion(120, seed=seed, geometry=motion().geometry, name=f"part {seed}") for seed in (1, 2, 3)]
    found = fit_body([part.recording for part in parts], parts[0].body, SECOND)
    assert [one.recording for one in found] == ["part 1", "part 2", "part 3"]
    for one, part in zip(found, parts, strict=True):
        np.testing.assert_array_equal(one.geometry_m, found[0].geometry_m)
        assert rms(fitted(one) - part.clean) < 1.2e-3
    # Smoothness does not reach across: held to that geometry, each recording alone gives the same poses.
    alone = fit(parts[1], replace(SECOND, geometry=False, geometry_m=found[0].geometry_m))
    np.testing.assert_allclose(alone.translations_m, found[1].translations_m, atol=1e-6)


def test_recordings_of_one_geometry_cost_what_scipy_says() -> None:
    parts = [motion(25, seed=seed, geometry=motion().geometry) for seed in (1, 2, 3)]
    recordings = [part.recording for part in parts]
    found = fit_body(recordings, parts[0].body, SECOND)
    oracle = fit_body_by_scipy(recordings, parts[0].body, SECOND)
    assert [one.cost for one in found] == pytest.approx([one.cost for one in oracle], rel=1e-6)


def test_a_flat_body_is_solved_the_right_way_up() -> None:
    shape = motion().geometry * np.array([1.0, 1.0, 0.0])
    truth = motion(300, geometry=shape)
    found = fit(truth, SECOND)
    assert found.status is Status.CONVERGED
    assert rms(fitted(found) - truth.clean) < 1.5e-3
    assert np.abs(found.geometry_m[:, 2]).max() < 1e-3


def test_a_body_on_a_line_is_refused() -> None:
    truth = motion(100, geometry=np.linspace(-0.1, 0.1, 5)[:, None] * np.array([1.0, 2.0, 0.5]), noise_m=1e-4)
    with pytest.raises(DegenerateBody, match="on a line"):
        fit(truth, SECOND)


def test_two_markers_are_refused() -> None:
    truth = motion(50)
    with pytest.raises(DegenerateBody, match="at most 2"):
        fit_body([truth.recording], Body(name="pair", markers=truth.body.markers[:2]), SECOND)


def test_a_marker_never_seen_is_said_and_left_open() -> None:
    truth = motion(200)
    positions = truth.recording.positions.copy()
    positions[:, 3] = np.nan
    found = fit(truth.with_positions(positions), SECOND)
    assert np.isnan(found.geometry_m[3]).all()
    assert np.isfinite(np.delete(found.geometry_m, 3, axis=0)).all()
    assert any("m3" in sentence and "never seen" in sentence for sentence in found.warnings)
    held = fit(truth.with_positions(positions), replace(SECOND, geometry=False, geometry_m=truth.geometry))
    assert rms(fitted(held)[:, 3] - truth.clean[:, 3]) < 2e-3


def test_a_marker_never_seen_with_three_others_is_refused_by_name() -> None:
    truth = motion(200, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[:100, 7] = np.nan
    positions[100:, :6] = np.nan
    with pytest.raises(DegenerateBody, match="m7"):
        fit(truth.with_positions(positions), SECOND)


def test_markers_that_overlap_in_turns_make_one_geometry() -> None:
    truth = motion(400, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[:200, 5:] = np.nan
    positions[200:, :2] = np.nan
    found = fit(truth.with_positions(positions), SECOND)
    assert rms(fitted(found) - truth.clean) < 2.5e-3


@pytest.mark.parametrize("options", ORDERS)
def test_bare_frames_are_bridged_and_marked(options: FitOptions) -> None:
    truth = motion(300, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[100:108] = np.nan
    positions[150:155, 2:] = np.nan
    positions[200, 0] = np.nan
    found = fit(truth.with_positions(positions), options)
    assert found.status is Status.CONVERGED
    expected = np.zeros(300)
    expected[200] = 1
    expected[100:108] = expected[150:155] = 2
    np.testing.assert_array_equal(found.covered, expected)
    assert np.abs(fitted(found)[100:108] - truth.clean[100:108]).max() < 0.02
    assert any("13 of 300 frames" in sentence for sentence in found.warnings)
    assert np.isnan(found.residuals_m[100:108]).all()
    assert found.pose_sd is not None
    if options.smoothing is Smoothing.NONE:
        assert np.isnan(found.pose_sd[100:108]).all()
    else:
        assert (found.pose_sd[104] > 1.1 * found.pose_sd[50]).all()


@pytest.mark.parametrize("options", ORDERS)
@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.CAUCHY])
def test_residuals_and_weights_are_of_the_poses_given(options: FitOptions, loss: Loss) -> None:
    truth = motion(300, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[100:140, 2:] = np.nan
    positions[160:180, 1:] = np.nan
    positions[185, 2:] = np.nan
    positions[185, 0] += 0.3
    found = fit(truth.with_positions(positions), replace(options, loss=loss))
    np.testing.assert_allclose(found.residuals_m, positions - fitted(found), atol=1e-10)
    if loss is Loss.CAUCHY:
        lengths = np.linalg.norm(found.residuals_m, axis=2)
        assert found.weights_used[lengths > 0.05].max(initial=0.0) < 0.2
    based = np.linalg.norm(found.residuals_m, axis=2)[found.covered != 2]
    assert quality((found,)).rms_m == pytest.approx(float(np.sqrt(np.nanmean(based**2))))


def test_poses_between_neighbours_follow_the_markers_that_were_seen() -> None:
    truth = motion(300, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[100:160, 2:] = np.nan
    positions[200:230, 1:] = np.nan
    # Names exchanged in a frame of two markers must not turn the body round.
    positions[130, :2] = positions[130, 1::-1]
    found = fit(truth.with_positions(positions), NONE)
    apart = np.linalg.norm(fitted(found) - positions, axis=2)
    two = np.array([frame for frame in range(100, 160) if frame != 130])
    assert apart[two, :2].max() < 0.01
    assert apart[200:230, 0].max() < 1e-9
    before, at = found.rotations[129], found.rotations[130]
    assert np.degrees(np.arccos((np.trace(before.T @ at) - 1) / 2)) < 30


def test_smoothness_carries_on_beyond_the_last_frame_seen() -> None:
    truth = motion(200, missing=0.0, noise_m=1e-4)
    positions = truth.recording.positions.copy()
    positions[195:] = np.nan
    found = fit(truth.with_positions(positions), replace(SECOND, weights=Weights(rotation=0.05, translation=0.05)))
    assert np.abs(fitted(found)[195:] - truth.clean[195:]).max() < 0.02


def test_dropped_frames_are_real_time() -> None:
    truth = motion(400, missing=0.0)
    kept = np.sort(np.random.default_rng(2).permutation(400)[:300])
    recording = replace(
        truth.recording, times_s=truth.recording.times_s[kept], positions=truth.recording.positions[kept]
    )
    (found,) = fit_body([recording], truth.body, SECOND)
    assert rms(fitted(found) - truth.clean[kept]) < 1.0e-3
    squeezed = replace(recording, times_s=np.arange(300) / 100.0)
    (wrong,) = fit_body([squeezed], truth.body, SECOND)
    assert rms(fitted(wrong) - truth.clean[kept]) > 1.5 * rms(fitted(found) - truth.clean[kept])


def test_a_recording_without_the_body_is_degenerate_and_the_others_are_solved() -> None:
    truth = motion(100)
    empty = replace(truth.recording, name="empty", positions=np.full_like(truth.recording.positions, np.nan))
    found = fit_body([empty, truth.recording], truth.body, SECOND)
    assert [one.status for one in found] == [Status.DEGENERATE, Status.CONVERGED]
    assert np.isnan(found[0].rotations).all()
    assert (found[0].covered == 2).all()
    assert rms(fitted(found[1]) - truth.clean) < 1.2e-3


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("markers", [3, 4])
@pytest.mark.parametrize("options", ORDERS)
def test_the_shortest_recordings_of_the_smallest_bodies_are_solved(
    options: FitOptions, markers: int, frames: int
) -> None:
    truth = motion(frames, geometry=motion().geometry[:markers], missing=0.0)
    for loss in (Loss.SQUARED, Loss.HUBER):
        found = fit(truth, replace(options, loss=loss))
        assert found.status is Status.CONVERGED
        assert np.isfinite(found.rotations).all()
        assert rms(found.residuals_m) < 5e-3


def test_long_gaps_of_most_markers_are_crossed() -> None:
    truth = motion(2000, missing=0.9)
    found = fit(truth, replace(SECOND, loss=Loss.HUBER))
    assert found.status is Status.CONVERGED
    assert (found.covered == 2).sum() > 100
    assert np.median(np.linalg.norm(fitted(found) - truth.clean, axis=-1)) < 2e-3


@pytest.mark.parametrize("loss", [Loss.HUBER, Loss.CAUCHY, Loss.GEMAN_MCCLURE, Loss.TUKEY])
def test_swapped_labels_are_outvoted(loss: Loss) -> None:
    truth = motion(600)
    positions = truth.recording.positions.copy()
    positions[300:340, [1, 5]] = positions[300:340, [5, 1]]
    found = fit(truth.with_positions(positions), replace(SECOND, loss=loss, loss_scale=4.0))
    assert found.status is Status.CONVERGED
    assert rms(fitted(found) - truth.clean) < 1.6e-3
    assert found.weights_used[300:340, [1, 5]].max() < 0.3


FORGETTING = [Loss.CAUCHY, Loss.GEMAN_MCCLURE, Loss.TUKEY]


@pytest.mark.parametrize("loss", FORGETTING)
@pytest.mark.parametrize(("share", "bound", "beside"), [(0.0, 1.05, 1.05), (0.02, 1.08, 1.02), (0.1, 1.8, 1.05)])
def test_losses_are_as_good_as_hubers_by_default(loss: Loss, share: float, bound: float, beside: float) -> None:
    errors = {}
    for each in (Loss.HUBER, loss):
        squares = []
        for seed in range(3):
            truth = with_outliers(motion(600, seed=seed), share, 0.05)
            told = np.isfinite(truth.recording.positions[:, :, 0]).sum(axis=1) >= 4
            found = fit(truth, replace(NONE, loss=each, iterations_max=300))
            assert found.status is Status.CONVERGED
            squares.append(rms((fitted(found) - truth.clean)[told]) ** 2)
        errors[each] = float(np.sqrt(np.mean(squares)))
    best = float(np.sqrt(np.mean([_unbent(seed) for seed in range(3)])))
    assert errors[loss] < bound * best
    assert errors[loss] < beside * errors[Loss.HUBER]


def _unbent(seed: int) -> float:
    """Mean squared error of least squares where nothing is off."""
    truth = motion(600, seed=seed)
    told = np.isfinite(truth.recording.positions[:, :, 0]).sum(axis=1) >= 4
    return rms((fitted(fit(truth, NONE)) - truth.clean)[told]) ** 2


@pytest.mark.parametrize("loss", [Loss.GEMAN_MCCLURE, Loss.TUKEY])
@pytest.mark.parametrize("markers", [3, 6])
def test_no_loss_throws_a_frame_away(loss: Loss, markers: int) -> None:
    truth = with_outliers(motion(300, geometry=motion().geometry[:markers], missing=0.0), 0.02, 0.05)
    huber = fit(truth, replace(NONE, loss=Loss.HUBER))
    found = fit(truth, replace(NONE, loss=loss, loss_scale=0.5))
    spared = found.covered == 2
    assert spared.sum() > 0
    (words,) = (words for words in found.warnings if "fewer than three" in words)
    assert words.startswith(f"in {spared.sum()} of 300 frames {loss} would leave")
    assert np.isnan(found.pose_sd[spared]).all()
    assert np.isfinite(found.pose_sd[~spared]).all()
    assert np.linalg.norm(fitted(found) - fitted(huber), axis=-1).max() < 0.05
    kept = np.linalg.norm(fitted(found) - fitted(huber), axis=-1)[spared]
    assert np.median(kept) < 1e-3


def test_a_loss_that_keeps_no_frame_is_hubers() -> None:
    truth = motion(60, missing=0.0)
    found = fit(truth, replace(NONE, loss=Loss.TUKEY, loss_scale=0.01))
    assert (found.covered == 2).all()
    np.testing.assert_allclose(fitted(found), fitted(fit(truth, replace(NONE, loss=Loss.HUBER))), atol=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_three_markers_converge_to_scipys_cost_by_default(seed: int) -> None:
    truth = with_outliers(motion(40, geometry=motion().geometry[:3], missing=0.0, seed=seed), 0.05, 0.02)
    found = fit(truth, FitOptions())
    assert found.status is Status.CONVERGED
    assert found.iterations < 40
    (oracle,) = fit_body_by_scipy([truth.recording], truth.body, FitOptions(iterations_max=500))
    assert found.cost == pytest.approx(oracle.cost, rel=1e-6)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_loss_that_bends_nowhere_is_refused(scale: float) -> None:
    with pytest.raises(ConfigError, match="loss_scale"):
        fit(motion(20), FitOptions(loss_scale=scale))


def test_the_limit_of_iterations_is_a_status() -> None:
    assert fit(motion(50), replace(SECOND, iterations_max=1)).status is Status.ITERATION_LIMIT


def test_a_mirrored_start_is_turned_and_a_mirrored_geometry_refused() -> None:
    truth = motion(100)
    mirror = truth.geometry * np.array([1.0, 1.0, -1.0])
    found = fit(truth, replace(SECOND, geometry_m=mirror))
    assert rms(fitted(found) - truth.clean) < 1.2e-3
    assert any("mirror" in sentence for sentence in found.warnings)
    with pytest.raises(DataError, match="mirror"):
        fit(truth, replace(SECOND, geometry=False, geometry_m=mirror))


def test_a_convention_places_the_bodys_frame() -> None:
    truth = motion(100)
    convention = FrameConvention(origin="m1", x_axis="m4", xy_plane="m6")
    (found,) = fit_body([truth.recording], replace(truth.body, convention=convention), SECOND)
    np.testing.assert_allclose(found.geometry_m[1], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.geometry_m[4, 1:], 0.0, atol=1e-12)
    assert found.geometry_m[4, 0] > 0
    assert found.geometry_m[6, 1] > 0
    assert found.geometry_m[6, 2] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(fitted(found), fitted(fit(truth, SECOND)), atol=1e-9)
    with pytest.raises(ConfigError, match="no marker 'nose'"):
        fit_body([truth.recording], replace(truth.body, convention=FrameConvention(origin="nose")), SECOND)


def test_confidence_and_weights_of_markers_count() -> None:
    truth = motion(200, missing=0.0)
    positions = truth.recording.positions.copy()
    positions[:, 2] += np.random.default_rng(3).normal(size=(200, 3)) * 0.03
    loud = truth.with_positions(positions)
    lighter = replace(SECOND, weights=replace(SECOND.weights, per_marker={"m2": 0.05}))
    confidence = np.ones((200, 8))
    confidence[:, 2] = 0.05
    doubted = replace(loud.recording, confidence=confidence)
    plain, weighed = fit(loud, SECOND), fit(loud, lighter)
    (by_confidence,) = fit_body([doubted], loud.body, SECOND)
    assert by_confidence.cost == pytest.approx(weighed.cost, rel=1e-9)
    others = [0, 1, 3, 4, 5, 6, 7]
    assert rms((fitted(weighed) - truth.clean)[:, others]) < 0.7 * rms((fitted(plain) - truth.clean)[:, others])


def test_ones_own_residuals_join_the_cost_in_scipy() -> None:
    truth = motion(30)
    anchor = np.array([0.1, 0.2, 0.3])

    def pulled(rotations: np.ndarray, translations_m: np.ndarray, geometry_m: np.ndarray) -> np.ndarray:
        marker = translations_m + rotations @ geometry_m[0]
        return 1e5 * (marker - anchor)

    options = replace(NONE, geometry=False, geometry_m=truth.geometry, loss=Loss.SQUARED)
    (found,) = fit_body_by_scipy([truth.recording], truth.body, options, terms=[pulled])
    np.testing.assert_allclose(fitted(found)[:, 0], np.tile(anchor, (30, 1)), atol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": "px"}, "not px"),
        ({"markers": tuple("abcdefgh")}, "none of the markers"),
        ({"times_s": np.zeros(30)}, "do not ascend"),
    ],
)
def test_a_recording_that_cannot_be_fitted_is_refused(change: dict[str, object], words: str) -> None:
    truth = motion(30)
    with pytest.raises(DataError, match=words):
        fit_body([replace(truth.recording, **change)], truth.body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (replace(SECOND, geometry=False), "not given"),
        (replace(SECOND, geometry_m=np.zeros((2, 3))), "8 markers"),
        (replace(SECOND, weights=Weights(data_per_m=0.0)), "must be positive"),
        (replace(SECOND, weights=Weights(per_marker={"nose": 1.0})), "'nose'"),
    ],
)
def test_options_that_contradict_are_refused(options: FitOptions, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        fit(motion(30), options)


def real(folder: Path, name: str, pattern: str) -> Recording:
    from batchlab.motion._read import read_recording

    return read_recording(folder / name, markers=pattern)


def misfit_mm(found: tuple[Fit, ...]) -> tuple[float, float]:
    lengths = np.concatenate([np.linalg.norm(one.residuals_m, axis=-1).ravel() for one in found])
    lengths = 1e3 * lengths[np.isfinite(lengths)]
    return float(np.sqrt(np.mean(lengths**2))), float(np.median(lengths))


REAL = FitOptions(smoothing=Smoothing.NONE, weights=Weights(data_per_m=1 / 0.3e-3), loss=Loss.SQUARED)


def test_the_real_box_is_rigid(shared_motion: Path) -> None:
    recording = real(shared_motion, "pyomeca_markers_analogs.c3d", "boite:*")
    found = fit_body([recording], Body(name="box", markers=recording.markers), REAL)
    assert misfit_mm(found) == pytest.approx((0.256, 0.147), abs=1e-3)


def test_the_real_pointer_is_one_body_in_four_recordings(shared_motion: Path) -> None:
    places = ("acromion", "medial_epicondyle", "olecrane", "radial_styloid")
    recordings = [real(shared_motion, f"ktk_sample_probing_{place}_R.c3d", "Probe*") for place in places]
    body = Body(name="pointer", markers=recordings[0].markers)
    assert misfit_mm(fit_body(recordings[:1], body, REAL)) == pytest.approx((0.053, 0.039), abs=1e-3)
    together = fit_body(recordings, body, REAL)
    # Distances between its markers differ by up to 0.35 mm from recording to recording.
    assert misfit_mm(together)[0] == pytest.approx(0.123, abs=1e-3)
    oracle = fit_body_by_scipy(recordings, body, REAL)
    assert sum(one.cost for one in together) == pytest.approx(sum(one.cost for one in oracle), rel=1e-6)


@pytest.mark.parametrize(("body", "squared", "huber"), [("Knee", 0.877, 0.634), ("Foot", 2.40, 1.33)])
def test_real_plates_of_a_walk_leave_what_skin_leaves(
    shared_motion: Path, body: str, squared: float, huber: float
) -> None:
    recording = real(shared_motion, "ktk_walking_optitrack.c3d", f"{body}_*")
    plate = Body(name=body, markers=recording.markers)
    smooth = replace(REAL, smoothing=Smoothing.SECOND, weights=Weights(data_per_m=1 / 0.3e-3, rotation=0.02, translation=0.02))  # fmt: skip  # noqa: E501
    assert misfit_mm(fit_body([recording], plate, smooth))[0] == pytest.approx(squared, rel=0.08)
    (robust,) = fit_body([recording], plate, replace(smooth, loss=Loss.HUBER))
    assert robust.status is Status.CONVERGED
    assert misfit_mm((robust,))[1] == pytest.approx(huber, rel=0.08)


REAL_BODIES = [
    ("pyomeca_markers_analogs.c3d", "boite:*"),
    ("ktk_walking_optitrack.c3d", "Knee_*"),
    ("ktk_walking_optitrack.c3d", "Leg*"),
    ("ktk_sample_propulsion.c3d", "ArmR*"),
    ("ktk_sample_propulsion.c3d", "GloveR*"),
    ("ktk_sample_propulsion.c3d", "ScapulaL*"),
    ("ktk_sample_probing_acromion_R.c3d", "Probe*"),
]


@pytest.mark.parametrize(("file", "pattern"), REAL_BODIES)
def test_real_bodies_converge_by_default_and_stay_with_every_loss(shared_motion: Path, file: str, pattern: str) -> None:
    recording = real(shared_motion, file, pattern)
    body = Body(name="body", markers=recording.markers)
    (huber,) = fit_body([recording], body)
    assert huber.status is Status.CONVERGED
    assert huber.iterations < 40
    for loss in (Loss.CAUCHY, Loss.GEMAN_MCCLURE, Loss.TUKEY):
        for scale in (None, 2.0):
            (found,) = fit_body([recording], body, FitOptions(loss=loss, loss_scale=scale))
            away = 1e3 * np.linalg.norm(fitted(found) - fitted(huber), axis=-1).max(axis=1)
            assert away.max() < 10
            assert np.median(away) < 3


@pytest.mark.parametrize(
    ("markers", "prefix", "turn_deg", "origin_mm"),
    [(("LFHD", "RFHD", "LBHD", "RBHD"), "HED", 0.0155, 0.042), (("LASI", "RASI", "LPSI", "RPSI"), "PEL", 0.05, 0.21)],
    ids=["head", "pelvis"],
)
def test_head_and_pelvis_turn_as_the_vendors_frames(
    shared_motion: Path, markers: tuple[str, ...], prefix: str, turn_deg: float, origin_mm: float
) -> None:
    recording = real(shared_motion, "pycgm_59993_static.c3d", "*")
    names = {name.split(":")[-1]: name for name in recording.markers}

    def place(short: str) -> np.ndarray:
        return recording.positions[:, recording.markers.index(names[short])]

    (found,) = fit_body([recording], Body(name=prefix, markers=tuple(names[short] for short in markers)), REAL)
    origin = place(f"{prefix}O")
    axes = np.stack([place(f"{prefix}{axis}") - origin for axis in "ALP"], axis=-1)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    between = np.swapaxes(found.rotations, 1, 2) @ axes
    left, _, right = np.linalg.svd(between.mean(axis=0))
    turns = np.degrees(np.linalg.norm(logarithms((left @ right).T @ between), axis=1))
    assert np.sqrt(np.mean(turns**2)) < turn_deg
    in_body = np.einsum("fji,fj->fi", found.rotations, origin - found.translations_m)
    assert 1e3 * rms(in_body - in_body.mean(axis=0)) < origin_mm


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER])
def test_one_frame_by_itself_tells_no_noise(loss: Loss) -> None:
    found = fit(motion(1), replace(NONE, loss=loss))
    assert found.status is Status.CONVERGED
    assert np.isnan(found.chi2_reduced)
    assert found.pose_sd is not None and np.isnan(found.pose_sd).all()
    known = fit(motion(1), replace(NONE, loss=loss, geometry=False, geometry_m=motion(1).geometry))
    assert known.chi2_reduced > 0 and known.pose_sd is not None and (known.pose_sd > 0).all()
