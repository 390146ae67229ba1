"""A sheet, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchlab.figures import ScenePicture, encode, save
from batchlab.particles._draw._compose import compose, write_facts
from batchlab.particles._draw._model import SpectrogramSheet
from batchlab.particles._draw._panel import pixels_along

__all__ = ["FACTS", "DrawnSpectrograms", "draw"]

FACTS = "picture"
"""Under which name a picture's facts are in its provenance."""


class DrawnSpectrograms:
    """A drawn sheet, in whatever format; equal sheets make equal bytes.

    Attributes
    ----------
    facts
        What is true of the picture, as JSON can hold it: limits that were used by row, columns of time, marks. It
        is in the provenance of every file, under the name ``picture``.
    """

    def __init__(self, sheet: SpectrogramSheet, width_px: int | None, height_px: int | None) -> None:
        self._composed = compose(sheet, width_px, height_px)
        self._picture = ScenePicture(self._composed.scene)
        self.sheet = sheet
        self.facts: dict[str, Any] = self._composed.facts

    @property
    def dpi(self) -> float:
        """Pixels per inch."""
        return self._picture.dpi

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._composed.scene.width, self._composed.scene.height

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """(height, width, 4) array of the picture."""
        return self._picture.rgba

    def png(self, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a PNG file, with its provenance: texts under names, for `read_provenance`."""
        return self._picture.png(self._told(metadata))

    def vector(self, suffix: str, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a ``.pdf`` or an ``.svg`` file: panels are images of their pixels, words are words."""
        return self._picture.vector(suffix, self._told(metadata))

    def encode(self, name: str | Path, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a file of the format that a name ends in; PlotError if there is none such."""
        return encode(self._picture, name, self._told(metadata))

    def _repr_html_(self) -> str:
        """The picture, as a notebook shows it."""
        from batchlab.particles._notebook import image_of

        return image_of(self.thumbnail(1200), 1000)

    def thumbnail(self, width: int = 320) -> bytes:
        """The picture made small, as a PNG file."""
        return self._picture.thumbnail(width)

    def save(self, path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
        """Write the picture to a file, in the format that its name ends in; PlotError if there is none such."""
        save(self, path, self._told(metadata))

    def pixel_at(self, row: int, column: int, time_s: float, y: float) -> tuple[float, float]:
        """Row and column of pixels, from the upper left, at which a panel shows a time and an energy (or angle)."""
        panel = self._composed.panels[row][column]
        across = pixels_along(np.array([time_s]), panel.span, panel.area.width, log=False)
        up = pixels_along(np.array([y]), panel.y, panel.area.height, log=panel.log_y)
        return panel.area.bottom - float(up[0]), panel.area.left + float(across[0])

    def panel_at(self, row: int, column: int) -> tuple[slice, slice]:
        """The rows and columns of pixels that a panel fills."""
        area = self._composed.panels[row][column].area
        return slice(area.top, area.bottom), slice(area.left, area.right)

    def _told(self, metadata: Mapping[str, str] | None) -> dict[str, str]:
        return {FACTS: write_facts(self.facts), **(metadata or {})}


def draw(sheet: SpectrogramSheet, *, width_px: int | None = None, height_px: int | None = None) -> DrawnSpectrograms:
    """Draw spectrograms.

    Parameters
    ----------
    sheet
        All that is shown.
    width_px, height_px
        Of the picture; None is 1200 for each column and 300 for each row: 2400 x 1200 for four rows with a zoom. A
        larger picture has larger letters, not more of them.

    Raises
    ------
    PlotError
        If the picture is too small, no record is there to show, or there is no such colour map.
    """
    return DrawnSpectrograms(sheet, width_px, height_px)
