"""A model of the good spectra of a batch, and which they are: fitted, judged, and fitted again without the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._analytics._hotelling import leverage, t2, t2_limit
from batchlab.spectra._analytics._matrix import Matrix
from batchlab.spectra._analytics._pca import CrossProducts, Pca, cross_products, fit, project
from batchlab.spectra._analytics._residual import jackson_mudholkar, q, spread_limit, unbiased_traces
from batchlab.spectra._model import Array

__all__ = ["FEWEST", "Limits", "Settled", "outlying", "settle"]

FEWEST = 6  # spectra of a model that judges others
_FEWEST_DOF = 3
_MOST_COMPONENTS = 10
_ENOUGH = 0.95  # of the variance
_ROUNDS = 12
_ROUNDS_BOTH_WAYS = 6
_EXACT = 1e-12  # of the variance; a model that leaves less leaves rounding

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What T2 and Q of a good spectrum stay below.

    Attributes
    ----------
    t2, q
        Of any one spectrum, at the level asked for; one that is not of the model.
    t2_batch, q_batch
        Of all spectra of the batch together, at the same level: beyond it is an outlier.
    """

    t2: float
    q: float
    t2_batch: float
    q_batch: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """A model and what it says of each spectrum.

    Attributes
    ----------
    model
        Of `members` alone.
    members : (n,) array of bool
        The spectra it was made from.
    scores : (n, k) array
        Of all.
    t2, q : (n,) arrays
        Of all, each as a model of the others sees it.
    limits
        None where there are too few spectra to judge by.
    t2_of_limit, t2_of_single : (n,) arrays
        T2 over the limit of the batch, and over that of one spectrum; NaN without limits. A spectrum of the
        model is seen by one spectrum fewer, whose limit is a little wider.
    """

    model: Pca
    members: Mask
    scores: Array
    t2: Array
    q: Array
    limits: Limits | None
    t2_of_limit: Array
    t2_of_single: Array


def settle(matrix: Matrix, level: float, components: int | None = None, normal: Mask | None = None) -> Settled:
    """Find the good spectra and their model.

    The model is fitted to all (or to the normal ones), the outliers are left out, and it is fitted again, until
    the same ones stay out; so a gross outlier, which the first model may mistake for what matters most, hides no
    other. Outliers that are alike and more than some 5 % of the batch are a cluster of it, and may stay in.

    Parameters
    ----------
    matrix
        The spectra.
    level
        Probability that a batch of good spectra has no outlier, shared over its spectra and both statistics [1]_.
    components
        How many; by default the fewest that explain 95 % of the variance, not counting any that is no larger
        than noise makes them, and at most a third of the spectra, or 10.
    normal
        The spectra that define what is normal, where that is known: others are judged and never fitted.

    References
    ----------
    .. [1] Sidak, *Journal of the American Statistical Association* 62 (1967) 626-633.
    """
    count = matrix.shape[0]
    eligible = np.ones(count, dtype=bool) if normal is None else normal
    crossed = cross_products(matrix)
    members = eligible
    settled = _judged(crossed, members, level, components)
    for number in range(_ROUNDS):
        if settled.limits is None:
            break
        inside = eligible & ~outlying(settled)
        if number >= _ROUNDS_BOTH_WAYS:  # some go in and out for ever
            inside = inside & members
        if inside.sum() < max(FEWEST, math.ceil(eligible.sum() / 2)) or np.array_equal(inside, members):
            break
        members = inside
        settled = _judged(crossed, members, level, components)
    return settled


def outlying(settled: Settled) -> Mask:
    """The spectra beyond the limits of the batch."""
    limits = settled.limits
    if limits is None:
        return np.zeros(settled.members.size, dtype=bool)
    return (settled.t2_of_limit > 1) | (settled.q > limits.q_batch)


def _judged(crossed: CrossProducts, members: Mask, level: float, components: int | None) -> Settled:
    matrix, number = crossed.matrix, int(members.sum())
    most = max(1, min(_MOST_COMPONENTS, (number - 1) // 3)) if components is None else components
    model = fit(crossed, members, most)
    if components is None:
        model = model.first(_enough(model))
    scores, residuals = project(model, matrix)
    kept = model.loadings.shape[0]
    share = leverage(scores, model.variances, number)
    distances = t2(scores, model.variances, number, members)
    left = q(residuals, share, members)
    judged = bool(kept) and number >= FEWEST and number - 1 - kept >= _FEWEST_DOF
    single, batch = level, level ** (1.0 / (2 * members.size))
    limits = Limits(
        t2=t2_limit(kept, number, single),
        q=_q_limit(model, left[members], single),
        t2_batch=t2_limit(kept, number, batch),
        q_batch=_q_limit(model, left[members], batch),
    )

    def over_limit(at: float) -> Array:
        if not judged:
            return np.full(members.size, np.nan)
        return distances / np.where(members, t2_limit(kept, number - 1, at), t2_limit(kept, number, at))

    return Settled(
        model=model,
        members=members,
        scores=scores,
        t2=distances,
        q=left,
        limits=limits if judged else None,
        t2_of_limit=over_limit(batch),
        t2_of_single=over_limit(single),
    )


def _q_limit(model: Pca, own: Array, level: float) -> float:
    """The larger of what the variances left out and what the spread of Q predict; real noise is rarely even."""
    from scipy.stats import f

    rounding = _EXACT * model.total_variance
    by_spread = spread_limit(own, level)
    if model.residual_traces is None:
        return max(by_spread, rounding)
    kept = model.loadings.shape[0]
    traces = unbiased_traces(model.residual_traces, model.n_spectra, kept)
    by_variances = jackson_mudholkar(traces, level)
    if traces[1] > 0:
        # The mean itself is known from few spectra only: by as much as F is wider than chi-square.
        dof = traces[0] ** 2 / traces[1]
        by_variances = max(by_variances, traces[0] * float(f.ppf(level, dof, dof * (model.n_spectra - 1 - kept))))
    return max(by_spread, by_variances, rounding)


def _enough(model: Pca) -> int:
    """How many components to keep."""
    explained = np.cumsum(model.explained)
    there = explained.size
    if not there:
        return 0
    wanted = int(np.searchsorted(explained, _ENOUGH * (1 - 1e-12))) + 1
    for kept in range(min(wanted, there)):
        if not _above_noise(model, kept):
            return max(1, kept)
    return min(wanted, there)


def _above_noise(model: Pca, kept: int) -> bool:
    """Whether the next component is larger than the largest that noise alone brings about [1]_.

    Noise of d effective directions (all alike in size) in m spectra has its largest variance at
    ``(1 + sqrt(m / d))**2`` times their mean over the spectra.

    References
    ----------
    .. [1] Johnstone, *Annals of Statistics* 29 (2001) 295-327, equation 1.4.
    """
    if model.residual_traces is None:
        return True
    rest = model.first(kept + 1)
    assert rest.residual_traces is not None
    m = model.n_spectra - 1 - kept - 1
    first, second, _ = unbiased_traces(rest.residual_traces, model.n_spectra, kept + 1)
    if m < 1 or first <= 0 or second <= 0:
        return True
    directions = first**2 / second
    edge = rest.residual_traces[0] / m * (1.0 + math.sqrt(m / directions)) ** 2
    return bool(model.variances[kept] > 1.1 * edge)
