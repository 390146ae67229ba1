"""Rows of numbers, read with care: what a crash, an editor or a second run left in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchlab.devices._read._note import Note

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["read_rows"]


def read_rows(
    block: bytes, names: Sequence[str], line: int, *, separator: str = ",", whole: bool = False
) -> tuple[Array, list[Note]]:
    """Read the rows below the column names.

    Parameters
    ----------
    block
        Everything below them, as `clean` returns it.
    names
        The columns as written; a line that repeats them is no row.
    line
        Number of the first line of the block, for notes.
    separator
        Between cells.
    whole
        Whether a last line without line end is complete, as in files of editors. Instruments write the line
        end with the row: without one, the last cell may be half a number and is not believed.

    Returns
    -------
    values, notes
        (rows, columns) numbers; missing and bad cells are NaN. What was amiss, each kind once.
    """
    import numpy as np

    width = len(names)
    head = [name.lower() for name in names]
    rows: list[list[float]] = []
    seen: Counter[str] = Counter()
    first: dict[str, int] = {}

    def note(kind: str, number: int) -> None:
        seen[kind] += 1
        first.setdefault(kind, number)

    if b"\0" in block:
        # Zeros are what a file system puts where a crash kept the data from the disk.
        note("lost-bytes", line + block[: block.index(b"\0")].count(b"\n"))
        block = block.replace(b"\0", b"")
    text = block.decode("latin-1")
    ended = text.endswith("\n") or whole or not text
    lines = text.split("\n")
    for number, row in enumerate(lines, line):
        if not row or row.isspace():
            continue
        if row.startswith("#"):
            note("comments", number)
            continue
        cells = row.split(separator)
        if [cell.strip(' \t"').lower() for cell in cells] == head:
            note("repeated-header", number)
            continue
        if not ended and number == line + len(lines) - 1:
            note("cut-last-row", number)
            cells.pop()
            if not cells:
                continue
        elif len(cells) != width:
            note("ragged-rows", number)
        values = []
        for cell in cells[:width]:
            value = _number(cell)
            if value is None:
                note("bad-cells", number)
                value = float("nan")
            values.append(value)
        values.extend([float("nan")] * (width - len(values)))
        rows.append(values)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), width)
    return table, [Note(kind, count=seen[kind], line=first[kind]) for kind in sorted(seen)]


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        inner = cell.strip(' \t"')
        return _number(inner) if inner != cell else None
    # Python reads 1_000 as a number; no instrument writes it.
    return None if "_" in cell else value
