"""Ink on a page: what a sheet comes down to before a format is chosen. All lengths are points, from the lower left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from batchlab.figures._decimate import Floats
from batchlab.figures._face import Face

__all__ = ["Area", "Frame", "Ink", "Letters", "Page", "Plate", "Stamp", "Stroke"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stroke:
    """A line through points, in sight within a frame alone if it has one; a NaN lifts the pen.

    Attributes
    ----------
    dashes
        Lengths of ink and gap in turn.
    long_ends
        Whether the ends reach half a width beyond the last points, as those of a frame do.
    thins
        Whether pixels may do with fewer of its points.
    """

    x: Floats
    y: Floats
    colour: str
    width: float
    dashes: tuple[float, ...] = ()
    long_ends: bool = False
    thins: bool = False
    within: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Area:
    """A polygon, filled."""

    x: Floats
    y: Floats
    colour: str
    opacity: float = 1.0
    within: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A rectangle with round corners, filled, and edged if it has an edge's colour."""

    frame: Frame
    radius: float
    colour: str
    opacity: float
    edge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stamp:
    """One small shape at many points.

    Attributes
    ----------
    symbol
        As matplotlib calls it.
    face
        Colour inside; None leaves it open.
    """

    x: Floats
    y: Floats
    symbol: str | int
    size: float
    face: str | None
    edge: str
    edge_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """One line of black text, from the beginning of its baseline to the right, or upwards."""

    x: float
    y: float
    text: str
    size: float
    upwards: bool = False


Ink: TypeAlias = Stroke | Area | Plate | Stamp | Letters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """White paper and what is on it, the first at the bottom.

    Attributes
    ----------
    frames
        Of the plots, in their order.
    face
        Of all letters.
    """

    width: float
    height: float
    ink: tuple[Ink, ...]
    frames: tuple[Frame, ...]
    face: Face
