"""The nouns: what all pictures of one kind have in common, settled before the first of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchlab.errors import PlotError
from batchlab.figures._palette import Role

Curve: TypeAlias = tuple[ArrayLike, ArrayLike]
"""x and y of one curve, (n,) each; a NaN or an infinity is a gap."""

_MAX_PIXELS_A_SIDE = 32_767  # the rasteriser's coordinates end there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A curve that every picture of a kind shows, such as the reference.

    Parameters
    ----------
    x, y
        (n,) arrays in the panel's units; kept as read-only copies. A NaN is a gap.
    label
        Its name in the legend; without one it has no entry there.
    role
        What it is; decides its look.
    colour, width_pt
        In place of the role's: ``#rrggbb``, and points.

    Raises
    ------
    PlotError
        If x and y do not match, or hold fewer than two finite points.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    label: str = ""
    role: Role = Role.REFERENCE
    colour: str | None = None
    width_pt: float | None = None

    def __post_init__(self) -> None:
        x, y = checked_curve((self.x, self.y), f"static curve {self.label!r}")
        keep(self, x=x, y=y)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """A filled band between two curves, such as a tolerance, or a mean with its spread.

    Parameters
    ----------
    x, low, high
        (n,) arrays in the panel's units; kept as read-only copies. A NaN is a gap.
    label
        Its name in the legend.
    role
        What it is; decides its colour.
    colour
        In place of the role's, ``#rrggbb``.
    opacity
        0 to 1; a band of 1 hides what lies below.

    Raises
    ------
    PlotError
        If the arrays do not match, or hold fewer than two finite points.
    """

    x: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    label: str = ""
    role: Role = Role.LIMIT
    colour: str | None = None
    opacity: float = 0.2

    def __post_init__(self) -> None:
        x, low = checked_curve((self.x, self.low), f"lower end of band {self.label!r}")
        _, high = checked_curve((x, self.high), f"upper end of band {self.label!r}")
        keep(self, x=x, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for a curve, or for marks such as peaks, that each picture brings."""

    label: str
    role: Role = Role.SAMPLE
    labelled: bool = False  # the x of each mark stands beside it; those given first win where there is no room


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """One pair of axes; panels stand below each other on a common x axis."""

    y_label: str  # with its unit: "Absorbance (a.u.)"
    y_limits: tuple[float, float]  # bottom, top
    slots: tuple[Slot, ...] = (Slot(label="sample"),)
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    height: float = 1.0  # relative to the other panels
    legend: bool = False
    zero_line: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FigureKind:
    """Everything that the pictures of one kind share. Equal kinds make equal pictures of equal curves.

    Parameters
    ----------
    panels
        From top to bottom.
    x_label
        Below the lowest panel, with its unit. Labels are plain text: a ``$`` is a dollar sign.
    x_limits
        Left and right end; left may be the larger (wavenumbers run down).
    size_in
        Width and height in inches.
    dpi
        Pixels per inch.
    title
        Whether room is kept for a title.

    Raises
    ------
    PlotError
        If limits are not finite or do not span anything, a panel shows nothing, or the size cannot be drawn.
    """

    panels: tuple[Panel, ...]
    x_label: str
    x_limits: tuple[float, float]
    size_in: tuple[float, float] = (10.0, 6.0)
    dpi: float = 300.0
    title: bool = True
    key: str = field(init=False, repr=False, default="")  # digest of all the above, the static curves included

    def __post_init__(self) -> None:
        if not self.panels:
            raise PlotError("a figure needs at least one panel; give panels=(Panel(...),)")
        check_limits(self.x_limits, "x")
        for panel in self.panels:
            check_limits(panel.y_limits, f"y of panel {panel.y_label!r}")
            if not panel.slots and not panel.lines:
                raise PlotError(f"panel {panel.y_label!r} shows nothing; give it a slot or a line")
            if not (math.isfinite(panel.height) and panel.height > 0):
                raise PlotError(f"panel {panel.y_label!r}: height {panel.height!r} must be positive")
        check_size(self.size_in, self.dpi)
        object.__setattr__(self, "key", _digest(self))

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return round(self.size_in[0] * self.dpi), round(self.size_in[1] * self.dpi)

    def with_y_limits(self, *limits: tuple[float, float]) -> FigureKind:
        """The same kind with other y limits, one pair per panel.

        Its pictures need a canvas of their own, so limits per picture cost a whole drawing each.
        """
        if len(limits) != len(self.panels):
            raise PlotError(f"{len(self.panels)} panels need as many pairs of y limits, not {len(limits)}")
        panels = tuple(replace(panel, y_limits=pair) for panel, pair in zip(self.panels, limits, strict=True))
        return replace(self, panels=panels)

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, FigureKind) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


