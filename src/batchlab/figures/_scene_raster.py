"""A scene as pixels: its parts copied together; letters drawn once and remembered."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from batchlab.figures._scene import LEVELS, Box, Codes, Scene, Tile, Wedge, Words
from batchlab.figures._stage import pinned
from batchlab.figures._text import plain_text

__all__ = ["codes_of", "width_px"]


def codes_of(scene: Scene) -> Codes:
    """The (height, width) numbers of colours."""
    canvas = np.zeros((scene.height, scene.width), np.uint8)
    for part in scene.parts:
        match part:
            case Box(left=left, top=top, right=right, bottom=bottom, code=code):
                canvas[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = code
            case Tile(left=left, top=top, codes=codes):
                canvas[top : top + codes.shape[0], left : left + codes.shape[1]] = codes
            case Wedge():
                _fill_wedge(canvas, part)
            case Words():
                _write(canvas, part, scene.dpi)
    return canvas


def width_px(text: str, size_pt: float, dpi: float, *, bold: bool = False) -> int:
    """How wide a text is."""
    return int(_letters(plain_text(text), size_pt, dpi, bold)[0].shape[1])


def _fill_wedge(canvas: Codes, wedge: Wedge) -> None:
    top, bottom = sorted((wedge.base, wedge.tip))
    height = bottom - top
    for row in range(top, bottom):
        away = abs(row + 0.5 - wedge.tip) / height  # 0 at the tip, 1 at the base
        half = 0.5 * (wedge.right - wedge.left) * away
        middle = 0.5 * (wedge.left + wedge.right)
        canvas[row, round(middle - half) : round(middle + half)] = wedge.code


def _write(canvas: Codes, words: Words, dpi: float) -> None:
    mask, ascent = _letters(plain_text(words.text), words.size_pt, dpi, words.bold)
    before = {"left": 0, "center": mask.shape[1] // 2, "right": mask.shape[1]}[words.align]
    if words.upwards:
        mask = np.rot90(mask)
        top, left = words.y - mask.shape[0] + before, words.x - ascent
    else:
        top, left = words.y - ascent, words.x - before
    rows = slice(max(0, -top), max(0, canvas.shape[0] - top))
    columns = slice(max(0, -left), max(0, canvas.shape[1] - left))
    mask = mask[rows, columns]
    under = canvas[max(0, top) :, max(0, left) :][: mask.shape[0], : mask.shape[1]]
    np.copyto(under, mask + np.uint8(words.ink - LEVELS), where=mask > 0)


@lru_cache(maxsize=512)
def _letters(text: str, size_pt: float, dpi: float, bold: bool) -> tuple[Codes, int]:
    """How strong the ink is, from 0 to `LEVELS`, and how many rows are above the baseline."""
    from matplotlib.backends import backend_agg
    from matplotlib.font_manager import FontProperties

    if not text:
        return np.zeros((1, 0), np.uint8), 1
    new_renderer: Any = backend_agg.RendererAgg
    with pinned():
        font = FontProperties(family="DejaVu Sans", size=size_pt, weight="bold" if bold else "normal")
        em = round(size_pt * dpi / 72)
        measure = new_renderer(1, 1, dpi)
        wide = measure.get_text_width_height_descent(text, font, False)[0]
        width, ascent = int(wide + 0.999), round(1.1 * em)
        renderer = new_renderer(width + em, round(1.5 * em), dpi)
        renderer.draw_text(renderer.new_gc(), em // 2, ascent, text, font, 0.0)
        alpha = np.asarray(renderer.buffer_rgba())[:, em // 2 : em // 2 + width, 3]
    mask = ((alpha.astype(np.uint16) * LEVELS + 127) // 255).astype(np.uint8)
    mask.flags.writeable = False
    return mask, ascent
