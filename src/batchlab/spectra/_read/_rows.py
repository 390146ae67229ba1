"""Tables with a spectrum in each row: a line of axis values, and below it lines of as many intensities.

Labels and other cells may stand before the points and after them. Two lines alone are a table of columns that was
turned over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from batchlab.spectra._model import Array
from batchlab.spectra._read._block import BLANK
from batchlab.spectra._read._lines import Lines

__all__ = ["LABEL_WORDS", "LEAST_POINTS", "RowTable", "axis_cells", "find_rows", "split", "to_number"]

LEAST_POINTS = 5
_LEAST_SHARE = 0.4
_MOSTLY = 0.6
_MOST_LINES_LOOKED_AT = 200
_MOST_LINES_BETWEEN = 4
_HYPOTHESES = (("\t", "."), (";", "."), (",", "."), ("\t", ","), (";", ","), (BLANK, "."), (BLANK, ","))
# A number, perhaps with a letter before it or its unit behind: X401.5, 220 nm.
_AXIS_CELL = re.compile(
    r"\s*\"?(?P<before>[A-Za-z_]{0,6}?[ _]?)(?P<number>[+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?)"
    r"\s*(?P<after>[\[(]?(?:nm|cm-1|cm\^-1|1/cm|um|\u00b5m|eV)?[\])]?)\"?\s*"
)

# The corner of a table that names what is in its rows.
LABEL_WORDS = re.compile(
    r".*\b(?:name|sample|id|label|class|type|group|spectrum|well|file|location|replicate|probe)\b.*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowTable:
    """Where the points of a table of rows stand.

    Attributes
    ----------
    delimiter, decimal
        How cells are parted and decimals marked.
    header : int
        Index of the line of axis values.
    rows : (n,) array of int
        Indices of the lines that hold a spectrum each.
    first, last : int
        The first and last column that is a point.
    cells : tuple of str
        The header's cells.
    axis : (m,) array
        Its axis values.
    unit
        What stands behind each of them, if anything does.
    plain
        Whether the header's cells are numbers and nothing else.
    """

    delimiter: str
    decimal: str
    header: int
    rows: np.ndarray
    first: int
    last: int
    cells: tuple[str, ...]
    axis: Array
    unit: str | None
    plain: bool


def find_rows(lines: Lines) -> RowTable | None:
    """Find the table of rows with the longest axis among the first lines of a text."""
    best: RowTable | None = None
    looked = np.flatnonzero(lines.has_digit[:_MOST_LINES_LOOKED_AT])
    for delimiter, decimal in _HYPOTHESES:
        counts = lines.words() - 1 if delimiter == BLANK else lines.count(ord(delimiter))
        for at in looked[counts[looked] >= LEAST_POINTS - 1][:12]:
            if best is not None and counts[at] + 1 <= len(best.axis):
                continue
            found = _table_at(lines, int(at), delimiter, decimal, counts)
            if found is not None and (best is None or len(found.axis) > len(best.axis)):
                best = found
                if len(best.axis) > _MOSTLY * len(best.cells):
                    return best
    return best


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line."""
    return line.split() if delimiter == BLANK else line.split(delimiter)


def to_number(cell: str, decimal: str) -> float | None:
    """A cell's number; NaN for a blank one, None for what is none."""
    cell = cell.strip().strip('"')
    if not cell:
        return np.nan
    if decimal == ",":
        if "." in cell:
            return None
        cell = cell.replace(",", ".")
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def axis_cells(cells: list[str], decimal: str) -> list[tuple[float, str, str] | None]:
    """For each cell its number and what stands before and behind it; None where there is no number."""
    found: list[tuple[float, str, str] | None] = []
    for cell in cells:
        match = _AXIS_CELL.fullmatch(cell)
        number = to_number(match["number"], decimal) if match is not None else None
        found.append(None if match is None or number is None else (number, match["before"], match["after"]))
    return found


def _table_at(lines: Lines, at: int, delimiter: str, decimal: str, counts: np.ndarray) -> RowTable | None:
    cells = split(lines.line(at), delimiter)
    # Numbers are dear to read: most lines of text show by their first cells that they hold no axis.
    probe = axis_cells(cells[len(cells) // 2 : len(cells) // 2 + 3], decimal)
    if not any(probe):
        return None
    parsed = axis_cells(cells, decimal)
    first, last = _longest_axis(parsed)
    points = last - first + 1
    filled = sum(1 for cell in cells if cell.strip())
    if points < LEAST_POINTS or points < _LEAST_SHARE * filled:
        return None
    numbers = [each for each in parsed[first : last + 1] if each is not None]
    axis = np.array([number for number, _, _ in numbers])
    bare = not numbers[0][1].strip() and not numbers[0][2]
    if _counts_up(axis):
        return None
    begin = _first_row(lines, at, delimiter, decimal, counts, last, first)
    if begin is None:
        return None
    rows = _rows_from(lines, begin, counts)
    return RowTable(
        delimiter=delimiter,
        decimal=decimal,
        header=at,
        rows=rows,
        first=first,
        last=last,
        cells=tuple(cell.strip().strip('"').strip() for cell in cells),
        axis=axis,
        unit=numbers[0][2].strip("[]() ") or None,
        plain=bare,
    )


def _longest_axis(parsed: list[tuple[float, str, str] | None]) -> tuple[int, int]:
    """The longest stretch of numbers that run one way and are written alike, as first and last place."""
    best = (0, -1)
    begin, direction = 0, 0
    for i in range(1, len(parsed) + 1):
        step = _step(parsed[i - 1], parsed[i] if i < len(parsed) else None)
        if step and direction in (0, step):
            direction = step
            continue
        if parsed[i - 1] is not None and i - 1 - begin > best[1] - best[0]:
            best = (begin, i - 1)
        # At a turn the point before belongs to both sides.
        begin, direction = (i - 1, step) if step else (i, 0)
    return best


def _step(before: tuple[float, str, str] | None, here: tuple[float, str, str] | None) -> int:
    """1 upwards, -1 downwards, 0 between numbers that do not belong together."""
    if before is None or here is None or here[1:] != before[1:] or here[0] == before[0]:
        return 0
    return 1 if here[0] > before[0] else -1


def _counts_up(axis: Array) -> bool:
    """Whether numbers count wells or samples: 1, 2, 3, ..."""
    return bool(axis[0] in (0.0, 1.0) and np.array_equal(np.diff(axis), np.ones(axis.size - 1)))


def _first_row(
    lines: Lines, at: int, delimiter: str, decimal: str, counts: np.ndarray, last: int, first: int
) -> int | None:
    passed = 0
    for i in range(at + 1, len(lines)):
        if lines.blank[i]:
            continue
        if counts[i] >= last:
            cells = split(lines.line(i), delimiter)
            numbers = [to_number(cell, decimal) for cell in cells[first : last + 1]]
            if None not in numbers and sum(number == number for number in numbers) >= 0.5 * len(numbers):
                return i
        passed += 1
        if passed > _MOST_LINES_BETWEEN:
            break
    return None


def _rows_from(lines: Lines, begin: int, counts: np.ndarray) -> np.ndarray:
    kept = np.flatnonzero(~lines.blank)
    kept = kept[kept >= begin]
    other = np.flatnonzero(counts[kept] != counts[begin])
    return kept[: other[0]] if other.size else kept
