"""Tables of numbers in text: fast where they are as they should be, with line and column where they are not."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._ends import before_cut, before_empty
from batchlab.motion._read._source import Text, cells_of

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["MISSING", "blocks", "decimal_comma", "number_of", "read_table", "seconds_of"]

_BLOCK = 1 << 23  # bytes: large enough for numpy, small enough to be cheap beside the table
_START = 4096  # bytes that tell how numbers are written
MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-", "--", "missing", "#n/a"))
_POINT_OR_COMMA = re.compile(rb"\d[.,]\d")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([., '\u00a0\u202f]\d{3})+([.,]\d*)?")


@dataclass(slots=True)
class _Odd:
    """Rows that are no rows, or end before their header does."""

    short: int = 0
    first_short: int = 0
    blank: int = 0
    first_blank: int = 0


def read_table(
    text: Text,
    *,
    offset: int,
    line: int,
    names: Sequence[str],
    separator: str,
    columns: Sequence[int],
    notes: list[str],
    end: int | None = None,
    keyed: bool = True,
) -> Float:
    """Read rows of numbers.

    Parameters
    ----------
    text, offset, end
        The file, and where its rows begin and end.
    line
        Number of the first row's line, for messages.
    names
        Of all columns, for messages.
    separator
        Between cells.
    columns
        Those wanted; cells of others are not looked at.
    notes
        Gets a sentence for rows that are too short, and for lines that are no row where that moves the others.
    keyed
        Whether a column numbers or times the rows. A row of empty cells is then none; else it is a frame in which
        nothing was seen, unless it is one of the last, as spreadsheets leave them.

    Returns
    -------
    (rows, columns) array
        NaN where a cell is empty or says that nothing was seen. Lines without any cell are left out.

    Raises
    ------
    DataError
        If a cell is no number, or a row has more cells than the header.
    """
    odd = _Odd()
    end = before_cut(text.data, offset, len(text.data) if end is None else end, line, separator, notes)
    if not keyed:
        end = before_empty(text.data, offset, end, separator, notes)
    comma = decimal_comma(text.data, separator, offset, end)
    parts = []
    for block, number in blocks(text.data, offset, line, end):
        body = block.replace(b",", b".") if comma else block
        part = _fast(body, len(names), separator, columns)
        if part is None:
            part = _careful(text, body, number, names, separator, columns, odd, notes, keyed=keyed, comma=comma)
        parts.append(part)
    if odd.short:
        notes.append(
            f"{odd.short} rows are shorter than the header, the first in line {odd.first_short}; "
            "what they lack counts as not seen"
        )
    if odd.blank and not keyed:
        notes.append(
            f"{odd.blank} lines among the rows are blank, the first line {odd.first_blank}; they are no frames"
        )
    return np.concatenate(parts) if parts else np.empty((0, len(columns)))


def blocks(data: bytes, offset: int, line: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Whole lines, some megabytes at a time, each time with the number of the first."""
    while offset < end:
        stop = end
        if end - offset > _BLOCK:
            found = data.find(b"\n", offset + _BLOCK, end)
            stop = end if found < 0 else found + 1
        block = data[offset:stop]
        yield block, line
        line += block.count(b"\n")
        offset = stop


def decimal_comma(data: bytes, separator: str, offset: int, end: int) -> bool:
    """Whether numbers are written with a comma, by the first that have a fraction."""
    first = None if separator == "," else _POINT_OR_COMMA.search(data, offset, end)
    if first is None:
        return False
    marks = {found.group()[1:2] for found in _POINT_OR_COMMA.finditer(data, first.start(), min(end, offset + _START))}
    return (marks or {first.group()[1:2]}) == {b","}


def number_of(cell: str) -> float | None:
    """A cell's number, NaN if it says that there is none, None if it is something else."""
    try:
        value = float(cell)
    except ValueError:
        return float("nan") if cell.strip().lower() in MISSING else None
    # Python reads 1_000 as a number; no program writes it.
    return None if "_" in cell else value


def seconds_of(values: Float) -> float:
    """The median step of times; NaN if there is none."""
    steps = np.diff(values)
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.median(steps)) if steps.size else float("nan")


def _fast(block: bytes, width: int, separator: str, columns: Sequence[int]) -> Float | None:
    """The rows if all have the same number of cells and nothing but numbers and gaps; else None."""
    mark = separator.encode()
    if b'"' in block:
        return None
    if not block.endswith(b"\n"):
        block += b"\n"
    letters = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(letters == 10)
    upto = np.searchsorted(np.flatnonzero(letters == mark[0]), ends)
    per_line = np.diff(upto, prepend=0)
    if (per_line == np.diff(ends, prepend=-1) - 1).any() or (per_line != per_line[0]).any():
        return None
    cells = int(per_line[0]) + 1
    if cells < width or (cells > width and block.count(mark * (cells - width) + b"\n") != ends.size):
        return None
    filled = mark + b"nan" + mark
    if mark + mark in block:
        # Twice: of three separators in a row, one pass fills every other gap.
        block = block.replace(mark + mark, filled).replace(mark + mark, filled)
    block = block.replace(mark + b"\n", mark + b"nan\n").replace(b"\n" + mark, b"\nnan" + mark)
    if block.startswith(mark):
        block = b"nan" + block
    try:
        return np.loadtxt(
            io.BytesIO(block), delimiter=separator, comments=None, usecols=columns, ndmin=2, encoding="latin-1"
        )
    except ValueError:
        return None


def _careful(
    text: Text,
    block: bytes,
    line: int,
    names: Sequence[str],
    separator: str,
    columns: Sequence[int],
    odd: _Odd,
    notes: list[str],
    *,
    keyed: bool,
    comma: bool,
) -> Float:
    width = len(names)
    rows: list[list[float]] = []
    lines = block.decode("utf-8", errors="replace").split("\n")
    cut = len(lines) - 1 if lines[-1] else -1
    for place, row in enumerate(lines):
        cells = cells_of(row, separator)
        number = line + place
        if not any(cells) and (keyed or len(cells) == 1):
            if place < len(lines) - 1:
                odd.blank += 1
                odd.first_blank = odd.first_blank or number
            continue
        if len(cells) > width and any(cells[width:]):
            raise DataError(
                f"{text.path}, line {number}: the row has {len(cells)} cells and the header {width} names; "
                "was a name or a cell lost? export it again",
                reason="ragged",
            )
        if len(cells) < width:
            if place == cut:
                notes.append(f"line {number}, the last, is cut off; it is left out")
                continue
            odd.short += 1
            odd.first_short = odd.first_short or number
            cells += [""] * (width - len(cells))
        values = []
        for column in columns:
            value = number_of(cells[column])
            if value is None:
                raise DataError(
                    f"{text.path}, line {number}, column {column + 1} ({names[column] or 'nameless'}): "
                    f"{_told(cells[column], comma=comma)}",
                    reason="not-a-number",
                )
            values.append(value)
        rows.append(values)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))


def _told(cell: str, *, comma: bool) -> str:
    """What is wrong with a cell that is no number."""
    if comma:
        cell = cell.replace(".", ",")
    short = repr(cell if len(cell) <= 30 else cell[:27] + "...")
    if _THOUSANDS.fullmatch(cell):
        return f"{short} is no number that can be read; write it without marks between thousands"
    return f"{short} is no number; an empty cell says that nothing was seen"
