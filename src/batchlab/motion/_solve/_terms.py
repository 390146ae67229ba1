"""Value, gradient and Gauss-Newton blocks of every term, in closed form; no Jacobian of markers is ever stored.

A step turns a frame about the body's own axes, ``R exp(w)``, and moves it in the laboratory's, ``T + b``: the part
of the Hessian that comes from markers then hardly depends on the pose. Six unknowns a frame, in order w, b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._solve._robust import loss_values, loss_weights
from batchlab.motion._solve._rotations import cross_matrices, inverse_jacobians, logarithms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._problem import Chain, Problem, Robust, State

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["Terms", "coupled", "coupled_back", "coupling", "evaluate", "hessian_band", "residuals", "steps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The cost at a state, and what its derivatives need.

    Attributes
    ----------
    cost
        Half the sum of squares, robust.
    squares
        (F, M) squared residual lengths over their variance.
    weights
        (F, M) in 1/m², with robust weights.
    downhill
        (F, 6) minus the gradient of poses.
    downhill_geometry
        (M, 3) minus the gradient of the geometry.
    turns
        (F - 1, 3) rotation vectors from frame to frame in rad.
    rows_rotation, rows_translation
        (F - 1, 3) residuals of smoothness.
    """

    cost: float
    squares: Float
    weights: Float
    downhill: Float
    downhill_geometry: Float
    turns: Float
    rows_rotation: Float
    rows_translation: Float


def residuals(problem: Problem, state: State) -> Float:
    """Measured minus fitted (F, 3, M) in m; meaningless where the weight is zero."""
    markers = len(state.geometry)
    fitted = (state.rotations.reshape(-1, 3) @ state.geometry.T).reshape(-1, 3, markers)
    fitted += state.translations[:, :, None]
    return np.subtract(problem.positions, fitted, out=fitted)


def steps(state: State) -> tuple[Float, Float]:
    """Rotation vectors (F - 1, 3) and moves (F - 1, 3) from each frame to the next, in rad and m."""
    turned = np.matmul(np.swapaxes(state.rotations[:-1], 1, 2), state.rotations[1:])
    return logarithms(turned), np.diff(state.translations, axis=0)


def _rows(chain: Chain, step: Float, weight: float) -> Float:
    rows = chain.after[:, None] * step
    if chain.reach == 2:
        rows[1:] -= chain.before[1:, None] * step[:-1]
    rows *= weight
    return rows


def _pull(chain: Chain, rows: Float, weight: float) -> Float:
    """Derivative (F - 1, 3) of half the sum of squares of rows with respect to steps."""
    pull = chain.after[:, None] * rows
    if chain.reach == 2:
        pull[:-1] -= chain.before[1:, None] * rows[1:]
    pull *= weight
    return pull


def evaluate(problem: Problem, state: State, robust: Robust) -> Terms:
    """Cost and downhill direction at `state`."""
    frames, _, markers = problem.positions.shape
    error = residuals(problem, state)
    squares = np.einsum("fim,fim->fm", error, error)
    squares *= problem.weights
    cost = float(loss_values(robust.loss, squares, robust.scale).sum())
    weights = problem.weights * loss_weights(robust.loss, squares, robust.scale)
    error *= weights[:, None, :]
    downhill = np.empty((frames, 6))
    downhill[:, 3:] = error.sum(axis=2)
    arms = np.matmul(
        np.swapaxes(state.rotations, 1, 2), (error.reshape(-1, markers) @ state.geometry).reshape(-1, 3, 3)
    )
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        downhill[:, axis] = arms[:, two, one] - arms[:, one, two]
    geometry = (state.rotations.reshape(-1, 3).T @ error.reshape(-1, markers)).T
    chain = problem.chain
    none = np.zeros((0, 3))
    turns, rows_rotation, rows_translation = none, none, none
    if chain.reach:
        turns, moves = steps(state)
        rows_rotation, rows_translation = _rows(chain, turns, chain.rotation), _rows(chain, moves, chain.translation)
        cost += float(np.vdot(rows_rotation, rows_rotation) + np.vdot(rows_translation, rows_translation))
        pull = _pull(chain, rows_translation, chain.translation)
        downhill[1:, 3:] -= pull
        downhill[:-1, 3:] += pull
        pull = _pull(chain, rows_rotation, chain.rotation)
        right = inverse_jacobians(turns)
        downhill[1:, :3] -= np.einsum("fji,fj->fi", right, pull)
        downhill[:-1, :3] += np.einsum("fij,fj->fi", right, pull)
    return Terms(
        cost=0.5 * cost,
        squares=squares,
        weights=weights,
        downhill=downhill,
        downhill_geometry=geometry,
        turns=turns,
        rows_rotation=rows_rotation,
        rows_translation=rows_translation,
    )


