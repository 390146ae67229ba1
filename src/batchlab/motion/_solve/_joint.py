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

from batchlab.motion._model import Loss, Status
from batchlab.motion._solve._band import factored, solved
from batchlab.motion._solve._gauge import free_changes
from batchlab.motion._solve._hessian import (
    Curvature,
    coupled,
    coupled_back,
    coupling,
    curvature_of,
    hessian_band,
    own_block,
)
from batchlab.motion._solve._problem import State
from batchlab.motion._solve._rotations import exponentials
from batchlab.motion._solve._terms import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._problem import Problem, Robust
    from batchlab.motion._solve._terms import Terms

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]

__all__ = ["Border", "Linear", "Solution", "linearised", "minimise", "moved", "windowed_complement"]

log = logging.getLogger(__name__)

# Share of the largest diagonal element that every frame is held with: below it a pose is not determined.
_HOLD = 1e-13
_DAMPING_FIRST, _DAMPING_MAX = 1e-4, 1e8
# A linearisation is kept near the end, while the decrease falls tenfold a step; a loss that bends is near later.
_NEAR, _NEAR_BENT, _FALL = 0.1, 1e-2, 0.1
# Share of the curvature of its loss that a frame is spared after a step that was too long for it.
_HELD_FIRST, _HELD_MORE, _HELD_LESS = 0.02, 5.0, 0.3
_WINDOWS, _WINDOW_FRAMES = 8, 32
_RESIDUE, _DIRECTIONS_MAX = 0.05, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """Changes of geometry that are solved for and what their Schur complement is about; both (0, 0) if none.

    Attributes
    ----------
    free
        (3 M, 3 M - 6) orthonormal.
    approximate
        (3 M - 6, 3 M - 6).
    bent
        With the curvature of a robust loss.
    """

    free: Float
    approximate: Float
    bent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """A linearisation.

    Attributes
    ----------
    state, curvature
        Where, and what of.
    factor
        (6 F, b + 1) Cholesky factor of poses' part.
    own
        (3 M - 6, 3 M - 6) the geometry's own part.
    border
        Of this linearisation or of an earlier one.
    """

    state: State
    curvature: Curvature
    factor: Float
    own: Float
    border: Border


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where a solve ended; a linearisation, if one is left, and by what share the cost has fallen since it was made."""

    state: State
    terms: Terms
    status: Status
    iterations: int
    linear: Linear | None = None
    fallen: float = 0.0


def moved(state: State, poses: Float, geometry: Float | None) -> State:
    """`state` after a step of poses (F, 6) and of geometry (M, 3)."""
    return State(
        rotations=np.matmul(state.rotations, exponentials(poses[:, :3])),
        translations=state.translations + poses[:, 3:],
        geometry=state.geometry if geometry is None else state.geometry + geometry,
    )


def linearised(
    problem: Problem,
    state: State,
    terms: Terms,
    robust: Robust,
    *,
    bent: bool = False,
    held: Float | None = None,
    damping: float = 0.0,
    before: Border | None = None,
) -> Linear | None:
    """The Hessian at a state, factored; None where it is not positive definite. See `curvature_of` for `held`.

    A border from `before` is taken over: conjugate gradients make up for its age.
    """
    curvature = curvature_of(problem, state, terms, robust, bent=bent, held=held)
    band = hessian_band(problem, state, terms, curvature)
    diagonal = band[:, 0].reshape(-1, 6)
    hold = _HOLD * np.maximum(diagonal.max(axis=0), 1e-300)
    diagonal += damping * diagonal + hold
    factor = factored(band, keep=False)
    if factor is None:
        return None
    if not problem.joint:
        none = np.zeros((0, 0))
        border = Border(free=none, approximate=none, bent=bent)
        return Linear(state=state, curvature=curvature, factor=factor, own=none, border=border)
    own = own_block(curvature)
    own[np.diag_indices_from(own)] *= 1.0 + damping
    if before is not None and before.bent == bent:
        border = before
    else:
        free = free_changes(state.geometry)
        complement = free.T @ windowed_complement(state, curvature, factor, damping) @ free
        border = Border(free=free, approximate=complement, bent=bent)
    return Linear(
        state=state,
        curvature=curvature,
        factor=factor,
        own=border.free.T @ own @ border.free,
        border=border,
    )


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
    damping, done, before = 0.0, 0, np.inf
    # Of a body that fits exactly, rounding of places is all that is left.
    floor = 1e-28 * float(np.vdot(problem.weights, np.einsum("fim,fim->fm", problem.positions, problem.positions)))
    bent = bendable = robust.loss is not Loss.SQUARED
    held: Float | None = None
    linear: Linear | None = None
    cost_linear = np.inf
    border: Border | None = None
    status = Status.ITERATION_LIMIT
    while done < iterations_max:
        if not np.isfinite(terms.cost):
            status = Status.FAILED
            break
        kept = linear is not None
        if linear is None:
            linear = linearised(problem, state, terms, robust, bent=bent, held=held, damping=damping, before=border)
            cost_linear = terms.cost
            border = linear.border if linear is not None and damping == 0.0 else None
        step = None if linear is None else _direction(problem, linear, terms)
        expected = np.inf
        if step is not None:
            trial = moved(state, *step)
            trial_terms = evaluate(problem, trial, robust)
            decrease = terms.cost - trial_terms.cost
            log.debug("%d: cost %.12g, less %.3g, damping %g, bent %s", done, terms.cost, decrease, damping, bent)
            if decrease >= 0:
                if held is not None and not kept:
                    held = np.where(_worse(terms, trial_terms, robust), held, _HELD_LESS * held)
                state, terms, done = trial, trial_terms, done + 1
                if decrease <= tolerance * terms.cost + floor and damping <= _DAMPING_FIRST:
                    status = Status.CONVERGED
                    break
                near = decrease <= (_NEAR_BENT if bendable else _NEAR) * terms.cost and damping == 0.0
                if not near or (kept and decrease > _FALL * before):
                    linear = None
                before = decrease
                damping = 0.0 if damping <= _DAMPING_FIRST else 0.1 * damping
                bent = bendable
                continue
            if bent and not kept:
                # For the sake of a few frames: only theirs is too soft.
                before_held = np.zeros(len(terms.squares)) if held is None else held
                worse = _worse(terms, trial_terms, robust) & (before_held < 1.0)
                if worse.any():
                    held = np.where(worse, np.clip(_HELD_MORE * before_held, _HELD_FIRST, 1.0), before_held)
                    linear = None
                    continue
            expected = float(np.vdot(step[0], terms.downhill))
            if step[1] is not None:
                expected += float(np.vdot(step[1], terms.downhill_geometry))
        # Rounding alone may raise the cost at its floor.
        if 0 <= expected <= max(tolerance, 1e-12) * terms.cost + floor:
            status = Status.CONVERGED
            break
        linear = None
        if kept:
            continue
        if bent:
            # Reweighting alone never overshoots.
            bent = False
            continue
        damping = max(_DAMPING_FIRST, 10.0 * damping)
        if damping > _DAMPING_MAX:
            status = Status.FAILED
            break
    # Near a solution an old linearisation is as good as a new one, unless it is bent or damped.
    plain = linear is not None and not linear.border.bent and damping == 0.0
    return Solution(
        state=state,
        terms=terms,
        status=status,
        iterations=done,
        linear=linear if plain else None,
        fallen=max(0.0, cost_linear - terms.cost) / max(terms.cost, 1e-300) if plain else 0.0,
    )


def _worse(terms: Terms, trial: Terms, robust: Robust) -> Bool:
    """Frames (F,) whose markers count more after a step."""
    return np.asarray(robust.values(trial.squares).sum(axis=1) > robust.values(terms.squares).sum(axis=1))


def _direction(problem: Problem, linear: Linear, terms: Terms) -> tuple[Float, Float | None] | None:
    """Step of poses (F, 6) and of geometry (M, 3), None where it is known; None where the Hessian is not positive."""
    poses = solved(linear.factor, terms.downhill)
    if not problem.joint:
        return poses, None
    state, curvature, free = linear.state, linear.curvature, linear.border.free
    shape = state.geometry.shape
    right = free.T @ (terms.downhill_geometry - coupled_back(curvature, state, poses)).ravel()
    total = np.zeros_like(right)
    rest, size = right, float(np.linalg.norm(right))
    direction: Float = np.zeros_like(right)
    product_before = np.inf
    for _ in range(_DIRECTIONS_MAX):
        if np.linalg.norm(rest) <= _RESIDUE * size or size == 0.0:
            break
        try:
            preconditioned = np.linalg.solve(linear.border.approximate, rest)
        except np.linalg.LinAlgError:
            # Weights so far apart that rounding has eaten a direction: damping brings it back.
            return None
        product = float(rest @ preconditioned)
        direction = np.asarray(preconditioned + product / product_before * direction)
        change = (free @ direction).reshape(shape)
        response = solved(linear.factor, coupled(curvature, state, change))
        image = linear.own @ direction - free.T @ coupled_back(curvature, state, response).ravel()
        along = float(direction @ image)
        if along <= 0:
            return None
        length = product / along
        total = total + length * direction
        rest = rest - length * image
        poses = poses - length * response
        product_before = product
    return poses, (free @ total).reshape(shape)


def windowed_complement(state: State, curvature: Curvature, factor: Float, damping: float) -> Float:
    """Schur complement (3 M, 3 M) of the geometry, told by windows of frames; exact when they hold all frames."""
    frames, markers = curvature.weights.shape
    if frames <= _WINDOWS * _WINDOW_FRAMES:
        border = coupling(curvature, state)
        out = own_block(curvature)
        out[np.diag_indices_from(out)] *= 1.0 + damping
        out -= border.T @ solved(factor, border)
        return out
    out = np.zeros((3 * markers, 3 * markers))
    seen = np.zeros(markers)
    for first in np.linspace(0, frames - _WINDOW_FRAMES, _WINDOWS).astype(int):
        window = slice(first, first + _WINDOW_FRAMES)
        inner = curvature.window(window)
        part = State(
            rotations=state.rotations[window], translations=state.translations[window], geometry=state.geometry
        )
        border = coupling(inner, part)
        # Rows of the whole factor serve: they hold the window's frames given those before it.
        rows = factor[6 * window.start : 6 * window.stop]
        out += own_block(inner) - border.T @ solved(rows, border)
        seen += inner.weights.sum(axis=0)
    total = curvature.weights.sum(axis=0)
    share = np.repeat(np.where(seen > 0, np.sqrt(total / np.maximum(seen, 1e-300)), 0.0), 3)
    out *= share[:, None] * share[None, :]
    # Markers that no window sees, and directions that the loss has bent flat.
    out += np.diag(np.repeat(np.where(seen > 0, 1e-6, 1.0) * total, 3))
    if curvature.bonds is not None:
        out += (1.0 + damping) * curvature.bonds
    return out
