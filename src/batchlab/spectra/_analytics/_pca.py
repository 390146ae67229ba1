"""Principal components of many spectra, from the cross products of the smaller side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchlab.errors import DataError
from batchlab.spectra._analytics._matrix import Matrix, as_matrix, blocks, rows_of
from batchlab.spectra._model import Array, read_only
from batchlab.spectra._words import agreed, counted

__all__ = ["CrossProducts", "Pca", "cross_products", "fit", "pca", "project"]

# Above this on both sides the cross products themselves would be what fills memory and takes the time.
_LARGEST_SIDE = 2000
_OVERSAMPLING = 10
_MOST_PASSES = 40
_SETTLED = 1e-10
_ROUNDING = 1e-13  # of the largest cross product: what rounding leaves of a component that is not there

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pca:
    """A model of spectra: their mean and the directions in which they vary most.

    Attributes
    ----------
    mean : (p,) array
        Of the spectra the model was made from, in the signal's unit.
    loadings : (k, p) array
        Orthonormal, the largest entry of each positive.
    variances : (k,) array
        Of the scores, n - 1 in the denominator, falling.
    total_variance : float
        Summed over all points.
    residual_traces : tuple of float
        Sums of the first three powers of the variances left out; None above 2,000 spectra of 2,000 points,
        where they are not known.
    n_spectra
        How many it was made from.
    """

    mean: Array
    loadings: Array
    variances: Array
    total_variance: float
    residual_traces: tuple[float, float, float] | None
    n_spectra: int

    @property
    def explained(self) -> Array:
        """The share of the variance that each component explains, (k,)."""
        return self.variances / self.total_variance if self.total_variance > 0 else self.variances * 0.0

    def first(self, components: int) -> Pca:
        """The same model with fewer components."""
        left_out = self.variances[components:]
        traces = self.residual_traces
        return Pca(
            mean=self.mean,
            loadings=read_only(self.loadings[:components]),
            variances=read_only(self.variances[:components]),
            total_variance=self.total_variance,
            residual_traces=None
            if traces is None
            else (
                traces[0] + float(np.sum(left_out)),
                traces[1] + float(np.sum(left_out**2)),
                traces[2] + float(np.sum(left_out**3)),
            ),
            n_spectra=self.n_spectra,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossProducts:
    """What models of any part of the spectra are made from, computed once.

    Attributes
    ----------
    matrix
        The spectra.
    origin : (p,) array
        Subtracted from each before they are multiplied: the mean of all.
    products : (n, n) or (p, p) array
        Of spectra with spectra, or of points with points, whichever is smaller; None where both are large.
    of_spectra
        Which of the two.
    """

    matrix: Matrix
    origin: Array
    products: Array | None
    of_spectra: bool


def pca(spectra: ArrayLike | Matrix, components: int) -> Pca:
    """Model all spectra by their first principal components [1]_.

    Points are centred and not scaled: they share a unit, and a scaled baseline would count as much as a band.

    Parameters
    ----------
    spectra : (n, p) array or matrix
        A row for each spectrum.
    components
        How many; no more than n - 1 and p.

    Returns
    -------
    Pca
        With as many components as asked for, or as there are.

    Raises
    ------
    DataError
        Reason ``not-a-spectrum``, or ``too-few-spectra`` below two.

    References
    ----------
    .. [1] Jolliffe, *Principal Component Analysis*, 2nd ed., 2002; section 3.5 for the smaller side.
    """
    matrix = as_matrix(spectra)
    return fit(cross_products(matrix), np.ones(matrix.shape[0], dtype=bool), components)


def cross_products(matrix: Matrix) -> CrossProducts:
    """Multiply spectra with spectra, or points with points; one or more passes over the matrix in blocks."""
    count, points = matrix.shape
    if count < 2:
        raise DataError(
            f"{counted(count, 'spectrum', 'spectra')} {agreed(count, 'varies', 'vary')} in nothing; a model "
            f"needs two or more",
            reason="too-few-spectra",
        )
    origin = sum((block.sum(axis=0) for _, block in blocks(matrix)), np.zeros(points)) / count
    products = None
    if min(count, points) <= _LARGEST_SIDE:
        products = _spectra_products(matrix, origin) if count <= points else _point_products(matrix, origin)
    return CrossProducts(matrix=matrix, origin=read_only(origin), products=products, of_spectra=count <= points)


def fit(crossed: CrossProducts, members: Mask, components: int) -> Pca:
    """Model some of the spectra.

    Parameters
    ----------
    crossed
        Of all spectra.
    members : (n,) array of bool
        Those the model is made from; two or more.
    components
        How many at most.
    """
    matrix, number = crossed.matrix, int(members.sum())
    if number < 2:
        raise DataError(
            f"{counted(number, 'spectrum', 'spectra')} {agreed(number, 'varies', 'vary')} in nothing; a "
            f"model needs two or more",
            reason="too-few-spectra",
        )
    mean = crossed.origin + _sum_of(matrix, members, crossed.origin) / number
    most = min(components, number - 1, matrix.shape[1])
    traces: tuple[float, float, float] | None = None
    if crossed.products is None:
        loadings, squares, total = _iterated(matrix, members, mean, most)
    else:
        side = _centred(crossed, members, mean)
        total = float(np.trace(side))
        vectors, squares, traces = _leading(side, most)
        loadings = _loadings(matrix, members, mean, vectors) if crossed.of_spectra else vectors.T
    dof = number - 1
    return Pca(
        mean=read_only(mean),
        loadings=read_only(_signed(loadings)),
        variances=read_only(squares / dof),
        total_variance=total / dof,
        residual_traces=None if traces is None else (traces[0] / dof, traces[1] / dof**2, traces[2] / dof**3),
        n_spectra=number,
    )


def project(model: Pca, matrix: Matrix) -> tuple[Array, Array]:
    """Scores of spectra, and what the model leaves of them.

    Returns
    -------
    scores : (n, k) array
        In the signal's unit.
    residuals : (n,) array
        Sum of the squared residuals of each spectrum (Q, SPE), in the signal's unit squared.
    """
    scores = np.empty((matrix.shape[0], model.loadings.shape[0]))
    residuals = np.empty(matrix.shape[0])
    for start, block in blocks(matrix):
        centred = block - model.mean
        part = centred @ model.loadings.T
        scores[start : start + len(block)] = part
        residuals[start : start + len(block)] = np.sum((centred - part @ model.loadings) ** 2, axis=1)
    return scores, residuals


def _spectra_products(matrix: Matrix, origin: Array) -> Array:
    count = matrix.shape[0]
    products = np.empty((count, count))
    for start, block in blocks(matrix):
        left = block - origin
        for other, second in blocks(matrix):
            if other > start:
                break
            part = left @ (left if other == start else second - origin).T
            products[start : start + len(block), other : other + len(second)] = part
            products[other : other + len(second), start : start + len(block)] = part.T
    return products


def _point_products(matrix: Matrix, origin: Array) -> Array:
    products = np.zeros((matrix.shape[1], matrix.shape[1]))
    for _, block in blocks(matrix):
        centred = block - origin
        products += centred.T @ centred
    return products


def _sum_of(matrix: Matrix, members: Mask, origin: Array) -> Array:
    total = np.zeros(matrix.shape[1])
    if not members.all():
        for start, block in blocks(matrix):
            chosen = members[start : start + len(block)]
            total += (block[chosen] - origin).sum(axis=0)
    return total


def _centred(crossed: CrossProducts, members: Mask, mean: Array) -> Array:
    """Cross products of the members about their own mean."""
    products = crossed.products
    assert products is not None
    if crossed.of_spectra:
        side = products[np.ix_(members, members)]
        rows = side.mean(axis=0)
        return np.asarray(side - rows - rows[:, None] + rows.mean())
    away = rows_of(crossed.matrix, np.flatnonzero(~members)) - crossed.origin
    shift = mean - crossed.origin
    return np.asarray(products - away.T @ away - int(members.sum()) * np.outer(shift, shift))


def _leading(side: Array, most: int) -> tuple[Array, Array, tuple[float, float, float]]:
    """Leading eigenvectors as columns, their eigenvalues falling, and the traces of what is left."""
    from scipy.linalg import eigh

    size = side.shape[0]
    values, vectors = (
        eigh(side, subset_by_index=(size - most, size - 1)) if most else (np.empty(0), np.empty((size, 0)))
    )
    values, vectors = values[::-1], vectors[:, ::-1]
    there = values > _ROUNDING * max(float(np.trace(side)), np.finfo(float).tiny)
    values, vectors = values[there], vectors[:, there]
    # Subtracted before the powers are summed: else the first component's square would drown the others.
    left = side - (vectors * values) @ vectors.T
    squared = left @ left
    traces = (
        max(0.0, float(np.trace(left))),
        float(np.trace(squared)),
        max(0.0, float(np.sum(squared * left))),
    )
    return vectors, values, traces


def _loadings(matrix: Matrix, members: Mask, mean: Array, vectors: Array) -> Array:
    """Directions among the points that belong to directions among the spectra."""
    weights = np.zeros((matrix.shape[0], vectors.shape[1]))
    weights[members] = vectors
    loadings = np.zeros((vectors.shape[1], matrix.shape[1]))
    for start, block in blocks(matrix):
        loadings += weights[start : start + len(block)].T @ (block - mean)
    return _orthonormal(loadings)


def _orthonormal(rows: Array) -> Array:
    basis, _ = np.linalg.qr(rows.T)
    return np.asarray(basis.T * np.sign(np.sum(basis.T * rows, axis=1))[:, None])


def _signed(loadings: Array) -> Array:
    """Each direction with its largest entry positive: of two equally good signs, always the same."""
    if not loadings.size:
        return loadings
    largest = np.take_along_axis(loadings, np.argmax(np.abs(loadings), axis=1)[:, None], axis=1)
    return np.asarray(loadings * np.where(largest < 0, -1.0, 1.0))


def _iterated(matrix: Matrix, members: Mask, mean: Array, most: int) -> tuple[Array, Array, float]:
    """Leading directions by subspace iteration from a fixed random start [1]_, a pass over the matrix each time.

    References
    ----------
    .. [1] Halko, Martinsson and Tropp, *SIAM Review* 53 (2011) 217-288, algorithm 4.4.
    """
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((matrix.shape[1], most + _OVERSAMPLING)))[0]
    squares, total = np.zeros(basis.shape[1]), 0.0
    for _ in range(_MOST_PASSES):
        image, total = np.zeros_like(basis), 0.0
        for start, block in blocks(matrix):
            centred = block[members[start : start + len(block)]] - mean
            image += centred.T @ (centred @ basis)
            total += float(np.sum(centred**2))
        found, turn = np.linalg.eigh(basis.T @ image)
        before, squares = squares, found[::-1]
        ritz = basis @ turn[:, ::-1]
        basis = np.linalg.qr(image @ turn[:, ::-1])[0]
        if np.all(np.abs(squares[:most] - before[:most]) <= _SETTLED * max(squares[0], np.finfo(float).tiny)):
            break
    there = squares[:most] > _ROUNDING * total
    return ritz.T[:most][there], squares[:most][there], total
