"""The solve: frames of three unknowns in a band, bordered by the eye's centre; Levenberg and Marquardt, exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._eye._model import Edge
from batchlab.motion._eye._optics import EyeState, nearest_angles, project, pupil_places
from batchlab.motion._model import Status
from batchlab.motion._solve._band import factored, solved
from batchlab.motion._solve._covariance import diagonal_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._eye._model import Camera, EyeOptions
    from batchlab.motion._solve._problem import Chain, Robust

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["EyeProblem", "EyeSolution", "EyeTerms", "center_covariance", "evaluate", "frame_errors", "minimise"]

_DAMPING_FIRST, _DAMPING_MAX = 1e-3, 1e10
_HOLD = 1e-12
_ANGLE_MAX = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeProblem:
    """What is solved.

    Attributes
    ----------
    pixels, weights
        (F, P, 2), zero where unseen, and (F, P) in 1/px².
    angles
        (P,) of points, where a search for the nearest begins.
    chain, camera, options
        Smoothness, and what was asked.
    free
        How many coordinates of the centre are solved for: 3, 2 without its depth, 0.
    """

    pixels: Float
    weights: Float
    angles: Float
    chain: Chain
    camera: Camera
    options: EyeOptions
    free: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeTerms:
    """The cost at a state and its derivatives.

    Attributes
    ----------
    cost
        Half the sum of squares, robust.
    errors
        (F, P, 2) measured minus fitted in px; along the outline's normal for an outline.
    squares
        (F, P) squared residuals over their variance.
    blocks, border, own
        (F, 3, 3), (F, 3, 3) and (3, 3) of the Gauss-Newton Hessian that points give.
    downhill, downhill_center
        (F, 3) and (3,) minus the gradient.
    """

    cost: float
    errors: Float
    squares: Float
    blocks: Float
    border: Float
    own: Float
    downhill: Float
    downhill_center: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeSolution:
    """Where a solve ended."""

    state: EyeState
    terms: EyeTerms
    status: Status
    iterations: int


def evaluate(problem: EyeProblem, state: EyeState, robust: Robust) -> EyeTerms:
    """Cost, gradient and Hessian at `state`."""
    options = problem.options
    angles = np.broadcast_to(problem.angles, problem.weights.shape)
    fixed = (options.pupil_distance_m, options.eye_radius_m)
    if options.edge is Edge.OUTLINE:
        angles = nearest_angles(state, problem.pixels, angles, problem.camera, *fixed)
    places, by_frame, around = pupil_places(state, angles, *fixed)
    fitted, by_place = project(places, problem.camera)
    errors = np.where(problem.weights[:, :, None] > 0, problem.pixels - fitted, 0.0)
    slopes, slopes_center = by_place @ by_frame, by_place
    if options.edge is Edge.OUTLINE:
        tangent = np.einsum("fpij,fpj->fpi", by_place, around)
        normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=2)
        normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-12)
        errors = normal * np.sum(normal * errors, axis=2, keepdims=True)
        onto = normal[..., :, None] * normal[..., None, :]
        slopes, slopes_center = onto @ slopes, onto @ slopes_center
    squares = problem.weights * np.sum(errors**2, axis=2)
    weights = problem.weights * robust.weights(squares)
    weighted = weights[:, :, None, None] * slopes
    blocks = np.einsum("fpij,fpik->fjk", weighted, slopes)
    border = np.einsum("fpij,fpik->fjk", weighted, slopes_center)
    own = np.einsum("fp,fpij,fpik->jk", weights, slopes_center, slopes_center)
    downhill = np.einsum("fpij,fpi->fj", weighted, errors)
    downhill_center = np.einsum("fp,fpij,fpi->j", weights, slopes_center, errors)
    cost = float(robust.values(squares).sum())
    rows = _rows(problem.chain, state.frames)
    cost += float(np.sum(rows**2))
    downhill -= _rows_back(problem.chain, rows)
    return EyeTerms(
        cost=0.5 * cost,
        errors=errors,
        squares=squares,
        blocks=blocks,
        border=border,
        own=own,
        downhill=downhill,
        downhill_center=downhill_center,
    )


def _scales(chain: Chain) -> Float:
    return np.array([chain.rotation, chain.rotation, chain.translation])


def _rows(chain: Chain, frames: Float) -> Float:
    """Residuals (F - 1, 3) of smoothness."""
    steps = np.diff(frames, axis=0)
    rows = chain.after[:, None] * steps
    rows[1:] -= chain.before[1:, None] * steps[:-1]
    return np.asarray(rows * _scales(chain))


def _rows_back(chain: Chain, rows: Float) -> Float:
    """Gradient (F, 3) of half their sum of squares."""
    pull = chain.after[:, None] * rows
    pull[:-1] -= chain.before[1:, None] * rows[1:]
    pull = pull * _scales(chain)
    out = np.zeros((len(rows) + 1, 3))
    out[1:] += pull
    out[:-1] -= pull
    return out


def _band(problem: EyeProblem, terms: EyeTerms, damping: float) -> Float:
    """Frames' part of the Hessian as a lower band (3 F, b + 1), see `hessian_band`."""
    chain = problem.chain
    frames = len(terms.blocks)
    band = np.zeros((frames, 3, 3 * (chain.reach + 1)))
    for column in range(3):
        band[:, column, : 3 - column] = terms.blocks[:, column:, column]
    diagonal = band[:, :, 0]
    diagonal *= 1.0 + damping
    # A frame without points is held where it is.
    diagonal += _HOLD * np.maximum(diagonal.max(axis=0), 1e-300)
    if chain.reach and frames > 1:
        # Row k: a of frame k + 1, -(a + b) of frame k, b of frame k - 1.
        after, before = chain.after, chain.before
        middle = -(after + before)
        squares = _scales(chain) ** 2
        for axis in range(3):
            place, scale = band[:, axis], squares[axis]
            place[1:, 0] += scale * after**2
            place[:-1, 0] += scale * middle**2
            place[:-1, 3] += scale * after * middle
            if chain.reach == 2:
                place[:-2, 0] += scale * before[1:] ** 2
                place[:-2, 3] += scale * before[1:] * middle[1:]
                place[:-2, 6] += scale * before[1:] * after[1:]
    return band.reshape(3 * frames, -1)


