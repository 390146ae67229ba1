"""Terms beyond markers: each draws the fit where it says, and none cares for the body's frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from solve_makers import motion

from batchlab.errors import ConfigError
from batchlab.motion._model import FitOptions, Loss, Smoothing, Weights
from batchlab.motion._own_terms import Anchor, KnownDistance, SoftEdge, Symmetry, anchor_recording
from batchlab.motion._solve import exponentials, fit_body, fit_body_by_scipy

OPTIONS = FitOptions(smoothing=Smoothing.NONE, loss=Loss.SQUARED, weights=Weights(data_per_m=500), covariance=False)
TURN = exponentials(np.array([[0.4, -0.9, 0.3]]))[0]


def distance(geometry: np.ndarray, first: int, second: int) -> float:
    return float(np.linalg.norm(geometry[first] - geometry[second]))


def test_a_known_distance_is_kept_as_its_weight_says() -> None:
    truth = motion(20, missing=0.0)
    wanted = distance(truth.geometry, 0, 5) + 0.01
    found = []
    for per_m in (1.0, 1e3, 1e5):
        term = KnownDistance(first=0, second=5, distance_m=wanted, per_m=per_m)
        (fit,) = fit_body_by_scipy([truth.recording], truth.body, OPTIONS, terms=[term])
        found.append(abs(distance(fit.geometry_m, 0, 5) - wanted))
    assert found[0] > 0.008
    assert found[0] > found[1] > found[2]
    assert found[2] < 1e-5


def test_an_anchor_is_a_frame_more() -> None:
    truth = motion(20, missing=0.0)
    other = truth.geometry + np.random.default_rng(3).normal(0.0, 0.01, (8, 3))
    placed = other @ TURN.T + 1.0
    for per_m in (300.0, 1800.0):
        term = Anchor(geometry_m=placed, per_m=per_m)
        (by_term,) = fit_body_by_scipy([truth.recording], truth.body, OPTIONS, terms=[term])
        by_frame, _ = fit_body([truth.recording, anchor_recording(truth.body, placed, per_m, 500)], truth.body, OPTIONS)
        for one in range(8):
            for two in range(one):
                assert distance(by_frame.geometry_m, one, two) == pytest.approx(
                    distance(by_term.geometry_m, one, two), abs=2e-7
                )
    (plain,) = fit_body([truth.recording], truth.body, OPTIONS)
    pairs = [(one, two) for one in range(8) for two in range(one)]
    apart = [
        sum((distance(fit.geometry_m, *pair) - distance(other, *pair)) ** 2 for pair in pairs)
        for fit in (plain, by_frame)
    ]
    assert apart[1] < 0.7 * apart[0]


def test_symmetry_makes_a_body_symmetric_in_any_axes() -> None:
    half = np.random.default_rng(0).normal(0.0, 0.05, (3, 3)) + np.array([0.1, 0, 0])
    geometry = np.concatenate([half, half * np.array([-1.0, 1, 1]), [[0, 0.05, 0.02], [0, -0.04, -0.05]]]) @ TURN.T
    truth = motion(8, geometry=geometry, noise_m=0.004, missing=0.0)
    term = Symmetry(pairs=[(0, 3), (1, 4), (2, 5)], middle=[6, 7], per_m=1e5)
    (plain,) = fit_body([truth.recording], truth.body, OPTIONS)
    (fit,) = fit_body_by_scipy([truth.recording], truth.body, OPTIONS, terms=[term])
    one = np.eye(3)[None]
    exact = term(one, np.zeros((1, 3)), geometry)
    assert np.abs(exact).max() < 1e-9
    assert np.abs(term(one, np.zeros((1, 3)), geometry @ TURN + 3)).max() < 1e-8
    assert np.abs(term(one, np.zeros((1, 3)), fit.geometry_m)).max() < 0.5
    error = [
        np.sqrt(
            np.mean(
                [(distance(f.geometry_m, i, j) - distance(geometry, i, j)) ** 2 for i in range(8) for j in range(i)]
            )
        )
        for f in (plain, fit)
    ]
    assert error[1] < error[0]


def test_a_soft_edge_holds_frames_that_lack_markers() -> None:
    truth = motion(12, missing=0.0)
    anchor = truth.clean[:, 0] + np.array([0.0, 0.0, 0.3])
    anchor[3] = np.nan
    term = SoftEdge(points_m=anchor, marker=0, distance_m=0.3, per_m=1e4)
    (plain,) = fit_body([truth.recording], truth.body, OPTIONS)
    (fit,) = fit_body_by_scipy([truth.recording], truth.body, OPTIONS, terms=[term])

    def lengths(found: object) -> np.ndarray:
        place = found.rotations @ found.geometry_m[0] + found.translations_m  # type: ignore[attr-defined]
        return np.abs(np.linalg.norm(anchor - place, axis=1) - 0.3)

    assert np.nanmax(lengths(fit)) < 1e-4 < np.nanmax(lengths(plain))
    assert np.isfinite(fit.cost)


def test_what_does_not_fit_is_refused() -> None:
    truth = motion(12)
    with pytest.raises(ConfigError, match="must be positive"):
        anchor_recording(truth.body, truth.geometry, 0.0, 500)
    with pytest.raises(ConfigError, match="has shape"):
        anchor_recording(replace(truth.body, markers=("a",)), truth.geometry, 1.0, 500)
    with pytest.raises(ConfigError, match="for 12 frames"):
        SoftEdge(points_m=np.zeros((3, 3)), marker=0, distance_m=0.3, per_m=1.0)(
            truth.rotations, truth.translations, truth.geometry
        )
