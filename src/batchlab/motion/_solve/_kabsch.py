"""The rigid motion that takes a body to its markers, of many frames at once, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._solve._rotations import from_quaternions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Bool: TypeAlias = NDArray[np.bool_]

__all__ = ["kabsch", "nearest_rotations", "spread"]

_NEWTON_MAX = 60


def spread(weights: Float, geometry: Float) -> Float:
    """How far from a line the weighted markers of each frame are.

    Parameters
    ----------
    weights
        (F, M), zero where a marker was not seen.
    geometry
        (M, 3).

    Returns
    -------
    array
        (F,) the sum of products of pairs of principal moments over the squared sum of moments: 0 on a line or
        below three markers, 1/3 for a ball; about the square of (second / first) singular value when small.
    """
    total = np.maximum(weights.sum(axis=1), 1e-300)
    mean = weights @ geometry / total[:, None]
    products = (geometry[:, :, None] * geometry[:, None, :]).reshape(-1, 9)
    moments = (weights @ products / total[:, None]).reshape(-1, 3, 3) - mean[:, :, None] * mean[:, None, :]
    trace = np.einsum("fii->f", moments)
    pairs = 0.5 * (trace**2 - np.einsum("fij,fij->f", moments, moments))
    out: Float = np.where(trace > 0, np.maximum(pairs, 0.0) / np.where(trace > 0, trace, 1.0) ** 2, 0.0)
    return out


def kabsch(positions: Float, weights: Float, geometry: Float) -> tuple[Float, Float]:
    """Rotations and translations that best take `geometry` to `positions`.

    Parameters
    ----------
    positions
        (F, 3, M) in m; any number where the weight is zero.
    weights
        (F, M), not negative.
    geometry
        (M, 3) in m.

    Returns
    -------
    rotations, translations
        (F, 3, 3), proper; (F, 3) in m. Frames with too few markers get some rotation.

    References
    ----------
    .. [1] Horn, "Closed-form solution of absolute orientation using unit quaternions", J. Opt. Soc. Am. A 4 (1987).
    .. [2] Theobald, "Rapid calculation of RMSDs using a quaternion-based characteristic polynomial",
       Acta Cryst. A 61 (2005).
    """
    frames, _, markers = positions.shape
    total = np.maximum(weights.sum(axis=1), 1e-300)
    shares = weights / total[:, None]
    centre = np.matmul(positions, shares[:, :, None])[:, :, 0]
    centre_body = shares @ geometry
    weighted = positions - centre[:, :, None]
    weighted *= shares[:, None, :]
    covariance = (weighted.reshape(-1, markers) @ geometry).reshape(frames, 3, 3)
    rotations = nearest_rotations(covariance)
    return rotations, centre - np.einsum("fij,fj->fi", rotations, centre_body)


def nearest_rotations(matrices: Float) -> Float:
    """Proper rotations (F, 3, 3) with the largest traces of product with `matrices` (F, 3, 3)."""
    scale = np.sqrt(np.einsum("fij,fij->f", matrices, matrices))
    return from_quaternions(_quaternions(matrices / np.where(scale > 0, scale, 1.0)[:, None, None]))


def _quaternions(covariance: Float) -> Float:
    """Unit quaternions (F, 4) of the largest eigenvalue of Horn's matrix; `covariance` (F, 3, 3) is y times x."""
    xx, xy, xz = covariance[:, 0, 0], covariance[:, 1, 0], covariance[:, 2, 0]
    yx, yy, yz = covariance[:, 0, 1], covariance[:, 1, 1], covariance[:, 2, 1]
    zx, zy, zz = covariance[:, 0, 2], covariance[:, 1, 2], covariance[:, 2, 2]
    matrix = np.empty((4, 4, len(covariance)))
    matrix[0, 0], matrix[1, 1] = xx + yy + zz, xx - yy - zz
    matrix[2, 2], matrix[3, 3] = yy - xx - zz, zz - xx - yy
    matrix[0, 1] = matrix[1, 0] = yz - zy
    matrix[0, 2] = matrix[2, 0] = zx - xz
    matrix[0, 3] = matrix[3, 0] = xy - yx
    matrix[1, 2] = matrix[2, 1] = xy + yx
    matrix[1, 3] = matrix[3, 1] = zx + xz
    matrix[2, 3] = matrix[3, 2] = yz + zy
    square = -2.0 * np.einsum("fij,fij->f", covariance, covariance)
    linear = -8.0 * (xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx))
    constant = _determinants(matrix)
    # Newton from above the largest root falls to it steadily.
    root = np.full(len(covariance), np.sqrt(3.0) + 1e-9)
    for _ in range(_NEWTON_MAX):
        value = ((root * root + square) * root + linear) * root + constant
        slope = (4.0 * root * root + 2.0 * square) * root + linear
        step = value / np.where(slope > 0, slope, np.inf)
        root -= step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    # Where two eigenvalues are close the closed form loses digits.
    close = np.flatnonzero((4.0 * root * root + 2.0 * square) * root + linear < 1e-3)
    shifted = matrix.copy()
    for row in range(4):
        shifted[row, row] -= root
    columns = _adjugate(shifted)
    diagonal = np.abs(np.einsum("iif->if", columns))
    best = diagonal.argmax(axis=0)
    out: Float = columns[best, :, np.arange(len(covariance))]
    size = np.sqrt(np.einsum("fi,fi->f", out, out))
    out /= np.where(size > 0, size, 1.0)[:, None]
    if close.size:
        out[close] = np.linalg.eigh(matrix[:, :, close].transpose(2, 0, 1))[1][:, :, -1]
    return out


