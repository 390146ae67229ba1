"""Where a solve starts: the geometry from few frames, poses drawn smooth through time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from solve_makers import fitted, motion

from batchlab.motion._known import Anchor
from batchlab.motion._model import DegenerateBody, FitOptions, Loss, Smoothing, Status, Weights
from batchlab.motion._solve._fit import begun, fit_body
from batchlab.motion._solve._gauge import aligned
from batchlab.motion._solve._joint import _direction, linearised, minimise
from batchlab.motion._solve._kabsch import nearest_rotations
from batchlab.motion._solve._problem import Robust
from batchlab.motion._solve._rotations import exponentials, inverse_jacobians, logarithms, turned_back
from batchlab.motion._solve._smooth import smoothed
from batchlab.motion._solve._stack import stack
from batchlab.motion._solve._start import start_geometry
from batchlab.motion._solve._terms import evaluate

SMOOTH = FitOptions(weights=Weights(data_per_m=500, rotation=0.3, translation=0.3), loss=Loss.SQUARED)
FIRST = replace(SMOOTH, smoothing=Smoothing.FIRST, weights=Weights(data_per_m=500, rotation=100.0, translation=300.0))


@pytest.mark.parametrize("options", [SMOOTH, FIRST])
def test_a_smooth_start_is_near_the_solution(options: FitOptions) -> None:
    truth = motion(400)
    plain = stack([truth.recording], truth.body, options)
    drawn = smoothed(plain)
    begin = begun(drawn, options)
    end = minimise(plain.problem, begin.state, begin.robust, 100, 1e-10).terms.cost
    costs = [evaluate(plain.problem, each.start, Robust()).cost for each in (plain, drawn)]
    assert costs[1] - end < 0.1 * min(end, costs[0] - end)


def test_bare_frames_are_drawn_along_and_recordings_stay_apart() -> None:
    truth = motion(200)
    positions = truth.recording.positions.copy()
    positions[80:95] = np.nan
    hidden = replace(truth.recording, positions=positions)
    alone = smoothed(stack([hidden], truth.body, SMOOTH))
    plain = stack([hidden], truth.body, SMOOTH)
    centroids = truth.clean.mean(axis=1)
    off = [np.abs(each.start.translations - centroids)[80:95].max() for each in (alone, plain)]
    both = smoothed(stack([hidden, motion(50, geometry=truth.geometry, seed=4).recording], truth.body, SMOOTH))
    turn, _ = aligned(alone.start.geometry, both.start.geometry)
    rotations = logarithms(both.start.rotations[:200] @ turn @ np.swapaxes(alone.start.rotations, 1, 2))
    assert np.abs(rotations).max() < 0.02
    np.testing.assert_allclose(both.start.translations[:200], alone.start.translations, atol=1e-3)
    assert off[0] < 0.5 * off[1]


def test_a_start_without_smoothness_or_of_wild_turns_is_left_alone() -> None:
    truth = motion(60)
    plain = stack([truth.recording], truth.body, replace(SMOOTH, smoothing=Smoothing.NONE))
    assert smoothed(plain) is plain
    spinning = exponentials(np.arange(60)[:, None] * np.array([[0.0, 0.0, 2.5]]))
    positions = np.einsum("fij,mj->fmi", spinning, truth.geometry)
    wild = stack([replace(truth.recording, positions=positions)], truth.body, SMOOTH)
    assert smoothed(wild) is wild
    one = stack([replace(truth.recording, positions=positions[:1], times_s=np.zeros(1))], truth.body, SMOOTH)
    np.testing.assert_allclose(smoothed(one).start.rotations, one.start.rotations, atol=1e-12)


def test_rotations_nearest_to_rotations_are_these() -> None:
    rotations = exponentials(np.random.default_rng(1).normal(size=(50, 3)) * 2.0)
    np.testing.assert_allclose(nearest_rotations(0.3 * rotations), rotations, atol=1e-9)


@pytest.mark.parametrize("size", [1e-3, 0.1, 2.0])
def test_turning_back_is_the_product_with_inverse_jacobians(size: float) -> None:
    random = np.random.default_rng(2)
    vectors, values = random.normal(size=(2, 20, 3)) * size
    right = inverse_jacobians(vectors)
    transposed, plain = turned_back(vectors, values)
    np.testing.assert_allclose(transposed, np.einsum("fji,fj->fi", right, values), atol=1e-12)
    np.testing.assert_allclose(plain, np.einsum("fij,fj->fi", right, values), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_geometry_grows_from_few_frames_in_spite_of_wrong_markers(seed: int) -> None:
    """A marker rarely seen, names exchanged in some frames, and outliers."""
    truth = motion(3000, seed=seed, missing=0.3)
    positions = truth.recording.positions.copy()
    random = np.random.default_rng(seed)
    positions[:450, [0, 1]] = positions[:450, [1, 0]]
    positions[random.random(positions.shape[:2]) < 0.03] += 0.05
    rare = random.random(3000) > 0.02
    positions[rare, 5] = np.nan
    places = np.ascontiguousarray(np.nan_to_num(positions).transpose(0, 2, 1))
    found = start_geometry(places, np.isfinite(positions[:, :, 0]))
    turn, move = aligned(found, truth.geometry)
    assert np.linalg.norm(found @ turn.T + move - truth.geometry, axis=1).max() < 3e-3


@pytest.mark.parametrize("geometry", [True, False])
def test_a_given_geometry_of_which_nothing_is_seen_is_degenerate(geometry: bool) -> None:
    truth = motion(20)
    recording = replace(truth.recording, positions=np.full((20, 8, 3), np.nan))
    anchor = Anchor(geometry_m=truth.geometry, sd_m=1e-3)
    options = replace(SMOOTH, geometry=geometry, geometry_m=truth.geometry, known=(anchor,))
    with pytest.raises(DegenerateBody, match="no frame sees a marker of body"):
        fit_body([recording], truth.body, options)


@pytest.mark.parametrize("seed", range(12))
def test_no_recording_is_converged_to_what_is_wrong(seed: int) -> None:
    """Few frames, few markers, most hidden, an empty recording beside: a status or an error of ours, poses true."""
    random = np.random.default_rng(seed)
    count = int(random.integers(3, 13))
    shape = random.normal(size=(count, 3)) * 0.06
    if seed % 3 == 0:
        shape[:, 2] = 0.0
    parts = [
        motion(int(random.choice([1, 2, 5, 60])), geometry=shape, noise_m=1e-4, missing=float(missing), seed=seed + 40)
        for missing in (random.choice([0.0, 0.3, 0.7]), 0.1)
    ]
    empty = replace(parts[0].recording, positions=np.full_like(parts[0].recording.positions, np.nan))
    recordings = [parts[0].recording, empty, parts[1].recording]
    options = replace(SMOOTH, smoothing=Smoothing.NONE, loss=(Loss.SQUARED, Loss.HUBER)[seed % 2])
    try:
        fits = fit_body(recordings, parts[0].body, options)
    except DegenerateBody:
        assert count < 5 or min(len(part.clean) for part in parts) < 5
        return
    assert fits[1].status is Status.DEGENERATE
    for fit, part in zip((fits[0], fits[2]), parts, strict=True):
        assert fit.status in (Status.CONVERGED, Status.DEGENERATE)
        measured = np.isfinite(fit.residuals_m).all(axis=2) & (fit.covered < 2)[:, None]
        off = np.linalg.norm(fitted(fit) - part.clean, axis=2)[measured]
        assert off.max(initial=0.0) < 2e-3


def test_a_geometry_without_curvature_gives_no_direction() -> None:
    truth = motion(20)
    stacked = stack([truth.recording], truth.body, SMOOTH)
    terms = evaluate(stacked.problem, stacked.start, Robust())
    linear = linearised(stacked.problem, stacked.start, terms, Robust())
    assert linear is not None
    flat = replace(linear.border, approximate=np.zeros_like(linear.border.approximate))
    assert _direction(stacked.problem, linear, terms) is not None
    assert _direction(stacked.problem, replace(linear, border=flat), terms) is None
