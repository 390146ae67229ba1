"""Building a kind's figure: axes, labels, legends and margins, settled once.

Whatever knows matplotlib imports it late: who draws no picture must not pay the second that takes. Every setting
that could change a pixel is pinned, so a user's matplotlibrc changes none; pyplot and its global state stay out
of it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from batchlab.errors import PlotError
from batchlab.figures._artists import add_legend, cut, fill, label_marks, line_look
from batchlab.figures._cut import Drawn, tell_cut
from batchlab.figures._decimate import Floats, decimate
from batchlab.figures._palette import PALETTE
from batchlab.figures._rows import draw_within
from batchlab.figures._text import MAX_LABEL, fit_text, plain_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    from batchlab.figures._kind import FigureKind, Panel

Title: TypeAlias = str | Sequence[str]
"""A text; or names, and what stands between them."""

_WIDEST_LEGEND = 0.8  # of the figure's width, for a legend in one row
_SMALLEST_LABEL_PT = 6.0
FEWEST_BINS = 3_000  # of a long line: coarse pictures can afford several a pixel, and look better for it
EXACT_BINS = 5_000  # of a line in a vector format: up to 40,000 points, every one is there
_MOST_EDGE_PIXELS = 4_000_000  # of a line drawn in one piece; 16 bytes each
_PADDING_IN = 0.09  # around panels
_OURS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#404040",
    "axes.formatter.limits": (-4, 5),
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "figure.titlesize": 12.0,
    "font.family": ["DejaVu Sans"],
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "legend.fontsize": 9.5,
    "lines.dash_capstyle": "butt",
    "lines.solid_capstyle": "butt",
    "lines.solid_joinstyle": "bevel",
    # Hinting moves outlines by a part of a pixel, for a third of the time a title takes.
    "text.hinting": "none",
    "text.parse_math": False,
    "xtick.color": "#404040",
    "ytick.color": "#404040",
    "xtick.labelcolor": "#000000",
    "ytick.labelcolor": "#000000",
    "pdf.fonttype": 42,  # whole fonts: journals refuse the other kind
    "svg.fonttype": "path",
    "svg.hashsalt": "batchlab",
    # matplotlib's own way of drawing long lines in pieces leaves a segment out between them; see `pieces`.
    "agg.path.chunksize": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A figure whose margins are settled, and the artists that each picture changes."""

    figure: Figure
    canvas: Any  # a FigureCanvasAgg, which has no types
    axes: tuple[Axes, ...]
    fixed: tuple[tuple[Line2D, ...], ...]  # per panel, per static line
    curves: tuple[tuple[Line2D, ...], ...]  # per panel, per slot
    title: Text | None
    title_width_px: float  # room for a title
    title_rows: int  # pixels from the top, that a title may fill


@contextmanager
def pinned(*, exact: bool = False) -> Iterator[None]:
    """Our settings within, the user's again after; and no warning about letters that a font lacks.

    With `exact` no point of a line is left out, as a vector format wants it.
    """
    import matplotlib as mpl

    theirs: Any = mpl.rcParams
    ours = _settings()
    # Set and restored without matplotlib's checks, which take longer than drawing a curve; ours were checked once.
    before = {name: value for name, value in dict.items(theirs) if name != "backend"}
    try:
        dict.update(theirs, ours)
        if exact:
            theirs._set("path.simplify", False)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
            warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support")
            yield
    finally:
        dict.update(theirs, before)


@cache
def _settings() -> dict[str, Any]:
    """Every setting but the backend, as matplotlib itself checked and stored it."""
    import matplotlib as mpl

    theirs: Any = mpl.rcParams
    plain: Any = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"}
    with mpl.rc_context(plain | _OURS):
        return {name: theirs._get(name) for name in theirs if name != "backend"}


