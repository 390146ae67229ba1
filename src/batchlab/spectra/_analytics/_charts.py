"""Control charts: whether a number that is measured again and again stays what it was."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._model import Array, read_only
from batchlab.spectra._words import agreed, counted

__all__ = ["ControlChart", "control_chart", "correlation_chart"]

# Of the range of two normal values, in standard deviations: its mean, its median, and its upper limit over its mean.
_D2 = 1.128379167095513
_MEDIAN_RANGE = 0.953872552417
_D4 = 3.267
FEWEST = 8  # moving ranges: of fewer the width is hardly known
_RUN = 9
_NEARLY_ONE = 1.0 - 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ControlChart:
    """Values in order, with the limits that they are to stay within.

    Attributes
    ----------
    name, unit
        What was charted.
    values : (n,) array
        In order.
    centre, low, high
        The middle, and three standard deviations to either side; high is infinite where no value is too high.
    moving_ranges : (n - 1,) array
        Distances between neighbours.
    range_limit
        What a distance between neighbours is to stay below.
    beyond
        Numbers, from 0, of the values out of the limits.
    runs
        Numbers of the values that end nine or more in a row on one side of the middle [1]_.
    jumps
        Numbers of the values that are too far from the one before.
    judged
        False where there were too few values for limits that mean something.

    References
    ----------
    .. [1] Nelson, *Journal of Quality Technology* 16 (1984) 237-239, test 2.
    """

    name: str
    unit: str | None
    values: Array
    centre: float
    low: float
    high: float
    moving_ranges: Array
    range_limit: float
    beyond: tuple[int, ...]
    runs: tuple[int, ...]
    jumps: tuple[int, ...]
    judged: bool


def control_chart(
    values: Array,
    *,
    name: str = "value",
    unit: str | None = None,
    baseline: int | NDArray[np.bool_] | None = None,
) -> ControlChart:
    """Chart single values and their moving ranges [1]_.

    The width comes from neighbours, so that a slow drift does not widen the limits it is to be seen by.

    Parameters
    ----------
    values : (n,) array
        In the order they were measured; two or more.
    name, unit
        What they are.
    baseline
        The first n values, or a mask of those taken for good; the limits are then their mean and mean moving
        range. By default median and median moving range of all, which outliers do not move.

    Raises
    ------
    DataError
        Reason ``too-few-values``: fewer than two.

    References
    ----------
    .. [1] Shewhart's chart of individuals; ISO 7870-2:2023; Montgomery, *Introduction to Statistical Quality
       Control*, 7th ed., section 6.4.
    """
    if values.size < 2:
        raise DataError(
            f"{counted(values.size, 'value')} of {name} {agreed(values.size, 'makes', 'make')} no chart; "
            f"two or more do",
            reason="too-few-values",
        )
    ranges = np.abs(np.diff(values))
    if baseline is None:
        centre, width, used = float(np.median(values)), float(np.median(ranges)) / _MEDIAN_RANGE, ranges.size
    else:
        chosen = np.arange(values.size) < baseline if isinstance(baseline, int) else baseline
        own = ranges[chosen[1:] & chosen[:-1]]
        if own.size < 1:
            raise DataError(
                f"the baseline of {name} holds no two neighbours; take two or more values in a row",
                reason="too-few-values",
            )
        centre, width, used = float(np.mean(values[chosen])), float(np.mean(own)) / _D2, own.size
    low, high = centre - 3 * width, centre + 3 * width
    judged = used >= FEWEST - 1
    range_limit = _D4 * _D2 * width
    rounding = 1e-12 * float(np.abs(values).max())
    return ControlChart(
        name=name,
        unit=unit,
        values=read_only(values),
        centre=centre,
        low=low,
        high=high,
        moving_ranges=read_only(ranges),
        range_limit=range_limit,
        beyond=_where((values < low - rounding) | (values > high + rounding)) if judged else (),
        runs=_runs(np.sign(values - centre)) if judged else (),
        jumps=_where(np.concatenate([[False], ranges > range_limit + rounding])) if judged else (),
        judged=judged,
    )


def correlation_chart(correlations: Array, *, name: str = "correlation") -> ControlChart:
    """Chart correlations by Fisher's transform [1]_, which makes them nearly normal; told as correlations again.

    No correlation is too high, so only those below the low limit are beyond.

    Parameters
    ----------
    correlations : (n,) array
        In the order they were measured; two or more.
    name
        What they are called.

    Returns
    -------
    ControlChart
        Its moving ranges and their limit are those of the transformed values.

    References
    ----------
    .. [1] Fisher, *Metron* 1 (1921) 3-32.
    """
    chart = control_chart(np.arctanh(np.clip(correlations, -_NEARLY_ONE, _NEARLY_ONE)), name=name, unit="1")
    return replace(
        chart,
        values=read_only(correlations),
        centre=math.tanh(chart.centre),
        low=math.tanh(chart.low),
        high=math.inf,
        beyond=tuple(at for at in chart.beyond if chart.values[at] < chart.centre),
    )


def _where(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask).tolist())


def _runs(sides: Array) -> tuple[int, ...]:
    ends, length, before = [], 0, 0.0
    for at, side in enumerate(sides.tolist()):
        length = length + 1 if side == before and side != 0 else 1
        before = side
        if length >= _RUN and side != 0:
            ends.append(at)
    return tuple(ends)
