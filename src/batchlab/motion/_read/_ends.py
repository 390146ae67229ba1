"""Where the rows of a table end: before a line that was cut off, and before what spreadsheets leave below."""

from __future__ import annotations

import re

__all__ = ["before_cut", "before_empty"]

_ROWS_ALIKE = 3  # at least, for their digits to say how many there should be
_PLAIN = re.compile(rb"[+-]?\d+(?:[.,](\d*))?")


def before_cut(data: bytes, offset: int, end: int, line: int, separator: str, notes: list[str]) -> int:
    """Where the last line begins if its last number seems to have lost digits, for a row would keep what is left."""
    begin = data.rfind(b"\n", offset, end) + 1
    if begin <= offset or begin == end or end < len(data):
        return end
    mark = separator.encode()
    before = data[max(offset, begin - 20 * (end - begin + 80)) : begin - 1].split(b"\n")[-20:]
    digits = [_fraction(row.rsplit(mark, 1)[-1]) for row in before[1:] if mark in row]
    written = [count for count in digits if count is not None]
    last = data[begin:end]
    mine = _fraction(last.rsplit(mark, 1)[-1])
    if len(written) < _ROWS_ALIKE or mine is None or not mine < min(written) == max(written):
        return end
    number = line + data.count(b"\n", offset, begin)
    notes.append(
        f"line {number}, the last, has no end, and its last number fewer digits than "
        "those above; it is left out as cut off"
    )
    return begin


def before_empty(data: bytes, offset: int, end: int, separator: str, notes: list[str]) -> int:
    """Where rows of empty cells begin that nothing follows."""
    filled = len(data[offset:end].rstrip(separator.encode() + b" \n"))
    stop = data.find(b"\n", offset + filled, end) + 1 if filled else offset
    if (stop == 0 and filled) or stop >= end:
        return end
    rows = data[stop:end].split(b"\n")
    if empty := sum(bool(row.strip(b" ")) for row in rows):
        notes.append(f"the last {empty} rows are empty; they are left out")
    return stop


def _fraction(cell: bytes) -> int | None:
    """How many digits follow the point or comma of a number; None if the cell is none."""
    found = _PLAIN.fullmatch(cell.strip())
    return None if found is None else len(found[1] or b"")
