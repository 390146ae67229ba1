"""How results look in a notebook: small tables, and curves as tiny pictures that need no library to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

__all__ = ["curves_svg", "page_of", "points_svg", "table_of"]

Array = NDArray[np.float64]

_WIDTH, _HEIGHT, _MARGIN = 420, 120, 6
_COLUMNS = 200  # of a curve: each shows its lowest and its highest point
COLOURS = ("#555555", "#0072b2", "#d55e00")


def table_of(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """A table of texts and numbers, escaped; numbers to six digits."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"


def page_of(title: str, *parts: str, notes: Iterable[str] = ()) -> str:
    """A title, what is shown below it, and remarks."""
    told = "".join(f"<li>{escape(text)}</li>" for text in notes)
    return f"<p><b>{escape(title)}</b></p>{''.join(parts)}{f'<ul>{told}</ul>' if told else ''}"


def curves_svg(axis: Array, curves: Mapping[str, Array], *, falling: bool = False) -> str:
    """Curves over one axis as SVG, thinned to what its width can show.

    Parameters
    ----------
    axis : (n,) array
        In any order.
    curves
        Name to (n,) array; not finite values are left out.
    falling
        Whether the axis is shown from high to low.
    """
    values = np.concatenate([curve[np.isfinite(curve)] for curve in curves.values()])
    if not values.size:
        return ""
    order = np.argsort(axis, kind="stable")
    low, high = float(axis.min()), float(axis.max())
    drawn = []
    for colour, (name, curve) in zip(COLOURS, curves.items(), strict=False):
        x = (axis[order] - low) / ((high - low) or 1.0)
        points = _thinned(1 - x[::-1] if falling else x, curve[order][::-1] if falling else curve[order])
        drawn.append(
            f'<polyline fill="none" stroke="{colour}" points="{_placed(points, values)}">'
            f"<title>{escape(name)}</title></polyline>"
        )
    return _svg("".join(drawn))


def points_svg(x: Array, y: Array, names: Sequence[str], marked: Sequence[bool]) -> str:
    """Points as SVG, each with its name; those that are marked in another colour."""
    there = np.isfinite(x) & np.isfinite(y)
    if not there.any():
        return ""
    low, span = float(x[there].min()), float(np.ptp(x[there])) or 1.0
    dots = []
    for at in np.flatnonzero(there).tolist():
        place = _placed(np.array([[(x[at] - low) / span, y[at]]]), y[there])
        left, down = place.split(",")
        colour = COLOURS[2] if marked[at] else COLOURS[1]
        dots.append(
            f'<circle cx="{left}" cy="{down}" r="3" fill="{colour}"><title>{escape(names[at])}</title></circle>'
        )
    return _svg("".join(dots))


def _thinned(x: Array, y: Array) -> Array:
    """(m, 2) array of x and y: of each column of the picture its lowest and its highest point, in their order."""
    there = np.flatnonzero(np.isfinite(y))
    if there.size <= 2 * _COLUMNS:
        kept = there
    else:
        kept = np.unique(
            [part[pick(y[part])] for part in np.array_split(there, _COLUMNS) for pick in (np.argmin, np.argmax)]
        )
    return np.column_stack([x[kept], y[kept]])


def _placed(points: Array, values: Array) -> str:
    low, span = float(values.min()), float(np.ptp(values)) or 1.0
    left = _MARGIN + points[:, 0] * (_WIDTH - 2 * _MARGIN)
    down = _HEIGHT - _MARGIN - (points[:, 1] - low) / span * (_HEIGHT - 2 * _MARGIN)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(left.tolist(), down.tolist(), strict=True))


def _svg(content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff" stroke="#cccccc"/>{content}</svg>'
    )


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escape("" if value is None else str(value))
