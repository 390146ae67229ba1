"""Tables of numbers in text: fast where they are as they should be, with line and column where they are not."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._source import Text, cells_of

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["MISSING", "blocks", "decimal_comma", "number_of", "read_table", "seconds_of"]

_BLOCK = 1 << 23  # bytes: large enough for numpy, small enough to be cheap beside the table
MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "-", "--", "missing", "#n/a"))


@dataclass(slots=True)
class _Ragged:
    """Rows that end before their header does."""

    count: int = 0
    first: int = 0


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
        Gets a sentence for rows that are too short.

    Returns
    -------
    (rows, columns) array
        NaN where a cell is empty or says that nothing was seen. Rows without any cell are left out.

    Raises
    ------
    DataError
        If a cell is no number, or a row has more cells than the header.
    """
    ragged = _Ragged()
    comma = decimal_comma(text.data[offset : offset + 4096], separator)
    parts = []
    for block, number in blocks(text.data, offset, line, len(text.data) if end is None else end):
        body = block.replace(b",", b".") if comma else block
        part = _fast(body, len(names), separator, columns)
        if part is None:
            part = _careful(text, body, number, names, separator, columns, ragged, notes)
        parts.append(part)
    if ragged.count:
        notes.append(
            f"{ragged.count} rows are shorter than the header, the first in line {ragged.first}; "
            "what they lack counts as not seen"
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


def decimal_comma(start: bytes, separator: str) -> bool:
    """Whether numbers are written with a comma, by the first rows."""
    return separator != "," and b"," in start and b"." not in start


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
    ragged: _Ragged,
    notes: list[str],
) -> Float:
    width = len(names)
    rows: list[list[float]] = []
    lines = block.decode("utf-8", errors="replace").split("\n")
    cut = len(lines) - 1 if lines[-1] else -1
    for place, row in enumerate(lines):
        cells = cells_of(row, separator)
        if not any(cells):
            continue
        number = line + place
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
            ragged.count += 1
            ragged.first = ragged.first or number
            cells += [""] * (width - len(cells))
        values = []
        for column in columns:
            value = number_of(cells[column])
            if value is None:
                raise DataError(
                    f"{text.path}, line {number}, column {column + 1} ({names[column] or 'nameless'}): "
                    f"{_short(cells[column])} is no number; an empty cell says that nothing was seen",
                    reason="not-a-number",
                )
            values.append(value)
        rows.append(values)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 30 else cell[:27] + "...")
