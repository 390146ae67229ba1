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

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array
from batchlab.spectra._read._decimals import plain_decimals

__all__ = ["BLANK", "Block", "Lines", "find_block"]

BLANK = " "
MIN_ROWS = 5

_TAB, _LF, _SPACE, _COMMA, _DOT, _SEMICOLON = b"\t\n ,.;"
_IS_WHITE = np.zeros(256, dtype=bool)
_IS_WHITE[[_TAB, _LF, _SPACE]] = True
# What a character says of its line, a bit each.
_DIGIT, _INK, _FOREIGN = 1, 2, 4
_SAYS = bytes(
    (_DIGIT if sign in b"0123456789" else 0)
    | (0 if sign in b"\t\n " else _INK)
    | (0 if sign in b"0123456789+-.,;eE \t\n" else _FOREIGN)
    for sign in range(256)
)

# Told in this order where two read a text equally well. A comma is a delimiter before it is a decimal mark.
_HYPOTHESES = (("\t", "."), (";", "."), (",", "."), (BLANK, "."), ("\t", ","), (";", ","), (BLANK, ","))

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|nan")
# In quotes 1,5 is a decimal; 1,234 may be a thousand and stays a text.
_QUOTED_NUMBER = re.compile(r'"([+-]?\d*(?:\.\d*|,(?!\d{3}")\d+)?(?:[eE][+-]?\d+)?)"')
_NAN_WORD = re.compile(rb"(?<![A-Za-z])nan(?![A-Za-z])", re.IGNORECASE)


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
    """

    values: Array
    delimiter: str
    decimal: str
    lines: NDArray[np.int64]
    outside: NDArray[np.int64]


class Lines:
    r"""A text cut into lines, with what can be told of each by looking at all its characters at once.

    Parameters
    ----------
    text
        The text, its line ends ``\n``.
    """

    def __init__(self, text: str) -> None:
        if '"' in text:
            text = _QUOTED_NUMBER.sub(_unquoted, text)
        self.text = text
        # One byte for each character, so positions agree; what is not ASCII becomes a question mark.
        raw = text.encode("ascii", "replace")
        if b"nan" in raw.lower():
            raw = _NAN_WORD.sub(b"0e0", raw)
        self._raw = np.frombuffer(raw, dtype=np.uint8)
        ends = np.flatnonzero(self._raw == _LF)
        if not self._raw.size or self._raw[-1] != _LF:
            ends = np.append(ends, self._raw.size)
        self.ends = ends
        self.starts = np.concatenate(([0], ends[:-1] + 1))
        # A line's end belongs to it and says nothing, so no line is without a character.
        says = np.frombuffer(raw.translate(_SAYS) + bytes(not raw or raw[-1] != _LF), dtype=np.uint8)
        of_lines = np.bitwise_or.reduceat(says, self.starts)
        self.has_digit = (of_lines & _DIGIT) != 0
        self.blank = (of_lines & _INK) == 0
        self.candidate = self.has_digit & ((of_lines & _FOREIGN) == 0)
        self._count_cache: dict[int, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return int(self.ends.size)

    def line(self, index: int) -> str:
        """The line of this index, counted from 0."""
        return self.text[self.starts[index] : self.ends[index]]

    def count(self, character: int) -> NDArray[np.int64]:
        """How often a character stands in each line."""
        if character not in self._count_cache:
            self._count_cache[character] = self._per_line(self._raw == character)
        return self._count_cache[character]

    def words(self) -> NDArray[np.int64]:
        """How many runs of non-blanks each line has."""
        white = _IS_WHITE[self._raw]
        begins = ~white
        begins[1:] &= white[:-1]
        return self._per_line(begins)

    def _per_line(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        where = np.flatnonzero(mask)
        if where.size == len(self) and (where >= self.starts).all() and (where <= self.ends).all():
            return np.ones(len(self), dtype=np.int64)
        # A position's line is the first whose end is not before it.
        return np.bincount(np.searchsorted(self.ends, where), minlength=len(self))[: len(self)]


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
            lines=rows + 1,
            outside=outside + 1,
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
        return plain.reshape(rows, columns)
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
    # A delimiter at the end of each row leaves a last column that no row fills.
    while values.shape[1] > 1 and np.isnan(values[:, -1]).all():
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


def _unquoted(match: re.Match[str]) -> str:
    """A number without its quotes, as long as before."""
    return f" {match[1].replace(',', '.')} "


def _is_number_or_blank(cell: str) -> bool:
    cell = cell.strip().lower()
    return not cell or _NUMBER.fullmatch(cell) is not None
