"""Small versions of pictures for galleries."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import PlotError
from batchlab.figures._png import encode_png

_EVEN_BYTES = np.uint32(0x00FF00FF)
_TAPS = 3  # samples averaged along each side of a small pixel; more cost time and cannot be seen


def thumbnail(rgba: NDArray[np.uint8], width: int = 320) -> bytes:
    """A small PNG of a picture.

    Parameters
    ----------
    rgba
        (height, width, 4) array of opaque pixels.
    width
        Of the small picture, in pixels. A picture that is narrower already stays as it is.

    Raises
    ------
    PlotError
        If `width` is below 1.
    """
    return encode_png(shrink(rgba, width))


def samples(height: int, width: int, small: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of a picture that `shrink` looks at; of a picture of them alone it makes the same.

    Parameters
    ----------
    height, width
        Of the picture.
    small
        Width of the small one, less than that of the picture.
    """
    return _samples(height, max(1, round(height * small / width))), _samples(width, small)


def shrink(rgba: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """The picture at the given width: evenly spread samples of each cell, averaged."""
    if width < 1:
        raise PlotError(f"a thumbnail {width} pixels wide cannot be made; choose a width of 1 or more")
    full_height, full_width = rgba.shape[:2]
    if full_width <= width:
        return rgba
    rows, columns = samples(full_height, full_width, width)
    height = rows.size // _TAPS
    # Four bytes move as one word: picking columns of a (h, w, 4) array is several times slower.
    words = np.ascontiguousarray(rgba).view(np.uint32)[..., 0]
    cells = words.take(rows, axis=0).take(columns, axis=1).reshape(height, _TAPS, width, _TAPS)
    # Two of a pixel's bytes at a time, each in 16 bits of its word, which the sum of a cell cannot overflow.
    halves = (_averaged(cells & _EVEN_BYTES), _averaged((cells >> np.uint32(8)) & _EVEN_BYTES))
    small = halves[0] | (halves[1] << 8)
    return small.view(np.uint8).reshape(height, width, 4)


def _averaged(cells: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The rounded means of cells whose words hold two numbers each."""
    tall = cells[:, 0]
    for tap in range(1, _TAPS):
        tall = tall + cells[:, tap]
    total = tall[:, :, 0]
    for tap in range(1, _TAPS):
        total = total + tall[:, :, tap]
    parts = total.view(np.uint16)
    return ((parts + _TAPS * _TAPS // 2) // (_TAPS * _TAPS)).view(np.uint32)


@lru_cache(maxsize=16)
def _samples(full: int, small: int) -> NDArray[np.intp]:
    """Where the samples of `small` cells lie on a side of `full` pixels."""
    count = small * _TAPS
    return ((np.arange(count) + 0.5) * full / count).astype(np.intp)
