"""A drawn picture in any format, and in a file of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._formats import RASTER, check_format
from batchlab.figures._raster import encode_jpeg, encode_webp


class Drawn(Protocol):
    """What can be written in every format: a canvas, or a picture."""

    @property
    def rgba(self) -> NDArray[np.uint8]: ...

    @property
    def dpi(self) -> float: ...

    def png(self, metadata: Mapping[str, str] | None = None) -> bytes: ...

    def vector(self, suffix: str, metadata: Mapping[str, str] | None = None) -> bytes: ...


def encode(drawn: Drawn, name: str | Path, metadata: Mapping[str, str] | None = None) -> bytes:
    """A picture as a file of the format that a name ends in.

    Parameters
    ----------
    drawn
        The picture.
    name
        A file's name; only its ending counts.
    metadata
        Provenance: any texts under any names; `read_provenance` gives it back.

    Raises
    ------
    PlotError
        If pictures are not written so, or not as large.
    """
    suffix = check_format(name)
    if suffix == ".png":
        return drawn.png(metadata)
    if suffix in RASTER:
        write = encode_webp if suffix == ".webp" else encode_jpeg
        return write(drawn.rgba, dpi=drawn.dpi, metadata=metadata)
    return drawn.vector(suffix, metadata)


def save(drawn: Drawn, path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a picture to a file, in the format that its name ends in; see `encode`."""
    data = encode(drawn, path, metadata)
    with open(path, "wb") as file:
        file.write(data)
