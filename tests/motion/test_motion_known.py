"""What is known beyond markers: each term draws the fit where it says, and none cares for the body's frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_makers import Truth, motion

from batchlab.errors import ConfigError
from batchlab.motion import fit_and_score
from batchlab.motion._known import Anchor, Known, KnownDistance, SoftEdge, Symmetry
from batchlab.motion._model import FitOptions, Loss, Smoothing, Status, Weights
from batchlab.motion._solve import aligned, exponentials, fit_body, fit_body_by_scipy
from batchlab.motion._solve._covariance import pose_covariances
from batchlab.motion._solve._fit import begun
from batchlab.motion._solve._hessian import coupled, coupled_back, coupling, curvature_of, hessian_band, own_block
from batchlab.motion._solve._joint import linearised, minimise, moved
from batchlab.motion._solve._oracle import _Chart, _jacobian, _residuals
from batchlab.motion._solve._problem import Robust, State
from batchlab.motion._solve._stack import stack
from batchlab.motion._solve._terms import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchlab.motion._model import Fit

PLAIN = FitOptions(smoothing=Smoothing.NONE, loss=Loss.SQUARED, weights=Weights(data_per_m=500), covariance=False)
SMOOTH = replace(PLAIN, smoothing=Smoothing.SECOND, weights=Weights(data_per_m=500, rotation=0.3, translation=0.3))
TURN = exponentials(np.array([[0.4, -0.9, 0.3]]))[0]
H = 1e-6


def distance(geometry: np.ndarray, first: int, second: int) -> float:
    return float(np.linalg.norm(geometry[first] - geometry[second]))


def with_point(truth: Truth) -> Truth:
    """With a point outside the body, 0.3 m from its first marker; not seen in one frame."""
    point = truth.clean[:, 0] + np.array([0.0, 0.0, 0.3])
    point[3] = np.nan
    recording = truth.recording
    positions = np.concatenate([recording.positions, point[:, None]], axis=1)
    return replace(truth, recording=replace(recording, markers=(*recording.markers, "spine"), positions=positions))


def all_known(truth: Truth) -> tuple[Known, ...]:
    """One of each, none of which agrees with the markers."""
    placed = (truth.geometry + np.random.default_rng(3).normal(0.0, 0.01, truth.geometry.shape)) @ TURN.T + 1.0
    placed[2] = np.nan
    wanted = distance(truth.geometry, 0, 5) + 0.01
    return (
        Anchor(geometry_m=placed, sd_m=1 / 900),
        KnownDistance(between=("m0", "m5"), distance_m=wanted, sd_m=1 / 2000),
        Symmetry(pairs=(("m1", "m3"), ("m4", "m6")), middle=("m7",), sd_m=1 / 300),
        SoftEdge(point="spine", marker="m0", distance_m=0.31, sd_m=1 / 1500),
    )


def by_hand(truth: Truth) -> list[Callable[..., np.ndarray]]:
    """The terms of `all_known` as a user writes them, for scipy."""
    anchor, known, mirror, soft = all_known(truth)
    assert isinstance(anchor, Anchor) and isinstance(known, KnownDistance) and isinstance(soft, SoftEdge)

    def first(frames: int, values: list[float]) -> np.ndarray:
        out = np.zeros((frames, len(values)))
        out[0] = values
        return out

    def anchored(rotations: np.ndarray, translations: np.ndarray, geometry: np.ndarray) -> np.ndarray:
        has = np.isfinite(anchor.geometry_m[:, 0])
        turn, move = aligned(anchor.geometry_m[has], geometry[has])
        off = geometry[has] - anchor.geometry_m[has] @ turn.T - move
        return first(len(rotations), list(off.ravel() / anchor.sd_m))

    def length(rotations: np.ndarray, translations: np.ndarray, geometry: np.ndarray) -> np.ndarray:
        return first(len(rotations), [(distance(geometry, 0, 5) - known.distance_m) / known.sd_m])

    def symmetric(rotations: np.ndarray, translations: np.ndarray, geometry: np.ndarray) -> np.ndarray:
        links = [((1, 4), (3, 6)), ((1, 6), (3, 4)), ((1, 7), (3, 7)), ((4, 7), (6, 7))]
        return first(
            len(rotations), [(distance(geometry, *a) - distance(geometry, *b)) / mirror.sd_m for a, b in links]
        )

    def tied(rotations: np.ndarray, translations: np.ndarray, geometry: np.ndarray) -> np.ndarray:
        point = truth.recording.positions[:, truth.recording.markers.index("spine")]
        away = point - rotations @ geometry[0] - translations
        rows = (np.linalg.norm(away, axis=1) - soft.distance_m) / soft.sd_m
        return np.where(np.isfinite(rows), rows, 0.0)[:, None]

    return [anchored, length, symmetric, tied]


@pytest.mark.parametrize("options", [PLAIN, SMOOTH], ids=["plain", "smooth"])
def test_what_is_known_costs_what_ones_own_terms_cost_in_scipy(options: FitOptions) -> None:
    truth = with_point(motion(12))
    (ours,) = fit_body([truth.recording], truth.body, replace(options, known=all_known(truth), tolerance=1e-13))
    terms = by_hand(truth)
    (theirs,) = fit_body_by_scipy([truth.recording], truth.body, replace(options, iterations_max=400), terms=terms)
    (again,) = fit_and_score([truth.recording], truth.body, replace(options, known=all_known(truth)))[0]
    assert again.cost == pytest.approx(ours.cost, rel=1e-8)
    place = theirs.rotations, theirs.translations_m, theirs.geometry_m
    cost = theirs.cost + 0.5 * sum(float(np.sum(term(*place) ** 2)) for term in terms)
    assert ours.status is Status.CONVERGED
    assert ours.cost == pytest.approx(cost, rel=1e-6)
    assert ours.cost > 1.1 * fit_body([truth.recording], truth.body, options)[0].cost


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER, Loss.CAUCHY])
@pytest.mark.parametrize("options", [PLAIN, SMOOTH], ids=["plain", "smooth"])
def test_the_cost_is_scipys_over_two_recordings(options: FitOptions, loss: Loss) -> None:
    parts = [with_point(motion(10)), with_point(motion(8, geometry=motion(10).geometry, seed=5, name="other"))]
    recordings = [part.recording for part in parts]
    asked = replace(options, known=all_known(parts[0]), loss=loss, tolerance=1e-13, iterations_max=400)
    ours = fit_body(recordings, parts[0].body, asked)
    theirs = fit_body_by_scipy(recordings, parts[0].body, asked)
    assert sum(fit.cost for fit in ours) == pytest.approx(sum(fit.cost for fit in theirs), rel=1e-6)


def problem_and_state() -> tuple[object, State]:
    truth = with_point(motion(7))
    stacked = stack([truth.recording], truth.body, replace(SMOOTH, known=all_known(truth)))
    random = np.random.default_rng(1)
    poses = random.normal(size=(7, 6)) * 0.03
    return stacked.problem, moved(stacked.start, poses, random.normal(size=(8, 3)) * 0.004)


def test_the_gradient_is_that_of_finite_differences() -> None:
    problem, state = problem_and_state()
    terms = evaluate(problem, state, Robust())  # type: ignore[arg-type]

    def cost(poses: np.ndarray, geometry: np.ndarray) -> float:
        return evaluate(problem, moved(state, poses, geometry), Robust()).cost  # type: ignore[arg-type]

    still, same = np.zeros((7, 6)), np.zeros((8, 3))
    for place in np.ndindex(7, 6):
        step = still.copy()
        step[place] = H
        slope = (cost(step, same) - cost(-step, same)) / (2 * H)
        assert -terms.downhill[place] == pytest.approx(slope, rel=1e-5, abs=0.5)
    for place in np.ndindex(8, 3):
        change = same.copy()
        change[place] = H
        slope = (cost(still, change) - cost(still, -change)) / (2 * H)
        assert -terms.downhill_geometry[place] == pytest.approx(slope, rel=1e-5, abs=0.5)


def test_the_hessian_is_the_jacobian_squared() -> None:
    problem, state = problem_and_state()
    chart = _Chart(problem, state)  # type: ignore[arg-type]
    jacobian = _jacobian(problem, chart, np.zeros(chart.unknowns), Robust(), ()).toarray()  # type: ignore[arg-type]
    order = np.arange(42).reshape(2, 7, 3).transpose(1, 0, 2).ravel()
    expected = jacobian.T @ jacobian
    terms = evaluate(problem, state, Robust())  # type: ignore[arg-type]
    curvature = curvature_of(problem, state, terms, Robust(), bent=False)  # type: ignore[arg-type]
    band = hessian_band(problem, state, terms, curvature)  # type: ignore[arg-type]
    whole = np.zeros((42, 42))
    for off in range(band.shape[1]):
        rows = np.arange(42 - off)
        whole[rows + off, rows] = whole[rows, rows + off] = band[: len(rows), off]
    scale = 1e-12 * np.abs(expected).max()
    np.testing.assert_allclose(whole, expected[np.ix_(order, order)], atol=scale)
    border = coupling(curvature, state)
    np.testing.assert_allclose(border @ chart.free, expected[np.ix_(order, np.arange(42, chart.unknowns))], atol=scale)
    np.testing.assert_allclose(chart.free.T @ own_block(curvature) @ chart.free, expected[42:, 42:], atol=scale)
    random = np.random.default_rng(0)
    change, poses = random.normal(size=(8, 3)), random.normal(size=(7, 6))
    np.testing.assert_allclose(coupled(curvature, state, change).ravel(), border @ change.ravel(), atol=scale)
    np.testing.assert_allclose(coupled_back(curvature, state, poses).ravel(), border.T @ poses.ravel(), atol=scale)


def test_pose_covariances_are_those_of_the_whole_inverse() -> None:
    problem, state = problem_and_state()
    chart = _Chart(problem, state)  # type: ignore[arg-type]
    jacobian = _jacobian(problem, chart, np.zeros(chart.unknowns), Robust(), ()).toarray()  # type: ignore[arg-type]
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    linear = linearised(problem, state, evaluate(problem, state, Robust()), Robust())  # type: ignore[arg-type]
    assert linear is not None
    found = pose_covariances(problem, linear)  # type: ignore[arg-type]
    for frame in range(7):
        rows = np.concatenate([3 * frame + np.arange(3), 21 + 3 * frame + np.arange(3)])
        expected = inverse[np.ix_(rows, rows)]
        np.testing.assert_allclose(found[frame], expected, atol=1e-6 * np.abs(expected).max())


def test_the_jacobian_given_to_scipy_is_that_of_finite_differences_but_for_the_anchor() -> None:
    truth = with_point(motion(7))
    stacked = stack([truth.recording], truth.body, replace(SMOOTH, known=all_known(truth)[1:]))
    chart = _Chart(stacked.problem, stacked.start)
    at = np.random.default_rng(0).normal(size=chart.unknowns) * 0.01
    closed = _jacobian(stacked.problem, chart, at, Robust(), ()).toarray()
    for column in range(chart.unknowns):
        step = np.zeros(chart.unknowns)
        step[column] = H
        ends = [_residuals(stacked.problem, chart.state(at + sign * step), Robust(), ()) for sign in (1, -1)]
        np.testing.assert_allclose(closed[:, column], (ends[0] - ends[1]) / (2 * H), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER])
def test_many_frames_are_solved_in_few_steps(loss: Loss) -> None:
    truth = with_point(motion(900))
    options = replace(SMOOTH, known=all_known(truth), loss=loss)
    stacked = stack([truth.recording], truth.body, options)
    begin = begun(stacked, options)
    solution = minimise(stacked.problem, begin.state, begin.robust, 12, 1e-10)
    assert solution.status is Status.CONVERGED
    (fit,) = fit_body([truth.recording], truth.body, replace(options, covariance=True))
    assert fit.cost == pytest.approx(solution.terms.cost, rel=1e-9)
    assert fit.pose_sd is not None
    assert np.isfinite(fit.pose_sd).all()


def test_a_known_distance_is_kept_as_its_weight_says() -> None:
    truth = motion(20, missing=0.0)
    wanted = distance(truth.geometry, 0, 5) + 0.01
    found = []
    for sd_m in (1.0, 1e-3, 1e-5):
        known = KnownDistance(between=("m5", "m0"), distance_m=wanted, sd_m=sd_m)
        (fit,) = fit_body([truth.recording], truth.body, replace(PLAIN, known=(known,)))
        found.append(abs(distance(fit.geometry_m, 0, 5) - wanted))
    assert found[0] > 0.008
    assert found[0] > found[1] > found[2]
    assert found[2] < 1e-5


@pytest.mark.parametrize("per_m", [300.0, 500.0])
def test_an_anchor_is_a_frame_more(per_m: float) -> None:
    truth = motion(20, missing=0.0)
    placed = (truth.geometry + np.random.default_rng(3).normal(0.0, 0.01, (8, 3))) @ TURN.T + 1.0
    anchor = Anchor(geometry_m=placed, sd_m=1 / per_m)
    (by_term,) = fit_body([truth.recording], truth.body, replace(PLAIN, known=(anchor,)))
    frame = replace(
        truth.recording,
        positions=placed[None],
        times_s=np.zeros(1),
        confidence=np.full((1, 8), per_m / 500.0),
    )
    by_frame, _ = fit_body([truth.recording, frame], truth.body, PLAIN)
    turn, move = aligned(by_term.geometry_m, by_frame.geometry_m)
    np.testing.assert_allclose(by_term.geometry_m @ turn.T + move, by_frame.geometry_m, atol=2e-7)


def test_symmetry_makes_a_body_symmetric_in_any_axes() -> None:
    half = np.random.default_rng(0).normal(0.0, 0.05, (3, 3)) + np.array([0.1, 0, 0])
    geometry = np.concatenate([half, half * np.array([-1.0, 1, 1]), [[0, 0.05, 0.02], [0, -0.04, -0.05]]]) @ TURN.T
    truth = motion(8, geometry=geometry, noise_m=0.004, missing=0.0)
    known = Symmetry(pairs=(("m0", "m3"), ("m1", "m4"), ("m2", "m5")), middle=("m6", "m7"), sd_m=1e-5)
    (plain,) = fit_body([truth.recording], truth.body, PLAIN)
    (fit,) = fit_body([truth.recording], truth.body, replace(PLAIN, known=(known,)))
    for one, two, partner, other in ((0, 1, 3, 4), (0, 2, 3, 5), (0, 6, 3, 6), (1, 7, 4, 7), (0, 4, 3, 1)):
        assert distance(fit.geometry_m, one, two) == pytest.approx(distance(fit.geometry_m, partner, other), abs=1e-5)

    def error(found: Fit) -> float:
        pairs = [(i, j) for i in range(8) for j in range(i)]
        return sum((distance(found.geometry_m, *pair) - distance(geometry, *pair)) ** 2 for pair in pairs)

    assert error(fit) < error(plain)


def test_a_soft_edge_holds_frames_that_lack_markers() -> None:
    truth = with_point(motion(60, missing=0.0))
    positions = truth.recording.positions.copy()
    positions[20:40, :8] = np.nan
    recording = replace(truth.recording, positions=positions)
    soft = SoftEdge(point="spine", marker="m0", distance_m=0.3, sd_m=1e-4)
    point = positions[:, 8]

    def off(options: FitOptions) -> np.ndarray:
        (fit,) = fit_body([recording], truth.body, options)
        place = fit.rotations @ fit.geometry_m[0] + fit.translations_m
        return np.abs(np.linalg.norm(point - place, axis=1) - 0.3)[20:40]

    loose = replace(SMOOTH, weights=Weights(data_per_m=500, rotation=0.01, translation=0.01))
    assert np.max(off(replace(loose, known=(soft,)))) < 2e-4 < 0.1 * np.max(off(loose))


def test_markers_never_seen_leave_terms_out() -> None:
    truth = with_point(motion(20))
    positions = truth.recording.positions.copy()
    positions[:, 5] = np.nan
    recording = replace(truth.recording, positions=positions)
    (fit,) = fit_body([recording], truth.body, replace(PLAIN, known=all_known(truth)))
    without = tuple(each for each in all_known(truth) if not isinstance(each, KnownDistance))
    (same,) = fit_body([recording], truth.body, replace(PLAIN, known=without))
    assert fit.status is Status.CONVERGED
    assert fit.cost == pytest.approx(same.cost, rel=1e-9)


def test_a_given_geometry_is_not_drawn() -> None:
    truth = with_point(motion(20))
    fixed = replace(PLAIN, geometry=False, geometry_m=truth.geometry)
    (plain,) = fit_body([truth.recording], truth.body, fixed)
    (held,) = fit_body([truth.recording], truth.body, replace(fixed, known=all_known(truth)[:3]))
    assert held.cost == pytest.approx(plain.cost, rel=1e-12)


REFUSED = [
    (KnownDistance(between=("m0", "nose"), distance_m=0.1, sd_m=1e-3), "names 'nose', not a marker of body"),
    (KnownDistance(between=("m0", "m0"), distance_m=0.1, sd_m=1e-3), "to itself"),
    (KnownDistance(between=("m0", "m1"), distance_m=0.1, sd_m=0.0), "must be positive"),
    (Anchor(geometry_m=np.zeros((3, 3)), sd_m=1.0), "has shape"),
    (Anchor(geometry_m=np.full((8, 3), np.nan), sd_m=1.0), "needs three"),
    (Symmetry(pairs=(("m0", "m1"), ("m1", "m2")), sd_m=1.0), "twice"),
    (SoftEdge(point="nowhere", marker="m0", distance_m=0.1, sd_m=1.0), "no recording has"),
    (SoftEdge(point="m1", marker="nose", distance_m=0.1, sd_m=1.0), "names 'nose'"),
]


@pytest.mark.parametrize(("known", "words"), REFUSED)
def test_what_does_not_fit_is_refused(known: Known, words: str) -> None:
    truth = motion(12)
    with pytest.raises(ConfigError, match=words):
        fit_body([truth.recording], truth.body, replace(PLAIN, known=(known,)))