def data_blocks(weights: Float, state: State) -> Float:
    """Blocks (F, 6, 6) of the Gauss-Newton Hessian that markers give, for `weights` (F, M) in 1/m²."""
    geometry = state.geometry
    inertia = np.einsum("mi,mi->m", geometry, geometry)[:, None, None] * np.eye(3)
    inertia = (inertia - geometry[:, :, None] * geometry[:, None, :]).reshape(-1, 9)
    out = np.zeros((len(weights), 6, 6))
    out[:, :3, :3] = (weights @ inertia).reshape(-1, 3, 3)
    cross = np.matmul(cross_matrices(weights @ geometry), np.swapaxes(state.rotations, 1, 2))
    out[:, :3, 3:] = cross
    out[:, 3:, :3] = np.swapaxes(cross, 1, 2)
    total = weights.sum(axis=1)
    for axis in range(3, 6):
        out[:, axis, axis] = total
    return out


def hessian_band(problem: Problem, state: State, terms: Terms) -> Float:
    """Poses' part of the Gauss-Newton Hessian as a lower band.

    Returns
    -------
    array
        (6 F, b + 1), C order: ``[j, d]`` is the element of row j + d and column j; its transpose is LAPACK's.
    """
    chain = problem.chain
    frames = len(terms.weights)
    band = np.zeros((frames, 6, 6 * (chain.reach + 1)))
    blocks = data_blocks(terms.weights, state)
    for column in range(6):
        band[:, column, : 6 - column] = blocks[:, column:, column]
    if chain.reach:
        _add_moves(band, chain)
        _add_turns(band, chain, terms.turns)
    return band.reshape(6 * frames, -1)


def _curvature(chain: Chain, weight: float) -> tuple[Float, Float]:
    """Second derivative with respect to steps: diagonal (F - 1,) and beside it (F - 2,)."""
    diagonal = chain.after**2
    diagonal[:-1] += chain.before[1:] ** 2
    beside = -chain.after[1:] * chain.before[1:]
    return weight**2 * diagonal, weight**2 * beside


def _add_moves(band: Float, chain: Chain) -> None:
    diagonal, beside = _curvature(chain, chain.translation)
    for axis in range(3, 6):
        place = band[:, axis]
        place[:-1, 0] += diagonal
        place[1:, 0] += diagonal
        place[:-1, 6] -= diagonal
        if chain.reach == 2:
            place[1:-1, 0] -= 2.0 * beside
            place[:-2, 6] += beside
            place[1:-1, 6] += beside
            place[:-2, 12] -= beside


def _add_turns(band: Float, chain: Chain, turns: Float) -> None:
    diagonal, beside = _curvature(chain, chain.rotation)
    right = inverse_jacobians(turns)
    left = np.swapaxes(right, 1, 2)
    scaled = diagonal[:, None, None] * left
    own = np.matmul(scaled, right)
    _put(band[:-1], own, 0)
    _put(band[1:], own, 0)
    _put(band[:-1], -np.matmul(scaled, left), 1)
    if chain.reach == 2:
        after_left = beside[:, None, None] * left[1:]
        after_right = np.swapaxes(after_left, 1, 2)
        middle = np.matmul(left[:-1], after_left)
        _put(band[1:-1], -middle - np.swapaxes(middle, 1, 2), 0)
        _put(band[:-2], np.matmul(after_right, left[:-1]), 1)
        _put(band[1:-1], np.matmul(after_left, right[:-1]), 1)
        _put(band[:-2], -np.matmul(after_left, left[:-1]), 2)


def _put(band: Float, blocks: Float, lag: int) -> None:
    """Add blocks of rotation of frame t + lag with frame t."""
    for column in range(3):
        for row in range(3):
            distance = 6 * lag + row - column
            if distance >= 0:
                band[:, column, distance] += blocks[:, row, column]


def coupled(weights: Float, state: State, change: Float) -> Float:
    """Poses' rows (F, 6) of the Hessian's border times a `change` (M, 3) of geometry."""
    out = np.empty((len(weights), 6))
    out[:, :3] = weights @ np.cross(state.geometry, change)
    out[:, 3:] = np.einsum("fij,fj->fi", state.rotations, weights @ change)
    return out


def coupled_back(weights: Float, state: State, change: Float) -> Float:
    """Geometry's rows (M, 3) of the border times a `change` (F, 6) of poses."""
    moved = np.einsum("fji,fj->fi", state.rotations, change[:, 3:])
    out: Float = np.cross(weights.T @ change[:, :3], state.geometry) + weights.T @ moved
    return out


def coupling(weights: Float, state: State) -> Float:
    """The border itself (6 F, 3 M), for few frames."""
    frames, markers = weights.shape
    out = np.empty((frames, 6, markers, 3))
    out[:, :3] = np.einsum("fm,mij->fimj", weights, cross_matrices(state.geometry))
    out[:, 3:] = np.einsum("fm,fij->fimj", weights, state.rotations)
    return out.reshape(6 * frames, 3 * markers)
