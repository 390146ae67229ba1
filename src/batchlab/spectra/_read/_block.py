"""Find the table of numbers in a text: the longest run of lines of one numeric shape.

Each pair of a delimiter and a decimal mark is a hypothesis. Under it a line is either a row of so many
cells, all of them numbers or blank, or it is not. The longest run of equal rows, over all hypotheses, is the
table: a first point is never lost to a guessed header, a header is never read as data, and lone numbers in a
preamble do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array
from batchlab.spectra._read._decimals import plain_decimals
from batchlab.spectra._read._lines import Lines

__all__ = ["BLANK", "MIN_ROWS", "Block", "Shape", "block_under", "find_block", "shapes_of"]

BLANK = " "
MIN_ROWS = 5

_COMMA, _DOT, _SEMICOLON = b",.;"

# Told in this order where two read a text equally well. A comma is a delimiter before it is a decimal mark.
_HYPOTHESES = (("\t", "."), (";", "."), (",", "."), (BLANK, "."), ("\t", ","), (";", ","), (BLANK, ","))

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The table found.

    Attributes
    ----------
    values : (rows, columns) array
        The numbers; NaN where a cell is blank, says NaN, or is too large for a float.
    delimiter, decimal
        How the cells are parted and their decimals marked; a delimiter of one blank stands for any run of
        blanks.
    lines : (rows,) array
        The line of each row, counted from 1.
    outside : (k,) array
        Lines of the same shape that do not belong to the run.
    hidden : int
        Rows of the run that lie in the gap of sampled lines.
    """

    values: Array
    delimiter: str
    decimal: str
    lines: NDArray[np.int64]
    outside: NDArray[np.int64]
    hidden: int = 0


class Shape(NamedTuple):
    """A way to part a text into cells, and the longest run of rows under it; lines are counted from 1."""

    delimiter: str
    decimal: str
    columns: int
    first_line: int
    last_line: int


def find_block(lines: Lines) -> Block | None:
    """Find the longest table of at least five rows and two columns.

    Parameters
    ----------
    lines
        The lines of the text.

    Returns
    -------
    Block or None
        The table; None where no hypothesis gives one.
    """
    most = int(np.count_nonzero(lines.candidate))
    best: Block | None = None
    guesses = []
    for delimiter, decimal in _HYPOTHESES:
        length = _longest_run(lines, delimiter, decimal)
        if length == most >= MIN_ROWS:
            best = _parse(lines, delimiter, decimal)
            if best is not None and len(best.lines) == most:
                return best
        if length >= MIN_ROWS:
            guesses.append((length, delimiter, decimal))
    # What a hypothesis promises by its characters alone is the most that it can hold.
    for length, delimiter, decimal in sorted(guesses, key=lambda guess: -guess[0]):
        if best is not None and length <= len(best.lines):
            break
        block = _parse(lines, delimiter, decimal)
        if block is not None and (best is None or len(block.lines) > len(best.lines)):
            best = block
    return best


def shapes_of(lines: Lines) -> tuple[Shape, ...]:
    """Each way to part a text, with its longest run of rows, the longest first; judged by characters alone."""
    found = []
    for delimiter, decimal in _HYPOTHESES:
        if delimiter != BLANK and not lines.count(ord(delimiter)).any():
            continue
        shapes = _shapes(lines, delimiter, decimal)
        kept, runs = _runs(shapes, lines.blank)
        if runs and runs[0][1] >= 2:
            first, length = runs[0]
            rows = kept[first : first + length]
            shape = Shape(
                delimiter, decimal, int(shapes[rows[0]]), lines.number(int(rows[0])), lines.number(int(rows[-1]))
            )
            found.append((length, shape))
    return tuple(shape for _, shape in sorted(found, key=lambda each: -each[0]))


def _shapes(lines: Lines, delimiter: str, decimal: str) -> NDArray[np.int64]:
    """Cells of each line under a hypothesis, judged by its characters; 0 where it is no row."""
    foreign = lines.count(_DOT) if decimal == "," else np.zeros(len(lines), dtype=np.int64)
    if delimiter != ";":
        foreign = foreign + lines.count(_SEMICOLON)
    if delimiter != "," and decimal != ",":
        foreign = foreign + lines.count(_COMMA)
    cells = lines.words() if delimiter == BLANK else lines.count(ord(delimiter)) + 1
    return np.where(lines.candidate & (foreign == 0) & (cells >= 2), cells, 0)


