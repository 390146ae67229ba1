"""Subtract a baseline: a polynomial through regions, or any method of pybaselines."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from batchlab.errors import Category, DataError, JobError
from batchlab.spectra._model import Array
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._pretreatment._menu import OWN_METHODS
from batchlab.spectra._pretreatment._runs import run_by_run
from batchlab.spectra._signal import Signal
from batchlab.spectra._words import agreed, counted

__all__ = ["polynomial_baseline", "subtract"]

_LEAST_POINTS = 10
_ORDERS = {"constant": 0, "linear": 1}


def subtract(step: _steps.Baseline, signal: Signal) -> Signal:
    """Subtract a baseline, found for each run of points by itself; polynomials are found for all runs at once.

    Raises
    ------
    DataError
        Reason ``no-baseline``: the method found none. ``too-few-points``: the regions hold too few.
    JobError
        pybaselines is not installed.
    """
    if step.method in OWN_METHODS:
        order = _ORDERS.get(step.method, step.options.get("order", 0))
        return signal.having(signal.intensity - polynomial_baseline(signal.axis, signal.intensity, order, step.regions))
    told: dict[str, None] = {}

    def flattened(x: Array, y: Array) -> Array:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            baseline = _found(step.method, step.options, x, y)
        told.update(dict.fromkeys(str(each.message) for each in caught))
        return y - baseline

    done = run_by_run(signal, flattened, _LEAST_POINTS)
    for text in told:
        done = done.having(done.intensity, f"{signal.name}: baseline {step.method}: {text}")
    return done


def polynomial_baseline(
    axis: Array, intensity: Array, order: int, regions: tuple[tuple[float, float], ...] | None = None
) -> Array:
    """The polynomial of least squares through the points of regions, or through all.

    Parameters
    ----------
    axis, intensity : (n,) arrays
        The spectrum, ascending.
    order
        0 is a constant, 1 a line.
    regions
        Where there is nothing but baseline, in the axis unit; everywhere if None.

    Returns
    -------
    (n,) array
        The polynomial at every point.

    Raises
    ------
    DataError
        Reason ``too-few-points``: the regions do not hold one point more than the order.
    """
    chosen = np.ones(axis.size, dtype=bool)
    if regions is not None:
        chosen = np.any([(axis >= low) & (axis <= high) for low, high in regions], axis=0)
    count = int(np.count_nonzero(chosen))
    if count <= order:
        raise DataError(
            f"{counted(count, 'point')} {agreed(count, 'lies', 'lie')} in the regions, a polynomial of "
            f"order {order} needs {order + 1}; widen them",
            reason="too-few-points",
        )
    fit = np.polynomial.Polynomial.fit(axis[chosen], intensity[chosen], order, domain=[axis[0], axis[-1]])
    baseline: Array = fit(axis)
    return baseline


def _found(method: str, options: dict[str, Any], x: Array, y: Array) -> Array:
    try:
        from pybaselines import Baseline
    except ImportError as error:
        raise JobError(
            f"the baseline {method} needs pybaselines; install batchlab[spectra], or use constant, linear or polynomial"
        ) from error
    try:
        baseline: Array = getattr(Baseline(x_data=x), method)(y, **options)[0]
    except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, np.linalg.LinAlgError) as error:
        raise DataError(
            f"{method} found no baseline: {error}; try other parameters, or another method",
            category=Category.NUMERICAL,
            reason="no-baseline",
        ) from error
    if not np.isfinite(baseline).all():
        raise DataError(
            f"{method} found no baseline that is a number everywhere; try other parameters",
            category=Category.NUMERICAL,
            reason="no-baseline",
        )
    return baseline
