"""Many numbers as text, quickly: one format for all rows, an empty cell for what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["cell", "rows"]

_AT_ONCE = 20_000


def rows(values: Float, decimals: Sequence[int], first: str = "", last: Sequence[str] | None = None) -> Iterator[str]:
    """Rows of a table as text, some thousands of numbers at once.

    Parameters
    ----------
    values
        (N, C); NaN is an empty cell.
    decimals
        Of each column.
    first
        A cell that every row begins with, ready to be written; nothing if empty.
    last
        Words that rows end with, one each.
    """
    if not len(values):
        return
    rounded = np.empty_like(values)
    for places in sorted(set(decimals)):
        columns = [number for number, own in enumerate(decimals) if own == places]
        # Adding zero makes of minus zero a zero.
        rounded[:, columns] = np.round(values[:, columns], places) + 0.0
    lead = first.replace("%", "%%") + "," if first else ""
    form = lead + ",".join(f"%.{places}f" for places in decimals)
    step = max(1, _AT_ONCE // len(decimals))
    for start in range(0, len(values), step):
        part = rounded[start : start + step]
        if last is None:
            text = (f"{form}\n" * len(part)) % tuple(part.ravel().tolist())
        else:
            text = "".join(f"{form},{word}\n" for word in last[start : start + step]) % tuple(part.ravel().tolist())
        yield _without_nan(text) if np.isnan(part).any() else text


def _without_nan(text: str) -> str:
    return text.replace(",nan", ",").replace("\nnan,", "\n,")


def cell(text: str) -> str:
    """A name as a cell."""
    if any(letter in text for letter in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
