"""Rotations of many frames at once: exponential, logarithm, its derivative, quaternions, interpolation."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["cross_matrices", "exponentials", "from_quaternions", "inverse_jacobians", "logarithms", "slerp"]

# Below this angle (rad) the series is exact to rounding.
_SMALL = 1e-4


def cross_matrices(vectors: Float) -> Float:
    """Matrices (..., 3, 3) that take the cross product from the left with `vectors` (..., 3)."""
    out = np.zeros((*vectors.shape, 3))
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -z, y, -x
    out[..., 1, 0], out[..., 2, 0], out[..., 2, 1] = z, -y, x
    return out


def exponentials(vectors: Float) -> Float:
    """Rotations (F, 3, 3) of rotation vectors (F, 3) in rad, by Rodrigues' formula."""
    square = np.einsum("fi,fi->f", vectors, vectors)
    angle = np.sqrt(square)
    small = angle < _SMALL
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1.0 - square / 6.0, np.sin(safe) / safe)
    second = np.where(small, 0.5 - square / 24.0, 2.0 * (np.sin(0.5 * safe) / safe) ** 2)
    out = first[:, None, None] * cross_matrices(vectors)
    out += second[:, None, None] * (vectors[:, :, None] * vectors[:, None, :])
    diagonal = 1.0 - second * square
    for axis in range(3):
        out[:, axis, axis] += diagonal
    return out


def _axials(matrices: Float) -> Float:
    """Half the axial vectors of the antisymmetric parts: sin(angle) times the axis for a rotation."""
    return 0.5 * np.stack(
        [
            matrices[:, 2, 1] - matrices[:, 1, 2],
            matrices[:, 0, 2] - matrices[:, 2, 0],
            matrices[:, 1, 0] - matrices[:, 0, 1],
        ],
        axis=1,
    )


def logarithms(rotations: Float) -> Float:
    """Rotation vectors (F, 3) in rad, at most pi long, of `rotations` (F, 3, 3)."""
    axial = _axials(rotations)
    sine = np.sqrt(np.einsum("fi,fi->f", axial, axial))
    cosine = 0.5 * (np.einsum("fii->f", rotations) - 1.0)
    angle = np.arctan2(sine, cosine)
    small = sine < _SMALL
    ratio = np.where(small, 1.0 + angle**2 / 6.0, angle / np.where(small, 1.0, sine))
    out = ratio[:, None] * axial
    # Near half a turn the antisymmetric part vanishes and the axis is read from the symmetric one.
    for frame in np.flatnonzero(cosine < -0.99):
        symmetric = 0.5 * (rotations[frame] + rotations[frame].T) - cosine[frame] * np.eye(3)
        column = symmetric[:, int(np.argmax(np.diag(symmetric)))]
        axis = column / np.linalg.norm(column)
        sign = -1.0 if axis @ axial[frame] < 0 else 1.0
        out[frame] = sign * angle[frame] * axis
    return np.asarray(out)


def inverse_jacobians(vectors: Float) -> Float:
    """Derivatives (F, 3, 3) of Log(Exp(v) Exp(d)) with respect to d at d = 0; transposed, of Log(Exp(d) Exp(v)).

    References
    ----------
    .. [1] Chirikjian, *Stochastic Models, Information Theory, and Lie Groups*, vol. 2, ch. 10.
    """
    square, second = _second_coefficients(vectors)
    out = 0.5 * cross_matrices(vectors)
    out += second[:, None, None] * (vectors[:, :, None] * vectors[:, None, :])
    diagonal = 1.0 - second * square
    for axis in range(3):
        out[:, axis, axis] += diagonal
    return out


def _second_coefficients(vectors: Float) -> tuple[Float, Float]:
    """Squared lengths (F,), and what the squared cross matrix counts in an inverse Jacobian."""
    square = np.einsum("fi,fi->f", vectors, vectors)
    small = square < 1e-4
    if small.all():
        return square, 1.0 / 12.0 + square / 720.0
    safe = np.where(small, 1.0, square)
    half = 0.5 * np.sqrt(safe)
    return square, np.where(small, 1.0 / 12.0 + square / 720.0, (1.0 - half / np.tan(half)) / safe)


def turned_back(vectors: Float, values: Float) -> tuple[Float, Float]:
    """`inverse_jacobians` of `vectors` (F, 3), transposed and as they are, times `values` (F, 3)."""
    square, second = _second_coefficients(vectors)
    x, y, z = vectors.T
    a, b, c = values.T
    odd = np.empty_like(values)
    odd[:, 0], odd[:, 1], odd[:, 2] = y * c - z * b, z * a - x * c, x * b - y * a
    odd *= 0.5
    even = values * (1.0 - second * square)[:, None]
    even += (second * (x * a + y * b + z * c))[:, None] * vectors
    return even - odd, even + odd


def from_quaternions(quaternions: Float) -> Float:
    """Rotations (F, 3, 3) of unit quaternions (F, 4) in order w, x, y, z."""
    w, x, y, z = quaternions.T
    out = np.empty((len(quaternions), 3, 3))
    out[:, 0, 0] = 1 - 2 * (y * y + z * z)
    out[:, 1, 1] = 1 - 2 * (x * x + z * z)
    out[:, 2, 2] = 1 - 2 * (x * x + y * y)
    out[:, 0, 1], out[:, 1, 0] = 2 * (x * y - w * z), 2 * (x * y + w * z)
    out[:, 0, 2], out[:, 2, 0] = 2 * (x * z + w * y), 2 * (x * z - w * y)
    out[:, 1, 2], out[:, 2, 1] = 2 * (y * z - w * x), 2 * (y * z + w * x)
    return out


def slerp(before: Float, after: Float, share: Float) -> Float:
    """Rotations (F, 3, 3) at `share` (F,) of the shorter way from `before` to `after` (F, 3, 3)."""
    turned = logarithms(np.swapaxes(before, 1, 2) @ after)
    return before @ exponentials(share[:, None] * turned)
