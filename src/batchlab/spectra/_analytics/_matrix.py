"""Spectra as the rows of a matrix, in memory or on disk, read in blocks so that memory does not grow with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchlab.errors import DataError
from batchlab.spectra._model import Array

__all__ = ["DiskMatrix", "Matrix", "as_matrix", "blocks", "rows_of"]

_BLOCK_BYTES = 8_000_000


class Matrix(Protocol):
    """What the methods need of a matrix: its shape, and some of its rows as an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of spectra, number of points."""
        ...

    def __getitem__(self, rows: slice | NDArray[np.intp], /) -> NDArray[np.floating]:
        """The rows asked for, (m, points)."""
        ...


class DiskMatrix:
    """A matrix that grows by a row at a time and lies in a file of plain floats.

    Rows are read into memory of their own rather than mapped: pages of a mapped file would count as the
    process's memory, and so against its limit.

    Parameters
    ----------
    path
        The file; made anew, and removed when the matrix is closed.
    points
        Number of columns.
    dtype
        ``float64``, or ``float32`` for half the disk at 7 digits.
    """

    def __init__(self, path: str | os.PathLike[str], points: int, dtype: str = "float64") -> None:
        self.path = Path(path)
        self._dtype = np.dtype(dtype)
        self._points = points
        self._columns = slice(0, points)
        self._rows = 0
        self._file = self.path.open("w+b")

    def __enter__(self) -> DiskMatrix:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of spectra, number of points in use."""
        return self._rows, len(range(*self._columns.indices(self._points)))

    def append(self, row: ArrayLike) -> None:
        """Add a spectrum, (points,)."""
        values = np.asarray(row, dtype=self._dtype)
        if values.shape != (self._points,):
            raise DataError(
                f"a spectrum of {values.size} points cannot join a matrix of {self._points}; bring it to its axis",
                reason="not-a-spectrum",
            )
        self._file.seek(0, os.SEEK_END)
        self._file.write(values.tobytes())
        self._rows += 1

    def narrow(self, columns: slice) -> None:
        """From now on show these columns alone, counted from the whole row's start."""
        self._columns = columns

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> NDArray[np.floating]:
        """The rows asked for, (m, points), in memory."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(self._rows)
            if step == 1:
                return self._read(start, max(0, stop - start))
            rows = np.arange(start, stop, step)
        picked = [self._read(int(row), 1) for row in rows]
        return np.concatenate(picked) if picked else self._read(0, 0)

    def _read(self, start: int, count: int) -> NDArray[np.floating]:
        self._file.seek(start * self._points * self._dtype.itemsize)
        data = self._file.read(count * self._points * self._dtype.itemsize)
        return np.frombuffer(data, dtype=self._dtype).reshape(count, self._points)[:, self._columns]


def as_matrix(spectra: ArrayLike | Matrix) -> Matrix:
    """Check that this is a matrix of finite numbers, one spectrum a row.

    Raises
    ------
    DataError
        Reason ``not-a-spectrum``: it has another shape, or holds what is no finite number.
    """
    matrix: Matrix = spectra if isinstance(spectra, DiskMatrix) else np.asarray(spectra, dtype=np.float64)
    if len(matrix.shape) != 2 or matrix.shape[1] < 2:
        raise DataError(
            f"expected a row of two or more points for each spectrum, got an array of shape {matrix.shape}",
            reason="not-a-spectrum",
        )
    for start, block in blocks(matrix):
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise DataError(
                f"spectrum {row} (from 0) holds values that are not finite numbers; leave it or those points out",
                reason="not-a-spectrum",
            )
    return matrix


def blocks(matrix: Matrix) -> Iterator[tuple[int, Array]]:
    """All rows in blocks of a few MB: the number of the first row, and the rows, (m, points)."""
    count, points = matrix.shape
    step = max(1, _BLOCK_BYTES // (8 * points))
    for start in range(0, count, step):
        yield start, np.asarray(matrix[start : min(start + step, count)], dtype=np.float64)


def rows_of(matrix: Matrix, rows: NDArray[np.intp]) -> Array:
    """Some rows, (m, points)."""
    return np.asarray(matrix[rows], dtype=np.float64)
