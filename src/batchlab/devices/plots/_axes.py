"""Limits, dates and tables that all plots of curves share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._model import Facts, Table

if TYPE_CHECKING:
    from batchlab.devices._model import Array
    from batchlab.figures import Band, Name

__all__ = ["Curve", "date_label", "dates_along", "limits_of", "shaded", "span_of", "table_of", "text_of"]

_LIGHT = "#E69F00"
_LIGHT_ALPHA = 0.15
_STEPS_S = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
_DAYS = (1, 2, 5, 7, 14, 30, 60, 90, 180, 365)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A run as a plot shows it: x and y in the plot's plain units, and what it is called."""

    run: Run
    x: Array
    y: Array
    label: str = ""


def limits_of(
    curves: Iterable[tuple[Array, Array]],
    padding: float,
    *,
    within: tuple[float, float] | None = None,
    floor: float | None = None,
) -> tuple[float, float]:
    """Limits of y: what is in sight, and a share of its span above and below.

    Parameters
    ----------
    curves
        x and y, (n,) each.
    padding
        Share of the span.
    within
        Limits of x.
    floor
        Where the limits begin unless a curve goes lower.
    """
    low, high = np.inf, -np.inf
    for x, y in curves:
        good = np.isfinite(x) & np.isfinite(y)
        if within is not None:
            good &= (x >= within[0]) & (x <= within[1])
        if good.any():
            low, high = min(low, float(y[good].min())), max(high, float(y[good].max()))
    if not low <= high:
        return 0.0, 1.0
    if floor is not None and low >= floor:
        return floor, high + max(padding * (high - floor), 1e-9 * abs(high)) or floor + 1.0
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)):
        span = abs(high) or 1.0
        low, high = low - span / 2, high + span / 2
    return low - padding * span, high + padding * span


def span_of(arrays: Iterable[Array], padding: float = 0.0) -> tuple[float, float]:
    """From the lowest to the highest of finite values, and a share of that on either side."""
    return limits_of(((each, each) for each in arrays), padding)


def shaded(windows: Iterable[tuple[float, float]], y_limits: tuple[float, float], label: str = "light") -> list[Band]:
    """Bands of light behind curves; the first has the name."""
    from batchlab.figures import Band

    return [
        Band(
            x=np.array(ends),
            low=np.full(2, y_limits[0]),
            high=np.full(2, y_limits[1]),
            label="" if at else label,
            colour=_LIGHT,
            opacity=_LIGHT_ALPHA,
        )
        for at, ends in enumerate(windows)
        if ends[1] > ends[0]
    ]


def table_of(curves: Sequence[Curve], facts: Facts, x_name: str, y_name: str) -> Table:
    """Points of curves below each other: run, seq, curve, x, y."""
    sizes = [curve.x.size for curve in curves]

    def each(values: Sequence[Any]) -> list[Any]:
        return [value for value, size in zip(values, sizes, strict=True) for _ in range(size)]

    return Table(
        columns={
            "run_id": each([curve.run.run_id for curve in curves]),
            "seq": each([facts.of(curve.run).seq for curve in curves]),
            "curve": each([curve.label for curve in curves]),
            x_name: np.concatenate([curve.x for curve in curves]).tolist() if curves else [],
            y_name: np.concatenate([curve.y for curve in curves]).tolist() if curves else [],
        }
    )


def dates_along(limits: tuple[float, float], time_zone: str, *, most: int = 7) -> tuple[Name, ...]:
    """Round moments between two times, in Unix seconds, as a lab's clock shows them, `most` steps of them or fewer.

    Whole days within months, whole hours within days; a date where the day changes.
    """
    from batchlab.figures import Name

    zone = ZoneInfo(time_zone)
    first, last = (datetime.fromtimestamp(end, zone) for end in limits)
    span_s = limits[1] - limits[0]
    steps = [timedelta(seconds=step) for step in _STEPS_S] + [timedelta(days=days) for days in _DAYS]
    step = next((each for each in steps if span_s / each.total_seconds() <= most), steps[-1])
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    whole_days = step >= timedelta(days=1)
    moments: list[datetime] = []
    at = 0
    # Counted on the wall clock, so that midnight stays midnight when clocks change.
    while (moment := (midnight.replace(tzinfo=None) + at * step).replace(tzinfo=zone)) <= last:
        if moment >= first:
            moments.append(moment)
        at += 1
    names, day = [], None
    for moment in moments:
        if whole_days:
            text = f"{moment:%Y-%m-%d}" if moment.year != first.year or step.days > 180 else f"{moment:%d %b}"
        else:
            text = f"{moment:%H:%M}" if moment.date() == day else f"{moment:%d %b %H:%M}"
        day = moment.date()
        names.append(Name(at=moment.timestamp(), text=text))
    return tuple(names)


def date_label(limits: tuple[float, float], time_zone: str) -> str:
    """What an axis of dates is called, with the years that its numbers leave out."""
    zone = ZoneInfo(time_zone)
    first, last = (datetime.fromtimestamp(end, zone).year for end in limits)
    return f"date and time, {first if first == last else f'{first} to {last}'} ({time_zone})"


def text_of(runs: Sequence[Run]) -> str:
    """The chip of runs, for a title."""
    return ", ".join(sorted({run.chip.name for run in runs if run.chip is not None}))
