"""A canvas: the drawn background of one kind of figure, and picture after picture on it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import PlotError
from batchlab.figures._artists import label_marks
from batchlab.figures._cut import tell_cut
from batchlab.figures._kind import Curve, FigureKind, checked_curve, checked_points
from batchlab.figures._palette import PALETTE
from batchlab.figures._png import encode_png, png_rows
from batchlab.figures._rows import draw_within, is_within, rows_of_curve, runs_beside, runs_of
from batchlab.figures._save import save
from batchlab.figures._stage import (
    Title,
    build,
    draw_background,
    draw_title,
    pinned,
    shown_on,
    shown_spines,
    stroke,
    whole,
)
from batchlab.figures._thumbnail import thumbnail
from batchlab.figures._vector import encode_vector

_MEMORY_KEY = "batchlab.figures.canvases"
_Shown: TypeAlias = tuple[list[list[Any]], Title]  # curves, title


class Canvas:
    """Draws pictures of one kind, each on a copy of the background drawn once.

    Every picture equals, byte for byte, what a new canvas would give: nothing of an earlier one is left.
    Rows that neither it nor the one before has ink in stay as they are. A canvas is for one thread at a time. It holds
    three buffers of 4 bytes a pixel (65 MB at 3000 x 1800).

    Parameters
    ----------
    kind
        What all its pictures share.

    Raises
    ------
    PlotError
        If the figure is too small for its labels.
    """

    def __init__(self, kind: FigureKind) -> None:
        self.kind = kind
        with pinned():
            self._stage = build(kind)
            draw_background(self._stage, kind)
        self._renderer = self._stage.canvas.get_renderer()
        self._pixels: NDArray[np.uint8] = np.asarray(self._renderer.buffer_rgba())
        self._background = self._pixels.copy()
        self._rows: NDArray[np.uint8] | None = None
        self._inked = np.ones(len(self._pixels), dtype=bool)  # rows that are not as on an empty picture
        self._changed = self._inked.copy()  # rows since the last `png`
        self._drawn: _Shown | None = None

    def draw(self, curves: Sequence[Sequence[Curve]], title: Title = "") -> None:
        """Put a picture on the canvas, in place of the one before.

        A curve that leaves its panel at the top or the bottom is told of in the panel, with arrows where it does.

        Parameters
        ----------
        curves
            Per panel, per slot: x and y, (n,) each, in the panel's units. A NaN is a gap.
        title
            Plain text; where it is too long its middle is left out. Or ``(name, between, name, ...)``: what is
            left out then are the middles of the names.

        Raises
        ------
        PlotError
            If the curves do not match the kind's slots, hold fewer than two finite points, or a title is
            given to a kind that keeps no room for one.
        """
        self._drawn = None
        checked = self._checked(curves)
        inked = self._reached(checked, title)
        anew = inked | self._inked
        self._inked[:] = True  # should drawing fail
        self._changed |= anew
        rows = runs_of(anew)
        for run in rows:
            self._pixels[run] = self._background[run]
        with pinned():
            for axes, artists, panel, points in zip(
                self._stage.axes, self._stage.curves, self.kind.panels, checked, strict=True
            ):
                for artist, (x, y) in zip(artists, points, strict=True):
                    stroke(self._stage, axes, artist, x, y)
                beside = runs_beside(axes, rows, len(self._pixels))
                for spine in shown_spines(axes):
                    draw_within(spine, beside, self._renderer)
                over = tell_cut(axes, shown_on(panel, points))
                for slot, (x, y) in zip(panel.slots, points, strict=True):
                    over += label_marks(axes, x, y) if slot.labelled else []
                for added in over:
                    added.draw(self._renderer)
                    added.remove()
            if title:
                draw_title(self._stage, title)
        self._inked = inked
        self._drawn = (checked, title)

    @property
    def dpi(self) -> float:
        """Pixels per inch."""
        return self.kind.dpi

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """(height, width, 4) read-only view of the picture; the next `draw` changes it."""
        if self._drawn is None:
            raise PlotError("there is no picture on this canvas yet; draw one first")
        pixels = self._pixels.view()
        pixels.flags.writeable = False
        return pixels

    def png(self, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a PNG file, with its provenance: texts under names, for `read_provenance`."""
        pixels = self.rgba
        if self._rows is None:
            self._rows = png_rows(*pixels.shape)
        changed = runs_of(self._changed)
        data = encode_png(pixels, dpi=self.kind.dpi, metadata=metadata, rows=self._rows, changed=changed)
        self._changed[:] = False
        return data

    def thumbnail(self, width: int = 320) -> bytes:
        """The picture made small, as a PNG file."""
        return thumbnail(self.rgba, width)

    def vector(self, suffix: str, metadata: Mapping[str, str] | None = None) -> bytes:
        """The picture as a ``.pdf`` or an ``.svg`` file.

        It is drawn anew from the curves, so their arrays must still hold what was drawn. Lines of up to 40,000
        points keep them all; longer ones are thinned to what 5,000 pixels could show.
        """
        if self._drawn is None:
            raise PlotError("there is no picture on this canvas yet; draw one first")
        curves, title = self._drawn
        with pinned(exact=True), whole(self._stage, curves, self.kind, title) as figure:
            return encode_vector(figure, suffix, metadata)

    def save(self, path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
        """Write the picture to a file, in the format that its name ends in.

        Raises
        ------
        PlotError
            If it ends in none of `FORMATS`.
        """
        save(self, path, metadata)

    def pixel_at(self, panel: int, x: float, y: float) -> tuple[float, float]:
        """Row and column, from the upper left, at which a panel shows a point of its data."""
        column, up = self._stage.axes[panel].transData.transform((x, y))
        return self.kind.pixels[1] - float(up), float(column)

    def _reached(self, curves: list[list[Any]], title: Title) -> NDArray[np.bool_]:
        """Rows that a picture may have ink in; of marks and words on the panels it is not known, so all."""
        height = len(self._pixels)
        reached = np.zeros(height, dtype=bool)
        for axes, artists, panel, points in zip(
            self._stage.axes, self._stage.curves, self.kind.panels, curves, strict=True
        ):
            marked = any(PALETTE[slot.role].marked for slot in panel.slots)
            if marked or not all(is_within(axes, curve.y) for curve in shown_on(panel, points)):
                return np.ones(height, dtype=bool)
            for artist, (_, y) in zip(artists, points, strict=True):
                reached[rows_of_curve(axes, artist, y, height)] = True
        if title:
            reached[: self._stage.title_rows] = True
        return reached

    def _checked(self, curves: Sequence[Sequence[Curve]]) -> list[list[Any]]:
        panels = self.kind.panels
        if [len(given) for given in curves] != [len(panel.slots) for panel in panels]:
            raise PlotError(
                f"curves per panel: {[len(given) for given in curves]} given, "
                f"{[len(panel.slots) for panel in panels]} declared; give one (x, y) per slot"
            )
        return [
            [
                (checked_points if PALETTE[slot.role].marked else checked_curve)(
                    curve, f"curve {slot.label!r} of panel {panel.y_label!r}"
                )
                for slot, curve in zip(panel.slots, given, strict=True)
            ]
            for panel, given in zip(panels, curves, strict=True)
        ]


def canvas_for(kind: FigureKind, memory: MutableMapping[str, Any], *, keep: int = 2) -> Canvas:
    """The canvas of a kind, from what a worker remembers, or a new one.

    Parameters
    ----------
    kind
        What to draw; its `key` is what canvases are remembered by.
    memory
        Anything that lives as long as its worker, such as ``ctx.cache``.
    keep
        How many canvases are remembered, the latest used.
    """
    canvases: OrderedDict[str, Canvas] = memory.setdefault(_MEMORY_KEY, OrderedDict())
    canvas = canvases.pop(kind.key, None) or Canvas(kind)
    canvases[kind.key] = canvas
    while len(canvases) > max(1, keep):
        canvases.popitem(last=False)
    return canvas
