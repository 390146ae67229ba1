"""Pictures of many spectra at once: overlay, offset stack, waterfall, heat map, small multiples.

All take the spectra as rows of one array on one axis, and draw them in the order given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from batchlab.errors import PlotError
from batchlab.figures import CYCLE, Band, Line, Mesh, Name, Picture, Plot, Sheet, shades
from batchlab.spectra._figure import Look
from batchlab.spectra._figure_places import apart, behind, columns_of, near_end, step_of, ticks
from batchlab.spectra._model import Array

__all__ = [
    "MOST_MULTIPLES",
    "draw_heat_map",
    "draw_multiples",
    "draw_overlay",
    "draw_stack",
    "draw_waterfall",
    "edges_of",
]

MOST_MULTIPLES = 120  # small multiples; smaller ones could not be read
_MOST_NAMED = 14  # lines in a legend
_OUTLIER = "#D55E00"
_LINE_PT = 0.9
_THIN_PT = 0.6


def draw_overlay(
    axis: Array,
    rows: Array,
    names: Sequence[str],
    look: Look,
    *,
    groups: Sequence[str] | None = None,
    bands: Sequence[Band] = (),
    mean: Array | None = None,
    title: str = "",
) -> Picture:
    """All spectra on top of each other, coloured by group, or in their order.

    Parameters
    ----------
    axis : (n,) array
        In the look's units.
    rows : (m, n) array
        The spectra; a NaN is a gap.
    names
        Of the spectra.
    look
        Labels, direction, limits and size.
    groups
        Of the spectra; each gets a colour.
    bands
        Behind the spectra, such as a mean with its spread, or a tolerance.
    mean : (n,) array
        Drawn over them.
    title
        By default how many there are.
    """
    axis, rows = _checked(axis, rows, names)
    colours, labels = _coloured(names, groups)
    lines = [
        Line(x=axis, y=row, label=label, colour=colour, width_pt=_LINE_PT if len(rows) <= _MOST_NAMED else _THIN_PT)
        for row, label, colour in zip(rows, labels, colours, strict=True)
    ]
    over = () if mean is None else (Line(x=axis, y=mean, label="mean"),)
    plot = Plot(
        marks=(*bands, *lines, *over),
        x_limits=look.x_limits,
        y_limits=look.overlay_limits,
        x_label=look.x_label,
        y_label=look.overlay_label,
        legend=any(labels) or any(band.label for band in bands) or mean is not None,
        tells_cut=True,
    )
    return _sheet(plot, look, title or f"{len(rows)} spectra")


def draw_stack(
    axis: Array,
    rows: Array,
    names: Sequence[str],
    look: Look,
    *,
    offset: float | None = None,
    groups: Sequence[str] | None = None,
    title: str = "",
) -> Picture:
    """Spectra above each other, the first lowest, each with its name at the right.

    Parameters
    ----------
    axis, rows, names, look, groups
        As for `draw_overlay`; the look's limits of y are not used.
    offset
        From one spectrum to the next, in the signals' unit; by default about half of a typical spectrum's span.
    title
        By default how many there are, and the offset.
    """
    axis, rows = _checked(axis, rows, names)
    step = step_of(rows) if offset is None else offset
    colours, _ = _coloured(names, groups)
    lines = [
        Line(x=axis, y=row + at * step, colour=colour, width_pt=_LINE_PT)
        for at, (row, colour) in enumerate(zip(rows, colours, strict=True))
    ]
    right_end = int(np.argmin(np.abs(axis - look.x_limits[1])))
    at_end = near_end(rows, right_end) + step * np.arange(len(rows))
    low, high = (_extreme(lines, find) for find in (np.fmin, np.fmax))
    margin = 0.03 * (high - low) or 1.0
    plot = Plot(
        marks=tuple(lines),
        x_limits=look.x_limits,
        y_limits=(low - margin, high + margin),
        x_label=look.x_label,
        y_label=look.overlay_label,
        y_names=tuple(
            Name(at=at, text=name, colour=colour)
            for at, name, colour in zip(apart(at_end, low, high, look), names, colours, strict=True)
        ),
        y_names_right=True,
    )
    return _sheet(plot, look, title or f"{len(rows)} spectra, each shifted by {step:g}")


def draw_waterfall(
    axis: Array,
    rows: Array,
    names: Sequence[str],
    look: Look,
    *,
    groups: Sequence[str] | None = None,
    title: str = "",
) -> Picture:
    """Spectra behind each other, the first in front, each hiding what lies behind it.

    Parameters
    ----------
    axis, rows, names, look, groups
        As for `draw_overlay`; the look's limits of y are not used.
    title
        By default how many there are.
    """
    axis, rows = _checked(axis, rows, names)
    count = len(rows)
    floor, top = float(np.nanmin(rows)), float(np.nanmax(rows))
    height = (top - floor) or 1.0
    left, right = look.x_limits
    aside, up = behind(rows, look)
    colours, _ = _coloured(names, groups)
    marks: list[Line | Band] = []
    for at in range(count - 1, -1, -1):
        x, y, ground = axis + at * aside, rows[at] + at * up, np.full(axis.size, floor + at * up)
        marks.append(Band(x=x, low=ground, high=y, colour="#ffffff", opacity=1.0))
        marks.append(Line(x=x, y=y, colour=colours[at], width_pt=_LINE_PT))
    last = near_end(rows, int(np.argmin(np.abs(axis - right)))) + up * np.arange(count)
    ceiling = float(np.nanmax(rows + up * np.arange(count)[:, None]))
    beside = apart(last, floor, ceiling, look)
    plot = Plot(
        marks=tuple(marks),
        x_limits=(left, right + 0.22 * (right - left) * (count > 1)),
        y_limits=(floor - 0.03 * height, _extreme([m for m in marks if isinstance(m, Line)], np.fmax) + 0.03 * height),
        x_label=f"{look.x_label} (of the one in front)",
        y_label=look.overlay_label,
        x_names=ticks(min(left, right), max(left, right)),
        y_names=tuple(
            Name(at=at, text=name, colour=colour) for at, name, colour in zip(beside, names, colours, strict=True)
        ),
        y_names_right=True,
        grid=False,
    )
    return _sheet(plot, look, title or f"{count} spectra")


def draw_heat_map(
    axis: Array,
    rows: Array,
    names: Sequence[str],
    look: Look,
    *,
    limits: tuple[float, float] | None = None,
    diverging: bool = False,
    title: str = "",
) -> Picture:
    """A row of colours for each spectrum, the first on top.

    Parameters
    ----------
    axis, rows, names, look
        As for `draw_overlay`; the axis strictly monotone.
    limits
        Values of the two ends of the colours; by default those of the values.
    diverging
        For differences: colours tell what lies above zero from what lies below.
    title
        By default how many there are.
    """
    axis, rows = _checked(axis, rows, names)
    count = len(rows)
    mesh = Mesh(
        x_edges=edges_of(axis),
        y_edges=np.arange(count + 1).astype(np.float64) - 0.5,
        values=rows,
        label=look.difference_label if diverging else look.overlay_label,
        limits=limits,
        diverging=diverging,
    )
    plot = Plot(
        marks=(mesh,),
        x_limits=look.x_limits,
        y_limits=(count - 0.5, -0.5),
        x_label=look.x_label,
        y_names=tuple(Name(at=at, text=name) for at, name in enumerate(names)),
    )
    return _sheet(plot, look, title or f"{count} spectra")


def draw_multiples(
    axis: Array,
    rows: Array,
    names: Sequence[str],
    look: Look,
    *,
    reference: Array | None = None,
    outliers: Sequence[bool] | None = None,
    title: str = "",
) -> Picture:
    """A small plot for each spectrum, all with the same axes.

    Parameters
    ----------
    axis, rows, names, look
        As for `draw_overlay`; 120 spectra at most.
    reference : (n,) array
        Shown in each, behind the spectrum.
    outliers
        Which spectra are drawn in the colour of a warning.
    title
        By default how many there are.

    Raises
    ------
    PlotError
        If there are more than could be read.
    """
    axis, rows = _checked(axis, rows, names)
    if len(rows) > MOST_MULTIPLES:
        raise PlotError(f"{len(rows)} small multiples could not be read; draw at most {MOST_MULTIPLES}, or a heat map")
    columns = columns_of(len(rows), look.size_in[0] / look.size_in[1])
    behind = () if reference is None else (Line(x=axis, y=reference, width_pt=1.0, colour="#b0b0b0"),)
    low = [False] * len(rows) if outliers is None else outliers
    plots = tuple(
        Plot(
            marks=(*behind, Line(x=axis, y=row, width_pt=0.8, colour=_OUTLIER if odd else CYCLE[0])),
            x_limits=look.x_limits,
            y_limits=look.overlay_limits,
            title=name,
            tells_cut=True,
        )
        for row, name, odd in zip(rows, names, low, strict=True)
    )
    return Picture(
        Sheet(
            plots=plots,
            columns=columns,
            title=title or f"{len(rows)} spectra",
            x_label=look.x_label,
            y_label=look.overlay_label,
            size_in=look.size_in,
            dpi=look.dpi,
        )
    )


def edges_of(axis: Array) -> Array:
    """Ends of the cells that points stand in the middle of: halfway to the neighbours.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone.

    Returns
    -------
    (n + 1,) array
    """
    between = (axis[:-1] + axis[1:]) / 2
    return np.concatenate(([2 * axis[0] - between[0]], between, [2 * axis[-1] - between[-1]]))


def _coloured(names: Sequence[str], groups: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The colour of each spectrum, and its label in a legend: of the first of each group, or of each of a few."""
    if groups is None:
        few = len(names) <= len(CYCLE)
        colours = list(CYCLE[: len(names)]) if few else list(shades(len(names)))
        return colours, [str(name) for name in names] if len(names) <= _MOST_NAMED else [""] * len(names)
    order = list(dict.fromkeys(groups))
    colours = [CYCLE[order.index(group) % len(CYCLE)] for group in groups]
    seen: set[str] = set()
    labels = []
    for group in groups:
        labels.append("" if group in seen else str(group))
        seen.add(group)
    return colours, labels


def _checked(axis: Array, rows: Array, names: Sequence[str]) -> tuple[Array, Array]:
    axis, rows = np.asarray(axis, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    if axis.ndim != 1 or rows.ndim != 2 or rows.shape != (len(names), axis.size) or not len(names):
        raise PlotError(
            f"axis has shape {axis.shape}, rows {rows.shape}, and there are {len(names)} names; "
            "give a row of one value per point of the axis, and a name, for each of one or more spectra"
        )
    return axis, rows


def _extreme(lines: Sequence[Line], find: np.ufunc) -> float:
    return float(find.reduce([find.reduce(line.y) for line in lines]))


def _sheet(plot: Plot, look: Look, title: str) -> Picture:
    return Picture(Sheet(plots=(plot,), title=title, size_in=look.size_in, dpi=look.dpi))
