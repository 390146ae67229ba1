"""The same cost minimised by `scipy.optimize.least_squares`: a check on the kernel, and a home for users' own terms.

Slow: meant for tests, for short recordings, and for residuals that the kernel does not know.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from batchlab.motion._model import FitOptions, Loss, Status, recordings_of
from batchlab.motion._solve._bonds import bond_rows, tie_rows
from batchlab.motion._solve._fit import begun, fits
from batchlab.motion._solve._gauge import free_changes
from batchlab.motion._solve._joint import Solution
from batchlab.motion._solve._problem import Robust, State
from batchlab.motion._solve._rotations import cross_matrices, exponentials, inverse_jacobians
from batchlab.motion._solve._smooth import smoothed
from batchlab.motion._solve._spare import minimise_sparing
from batchlab.motion._solve._stack import stack
from batchlab.motion._solve._terms import evaluate, residuals, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from batchlab.motion._model import Body, Fit, Recording
    from batchlab.motion._solve._problem import Problem

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["OwnTerm", "fit_body_by_scipy"]

_STEP = 1e-6
# Up to so many unknowns a dense Jacobian is both quicker and surer.
_DENSE_MAX = 700


class OwnTerm(Protocol):
    """Residuals of one's own, one row of numbers a frame.

    Row f of the result (F, k) may depend on row f of the poses and on the geometry only, and be weighted already: half
    the sum of its squares joins the cost. Frames are those of all solved recordings in a row; the geometry (M, 3)
    in m is centred and in the axes of the start (`FitOptions.geometry_m`, where given).
    """

    def __call__(self, rotations: Float, translations_m: Float, geometry_m: Float, /) -> Float: ...


def fit_body_by_scipy(
    recordings: Recording | Sequence[Recording],
    body: Body,
    options: FitOptions | None = None,
    *,
    terms: Sequence[OwnTerm] = (),
) -> tuple[Fit, ...]:
    """As `fit_body`, by trust region in scipy, with `terms` added to the cost.

    Standard errors, the reduced chi-square and the stages before the last of a robust loss know nothing of `terms`.
    """
    options = FitOptions() if options is None else options
    recordings = recordings_of(recordings)
    stacked = stack(recordings, body, options)
    begin = begun(smoothed(stacked), options)
    solution, robust = minimise_sparing(
        stacked.problem,
        begin.state,
        begin.robust,
        options.iterations_max,
        options.tolerance,
        solve=partial(minimise_by_scipy, terms=terms),
    )
    return fits(recordings, body, options, stacked, replace(begin, robust=robust), solution)


def minimise_by_scipy(
    problem: Problem,
    start: State,
    robust: Robust,
    iterations_max: int,
    tolerance: float,
    *,
    terms: Sequence[OwnTerm] = (),
    dense: bool | None = None,
) -> Solution:
    """As `minimise`; `dense` None chooses by size, False is trf with lsmr on a sparse Jacobian."""
    from scipy.optimize import least_squares

    chart = _Chart(problem, start)
    dense = chart.unknowns <= _DENSE_MAX if dense is None else dense

    def values(unknowns: Float) -> Float:
        return _residuals(problem, chart.state(unknowns), robust, terms)

    def derivatives(unknowns: Float) -> Float | csr_matrix:
        sparse = _jacobian(problem, chart, unknowns, robust, terms)
        return sparse.toarray() if dense else sparse

    found = least_squares(
        values,
        np.zeros(chart.unknowns),
        derivatives,
        method="trf",
        tr_solver="exact" if dense else "lsmr",
        x_scale="jac",
        ftol=max(tolerance, 1e-15),
        xtol=1e-15,
        gtol=1e-15,
        max_nfev=max(1, iterations_max),
    )
    state = chart.state(found.x)
    return Solution(
        state=state,
        terms=evaluate(problem, state, robust),
        status=Status.CONVERGED if found.status > 0 else Status.ITERATION_LIMIT,
        iterations=int(found.nfev),
    )


class _Chart:
    """Unknowns as one array: turns (F, 3), moves (F, 3), then free changes of the geometry, all from a start."""

    def __init__(self, problem: Problem, start: State) -> None:
        self.start = start
        self.frames = len(start.rotations)
        self.free = free_changes(start.geometry) if problem.joint else np.zeros((start.geometry.size, 0))
        self.unknowns = 6 * self.frames + self.free.shape[1]

    def turns(self, unknowns: Float) -> Float:
        return unknowns[: 3 * self.frames].reshape(-1, 3)

    def state(self, unknowns: Float) -> State:
        moves = unknowns[3 * self.frames : 6 * self.frames].reshape(-1, 3)
        change = (self.free @ unknowns[6 * self.frames :]).reshape(-1, 3)
        return State(
            rotations=np.matmul(self.start.rotations, exponentials(self.turns(unknowns))),
            translations=self.start.translations + moves,
            geometry=self.start.geometry + change,
        )


def _bent(problem: Problem, error: Float, robust: Robust) -> tuple[Float, Float]:
    """Factors (F, M) that make a squared residual its loss, and twice their derivative by the squared residual."""
    squares = np.einsum("fim,fim->fm", error, error) * problem.weights
    if robust.loss is Loss.SQUARED:
        return np.ones_like(squares), np.zeros_like(squares)
    safe = np.maximum(squares, 1e-12 * robust.scale**2)
    factor = np.sqrt(robust.values(safe) / safe)
    slope = (robust.weights(safe) - factor**2) / (factor * safe)
    return factor, slope


def _residuals(problem: Problem, state: State, robust: Robust, terms: Sequence[OwnTerm]) -> Float:
    error = residuals(problem, state)
    factor, _ = _bent(problem, error, robust)
    error *= (factor * np.sqrt(problem.weights))[:, None, :]
    parts = [error.ravel()]
    chain = problem.chain
    if chain.reach:
        for step, weight in zip(steps(state), (chain.rotation, chain.translation), strict=True):
            rows = chain.after[:, None] * step
            rows[1:] -= chain.before[1:, None] * step[:-1]
            parts.append(weight * rows.ravel())
    if problem.joint:
        parts.append(bond_rows(problem.bonds, state.geometry)[0])
    parts.append(tie_rows(problem.ties, state).residuals.ravel())
    parts += [term(state.rotations, state.translations, state.geometry).ravel() for term in terms]
    return np.concatenate(parts)


def _jacobian(problem: Problem, chart: _Chart, unknowns: Float, robust: Robust, terms: Sequence[OwnTerm]) -> csr_matrix:
    from scipy import sparse

    state = chart.state(unknowns)
    frames, count = chart.frames, len(state.geometry)
    error = residuals(problem, state)
    factor, slope = _bent(problem, error, robust)
    root = np.sqrt(problem.weights)
    error *= root[:, None, :]
    # d(f r) = (f I + f' r rᵀ) dr, f' by the squared length; `slope` holds twice f' already.
    bend = factor[:, :, None, None] * np.eye(3) + slope[:, :, None, None] * np.einsum("fim,fjm->fmij", error, error)
    rotate: Float = np.asarray(np.linalg.inv(inverse_jacobians(chart.turns(unknowns))), dtype=np.float64)
    turn = np.einsum("fij,mjk,fkl->fmil", state.rotations, cross_matrices(state.geometry), rotate)
    scaled = root[:, :, None, None] * bend
    by_turn = scaled @ turn
    by_move = -scaled
    by_place = -scaled @ state.rotations[:, None]
    row = (3 * count * np.arange(frames)[:, None, None] + count * np.arange(3)[:, None])[:, None, :, :] + np.arange(
        count
    )[:, None, None]
    row = np.broadcast_to(row, by_turn.shape)
    column = 3 * np.arange(frames)[:, None, None, None] + np.arange(3)
    place = 3 * np.arange(count)[:, None, None] + np.arange(3)
    entries = [(by_turn, row, column), (by_move, row, column + 3 * frames)]
    data_rows = 3 * frames * count
    poses = sparse.coo_matrix(
        (
            np.concatenate([value.ravel() for value, _, _ in entries]),
            (
                np.concatenate([rows.ravel() for _, rows, _ in entries]),
                np.concatenate([np.broadcast_to(columns, rows.shape).ravel() for _, rows, columns in entries]),
            ),
        ),
        shape=(data_rows, 6 * frames),
    )
    places = sparse.coo_matrix(
        (by_place.ravel(), (row.ravel(), np.broadcast_to(place, row.shape).ravel())), shape=(data_rows, 3 * count)
    )
    blocks = [sparse.hstack([poses, places @ chart.free])]
    if problem.chain.reach:
        blocks += _smooth_rows(problem, state, rotate, chart)
    if problem.bonds and problem.joint:
        free = sparse.csr_matrix(bond_rows(problem.bonds, state.geometry)[1] @ chart.free)
        blocks.append(sparse.hstack([sparse.csr_matrix((free.shape[0], 6 * frames)), free]))
    if problem.ties:
        blocks.append(_tied(problem, state, rotate, chart))
    blocks += [_differences(term, state, rotate, chart) for term in terms]
    return sparse.csr_matrix(sparse.vstack(blocks))


def _smooth_rows(problem: Problem, state: State, rotate: Float, chart: _Chart) -> list[csr_matrix]:
    from scipy import sparse

    chain, frames = problem.chain, chart.frames
    combine = sparse.diags_array([chain.after, -chain.before[1:]], offsets=[0, -1], shape=(frames - 1, frames - 1))
    combine = sparse.kron(combine, sparse.eye_array(3))
    right = inverse_jacobians(steps(state)[0])
    before = sparse.block_diag(list(-np.swapaxes(right, 1, 2) @ rotate[:-1]))
    after = sparse.block_diag(list(right @ rotate[1:]))
    margin = sparse.csr_matrix((3 * (frames - 1), 3))
    turns = sparse.hstack([before, margin]) + sparse.hstack([margin, after])
    plain = sparse.eye_array(3 * (frames - 1))
    moves = sparse.hstack([margin, plain]) - sparse.hstack([plain, margin])
    none = sparse.csr_matrix((3 * (frames - 1), 3 * frames))
    rest = sparse.csr_matrix((3 * (frames - 1), chart.free.shape[1]))
    return [
        sparse.hstack([chain.rotation * combine @ turns, none, rest]),
        sparse.hstack([none, chain.translation * combine @ moves, rest]),
    ]


def _tied(problem: Problem, state: State, rotate: Float, chart: _Chart) -> csr_matrix:
    from scipy import sparse

    rows = tie_rows(problem.ties, state)
    places = np.zeros((*rows.residuals.shape, len(state.geometry), 3))
    for number, marker in enumerate(rows.markers):
        places[:, number, marker] = rows.noses[:, number]
    return sparse.hstack(
        [
            sparse.block_diag(list(rows.arms[:, :, :3] @ rotate)),
            sparse.block_diag(list(rows.arms[:, :, 3:])),
            sparse.csr_matrix(places.reshape(rows.residuals.size, -1) @ chart.free),
        ]
    )


def _differences(term: OwnTerm, state: State, rotate: Float, chart: _Chart) -> csr_matrix:
    """Central differences of one's own term: all frames are moved at once, for its rows do not mix them."""
    from scipy import sparse

    frames = chart.frames

    def slope(turn: Float, move: Float, change: Float) -> Float:
        ends = [
            term(
                state.rotations @ exponentials(np.tile(sign * turn, (frames, 1))),
                state.translations + sign * move,
                state.geometry + sign * change,
            )
            for sign in (_STEP, -_STEP)
        ]
        out: Float = (ends[0] - ends[1]) / (2 * _STEP)
        return out

    nothing, still = np.zeros(3), np.zeros_like(state.geometry)
    turns = np.stack([slope(axis, nothing, still) for axis in np.eye(3)], axis=-1) @ rotate
    moves = np.stack([slope(nothing, axis, still) for axis in np.eye(3)], axis=-1)
    columns = [slope(nothing, nothing, change.reshape(-1, 3)).ravel() for change in chart.free.T]
    places = np.stack(columns, axis=-1) if columns else np.zeros((turns.shape[0] * turns.shape[1], 0))
    return sparse.hstack([sparse.block_diag(list(turns)), sparse.block_diag(list(moves)), sparse.csr_matrix(places)])
