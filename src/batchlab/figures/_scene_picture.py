"""A scene, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._png import encode_png
from batchlab.figures._save import save
from batchlab.figures._scene import Scene
from batchlab.figures._scene_raster import codes_of
from batchlab.figures._scene_vector import figure_of
from batchlab.figures._stage import pinned
from batchlab.figures._thumbnail import samples, thumbnail
from batchlab.figures._vector import encode_vector

__all__ = ["ScenePicture"]


class ScenePicture:
    """Draws a scene when it is asked for, and holds the picture: a byte a pixel. Equal scenes make equal bytes."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._codes: NDArray[np.uint8] | None = None

    @property
    def dpi(self) -> float:
        """Pixels per inch."""
        return self.scene.dpi

    @property
    def codes(self) -> NDArray[np.uint8]:
        """(height, width) numbers of colours, read-only; `scene.colours` tells which they are."""
        if self._codes is None:  # who wants a vector file alone need not wait for pixels
            self._codes = codes_of(self.scene)
            self._codes.flags.writeable = False
        return self._codes

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """(height, width, 4) array of the picture."""
        return self._rgba_of(self.codes)

    def png(self, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a PNG file, with its provenance: texts under names, for `read_provenance`."""
        return encode_png(self.codes, palette=self.scene.colours, dpi=self.dpi, metadata=metadata)

    def vector(self, suffix: str, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a ``.pdf`` or an ``.svg`` file: tiles are images of their pixels, words are words."""
        with pinned(exact=True):
            return encode_vector(figure_of(self.scene), suffix, metadata)

    def thumbnail(self, width: int = 320) -> bytes:
        """The picture made small, as a PNG file."""
        codes = self.codes
        if 0 < width < codes.shape[1]:
            rows, columns = samples(codes.shape[0], codes.shape[1], width)
            codes = codes.take(rows, axis=0).take(columns, axis=1)
        return thumbnail(self._rgba_of(codes), width)

    def save(self, path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
        """Write the picture to a file, in the format that its name ends in.

        Raises
        ------
        PlotError
            If it ends in none of `FORMATS`.
        """
        save(self, path, metadata)

    def _rgba_of(self, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        opaque = np.full((256, 4), 255, np.uint8)
        opaque[:, :3] = self.scene.colours
        # Four bytes move as one word.
        pixels = opaque.view(np.uint32)[:, 0].take(codes)
        return pixels.view(np.uint8).reshape(*codes.shape, 4)
