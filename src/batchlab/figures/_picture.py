"""A sheet, drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._compose import Composed, compose, exact
from batchlab.figures._ink_pdf import print_page
from batchlab.figures._ink_raster import paint
from batchlab.figures._legend import lettered
from batchlab.figures._plain import plain_page
from batchlab.figures._png import encode_png
from batchlab.figures._save import save
from batchlab.figures._sheet import Mesh, Sheet
from batchlab.figures._stage import pinned
from batchlab.figures._thumbnail import thumbnail
from batchlab.figures._vector import encode_vector


class Picture:
    """Draws a sheet, and holds the picture: 4 bytes a pixel. Equal sheets make equal bytes.

    Parameters
    ----------
    sheet
        All that is shown.

    Raises
    ------
    PlotError
        If the sheet is too small for its labels.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._rgba: NDArray[np.uint8] | None = None
        with self._pinned():
            self._page = plain_page(sheet)
        if self._page is None:
            self._composed  # noqa: B018  # whoever wants a picture learns now what cannot be drawn

    @cached_property
    def _composed(self) -> Composed:
        """The sheet as matplotlib's objects, for what is not plain, and for SVG."""
        with self._pinned():
            return compose(self.sheet)

    @property
    def dpi(self) -> float:
        """Pixels per inch."""
        return self.sheet.dpi

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """(height, width, 4) read-only view of the picture."""
        if self._rgba is None:  # who wants a vector file alone need not wait for pixels
            pixels = self._drawn(self.sheet.pixels[0])
            pixels.flags.writeable = False
            self._rgba = pixels
        return self._rgba

    def png(self, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a PNG file, with its provenance: texts under names, for `read_provenance`."""
        return encode_png(self.rgba, dpi=self.dpi, metadata=metadata)

    def vector(self, suffix: str, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a ``.pdf`` or an ``.svg`` file.

        Lines keep all their points, up to 300,000 on a sheet; more are thinned to what can be seen. Meshes are
        images in it, and so are lines that are still too many.
        """
        if self._page is not None and suffix == ".pdf":
            with pinned():
                return print_page(self._page, metadata)
        with self._pinned(exact=True), exact(self._composed) as figure:
            return encode_vector(figure, suffix, metadata)

    def thumbnail(self, width: int = 320) -> bytes:
        """The picture made small, as a PNG file."""
        pixels = self.sheet.pixels[0]
        meshes = any(isinstance(mark, Mesh) for plot in self.sheet.plots for mark in plot.marks)
        if self._rgba is None and 1 <= width < pixels and not meshes:  # which want their cells averaged
            # A vector file needs no large picture to be shrunk.
            return encode_png(self._drawn(width))
        return thumbnail(self.rgba, width)

    def save(self, path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
        """Write the picture to a file, in the format that its name ends in.

        Raises
        ------
        PlotError
            If it ends in none of `FORMATS`.
        """
        save(self, path, metadata)

    def pixel_at(self, plot: int, x: float, y: float) -> tuple[float, float]:
        """Row and column, from the upper left, at which a plot shows a point of its data."""
        with self._pinned():
            axes = self._composed.axes[plot]
        column, up = axes.transData.transform((x, y))
        return self.sheet.pixels[1] - float(up), float(column)

    def _drawn(self, width: int) -> NDArray[np.uint8]:
        """The picture with so many pixels across."""
        dpi = self.dpi * width / self.sheet.pixels[0]
        with self._pinned():
            if self._page is not None:
                return paint(self._page, dpi)
            figure = self._composed.figure
            canvas, before = figure.canvas, figure.dpi
            try:
                figure.set_dpi(dpi)
                canvas.draw()
                return np.array(canvas.buffer_rgba())  # type: ignore[attr-defined]
            finally:
                figure.set_dpi(before)

    @contextmanager
    def _pinned(self, *, exact: bool = False) -> Iterator[None]:
        with pinned(exact=exact), lettered(self.sheet.lettering):
            yield
