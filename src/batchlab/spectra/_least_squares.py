"""Fit a signal by a few others, deaf to what stands out, with honest standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._normalization import degenerate

__all__ = ["Fit", "fit_columns"]

_HUBER_STEPS, _MOST_STEPS = 3, 15
_SETTLED = 1e-6
_LEAST_SPREAD = 0.003  # of the target's range: what is this near is never far off
_HUBER, _BIWEIGHT = 1.345, 4.685  # 95 % as efficient as least squares where the noise is normal
_MAD = 1.4826  # median of the absolute deviations to standard deviation, for normal noise
_LEAST_INDEPENDENCE = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """How columns add up to a signal.

    Attributes
    ----------
    coefficients, errors : (p,) arrays
        Factor of each column, and its standard error.
    residual : (n,) array
        What is left.
    weights : (n,) array
        How much say each point had, 0 to 1.
    """

    coefficients: Array
    errors: Array
    residual: Array
    weights: Array


def fit_columns(columns: Array, target: Array, *, robust: bool = True) -> Fit:
    """Fit a target by columns in the sense of least squares.

    Parameters
    ----------
    columns : (n, p) array
        Independent of each other.
    target : (n,) array
        What they are to add up to.
    robust
        Points far off the fit, such as a band that only one spectrum has, lose their say: Huber's weights, then
        Tukey's biweights.

    Returns
    -------
    Fit
        The errors allow for noise that differs from point to point and for noise that neighbours share, as
        interpolated points do [1]_.

    Raises
    ------
    DataError
        Reason ``degenerate-spectrum``: a column is a mixture of the others.

    References
    ----------
    .. [1] Newey and West, *Econometrica* 55 (1987) 703-708.
    """
    tallest, height = np.abs(columns).max(axis=0), float(np.abs(target).max()) or 1.0
    if not tallest.all():
        raise degenerate("a signal is zero everywhere, so nothing can be fitted by it")
    # By their largest values first, so that no square overflows.
    unit, target = columns / tallest, target / height
    norms: Array = np.sqrt(np.einsum("ij,ij->j", unit, unit))
    unit /= norms
    scale = height / tallest / norms
    if not _independent(unit, np.ones(target.size)):
        raise degenerate("a signal has no shape of its own beside a straight line, so nothing can be fitted by it")
    weights = np.ones(target.size)
    found = _solve(unit, target, weights)
    least = _LEAST_SPREAD * float(np.ptp(target))
    for step in range(_MOST_STEPS if robust and least > 0 else 0):
        off = np.abs(target - unit @ found)
        off /= max(_MAD * float(np.median(off)), least)
        wanted = _huber(off) if step < _HUBER_STEPS else _biweight(off)
        if not _independent(unit, wanted):  # too few points would have a say
            break
        weights = wanted
        before, found = found, _solve(unit, target, weights)
        if step > _HUBER_STEPS and np.abs(found - before).max() <= _SETTLED * np.abs(found).max():
            break
    residual = target - unit @ found
    return Fit(
        coefficients=found * scale,
        errors=_errors(unit, weights, residual) * scale,
        residual=residual * height,
        weights=weights,
    )


def _huber(off: Array) -> Array:
    return _HUBER / np.maximum(off, _HUBER)


def _biweight(off: Array) -> Array:
    weights: Array = np.maximum(1.0 - (off / _BIWEIGHT) ** 2, 0.0) ** 2
    return weights


def _independent(unit: Array, weights: Array) -> bool:
    gram = (unit * weights[:, None]).T @ unit
    return bool(np.linalg.eigvalsh(gram)[0] > _LEAST_INDEPENDENCE)


def _solve(unit: Array, target: Array, weights: Array) -> Array:
    weighted = unit * weights[:, None]
    solution: Array = np.linalg.solve(weighted.T @ unit, weighted.T @ target).astype(np.float64, copy=False)
    return solution


def _errors(unit: Array, weights: Array, residual: Array) -> Array:
    n, p = unit.shape
    scores = unit * (weights * residual)[:, None]
    lags = int(4 * (n / 100) ** (2 / 9))
    middle = scores.T @ scores
    for lag in range(1, min(lags, n - 1) + 1):
        shared = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (shared + shared.T)
    outer = np.linalg.inv((unit * weights[:, None]).T @ unit)
    variance = np.diag(outer @ middle @ outer) * n / max(n - p, 1)
    errors: Array = np.sqrt(np.maximum(variance, 0.0))
    return errors
