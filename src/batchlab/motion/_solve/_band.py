"""Factors and solutions of symmetric positive definite bands, by LAPACK."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.linalg import lapack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

__all__ = ["factored", "solved"]


def factored(band: Float, *, keep: bool = True) -> Float | None:
    """Cholesky factor of a band (n, b + 1) in the layout of `hessian_band`; None unless positive definite.

    `keep` False lets the factor take the memory of `band`.
    """
    factor, info = lapack.dpbtrf(band.T, lower=1, overwrite_ab=0 if keep else 1)
    return None if info else np.asarray(factor.T)


def solved(factor: Float, right: Float) -> Float:
    """Solution in the shape of `right`, (n,) or (n, k)."""
    columns = right.reshape(len(factor), -1)
    out, info = lapack.dpbtrs(factor.T, columns, lower=1)
    if info:
        raise ValueError(f"argument {-info} of dpbtrs is wrong")
    return np.asarray(out).reshape(right.shape)