def _runs(shapes: NDArray[np.int64], blank: NDArray[np.bool_]) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Runs of equal shape as (first, length) over the lines that are not blank, longest first."""
    kept = np.flatnonzero(~blank)
    shapes = shapes[kept]
    if not shapes.size:
        return kept, []
    first = np.flatnonzero(np.concatenate(([True], shapes[1:] != shapes[:-1])))
    length = np.diff(np.append(first, shapes.size))
    rows = shapes[first] > 0
    runs = sorted(zip(first[rows].tolist(), length[rows].tolist(), strict=True), key=lambda run: (-run[1], run[0]))
    return kept, runs


def _longest_run(lines: Lines, delimiter: str, decimal: str) -> int:
    if delimiter != BLANK and not lines.count(ord(delimiter)).any():
        return 0
    runs = _runs(_shapes(lines, delimiter, decimal), lines.blank)[1]
    return runs[0][1] if runs else 0


def _parse(lines: Lines, delimiter: str, decimal: str) -> Block | None:
    shapes = _shapes(lines, delimiter, decimal)
    for exactly in (False, True):
        # Looking at characters alone takes dates for numbers; only where that happens is each cell looked at.
        if exactly:
            shapes = _exact_shapes(lines, shapes, delimiter, decimal)
        kept, runs = _runs(shapes, lines.blank)
        if not runs or runs[0][1] < MIN_ROWS:
            return None
        first, length = runs[0]
        rows = kept[first : first + length]
        columns = int(shapes[rows[0]])
        try:
            values = _numbers(_body(lines, rows), delimiter, decimal, columns)
        except ValueError:
            continue
        same = np.flatnonzero(shapes == columns)
        outside = same[(same < rows[0]) | (same > rows[-1])]
        return Block(
            values=values,
            delimiter=delimiter,
            decimal=decimal,
            lines=lines.numbers(rows),
            hidden=_hidden(lines, rows),
            outside=lines.numbers(outside),
        )
    return None


def _hidden(lines: Lines, rows: NDArray[np.int64]) -> int:
    """How many rows lie in the gap of a sample, if they are as many a line as before it."""
    before = rows[rows < lines.head]
    if not lines.gap or before.size in (0, rows.size):
        return 0
    return round(lines.gap * before.size / int(before[-1] - before[0] + 1))


def block_under(lines: Lines, delimiter: str, decimal: str, first: int) -> Block | None:
    """The table under one way to part a text, of those rows that hold together with the line of index `first`."""
    shapes = _shapes(lines, delimiter, decimal)
    for exactly in (False, True):
        if exactly:
            shapes = _exact_shapes(lines, shapes, delimiter, decimal)
        kept = np.flatnonzero(~lines.blank)
        at = int(np.searchsorted(kept, first))
        if at >= kept.size or not shapes[kept[at]]:
            return None
        same = shapes[kept] == shapes[kept[at]]
        before, after = np.flatnonzero(~same[:at]), np.flatnonzero(~same[at:])
        begin = int(before[-1]) + 1 if before.size else 0
        end = at + int(after[0]) if after.size else kept.size
        rows, columns = kept[begin:end], int(shapes[kept[at]])
        try:
            values = _numbers(_body(lines, rows), delimiter, decimal, columns)
        except ValueError:
            continue
        alike = np.flatnonzero(shapes == columns)
        return Block(
            values=values,
            delimiter=delimiter,
            decimal=decimal,
            lines=lines.numbers(rows),
            outside=lines.numbers(alike[(alike < rows[0]) | (alike > rows[-1])]),
        )
    return None


def _body(lines: Lines, rows: NDArray[np.int64]) -> str:
    first, last = int(rows[0]), int(rows[-1])
    if last - first + 1 == rows.size:
        return lines.text[lines.starts[first] : lines.ends[last]]
    return "\n".join(lines.line(int(i)) for i in rows)


def _numbers(body: str, delimiter: str, decimal: str, columns: int) -> Array:
    rows = body.count("\n") + 1
    plain = None if delimiter == BLANK else plain_decimals(body, delimiter, decimal, rows * columns)
    if plain is not None:
        return _without_empty_end(plain.reshape(rows, columns))
    if decimal == ",":
        body = body.replace(",", ".")
    cells = body.split() if delimiter == BLANK else body.replace("\n", delimiter).split(delimiter)
    try:
        flat = list(map(float, cells))
    except ValueError:
        if not all(_NUMBER.fullmatch(cell.strip().lower()) or not cell.strip() for cell in cells):
            raise
        flat = [float(cell) if cell.strip() else np.nan for cell in cells]
    values = np.array(flat, dtype=np.float64).reshape(-1, columns)
    values[np.isinf(values)] = np.nan
    return _without_empty_end(values)


def _without_empty_end(values: Array) -> Array:
    """A delimiter at the end of each row leaves a last column that no row fills."""
    while values.shape[1] > 1 and np.isnan(values[-1, -1]) and np.isnan(values[:, -1]).all():
        values = values[:, :-1]
    return values


def _exact_shapes(lines: Lines, shapes: NDArray[np.int64], delimiter: str, decimal: str) -> NDArray[np.int64]:
    exact = shapes.copy()
    for i in np.flatnonzero(shapes):
        if not all(_is_number_or_blank(cell) for cell in _cells(lines.line(int(i)), delimiter, decimal)):
            exact[i] = 0
    return exact


def _cells(line: str, delimiter: str, decimal: str) -> Iterator[str]:
    line = line.replace(",", ".") if decimal == "," else line
    yield from line.split() if delimiter == BLANK else line.split(delimiter)


def _is_number_or_blank(cell: str) -> bool:
    cell = cell.strip().lower()
    return not cell or _NUMBER.fullmatch(cell) is not None
