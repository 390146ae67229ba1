"""How the page says numbers, times and names."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from batchlab.reports._data import json_plain

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def visible(text: object) -> str:
    """A name on one line, with its control and direction marks shown instead of obeyed."""
    marked = _CONTROL.sub(lambda m: "␡" if m[0] == "\x7f" else chr(0x2400 + ord(m[0])), str(text))
    return _BIDI.sub(lambda m: f"\\u{ord(m[0]):04x}", marked)


def number(value: object) -> str:
    """A value to six significant digits; texts as they are, and a dash for what is not known or no number."""
    if value is None or value != value:  # NaN alone is not itself
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else f"{value:.6g}"
    return str(value)


def duration(seconds: float | None) -> str:
    """A time as a person says it: 0.42 s, 3 min 12 s, 2 h 05 min."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 1:
        return f"{seconds:.3f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60:02d} h"


def moment(text: str | None) -> str:
    """A recorded UTC time without its fraction of a second."""
    if text is None:
        return "–"
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return text


def grouped(n: int) -> str:
    """A count with thin spaces from five digits on."""
    return str(n) if n < 10_000 else f"{n:,}".replace(",", "\u202f")


def counted(n: int, word: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{grouped(n)} {word}{'' if n == 1 else 's'}"


def flat(mapping: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted names with their texts."""
    rows: list[tuple[str, str]] = []
    for name, value in mapping.items():
        if isinstance(value, Mapping) and value:
            rows += flat(value, f"{above}{name}.")
        else:
            rows.append((f"{above}{name}", _text(value)))
    return rows


def _text(value: Any) -> str:
    plain = json_plain(value)
    if isinstance(plain, list):
        return ", ".join(_text(v) for v in plain)
    return number(plain) if not isinstance(plain, float) else repr(plain)
