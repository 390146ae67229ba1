"""Losses that forget outliers, kept from forgetting whole frames.

A loss that falls off may forget so many markers of a frame that the rest tell no pose; then nothing holds it, and the
next step throws it anywhere. Such a frame keeps Huber's loss, which forgets nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from batchlab.motion._solve._joint import minimise
from batchlab.motion._solve._kabsch import spread
from batchlab.motion._solve._problem import State
from batchlab.motion._solve._robust import CONVEX
from batchlab.motion._solve._start import SPREAD_MIN
from batchlab.motion._solve._terms import residuals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._joint import Solution
    from batchlab.motion._solve._problem import Problem, Robust

    Bool: TypeAlias = NDArray[np.bool_]

__all__ = ["WEIGHT_MIN", "minimise_sparing"]

# A marker of less robust weight tells nothing.
WEIGHT_MIN = 0.01


class _Solve(Protocol):
    def __call__(
        self, problem: Problem, start: State, robust: Robust, iterations_max: int, tolerance: float, /
    ) -> Solution: ...


def minimise_sparing(
    problem: Problem,
    start: State,
    robust: Robust,
    iterations_max: int,
    tolerance: float,
    *,
    solve: _Solve = minimise,
) -> tuple[Solution, Robust]:
    """As `minimise`, sparing frames that the loss would leave without a pose; the loss returned says which.

    They are looked for at the start and where the solve ends; found late, a frame goes back to its pose at the start.
    """
    if robust.loss in CONVEX:
        return solve(problem, start, robust, iterations_max, tolerance), robust
    seen = problem.weights > 0
    able = _tells(seen, start)
    spared = able & ~_tells(seen & _counts(problem, start, robust), start)
    state, done = start, 0
    while True:
        robust = replace(robust, spared=spared if spared.any() else None)
        solution = solve(problem, state, robust, iterations_max - done, tolerance)
        done += solution.iterations
        state = solution.state
        lost = able & ~spared & ~_tells(seen & _counts(problem, state, robust), state)
        if not lost.any():
            return replace(solution, iterations=done), robust
        spared = spared | lost
        back = lost[:, None]
        state = State(
            rotations=np.where(back[:, :, None], start.rotations, state.rotations),
            translations=np.where(back, start.translations, state.translations),
            geometry=state.geometry,
        )


def _counts(problem: Problem, state: State, robust: Robust) -> Bool:
    """Markers (F, M) that are not forgotten."""
    error = residuals(problem, state)
    squares = np.einsum("fim,fim->fm", error, error) * problem.weights
    return np.asarray(robust.weights(squares) >= WEIGHT_MIN)


def _tells(markers: Bool, state: State) -> Bool:
    """Frames (F,) in which three of `markers` (F, M) or more are off a line."""
    weights = markers.astype(np.float64)
    out: Bool = (weights.sum(axis=1) >= 3) & (spread(weights, state.geometry) >= SPREAD_MIN)
    return out
