"""Q, what a model leaves of a spectrum, and how much of it is still to be expected."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array

__all__ = ["jackson_mudholkar", "q", "spread_limit", "unbiased_traces"]

_MAD_TO_SD = 1.482602218505602
_MAD_EFFICIENCY = 0.37  # of the sample it needs: a MAD of 27 values says as much as a deviation of 10


def q(residuals: Array, leverages: Array, members: NDArray[np.bool_]) -> Array:
    """Sums of squared residuals on one scale for the model's own spectra and for others.

    A model leaves less of its own spectra, a share ``1 - h`` on average with the leverage ``h``, and more of new ones,
    ``1 + h``; divided by that, both have the same mean [1]_ (the correction of the distance to the model).

    Parameters
    ----------
    residuals : (n,) array
        Sum of squared residuals of each spectrum.
    leverages : (n,) array
        Of each in the model.
    members : (n,) array of bool
        The model's own.

    Returns
    -------
    (n,) array
        In the unit of `residuals`.

    References
    ----------
    .. [1] Eriksson et al., *Multi- and Megavariate Data Analysis*, 3rd ed., 2013, appendix II (DModX).
    """
    own = np.clip(1.0 - leverages, 1e-6, None)
    return np.where(members, residuals / own, residuals / (1.0 + leverages))


def jackson_mudholkar(traces: tuple[float, float, float], level: float) -> float:
    """What Q of a new spectrum exceeds with probability ``1 - level``, from the variances left out [1]_.

    Parameters
    ----------
    traces
        Sums of the first three powers of the variances left out.
    level
        0 to 1.

    Returns
    -------
    float
        Where the formula's exponent is not positive, which a few large variances over many small ones bring
        about, Box's weighted chi-square [2]_ stands in.

    References
    ----------
    .. [1] Jackson and Mudholkar, *Technometrics* 21 (1979) 341-349.
    .. [2] Box, *Annals of Mathematical Statistics* 25 (1954) 290-302.
    """
    from scipy.stats import chi2, norm

    first, second, third = traces
    if first <= 0 or second <= 0:
        return 0.0
    power = 1.0 - 2.0 * first * third / (3.0 * second**2)
    if power <= 1e-3:
        return second / first * float(chi2.ppf(level, first**2 / second))
    inner = (
        float(norm.ppf(level)) * math.sqrt(2.0 * second * power**2) / first
        + 1.0
        + second * power * (power - 1.0) / first**2
    )
    return float(first * max(inner, 0.0) ** (1.0 / power))


def unbiased_traces(traces: tuple[float, float, float], n_spectra: int, components: int) -> tuple[float, float, float]:
    """Traces of the covariance of what is left, rid of the excess that few spectra of many points bring [1]_.

    The variances of n spectra spread even where the true ones are all equal, so that the higher powers come out
    too large.

    Parameters
    ----------
    traces
        Sums of the first three powers of the variances left out, with ``n - 1`` in their denominator.
    n_spectra, components
        Of the model.

    References
    ----------
    .. [1] Srivastava, *Journal of the Japan Statistical Society* 35 (2005) 251-272, lemma 2.1 and theorem 2.2.
    """
    m = n_spectra - 1 - components
    if m < 3:
        return traces
    wider = (n_spectra - 1) / m
    first, second, third = traces[0] * wider, traces[1] * wider**2, traces[2] * wider**3
    pure_second = m**2 / ((m - 1) * (m + 2)) * (second - first**2 / m)
    pure_third = m**4 / ((m - 1) * (m - 2) * (m + 2) * (m + 4)) * (third - 3 * first * second / m + 2 * first**3 / m**2)
    # Bounds of any covariance: an estimate may fall out of them.
    pure_second = min(max(pure_second, first**2 * 1e-6), first**2)
    pure_third = min(max(pure_third, pure_second**2 / first), pure_second**1.5) if first > 0 else 0.0
    return first, pure_second, pure_third


def spread_limit(values: Array, level: float) -> float:
    """What a further Q exceeds with probability ``1 - level``, from how the others spread.

    The cube root of a sum of squares is nearly normal [1]_; its middle and width are taken as median and median
    absolute deviation, which outliers do not move [2]_, and the quantile is Student's, for there may be few.

    Parameters
    ----------
    values : (n,) array
        Q of spectra taken for good.
    level
        0 to 1.

    References
    ----------
    .. [1] Wilson and Hilferty, *PNAS* 17 (1931) 684-688.
    .. [2] Hubert, Rousseeuw and Vanden Branden, *Technometrics* 47 (2005) 64-79, section 2.3.
    """
    from scipy.stats import t

    roots = np.cbrt(values)
    middle = float(np.median(roots))
    width = _MAD_TO_SD * float(np.median(np.abs(roots - middle)))
    dof = max(2.0, _MAD_EFFICIENCY * (values.size - 1))
    return (middle + float(t.ppf(level, dof)) * width) ** 3
