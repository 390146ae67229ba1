"""Many samples on their reference's axis, judged in one pass over the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from batchlab.errors import DataError
from batchlab.spectra._model import Array

__all__ = ["Similarities", "similarity_of_many"]

_BLOCK_BYTES = 1 << 20  # stays in the cache of one core
# A spread below this share of the values is what rounding leaves of a constant.
_ROUNDING = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Similarities:
    """The similarity of each sample with the reference.

    Attributes
    ----------
    pearson_r, rmse, spectral_angle_deg : (m,) arrays
        As the functions of these names give them, to rounding; NaN where a constant has none.
    """

    pearson_r: Array
    rmse: Array
    spectral_angle_deg: Array


def similarity_of_many(reference: ArrayLike, samples: ArrayLike) -> Similarities:
    """Correlation, RMSE and spectral angle of many samples with one reference.

    Parameters
    ----------
    reference : (n,) array
        The signal of the reference.
    samples : (m, n) array
        A sample a row, at the reference's points. Of any kind that gives rows by slices, such as a memory map: a
        block of rows is taken at a time, and about three times a megabyte is needed besides.

    Raises
    ------
    DataError
        Reason ``not-a-spectrum``: the shapes do not fit, or a value is no finite number.
    """
    one = np.asarray(reference, dtype=np.float64)
    many: Any = samples if hasattr(samples, "shape") else np.asarray(samples, dtype=np.float64)
    if one.ndim != 1 or one.size < 2 or len(many.shape) != 2 or many.shape[1] != one.size:
        raise DataError(
            f"a reference of n points needs samples of shape (m, n), got {one.shape} and {many.shape}; bring them "
            "to a common axis",
            reason="not-a-spectrum",
        )
    if not np.isfinite(one).all():
        raise DataError("the reference holds values that are not finite numbers", reason="not-a-spectrum")
    m = many.shape[0]
    found = Similarities(pearson_r=np.empty(m), rmse=np.empty(m), spectral_angle_deg=np.empty(m))
    rows = max(1, _BLOCK_BYTES // (8 * one.size))
    room = np.empty((rows, one.size)), np.empty((rows, one.size))
    for first in range(0, m, rows):
        block = np.asarray(many[first : first + rows], dtype=np.float64)
        part = slice(first, first + len(block))
        _judge(one, block, found, part, tuple(each[: len(block)] for each in room))
    return found


def _judge(one: Array, block: Array, found: Similarities, part: slice, room: tuple[Array, ...]) -> None:
    scaled, work = room
    low, high = block.min(axis=1), block.max(axis=1)
    if not np.isfinite(high / 2 - low / 2).all():
        worst = part.start + int(np.argmin(np.isfinite(high / 2 - low / 2)))
        raise DataError(f"sample {worst} holds values that are not finite numbers", reason="not-a-spectrum")
    largest = np.maximum(np.abs(low), np.abs(high))
    found.rmse[part] = _rmse(one, block, work)
    zero, one_zero = largest == 0.0, not one.any()
    # Divided by their largest value first, so that no square overflows.
    np.divide(block, np.where(zero, 1.0, largest)[:, None], out=scaled)
    one_scaled = one if one_zero else one / np.abs(one).max()
    near, far = _chords(one_scaled, scaled, work)
    angle = np.degrees(2.0 * np.arctan2(np.sqrt(near), np.sqrt(far)))
    found.spectral_angle_deg[part] = np.where(zero | one_zero, np.nan, angle)
    scaled -= scaled.mean(axis=1)[:, None]
    near, far = _chords(one_scaled - one_scaled.mean(), scaled, work)
    r = np.clip(np.where(near <= far, 1.0 - near / 2, far / 2 - 1.0), -1.0, 1.0)
    flat = high / 2 - low / 2 <= _ROUNDING * largest
    one_flat = one.max() / 2 - one.min() / 2 <= _ROUNDING * np.abs(one).max()
    found.pearson_r[part] = np.where(flat | one_flat, np.nan, r)


def _rmse(one: Array, block: Array, work: Array) -> Array:
    """By the largest difference of each row, so that no square overflows or vanishes."""
    np.subtract(block, one, out=work)
    scale = np.maximum(np.abs(work.min(axis=1)), np.abs(work.max(axis=1)))
    work /= np.where(scale == 0.0, 1.0, scale)[:, None]
    rmse: Array = scale * np.sqrt(_squares(work) / one.size)
    return rmse


def _chords(one: Array, rows: Array, work: Array) -> tuple[Array, Array]:
    """Squared distance of each row from one signal and from its opposite, all taken as unit vectors; their sum is 4."""
    norms = np.sqrt(_squares(rows))[:, None]
    norms[norms == 0.0] = 1.0
    unit = one / (float(np.sqrt(_squares(one[None])[0])) or 1.0)  # summed as the rows are, so that equals stay equal
    np.divide(rows, norms, out=work)
    work -= unit
    near = _squares(work)
    far = np.maximum(4.0 - near, 0.0)
    opposite = near > far  # there the small one of the two is far, which a subtraction from 4 would blur
    if opposite.any():
        far[opposite] = _squares(rows[opposite] / norms[opposite] + unit)
        near[opposite] = 4.0 - far[opposite]
    return near, far


def _squares(rows: Array) -> Array:
    squares: Array = np.einsum("ij,ij->i", rows, rows)
    return squares
