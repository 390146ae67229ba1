"""Second derivatives, by blocks: a band for poses, and the border that couples them with the geometry.

By Gauss and Newton markers give blocks in closed form, hardly dependent on the pose since turns are about the
body's axes; no Jacobian of markers is stored. With a robust loss its own curvature may be added: less stiffness
along the residual of an outlier, of rank one a marker. Without it reweighting converges slowly at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._solve._bonds import bond_rows, tie_rows
from batchlab.motion._solve._rotations import cross_matrices, inverse_jacobians
from batchlab.motion._solve._terms import residuals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._bonds import TieRows
    from batchlab.motion._solve._problem import Chain, Problem, Robust, State
    from batchlab.motion._solve._terms import Terms

    Float: TypeAlias = NDArray[np.float64]

__all__ = [
    "Curvature",
    "coupled",
    "coupled_back",
    "coupling",
    "curvature_of",
    "data_blocks",
    "hessian_band",
    "own_block",
    "step_curvature",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    """What markers' part of the Hessian is made of.

    Attributes
    ----------
    weights
        (F, M) in 1/m².
    arms, noses
        (F, M, 6) and (F, M, 3): vectors whose squares are taken off, of poses and of the geometry; None by reweighting.
    bonds
        (3 M, 3 M) of what is known of the geometry.
    ties
        Rows whose squares are added.
    """

    weights: Float
    arms: Float | None = None
    noses: Float | None = None
    bonds: Float | None = None
    ties: TieRows | None = None

    def window(self, frames: slice) -> Curvature:
        """Of some frames; bonds are of none."""
        return Curvature(
            weights=self.weights[frames],
            arms=None if self.arms is None else self.arms[frames],
            noses=None if self.noses is None else self.noses[frames],
            ties=None if self.ties is None else self.ties.window(frames),
        )


def curvature_of(
    problem: Problem, state: State, terms: Terms, robust: Robust, *, bent: bool, held: Float | None = None
) -> Curvature:
    """Curvature at a state; `bent` with that of the loss itself, less shares `held` (F,) of it."""
    bonds = None
    if problem.bonds and problem.joint:
        slopes = bond_rows(problem.bonds, state.geometry)[1]
        bonds = slopes.T @ slopes
    ties = tie_rows(problem.ties, state) if problem.ties else None
    if not bent:
        return Curvature(weights=terms.weights, bonds=bonds, ties=ties)
    error = residuals(problem, state)
    error *= np.sqrt(-robust.curvatures(terms.squares))[:, None, :]
    error *= problem.weights[:, None, :]
    if held is not None:
        error *= np.sqrt(1.0 - held)[:, None, None]
    noses = np.ascontiguousarray(np.matmul(np.swapaxes(error, 1, 2), state.rotations))
    arms = np.empty((*terms.weights.shape, 6))
    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        arms[:, :, axis] = state.geometry[:, one] * noses[:, :, two] - state.geometry[:, two] * noses[:, :, one]
    arms[:, :, 3:] = np.swapaxes(error, 1, 2)
    return Curvature(weights=terms.weights, arms=arms, noses=noses, bonds=bonds, ties=ties)


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


def hessian_band(problem: Problem, state: State, terms: Terms, curvature: Curvature) -> Float:
    """Poses' part of the Gauss-Newton Hessian as a lower band.

    Returns
    -------
    array
        (6 F, b + 1), C order: ``[j, d]`` is the element of row j + d and column j; its transpose is LAPACK's.
    """
    chain = problem.chain
    frames = len(curvature.weights)
    band = np.zeros((frames, 6, 6 * (chain.reach + 1)))
    blocks = data_blocks(curvature.weights, state)
    if curvature.arms is not None:
        blocks -= np.matmul(np.swapaxes(curvature.arms, 1, 2), curvature.arms)
    if curvature.ties is not None:
        blocks += np.matmul(np.swapaxes(curvature.ties.arms, 1, 2), curvature.ties.arms)
    for column in range(6):
        band[:, column, : 6 - column] = blocks[:, column:, column]
    if chain.reach:
        _add_moves(band, chain)
        _add_turns(band, chain, terms.turns)
    return band.reshape(6 * frames, -1)


def step_curvature(chain: Chain, weight: float) -> tuple[Float, Float]:
    """Second derivative with respect to steps: diagonal (F - 1,) and beside it (F - 2,)."""
    diagonal = chain.after**2
    diagonal[:-1] += chain.before[1:] ** 2
    beside = -chain.after[1:] * chain.before[1:]
    return weight**2 * diagonal, weight**2 * beside


def _add_moves(band: Float, chain: Chain) -> None:
    diagonal, beside = step_curvature(chain, chain.translation)
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
    diagonal, beside = step_curvature(chain, chain.rotation)
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


def coupled(curvature: Curvature, state: State, change: Float) -> Float:
    """Poses' rows (F, 6) of the Hessian's border times a `change` (M, 3) of geometry."""
    weights = curvature.weights
    out = np.empty((len(weights), 6))
    out[:, :3] = weights @ np.cross(state.geometry, change)
    out[:, 3:] = np.einsum("fij,fj->fi", state.rotations, weights @ change)
    if curvature.arms is not None and curvature.noses is not None:
        along = np.einsum("fmi,mi->fm", curvature.noses, change)
        out -= np.matmul(along[:, None, :], curvature.arms)[:, 0]
    if curvature.ties is not None:
        along = np.einsum("fki,ki->fk", curvature.ties.noses, change[curvature.ties.markers])
        out += np.matmul(along[:, None, :], curvature.ties.arms)[:, 0]
    return out


def coupled_back(curvature: Curvature, state: State, change: Float) -> Float:
    """Geometry's rows (M, 3) of the border times a `change` (F, 6) of poses."""
    weights = curvature.weights
    moved = np.einsum("fji,fj->fi", state.rotations, change[:, 3:])
    out: Float = np.cross(weights.T @ change[:, :3], state.geometry) + weights.T @ moved
    if curvature.arms is not None and curvature.noses is not None:
        along = np.matmul(curvature.arms, change[:, :, None])[:, :, 0]
        out -= np.einsum("fm,fmi->mi", along, curvature.noses)
    if curvature.ties is not None:
        along = np.matmul(curvature.ties.arms, change[:, :, None])[:, :, 0]
        np.add.at(out, curvature.ties.markers, np.einsum("fk,fki->ki", along, curvature.ties.noses))
    return out


