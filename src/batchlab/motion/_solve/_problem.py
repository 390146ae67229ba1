"""What is solved: stacked frames of one body, weights, and the chain of smoothness through time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._model import Loss, Smoothing
from batchlab.motion._solve._robust import loss_curvatures, loss_values, loss_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from batchlab.motion._solve._bonds import Bond, Tie

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]

__all__ = ["Chain", "Problem", "Robust", "State", "chain_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Smoothness: row k is ``after[k] * step[k] - before[k] * step[k - 1]``, a step going from frame k to k + 1.

    Attributes
    ----------
    reach
        Frames that a row couples with a frame: 0, 1 or 2.
    after, before
        (F - 1,), already with the root of the share of time; `before[0]` is 0.
    rotation, translation
        Weights of rows of rotation and of translation.
    """

    reach: int
    after: Float
    before: Float
    rotation: float
    translation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Frames of one body, of all recordings in a row.

    Attributes
    ----------
    positions
        (F, 3, M) in m, zero where unseen.
    weights
        (F, M): one over the variance in 1/m², zero where unseen.
    chain
        Smoothness; never across recordings.
    joint
        Whether the geometry is unknown too.
    bonds, ties
        What is known of the geometry, and of the way to points outside the body.
    """

    positions: Float
    weights: Float
    chain: Chain
    joint: bool
    bonds: tuple[Bond, ...] = ()
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Rotations (F, 3, 3), translations (F, 3) in m, geometry (M, 3) in m."""

    rotations: Float
    translations: Float
    geometry: Float


def chain_of(times: Sequence[Float], smoothing: Smoothing, rotation: float, translation: float) -> Chain:
    """Rows of smoothness on real time stamps.

    A row of first order is a change between frames, times the root of (usual interval / interval): the integral of
    squared speed, in units in which a regular recording has plain changes. A row of second order is the change
    of speed over its interval, times the root of (interval / usual interval): the integral of squared acceleration.

    Parameters
    ----------
    times
        (F,) in s, ascending, of each recording.
    smoothing
        Order.
    rotation, translation
        Weights, see `batchlab.motion.Weights`.
    """
    frames = sum(len(stamps) for stamps in times)
    after, before = np.zeros(max(frames - 1, 0)), np.zeros(max(frames - 1, 0))
    if smoothing is Smoothing.NONE or (rotation == 0 and translation == 0):
        return Chain(reach=0, after=after, before=before, rotation=0.0, translation=0.0)
    first = 0
    for stamps in times:
        steps = np.diff(stamps)
        if len(steps):
            usual = float(np.median(steps))
            if smoothing is Smoothing.FIRST:
                after[first : first + len(steps)] = np.sqrt(usual / steps)
            elif len(steps) > 1:
                mean = 0.5 * (steps[1:] + steps[:-1])
                share = np.sqrt(mean / usual) / mean
                after[first + 1 : first + len(steps)] = share / steps[1:]
                before[first + 1 : first + len(steps)] = share / steps[:-1]
        first += len(stamps)
    reach = 1 if smoothing is Smoothing.FIRST else 2
    return Chain(reach=reach, after=after, before=before, rotation=rotation, translation=translation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """Loss, and where it bends in stated standard deviations.

    Attributes
    ----------
    loss, scale
        Of all frames but those spared.
    spared
        (F,) frames that keep Huber's loss, for this one would leave too few markers to tell their pose; None: no frame.
    mild
        Where Huber's bends there.
    """

    loss: Loss = Loss.SQUARED
    scale: float = 1.0
    spared: Bool | None = None
    mild: float = 1.0

    def values(self, squares: Float) -> Float:
        """What squared lengths (F, M) count, see `loss_values`."""
        return self._each(loss_values, squares)

    def weights(self, squares: Float) -> Float:
        """Their weights, see `loss_weights`."""
        return self._each(loss_weights, squares)

    def curvatures(self, squares: Float) -> Float:
        """See `loss_curvatures`."""
        return self._each(loss_curvatures, squares)

    def part(self, frames: slice) -> Robust:
        """Of some frames."""
        return self if self.spared is None else replace(self, spared=self.spared[frames])

    def _each(self, function: Callable[[Loss, Float, float], Float], squares: Float) -> Float:
        out = function(self.loss, squares, self.scale)
        if self.spared is not None:
            out[self.spared] = function(Loss.HUBER, squares[self.spared], self.mild)
        return out
