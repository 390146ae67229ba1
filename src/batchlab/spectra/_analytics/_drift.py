"""Drift: whether a number changes steadily with time, and how fast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Array

__all__ = ["Drift", "drift"]

FEWEST = 5  # below, no order of the values is improbable enough
_MOST = 1000  # the slopes of all pairs take memory by the square


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a number changes with time.

    Attributes
    ----------
    name
        Of the number.
    slope, slope_low, slope_high
        The median slope over all pairs, and its confidence interval; the number's unit over that of the time.
    change
        Slope times the time from first to last, in the number's unit.
    tau
        Kendall's rank correlation with time, -1 to 1.
    p
        How probable a rank correlation as large is without any drift; NaN where there are too few values.
    level
        Of the confidence interval.
    significant
        True where p is below ``1 - level``.
    """

    name: str
    slope: float
    slope_low: float
    slope_high: float
    change: float
    tau: float
    p: float
    level: float
    significant: bool


def drift(times: Array, values: Array, *, name: str = "value", level: float = 0.99, tests: int = 1) -> Drift:
    """Slope by Theil and Sen [1]_, with the test of Mann and Kendall [2]_; neither is moved by outliers.

    Values that depend on the ones just before them look like drift more often than p says. Above 1,000 values,
    medians of equally many neighbours are taken first.

    Parameters
    ----------
    times, values : (n,) arrays
        In any order.
    name
        What is told to drift.
    level
        Of the interval, and 1 less the level of the test.
    tests
        How many such tests are looked at together: p is multiplied by it.

    Raises
    ------
    DataError
        Reason ``too-few-values``: fewer than two, or all at one time.

    References
    ----------
    .. [1] Sen, *Journal of the American Statistical Association* 63 (1968) 1379-1389.
    .. [2] Mann, *Econometrica* 13 (1945) 245-259; Kendall's tau-b with its exact distribution for few values.
    """
    from scipy.stats import kendalltau, theilslopes

    if times.size < 2 or np.ptp(times) == 0:
        raise DataError(f"{name} has values at fewer than two times, so no drift", reason="too-few-values")
    span = float(np.ptp(times))
    order = np.lexsort((values, times))
    times, values = _thinned(times[order]), _thinned(values[order])
    if np.ptp(values) <= 1e-12 * float(np.abs(values).max()):
        return Drift(
            name=name,
            slope=0.0,
            slope_low=0.0,
            slope_high=0.0,
            change=0.0,
            tau=0.0,
            p=1.0,
            level=level,
            significant=False,
        )
    found = theilslopes(values, times, alpha=level)
    tau, p = (float(each) for each in kendalltau(times, values))
    p = min(1.0, p * tests) if times.size >= FEWEST else math.nan
    slope = float(found.slope)
    return Drift(
        name=name,
        slope=slope,
        slope_low=float(found.low_slope),
        slope_high=float(found.high_slope),
        change=slope * span,
        tau=tau,
        p=p,
        level=level,
        significant=bool(p < 1 - level),
    )


def _thinned(values: Array) -> Array:
    step = math.ceil(values.size / _MOST)
    if step == 1:
        return values
    return np.array([np.median(values[at : at + step]) for at in range(0, values.size, step)])
