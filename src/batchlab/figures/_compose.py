"""A sheet, drawn up with matplotlib's own objects: its settings pinned, its layout settled once.

It does without pyplot and its global state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.figures._artists import add_legend, cut, fill, line_look, write_powers
from batchlab.figures._cut import SENTENCE_PT, Drawn, tell_cut
from batchlab.figures._decimate import Floats, decimate
from batchlab.figures._kind import Band, Line
from batchlab.figures._legend import Legend, put_legend, set_margins
from batchlab.figures._measured import measure_once
from batchlab.figures._mesh import colours, pixels_of
from batchlab.figures._palette import PALETTE
from batchlab.figures._sheet import Mesh, Name, Plot, Points, Rule, Sheet
from batchlab.figures._sizes import TITLE_SHARE, TITLE_TOP_IN, Sizes, legend_room_in, plot_title, sizes_of, x_wording
from batchlab.figures._stage import EXACT_BINS, FEWEST_BINS, new_figure, pieces, settle, sides_of
from batchlab.figures._text import fit_text, label_text, plain_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_MAX_NAME = 28
_NAME_PT = 8.0
_AROUND = (
    (1, 0.7),
    (1, -0.7),
    (-1, 0.7),
    (-1, -0.7),
    (1, 0),
    (-1, 0),
    (0, 1.2),
    (0, -1.2),
)  # a point: where its name goes
_SMALLEST_PT = 5.0
_LINE = 1.35  # from one name to the next, in sizes
_MOST_EXACT = 300_000  # points of lines in a vector file, before they are thinned; after, before they are an image
_BINS_PER_INCH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A figure with all on it, and the lines whose points a vector format wants whole."""

    figure: Figure
    axes: tuple[Axes, ...]
    lines: tuple[tuple[Axes, Line, list[Line2D]], ...]


def compose(sheet: Sheet) -> Composed:
    """Draw up a sheet. Call it, like all drawing, within `pinned`."""
    figure = new_figure(sheet.size_in, sheet.dpi)
    rows = math.ceil(len(sheet.plots) / sheet.columns)
    heights = [sheet.plots[row * sheet.columns].height for row in range(rows)]
    sizes = sizes_of(sheet)
    grid = figure.add_gridspec(rows, sheet.columns, height_ratios=heights)
    every: list[Axes] = []
    handles: list[list[Any]] = []
    for at, plot in enumerate(sheet.plots):
        axes = figure.add_subplot(grid[divmod(at, sheet.columns)])
        every.append(axes)
        handles.append(_fill(axes, plot, sheet, sizes))
        _outer_only(axes, sheet, at)
    if sheet.x_label:
        figure.supxlabel(label_text(sheet.x_label), fontsize=10.5)
    if sheet.y_label:
        figure.supylabel(label_text(sheet.y_label), fontsize=10.5)
    title = figure.suptitle("Ág") if sheet.title else None
    measure_once(figure)
    if sheet.margins_in is None:
        settle(figure, tuple(every))
    else:
        figure.set_layout_engine(None)
        legends = [(axes.get_legend(), plot.legend) for axes, plot in zip(every, sheet.plots, strict=True)]
        set_margins(
            figure,
            [(made, said) for made, said in legends if made and isinstance(said, Legend)],
            sheet.margins_in,
            gaps_in=sheet.gaps_in,
            grid=(sheet.columns, rows),
        )
        figure.align_ylabels()
    if title is not None:
        if sheet.margins_in is not None:  # in inches from the top, as the margins are
            title.set_y(1 - TITLE_TOP_IN / sheet.size_in[1])
        fit_text(title, sheet.title, TITLE_SHARE * sheet.pixels[0], figure.canvas.get_renderer())  # type: ignore[attr-defined]
    lines = []
    for axes, plot, made in zip(every, sheet.plots, handles, strict=True):
        lines += _finish(axes, plot, made)
        if plot.tells_cut and not plot.y_log:
            tell_cut(axes, _drawn(plot), SENTENCE_PT * max(0.65, sizes.scale))
    return Composed(figure=figure, axes=tuple(every), lines=tuple(lines))


@contextmanager
def exact(composed: Composed) -> Iterator[Figure]:
    """The figure as a vector format wants it; afterwards it is as it was."""
    curves = [_thinned(axes, line, EXACT_BINS) for axes, line, _ in composed.lines]
    if _points_of(curves) > _MOST_EXACT:
        dpi = composed.figure.dpi
        curves = [
            _thinned(axes, line, math.ceil(axes.bbox.width / dpi * _BINS_PER_INCH)) for axes, line, _ in composed.lines
        ]
    as_image = _points_of(curves) > _MOST_EXACT
    before = []
    for (axes, _, (first, *rest)), (x, y) in zip(composed.lines, curves, strict=True):
        if as_image:
            for artist in (first, *rest):
                artist.set_rasterized(True)
            continue
        before.append((first, np.array(first.get_xydata()).T, rest))
        first.set_data(cut(x, axes.get_xlim()), cut(y, axes.get_ylim()))
        for artist in rest:
            artist.set_visible(False)
    try:
        yield composed.figure
    finally:
        for artist, (x, y), others in before:
            artist.set_data(x, y)
            for other in others:
                other.set_visible(True)


