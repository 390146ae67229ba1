"""Held-out scores: what is hidden, that nothing hidden is peeked at, and that they pick what is truly best."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import ConfigError, DataError
from batchlab.motion._model import Body, FitOptions, Loss, Recording, Smoothing, Weights
from batchlab.motion._read import read_recording
from batchlab.motion._score import Holdout, ScoreKind, fit_and_score, gap_lengths, score, score_each, solve
from batchlab.motion._score._masks import blackouts, bursts
from batchlab.motion._score._score import _bent_by
from batchlab.motion._solve import fit_body
from batchlab.motion._synthetic import Truth, simulate

NOISE_M = 0.002


def body_of(recording: Recording) -> Body:
    return Body(name="body", markers=recording.markers)


def options(weight: float, smoothing: Smoothing = Smoothing.SECOND, **more: object) -> FitOptions:
    return FitOptions(
        smoothing=smoothing,
        weights=Weights(data_per_m=1 / NOISE_M, rotation=weight, translation=weight),
        loss=Loss.SQUARED,
        covariance=False,
        **more,  # type: ignore[arg-type]
    )


def true_error_m(truth: Truth, chosen: FitOptions) -> float:
    fit = fit_body([truth.recording], body_of(truth.recording), chosen)[0]
    fitted = np.einsum("fij,mj->fmi", fit.rotations, fit.geometry_m) + fit.translations_m[:, None]
    return float(np.sqrt(np.mean(np.sum((fitted - truth.positions_m) ** 2, axis=2))))


# what is hidden


@given(
    frames=st.integers(40, 400),
    markers=st.integers(1, 6),
    folds=st.integers(2, 6),
    burst=st.one_of(st.none(), st.integers(1, 12)),
    seed=st.integers(0, 99),
)
def test_every_marker_frame_seen_is_hidden_once_unless_that_would_hide_the_marker_throughout(
    frames: int, markers: int, folds: int, burst: int | None, seed: int
) -> None:
    seen = np.random.default_rng(seed).random((frames, markers)) < 0.8
    label = bursts(seen, Holdout(folds=folds, burst_frames=burst, seed=seed), 0)
    assert (label[~seen] == -1).all()
    for marker in range(markers):
        own = label[seen[:, marker], marker]
        if own.size and (own >= 0).any():
            assert (own >= 0).all()
            assert len(set(own.tolist())) > 1
    assert label.max(initial=-1) < folds


def test_bursts_are_as_long_as_real_gaps() -> None:
    seen = np.ones((6000, 4), dtype=bool)
    for start in range(100, 5900, 200):
        seen[start : start + 7, start // 200 % 4] = False
    assert set(gap_lengths(seen)) == {7}
    label = bursts(seen, Holdout(), 0)[:, 0]
    borders = np.flatnonzero(np.diff(label[:90]))
    assert {int(length) % 7 for length in np.diff(borders)} == {0}


def test_folds_hide_alike_and_the_same_seed_hides_the_same() -> None:
    seen = ~np.isnan(simulate(frames=2000).recording.positions[:, :, 0])
    label = bursts(seen, Holdout(seed=3), 1)
    counts = np.bincount(label[label >= 0], minlength=5)
    assert counts == pytest.approx(counts.mean(), rel=0.2)
    assert (label == bursts(seen, Holdout(seed=3), 1)).all()
    assert (label != bursts(seen, Holdout(seed=4), 1)).any()
    assert (label != bursts(seen, Holdout(seed=3), 2)).any()


def test_a_blackout_hides_all_markers_at_once_and_never_the_ends() -> None:
    seen = np.ones((500, 3), dtype=bool)
    label = blackouts(seen, Holdout(kind=ScoreKind.TIME_BLOCKS), 0)
    assert (label == label[:, :1]).all()
    assert (label[:10] == -1).all() and (label[-10:] == -1).all()
    assert (label[10:-10] >= 0).all()


# nothing hidden is peeked at


@pytest.mark.parametrize("smoothing", [Smoothing.NONE, Smoothing.SECOND])
@pytest.mark.parametrize("kind", [ScoreKind.HELD_OUT, ScoreKind.TIME_BLOCKS])
def test_a_fold_foretells_what_a_fit_without_the_hidden_markers_says(smoothing: Smoothing, kind: ScoreKind) -> None:
    truth = simulate(frames=300, markers=5, missing=0.15, seed=4)
    recording, body = truth.recording, body_of(truth.recording)
    chosen, how = options(0.05, smoothing), Holdout(kind=kind, folds=3)
    found = score(solve([recording], body, chosen), how)
    deal = bursts if kind is ScoreKind.HELD_OUT else blackouts
    label = deal(~np.isnan(recording.positions[:, :, 0]), how, 0)
    for fold in range(3):
        positions = recording.positions.copy()
        positions[label == fold] = np.nan
        fit = fit_body([replace(recording, positions=positions)], body, chosen)[0]
        fitted = np.einsum("fij,mj->fmi", fit.rotations, fit.geometry_m) + fit.translations_m[:, None]
        apart = np.sum((fitted - recording.positions)[label == fold] ** 2, axis=1)
        assert found.folds_m[fold] == pytest.approx(np.sqrt(apart.mean()), rel=2e-3)
    assert found.mean_m == pytest.approx(found.folds_m.mean())
    assert found.standard_error_m == pytest.approx(found.folds_m.std(ddof=1) / np.sqrt(3))
    assert found.count == (label >= 0).sum()


def test_hidden_markers_do_not_tell_where_a_loss_bends() -> None:
    truth = simulate(frames=300, markers=6, seed=4)
    recording, body = truth.recording, body_of(truth.recording)
    chosen, how = replace(options(0.0, Smoothing.NONE), loss=Loss.HUBER, loss_scale=1.0), Holdout(folds=3)
    label = bursts(~np.isnan(recording.positions[:, :, 0]), how, 0)
    moved = recording.positions.copy()
    moved[label == 0] += np.random.default_rng(0).normal(0.0, 0.01, ((label == 0).sum(), 3))
    (plain, off) = (
        solve([replace(recording, positions=places)], body, chosen) for places in (recording.positions, moved)
    )
    assert off.begun.robust.scale > 1.1 * plain.begun.robust.scale
    one, other = (_bent_by(solved, (label != 0) & (solved.stack.problem.weights > 0)) for solved in (plain, off))
    assert other.scale / one.scale < 0.5 * off.begun.robust.scale / plain.begun.robust.scale + 0.5


def test_a_marker_left_out_is_foretold_by_the_others_and_the_known_geometry() -> None:
    truth = simulate(frames=300, seed=1)
    recording, body = truth.recording, body_of(truth.recording)
    chosen = options(0.0, Smoothing.NONE)
    solved = solve([recording], body, chosen)
    found = score(solved, Holdout(kind=ScoreKind.LEAVE_ONE_OUT))
    geometry = solved.fits()[0].geometry_m
    positions = recording.positions.copy()
    positions[:, 2] = np.nan
    fixed = replace(chosen, geometry=False, geometry_m=geometry)
    fit = fit_body([replace(recording, positions=positions)], body, fixed)[0]
    place = np.einsum("fij,j->fi", fit.rotations, geometry[2]) + fit.translations_m
    apart = np.sum((place - recording.positions[:, 2])[fit.covered < 2] ** 2, axis=1)
    assert found.per_marker_m[2] == pytest.approx(np.sqrt(np.nanmean(apart)), rel=1e-4)
    assert found.folds_m.shape == (8,)


def test_an_error_of_what_is_hidden_is_the_noise_of_measurement_and_of_the_fit() -> None:
    truth = simulate(frames=1500, noise_m=NOISE_M, seed=2)
    found = score(solve([truth.recording], body_of(truth.recording), options(0.2)))
    assert np.sqrt(3) * NOISE_M < found.mean_m < 1.1 * np.sqrt(3) * NOISE_M
    assert found.median_m < found.mean_m
    assert found.per_marker_m == pytest.approx(found.mean_m, rel=0.1)


def test_recordings_of_one_body_are_scored_together() -> None:
    truths = [simulate(f"session {session}", frames=200, session=session) for session in (0, 1)]
    recordings = [truth.recording for truth in truths]
    fits, found = fit_and_score(recordings, body_of(recordings[0]), options(0.1))
    assert len(fits) == 2
    assert found.count > 0.9 * sum(np.isfinite(each.positions[:, :, 0]).sum() for each in recordings)


# what is picked


@pytest.mark.parametrize(
    ("smoothing", "weights"),
    [
        (Smoothing.FIRST, (0.0, 20.0, 50.0, 100.0, 200.0, 350.0, 500.0)),
        (Smoothing.SECOND, (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)),
    ],
)
def test_the_held_out_score_picks_the_weight_of_least_true_error_and_the_cost_does_not(
    smoothing: Smoothing, weights: tuple[float, ...]
) -> None:
    truth = simulate(frames=2000, noise_m=NOISE_M, missing=0.06)
    candidates = [options(weight, smoothing) for weight in weights]
    scores = score_each([truth.recording], body_of(truth.recording), candidates)
    errors = [true_error_m(truth, each) for each in candidates]
    held_out = [each.mean_m for each in scores]
    assert int(np.argmin(held_out)) == int(np.argmin(errors))
    assert 0 < int(np.argmin(errors)) < len(weights) - 1
    costs = [fit_body([truth.recording], body_of(truth.recording), each)[0].cost for each in candidates]
    assert int(np.argmin(costs)) == 0
    assert errors[0] > 1.2 * min(errors)


def test_blackouts_ask_for_smoothness() -> None:
    truth = simulate(frames=1000, seed=3)
    how = Holdout(kind=ScoreKind.TIME_BLOCKS)
    rough, smooth = score_each([truth.recording], body_of(truth.recording), [options(0.003), options(0.1)], how)
    assert smooth.mean_m < 0.9 * rough.mean_m


def test_a_neighbours_poses_as_the_start_change_no_score() -> None:
    truth = simulate(frames=400, seed=5)
    candidates = [options(weight) for weight in (0.01, 0.1, 1.0)]
    together = score_each([truth.recording], body_of(truth.recording), candidates)
    for candidate, found in zip(candidates, together, strict=True):
        alone = score(solve([truth.recording], body_of(truth.recording), candidate))
        assert found.folds_m == pytest.approx(alone.folds_m, rel=1e-4)


def test_a_loss_of_several_least_costs_is_scored_as_it_is_alone() -> None:
    truth = simulate(frames=200, seed=5)
    body = body_of(truth.recording)
    losses = {Loss.HUBER: 10.0, Loss.CAUCHY: 1.0, Loss.TUKEY: 0.0}
    candidates = [replace(options(weight), loss=loss) for loss, weight in losses.items()]
    together = score_each([truth.recording], body, candidates)
    for candidate, found in zip(candidates, together, strict=True):
        alone = score(solve([truth.recording], body, candidate))
        assert found.folds_m.tolist() == alone.folds_m.tolist()


# what is refused


def test_what_hides_nothing_is_refused() -> None:
    truth = simulate(frames=50)
    solved = solve([truth.recording], body_of(truth.recording), options(0.1))
    with pytest.raises(ConfigError, match="hides nothing; choose one of held-out"):
        score(solved, Holdout(kind=ScoreKind.NONE))
    with pytest.raises(ConfigError, match="1 folds hold nothing out"):
        Holdout(folds=1)
    with pytest.raises(ConfigError, match="for 1 frame or more"):
        Holdout(burst_frames=0)
    with pytest.raises(ConfigError, match="no candidates"):
        score_each([truth.recording], body_of(truth.recording), [])
    with pytest.raises(ConfigError, match="it must be positive"):
        solve([truth.recording], body_of(truth.recording), FitOptions(weights=Weights(data_per_m=0.0)))


def test_three_markers_foretell_no_fourth_without_smoothness() -> None:
    truth = simulate(frames=50, markers=3, missing=0.0)
    solved = solve([truth.recording], body_of(truth.recording), options(0.0, Smoothing.NONE))
    with pytest.raises(DataError, match="nothing that was hidden could be foretold"):
        score(solved, Holdout(kind=ScoreKind.LEAVE_ONE_OUT))


# real bodies


@pytest.mark.parametrize(
    ("file", "pattern", "low_mm", "high_mm"),
    [
        ("pyomeca_markers_analogs.c3d", "boite:*", 0.15, 0.32),
        ("ktk_walking_optitrack.c3d", "Knee*", 1.4, 2.0),
        ("ktk_walking_optitrack.c3d", "Foot*", 2.6, 4.2),
        ("ktk_sample_probing_acromion_R.c3d", "Probe*", 0.05, 0.09),
    ],
)
def test_real_markers_lie_where_the_others_put_them(
    shared_motion: Path, file: str, pattern: str, low_mm: float, high_mm: float
) -> None:
    recording = read_recording(shared_motion / file, markers=pattern)
    chosen = FitOptions(smoothing=Smoothing.NONE, loss=Loss.SQUARED, covariance=False)
    found = score(solve([recording], body_of(recording), chosen), Holdout(kind=ScoreKind.LEAVE_ONE_OUT))
    assert low_mm < found.median_m * 1e3 < high_mm


@pytest.mark.parametrize("outliers", [0.0, 0.02])
def test_scores_of_folds_pick_the_best_weight_however_many_outliers(outliers: float) -> None:
    """The smoothest of those as good as the best to within one standard error, as `find_best` takes it."""
    weights = (0.06, 0.12, 0.25, 0.5)
    right = {"all": 0, "trimmed": 0}
    for seed in range(5):
        truth = simulate(seed=seed, frames=600, outliers=outliers)
        tried = [replace(options(weight), loss=Loss.HUBER) for weight in weights]
        scores = score_each([truth.recording], body_of(truth.recording), tried)
        least = int(np.argmin([true_error_m(truth, each) for each in tried]))
        for name, folds in (
            ("all", [each.folds_m for each in scores]),
            ("trimmed", [each.trimmed_folds_m for each in scores]),
        ):
            best = int(np.argmin([each.mean() for each in folds]))
            apart = [each - folds[best] for each in folds]
            equal = [at for at, each in enumerate(apart) if each.mean() <= each.std(ddof=1) / np.sqrt(len(each))]
            right[name] += max(equal) == least
    assert min(right.values()) >= 4


def test_a_trimmed_score_is_of_noise_where_outliers_rule_the_other() -> None:
    truth = simulate(seed=1, frames=600, outliers=0.02)
    recording = replace(truth.recording, positions=truth.recording.positions.copy())
    recording.positions[100:103, 2] += 1.0
    _, told = fit_and_score([recording], body_of(recording), replace(options(0.2), loss=Loss.HUBER))
    assert told.mean_m > 2 * told.trimmed_m
    # Noise of three coordinates and of the fit, without its own worst twentieth.
    assert told.trimmed_m == pytest.approx(np.sqrt(3) * NOISE_M * 0.93, rel=0.1)
    assert any("held_out_trimmed_mm" in words for words in told.warnings)
    _, plain = fit_and_score([simulate(seed=1, frames=600).recording], body_of(recording), options(0.2))
    assert plain.warnings == ()
    assert plain.trimmed_m == pytest.approx(float(plain.trimmed_folds_m.mean()))
