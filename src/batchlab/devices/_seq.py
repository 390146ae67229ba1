"""Numbers of runs as people write them: ``52``, ``52-58``, ``[52, 57]``, ``89-92,95,100-105``."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["read_seq", "write_seq"]

_PART = re.compile(r"\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?")
_MOST = 100_000


def read_seq(value: object) -> tuple[int, ...]:
    """The numbers, in ascending order, each once.

    Parameters
    ----------
    value
        A whole number; a range, both ends of which count; numbers and ranges with commas between; or a list of such.

    Raises
    ------
    ValueError
        If it is none of these, a range runs down, or a number is below 1; says which part, and what to write.
    """
    found = sorted(set(_numbers(value)))
    if not found:
        raise ValueError("holds no number; write 52, 52-58, [52, 57] or 89-92,95,100-105")
    return tuple(found)


def write_seq(seqs: Iterable[int]) -> str:
    """The shortest text that `read_seq` reads as these: runs of three and more as ranges.

    >>> write_seq([4, 5, 6, 7, 10, 12, 13])
    '4-7,10,12,13'
    """
    parts: list[list[int]] = []
    for seq in sorted(set(seqs)):
        if parts and seq == parts[-1][-1] + 1:
            parts[-1].append(seq)
        else:
            parts.append([seq])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 2 else ",".join(map(str, part)) for part in parts)


def _numbers(value: object) -> Iterable[int]:
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is no number of a run; write 52, 52-58, [52, 57] or 89-92,95,100-105")
    if isinstance(value, list | tuple):
        return [number for each in value for number in _numbers(each)]
    if isinstance(value, int):
        if value < 1:
            raise ValueError(f"{value} is no number of a run; they begin with 1")
        return [value]
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no number of a run; write 52, 52-58, [52, 57] or 89-92,95,100-105")
    return [number for part in value.split(",") for number in _range(part)]


def _range(part: str) -> Iterable[int]:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{part.strip()!r} is no number and no range; write 52, 52-58, [52, 57] or 89-92,95,100-105")
    first, last = int(match[1]), int(match[2] or match[1])
    if first < 1:
        raise ValueError(f"{first} is no number of a run; they begin with 1")
    if last < first:
        raise ValueError(f"the range {first}-{last} runs down; write {last}-{first}")
    if last - first > _MOST:
        raise ValueError(f"the range {first}-{last} is longer than any history")
    return range(first, last + 1)