def coupling(curvature: Curvature, state: State) -> Float:
    """The border itself (6 F, 3 M), for few frames."""
    frames, markers = curvature.weights.shape
    out = np.empty((frames, 6, markers, 3))
    out[:, :3] = np.einsum("fm,mij->fimj", curvature.weights, cross_matrices(state.geometry))
    out[:, 3:] = np.einsum("fm,fij->fimj", curvature.weights, state.rotations)
    if curvature.arms is not None and curvature.noses is not None:
        out -= np.einsum("fmi,fmj->fimj", curvature.arms, curvature.noses)
    if curvature.ties is not None:
        for number, marker in enumerate(curvature.ties.markers):
            arms, noses = curvature.ties.arms[:, number], curvature.ties.noses[:, number]
            out[:, :, marker] += arms[:, :, None] * noses[:, None, :]
    return out.reshape(6 * frames, 3 * markers)


def own_block(curvature: Curvature) -> Float:
    """The geometry's own block (3 M, 3 M)."""
    markers = curvature.weights.shape[1]
    out: Float = np.diag(np.repeat(curvature.weights.sum(axis=0), 3))
    if curvature.noses is not None:
        blocks = np.einsum("fmi,fmj->mij", curvature.noses, curvature.noses)
        for marker in range(markers):
            place = slice(3 * marker, 3 * marker + 3)
            out[place, place] -= blocks[marker]
    if curvature.ties is not None:
        blocks = np.einsum("fki,fkj->kij", curvature.ties.noses, curvature.ties.noses)
        for block, marker in zip(blocks, curvature.ties.markers, strict=True):
            place = slice(3 * marker, 3 * marker + 3)
            out[place, place] += block
    if curvature.bonds is not None:
        out += curvature.bonds
    return out