def check_limits(limits: tuple[float, float], what: str) -> None:
    """Refuse limits that no axis can show."""
    if len(limits) != 2 or not all(math.isfinite(end) for end in limits):
        raise PlotError(f"limits of {what} are {limits!r}; give two finite numbers")
    largest, span = max(map(abs, limits)), abs(limits[1] - limits[0])
    if largest > 1e150 or span <= 1e-150 or span < 1e-10 * largest:
        raise PlotError(f"limits of {what} are {limits!r}; the ends must lie clearly apart, within 1e150")


def check_size(size_in: tuple[float, float], dpi: float) -> None:
    """Refuse a size that no picture can have."""
    sides = (*size_in, dpi)
    if len(sides) != 3 or not all(math.isfinite(side) and side > 0 for side in sides):
        raise PlotError(f"size {size_in!r} in at {dpi!r} dpi must be two lengths and a density above 0")
    pixels = [round(side * dpi) for side in size_in]
    if min(pixels) < 1 or max(pixels) > _MAX_PIXELS_A_SIDE:
        raise PlotError(
            f"{pixels[0]} x {pixels[1]} pixels cannot be drawn; "
            f"choose a size and dpi that give 1 to {_MAX_PIXELS_A_SIDE} on a side"
        )


def checked_curve(curve: Curve, where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve as two flat float arrays.

    Raises
    ------
    PlotError
        If they are no numbers, differ in length, or hold fewer than two finite points.
    """
    x, y = checked_points(curve, where)
    finite = int(np.count_nonzero(np.isfinite(x) & np.isfinite(y)))
    if finite < 2:
        raise PlotError(f"{where}: {finite} of {x.size} points are finite; a line needs two of them")
    return x, y


def checked_points(points: Curve, where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points as two flat float arrays; there may be none, and any may be no finite number."""
    try:
        x, y = (_plain(values) for values in points)
    except (TypeError, ValueError) as error:
        raise PlotError(f"{where}: give x and y as arrays of numbers ({error})") from error
    if x.ndim != 1 or x.shape != y.shape:
        raise PlotError(f"{where}: x has shape {x.shape} and y {y.shape}; give two flat arrays of one length")
    return x, y


def keep(noun: object, **arrays: NDArray[Any]) -> None:
    """Give a frozen noun copies of its arrays that nobody can write to."""
    for name, values in arrays.items():
        own = values.copy()
        own.flags.writeable = False
        object.__setattr__(noun, name, own)


def _plain(values: ArrayLike) -> NDArray[np.float64]:
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    return np.asarray(values, dtype=np.float64)


def _digest(kind: FigureKind) -> str:
    """One digest over every field, told apart by type and length so that no two kinds share it."""
    digest = blake2b(digest_size=16)

    def feed(value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(f"array {value.shape};".encode())
            digest.update(value.tobytes())
        elif isinstance(value, (Line, Band, Panel, FigureKind, Slot)):
            digest.update(f"{type(value).__name__};".encode())
            for each in fields(value):
                if each.name != "key":
                    feed(getattr(value, each.name))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            digest.update(f"tuple {len(value)};".encode())
            for member in value:
                feed(member)
        else:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            text = repr(float(value)) if number else repr(value)
            digest.update(f"{len(text)} {text};".encode(errors="backslashreplace"))

    feed(kind)
    return digest.hexdigest()
