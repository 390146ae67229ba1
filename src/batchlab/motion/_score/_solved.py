"""Solves that share what they can: a start for all options of a recording, a full solve for all its folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.errors import ConfigError
from batchlab.motion._model import FitOptions, Smoothing, Weights
from batchlab.motion._solve._bonds import bonds_of, ties_of
from batchlab.motion._solve._fit import begun, fits, settled
from batchlab.motion._solve._problem import chain_of
from batchlab.motion._solve._smooth import smoothed
from batchlab.motion._solve._stack import stack
from batchlab.motion._solve._terms import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Body, Fit, Recording
    from batchlab.motion._solve._fit import Begun
    from batchlab.motion._solve._joint import Solution
    from batchlab.motion._solve._stack import Stacked

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["Solved", "solve", "stacked"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A solve before it is told as fits: what its folds start from."""

    recordings: tuple[Recording, ...]
    body: Body
    options: FitOptions
    stack: Stacked
    begun: Begun
    solution: Solution

    def fits(self) -> tuple[Fit, ...]:
        """One for each recording, in order."""
        return fits(self.recordings, self.body, self.options, self.stack, self.begun, self.solution)

    @property
    def cost_start(self) -> float:
        """Cost of the start, in the loss and the weights of the end: what the solve had to bring down."""
        return evaluate(self.stack.problem, self.stack.start, self.begun.robust).cost


def stacked(recordings: Sequence[Recording], body: Body, options: FitOptions | None = None) -> Stacked:
    """Recordings as arrays with a start, for unit weights: it serves all smoothing, losses, weights, and what is known.

    Parameters
    ----------
    recordings, body
        As of `fit_body`.
    options
        Of which factors of markers and the geometry count alone.
    """
    options = options or FitOptions()
    plain = replace(
        options,
        smoothing=Smoothing.NONE,
        weights=Weights(data_per_m=1.0, per_marker=options.weights.per_marker),
        known=(),
    )
    return stack(recordings, body, plain)


def solve(
    recordings: Sequence[Recording],
    body: Body,
    options: FitOptions | None = None,
    *,
    start: Stacked | None = None,
    near: Solved | None = None,
) -> Solved:
    """Solve as `fit_body` does, sharing a start.

    Parameters
    ----------
    recordings, body, options
        As of `fit_body`.
    start
        What `stacked` made of the same recordings, body, factors of markers and geometry.
    near
        A solve of the same with other weights: its poses are where this one starts from.

    Raises
    ------
    DegenerateBody, DataError, ConfigError
        As `fit_body` does.
    """
    options = options or FitOptions()
    weights = options.weights
    if weights.data_per_m <= 0 or not np.isfinite(weights.data_per_m):
        raise ConfigError(f"weights.data_per_m is {weights.data_per_m:g}; it must be positive")
    unit = start or stacked(recordings, body, options)
    chain = chain_of(unit.times, options.smoothing, weights.rotation, weights.translation)
    able = [recording for recording, has in zip(recordings, unit.able, strict=True) if has]
    weighed = replace(
        unit.problem,
        weights=weights.data_per_m**2 * unit.problem.weights,
        chain=chain,
        bonds=bonds_of(options.known, body, unit.used),
        ties=ties_of(options.known, able, body, unit.used),
    )
    row = replace(unit, problem=weighed, start=unit.start if near is None else near.solution.state)
    begin, solution = settled(row.problem, begun(smoothed(row) if near is None else row, options), options)
    return Solved(recordings=tuple(recordings), body=body, options=options, stack=row, begun=begin, solution=solution)
