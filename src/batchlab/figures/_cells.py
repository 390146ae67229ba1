"""Cells with edges of their own, brought to the pixels of an axis: exactly, without losing any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Places", "place_cells"]

Whole: TypeAlias = NDArray[np.intp]
Single: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Which cells a pixel shows.

    Attributes
    ----------
    pixels, cells
        (k,) pairs, by pixel and then by cell.
    count
        Pixels along the axis.
    """

    pixels: Whole
    cells: Whole
    count: int

    def chosen(self, among: NDArray[np.bool_]) -> Places:
        """The pairs whose cells are among these."""
        keep = among[self.cells]
        return Places(pixels=self.pixels[keep], cells=self.cells[keep], count=self.count)

    def means(self, values: Single) -> tuple[Whole, Single]:
        """What pixels show of values.

        Parameters
        ----------
        values
            (n, m) with a row for each cell; NaN is not known.

        Returns
        -------
        pixels : (p,) array
            Those that show any cell, ascending.
        means : (p, m) array
            Over their cells of known values; NaN where none is known.
        """
        if not self.pixels.size:
            return self.pixels, np.empty((0, values.shape[1]), np.float32)
        first = np.flatnonzero(np.diff(self.pixels, prepend=-1))
        shown = values[self.cells]
        if first.size == self.pixels.size:
            return self.pixels, shown
        known = np.isfinite(shown)
        total = np.add.reduceat(np.where(known, shown, np.float32(0)), first, axis=0, dtype=np.float64)
        number = np.add.reduceat(known, first, axis=0, dtype=np.int64)
        with np.errstate(invalid="ignore"):
            means = np.where(number > 0, total / number, np.nan)
        return self.pixels[first], means.astype(np.float32)


def place_cells(starts: NDArray[np.float64], ends: NDArray[np.float64], count: int) -> Places:
    """Find the cells that each pixel of an axis shows.

    A pixel shows the cell in which its middle lies, and besides it the cells which lie wholly between the middles of
    pixels and have theirs in it: so what is wide is shown within its true edges, and nothing is too narrow to be seen.

    Parameters
    ----------
    starts, ends
        (n,) edges of the cells along the axis, in pixels from its beginning; starts ascend. Cells may overlap, where
        the later counts, and leave gaps.
    count
        Pixels along the axis; pixel p reaches from p to p + 1.

    Returns
    -------
    Places
        A pixel without a cell is not in it.
    """
    if not starts.size:
        nothing = np.empty(0, np.intp)
        return Places(pixels=nothing, cells=nothing, count=count)
    middles = np.arange(count) + 0.5
    last = np.searchsorted(starts, middles, side="right") - 1
    here = np.maximum(last, 0)
    # A long cell may reach beyond shorter ones that began after it.
    longest = np.maximum.accumulate(np.where(ends == np.maximum.accumulate(ends), np.arange(ends.size), 0))
    here = np.where(ends[here] > middles, here, longest[here])
    within = (last >= 0) & (ends[here] > middles)
    pixels, cells = np.flatnonzero(within), here[within]
    hidden = np.ones(starts.size, dtype=bool)
    hidden[cells] = False
    # Half a sum, not a sum halved: an edge of a logarithmic axis may be at minus infinity.
    centres = 0.5 * starts + 0.5 * ends
    hidden &= (centres >= 0) & (centres < count) & (ends > starts)
    # What covers a middle, but was covered there by a later cell, is hidden on purpose.
    hidden &= np.ceil(starts - 0.5) + 0.5 >= ends
    rest = np.flatnonzero(hidden)
    if rest.size:
        pixels = np.concatenate((pixels, np.floor(centres[rest]).astype(np.intp)))
        cells = np.concatenate((cells, rest))
        order = np.lexsort((cells, pixels))
        pixels, cells = pixels[order], cells[order]
    return Places(pixels=pixels, cells=cells, count=count)
