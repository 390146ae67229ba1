"""Where the names of curves stand, and how letters look, when a sheet says so itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from batchlab.errors import PlotError
from batchlab.figures._text import MAX_LABEL, plain_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from batchlab.figures._kind import Line
    from batchlab.figures._sheet import Points

__all__ = ["PLACES", "PLAIN", "Legend", "Lettering", "lettered", "put_legend", "set_margins"]

PLACES = ("right", "best", "upper left", "upper right", "lower left", "lower right", "above")
"""Beside the axes; in the corner that hides least; in a corner; above the axes."""

_SIZE_PT = 9.0
_SMALLEST_PT = 5.0
_LINE = 1.55  # from one name to the next, in sizes
_GAP_IN = 0.08
LEGEND_EDGE = "#B0B0B0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """The names of what a plot shows.

    Parameters
    ----------
    title
        Above them.
    place
        One of `PLACES`.
    scale
        Of its letters, relative to the sheet's.
    opacity
        Of its ground, 0 to 1, where it lies on the axes.

    Raises
    ------
    PlotError
        If there is no such place, or scale or opacity are none.
    """

    title: str = ""
    place: str = "right"
    scale: float = 1.0
    opacity: float = 0.85

    def __post_init__(self) -> None:
        if self.place not in PLACES:
            raise PlotError(f"legend at {self.place!r}: give one of {', '.join(PLACES)}")
        if not 0.2 <= self.scale <= 5 or not 0 <= self.opacity <= 1:
            raise PlotError(f"legend: scale {self.scale!r} must be 0.2 to 5, opacity {self.opacity!r} 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """How all letters of a sheet look.

    Parameters
    ----------
    family
        Name of a font; None for the one that comes with matplotlib, so that pictures are the same everywhere.
    weight
        ``normal``, ``bold`` or whatever the font has.
    scale
        Of all sizes.
    """

    family: str | None = None
    weight: str = "normal"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.3 <= self.scale <= 5:
            raise PlotError(f"letters of scale {self.scale!r} cannot be read; give 0.3 to 5")


PLAIN = Lettering()


@contextmanager
def lettered(lettering: Lettering) -> Iterator[None]:
    """Letters that look so, within; call it within `pinned`.

    Raises
    ------
    PlotError
        If there is no such font on this machine.
    """
    if lettering == PLAIN:
        yield
        return
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties, findfont

    families = ["DejaVu Sans"]
    if lettering.family is not None:
        try:
            findfont(FontProperties(family=[lettering.family]), fallback_to_default=False)
        except ValueError as error:
            raise PlotError(
                f"no font is called {lettering.family!r} on this machine; leave it out, or give another"
            ) from error
        families = [lettering.family, "DejaVu Sans"]
    ours: Any = {
        "font.family": families,
        "font.weight": lettering.weight,
        "axes.labelweight": lettering.weight,
        "axes.titleweight": lettering.weight,
        "figure.titleweight": lettering.weight,
        "figure.titlesize": 12.0 * lettering.scale,
    }
    with mpl.rc_context(ours):
        yield


def put_legend(
    axes: Axes,
    named: Sequence[tuple[Any, str]],
    legend: Legend,
    curves: Sequence[Line | Points],
    *,
    scale: float,
    room_in: float,
) -> Any:
    """Put a legend onto axes, its letters as small as its height asks for; None where nothing has a name.

    Parameters
    ----------
    named
        What is shown, and its name; what has none is left out. The lines of a name stand below each other, each cut
        where it is too long.
    curves
        What it should hide least of.
    scale
        Of letters.
    room_in
        Height that it may take.
    """
    shown = [(artist, legend_text(label)) for artist, label in named if label]
    if not shown:
        return None
    beside, above = legend.place == "right", legend.place == "above"
    size, columns = size_and_columns(legend, [label for _, label in shown], scale=scale, room_in=room_in)
    corner = {"right": "upper left", "above": "lower left"}.get(legend.place, legend.place)
    look: dict[str, Any] = {
        "loc": emptiest_corner(axes.get_xlim(), axes.get_ylim(), curves, len(shown)) if corner == "best" else corner,
        "bbox_to_anchor": (1.0, 1.0) if beside else (0.0, 1.0) if above else None,
        "ncols": columns,
        "columnspacing": 1.0,
        "title": plain_text(legend.title) or None,
        "fontsize": size,
        "title_fontsize": size,
        "frameon": not (beside or above),
        "framealpha": legend.opacity,
        # Without an edge, a mark beside its name reads as a point of the data among points.
        "edgecolor": LEGEND_EDGE if any(_is_point(artist) for artist, _ in shown) else "none",
        "borderaxespad": 0.5 if beside else 0.0 if above else 0.4,
        "borderpad": 0.3,
        "handlelength": 1.6,
        "handletextpad": 0.6,
        "labelspacing": 0.35,
    }
    made: Any = axes.legend([artist for artist, _ in shown], [label for _, label in shown], **look)
    made.set_alignment("left")
    for handle in made.legend_handles:
        if hasattr(handle, "set_markeredgewidth"):
            handle.set_linewidth(max(1.4, handle.get_linewidth()))
    return made


def size_and_columns(legend: Legend, labels: Sequence[str], *, scale: float, room_in: float) -> tuple[float, int]:
    """Size of the letters in points, and in how many columns names stand; parameters are those of `put_legend`."""
    above = legend.place == "above"
    more = sum(label.count("\n") for label in labels)
    size = _SIZE_PT * legend.scale * scale
    most = max(1, int(room_in * 72 / (_SMALLEST_PT * _LINE) - 2))  # in a column
    columns = min(len(labels), 6) if above else -(-len(labels) // most)
    if not above:
        rows = -(-(len(labels) + more) // columns) + (2 if legend.title else 1)
        size = max(_SMALLEST_PT, min(size, room_in * 72 / (rows * _LINE)))
    return size, columns


def _is_point(artist: Any) -> bool:
    return hasattr(artist, "get_marker") and artist.get_marker() not in (None, "", "None", "none")


def legend_text(label: str) -> str:
    """A name as it stands in a legend."""
    return "\n".join(shortened(plain_text(line), MAX_LABEL) for line in label.split("\n"))


def set_margins(
    figure: Figure,
    legends: Sequence[tuple[Any, Legend]],
    margins_in: tuple[float, float, float, float],
    *,
    gaps_in: tuple[float, float] | None = None,
    grid: tuple[int, int] = (1, 1),
) -> None:
    """Give a figure fixed margins, and what its legends beside or above the axes need besides.

    Parameters
    ----------
    margins_in
        Left, right, top and bottom, in inches.
    gaps_in
        Between columns and between rows; None leaves matplotlib's shares.
    grid
        Columns and rows.

    Raises
    ------
    PlotError
        If too little is left for the axes.
    """
    width, height = figure.get_size_inches()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [(made.get_window_extent(renderer), legend.place) for made, legend in legends]
    room = margins_with(
        (width, height),
        margins_in,
        [(box.width / figure.dpi, box.height / figure.dpi, place) for box, place in boxes],
        gaps_in or (0.0, 0.0),
        grid,
    )
    shares = {}
    if gaps_in is not None:  # matplotlib takes them in mean sizes of axes
        shares = {"wspace": gaps_in[0] * grid[0] / room.wide, "hspace": gaps_in[1] * grid[1] / room.high}
    figure.subplots_adjust(
        left=room.left / width,
        right=1 - room.right / width,
        top=1 - room.top / height,
        bottom=room.bottom / height,
        **shares,
    )


class Margins(NamedTuple):
    """What a figure keeps free, and how much is left for all axes, in inches."""

    left: float
    right: float
    top: float
    bottom: float
    wide: float
    high: float


def margins_with(
    size_in: tuple[float, float],
    margins_in: tuple[float, float, float, float],
    legends: Sequence[tuple[float, float, str]],
    gaps_in: tuple[float, float],
    grid: tuple[int, int],
) -> Margins:
    """The margins of `set_margins`; legends are told by their width, height and place."""
    left, right, top, bottom = margins_in
    for width, height, place in legends:
        if place == "right":
            right = max(right, width + 2 * _GAP_IN)
        elif place == "above":
            top = max(top, margins_in[2] + height)
    gaps = [gap * (n - 1) for gap, n in zip(gaps_in, grid, strict=True)]
    wide, high = size_in[0] - left - right - gaps[0], size_in[1] - top - bottom - gaps[1]
    if wide < 0.25 * size_in[0] or high < 0.25 * size_in[1]:
        raise PlotError(
            f"{size_in[0]:.3g} x {size_in[1]:.3g} in is too small for the labels of this figure; "
            "make it larger, the labels shorter, or put the legend elsewhere"
        )
    return Margins(left, right, top, bottom, wide, high)


def emptiest_corner(
    x_limits: tuple[float, float], y_limits: tuple[float, float], curves: Sequence[Line | Points], count: int
) -> str:
    """The corner through which the smallest part of the curves goes."""
    (left, right), (bottom, top) = x_limits, y_limits
    wide, high = 0.36, min(0.8, 0.09 * (count + 1))
    corners = {"upper right": (True, True), "upper left": (False, True), "lower right": (True, False)}
    corners["lower left"] = (False, False)
    hidden = dict.fromkeys(corners, 0.0)
    for curve in curves:
        across, up = (curve.x - left) / (right - left), (curve.y - bottom) / (top - bottom)
        for name, (far, above) in corners.items():
            inside = (across > 1 - wide if far else across < wide) & (up > 1 - high if above else up < high)
            hidden[name] += float(inside.mean())
    return min(corners, key=lambda name: hidden[name])
