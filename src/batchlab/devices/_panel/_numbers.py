"""Numbers as people read them: a few digits, units with the prefix that suits."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["in_words", "prefixed", "told"]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_SCALED = ("A", "W", "V", "ohm", "A/W", "V/W", "A/s", "V/s")
_WORDS = {"ohm": "Ω", "cm^2/(V s)": "cm²/(V s)", "1": ""}
_PLAIN_V = 0.05  # voltages from here on stay in V: a gate is set in V


def told(value: float, digits: int = 4) -> str:
    """A number with so many digits, its minus a minus."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if 1e-3 <= size < 1e6:
        places = max(0, digits - 1 - math.floor(math.log10(size)))
        text = f"{value:.{places}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}".replace("-", "−")


def prefixed(values: Iterable[float], unit: str) -> tuple[float, str]:
    """What to divide values by, and the unit that they are in then; chosen by the largest of them."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    word = _WORDS.get(unit, unit)
    if unit not in _SCALED or largest == 0.0 or (unit == "V" and largest >= _PLAIN_V):
        return 1.0, word
    power = min(max(3 * math.floor(math.log10(largest) / 3), min(_PREFIXES)), max(_PREFIXES))
    return 10.0**power, f"{_PREFIXES[power]}{word}"


def in_words(value: float, unit: str, error: float | None = None, digits: int = 4) -> str:
    """``640.5 ± 1.2 nA``; what is less than its error with no more places than the error has: ``0 ± 0.058 V``."""
    scale, word = prefixed([value, error or 0.0], unit)
    shown = value / scale
    if error and math.isfinite(error) and abs(value) < abs(error):
        shown = round(shown, 1 - math.floor(math.log10(abs(error) / scale)))
    text = told(shown, digits)
    if error:
        text += f" ± {told(error / scale, 2)}"
    return f"{text} {word}".rstrip()