def minimise(
    problem: EyeProblem, start: EyeState, robust: Robust, iterations_max: int, tolerance: float
) -> EyeSolution:
    """Frames and centre of least cost."""
    state, terms = start, evaluate(problem, start, robust)
    damping, done = _DAMPING_FIRST, 0
    status = Status.ITERATION_LIMIT
    tried = 0
    while done < iterations_max and tried < 4 * iterations_max:
        tried += 1
        if not np.isfinite(terms.cost):
            return EyeSolution(state=state, terms=terms, status=Status.FAILED, iterations=done)
        trial = _stepped(problem, state, terms, damping)
        if trial is not None:
            trial_terms = evaluate(problem, trial, robust)
            decrease = terms.cost - trial_terms.cost
            if decrease >= 0:
                small = decrease <= tolerance * terms.cost
                state, terms, done = trial, trial_terms, done + 1
                if small and damping <= _DAMPING_FIRST:
                    status = Status.CONVERGED
                    break
                damping = 0.0 if damping <= 1e-7 else 0.1 * damping
                continue
            if -decrease <= 1e-13 * terms.cost:
                status = Status.CONVERGED
                break
        damping = max(1e-6, 10.0 * damping)
        if damping > _DAMPING_MAX:
            status = Status.CONVERGED if trial is not None else Status.FAILED
            break
    return EyeSolution(state=state, terms=terms, status=status, iterations=done)


def _stepped(problem: EyeProblem, state: EyeState, terms: EyeTerms, damping: float) -> EyeState | None:
    factor = factored(_band(problem, terms, damping), keep=False)
    if factor is None:
        return None
    border = terms.border.reshape(-1, 3)
    both = solved(factor, np.column_stack([border, terms.downhill.reshape(-1, 1)]))
    complement = terms.own + damping * np.diag(np.diag(terms.own)) - border.T @ both[:, :3]
    right = terms.downhill_center - border.T @ both[:, 3]
    free = problem.free
    center = np.zeros(3)
    try:
        center[:free] = np.linalg.solve(complement[:free, :free], right[:free])
    except np.linalg.LinAlgError:
        return None
    frames = state.frames + (both[:, 3] - both[:, :3] @ center).reshape(-1, 3)
    # No pupil is inside out, and none is seen from behind.
    frames[:, 2] = np.maximum(frames[:, 2], 0.2 * state.frames[:, 2])
    frames[:, :2] = np.clip(frames[:, :2], -_ANGLE_MAX, _ANGLE_MAX)
    return EyeState(frames=frames, center=state.center + center)


def center_covariance(problem: EyeProblem, terms: EyeTerms) -> Float | None:
    """Of the centre (3, 3) in m², for residuals of unit variance; None where it is not determined."""
    factor = factored(_band(problem, terms, 0.0), keep=False)
    if factor is None:
        return None
    border = terms.border.reshape(-1, 3)
    free = problem.free
    complement = (terms.own - border.T @ solved(factor, border))[:free, :free]
    if np.linalg.eigvalsh(complement)[0] <= 0:
        return None
    out = np.zeros((3, 3))
    out[:free, :free] = np.linalg.inv(complement)
    return out


def frame_errors(problem: EyeProblem, terms: EyeTerms, center: Float) -> Float | None:
    """Standard errors of frames (F, 3), given the covariance (3, 3) of the centre; None where not determined."""
    factor = factored(_band(problem, terms, 0.0), keep=False)
    if factor is None:
        return None
    frames = len(terms.blocks)
    # Two frames of three unknowns are one of six to the recursion; an odd last one is filled up.
    padded = np.zeros((6 * (-(-frames // 2)), factor.shape[1]))
    padded[: len(factor)] = factor
    padded[len(factor) :, 0] = 1.0
    pairs = diagonal_blocks(padded, 1 if problem.chain.reach else 0)
    own = np.stack([pairs[:, :3, :3], pairs[:, 3:, 3:]], axis=1).reshape(-1, 3, 3)[:frames]
    by = solved(factor, terms.border.reshape(-1, 3)).reshape(-1, 3, 3)
    variance = np.einsum("fii->fi", own) + np.einsum("fij,jk,fik->fi", by, center, by)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
