"""A start that is smooth already: poses of single frames, drawn through time as numbers that know of no turning.

Places and the nine entries of rotations are smoothed with the weights of the problem, each as a course of its own;
what comes out is turned into rotations again. Two small bands are all it takes, and it spares the solve a step or two,
each with a large band: derivatives of smoothness at poses of single frames are noisy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._solve._band import factored, solved
from batchlab.motion._solve._hessian import step_curvature
from batchlab.motion._solve._kabsch import nearest_rotations
from batchlab.motion._solve._problem import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._problem import Chain
    from batchlab.motion._solve._stack import Stacked

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["smoothed"]

# Share of the largest weight that every frame is held with where it is.
_HOLD = 1e-9
# Mean rotations shrink as what they are the mean of differs: below this they tell little.
_LENGTH_MIN = 0.7


def smoothed(stacked: Stacked) -> Stacked:
    """With a start through which smoothness has been drawn; as it is where none is asked for, or turns are too wild."""
    problem, start = stacked.problem, stacked.start
    chain = problem.chain
    if not chain.reach:
        return stacked
    frames = len(start.rotations)
    weights = problem.weights * stacked.determined[:, None]
    moments = weights @ np.einsum("mi,mi->m", start.geometry, start.geometry)
    # About an axis a body of no matter what shape has two thirds of that on average.
    entries = _course(chain, chain.rotation, 2.0 / 3.0 * moments, start.rotations.reshape(frames, 9))
    translations = _course(chain, chain.translation, weights.sum(axis=1), start.translations)
    if entries is None or translations is None:
        return stacked
    lengths = np.sqrt(np.einsum("fi,fi->f", entries, entries) / 3.0)
    if not lengths.min() > _LENGTH_MIN:
        return stacked
    state = State(
        rotations=nearest_rotations(entries.reshape(frames, 3, 3)), translations=translations, geometry=start.geometry
    )
    return replace(stacked, start=state)


def _course(chain: Chain, weight: float, information: Float, values: Float) -> Float | None:
    """Values (F, k) after smoothing by a `weight`, each frame held by its `information` (F,); None if undetermined."""
    if weight == 0:
        return values
    held = information + _HOLD * information.max()
    diagonal, beside = step_curvature(chain, weight)
    band = np.zeros((len(values), chain.reach + 1))
    band[:, 0] = held
    band[:-1, 0] += diagonal
    band[1:, 0] += diagonal
    band[:-1, 1] -= diagonal
    if chain.reach == 2:
        band[1:-1, 0] -= 2.0 * beside
        band[:-2, 1] += beside
        band[1:-1, 1] += beside
        band[:-2, 2] -= beside
    factor = factored(band, keep=False)
    return None if factor is None else solved(factor, held[:, None] * values)
