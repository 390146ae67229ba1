"""Marks of events, and the words around the panels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from batchlab.figures import Box, Ink, Part, Words, width_px
from batchlab.particles._draw._axes import frame, x_of
from batchlab.particles._draw._layout import LABEL_PT, SMALL_PT, TICK_PT, TITLE_PT, Area, Layout, fitted
from batchlab.particles._draw._model import MarkStyle, SpectrogramSheet, Zoom
from batchlab.particles._draw._panel import Panel
from batchlab.particles._draw._records import Filled
from batchlab.particles._draw._ticks import Tick, clock, stamp
from batchlab.particles._model import Mark

__all__ = ["TRACK_ROWS", "footer_parts", "head_parts", "mark_parts", "tick_row_parts"]

_TRACK = (("ILAT (°)", "ilat_deg", "{:.1f}"), ("MLT (h)", "mlt_h", "{:.1f}"), ("ALT (km)", "alt_km", "{:.0f}"))
TRACK_ROWS = len(_TRACK)
_MOST_TOLD = 3  # marks, in the footer


def mark_parts(panel: Panel, sheet: SpectrogramSheet, layout: Layout) -> list[Part]:
    """Lines at both ends of each event, black under red, white where red would not be seen; brackets below."""
    area, px = panel.area, layout.px
    parts: list[Part] = []
    for mark in sheet.marks:
        if mark.end_s < panel.span[0] or mark.start_s > panel.span[1]:
            continue
        ends = sorted({mark.start_s, mark.end_s})
        seen = [x_of(end, panel) for end in ends if panel.span[0] <= end <= panel.span[1]]
        if sheet.mark_style is not MarkStyle.BRACKET:
            inner = Ink.WHITE if sheet.colours == "turbo" else Ink.RED
            for wide, ink in ((px(2.4), Ink.BLACK), (px(1.4), inner)):
                parts += [_line(x, area.top, area.bottom, wide, ink, area) for x in seen]
        if sheet.mark_style is not MarkStyle.LINE:
            low, high = (min(max(x_of(end, panel), area.left), area.right) for end in (ends[0], ends[-1]))
            base, thick = area.bottom + px(6.5), px(1.2)
            if high > low:
                parts.append(Box(low - thick // 2, base - thick, high + (thick + 1) // 2, base, Ink.RED))
            parts += [_line(x, area.bottom + px(3), base, thick, Ink.RED, None) for x in seen]
    return parts


def _line(x: int, top: int, bottom: int, wide: int, ink: Ink, within: Area | None) -> Box:
    left, right = x - wide // 2, x - wide // 2 + wide
    if within is not None:
        left, right = max(left, within.left), min(right, within.right)
    return Box(left, top, right, bottom, ink)


def tick_row_parts(
    sheet: SpectrogramSheet, panels: Sequence[Panel], ticks: Sequence[list[Tick]], layout: Layout
) -> list[Part]:
    """Times under the lowest panels, and below them where the spacecraft was."""
    y, left = layout.tick_y, panels[0].area.left - layout.px(20)
    parts: list[Part] = [Words(left, y, "UTC", TICK_PT, align="right")]
    if sheet.track is not None:
        for order, (name, _, _) in enumerate(_TRACK, 1):
            parts.append(Words(left, y + order * layout.tick_step, name, TICK_PT, align="right"))
    for panel, times in zip(panels, ticks, strict=True):
        places = [x_of(tick.at, panel) for tick in times]
        parts += [Words(x, y, tick.text, TICK_PT, align="center") for x, tick in zip(places, times, strict=True)]
        if sheet.track is None or not times:
            continue
        where = sheet.track.at(np.array([tick.at for tick in times]))
        for order, (_, name, form) in enumerate(_TRACK, 1):
            for x, value in zip(places, getattr(where, name).tolist(), strict=True):
                if math.isfinite(value):
                    text = form.format(value).replace("-", "\N{MINUS SIGN}")
                    parts.append(Words(x, y + order * layout.tick_step, text, TICK_PT, align="center"))
    return parts


def head_parts(sheet: SpectrogramSheet, columns: Sequence[Zoom], panels: Sequence[Panel], layout: Layout) -> list[Part]:
    parts: list[Part] = []
    if sheet.title:
        text, size = fitted(sheet.title, TITLE_PT, round(0.96 * layout.width), layout.dpi, bold=True)
        parts.append(Words(layout.width // 2, layout.title_y, text, size, align="center", bold=True))
    if len(columns) > 1:
        for column, panel in zip(columns, panels, strict=True):
            middle = (panel.area.left + panel.area.right) // 2
            text, size = fitted(column.title, LABEL_PT, panel.area.width, layout.dpi)
            parts.append(Words(middle, layout.column_title_y, text, size, align="center"))
    return parts


def footer_parts(
    sheet: SpectrogramSheet, rows: Sequence[Filled], data: tuple[float, float] | None, layout: Layout
) -> list[Part]:
    """Times of data and, in red, of marks; at the right what the colours mean that the bar does not tell."""
    px, y = layout.px, layout.footer_y
    x = px(12)
    parts: list[Part] = []
    told = [] if data is None else [(f"Data {_range(*data)} UTC", Ink.BLACK)]
    told += [(_of_mark(mark), Ink.RED) for mark in sheet.marks[:_MOST_TOLD]]
    if len(sheet.marks) > _MOST_TOLD:
        told.append((f"and {len(sheet.marks) - _MOST_TOLD} more", Ink.RED))
    if sheet.footer:
        told.append((sheet.footer, Ink.BLACK))
    right = layout.width - px(12)
    keys = [("no record", Ink.WHITE)]
    keys += [("fill", Ink.GREY)] if any(each.shown and each.shown.fill for each in rows) else []
    keys += [("zero", Ink.DARK)] if any(each.shown and each.shown.zero for each in rows) else []
    for text, ink in reversed(keys):
        right -= width_px(text, SMALL_PT, layout.dpi)
        parts.append(Words(right, y, text, SMALL_PT))
        right -= px(12)
        swatch = Area(right, y - px(7), right + px(9), y)
        parts += [Box(swatch.left, swatch.top, swatch.right, swatch.bottom, ink), *frame(swatch, px(0.4))]
        right -= px(10)
    for told_text, ink in told:
        if right - x < px(4 * SMALL_PT):
            break
        text, size = fitted(told_text, SMALL_PT, right - x, layout.dpi)
        parts.append(Words(x, y, text, size, ink=ink))
        x += width_px(text, size, layout.dpi) + px(14)
    return parts


def _range(start_s: float, end_s: float) -> str:
    same_day = clock(start_s, "%Y-%m-%d") == clock(end_s, "%Y-%m-%d")
    return f"{stamp(start_s)} \N{EN DASH} {clock(end_s, '%H:%M:%S') if same_day else stamp(end_s)}"


def _of_mark(mark: Mark) -> str:
    times = clock(mark.start_s, "%H:%M:%S")
    if mark.end_s > mark.start_s:
        times += f" \N{EN DASH} {clock(mark.end_s, '%H:%M:%S')}"
    return f"{mark.label} {times}".strip()
