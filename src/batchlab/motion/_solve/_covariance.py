"""Uncertainty of poses in a time that grows with the number of frames: selected blocks of the inverse Hessian.

Blocks of frames obey a recursion backwards through time, S[i] = M[i] + G[i] S[i + 1] G[i]ᵀ. Segments of time run
side by side from zero, each with the product of its G; their ends are joined afterwards, which is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._solve._band import solved
from batchlab.motion._solve._hessian import coupled, data_blocks
from batchlab.motion._solve._joint import windowed_complement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._solve._joint import Linear
    from batchlab.motion._solve._problem import Problem

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["diagonal_blocks", "pose_covariances", "pose_leverages"]

_CHUNK_BLOCKS = 4096


def pose_covariances(problem: Problem, linear: Linear) -> Float:
    """Covariances (F, 6, 6) of turns about body axes (rad) and moves (m), for residuals of unit variance.

    The geometry's own uncertainty is carried in where it is solved for.
    """
    out = diagonal_blocks(linear.factor, problem.chain.reach)
    if problem.joint:
        complement = windowed_complement(linear.state, linear.curvature, linear.factor, 0.0)
        values, vectors = np.linalg.eigh(linear.border.free.T @ complement @ linear.border.free)
        for value, vector in zip(values, vectors.T, strict=True):
            if value > 0:
                change = (linear.border.free @ (vector / np.sqrt(value))).reshape(linear.state.geometry.shape)
                response = solved(linear.factor, coupled(linear.curvature, linear.state, change))
                out += response[:, :, None] * response[:, None, :]
    return out


def pose_leverages(linear: Linear, covariances: Float | None) -> Float:
    """How many unknowns of each frame (F,) the markers themselves tell: 6 without smoothness, less with it.

    Without `covariances` one solve with a fixed pattern of signs estimates them: single frames then mean nothing, the
    sum has a relative error of about one over the root of the number of frames.
    """
    blocks = data_blocks(linear.curvature.weights, linear.state)
    if covariances is not None:
        return np.asarray(np.einsum("fij,fji->f", blocks, covariances))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(blocks), 6))
    out: Float = np.einsum("fi,fi->f", signs, solved(linear.factor, np.einsum("fij,fj->fi", blocks, signs)))
    return out


def diagonal_blocks(factor: Float, reach: int) -> Float:
    """Diagonal blocks (F, 6, 6) of the inverse of a matrix with Cholesky factor (6 F, 6 (reach + 1))."""
    frames = len(factor) // 6
    wide = max(reach, 1)
    blocks = -(-frames // wide)
    size = 6 * wide
    out = np.empty((blocks * wide, 6, 6))
    later = np.zeros((size, size))
    for stop in range(blocks, 0, -_CHUNK_BLOCKS):
        first = max(0, stop - _CHUNK_BLOCKS)
        own, beside = _unpacked(factor, first * size, stop * size, size)
        inverse = np.linalg.inv(own)
        transposed = np.swapaxes(inverse, 1, 2)
        alone = np.matmul(transposed, inverse)
        inner = alone if reach == 0 else _recursion(alone, np.matmul(transposed, np.swapaxes(beside, 1, 2)), later)
        later = inner[0]
        for frame in range(wide):
            place = slice(6 * frame, 6 * frame + 6)
            out[first * wide + frame : stop * wide : wide] = inner[:, place, place]
    return out[:frames]


def _unpacked(factor: Float, first: int, stop: int, size: int) -> tuple[Float, Float]:
    """Diagonal blocks and those below them, (n, size, size) each, of a banded factor; padded by the unit matrix."""
    count = (stop - first) // size
    here = factor[first : min(stop, len(factor))]
    full = np.zeros((count * size, 2 * size))
    full[: len(here), : here.shape[1]] = here
    full[len(here) :, 0] = 1.0
    columns = full.reshape(count, size, 2 * size)
    own, beside = np.zeros((count, size, size)), np.zeros((count, size, size))
    for column in range(size):
        own[:, column:, column] = columns[:, column, : size - column]
        beside[:, :, column] = columns[:, column, size - column : 2 * size - column]
    return own, beside


def _recursion(alone: Float, gain: Float, later: Float) -> Float:
    """All S of ``S[i] = alone[i] + gain[i] S[i + 1] gain[i]ᵀ``, S after the last being `later`."""
    count, size, _ = alone.shape
    length = max(1, int(np.sqrt(count)))
    segments = -(-count // length)
    padding = segments * length - count
    if padding:
        # In front, where nothing reads the result.
        alone = np.concatenate([np.zeros((padding, size, size)), alone])
        gain = np.concatenate([np.zeros((padding, size, size)), gain])
    own = alone.reshape(segments, length, size, size).copy()
    product = gain.reshape(segments, length, size, size).copy()
    for step in range(length - 2, -1, -1):
        here = product[:, step]
        own[:, step] += here @ own[:, step + 1] @ np.swapaxes(here, 1, 2)
        product[:, step] = here @ product[:, step + 1]
    for segment in range(segments - 1, -1, -1):
        through = product[segment]
        own[segment] += through @ later @ np.swapaxes(through, 1, 2)
        later = own[segment, 0]
    return own.reshape(-1, size, size)[padding:]
