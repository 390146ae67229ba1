"""Where axes have ticks, and what stands at them: times, energies, angles, decades."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from batchlab.figures import power

__all__ = ["Tick", "angle_ticks", "clock", "linear_ticks", "log_ticks", "power_left_out", "stamp", "time_ticks"]

_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_STEPS_S = (
    *(1e-3 * base * 10**exponent for exponent in range(3) for base in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 20, 30),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 20, 30)),
    *(_HOUR * n for n in (1, 2, 3, 4, 6, 8, 12)),
    *(_DAY * n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)),
)
_MOST_TICKS = 100
_SHORT_S = 120.0  # below it, seconds are told


class Tick(NamedTuple):
    """A place along an axis; minor ones have no text."""

    at: float
    text: str = ""


def time_ticks(span: tuple[float, float], most: Callable[[str], int]) -> list[Tick]:
    """Ticks at whole minutes, hours, days.

    Parameters
    ----------
    span
        In seconds since 1970.
    most
        How many texts such as this one fit.
    """
    start, end = span
    for step in _STEPS_S:
        first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
        if last - first >= _MOST_TICKS:
            continue
        texts = _texts(step, span)
        if last - first < most(texts(end)) or step == _STEPS_S[-1]:
            return [Tick(at * step, texts(at * step)) for at in range(first, last + 1)]
    return []


def _texts(step: float, span: tuple[float, float]) -> Callable[[float], str]:
    if step >= _DAY:
        return lambda time_s: clock(time_s, "%Y-%m-%d")
    if step < 1:
        digits = max(1, math.ceil(-math.log10(step) - 1e-9))

        def with_parts(time_s: float) -> str:
            nearest = round(time_s, digits)
            return f"{clock(nearest, '%H:%M:')}{round(nearest % 60, digits) % 60:0{3 + digits}.{digits}f}"

        return with_parts
    if span[1] - span[0] > 1.01 * _DAY:
        return lambda time_s: clock(time_s, "%m-%d %H:%M")
    seconds = step < _MINUTE or span[1] - span[0] < _SHORT_S
    return lambda time_s: clock(time_s, "%H:%M:%S" if seconds else "%H:%M")


def clock(time_s: float, form: str) -> str:
    """A time of UTC in a form of strftime's, to the second nearest below."""
    return datetime.fromtimestamp(math.floor(time_s + 1e-6), UTC).strftime(form)


def stamp(time_s: float) -> str:
    """Day and time of UTC."""
    return clock(time_s, "%Y-%m-%d %H:%M:%S")


def linear_ticks(limits: tuple[float, float], most: int, *, exponent: int = 0) -> list[Tick]:
    """Up to so many ticks at round numbers; their texts leave out a power of ten."""
    low, high = limits
    rough = (high - low) / max(1, most)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(base * magnitude for base in (1, 2, 2.5, 5, 10, 20) if base * magnitude >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [at * step for at in range(first, last + 1)]
    return [Tick(value, text) for value, text in zip(values, _numbers(values, step, exponent), strict=True)]


def power_left_out(limits: tuple[float, float]) -> int:
    """The power of ten that the numbers of a linear axis leave out: 0 where they are handy as they are."""
    largest = max(map(abs, limits))
    return 0 if not largest or 1e-2 <= largest < 1e5 else math.floor(math.log10(largest))


def angle_ticks(limits: tuple[float, float], most: int) -> list[Tick]:
    """Ticks at whole parts of a turn."""
    low, high = limits
    step = next((each for each in (15, 30, 45, 90, 180) if (high - low) / each <= most), 360)
    return [Tick(at * step, f"{at * step}") for at in range(math.ceil(low / step), math.floor(high / step) + 1)]


def log_ticks(limits: tuple[float, float], most: int) -> list[Tick]:
    """Decades, with minor ticks between them; where there are few, twos and fives have texts too."""
    low, high = limits
    first, last = math.floor(math.log10(low) - 1e-9), math.ceil(math.log10(high) + 1e-9)
    decades = math.log10(high / low)
    every = max(1, math.ceil((decades + 1) / max(1, most)))
    if decades < 0.5:
        return [Tick(tick.at, power(float(f"{tick.at:.6g}"))) for tick in linear_ticks(limits, min(most, 4))]
    named = {1} if decades >= 1.5 else {1, 2, 5} if most >= 4 else {1, 3}
    ticks = []
    for exponent in range(first, last + 1):
        for digit in range(1, 10):
            at = digit * 10.0**exponent
            if low * (1 - 1e-9) <= at <= high * (1 + 1e-9) and (digit == 1 or every == 1):
                has_text = digit in named and exponent % every == 0
                ticks.append(Tick(at, power(at) if has_text else ""))
    return ticks


def _numbers(values: list[float], step: float, exponent: int) -> list[str]:
    """Numbers of one axis, all with as many digits."""
    step /= 10.0**exponent
    digits = max(0, math.ceil(-math.log10(step) - 1e-9) + (not _whole(step)))
    return [f"{value / 10.0**exponent:.{digits}f}".replace("-", "\N{MINUS SIGN}") for value in values]


def _whole(step: float) -> bool:
    """Whether the first digit of a step is all there is of it."""
    scaled = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    return abs(scaled - round(scaled)) < 1e-6