def new_figure(size_in: tuple[float, float], dpi: float) -> Figure:
    """An empty figure of exactly so many pixels, on an Agg canvas, whose margins are still to be settled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # A hair more than whole pixels: the renderer truncates, and 3000 must not come out as 2999.
    width, height = ((round(side * dpi) + 1e-3) / dpi for side in size_in)
    figure = Figure(
        figsize=(width, height), dpi=dpi, layout=ConstrainedLayoutEngine(w_pad=_PADDING_IN, h_pad=_PADDING_IN / 2)
    )
    FigureCanvasAgg(figure)
    return figure


def build(kind: FigureKind) -> Stage:
    """Draw up the figure of a kind. Call it, like all drawing, within `pinned`."""
    figure = new_figure(kind.size_in, kind.dpi)
    grid = figure.subplots(
        len(kind.panels), 1, sharex=True, squeeze=False, height_ratios=[panel.height for panel in kind.panels]
    )
    every_axes: tuple[Axes, ...] = tuple(grid[:, 0])
    lines = [_fill(axes, panel, kind) for axes, panel in zip(every_axes, kind.panels, strict=True)]
    every_axes[-1].set_xlabel(shortened(plain_text(kind.x_label), MAX_LABEL))
    title = figure.suptitle("Ág") if kind.title else None
    figure.align_ylabels()
    settle(figure, every_axes)
    room, rows = 0.0, 0
    if title is not None:
        box = every_axes[0].get_position()
        centre = (box.x0 + box.x1) / 2
        title.set_x(centre)
        extent = title.get_window_extent()
        lowest = extent.y0 - extent.height / 2  # other letters may hang lower than these
        rows = kind.pixels[1] - max(0, math.floor(lowest))
        title.set_text("")
        room = 2 * kind.pixels[0] * min(centre, 1 - centre) * 0.98
    return Stage(
        figure=figure,
        canvas=figure.canvas,
        axes=every_axes,
        fixed=tuple(tuple(both[: len(panel.lines)]) for both, panel in zip(lines, kind.panels, strict=True)),
        curves=tuple(tuple(both[len(panel.lines) :]) for both, panel in zip(lines, kind.panels, strict=True)),
        title=title,
        title_width_px=room,
        title_rows=rows,
    )


def draw_background(stage: Stage, kind: FigureKind) -> None:
    """Draw what all pictures share."""
    # Animated artists are left out: those lie over curves, or are curves.
    for artist in _left_out(stage):
        artist.set_animated(True)
    stage.canvas.draw()
    for axes, artists, panel in zip(stage.axes, stage.fixed, kind.panels, strict=True):
        for artist, line in zip(artists, panel.lines, strict=True):
            stroke(stage, axes, artist, line.x, line.y)


@contextmanager
def whole(stage: Stage, curves: list[list[tuple[Floats, Floats]]], kind: FigureKind, title: Title) -> Iterator[Figure]:
    """The figure with all on it and no point left out, for a vector format; afterwards the stage is as it was."""
    added = []
    for axes, fixed, slots, panel, given in zip(
        stage.axes, stage.fixed, stage.curves, kind.panels, curves, strict=True
    ):
        for artist, points in zip((*fixed, *slots), (*((one.x, one.y) for one in panel.lines), *given), strict=True):
            artist.set_data(*(points if _is_marked(artist) else _seen(axes, *points, EXACT_BINS)))
        for slot, points in zip(panel.slots, given, strict=True):
            added += label_marks(axes, *points) if slot.labelled else []
        added += tell_cut(axes, shown_on(panel, given))
    if stage.title is not None:
        fit_title(stage, title)
    for artist in _left_out(stage):
        artist.set_animated(False)
    try:
        yield stage.figure
    finally:
        for artist in _left_out(stage):
            artist.set_animated(True)
        for text in added:
            text.remove()


def shown_on(panel: Panel, given: Sequence[tuple[Floats, Floats]]) -> list[Drawn]:
    """The curves of a panel, without its marks."""
    fixed = [Drawn(line.label, line.colour or PALETTE[line.role].colour, line.x, line.y) for line in panel.lines]
    brought = [
        Drawn(slot.label, PALETTE[slot.role].colour, *points)
        for slot, points in zip(panel.slots, given, strict=True)
        if not PALETTE[slot.role].marked
    ]
    return fixed + brought


def _left_out(stage: Stage) -> list[Any]:
    """What lies over the background: lines, the spines over them, the title."""
    artists: list[Any] = [] if stage.title is None else [stage.title]
    for axes, fixed, curves in zip(stage.axes, stage.fixed, stage.curves, strict=True):
        artists += [*fixed, *curves, *shown_spines(axes)]
    return artists


def shown_spines(axes: Axes) -> list[Any]:
    """The spines in sight; they lie over the curves, so each picture draws them again."""
    return [spine for spine in axes.spines.values() if spine.get_visible()]


def stroke(stage: Stage, axes: Axes, artist: Line2D, x: Floats, y: Floats) -> None:
    """Draw a curve, thinned to what can be seen of it."""
    renderer = stage.canvas.get_renderer()
    if _is_marked(artist):
        artist.set_data(x, y)
        artist.draw(renderer)
        return
    x, y = _seen(axes, x, y, max(FEWEST_BINS, round(axes.bbox.width)))
    for piece in pieces(*sides_of(axes, x, y)):
        artist.set_data(x[piece], y[piece])
        artist.draw(renderer)


class Side(NamedTuple):
    """Coordinates of a line along one side of its axes, the limits of that, and its length in pixels."""

    values: Floats
    limits: tuple[float, float]
    pixels: float


def sides_of(axes: Axes, x: Floats, y: Floats) -> tuple[Side, Side]:
    """A line on axes."""
    return Side(x, axes.get_xlim(), axes.bbox.width), Side(y, axes.get_ylim(), axes.bbox.height)


def pieces(*sides: Side) -> list[slice]:
    """A line in pieces that share a point, each short enough for the rasteriser; mostly a single one.

    It fails at the edge pixels it cannot hold, having taken 2 GB for them, and leaves them to the next line.
    """
    size = sides[0].values.size
    edge_pixels = np.zeros(size - 1)
    for values, limits, side_px in sides:
        seen = np.clip(values, min(limits), max(limits))
        steps = np.abs(np.diff(seen)) * (2 * side_px / abs(limits[1] - limits[0]))
        steps[np.isnan(steps)] = 0.0
        edge_pixels += steps
    so_far = np.cumsum(edge_pixels)
    if so_far[-1] < _MOST_EDGE_PIXELS:
        return [slice(0, size)]
    number = (so_far // _MOST_EDGE_PIXELS).astype(np.intp)
    starts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist()]
    return [slice(start, end + 1) for start, end in pairwise([*starts, size - 1])]


def draw_title(stage: Stage, title: Title) -> None:
    """Draw the title, its middle left out where it is wider than its room."""
    draw_within(fit_title(stage, title), [slice(0, stage.title_rows)], stage.canvas.get_renderer())


def fit_title(stage: Stage, title: Title) -> Text:
    """The title's text as it fits."""
    if stage.title is None:
        raise PlotError("this kind of figure keeps no room for a title; make it with title=True")
    fit_text(stage.title, title, stage.title_width_px, stage.canvas.get_renderer())
    return stage.title


