"""How the terminal says numbers, times and names."""

from __future__ import annotations

import math
import os
import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """A text that cannot steer the terminal: control and direction marks are shown, not obeyed."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", str(text))


def one_line(text: object, width: int | None = None) -> str:
    """The same on one line; to keep to a width its middle goes, since a message ends with the mend."""
    line = " ".join(plain(text).split())
    if width is None or len(line) <= width:
        return line
    left = max(width - 3, 0)
    tail = left * 2 // 5
    return f"{line[: left - tail]}...{line[len(line) - tail :]}"


def number(n: int) -> str:
    """A count, its thousands apart from five digits on."""
    return str(n) if n < 10_000 else f"{n:,}".replace(",", " ")


def counted(n: int, word: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{number(n)} {word}{'' if n == 1 else 's'}"


def duration(seconds: float | None, *, coarse: bool = False) -> str:
    """A time as a person says it: 12 ms, 0.42 s (coarse: 0 s), 3 min 12 s, 2 h 05 min."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    if seconds < 0.0995 and not coarse:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995 and not coarse:
        return f"{seconds:.2f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_UNITS = ((86_400.0, "d", 48 * 3600.0), (3600.0, "h", 5400.0), (60.0, "min", 90.0), (1.0, "s", 0.0))


def duration_range(low_s: float, high_s: float) -> str:
    """``12-18 min``, ``40-90 s``, ``about 3 min``: in the unit of the upper end, rounded outwards."""
    high_s = max(high_s, low_s, 0.0)
    low_s = max(low_s, 0.0)
    if high_s < 1.0:
        return "less than 1 s"
    per, unit, _ = next(each for each in _UNITS if high_s >= each[2])
    step = 0.5 if unit in ("d", "h") and high_s / per < 10 else 5.0 if unit == "s" and high_s > 20 else 1.0
    low, high = math.floor(low_s / per / step) * step, math.ceil(high_s / per / step) * step
    if low == high:
        return f"about {high:g} {unit}"
    if low == 0:
        return f"up to {high:g} {unit}"
    return f"{low:g}-{high:g} {unit}"


def time_left(low_s: float, likely_s: float, high_s: float) -> str:
    """A range, or one figure where the range is narrow: ``3-5 s``, ``about 4 s``."""
    if high_s < 1.0:
        return "less than 1 s"
    narrow = high_s - low_s <= max(1.0, likely_s / 4)
    told = duration_range(low_s, high_s)
    if narrow or (told.startswith("up to") and high_s <= 2 * likely_s):
        per, unit, _ = next(each for each in _UNITS if likely_s >= each[2])
        return f"about {max(round(likely_s / per), 1)} {unit}"
    return told


def moment(iso: str) -> str:
    """A recorded moment: ``2026-11-21 09:56:56 UTC``."""
    found = _MOMENT.fullmatch(iso)
    return f"{found[1]} {found[2]} UTC" if found else one_line(iso)


def task_word(task: str) -> str:
    """A task as people know it: of one in a file, the file's name without its folder."""
    file, colon, function = task.rpartition(":")
    return one_line(f"{os.path.basename(file)}:{function}" if colon else task)


def failure_word(category: str | None, reason: str | None, message: str | None = None) -> str:
    """``category (reason): message``; a reason that the message begins with is not told twice."""
    kind = category or "generic"
    if reason and not (message or "").startswith(reason):
        kind += f" ({one_line(reason)})"
    return f"{kind}: {plain(message)}" if message else kind


def size(n: float | None) -> str:
    """Bytes as 512 B, 1.2 kB, 45 MB, with units of 1000."""
    if n is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if n < 999.5:
            return f"{n:.0f} {unit}" if n >= 9.95 or unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} TB"


def value(given: object) -> str:
    """A param or metric: floats to six significant digits."""
    if isinstance(given, float):
        return f"{given:.6g}"
    if isinstance(given, bool):
        return "yes" if given else "no"
    return "none" if given is None else one_line(given)
