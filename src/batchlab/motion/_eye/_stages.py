"""Stages of a robust solve of an eye: from Huber's loss to the one asked for, from broad to narrow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._eye._model import Edge
from batchlab.motion._eye._optics import EyeState
from batchlab.motion._eye._solve import EyeProblem, EyeSolution, evaluate, minimise
from batchlab.motion._model import Loss
from batchlab.motion._solve._problem import Robust
from batchlab.motion._solve._robust import CONVEX, default_scale
from batchlab.motion._solve._spare import WEIGHT_MIN

if TYPE_CHECKING:
    from batchlab.motion._eye._model import EyeOptions
    from batchlab.motion._model import Bool, Float

__all__ = ["least_points", "minimise_sparing", "robustly", "unit_of"]

_GRADUATION = (4.0, 2.0)
_COORDINATES = {Edge.OUTLINE: 1, Edge.LABELLED: 2}
# Median length of one and of two standard normal numbers.
_MEDIANS = {Edge.OUTLINE: 0.67449, Edge.LABELLED: 1.17741}


def least_points(options: EyeOptions) -> int:
    """Points that tell a pupil."""
    return max(options.min_points, 5 if options.edge is Edge.OUTLINE else 3)


def unit_of(solution: EyeSolution, problem: EyeProblem, determined: Bool) -> float:
    """Standard deviation of normalised residuals, told by their median."""
    seen = problem.weights > 0
    each = _COORDINATES[problem.options.edge]
    free = 1.0 - 3.0 * int(determined.sum()) / max(each * int(seen.sum()), 1)
    length = float(np.sqrt(np.median(solution.terms.squares[seen])))
    return max(length / _MEDIANS[problem.options.edge] / float(np.sqrt(max(free, 0.05))), 1e-3)


def robustly(
    problem: EyeProblem, state: EyeState, determined: Bool, options: EyeOptions
) -> tuple[EyeSolution, Robust, int]:
    """Stages from Huber's loss to the one asked for, from broad to narrow."""
    if options.loss is Loss.SQUARED:
        robust = Robust()
        return minimise(problem, state, robust, options.iterations_max, options.tolerance), robust, 0
    coordinates = _COORDINATES[options.edge]
    scale = default_scale(options.loss, coordinates) if options.loss_scale is None else options.loss_scale
    mild = scale if options.loss is Loss.HUBER else default_scale(Loss.HUBER, coordinates)

    def bending(stage: EyeSolution, factor: float = 1.0) -> Robust:
        unit = unit_of(stage, problem, determined)
        return Robust(loss=options.loss, scale=factor * scale * unit, mild=mild * unit)

    spent = 0
    stage = minimise(problem, state, Robust(loss=Loss.HUBER, scale=4.0 * mild), 30, 1e-5)
    for factor in () if options.loss in CONVEX else _GRADUATION:
        spent += stage.iterations
        stage, _ = minimise_sparing(problem, stage.state, bending(stage, factor), 20, 1e-5)
    spent += stage.iterations
    solution, robust = minimise_sparing(problem, stage.state, bending(stage), options.iterations_max, options.tolerance)
    return solution, robust, spent


def minimise_sparing(
    problem: EyeProblem, start: EyeState, robust: Robust, iterations_max: int, tolerance: float
) -> tuple[EyeSolution, Robust]:
    """As `minimise`, sparing frames that the loss would leave without a pupil; as `minimise_sparing` does of bodies."""
    if robust.loss in CONVEX:
        return minimise(problem, start, robust, iterations_max, tolerance), robust
    least = least_points(problem.options)

    def lost(squares: Float) -> Bool:
        seen = problem.weights > 0
        left = seen & (robust.weights(squares) >= WEIGHT_MIN)
        return np.asarray((left.sum(axis=1) < least) & (seen.sum(axis=1) >= least))

    robust = replace(robust, spared=None)
    spared = lost(evaluate(problem, start, robust).squares)
    state, done = start, 0
    while True:
        robust = replace(robust, spared=spared if spared.any() else None)
        solution = minimise(problem, state, robust, iterations_max - done, tolerance)
        done += solution.iterations
        more = lost(solution.terms.squares) & ~spared
        if not more.any():
            return replace(solution, iterations=done), robust
        spared = spared | more
        state = EyeState(
            frames=np.where(more[:, None], start.frames, solution.state.frames), center=solution.state.center
        )