def _seen(axes: Axes, x: Floats, y: Floats, bins: int) -> tuple[Floats, Floats]:
    """The points of a curve as they go to whatever draws them."""
    x, y = decimate(x, y, limits=axes.get_xlim(), bins=bins)
    # Far out of sight a line is cut, or its coordinates overflow and it vanishes as a gap would.
    return cut(x, axes.get_xlim()), cut(y, axes.get_ylim())


def _is_marked(artist: Line2D) -> bool:
    return artist.get_linestyle() == "None"


def _fill(axes: Axes, panel: Panel, kind: FigureKind) -> list[Line2D]:
    """Put onto the axes what a panel shows; its lines, static ones first, are still empty."""
    axes.set_ylabel(shortened(plain_text(panel.y_label), MAX_LABEL))
    axes.set_xlim(*kind.x_limits)
    axes.set_ylim(*panel.y_limits)
    if panel.zero_line:
        axes.axhline(0.0, color="#808080", linewidth=0.8)
    bands = [(fill(axes, band), band.label) for band in panel.bands]
    lines = [axes.plot([], [], **line_look(line.role, line.colour, line.width_pt))[0] for line in panel.lines]
    lines += [axes.plot([], [], **line_look(slot.role))[0] for slot in panel.slots]
    axes.set_autoscale_on(False)
    if panel.legend:
        labels = [line.label for line in panel.lines] + [slot.label for slot in panel.slots]
        add_legend(axes, [*zip(lines, labels, strict=True), *bands], _WIDEST_LEGEND * kind.pixels[0])
    return lines


def settle(figure: Figure, every_axes: tuple[Axes, ...]) -> None:
    """Learn the margins from the labels, then fix them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        try:
            figure.draw_without_rendering()
            changed = [axes for axes in every_axes if _fit_label(axes)]
            if changed:
                figure.draw_without_rendering()
        except UserWarning as error:
            width, height = figure.get_size_inches()
            raise PlotError(
                f"{width:.3g} x {height:.3g} in is too small for the labels of this figure; "
                "make it larger or the labels shorter"
            ) from error
    figure.set_layout_engine("none")


def _fit_label(axes: Axes) -> bool:
    """Break a y label that is longer than its panel is high, then shrink it; True if it changed."""
    label, room = axes.yaxis.label, axes.bbox.height * 1.06
    if label.get_window_extent().height <= room:
        return False
    text = label.get_text()
    blanks = [at for at, sign in enumerate(text) if sign == " "]
    if blanks:
        at = min(blanks, key=lambda at: abs(at - len(text) / 2))
        label.set_text(f"{text[:at]}\n{text[at + 1 :]}")
    height = label.get_window_extent().height
    if height > room:
        label.set_fontsize(max(_SMALLEST_LABEL_PT, float(label.get_fontsize()) * room / height))
    return True
