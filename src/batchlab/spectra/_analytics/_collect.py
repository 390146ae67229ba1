"""Spectra on their way into a matrix on disk, one after the other, on the points that all of them cover."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._analytics._matrix import DiskMatrix
from batchlab.spectra._model import Array, read_only
from batchlab.spectra._words import agreed

__all__ = ["Collection"]

_FEWEST_POINTS = 3
_HALF = 0.5


class Collection:
    """Takes spectra that were brought to one axis, of which each may lack points at the ends.

    Parameters
    ----------
    path
        Of the matrix, in a scratch folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._matrix: DiskMatrix | None = None
        self._axis: Array = np.empty(0)
        self._first, self._last = 0, 0
        self._narrowest: tuple[int, str] = (0, "")
        self.names: list[str] = []

    def __enter__(self) -> Collection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._matrix is not None:
            self._matrix.close()

    def add(self, axis: Array, signal: Array, name: str) -> None:
        """Add a spectrum; the first one gives the points, to which others are interpolated where they differ.

        Raises
        ------
        DataError
            Reason ``no-overlap``: it covers fewer than three of the first one's points.
        """
        if self._matrix is None:
            self._matrix = DiskMatrix(self._path, axis.size)
            self._axis, self._last = read_only(axis), axis.size
            self._narrowest = (axis.size, name)
        low, high, row = 0, self._axis.size, signal
        if not np.array_equal(axis, self._axis):
            inside = np.flatnonzero((self._axis >= axis.min()) & (self._axis <= axis.max()))
            if inside.size < _FEWEST_POINTS:
                raise DataError(
                    f"{name} spans {axis.min():g} to {axis.max():g}, the first spectrum {self._axis.min():g} to "
                    f"{self._axis.max():g}: too little in common; look at spectra of one range at a time",
                    reason="no-overlap",
                )
            low, high = int(inside[0]), int(inside[-1]) + 1
            order = np.argsort(axis, kind="stable")
            row = np.interp(self._axis, axis[order], signal[order])
        self._matrix.append(row)
        self._first, self._last = max(self._first, low), min(self._last, high)
        self._narrowest = min(self._narrowest, (high - low, name))
        self.names.append(name)

    def finish(self) -> tuple[Array, DiskMatrix, slice, tuple[str, ...]]:
        """The axis that all share, the matrix on it, where that is in the first one's points, and what is to be told.

        Raises
        ------
        DataError
            Reason ``too-few-spectra``: none was added. ``no-overlap``: all together share fewer than three points.
        """
        if self._matrix is None:
            raise DataError("no spectrum could be read, so there is nothing to analyse", reason="too-few-spectra")
        columns = slice(self._first, self._last)
        shared, whole = max(0, self._last - self._first), self._axis.size
        if shared < _FEWEST_POINTS:
            raise DataError(
                f"all spectra together share {shared} of {whole} points; leave out those of another range, as "
                f"{self._narrowest[1]} is",
                reason="no-overlap",
            )
        told: tuple[str, ...] = ()
        if shared < _HALF * whole:
            told = (
                f"only {shared} of {whole} points {agreed(shared, 'is', 'are')} covered by all spectra; "
                f"{self._narrowest[1]} covers "
                f"{self._narrowest[0]}, and may be better left out",
            )
        self._matrix.narrow(columns)
        return read_only(self._axis[columns]), self._matrix, columns, told
