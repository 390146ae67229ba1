"""Plain decimal numbers in a table, all at once; to the last bit what Python's own `float` makes of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array

__all__ = ["plain_decimals"]

_DOT, _PARTING, _MINUS, _OTHER, _BLANK = 10, 11, 12, 13, 14
# A whole number below 2**53 and a power of ten up to 10**22 are exact, and one division rounds once.
_MOST_DIGITS = 15
_POWERS = 10.0 ** np.arange(_MOST_DIGITS + 1)


def plain_decimals(body: str, delimiter: str, decimal: str, cells: int) -> Array | None:
    r"""Read cells such as ``-12.50``, parted by a delimiter and line ends, with blanks around them or nothing in them.

    Parameters
    ----------
    body
        The rows, without the last line end.
    delimiter, decimal
        One character each.
    cells
        How many there are.

    Returns
    -------
    (cells,) array or None
        NaN for an empty cell. None where a cell is anything else (with an exponent, with more than 15 digits):
        read them one by one.
    """
    try:
        signs = np.frombuffer(body.encode("ascii").translate(_alphabet(delimiter, decimal)), dtype=np.uint8)
    except UnicodeEncodeError:
        return None
    if not signs.size or (signs == _OTHER).any():
        return None
    if signs.max() == _BLANK:
        trimmed = _trimmed(signs)
        if trimmed is None or not trimmed.size:
            return None
        signs = trimmed
    ends = np.append(np.flatnonzero(signs == _PARTING), signs.size)
    if ends.size != cells:
        return None
    starts = np.concatenate(([0], ends[:-1] + 1))
    filled = starts < ends
    if not filled.all():
        starts, ends = starts[filled], ends[filled]
        if not starts.size:
            return None
    negative = signs[starts] == _MINUS
    starts += negative
    if np.count_nonzero(signs == _MINUS) != np.count_nonzero(negative):
        return None
    dots = _dots(np.flatnonzero(signs == _DOT), starts, ends)
    if dots is None:
        return None
    whole = dots - starts
    after = np.maximum(ends - dots - 1, 0)
    digits = whole + after
    if digits.min() < 1 or digits.max() > _MOST_DIGITS:
        return None
    values = _whole_number(signs, dots, whole) * _POWERS[after]
    values += _whole_number(signs, ends, after)
    values /= _POWERS[after]
    np.negative(values, where=negative, out=values)
    if filled.all():
        return values
    table = np.full(cells, np.nan)
    table[filled] = values
    return table


def _trimmed(signs: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Without the blanks around cells; None where one stands within a cell."""
    blank = signs == _BLANK
    kept = np.flatnonzero(~blank)
    # A blank is within a cell where what stands before and after it belongs to one.
    gap = np.flatnonzero(np.diff(kept) > 1)
    before, after = signs[kept[gap]], signs[kept[gap + 1]]
    return None if ((before != _PARTING) & (after != _PARTING)).any() else signs[kept]


def _alphabet(delimiter: str, decimal: str) -> bytes:
    table = bytearray([_OTHER] * 256)
    table[ord("0") : ord("9") + 1] = range(10)
    table[ord("-")] = _MINUS
    table[ord(" ")] = _BLANK
    table[ord(decimal)] = _DOT
    table[ord(delimiter)] = table[ord("\n")] = _PARTING
    return bytes(table)


def _dots(found: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Where each cell's decimal mark stands, its end for a cell without; None where a cell has two."""
    if found.size == starts.size and (found >= starts).all() and (found < ends).all():
        return found
    owners = np.searchsorted(ends, found)
    if (owners[1:] == owners[:-1]).any():
        return None
    dots = ends.copy()
    dots[owners] = found
    return dots


def _whole_number(signs: NDArray[np.uint8], ends: NDArray[np.intp], digits: NDArray[np.intp]) -> Array:
    """The numbers of so many digits that end before these places."""
    total = np.zeros(ends.size)
    fewest = int(digits.min())
    for k in range(int(digits.max())):
        digit = signs[np.maximum(ends - k - 1, 0)] * _POWERS[k]
        total += digit if k < fewest else np.where(digits > k, digit, 0.0)
    return total
