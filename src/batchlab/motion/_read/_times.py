"""Seconds for every frame, from stamps, numbers of frames and rates, as far as file and person tell them."""

from __future__ import annotations

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


def stamps(path: Path, raw: Raw, asked: Asked, notes: list[str]) -> tuple[Float, float | None, NDArray[np.intp] | None]:
    """Times in s, the rate, and the order that makes times ascend where the file's own does not.

    Raises
    ------
    DataError
        If nothing tells the rate, or times are in an unknown unit.
    """
    rate = asked.rate_hz or raw.rate_hz
    if asked.rate_hz and raw.rate_hz and abs(asked.rate_hz - raw.rate_hz) > 1e-6 * raw.rate_hz:
        notes.append(f"the rate is {asked.rate_hz:g} Hz as declared, though the file says {raw.rate_hz:g} Hz")
    frames = raw.positions.shape[0]
    numbers = np.arange(frames, dtype=np.float64) if raw.numbers is None else raw.numbers
    whole = bool(np.isfinite(numbers).all())
    times = _in_seconds(path, raw, asked, rate, notes)
    if times is not None and not np.isfinite(times).all():
        notes.append("some time stamps are missing; frames are counted instead")
        times = None
    if times is None:
        if rate is None:
            raise DataError(
                f"{path}: it does not say how many frames there are per second; declare it, such as rate_hz=100",
                reason="rate-unknown",
            )
        if not whole:
            notes.append("some frames have no number; frames are counted instead")
            numbers = np.arange(frames, dtype=np.float64)
        return _ascending(numbers / rate, rate, notes)
    step = seconds_of(times)
    if asked.rate_hz and np.isfinite(step) and not abs(step * asked.rate_hz - 1) < _AGREE:
        if raw.rate_hz is None:
            notes.append(f"the rate is {asked.rate_hz:g} Hz as declared, though time stamps are {step:g} s apart")
        return _ascending((numbers if whole else np.arange(frames)) / asked.rate_hz, asked.rate_hz, notes)
    if rate is not None and whole and asked.rate_hz is None and frames > 1:
        # Stamps are often rounded to a few digits; numbers of frames are exact.
        exact = times[0] + (numbers - numbers[0]) / rate
        if np.abs(exact - times).max() < 0.5 / rate:
            return _ascending(exact, rate, notes)
        if not abs(step * rate - 1) < _AGREE:
            notes.append(f"the file says {rate:g} Hz, and its time stamps are {step:g} s apart; these are believed")
            rate = None
    return _ascending(times, asked.rate_hz or _regular(times), notes)


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
                f'{path}: the unit of its times is not told; declare it, such as time_unit="s", or name the column '
                "time_s",
                reason="rate-unknown",
            )
        unit = next((unit for unit, factor in TIMES_S.items() if abs(step * factor * rate - 1) < _AGREE), None)
        if unit is None:
            notes.append(f"times are in no unit that fits {rate:g} Hz; frames are counted instead")
            return None
        notes.append(f"times are in {unit}, by the rate of {rate:g} Hz")
    return raw.times if unit == "s" else raw.times * TIMES_S[unit]


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
    times: Float, rate: float | None, notes: list[str]
) -> tuple[Float, float | None, NDArray[np.intp] | None]:
    steps = np.diff(times)
    if (steps > 0).all():
        step = 1 / rate if rate else 0.0
        if rate and times.size > 1 and (absent := int(np.rint(steps / step - 1).clip(0).sum())):
            notes.append(f"{absent} frames are absent from the file; times leave room for them")
        return times, rate, None
    order = np.argsort(times, kind="stable")
    order = order[np.diff(times[order], prepend=-np.inf) > 0]
    notes.append(
        f"times do not ascend; frames were sorted, and {times.size - order.size} of a time already there left out"
    )
    return times[order], rate, order
