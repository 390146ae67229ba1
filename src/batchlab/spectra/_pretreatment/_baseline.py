"""Subtract a baseline: a polynomial through regions, or any method of pybaselines."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from batchlab.errors import Category, DataError, JobError
from batchlab.spectra._model import Array
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._pretreatment._menu import OWN_METHODS
from batchlab.spectra._pretreatment._runs import run_by_run
from batchlab.spectra._signal import Signal
from batchlab.spectra._words import agreed, counted

__all__ = ["doubts", "polynomial_baseline", "subtract"]

_LEAST_POINTS = 10
_SETTLED = 0.01  # relative change by the last round
_BEYOND, _CLEAR = 0.03, 0.05  # shares of the signal's range; a good baseline has next to nothing of either
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
    span = float(np.ptp(signal.intensity))

    def flattened(x: Array, y: Array) -> Array:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            baseline, facts = _found(step.method, step.options, x, y)
        told.update(dict.fromkeys(str(each.message) for each in caught))
        told.update(dict.fromkeys(doubts(x, y, baseline, {**step.options, **facts}, span)))
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


def doubts(x: Array, y: Array, baseline: Array, facts: Mapping[str, Any], span: float) -> Iterator[str]:
    """What speaks against a baseline: it has not settled, leaves the signal's range, or lies below nearly all of it.

    Parameters
    ----------
    x, y, baseline : (n,) arrays
        The signal and what was found below it.
    facts
        What the method tells of its rounds: ``tol_history`` and ``weights``, where it has any; and its ``tol``.
    span
        The range of the whole signal, of which this may be a part.
    """
    history = np.asarray(facts.get("tol_history", ()), dtype=np.float64).ravel()
    if history.size and history[-1] > max(_SETTLED, float(facts.get("tol", 0.0))):
        yield (
            f"it did not settle in {history.size} rounds, the last still changed it by {history[-1]:.2g}; raise "
            "max_iter, or take other parameters"
        )
    if span == 0.0:
        return
    beyond = np.maximum(y.min() - baseline, baseline - y.max()) / span
    worst = int(np.argmax(beyond))
    if beyond[worst] > _BEYOND:
        yield (
            f"it leaves the range of the signal near {x[worst]:.6g}, by {beyond[worst]:.0%} of that: it ran "
            f"off; take a "
            "smaller lam, or another method"
        )
    if "weights" not in facts:
        return  # such methods are meant to lie below
    clear = float(np.quantile(y - baseline, 0.25)) / span
    if clear > _CLEAR:
        yield (
            f"three quarters of the points stand {clear:.0%} of the signal's range or more above it: it "
            f"does not follow "
            "the signal; take a smaller lam, or another method"
        )


def _found(method: str, options: dict[str, Any], x: Array, y: Array) -> tuple[Array, Mapping[str, Any]]:
    try:
        from pybaselines import Baseline
    except ImportError as error:
        raise JobError(
            f"the baseline {method} needs pybaselines; install batchlab[spectra], or use constant, linear or polynomial"
        ) from error
    try:
        baseline: Array
        facts: Mapping[str, Any]
        baseline, facts = getattr(Baseline(x_data=x), method)(y, **options)
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
    return baseline, facts
