"""Hotelling's T2: how far a spectrum lies from the middle of a model, within it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array

__all__ = ["leverage", "t2", "t2_limit"]


def leverage(scores: Array, variances: Array, n_spectra: int) -> Array:
    """Share of each spectrum in its own place in the model, ``1/n + t2/(n - 1)``.

    Parameters
    ----------
    scores : (n, k) array
        Of any spectra.
    variances : (k,) array
        Of the scores of the model's own spectra.
    n_spectra
        How many the model was made from.

    Returns
    -------
    (n,) array
        0 to 1 for the model's own; any number for others.
    """
    return np.asarray(1.0 / n_spectra + np.sum(scores**2 / variances, axis=1) / (n_spectra - 1))


def t2(scores: Array, variances: Array, n_spectra: int, members: NDArray[np.bool_]) -> Array:
    """T2 of each spectrum, seen by a model of the others.

    A spectrum that helped to make the model has pulled it towards itself, so that its T2 can never exceed
    ``(n - 1)**2 / n``. Its mean and variances without that spectrum follow in closed form [1]_ (the directions
    are kept), and so all are measured alike.

    Parameters
    ----------
    scores : (n, k) array
        Of all spectra.
    variances : (k,) array
        Of the model's own.
    n_spectra
        How many the model was made from.
    members : (n,) array of bool
        The model's own.

    Returns
    -------
    (n,) array
        Infinite for a spectrum that has a component to itself.

    References
    ----------
    .. [1] Cook and Weisberg, *Residuals and Influence in Regression*, 1982, section 2.2 and appendix A.2.
    """
    plain: Array = np.sum(scores**2 / variances, axis=1)
    n = n_spectra
    room = np.clip(1.0 - leverage(scores, variances, n), 0.0, None)  # rounding may leave less than nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        without_itself = np.where(room > 1e-12, (n - 2) * n * plain / ((n - 1) ** 2 * room), np.inf)
    return np.asarray(np.where(members, without_itself, plain))


def t2_limit(components: int, n_spectra: int, level: float) -> float:
    """What T2 of a new spectrum exceeds with probability ``1 - level`` [1]_.

    ``k (n**2 - 1) / (n (n - k)) F(level; k, n - k)``, for scores that are normally distributed.

    Parameters
    ----------
    components
        k.
    n_spectra
        n, of the model.
    level
        0 to 1.

    Returns
    -------
    float
        Infinite where n does not exceed k.

    References
    ----------
    .. [1] Tracy, Young and Mason, *Journal of Quality Technology* 24 (1992) 88-95, equation 2.
    """
    from scipy.stats import f

    k, n = components, n_spectra
    if n <= k or k < 1:
        return float("inf")
    return k * (n**2 - 1) / (n * (n - k)) * float(f.ppf(level, k, n - k))
