"""Values of a header: text as number, truth, time or text, in the unit that the setting's name says."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime

from batchlab.devices._model import Value
from batchlab.devices._procedures import Kind

__all__ = ["read_start", "read_value", "scale"]

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf(?:inity)?)(?:\s*(\D\S*))?", re.I)
_TRUE = frozenset(("1", "true", "yes", "on", "y"))
_FALSE = frozenset(("0", "false", "no", "off", "n"))
_PREFIXES = {"": 1.0, "G": 1e9, "M": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12}
_BASES = ("V", "A", "W", "s", "m", "Hz", "Ohm")
_OTHERS = {
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "C": ("C", 1.0),
    "°C": ("C", 1.0),
    "degC": ("C", 1.0),
    "sec": ("s", 1.0),
    "fA": ("A", 1e-15),
}
_SUFFIXES = {"v": "V", "a": "A", "s": "s", "c": "C", "nm": "nm", "w": "W"}


@functools.lru_cache(4096)
def read_value(text: str, kind: Kind | None, name: str = "") -> tuple[Value, bool]:
    """A value, and whether it reads as its kind.

    Parameters
    ----------
    text
        As the header has it, unescaped.
    kind
        What it should be; with None, whatever it looks like.
    name
        Of the setting: a number in ``mV`` is converted for ``vds_v``.

    Returns
    -------
    value, fits
        What does not read as its kind stays text. ``None`` and nothing are None, and fit every kind.
    """
    if text in ("", "None"):
        return None, True
    if kind is Kind.STR:
        return text, True
    if kind is Kind.BOOL:
        word = text.lower()
        return (word in _TRUE, True) if word in _TRUE | _FALSE else (text, False)
    if kind is Kind.DATETIME:
        start = read_start(text)
        return (start.isoformat(), True) if start else (text, False)
    if kind is None and text in ("True", "False"):
        return text == "True", True
    found = _NUMBER.fullmatch(text)
    if found is None or (kind is Kind.FLOAT_NO_UNIT and found[2]):
        return text, kind is None
    number = float(found[1])
    if found[2]:
        factor = _factor(found[2], name)
        if factor is None:
            return text, kind is None
        number = number if factor == 1.0 else float(f"{number * factor:.15g}")
    if kind is Kind.INT or (kind is None and re.fullmatch(r"[-+]?\d+", text)):
        return (int(number), True) if number.is_integer() else (text, False)
    return number, True


def read_start(text: str) -> datetime | None:
    """Unix seconds, or a date of ISO 8601 (without zone: UTC), as UTC; None if it is neither."""
    try:
        if re.fullmatch(r"\d+(\.\d*)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        start = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)


def scale(unit: str, wanted: str) -> float | None:
    """The factor from one unit to another of the same quantity; None if they are of two.

    ``scale("mV", "V")`` is 0.001.
    """
    if unit == wanted:
        return 1.0
    one, other = _unit(unit), _unit(wanted)
    if one is None or other is None or one[0] != other[0]:
        return None
    return float(f"{one[1] / other[1]:.12g}")


def _factor(unit: str, name: str) -> float | None:
    """From the unit written to that which ends the setting's name; 1 where one of the two is not known."""
    wanted = _SUFFIXES.get(name.rpartition("_")[2]) if "_" in name else None
    if wanted is None or _unit(unit) is None:
        return 1.0
    return scale(unit, wanted)


def _unit(unit: str) -> tuple[str, float] | None:
    if unit in _OTHERS:
        return _OTHERS[unit]
    for base in _BASES:
        if unit.endswith(base) and unit.removesuffix(base) in _PREFIXES:
            return base, _PREFIXES[unit.removesuffix(base)]
    return None
