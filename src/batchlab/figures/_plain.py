"""A plain sheet as ink: lines, bands and points on linear axes, where matplotlib puts them and what belongs to them.

Most of the time of a small figure goes into hundreds of objects that are made, asked and forgotten. What most pictures
show needs none of them: its place follows from margins, limits and the font. What is not plain is left to `compose`;
both look the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from batchlab.figures._decimate import Floats
from batchlab.figures._face import Face, face_of
from batchlab.figures._ink import Area, Frame, Ink, Letters, Page, Stamp, Stroke
from batchlab.figures._kind import Band, Line
from batchlab.figures._legend import Legend, legend_text, margins_with
from batchlab.figures._palette import PALETTE
from batchlab.figures._plain_legend import Key, Sample, key_of
from batchlab.figures._sheet import Mark, Mesh, Plot, Points, Rule, Sheet
from batchlab.figures._sizes import TITLE_SHARE, TITLE_TOP_IN, Sizes, legend_room_in, plot_title, sizes_of, x_wording
from batchlab.figures._text import fitted, label_text, plain_text

__all__ = ["plain_page"]

_NUMBER_GAP, _LABEL_GAP = 3.5, 4.0
_TICK_WIDTH, _SPINE_WIDTH, _GRID_WIDTH = 0.8, 0.8, 0.7
_AXIS, _GRID = "#404040", "#e4e4e4"
_TITLE_PT = 12.0
_LEFT, _DOWN = 0, 3  # ticks, as matplotlib numbers them
_MOST_NUMBERS = 9
_STEPS = (1, 2, 2.5, 5, 10)
_NUMBER_SIGNS = "0123456789.e\N{MINUS SIGN}"
_GAP_SHARE = 0.2  # between plots, of one, where no gap is given
_MOST_POINTS = 40_000  # of a line; longer ones are thinned
_FAR_PT = 1e5  # beyond it a line is cut, or its coordinates overflow


def plain_page(sheet: Sheet) -> Page | None:
    """The sheet as ink; None if it is not plain. Call it within `pinned` and `lettered`.

    Raises
    ------
    PlotError
        If the sheet is too small for its labels.
    """
    face = face_of(sheet.lettering)
    if face is None or not _is_plain_sheet(sheet) or not all(map(face.has, _texts(sheet))):
        return None
    sizes = sizes_of(sheet)
    looks = [[_look(mark) for mark in plot.marks] for plot in sheet.plots]
    keys = [
        key_of(plot, look, face, scale=sizes.scale, room_in=legend_room_in(plot, sheet))
        for plot, look in zip(sheet.plots, looks, strict=True)
    ]
    frames = _frames(sheet, keys)
    axes = [_axes(plot, sheet, frame, sizes, face) for plot, frame in zip(sheet.plots, frames, strict=True)]
    ink: list[Ink] = []
    for at, (plot, frame, below) in enumerate(zip(sheet.plots, frames, axes, strict=True)):
        if below is None:
            return None
        marks = [_placed(*each, plot, frame) for each in zip(looks[at], plot.marks, strict=True)]
        if not all(map(_is_near, marks)):
            return None
        left = min(other.left for other in axes[at % sheet.columns :: sheet.columns] if other is not None)
        ink += [*below.ink, *_y_label(plot, left, frame, sizes, face), *marks, *_spines(frame)]
        ink += _title(plot, sheet, frame, sizes, face)
        key = keys[at]
        ink += key.ink(frame, plot) if key is not None else []
    width, height = (72.0 * side for side in sheet.size_in)
    if sheet.title:
        size = _TITLE_PT * sheet.lettering.scale
        text = fitted((sheet.title,), lambda tried: face.block(tried, size).width <= TITLE_SHARE * width)
        block = face.block(text, size)
        y = height - 72 * TITLE_TOP_IN - block.ascent
        ink.append(Letters(x=(width - block.width) / 2, y=y, text=text, size=size))
    return Page(width=width, height=height, ink=tuple(ink), frames=tuple(frames), face=face)


def _is_plain_sheet(sheet: Sheet) -> bool:
    return sheet.margins_in is not None and not (sheet.x_label or sheet.y_label) and all(map(_is_plain, sheet.plots))


def _is_plain(plot: Plot) -> bool:
    if plot.x_log or plot.y_log or plot.x_names or plot.y_names or plot.legend is True:
        return False
    return all(map(_is_plain_mark, plot.marks)) and not (plot.tells_cut and any(_leaves(plot, m) for m in plot.marks))


def _is_plain_mark(mark: Mark) -> bool:
    match mark:
        case Mesh():
            return False
        case Points(names=names):
            return not any(names)
        case Line(role=role, x=x):
            return not PALETTE[role].marked and x.size <= _MOST_POINTS
        case Band(x=x, low=low, high=high):
            return bool(np.isfinite(x).all() and np.isfinite(low).all() and np.isfinite(high).all())
        case Rule(role=role):
            return not PALETTE[role].marked


def _leaves(plot: Plot, mark: Mark) -> bool:
    """Whether it is a line that may have to be told of."""
    low, high = sorted(plot.y_limits)
    return isinstance(mark, Line) and not (low <= np.fmin.reduce(mark.y) and np.fmax.reduce(mark.y) <= high)


def _texts(sheet: Sheet) -> Iterator[str]:
    """All that may be written."""
    yield plain_text(sheet.title) + "…" + _NUMBER_SIGNS
    for plot in sheet.plots:
        yield plain_text(plot.title + plot.x_label + plot.y_label)
        yield x_wording(plot, sheet)[1]
        if isinstance(plot.legend, Legend):
            yield plain_text(plot.legend.title)
            for mark in plot.marks:
                yield from legend_text(mark.label).split("\n")


def _frames(sheet: Sheet, keys: Sequence[Key | None]) -> list[Frame]:
    """Where the plots are."""
    assert sheet.margins_in is not None
    columns, rows = sheet.columns, math.ceil(len(sheet.plots) / sheet.columns)
    legends = [(key.width / 72, key.height / 72, key.legend.place) for key in keys if key is not None]
    gaps = sheet.gaps_in or (0.0, 0.0)
    room = margins_with(sheet.size_in, sheet.margins_in, legends, gaps, (columns, rows))
    wide, high = room.wide / columns, room.high / rows
    if sheet.gaps_in is None:
        wide, high = room.wide / (columns + _GAP_SHARE * (columns - 1)), room.high / (rows + _GAP_SHARE * (rows - 1))
        gaps = _GAP_SHARE * wide, _GAP_SHARE * high
    heights = [plot.height for plot in sheet.plots[::columns]]
    tall = [high * rows * height / sum(heights) for height in heights]
    frames = []
    for at in range(len(sheet.plots)):
        row, column = divmod(at, columns)
        left = room.left + column * (wide + gaps[0])
        top = sheet.size_in[1] - room.top - row * gaps[1] - sum(tall[:row])
        frames.append(Frame(left=72 * left, bottom=72 * (top - tall[row]), right=72 * (left + wide), top=72 * top))
    return frames


def _across(x: Floats, plot: Plot, frame: Frame) -> Floats:
    left, right = plot.x_limits
    return frame.left + (x - left) * (frame.width / (right - left))


def _up(y: Floats, plot: Plot, frame: Frame) -> Floats:
    bottom, top = plot.y_limits
    return frame.bottom + (y - bottom) * (frame.height / (top - bottom))


def _look(mark: Mark) -> Sample:
    """The ink of a mark that has no place yet."""
    nowhere = np.empty(0)
    match mark:
        case Line(role=role, colour=colour) | Rule(role=role, colour=colour):
            style = PALETTE[role]
            width = (mark.width_pt if isinstance(mark, Line) else None) or style.width_pt
            dashes = tuple(dash * width for dash in style.dashes)
            ink = colour or style.colour
            return Stroke(x=nowhere, y=nowhere, colour=ink, width=width, dashes=dashes, thins=isinstance(mark, Line))
        case Band(role=role, colour=colour, opacity=opacity):
            return Area(x=nowhere, y=nowhere, colour=colour or PALETTE[role].colour, opacity=opacity)
        case Points(colour=colour, symbol=symbol, size_pt=size, hollow=hollow):
            edge, width = (colour, 1.1) if hollow else ("#ffffff", 0.4)
            face = None if hollow else colour
            return Stamp(x=nowhere, y=nowhere, symbol=symbol, size=size, face=face, edge=edge, edge_width=width)
        case Mesh():
            raise TypeError("a mesh is not plain")


def _placed(look: Sample, mark: Mark, plot: Plot, frame: Frame) -> Sample:
    """The ink of a mark at its place."""
    x, y = _place(mark, plot, frame)
    return replace(look, x=x, y=y) if isinstance(look, Stamp) else replace(look, x=x, y=y, within=frame)


def _place(mark: Mark, plot: Plot, frame: Frame) -> tuple[Floats, Floats]:
    match mark:
        case Rule(at=at, upright=True):
            return _across(np.full(2, at), plot, frame), np.array([frame.bottom, frame.top])
        case Rule(at=at):
            return np.array([frame.left, frame.right]), _up(np.full(2, at), plot, frame)
        case Line(x=x, y=y):
            return _across(x, plot, frame), _up(y, plot, frame)
        case Band(x=x, low=low, high=high):
            y = _up(np.concatenate((low, high[::-1])), plot, frame)
            return _across(np.concatenate((x, x[::-1])), plot, frame), y
        case Points(x=x, y=y):
            shown = np.isfinite(x) & np.isfinite(y)
            return _across(x[shown], plot, frame), _up(y[shown], plot, frame)
        case Mesh():
            raise TypeError("a mesh is not plain")


def _is_near(ink: Sample) -> bool:
    """Whether its coordinates can be written; an infinity cannot."""
    return all(not side.size or bool(np.fmax.reduce(np.abs(side)) < _FAR_PT) for side in (ink.x, ink.y))


class _Axes(NamedTuple):
    """What lies behind the marks, but for the label of y; and how far to the left the numbers of y reach."""

    ink: list[Ink]
    left: float


def _axes(plot: Plot, sheet: Sheet, frame: Frame, sizes: Sizes, face: Face) -> _Axes | None:
    """The axes of a plot; None if a corner has to tell more."""
    power, x_label, told = x_wording(plot, sheet)
    size = sizes.number
    along_x = _numbers(plot.x_limits, frame.width / (3 * size), power)
    along_y = _numbers(plot.y_limits, frame.height / (2 * size), None)
    if (along_x.corner and not told) or along_y.corner:
        return None
    x, y = _across(along_x.at, plot, frame), _up(along_y.at, plot, frame)
    made: list[Ink] = []
    if plot.grid:
        made += [_grid_line(at, at, frame.bottom, frame.top, frame) for at in x.tolist()]
        made += [_grid_line(frame.left, frame.right, at, at, frame) for at in y.tolist()]
    made.append(_ticks(x, np.full(x.size, frame.bottom), _DOWN, sizes))
    made.append(_ticks(np.full(y.size, frame.left), y, _LEFT, sizes))
    left, bottom = frame.left - sizes.tick, frame.bottom - sizes.tick
    lowest, leftmost = bottom, left
    for at, text in zip(x.tolist(), along_x.texts, strict=True):
        block = face.block(text, size)
        baseline = bottom - _NUMBER_GAP - block.ascent
        made.append(Letters(x=at - block.width / 2, y=baseline, text=text, size=size))
        lowest = min(lowest, baseline - block.descent)
    if x_label:
        block = face.block(x_label, sizes.label)
        start = (frame.left + frame.right - block.width) / 2
        made.append(Letters(x=start, y=lowest - _LABEL_GAP - block.ascent, text=x_label, size=sizes.label))
    for at, text in zip(y.tolist(), along_y.texts, strict=True):
        block = face.block(text, size)
        start = left - _NUMBER_GAP - block.width
        made.append(Letters(x=start, y=at - block.ascent / 2, text=text, size=size))
        leftmost = min(leftmost, start)
    return _Axes(made, leftmost)


class _Numbers(NamedTuple):
    """Where numbers stand along an axis, in its units, what they are, and what the corner has to say of all of them."""

    at: Floats
    texts: tuple[str, ...]
    corner: str


def _numbers(limits: tuple[float, float], room: float, power: int | None) -> _Numbers:
    """The round numbers of a linear axis, of which it has room for so many."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    most = min(max(math.floor(room), 1), _MOST_NUMBERS)
    places = np.asarray(MaxNLocator(nbins=most, steps=_STEPS).tick_values(*limits))
    formatter: Any = ScalarFormatter()
    formatter.create_dummy_axis()
    formatter.axis.set_view_interval(*limits)
    if power is not None:
        formatter.set_powerlimits((power, power))
    texts = formatter.format_ticks(places)
    low, high = sorted(limits)
    slack = 1e-10 * (high - low)
    seen = ((places >= low - slack) & (places <= high + slack)).tolist()
    shown = tuple(text for text, is_seen in zip(texts, seen, strict=True) if is_seen)
    return _Numbers(places[seen], shown, formatter.get_offset())


