"""Every term against finite differences and against independent answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.motion._model import Loss, Smoothing
from batchlab.motion._solve._band import factored, solved
from batchlab.motion._solve._covariance import diagonal_blocks, pose_covariances
from batchlab.motion._solve._gauge import free_changes
from batchlab.motion._solve._hessian import coupled, coupled_back, coupling, curvature_of, hessian_band, own_block
from batchlab.motion._solve._joint import linearised, moved, windowed_complement
from batchlab.motion._solve._kabsch import kabsch
from batchlab.motion._solve._oracle import _Chart, _jacobian, _residuals
from batchlab.motion._solve._problem import Chain, Problem, Robust, State, chain_of
from batchlab.motion._solve._robust import loss_curvatures, loss_values, loss_weights
from batchlab.motion._solve._rotations import exponentials, inverse_jacobians, logarithms, slerp
from batchlab.motion._solve._terms import evaluate

H = 1e-6


def problem_and_state(
    smoothing: Smoothing, rotation: float = 30.0, translation: float = 40.0, frames: int = 7, markers: int = 5
) -> tuple[Problem, State]:
    """A state far from any solution: every term is large there."""
    random = np.random.default_rng(3)
    times = np.cumsum(random.uniform(0.005, 0.03, frames))
    halves = [times[: frames // 2], times[frames // 2 :]]
    chain = chain_of(halves, smoothing, rotation, translation)
    if smoothing is Smoothing.SECOND:
        chain = Chain(
            reach=2, after=chain.after * 1e-4, before=chain.before * 1e-4, rotation=rotation, translation=translation
        )
    weights = random.uniform(0.5, 2.0, (frames, markers)) * 1e4 * (random.random((frames, markers)) > 0.2)
    geometry = random.normal(size=(markers, 3)) * 0.1
    geometry -= geometry.mean(axis=0)
    rotations = exponentials(random.normal(size=(frames, 3)))
    translations = random.normal(size=(frames, 3)) * 0.1
    positions = (rotations @ geometry.T) + translations[:, :, None] + random.normal(size=(frames, 3, markers)) * 0.02
    problem = Problem(positions=positions, weights=weights, chain=chain, joint=True)
    return problem, State(rotations=rotations, translations=translations, geometry=geometry)


@pytest.mark.parametrize("loss", list(Loss))
@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_the_gradient_of_every_term_is_that_of_finite_differences(smoothing: Smoothing, loss: Loss) -> None:
    problem, state = problem_and_state(smoothing)
    robust = Robust(loss=loss, scale=2.0)
    terms = evaluate(problem, state, robust)
    frames, markers = terms.weights.shape

    def cost(poses: np.ndarray, geometry: np.ndarray) -> float:
        return evaluate(problem, moved(state, poses, geometry), robust).cost

    still, same = np.zeros((frames, 6)), np.zeros((markers, 3))
    for place in np.ndindex(frames, 6):
        step = still.copy()
        step[place] = H
        slope = (cost(step, same) - cost(-step, same)) / (2 * H)
        assert -terms.downhill[place] == pytest.approx(slope, rel=1e-5, abs=1e-4)
    for place in np.ndindex(markers, 3):
        change = same.copy()
        change[place] = H
        slope = (cost(still, change) - cost(still, -change)) / (2 * H)
        assert -terms.downhill_geometry[place] == pytest.approx(slope, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.HUBER, Loss.CAUCHY])
@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_the_jacobian_given_to_scipy_is_that_of_finite_differences(smoothing: Smoothing, loss: Loss) -> None:
    problem, state = problem_and_state(smoothing)
    robust = Robust(loss=loss, scale=2.0)
    chart = _Chart(problem, state)
    at = np.random.default_rng(0).normal(size=chart.unknowns) * 0.05
    closed = _jacobian(problem, chart, at, robust, ()).toarray()
    for column in range(chart.unknowns):
        step = np.zeros(chart.unknowns)
        step[column] = H
        ends = [_residuals(problem, chart.state(at + sign * step), robust, ()) for sign in (1, -1)]
        np.testing.assert_allclose(closed[:, column], (ends[0] - ends[1]) / (2 * H), rtol=1e-5, atol=2e-5)


def full(band: np.ndarray) -> np.ndarray:
    """A symmetric matrix from its lower band."""
    out = np.zeros((len(band), len(band)))
    for distance in range(band.shape[1]):
        rows = np.arange(len(band) - distance)
        out[rows + distance, rows] = out[rows, rows + distance] = band[: len(rows), distance]
    return out


@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_the_band_and_its_border_are_the_jacobian_squared(smoothing: Smoothing) -> None:
    problem, state = problem_and_state(smoothing)
    robust = Robust()
    chart = _Chart(problem, state)
    jacobian = _jacobian(problem, chart, np.zeros(chart.unknowns), robust, ()).toarray()
    frames = len(state.rotations)
    # The chart has all turns first; the band has frames in turn.
    order = np.arange(6 * frames).reshape(2, frames, 3).transpose(1, 0, 2).ravel()
    expected = jacobian.T @ jacobian
    terms = evaluate(problem, state, robust)
    curvature = curvature_of(problem, state, terms, robust, bent=False)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        full(hessian_band(problem, state, terms, curvature)), expected[np.ix_(order, order)], atol=1e-12 * scale
    )
    border = coupling(curvature, state) @ chart.free
    np.testing.assert_allclose(border, expected[np.ix_(order, range(6 * frames, chart.unknowns))], atol=1e-12 * scale)
    own = chart.free.T @ own_block(curvature) @ chart.free
    np.testing.assert_allclose(own, expected[6 * frames :, 6 * frames :], atol=1e-12 * scale)


@pytest.mark.parametrize("loss", [Loss.HUBER, Loss.CAUCHY, Loss.GEMAN_MCCLURE, Loss.TUKEY])
def test_the_loss_adds_its_own_curvature(loss: Loss) -> None:
    squares = np.linspace(0.05, 9.0, 50)
    slope = (loss_values(loss, squares + H, 2.0) - loss_values(loss, squares - H, 2.0)) / (2 * H)
    np.testing.assert_allclose(loss_weights(loss, squares, 2.0), slope, rtol=1e-6, atol=1e-9)
    weights = loss_weights(loss, squares, 2.0)
    twice = (loss_weights(loss, squares + H, 2.0) - loss_weights(loss, squares - H, 2.0)) / H
    away = np.abs(squares - 4.0) > 1e-3
    expected = np.maximum(twice, -weights / squares)[away]
    np.testing.assert_allclose(loss_curvatures(loss, squares, 2.0)[away], expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("bent", [False, True])
def test_the_border_times_a_vector_is_the_border_written_out(bent: bool) -> None:
    problem, state = problem_and_state(Smoothing.FIRST)
    robust = Robust(loss=Loss.HUBER, scale=1.0)
    terms = evaluate(problem, state, robust)
    curvature = curvature_of(problem, state, terms, robust, bent=bent)
    random = np.random.default_rng(1)
    change, poses = random.normal(size=state.geometry.shape), random.normal(size=(len(state.rotations), 6))
    border = coupling(curvature, state)
    np.testing.assert_allclose(coupled(curvature, state, change).ravel(), border @ change.ravel(), rtol=1e-10)
    np.testing.assert_allclose(coupled_back(curvature, state, poses).ravel(), border.T @ poses.ravel(), rtol=1e-10)


@pytest.mark.parametrize("smoothing", list(Smoothing))
@pytest.mark.parametrize("frames", [1, 2, 3, 40, 41])
def test_diagonal_blocks_of_the_inverse_are_those_of_the_whole_inverse(smoothing: Smoothing, frames: int) -> None:
    problem, state = problem_and_state(smoothing, frames=frames, markers=6)
    problem = Problem(positions=problem.positions, weights=problem.weights + 1e3, chain=problem.chain, joint=True)
    terms = evaluate(problem, state, Robust())
    curvature = curvature_of(problem, state, terms, Robust(), bent=False)
    band = hessian_band(problem, state, terms, curvature)
    inverse = np.linalg.inv(full(band))
    factor = factored(band)
    assert factor is not None
    blocks = diagonal_blocks(factor, problem.chain.reach)
    expected = np.stack([inverse[6 * t : 6 * t + 6, 6 * t : 6 * t + 6] for t in range(frames)])
    np.testing.assert_allclose(blocks, expected, rtol=1e-7, atol=1e-7 * np.abs(expected).max())


def test_pose_covariances_are_those_of_the_whole_bordered_inverse() -> None:
    problem, state = problem_and_state(Smoothing.SECOND, frames=20)
    terms = evaluate(problem, state, Robust())
    curvature = curvature_of(problem, state, terms, Robust(), bent=False)
    free = free_changes(state.geometry)
    border = coupling(curvature, state) @ free
    whole = np.block(
        [
            [full(hessian_band(problem, state, terms, curvature)), border],
            [border.T, free.T @ own_block(curvature) @ free],
        ]
    )
    inverse = np.linalg.inv(whole)
    linear = linearised(problem, state, terms, Robust())
    assert linear is not None
    found = pose_covariances(problem, linear)
    for frame in range(20):
        place = slice(6 * frame, 6 * frame + 6)
        np.testing.assert_allclose(found[frame], inverse[place, place], rtol=1e-6, atol=1e-9 * np.abs(found).max())


def test_windows_that_hold_all_frames_give_the_schur_complement_itself() -> None:
    problem, state = problem_and_state(Smoothing.FIRST, frames=12)
    terms = evaluate(problem, state, Robust())
    curvature = curvature_of(problem, state, terms, Robust(), bent=False)
    band = hessian_band(problem, state, terms, curvature)
    factor = factored(band)
    assert factor is not None
    border = coupling(curvature, state)
    expected = own_block(curvature) - border.T @ np.linalg.solve(full(band), border)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(windowed_complement(state, curvature, factor, 0.0), expected, atol=1e-9 * scale)


def test_a_band_that_is_not_positive_has_no_factor() -> None:
    assert factored(np.array([[1.0, 2.0], [1.0, 0.0]])) is None
    factor = factored(np.array([[4.0, 1.0], [3.0, 0.0]]))
    assert factor is not None
    np.testing.assert_allclose(solved(factor, np.array([1.0, 2.0])), np.linalg.solve([[4, 1], [1, 3]], [1, 2]))


@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3), st.integers(0, 10))
def test_a_rotation_vector_comes_back_from_its_rotation(vector: list[float], seed: int) -> None:
    turned = np.array([vector])
    angle = np.linalg.norm(turned)
    if angle > np.pi:
        turned *= (2 * np.pi - angle) / angle * -1
    np.testing.assert_allclose(logarithms(exponentials(turned)), turned, atol=1e-7)
    small = np.random.default_rng(seed).normal(size=(1, 3)) * 1e-6
    moved_on = logarithms(exponentials(turned) @ exponentials(small)) - turned
    if angle < 3.0:
        expected = np.einsum("fij,fj->fi", inverse_jacobians(turned), small)
        np.testing.assert_allclose(moved_on, expected, atol=1e-9)


def test_half_a_turn_has_the_right_axis() -> None:
    axis = np.array([0.6, -0.64, 0.48])
    for angle in (np.pi, np.pi - 1e-9, np.pi - 1e-4):
        back = logarithms(exponentials(angle * axis[None]))[0]
        np.testing.assert_allclose(exponentials(back[None]), exponentials(angle * axis[None]), atol=1e-9)


def test_slerp_goes_the_shorter_way_at_an_even_pace() -> None:
    ends = exponentials(np.array([[0.0, 0.0, 3.0], [0.0, 0.0, -3.0]]))
    middle = logarithms(slerp(ends[:1], ends[1:], np.array([0.25])))[0]
    assert middle[2] == pytest.approx(3.0 + 0.25 * (2 * np.pi - 6.0))


@pytest.mark.parametrize("flat", [False, True])
def test_poses_in_closed_form_are_those_of_a_singular_value_decomposition(flat: bool) -> None:
    random = np.random.default_rng(4)
    geometry = random.normal(size=(6, 3)) * 0.1
    if flat:
        geometry[:, 2] = 0.0
    rotations = exponentials(random.normal(size=(300, 3)) * 2)
    positions = rotations @ geometry.T + random.normal(size=(300, 3, 6)) * 5e-3
    weights = random.uniform(0.1, 1.0, (300, 6)) * (random.random((300, 6)) > 0.3)
    weights[weights.astype(bool).sum(axis=1) < 4] = 1.0
    found, places = kabsch(positions, weights, geometry)
    for frame in range(300):
        share = weights[frame] / weights[frame].sum()
        centre, centre_body = positions[frame] @ share, share @ geometry
        left, _, right = np.linalg.svd((positions[frame] - centre[:, None]) * share @ (geometry - centre_body))
        expected = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
        np.testing.assert_allclose(found[frame], expected, atol=1e-7)
        np.testing.assert_allclose(places[frame], centre - expected @ centre_body, atol=1e-8)


def test_smoothness_of_second_order_is_acceleration_on_real_time_stamps() -> None:
    times = np.array([0.0, 0.01, 0.02, 0.05, 0.06])
    chain = chain_of([times], Smoothing.SECOND, 1.0, 1.0)
    moves = np.diff(3.0 * times + 0.5 * 8.0 * times**2)
    rows = chain.after * moves - chain.before * np.concatenate([[0.0], moves[:-1]])
    share = np.array([1.0, 2.0, 2.0])
    np.testing.assert_allclose(rows[1:], 8.0 * np.sqrt(share))
    assert rows[0] == 0.0


def test_smoothness_never_joins_two_recordings() -> None:
    chain = chain_of([np.arange(4.0), np.arange(3.0)], Smoothing.SECOND, 1.0, 1.0)
    assert chain.after.astype(bool).tolist() == [False, True, True, False, False, True]
    first = chain_of([np.arange(4.0), np.arange(3.0)], Smoothing.FIRST, 1.0, 1.0)
    assert first.after.astype(bool).tolist() == [True, True, True, False, True, True]
