"""A scene as a figure for vector formats: tiles as images of their pixels, words as words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab.figures._scene import Box, Scene, Tile, Wedge, Words
from batchlab.figures._stage import new_figure
from batchlab.figures._text import plain_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_of"]


def figure_of(scene: Scene) -> Figure:
    """The scene on axes whose units are its pixels. Call it within `pinned(exact=True)`."""
    from matplotlib.patches import Polygon, Rectangle

    figure = new_figure((scene.width / scene.dpi, scene.height / scene.dpi), scene.dpi)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_autoscale_on(False)
    hues = ["#" + bytes(colour).hex() for colour in scene.colours]
    for order, part in enumerate(scene.parts):
        match part:
            case Box(left=left, top=top, right=right, bottom=bottom, code=code):
                size = right - left, bottom - top
                axes.add_patch(Rectangle((left, top), *size, facecolor=hues[code], linewidth=0, zorder=order))
            case Tile(left=left, top=top, codes=codes):
                axes.imshow(
                    scene.colours[codes],
                    extent=(left, left + codes.shape[1], top + codes.shape[0], top),
                    aspect="auto",
                    interpolation="none",
                    zorder=order,
                )
            case Wedge(left=left, right=right, base=base, tip=tip, code=code):
                corners = ((left, base), (right, base), (0.5 * (left + right), tip))
                axes.add_patch(Polygon(corners, facecolor=hues[code], linewidth=0, zorder=order))
            case Words():
                axes.text(
                    part.x,
                    part.y,
                    plain_text(part.text),
                    fontsize=part.size_pt,
                    fontweight="bold" if part.bold else "normal",
                    color=hues[part.ink],
                    horizontalalignment=part.align,
                    verticalalignment="baseline",
                    rotation=90 if part.upwards else 0,
                    rotation_mode="anchor",
                    zorder=order,
                )
    return figure