def _ticks(x: Floats, y: Floats, symbol: int, sizes: Sizes) -> Stamp:
    return Stamp(x=x, y=y, symbol=symbol, size=sizes.tick, face=None, edge=_AXIS, edge_width=_TICK_WIDTH)


def _grid_line(x0: float, x1: float, y0: float, y1: float, frame: Frame) -> Stroke:
    return Stroke(x=np.array([x0, x1]), y=np.array([y0, y1]), colour=_GRID, width=_GRID_WIDTH, within=frame)


def _spines(frame: Frame) -> list[Ink]:
    left, bottom = np.full(2, frame.left), np.full(2, frame.bottom)
    upright, flat = np.array([frame.bottom, frame.top]), np.array([frame.left, frame.right])
    return [
        Stroke(x=x, y=y, colour=_AXIS, width=_SPINE_WIDTH, long_ends=True) for x, y in ((left, upright), (flat, bottom))
    ]


def _title(plot: Plot, sheet: Sheet, frame: Frame, sizes: Sizes, face: Face) -> list[Ink]:
    if not plot.title:
        return []
    text = plot_title(plot, sheet, sizes)
    start = (frame.left + frame.right - face.block(text, sizes.title).width) / 2
    return [Letters(x=start, y=frame.top + sizes.title_gap, text=text, size=sizes.title)]


def _y_label(plot: Plot, left: float, frame: Frame, sizes: Sizes, face: Face) -> list[Ink]:
    if not plot.y_label:
        return []
    text = label_text(plot.y_label)
    block = face.block(text, sizes.label)
    start = (frame.bottom + frame.top - block.width) / 2
    return [Letters(x=left - _LABEL_GAP - block.descent, y=start, text=text, size=sizes.label, upwards=True)]
