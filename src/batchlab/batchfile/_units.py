"""Durations and sizes as people write them: ``60 s``, ``1 h 30 min``, ``500 MB``. A bare number says no unit."""

from __future__ import annotations

import re
from collections.abc import Mapping

SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {
    **{"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40},
}

_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+)\s*([^\W\d_]+)\s*")


def duration_s(value: object) -> float:
    """Seconds of ``60 s``, ``10 min``, ``1 h 30 min``; of 0 without a unit too.

    Raises
    ------
    ValueError
        With a sentence that says how to write it.
    """
    if value == 0 and not isinstance(value, bool):
        return 0.0
    return _sum(value, SECONDS, "a duration with its unit, as in 60 s, 10 min or 2 h", SECONDS)


def size_bytes(value: object) -> int:
    """Bytes of ``500 MB`` (10^6) or ``2 GiB`` (2^30).

    Raises
    ------
    ValueError
        With a sentence that says how to write it.
    """
    folded = {unit.lower(): factor for unit, factor in BYTES.items()}
    return round(_sum(value, folded, "a size with its unit, as in 500 MB or 2 GB", BYTES))


def _sum(value: object, units: Mapping[str, float], wanted: str, shown: Mapping[str, float]) -> float:
    if not isinstance(value, str):
        raise ValueError(f"write {wanted}, not {value!r:.40}")
    total, end = 0.0, 0
    while end < len(value):
        part = _PART.match(value, end)
        if part is None:
            raise ValueError(f"write {wanted}, not {value!r:.40}")
        unit = part[2].lower()
        if unit not in units:
            raise ValueError(f"{part[2]!r} is no unit here; known are {', '.join(shown)}")
        total += float(part[1]) * units[unit]
        end = part.end()
    if not value or total == float("inf"):
        raise ValueError(f"write {wanted}, not {value!r:.40}")
    return total
