"""Was the file cut off? What can be decided from the file alone, and no more.

A cut is certain where the last row lacks cells, ends in half a number, or fewer points are there than the
preamble declares. A cut within the last number shows only where the file's numbers are written alike: the
last one is then shorter than nearly all others. A cut exactly at a line's end leaves no trace unless a count
is declared.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._read._block import BLANK, Block
from batchlab.spectra._read._lines import Lines

__all__ = ["refuse_truncated"]

_HALF_A_NUMBER = re.compile(r"[+-]|[+-]?\d*[.,]?\d+[eE][+-]?|[+-]?\d+[.,]")
_DIGITS = re.compile(r"\d")
_FENCE_OPENS = re.compile(r"^>>>>>\s*Begin\b.*<<<<<", re.IGNORECASE)
# A last number shorter than this share of the others was cut; a longer one may be a rounded number.
_RARE = 0.02
_ENOUGH_TO_JUDGE = 50


def refuse_truncated(
    path: Path, lines: Lines, block: Block, preamble: tuple[str, ...], declared: int | None
) -> list[str]:
    """Raise where a file was cut off; else give what is suspicious.

    Parameters
    ----------
    path
        The file, for messages.
    lines, block, preamble
        Its lines, the table in them, and the lines above it.
    declared
        How many points the preamble says there are.

    Returns
    -------
    list of str
        Warnings.

    Raises
    ------
    DataError
        Reason ``truncated``.
    """
    rows, last = len(block.lines) + block.hidden, lines.index(int(block.lines[-1]))
    if declared is not None and rows < declared:
        raise DataError(
            f"{path}: the preamble declares {declared} points, {rows} are there: the file is cut off; copy it again",
            reason="truncated",
        )
    warnings = []
    if declared is not None and rows > declared:
        warnings.append(f"the preamble declares {declared} points, {rows} are there; all are used")
    complete = lines.text.endswith("\n")
    below = [i for i in range(last + 1, len(lines)) if not lines.blank[i]]
    if below and len(below) == 1 and _is_piece_of_row(lines.line(below[0]), lines.line(last), block):
        piece = lines.line(below[0]).strip()
        raise DataError(
            f"{path}, line {lines.number(below[0])}: the file is cut off within a row ({piece!r}); copy it again",
            reason="truncated",
        )
    if not below and not complete:
        warnings += _judge_last_row(path, lines, block)
    opened = any(_FENCE_OPENS.match(line) for line in preamble)
    if opened and not below and not complete and declared is None:
        raise DataError(f"{path}: the data fence is opened and never closed: the file is cut off", reason="truncated")
    return warnings


def _is_piece_of_row(line: str, row: str, block: Block) -> bool:
    """Whether a line is the beginning of a row: fewer cells, each a number, the last perhaps half of one."""
    cells, whole = _cells(line, block), _cells(row, block)
    if not cells or len(cells) > len(whole) or not _DIGITS.search(line):
        return False
    *first, end = cells
    number = r"[+-]?\d*[.,]?\d*(?:[eE][+-]?\d+)?"
    if not all(re.fullmatch(number, cell) for cell in first):
        return False
    return bool(_HALF_A_NUMBER.fullmatch(end) or (len(cells) < len(whole) and re.fullmatch(number, end)))


def _judge_last_row(path: Path, lines: Lines, block: Block) -> list[str]:
    """Judge whether the last number is whole where the last row has no line end."""
    at = int(block.lines[-1])
    number = lines.line(lines.index(at)).rstrip(" \t")
    others = [lines.line(lines.index(int(i))).rstrip(" \t") for i in block.lines[:-1]]
    end = _last_cell(number, block)
    problem = ""
    least = min((len(_cells(other, block)) for other in others), default=0)
    if len(_cells(number, block)) < least:
        problem = "lacks the numbers that follow it in every other row"
    elif _HALF_A_NUMBER.fullmatch(end) and not any(
        _HALF_A_NUMBER.fullmatch(_last_cell(o, block)) for o in others[-20:]
    ):
        problem = "is half a number"
    elif len(others) >= _ENOUGH_TO_JUDGE:
        lengths = np.array([_decimals(_last_cell(other, block), block.decimal) for other in others])
        if np.mean(lengths <= _decimals(end, block.decimal)) < _RARE:
            problem = "has fewer decimals than the others"
    if problem:
        raise DataError(
            f"{path}, line {at}: the last number {end!r} {problem} and the line does not end: the file is cut off; "
            "copy it again",
            reason="truncated",
        )
    return [f"line {at}, the last one, does not end; if the file was cut off, its last number may be wrong"]


def _decimals(cell: str, decimal: str) -> int:
    """Digits after the decimal mark, exponent included."""
    return len(cell) - cell.index(decimal) - 1 if decimal in cell else 0


def _last_cell(line: str, block: Block) -> str:
    cells = _cells(line, block)
    return cells[-1] if cells else ""


def _cells(line: str, block: Block) -> list[str]:
    cells = line.split() if block.delimiter == BLANK else [cell.strip() for cell in line.split(block.delimiter)]
    while cells and not cells[-1]:
        cells.pop()
    return cells
