"""Seconds for every frame, from stamps, numbers of frames and rates, as far as file and person tell them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._table import seconds_of
from batchlab.motion._read._units import TIMES_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._model import Float

__all__ = ["stamps"]

_NEAR = 0.1  # of a step: how far a stamp may lie from a whole number of steps
_AGREE = 0.05  # how far a median step may be from the one a rate tells, of it
_SAME = 1e-3  # how far rates may be apart that count as one, of it
_AGAIN = 3  # frames of two runs of time that lie between each other, and the file holds two recordings
_RUNS = 10  # at most, for more are rows in no order


def stamps(path: Path, raw: Raw, asked: Asked, notes: list[str]) -> tuple[Float, float | None, NDArray[np.intp] | None]:
    """Times in s, the rate, and the order that makes times ascend where the file's own does not.

    Raises
    ------
    DataError
        If nothing tells the rate, times are in an unknown unit, or time begins anew within the file.
    """
    rate = asked.rate_hz or raw.rate_hz
    if asked.rate_hz and raw.rate_hz and abs(asked.rate_hz - raw.rate_hz) > 1e-6 * raw.rate_hz:
        notes.append(f"the rate is {asked.rate_hz:g} Hz as declared, though the file says {raw.rate_hz:g} Hz")
    frames = raw.positions.shape[0]
    rows = np.arange(frames, dtype=np.float64)
    numbers = rows if raw.numbers is None else _complete(raw.numbers, rows, "numbers of frames", notes)
    times = _in_seconds(path, raw, asked, rate, notes)
    if times is not None:
        times = _complete(times, rows if numbers is None else numbers, "time stamps", notes)
    if times is not None and rate is not None and frames > 1 and (times == times[0]).all():
        notes.append("all time stamps are the same; frames are counted instead")
        times = None
    if times is None:
        if rate is None:
            raise DataError(
                f"{path}: it does not say how many frames there are per second; declare it, such as rate_hz=100 "
                "(--rate 100)",
                reason="rate-unknown",
            )
        return _ascending(path, (rows if numbers is None else numbers) / rate, rate, notes)
    step = seconds_of(times)
    told = _regular(times)
    if asked.rate_hz and np.isfinite(step) and not _agree(told, step, asked.rate_hz):
        if raw.rate_hz is None:
            notes.append(f"the rate is {asked.rate_hz:g} Hz as declared, though time stamps are {step:g} s apart")
        if raw.numbers is None or numbers is None:
            # Frames that were dropped show in the stamps alone.
            numbers = rows if told is None else np.rint((times - times[0]) * told)
        return _ascending(path, numbers / asked.rate_hz, asked.rate_hz, notes)
    if rate is not None and numbers is not None and asked.rate_hz is None and frames > 1:
        # Stamps are often rounded to a few digits; numbers of frames are exact.
        exact = times[0] + (numbers - numbers[0]) / rate
        if np.abs(exact - times).max() < 0.5 / rate:
            return _ascending(path, exact, rate, notes)
        if not abs(step * rate - 1) < _AGREE:
            notes.append(f"the file says {rate:g} Hz, and its time stamps are {step:g} s apart; these are believed")
        elif told is not None and abs(told / rate - 1) > _SAME:
            notes.append(f"the file says {rate:g} Hz, and its time stamps {told:g} Hz; these are believed")
    return _ascending(path, times, asked.rate_hz or told, notes)


def _agree(told: float | None, step: float, rate_hz: float) -> bool:
    """Whether a declared rate is that of the stamps; of irregular ones it is so only in the middle."""
    if told is not None and abs(told / rate_hz - 1) > _SAME:
        return False
    return abs(step * rate_hz - 1) < _AGREE


def _complete(values: Float, rows: Float, what: str, notes: list[str]) -> Float | None:
    """Ascending values with those between that are missing put in; None if most are missing, or some at an end."""
    known = np.isfinite(values)
    if known.all():
        return values
    if known[0] and known[-1] and 2 * known.sum() > values.size:
        notes.append(f"{int((~known).sum())} {what} are missing; they are put between their neighbours")
        return np.where(known, values, np.interp(rows, rows[known], values[known]))
    notes.append(f"some {what} are missing; frames are counted instead")
    return None


def _in_seconds(path: Path, raw: Raw, asked: Asked, rate: float | None, notes: list[str]) -> Float | None:
    """Time stamps in s; None if there are none."""
    if raw.times is None:
        return None
    unit = asked.time_unit or raw.time_unit
    if asked.time_unit and raw.time_unit and asked.time_unit != raw.time_unit:
        notes.append(f"times are in {asked.time_unit} as declared, though the file says {raw.time_unit}")
    if unit is None:
        step = seconds_of(raw.times)
        if rate is None:
            raise DataError(
                f'{path}: the unit of its times is not told; declare it, such as time_unit="s" (--time-unit s), '
                "or name the column time_s",
                reason="rate-unknown",
            )
        unit = next((unit for unit, factor in TIMES_S.items() if abs(step * factor * rate - 1) < _AGREE), None)
        if unit is None:
            notes.append(f"times are in no unit that fits {rate:g} Hz; frames are counted instead")
            return None
        notes.append(f"times are in {unit}, by the rate of {rate:g} Hz")
    if asked.time_unit is None and rate is not None and (right := _misnamed(raw.times, unit, rate)):
        notes.append(f"times are in {right} and not in {unit} as the file says, by the rate of {rate:g} Hz")
        unit = right
    return raw.times if unit == "s" else raw.times * TIMES_S[unit]


def _misnamed(times: Float, unit: str, rate: float) -> str | None:
    """The unit that fits the rate where the one that is told is off by a thousand or more."""
    step = seconds_of(times)
    fits = [right for right, factor in TIMES_S.items() if abs(step * factor * rate - 1) < _AGREE]
    return fits[0] if fits and fits[0] != unit else None


def _regular(times: Float) -> float | None:
    """Frames per second where all stamps lie on a grid, though some may be absent; else None."""
    step = seconds_of(times)
    if not np.isfinite(step) or step <= 0:
        return None
    steps = np.diff(times) / step
    if np.abs(steps - np.rint(steps)).max() > _NEAR:
        return None
    span = float(times[-1] - times[0])
    return float(f"{np.rint(steps).sum() / span:.10g}") if span > 0 else None


def _ascending(
    path: Path, times: Float, rate: float | None, notes: list[str]
) -> tuple[Float, float | None, NDArray[np.intp] | None]:
    steps = np.diff(times)
    if (steps > 0).all():
        step = 1 / rate if rate else 0.0
        if rate and times.size > 1 and (absent := int(np.rint(steps / step - 1).clip(0).sum())):
            notes.append(f"{absent} frames are absent from the file; times leave room for them")
        return times, rate, None
    _refuse_another(path, times)
    order = np.argsort(times, kind="stable")
    order = order[np.diff(times[order], prepend=-np.inf) > 0]
    notes.append(
        f"times do not ascend; frames were sorted, and {times.size - order.size} of a time already there left out"
    )
    return times[order], rate, order


def _refuse_another(path: Path, times: Float) -> None:
    """Refuse two recordings one below the other: sorted by time they would be mixed."""
    starts = np.flatnonzero(np.diff(times) < 0) + 1
    if starts.size >= _RUNS:
        return
    for start, stop in pairwise([*starts, times.size]):
        run, before = times[start:stop], times[:start]
        within = ((run >= before.min()) & (run <= before.max())).sum()
        between = ((before >= run.min()) & (before <= run.max())).sum()
        if min(within, between) >= _AGAIN:
            raise DataError(
                f"{path}: time begins anew in row {start + 1} of {times.size}, at {times[start]:g} s after "
                f"{times[start - 1]:g} s: are there two recordings in it? give each a file of its own",
                reason="ragged",
            )