def _thinned(axes: Axes, line: Line, bins: int) -> tuple[Floats, Floats]:
    return decimate(line.x, line.y, limits=axes.get_xlim(), bins=bins)


def _points_of(curves: Sequence[tuple[Floats, Floats]]) -> int:
    return sum(x.size for x, _ in curves)


def _fill(axes: Axes, plot: Plot, sheet: Sheet, sizes: Sizes) -> list[Any]:
    """Put onto the axes all whose size can be told before the layout is settled; a line is still empty."""
    axes.set_xscale("log" if plot.x_log else "linear")
    axes.set_yscale("log" if plot.y_log else "linear")
    for each, log in ((axes.xaxis, plot.x_log), (axes.yaxis, plot.y_log)):
        if log:
            write_powers(each)
    axes.set_xlim(*plot.x_limits)
    axes.set_ylim(*plot.y_limits)
    axes.set_autoscale_on(False)
    power, x_label, told = x_wording(plot, sheet)
    if plot.x_label and not sheet.x_label:
        axes.set_xlabel(x_label, fontsize=sizes.label)
    if power is not None:
        axes.ticklabel_format(axis="x", style="sci", scilimits=(power, power))
        axes.xaxis.get_offset_text().set_visible(not told)
    if plot.y_label and not sheet.y_label:
        axes.set_ylabel(label_text(plot.y_label), fontsize=sizes.label)
    axes.tick_params(labelsize=sizes.number, length=sizes.tick)
    if plot.x_log or plot.y_log:
        axes.tick_params(which="minor", labelsize=max(5.0, 8.0 * sizes.scale))
    if plot.title:
        axes.set_title(plot_title(plot, sheet, sizes), fontsize=sizes.title, pad=sizes.title_gap)
    handles = [_put(axes, mark, at) for at, mark in enumerate(plot.marks)]
    if not plot.grid or any(isinstance(mark, Mesh) for mark in plot.marks):
        axes.grid(False)
    if plot.legend:
        named = [(made, mark.label) for mark, made in zip(plot.marks, handles, strict=True) if made is not None]
        if isinstance(plot.legend, Legend):
            curves = [mark for mark in plot.marks if isinstance(mark, Line | Points)]
            put_legend(axes, named, plot.legend, curves, scale=sizes.scale, room_in=legend_room_in(plot, sheet))
        else:
            add_legend(axes, named, 0.86 * sheet.pixels[0] / sheet.columns)
    _write_names(axes, plot, sheet)
    return handles


def _put(axes: Axes, mark: Any, order: int) -> Any:
    """One mark, or what stands for it in the legend; None for a mesh, which has its bar."""
    above = 2.0 + order / 1000  # later ones on top, all between the grid and the spines
    if isinstance(mark, Line):
        return axes.plot([], [], zorder=above, **line_look(mark.role, mark.colour, mark.width_pt))[0]
    if isinstance(mark, Band):
        band = fill(axes, mark)
        band.set_zorder(above)
        return band
    if isinstance(mark, Rule):
        draw = axes.axvline if mark.upright else axes.axhline
        return draw(mark.at, zorder=above, **line_look(mark.role, mark.colour))
    if isinstance(mark, Points):
        look: dict[str, Any] = {"markerfacecolor": "none"} if mark.hollow else {"markeredgecolor": "#ffffff"}
        return axes.plot(
            *(mark.x, mark.y),
            color=mark.colour,
            linestyle="none",
            marker=mark.symbol,
            markersize=mark.size_pt,
            markeredgewidth=1.1 if mark.hollow else 0.4,
            zorder=above,
            clip_on=False,
            **look,
        )[0]
    _add_bar(axes, mark)
    return None


def _drawn(plot: Plot) -> list[Drawn]:
    """The lines of a plot; one without a name is what the plot's title says."""
    nameless = "" if plot.title else "a curve"
    return [
        Drawn(mark.label or nameless, mark.colour or PALETTE[mark.role].colour, mark.x, mark.y)
        for mark in plot.marks
        if isinstance(mark, Line)
    ]


def _add_bar(axes: Axes, mesh: Mesh) -> None:
    shown = mesh.values[np.isfinite(mesh.values) & ((mesh.values > 0) | (not mesh.log))]
    low, high = mesh.limits or (0.0, 1.0)
    beyond = bool((shown < low).any()), bool((shown > high).any())
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    figure: Any = axes.figure
    bar = figure.colorbar(colours(mesh), ax=axes, pad=0.015, aspect=32, extend=extend)
    if mesh.log:
        write_powers(bar.ax.yaxis)
    bar.set_label(label_text(mesh.label), fontsize=9.5)
    bar.ax.tick_params(labelsize=8.5)
    bar.outline.set_linewidth(0.6)
    bar.solids.set_rasterized(True)


