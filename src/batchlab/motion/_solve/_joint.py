"""The solve: Gauss-Newton with Marquardt's damping on a band of poses bordered by one geometry.

The band is factored by LAPACK. The border is never carried through all frames: its Schur complement is applied
to the few directions that conjugate gradients ask for, preconditioned by the complement of some windows of frames,
scaled. Short recordings fit in the windows, which makes the preconditioner exact.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._model import Status
from batchlab.motion._solve._band import factored, solved
from batchlab.motion._solve._gauge import free_changes
from batchlab.motion._solve._problem import State
from batchlab.motion._solve._rotations import exponentials
from batchlab.motion._solve._terms import (
    coupled,
    coupled_back,
    coupling,
    evaluate,
    hessian_band,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._problem import Problem, Robust
    from batchlab.motion._solve._terms import Terms

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["Solution", "factored_poses", "minimise", "moved", "windowed_complement"]

log = logging.getLogger(__name__)

# Share of the largest diagonal element that every frame is held with: below it a pose is not determined.
_HOLD = 1e-13
_DAMPING_FIRST, _DAMPING_MAX = 1e-4, 1e8
_WINDOWS, _WINDOW_FRAMES = 8, 48
_RESIDUE, _DIRECTIONS_MAX = 0.05, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where a solve ended."""

    state: State
    terms: Terms
    status: Status
    iterations: int


def moved(state: State, poses: Float, geometry: Float | None) -> State:
    """`state` after a step of poses (F, 6) and of geometry (M, 3)."""
    return State(
        rotations=np.matmul(state.rotations, exponentials(poses[:, :3])),
        translations=state.translations + poses[:, 3:],
        geometry=state.geometry if geometry is None else state.geometry + geometry,
    )


def factored_poses(problem: Problem, state: State, terms: Terms, damping: float = 0.0) -> Float | None:
    """Cholesky factor (6 F, b + 1) of poses' part of the Hessian; None if it is not positive definite."""
    band = hessian_band(problem, state, terms)
    diagonal = band[:, 0].reshape(-1, 6)
    hold = _HOLD * np.maximum(diagonal.max(axis=0), 1e-300)
    diagonal += damping * diagonal + hold
    return factored(band, keep=False)


def minimise(problem: Problem, start: State, robust: Robust, iterations_max: int, tolerance: float) -> Solution:
    """Poses, and the geometry where it is unknown, of least cost.

    Parameters
    ----------
    problem, start
        What to solve and from where; a geometry that is solved for must be centred.
    robust
        Loss.
    iterations_max, tolerance
        Ends: number of accepted steps; relative decrease of cost.
    """
    state, terms = start, evaluate(problem, start, robust)
    damping, done = 0.0, 0
    status = Status.ITERATION_LIMIT
    while done < iterations_max:
        if not np.isfinite(terms.cost):
            status = Status.FAILED
            break
        factor = factored_poses(problem, state, terms, damping)
        if factor is not None:
            poses, geometry = _direction(problem, state, terms, factor, damping)
            trial = moved(state, poses, geometry)
            trial_terms = evaluate(problem, trial, robust)
            decrease = terms.cost - trial_terms.cost
            log.debug("step %d: cost %.12g, decrease %.3g, damping %g", done, terms.cost, decrease, damping)
            if decrease >= 0:
                converged = decrease <= tolerance * terms.cost and damping <= _DAMPING_FIRST
                state, terms, done = trial, trial_terms, done + 1
                if converged:
                    status = Status.CONVERGED
                    break
                damping = 0.0 if damping <= _DAMPING_FIRST else 0.1 * damping
                continue
            # Rounding alone may raise the cost at its floor.
            expected = float(np.vdot(poses, terms.downhill))
            if geometry is not None:
                expected += float(np.vdot(geometry, terms.downhill_geometry))
            if expected <= max(tolerance, 1e-12) * terms.cost:
                status = Status.CONVERGED
                break
        damping = max(_DAMPING_FIRST, 10.0 * damping)
        if damping > _DAMPING_MAX:
            status = Status.FAILED
            break
    return Solution(state=state, terms=terms, status=status, iterations=done)


def _direction(
    problem: Problem, state: State, terms: Terms, factor: Float, damping: float
) -> tuple[Float, Float | None]:
    """Step of poses (F, 6) and of geometry (M, 3), None where it is known."""
    poses = solved(factor, terms.downhill)
    if not problem.joint:
        return poses, None
    free = free_changes(state.geometry)
    shape = state.geometry.shape
    seen = np.repeat((1.0 + damping) * terms.weights.sum(axis=0), 3)
    right = free.T @ (terms.downhill_geometry - coupled_back(terms.weights, state, poses)).ravel()
    approximate = free.T @ windowed_complement(problem, state, terms, factor, damping) @ free
    total = np.zeros_like(right)
    rest, size = right, float(np.linalg.norm(right))
    direction: Float = np.zeros_like(right)
    product_before = np.inf
    for _ in range(_DIRECTIONS_MAX):
        if np.linalg.norm(rest) <= _RESIDUE * size or size == 0.0:
            break
        preconditioned = np.linalg.solve(approximate, rest)
        product = float(rest @ preconditioned)
        direction = np.asarray(preconditioned + product / product_before * direction)
        change = (free @ direction).reshape(shape)
        response = solved(factor, coupled(terms.weights, state, change))
        image = free.T @ (seen * change.ravel() - coupled_back(terms.weights, state, response).ravel())
        curvature = float(direction @ image)
        if curvature <= 0:
            break
        length = product / curvature
        total = total + length * direction
        rest = rest - length * image
        poses = poses - length * response
        product_before = product
    return poses, (free @ total).reshape(shape)


def windowed_complement(problem: Problem, state: State, terms: Terms, factor: Float, damping: float) -> Float:
    """Schur complement (3 M, 3 M) of the geometry, told by windows of frames; exact when they hold all frames."""
    frames, markers = terms.weights.shape
    if frames <= _WINDOWS * _WINDOW_FRAMES:
        border = coupling(terms.weights, state)
        out: Float = np.diag(np.repeat((1.0 + damping) * terms.weights.sum(axis=0), 3))
        out -= border.T @ solved(factor, border)
        return out
    out = np.zeros((3 * markers, 3 * markers))
    seen = np.zeros(markers)
    for first in np.linspace(0, frames - _WINDOW_FRAMES, _WINDOWS).astype(int):
        window = slice(first, first + _WINDOW_FRAMES)
        weights = terms.weights[window]
        part = State(
            rotations=state.rotations[window], translations=state.translations[window], geometry=state.geometry
        )
        border = coupling(weights, part)
        # Rows of the whole factor serve: they hold the window's frames given those before it.
        inner = factor[6 * window.start : 6 * window.stop]
        out += np.diag(np.repeat(weights.sum(axis=0), 3)) - border.T @ solved(np.ascontiguousarray(inner), border)
        seen += weights.sum(axis=0)
    share = np.sqrt(terms.weights.sum(axis=0) / np.maximum(seen, 1e-300))
    share = np.repeat(np.where(seen > 0, share, 0.0), 3)
    out *= share[:, None] * share[None, :]
    out += np.diag(np.repeat(np.where(seen > 0, 1e-9, 1.0) * terms.weights.sum(axis=0), 3))
    return out
