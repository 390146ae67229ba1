"""What of many spectra goes into a picture: in which order, which of them, and at how many points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._analytics import Matrix
from batchlab.spectra._many import similarity_of_many
from batchlab.spectra._model import Array
from batchlab.spectra._signal import Gap, pieces

__all__ = ["Points", "chosen", "least_alike_first", "natural_order", "sorted_by"]

_BLOCK_ROWS = 64
_DIGITS = re.compile(r"(\d+)")

Order = NDArray[np.intp]


def natural_order(names: Sequence[str]) -> Order:
    """The names' numbers, from 0, sorted as a reader does: ``leaf 2`` comes before ``leaf 10``."""

    def key(at: int) -> tuple[list[tuple[int, int | str]], str]:
        # With its parentheses `split` gives texts and digits in turn; the texts come after numbers.
        parts = filter(None, _DIGITS.split(names[at].casefold()))
        return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts], names[at]

    return np.array(sorted(range(len(names)), key=key), dtype=np.intp)


def sorted_by(values: Sequence[float | str | None]) -> Order:
    """Numbers, from 0, of values sorted: numbers as such, texts naturally, what is not known last."""
    known = [at for at, value in enumerate(values) if value is not None]
    unknown = [at for at, value in enumerate(values) if value is None]
    if all(isinstance(values[at], int | float) for at in known):
        order = sorted(known, key=lambda at: (values[at], at))
    else:
        order = [known[at] for at in natural_order([str(values[at]) for at in known])]
    return np.array([*order, *unknown], dtype=np.intp)


def least_alike_first(matrix: Matrix, middle: Array | None = None) -> Order:
    """Numbers, from 0, of spectra by their correlation with one, the lowest first; what has none comes before.

    Parameters
    ----------
    matrix : (m, n)
        The spectra; read in blocks.
    middle : (n,) array
        By default the mean of all.
    """
    if middle is None:
        count, points = matrix.shape
        total = np.zeros(points)
        for start in range(0, count, _BLOCK_ROWS):
            total += np.asarray(matrix[start : start + _BLOCK_ROWS], dtype=np.float64).sum(axis=0)
        middle = total / count
    in_blocks: Any = matrix
    r = similarity_of_many(middle, in_blocks).pearson_r
    return np.argsort(np.where(np.isnan(r), -2.0, r), kind="stable").astype(np.intp)


def chosen(order: Order, most: int) -> Order:
    """At most so many of an order, evenly, the first and the last among them."""
    if order.size <= most:
        return order
    return order[np.unique(np.linspace(0, order.size - 1, most).round().astype(np.intp))]


class Points:
    """The points at which spectra are shown: fewer than measured where those are too many, none across a gap.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone.
    gaps
        Ranges that were taken out, as pairs of low and high, ascending.
    most
        About how many points are shown at most.
    mean
        What is shown for neighbouring points that become one: their mean; else for twice as many the lowest and the
        highest in their order, so that no band loses its height.
    """

    def __init__(self, axis: Array, gaps: tuple[Gap, ...] = (), *, most: int, mean: bool) -> None:
        self._mean = mean
        together = 1 if axis.size <= most else -(-axis.size // max(1, most if mean else most // 2))
        self._parts = [(part, np.arange(0, part.stop - part.start, together)) for part in pieces(axis, gaps)]
        self._together = together
        self._step = float(np.median(np.diff(axis)))
        shown: list[Array] = []
        for part, starts in self._parts:
            if shown:
                shown.append(self._across(shown[-1][-1], axis[part.start]))
            shown.append(self._places(axis[part], starts))
        self.axis: Array = np.concatenate(shown)
        self.thinned = together > 1

    def of(self, signal: Array) -> Array:
        """A spectrum at these points, (n,) to (k,): NaN in gaps."""
        shown: list[Array] = []
        for part, starts in self._parts:
            if shown:
                shown.append(np.full(2, np.nan))
            shown.append(self._values(signal[part], starts))
        return np.concatenate(shown)

    def rows(self, matrix: Matrix, rows: Order) -> Array:
        """Some spectra of a matrix at these points, (m, k), read one after the other."""
        found = np.empty((rows.size, self.axis.size))
        for at, row in enumerate(rows.tolist()):
            found[at] = self.of(np.asarray(matrix[row : row + 1], dtype=np.float64)[0])
        return found

    def _places(self, axis: Array, starts: Order) -> Array:
        if self._together == 1:
            return axis
        sizes = np.diff(np.append(starts, axis.size))
        if self._mean:
            return np.asarray(np.add.reduceat(axis, starts) / sizes)
        return np.asarray(axis[self._both(starts, axis.size)])

    def _values(self, signal: Array, starts: Order) -> Array:
        if self._together == 1:
            return signal
        sizes = np.diff(np.append(starts, signal.size))
        if self._mean:
            return np.asarray(np.add.reduceat(signal, starts) / sizes)
        low, high = np.minimum.reduceat(signal, starts), np.maximum.reduceat(signal, starts)
        ends = starts + sizes - 1
        rises = signal[ends] >= signal[starts]
        both = np.column_stack((np.where(rises, low, high), np.where(rises, high, low))).ravel()
        return np.asarray(both[: self._both(starts, signal.size).size])

    def _both(self, starts: Order, size: int) -> Order:
        """Index of the two points that stand for each bin; a last bin of one point has but one."""
        seconds = np.minimum(starts + self._together // 2, size - 1)
        both = np.column_stack((starts, seconds)).ravel()
        return both[:-1] if both[-1] == both[-2] else both

    def _across(self, last: float, following: float) -> Array:
        """Two points in a gap, a step from either end, or nearer where it is narrow."""
        step = min(abs(self._step), abs(following - last) / 3)
        way = 1.0 if following > last else -1.0
        return np.array([last + way * step, following - way * step])