def _finish(axes: Axes, plot: Plot, handles: list[Any]) -> list[tuple[Axes, Line, list[Line2D]]]:
    """Put onto the axes what needs their final size."""
    lines = []
    for mark, made in zip(plot.marks, handles, strict=True):
        if isinstance(mark, Line):
            lines.append((axes, mark, _draw_line(axes, mark, made)))
        elif isinstance(mark, Mesh):
            axes.imshow(
                pixels_of(mark, axes),
                extent=(0.0, 1.0, 0.0, 1.0),
                transform=axes.transAxes,
                aspect="auto",
                origin="upper",
                interpolation="none",
                zorder=1.0,
            )
    _name_points(axes, plot)
    return lines


def _draw_line(axes: Axes, line: Line, first: Line2D) -> list[Line2D]:
    x, y = decimate(line.x, line.y, limits=axes.get_xlim(), bins=max(FEWEST_BINS, round(axes.bbox.width)))
    x, y = cut(x, axes.get_xlim()), cut(y, axes.get_ylim())
    head, *rest = pieces(*sides_of(axes, x, y))
    first.set_data(x[head], y[head])
    look = line_look(line.role, line.colour, line.width_pt)
    return [first, *(axes.plot(x[each], y[each], zorder=first.get_zorder(), **look)[0] for each in rest)]


def _name_points(axes: Axes, plot: Plot) -> None:
    """Write names beside points: inside the axes, where one hides no other, nor a point if that can be had.

    A name without room is left out.
    """
    marks = [mark for mark in plot.marks if isinstance(mark, Points)]
    if not any(mark.names for mark in marks):
        return
    points = np.concatenate([axes.transData.transform(np.column_stack((mark.x, mark.y))) for mark in marks])
    taken: list[Any] = []
    for mark in marks:
        for x, y, name in zip(mark.x.tolist(), mark.y.tolist(), mark.names, strict=bool(mark.names)):
            if name and math.isfinite(x) and math.isfinite(y):
                _name_point(axes, (x, y), name, 2.0 + mark.size_pt / 2, points, taken)


def _name_point(axes: Axes, at: tuple[float, float], name: str, away: float, points: Floats, taken: list[Any]) -> None:
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    text = axes.annotate(
        shortened(plain_text(name), _MAX_NAME),
        at,
        textcoords="offset points",
        xytext=(0, 0),
        fontsize=_NAME_PT,
        color="#202020",
        zorder=2.49,
    )
    for may_hide_points in (False, True):
        for across, up in _AROUND:
            text.set_position((across * away, up * away))
            text.set_horizontalalignment("left" if across > 0 else "right" if across < 0 else "center")
            text.set_verticalalignment("bottom" if up > 0 else "top" if up < 0 else "center")
            box = text.get_window_extent(renderer)
            fits = axes.bbox.contains(box.x0, box.y0) and axes.bbox.contains(box.x1, box.y1)
            if not fits or any(box.overlaps(other) for other in taken):
                continue
            near = box.padded(3.0)
            inside = (points > (near.x0, near.y0)) & (points < (near.x1, near.y1))
            if may_hide_points or not inside.all(axis=1).any():
                taken.append(box)
                return
    text.remove()


def _write_names(axes: Axes, plot: Plot, sheet: Sheet) -> None:
    """Names beside the axes, smaller where they are many, and every second or third where they are more."""
    rows = math.ceil(len(sheet.plots) / sheet.columns)
    if plot.y_names:
        names, size = _fitting(plot.y_names, plot.y_limits, sheet.size_in[1] * 72 * 0.8 / rows)
        if plot.y_names_right:
            for name in names:
                axes.annotate(
                    _name(name),
                    (1.0, name.at),
                    xycoords=("axes fraction", "data"),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=size,
                    color=name.colour,
                    annotation_clip=False,
                )
        else:
            axes.set_yticks([name.at for name in names], [_name(name) for name in names], fontsize=size)
            axes.minorticks_off()
    if plot.x_names:
        room = sheet.size_in[0] * 72 * 0.85 / sheet.columns
        longest = max(len(_name(name)) for name in plot.x_names)
        upright = longest * 0.7 * _NAME_PT * len(plot.x_names) > room
        names, size = (plot.x_names, 9.5) if not upright else _fitting(plot.x_names, plot.x_limits, room)
        texts = [_name(name) for name in names]
        axes.set_xticks([name.at for name in names], texts, fontsize=size, rotation=90 if upright else 0)


def _fitting(names: Sequence[Name], limits: tuple[float, float], room_pt: float) -> tuple[Sequence[Name], float]:
    """Those of the names that fit side by side, and their size."""
    low, high = min(limits), max(limits)
    seen = [name for name in names if low <= name.at <= high]
    each = room_pt / max(1, len(seen))
    size = min(_NAME_PT, max(_SMALLEST_PT, each / _LINE))
    return seen[:: max(1, math.ceil(_LINE * size / each))] or seen, size


def _outer_only(axes: Axes, sheet: Sheet, at: int) -> None:
    if sheet.x_label and at + sheet.columns < len(sheet.plots):
        axes.tick_params(labelbottom=False)
    if sheet.y_label and at % sheet.columns:
        axes.tick_params(labelleft=False)


def _name(name: Name) -> str:
    return shortened(plain_text(name.text), _MAX_NAME)
