"""A spectrum drawn with characters, for a look at it without leaving the terminal."""

from __future__ import annotations

import numpy as np

from batchlab.spectra._model import Array

__all__ = ["terminal_plot"]

_BRAILLE = 0x2800
# The bits of a braille character, by row (4) and column (2) of its dots.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def terminal_plot(x: Array, y: Array, *, width: int = 60, height: int = 6, descending: bool = False) -> list[str]:
    """Draw a curve with braille characters.

    Each column of dots shows the lowest to the highest of its points, so that no line between two of them is lost.

    Parameters
    ----------
    x, y : (n,) arrays
        Finite; in any order.
    width, height
        Size in characters; each is 2 dots wide and 4 dots high.
    descending
        Whether the axis runs down from left to right.

    Returns
    -------
    list of str
        `height` lines of the plot and one of the axis' ends; the highest and the lowest value stand at the right.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    columns, rows = 2 * width, 4 * height
    left, right = float(x[0]), float(x[-1])
    low, high = float(y.min()), float(y.max())
    at = np.zeros(x.size, dtype=int) if right == left else ((x - left) / (right - left) * (columns - 1)).astype(int)
    if descending:
        at, left, right = columns - 1 - at, right, left
    up = np.full(y.size, 0.5) if high == low else (y - low) / (high - low)
    down = np.rint((1.0 - up) * (rows - 1)).astype(int)
    dots = np.zeros((rows, columns), dtype=bool)
    top, bottom = np.full(columns, rows), np.full(columns, -1)
    np.minimum.at(top, at, down)
    np.maximum.at(bottom, at, down)
    filled = np.flatnonzero(bottom >= 0)
    for column in range(filled[0], filled[-1] + 1) if filled.size else ():
        if bottom[column] < 0:  # fewer points than columns: joined by a straight line
            before, after = filled[filled < column][-1], filled[filled > column][0]
            share = (column - before) / (after - before)
            middle = round((top[before] + bottom[before]) / 2 * (1 - share) + (top[after] + bottom[after]) / 2 * share)
            dots[middle, column] = True
        else:
            dots[top[column] : bottom[column] + 1, column] = True
    lines = [
        "".join(_character(dots[4 * r : 4 * r + 4, 2 * c : 2 * c + 2]) for c in range(width)) for r in range(height)
    ]
    lines[0] += f" {high:.4g}"
    lines[-1] += f" {low:.4g}"
    start, end = f"{left:.6g}", f"{right:.6g}"
    return [*lines, start + end.rjust(max(width - len(start), len(end) + 1))]


def _character(dots: np.ndarray) -> str:
    bits = sum(_DOTS[row][column] for row in range(4) for column in range(2) if dots[row, column])
    return chr(_BRAILLE + bits)
