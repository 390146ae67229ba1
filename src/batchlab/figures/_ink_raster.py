"""Ink as pixels, by the rasteriser of matplotlib, without its artists."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._decimate import decimate
from batchlab.figures._face import Face
from batchlab.figures._ink import Area, Frame, Ink, Letters, Page, Plate, Stamp, Stroke
from batchlab.figures._stage import FEWEST_BINS, Side, pieces

__all__ = ["paint"]

_FINER = 2  # places of a letter to a pixel, either way: each letter is drawn once, and then a few times moved


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
        step = ink.size * self._scale / self._face.units
        start, baseline = ink.x * self._scale, self._renderer.height - ink.y * self._scale
        pen = 0
        for (letter, kern), sign in zip(self._face.set(ink.text), ink.text, strict=True):
            pen += kern
            at = (start, baseline - pen * step) if ink.upwards else (start + pen * step, baseline)
            pen += letter.advance
            (left, right_by), (top, down_by) = (divmod(round(side * _FINER), _FINER) for side in at)
            mask = _mask(self._face, sign, ink.size, self._renderer.dpi, ink.upwards, right_by, down_by)
            self._blacken(mask.ink, top + mask.top, left + mask.left)

    def _blacken(self, mask: NDArray[np.uint8], top: int, left: int) -> None:
        """Put black on the pixels, so strong; what lies beyond the edge is left out."""
        mask = mask[max(0, -top) :, max(0, -left) :]
        top, left = max(0, top), max(0, left)
        under = self._pixels[top : top + mask.shape[0], left : left + mask.shape[1], :3]
        clear = np.subtract(255, mask[: under.shape[0], : under.shape[1], np.newaxis], dtype=np.uint16)
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


class _Mask(NamedTuple):
    """How strong the ink of a letter is, 0 to 255, and where its first column and row are, from the pen on."""

    ink: NDArray[np.uint8]
    left: int
    top: int


@lru_cache(maxsize=1024)
def _mask(face: Face, sign: str, size: float, dpi: float, upwards: bool, right_by: int, down_by: int) -> _Mask:
    """A letter, moved by parts of a pixel: the mean of finer pixels is what a coarse one would have got."""
    ink, left, top = _fine_mask(face, sign, size, dpi * _FINER)
    if upwards:
        ink, left, top = np.rot90(ink), top, -left - ink.shape[1]
    left, top = left + right_by, top + down_by
    above, aside = top % _FINER, left % _FINER
    height, width = (-(-length // _FINER) * _FINER for length in (above + ink.shape[0], aside + ink.shape[1]))
    whole = np.zeros((height, width), np.uint8)
    whole[above : above + ink.shape[0], aside : aside + ink.shape[1]] = ink
    parts = [whole[down::_FINER, right::_FINER] for down in range(_FINER) for right in range(_FINER)]
    total = np.add.reduce(parts, axis=0, dtype=np.uint16)
    mean = ((total + _FINER**2 // 2) // _FINER**2).astype(np.uint8)
    mean.flags.writeable = False
    return _Mask(mean, left // _FINER, top // _FINER)


@lru_cache(maxsize=256)
def _fine_mask(face: Face, sign: str, size: float, dpi: float) -> _Mask:
    from matplotlib.backends import backend_agg
    from matplotlib.font_manager import FontProperties

    new_renderer: Any = backend_agg.RendererAgg
    letter, step = face.letter(sign), size * dpi / 72 / face.units
    aside = math.ceil(0.25 * size * dpi / 72)  # some reach beyond their advance
    above = 2 + math.ceil(letter.top * step)
    renderer = new_renderer(
        2 * aside + math.ceil(letter.advance * step), above + 2 - math.floor(letter.bottom * step), dpi
    )
    renderer.draw_text(renderer.new_gc(), aside, above, sign, FontProperties(fname=face.path, size=size), 0.0)
    ink = np.asarray(renderer.buffer_rgba())[..., 3]
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return _Mask(np.zeros((0, 0), np.uint8), 0, 0)
    shown = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    return _Mask(shown, int(columns[0]) - aside, int(rows[0]) - above)
