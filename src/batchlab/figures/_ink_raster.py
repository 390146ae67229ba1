"""Ink as pixels, by the rasteriser of matplotlib, without its artists."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._decimate import decimate
from batchlab.figures._face import Face
from batchlab.figures._ink import Area, Frame, Ink, Letters, Page, Plate, Stamp, Stroke
from batchlab.figures._stage import FEWEST_BINS, Side, pieces

__all__ = ["paint"]

_PHASES = 4  # places of a letter to a pixel


def paint(page: Page, dpi: float) -> NDArray[np.uint8]:
    """The page as (height, width, 4) pixels, so many an inch. Call it within `pinned`."""
    from matplotlib.backends import backend_agg

    new_renderer: Any = backend_agg.RendererAgg
    width, height = round(page.width / 72 * dpi), round(page.height / 72 * dpi)
    renderer = new_renderer(width, height, dpi)
    pixels = np.asarray(renderer.buffer_rgba())
    pixels[:] = 255
    brush = _Brush(renderer, pixels, page.face)
    for ink in page.ink:
        brush.put(ink)
    return pixels


class _Brush:
    """Puts ink on the pixels of a renderer."""

    def __init__(self, renderer: Any, pixels: NDArray[np.uint8], face: Face) -> None:
        from matplotlib.transforms import Affine2D

        self._renderer = renderer
        self._pixels = pixels
        self._scale = renderer.dpi / 72
        self._to_pixels = Affine2D().scale(self._scale)
        self._face = face

    def put(self, ink: Ink) -> None:
        """Draw one thing over all others."""
        match ink:
            case Stroke():
                self._stroke(ink)
            case Area():
                self._area(ink)
            case Plate():
                self._plate(ink)
            case Stamp():
                self._stamp(ink)
            case Letters():
                self._write(ink)

    def _stroke(self, ink: Stroke) -> None:
        from matplotlib.path import Path

        gc = self._gc(ink.colour, ink.width, ink.within)
        gc.set_capstyle("projecting" if ink.long_ends else "butt")
        gc.set_joinstyle("miter" if ink.long_ends else "round" if ink.dashes else "bevel")
        if ink.long_ends:
            gc.set_snap(True)
        if ink.dashes:
            gc.set_dashes(0, list(ink.dashes))
        x, y = ink.x, ink.y
        if not ink.thins or ink.within is None:
            self._renderer.draw_path(gc, Path(np.column_stack((x, y))), self._to_pixels)
            return
        frame = ink.within
        bins = max(FEWEST_BINS, round(frame.width * self._scale))
        x, y = decimate(x, y, limits=(frame.left, frame.right), bins=bins)
        across = Side(x, (frame.left, frame.right), frame.width * self._scale)
        for piece in pieces(across, Side(y, (frame.bottom, frame.top), frame.height * self._scale)):
            self._renderer.draw_path(gc, Path(np.column_stack((x[piece], y[piece]))), self._to_pixels)

    def _area(self, ink: Area) -> None:
        from matplotlib.path import Path

        corners = np.column_stack((ink.x, ink.y))
        path = Path(np.concatenate((corners, corners[:1])), closed=True)
        self._renderer.draw_path(
            self._gc(ink.colour, 0.0, ink.within), path, self._to_pixels, _rgba(ink.colour, ink.opacity)
        )

    def _plate(self, ink: Plate) -> None:
        from matplotlib.patches import BoxStyle

        box = ink.frame
        path = BoxStyle.Round(pad=0, rounding_size=ink.radius)(box.left, box.bottom, box.width, box.height, 1.0)
        gc = self._gc(ink.edge or ink.colour, 1.0 if ink.edge else 0.0, None, ink.opacity)
        gc.set_snap(True)
        gc.set_joinstyle("miter")
        self._renderer.draw_path(gc, path, self._to_pixels, _rgba(ink.colour, ink.opacity))

    def _stamp(self, ink: Stamp) -> None:
        from matplotlib.path import Path

        marker, transform, snap = _marker(ink.symbol, ink.size * self._scale)
        gc = self._gc(ink.edge, ink.edge_width, None)
        gc.set_snap(snap)
        gc.set_joinstyle(marker.get_joinstyle())
        gc.set_capstyle(marker.get_capstyle())
        at = Path(np.column_stack((ink.x, ink.y)))
        face = None if ink.face is None else _rgba(ink.face, 1.0)
        self._renderer.draw_markers(gc, marker.get_path(), transform, at, self._to_pixels, face)

    def _write(self, ink: Letters) -> None:
        pen, step = 0, ink.size * self._scale / self._face.units
        across, down = ink.x * self._scale, self._renderer.height - ink.y * self._scale
        along, beside = (down, across) if ink.upwards else (across, down)
        for (letter, kern), sign in zip(self._face.set(ink.text), ink.text, strict=True):
            pen += kern
            at = along - pen * step if ink.upwards else along + pen * step
            pen += letter.advance
            phase = round(at * _PHASES)
            mask, left, top = _mask(self._face, sign, ink.size, self._renderer.dpi, phase % _PHASES, ink.upwards)
            row, column = (phase // _PHASES, round(beside)) if ink.upwards else (round(beside), phase // _PHASES)
            self._blacken(mask, row + top, column + left)

    def _blacken(self, mask: NDArray[np.uint16], top: int, left: int) -> None:
        """Put black on the pixels, so strong; what lies beyond the edge is left out."""
        mask = mask[max(0, -top) :, max(0, -left) :]
        under = self._pixels[max(0, top) : top + len(mask), max(0, left) : left + mask.shape[1], :3]
        clear = 255 - mask[: under.shape[0], : under.shape[1], np.newaxis]
        under[:] = (under * clear + 127) // 255

    def _gc(self, colour: str, width: float, within: Frame | None, opacity: float = 1.0) -> Any:
        from matplotlib.transforms import Bbox

        gc = self._renderer.new_gc()
        gc.set_foreground(_rgba(colour, opacity), isRGBA=True)
        gc.set_linewidth(width)
        if within is not None:
            edges = (within.left, within.bottom, within.right, within.top)
            gc.set_clip_rectangle(Bbox.from_extents(*(edge * self._scale for edge in edges)))
        return gc


def _rgba(colour: str, opacity: float) -> tuple[float, ...]:
    return (*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)), opacity)


def _marker(symbol: str | int, size_px: float) -> tuple[Any, Any, Any]:
    """What is stamped, its transform, and whether it keeps to whole pixels."""
    from matplotlib.markers import MarkerStyle

    marker: Any = MarkerStyle(symbol)
    threshold = marker.get_snap_threshold()
    snap = size_px >= threshold if isinstance(threshold, float | int) else threshold
    return marker, marker.get_transform().scale(size_px), snap


@lru_cache(maxsize=4096)
def _mask(
    face: Face, sign: str, size: float, dpi: float, phase: int, upwards: bool
) -> tuple[NDArray[np.uint16], int, int]:
    """How strong the ink of a letter is, 0 to 255, and where its first column and row are, from the pen on.

    Along its line a letter stands at a quarter of a pixel, across at whole ones: so the same one is drawn a few times.
    """
    from matplotlib.backends import backend_agg
    from matplotlib.font_manager import FontProperties

    new_renderer: Any = backend_agg.RendererAgg
    room = 2 + math.ceil(2 * size * dpi / 72)
    renderer = new_renderer(2 * room, 2 * room, dpi)
    across, down = (0.0, phase / _PHASES) if upwards else (phase / _PHASES, 0.0)
    font = FontProperties(fname=face.path, size=size)
    renderer.draw_text(renderer.new_gc(), room + across, room + down, sign, font, 90.0 if upwards else 0.0)
    ink = np.asarray(renderer.buffer_rgba())[..., 3]
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return np.zeros((0, 0), np.uint16), 0, 0
    mask = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint16)
    mask.flags.writeable = False
    return mask, int(columns[0]) - room, int(rows[0]) - room
