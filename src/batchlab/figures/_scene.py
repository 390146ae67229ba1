"""A picture out of few kinds of parts, in few colours: tiles of pixels, boxes, wedges and words.

Where every part is laid on whole pixels beforehand, a picture takes no more than copying them together, and a byte
a pixel. The same parts make vector files, with words as words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import PlotError

__all__ = ["TABLE", "TABLE_SIZE", "Box", "Ink", "Part", "Scene", "Tile", "Wedge", "Words", "colour_table"]

Codes: TypeAlias = NDArray[np.uint8]
LEVELS = 15  # of smoothed letters, from paper to ink
TABLE = 40  # the first colour of a scene's own table
TABLE_SIZE = 256 - TABLE


class Ink(IntEnum):
    """Colours that every scene has, as numbers in its table."""

    WHITE = 0
    BLACK = LEVELS
    RED = 2 * LEVELS
    GREY = 2 * LEVELS + 1
    DARK = 2 * LEVELS + 2


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Pixels: (h, w) numbers of colours, the first row on top; `left` and `top` in pixels of the picture."""

    left: int
    top: int
    codes: Codes


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, in pixels; `right` and `bottom` are the first that do not belong to it."""

    left: int
    top: int
    right: int
    bottom: int
    code: int = Ink.BLACK


@dataclass(frozen=True, slots=True)
class Wedge:
    """A filled triangle on a level base from `left` to `right`, its tip above or below the middle of it."""

    left: int
    right: int
    base: int
    tip: int
    code: int


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text.

    Attributes
    ----------
    x, y
        In pixels: where its baseline is, and what `align` says lies at `x`; at `y`, where it runs upwards.
    align
        ``left``, ``center`` or ``right``: where on the text that point is.
    ink
        `Ink.BLACK` or `Ink.RED`.
    upwards
        Whether it is turned by a quarter, to be read from below.
    """

    x: int
    y: int
    text: str
    size_pt: float
    align: str = "left"
    ink: Ink = Ink.BLACK
    upwards: bool = False
    bold: bool = False


Part: TypeAlias = Tile | Box | Wedge | Words


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """All parts of a picture, later ones over earlier ones.

    Attributes
    ----------
    width, height
        In pixels.
    dpi
        Pixels per inch, by which the size of words goes.
    colours
        (256, 3) table, from `colour_table`.
    parts
        In order; words lie on white.
    """

    width: int
    height: int
    dpi: float
    colours: NDArray[np.uint8]
    parts: Sequence[Part]


def colour_table(
    table: NDArray[np.uint8], *, grey: tuple[int, int, int], dark: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """The colours of a scene.

    Parameters
    ----------
    table
        (TABLE_SIZE, 3) colours of its own, which begin at `TABLE`.
    grey, dark
        What `Ink.GREY` and `Ink.DARK` are in it.

    Raises
    ------
    PlotError
        If the table is of another size.
    """
    if table.shape != (TABLE_SIZE, 3):
        raise PlotError(f"a table of {table.shape} colours; give ({TABLE_SIZE}, 3)")
    colours = np.full((256, 3), 255, np.uint8)
    shares = np.arange(1, LEVELS + 1)[:, None] / LEVELS
    for ink, colour in ((Ink.BLACK, (0x1A, 0x1A, 0x1A)), (Ink.RED, (0xD6, 0x1A, 0x1A))):
        colours[ink - LEVELS + 1 : ink + 1] = np.rint(255 + shares * (np.array(colour) - 255))
    colours[Ink.GREY], colours[Ink.DARK] = grey, dark
    colours[TABLE:] = table
    return colours
