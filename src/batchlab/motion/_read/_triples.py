"""What formats with a name over every three columns share: TRC, Vicon and Qualisys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._choice import choose, unique_names
from batchlab.motion._read._raw import Asked
from batchlab.motion._read._source import Text
from batchlab.motion._read._table import read_table

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["named_columns", "positive", "read_triples"]


def named_columns(cells: Sequence[str], first: int) -> tuple[list[str], list[int]]:
    """Names of a header row, and the column of each; cells between them are empty."""
    at = [place for place in range(first, len(cells)) if cells[place]]
    return [cells[place] for place in at], at


def read_triples(
    text: Text,
    names: Sequence[str],
    at: Sequence[int],
    asked: Asked,
    *,
    offset: int,
    line: int,
    separator: str,
    before: Sequence[str],
    notes: list[str],
    end: int | None = None,
    width: int = 0,
) -> tuple[tuple[str, ...], Float, Float]:
    """Read rows of a few leading columns and three columns per marker.

    Parameters
    ----------
    text, offset, end, line, separator, notes
        As of `read_table`.
    names, at
        Of markers, and the first column of each.
    before
        Names of the leading columns; without any, a row of empty cells is a frame in which nothing was seen.
    width
        How many columns there are at least, where others follow those of markers.

    Returns
    -------
    names, (F, len(before)) array, (F, M, 3) array
        Of the wanted markers.
    """
    names = unique_names(names, notes)
    chosen = choose(names, asked.markers, text.path)
    width = max([width, len(before), *(column + 3 for column in at)])
    head = [*before, *("",) * (width - len(before))]
    for name, column in zip(names, at, strict=True):
        head[column : column + 3] = [f"{name} {axis}" for axis in "XYZ"]
    columns = [*range(len(before)), *(at[place] + axis for place in chosen for axis in range(3))]
    values = read_table(
        text,
        offset=offset,
        end=end,
        line=line,
        names=head,
        separator=separator,
        columns=columns,
        notes=notes,
        keyed=bool(before),
    )
    # A row without a number is what a spreadsheet leaves below the last.
    values = values[np.isfinite(values[:, 0])] if before else values
    if not len(values):
        raise DataError(f"{text.path}: the header is there, but no frame; export it again", reason="no-frames")
    leading = values[:, : len(before)]
    return tuple(names[place] for place in chosen), leading, values[:, len(before) :].reshape(len(values), -1, 3)


def positive(cell: str) -> float | None:
    """A number above zero; None if the cell is none."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if value > 0 and np.isfinite(value) else None
