"""What the charts of a page are drawn along: the number of the run, and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from batchlab.devices._panel._chart import Axis, Band, axis_of, round_names
from batchlab.devices._panel._facts import RunFacts

__all__ = ["Along", "by_number", "by_time"]


@dataclass(frozen=True, slots=True)
class Along:
    """An x axis with the place of a run on it."""

    axis: Axis
    place: Callable[[RunFacts], float | None]
    bands: tuple[Band, ...] = ()


def by_number(runs: Sequence[RunFacts]) -> Along:
    last = max(run.seq for run in runs)
    axis = Axis(
        low=0.5, high=last + 0.5, names=round_names(1, last + 0.4, number=12, least=1.0), label="number of the run"
    )
    bands = []
    for place, (day, those) in enumerate(groupby(runs, key=lambda run: run.day)):
        seqs = [run.seq for run in those]
        label = day or "day not known"
        bands.append(Band(low=seqs[0] - 0.5, high=seqs[-1] + 0.5, label=label, shaded=place % 2 == 1))
    return Along(axis, lambda run: float(run.seq), tuple(bands))


def by_time(runs: Sequence[RunFacts]) -> Along:
    known = [run.began for run in runs if run.began is not None]
    if not known:
        return Along(axis_of((), "date and time"), lambda run: None)
    first, last = min(known), max(known)
    room = max((last - first) * 0.02, timedelta(seconds=30))
    low, high = first - room, last + room
    axis = Axis(
        low=low.timestamp(),
        high=high.timestamp(),
        names=_moments(low, high),
        label=f"date and time ({first.tzinfo})",
    )
    return Along(axis, lambda run: None if run.began is None else run.began.timestamp())


_SPANS = (
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 180, 360, 720)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1825)),
)


def _moments(low: datetime, high: datetime) -> tuple[tuple[float, str], ...]:
    """Round moments: full hours of the laboratory, or midnights."""
    step = next((each for each in _SPANS if (high - low) / each <= 9), _SPANS[-1])
    at = low.replace(hour=0, minute=0, second=0, microsecond=0)
    form = "%Y-%m-%d" if step >= timedelta(days=1) else "%m-%d %H:%M"
    found = []
    while at <= high:
        if at >= low:
            found.append((at.timestamp(), format(at, form)))
        at += step
    return tuple(found)
