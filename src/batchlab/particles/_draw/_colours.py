"""The colours of a picture: a map of matplotlib's, and what stands apart from it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import PlotError
from batchlab.figures import TABLE_SIZE, colour_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["colours_of"]

_FILL = (0xD2, 0xD2, 0xD2)
_ZEROS = ((0, 0, 0), (0x46, 0x46, 0x46), (0x70, 0x70, 0x70), (0x96, 0x50, 0x50))
_DARKEST = 0.2  # of a colour map, that may be left out
_FAR = 40.0  # between colours that cannot be mistaken for each other, of 441


@lru_cache(maxsize=16)
def colours_of(name: str) -> NDArray[np.uint8]:
    import matplotlib as mpl

    if name not in mpl.colormaps:
        raise PlotError(f"there is no colour map {name!r}; take viridis, cividis, plasma, inferno, turbo")
    colours = mpl.colormaps[name]
    # Zero is black, so a map that begins with black begins where it no longer is.
    begins = np.linspace(0.0, _DARKEST, 41)
    far = np.linalg.norm(np.asarray(colours(begins))[:, :3] * 255, axis=1) > _FAR
    begin = float(begins[far.argmax()]) if far.any() else 0.0
    table = np.asarray(colours(np.linspace(begin, 1.0, TABLE_SIZE), bytes=True))[:, :3]
    # Should black be elsewhere in it, zero is the first that no colour of the map comes near.
    others = np.vstack((table, [_FILL, (255, 255, 255)])).astype(np.float64)
    zero = next((each for each in _ZEROS if np.linalg.norm(others - each, axis=1).min() > _FAR), _ZEROS[1])
    made = colour_table(table, grey=_FILL, dark=zero)
    made.flags.writeable = False
    return made
