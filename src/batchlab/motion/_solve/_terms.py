"""Value and gradient of every term, in closed form.

A step turns a frame about the body's own axes, ``R exp(w)``, and moves it in the laboratory's, ``T + b``. Six unknowns
a frame, in order w, b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._solve._bonds import bond_rows, tie_rows
from batchlab.motion._solve._rotations import logarithms, turned_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._problem import Chain, Problem, Robust, State

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["Terms", "evaluate", "residuals", "steps"]


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
    bonds, ties
        Half the sum of squares of residuals of what is known of the geometry; (F, K) residuals of ties.
    """

    cost: float
    squares: Float
    weights: Float
    downhill: Float
    downhill_geometry: Float
    turns: Float
    rows_rotation: Float
    rows_translation: Float
    bonds: float = 0.0
    ties: Float | None = None


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
    cost = float(robust.values(squares).sum())
    weights = problem.weights * robust.weights(squares)
    error *= weights[:, None, :]
    downhill = np.empty((frames, 6))
    # With a column of ones: sums over markers are dear by any other way.
    places = np.concatenate([state.geometry, np.ones((markers, 1))], axis=1)
    sums = (error.reshape(-1, markers) @ places).reshape(-1, 3, 4)
    downhill[:, 3:] = sums[:, :, 3]
    arms = np.matmul(np.swapaxes(state.rotations, 1, 2), sums[:, :, :3])
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
        onto_after, onto_before = turned_back(turns, pull)
        downhill[1:, :3] -= onto_after
        downhill[:-1, :3] += onto_before
    bonds, ties = 0.0, None
    if problem.bonds and problem.joint:
        rows, slopes = bond_rows(problem.bonds, state.geometry)
        bonds = 0.5 * float(rows @ rows)
        geometry = geometry - (rows @ slopes).reshape(-1, 3)
    if problem.ties:
        tied = tie_rows(problem.ties, state)
        ties = tied.residuals
        cost += float(np.vdot(ties, ties))
        downhill -= np.matmul(ties[:, None, :], tied.arms)[:, 0]
        geometry = np.ascontiguousarray(geometry)
        np.subtract.at(geometry, tied.markers, np.einsum("fk,fki->ki", ties, tied.noses))
    return Terms(
        cost=0.5 * cost + bonds,
        squares=squares,
        weights=weights,
        downhill=downhill,
        downhill_geometry=geometry,
        turns=turns,
        rows_rotation=rows_rotation,
        rows_translation=rows_translation,
        bonds=bonds,
        ties=ties,
    )