def _minors(m: Float) -> tuple[tuple[Float, ...], tuple[Float, ...]]:
    """Minors (F,) of the upper two rows of matrices (4, 4, F), and of the lower two."""
    upper = (
        m[0, 0] * m[1, 1] - m[1, 0] * m[0, 1],
        m[0, 0] * m[1, 2] - m[1, 0] * m[0, 2],
        m[0, 0] * m[1, 3] - m[1, 0] * m[0, 3],
        m[0, 1] * m[1, 2] - m[1, 1] * m[0, 2],
        m[0, 1] * m[1, 3] - m[1, 1] * m[0, 3],
        m[0, 2] * m[1, 3] - m[1, 2] * m[0, 3],
    )
    lower = (
        m[2, 0] * m[3, 1] - m[3, 0] * m[2, 1],
        m[2, 0] * m[3, 2] - m[3, 0] * m[2, 2],
        m[2, 0] * m[3, 3] - m[3, 0] * m[2, 3],
        m[2, 1] * m[3, 2] - m[3, 1] * m[2, 2],
        m[2, 1] * m[3, 3] - m[3, 1] * m[2, 3],
        m[2, 2] * m[3, 3] - m[3, 2] * m[2, 3],
    )
    return upper, lower


def _determinants(m: Float) -> Float:
    """Of matrices (4, 4, F)."""
    (s0, s1, s2, s3, s4, s5), (c0, c1, c2, c3, c4, c5) = _minors(m)
    return np.asarray(s0 * c5 - s1 * c4 + s2 * c3 + s3 * c2 - s4 * c1 + s5 * c0)


def _adjugate(m: Float) -> Float:
    """Adjugates (4, 4, F) of symmetric matrices (4, 4, F), by minors of two rows."""
    (s0, s1, s2, s3, s4, s5), (_, c1, c2, c3, c4, c5) = _minors(m)
    out = np.empty_like(m)
    out[0, 0] = m[1, 1] * c5 - m[1, 2] * c4 + m[1, 3] * c3
    out[0, 1] = out[1, 0] = -m[0, 1] * c5 + m[0, 2] * c4 - m[0, 3] * c3
    out[0, 2] = out[2, 0] = m[3, 1] * s5 - m[3, 2] * s4 + m[3, 3] * s3
    out[0, 3] = out[3, 0] = -m[2, 1] * s5 + m[2, 2] * s4 - m[2, 3] * s3
    out[1, 1] = m[0, 0] * c5 - m[0, 2] * c2 + m[0, 3] * c1
    out[1, 2] = out[2, 1] = -m[3, 0] * s5 + m[3, 2] * s2 - m[3, 3] * s1
    out[1, 3] = out[3, 1] = m[2, 0] * s5 - m[2, 2] * s2 + m[2, 3] * s1
    out[2, 2] = m[3, 0] * s4 - m[3, 1] * s2 + m[3, 3] * s0
    out[2, 3] = out[3, 2] = -m[2, 0] * s4 + m[2, 1] * s2 - m[2, 3] * s0
    out[3, 3] = m[2, 0] * s3 - m[2, 1] * s1 + m[2, 2] * s0
    return out
