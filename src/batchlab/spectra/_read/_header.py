"""What stands above the numbers: column names, their units, and the preamble's keys and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from batchlab.spectra._read._block import BLANK, Block
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._vocabulary import Role, is_unit, meaning

__all__ = ["Header", "metadata_of", "read_header"]

_COMMENT = re.compile(r"^\s*(?:#+|//|!|%(?=\s))\s*(?=\S)")
_KEY_VALUE = re.compile(r"^\s*(?P<key>[^:=;\t,]{1,60}?)\s*(?:[:=;\t]|,\s*)\s*(?P<value>.*?)[\s;,]*$")
# The first colon of "Fri 13:48:37" parts no key from its value.
_SPLIT_TIME = re.compile(r"^(?:[^:=;\t,]*[\sT])?\d{1,2}:\d\d:\d\d(?!\d)")
_LETTER = re.compile(r"[^\W\d_]")
_MOST_PREAMBLE_LINES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The words above the table.

    Attributes
    ----------
    names : tuple of str
        One name for each column; empty where the file names none.
    units : tuple of str or None
        One unit for each column from a row of units; empty where there is none.
    preamble : tuple of str
        The other lines above the table, as written, blank ones too.
    metadata : mapping
        Keys and values of those lines.
    lines : tuple of int
        The numbers of the lines that hold the names, counted from 1.
    unit_line : int or None
        The number of the row of units.
    """

    names: tuple[str, ...] = ()
    units: tuple[str | None, ...] = ()
    preamble: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    unit_line: int | None = None


def read_header(lines: Lines, block: Block) -> Header:
    """Read the lines above a table.

    Parameters
    ----------
    lines
        The lines of the text.
    block
        The table in it.
    """
    first = lines.index(int(block.lines[0]))
    top = max(0, first - _MOST_PREAMBLE_LINES)
    above = [lines.line(i) for i in range(top, first)]
    columns = block.values.shape[1]
    names: tuple[str, ...] = ()
    units: tuple[str | None, ...] = ()
    rest = len(above)
    unit_line: int | None = None
    at = _last_words(above, rest)
    if at is not None:
        cells = _header_cells(above[at], block.delimiter, columns)
        if cells and all(is_unit(cell) for cell in cells if cell):
            above_units = _last_words(above, at)
            named = _header_cells(above[above_units], block.delimiter, columns) if above_units is not None else None
            if named and above_units is not None:
                names, rest = named, above_units
                units = tuple(cell.strip("[]() ") or None for cell in cells)
                unit_line = lines.number(top + at)
            else:
                names, rest = cells, at
        elif cells and not _is_key(cells, above, at, block.delimiter):
            names, rest = cells, at
    preamble = tuple(above[:rest])
    return Header(
        names=names,
        units=units,
        preamble=preamble,
        metadata=metadata_of(preamble),
        lines=(lines.number(top + rest),) if names else (),
        unit_line=unit_line,
    )


def _last_words(above: list[str], end: int) -> int | None:
    """The nearest line before `end` that is not blank."""
    for i in range(end - 1, -1, -1):
        if above[i].strip(" \t;,"):
            return i
    return None


def _header_cells(line: str, delimiter: str, columns: int) -> tuple[str, ...] | None:
    """The cells of a line that names so many columns; None where it does not."""
    if len(line) > 100 * columns + 200:
        return None
    line = _COMMENT.sub("", line.replace("\x00", " "))
    for cells in _splits(line, delimiter):
        cells = [cell.strip().strip('"').strip() for cell in cells]
        if len(cells) > columns:
            full = [cell for cell in cells if cell]
            cells = full if len(full) == columns else cells[:columns] if not any(cells[columns:]) else cells
        if len(cells) == columns and _are_names(cells):
            return tuple(_COMMENT.sub("", cell) for cell in cells)
    return None


def _splits(line: str, delimiter: str) -> list[list[str]]:
    splits = [line.split(delimiter)] if delimiter != BLANK else []
    splits += [line.split("\t"), re.split(r"\s{2,}", line.strip()), re.split(r"\s+(?![\[(])", line.strip())]
    if delimiter in ("\t", BLANK):
        splits += [line.split(","), line.split(";")]
    return splits


def _are_names(cells: list[str]) -> bool:
    worded = [bool(_LETTER.search(cell)) or "%" in cell for cell in cells]
    # A wide table may be headed by bare numbers (minutes, temperatures): the axis is still a word.
    return all(worded) if len(cells) == 2 else worded[0] or all(worded[1:])


def _is_key(cells: tuple[str, ...], above: list[str], at: int, delimiter: str) -> bool:
    """Whether the last line above the table is a key with its value, like those before it."""
    if cells[0].endswith(("=", ":")):
        return True
    if not _is_one_of_many(above, at, delimiter, len(cells)):
        return False
    said = [meaning(cell).role is not Role.UNKNOWN for cell in cells]
    # Of two words that stand alike in many lines, a header's first one says something itself.
    return not (said[0] or (len(cells) > 2 and any(said)))


def _is_one_of_many(above: list[str], at: int, delimiter: str, columns: int) -> bool:
    """Whether a line looks like the preamble's other lines, such as ``key<TAB>value`` over two columns."""
    if delimiter == BLANK:
        return at > 0
    return any(line.count(delimiter) == columns - 1 for line in above[:at])


def metadata_of(preamble: tuple[str, ...]) -> dict[str, str]:
    """Keys and values of the lines of a preamble; of a key said twice, the first."""
    found: dict[str, str] = {}
    for line in preamble:
        match = _KEY_VALUE.match(_COMMENT.sub("", line.replace("\x00", "")))
        if match and match["value"] and _LETTER.search(match["key"]) and not _SPLIT_TIME.search(line):
            found.setdefault(match["key"].strip().strip('"'), match["value"].strip().strip('"'))
    return found
