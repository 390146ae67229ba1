"""A row of panels with frames, axes and colour bar."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from batchlab.figures import TABLE, TABLE_SIZE, Box, Part, Tile, Wedge, Words, power, width_px
from batchlab.particles._draw._layout import LABEL_PT, SMALL_PT, TICK_PT, Area, Layout, fitted
from batchlab.particles._draw._panel import Panel, panel_codes, pixels_along
from batchlab.particles._draw._records import Filled, Records, Shown
from batchlab.particles._draw._ticks import Tick, angle_ticks, linear_ticks, log_ticks, power_left_out, time_ticks

__all__ = ["frame", "row_parts", "ticks_of_time", "time_axis_parts", "x_of"]


def row_parts(filled: Filled, panels: Sequence[Panel], layout: Layout, at: int) -> list[Part]:
    """The panels of a row with their frames, the axis of energy, the colour bar and what they are called."""
    row, records, shown = filled.row, filled.records, filled.shown
    px = layout.px
    parts: list[Part] = []
    for panel in panels:
        area = panel.area
        if records is None or shown is None:
            parts += _empty(row.why_empty, area, layout)
        else:
            size = area.width, area.height
            codes = panel_codes(records, shown, panel.span, size, log_y=filled.log_y, log_z=filled.log_z)
            parts.append(Tile(area.left, area.top, codes))
        parts += frame(area, px(0.6))
    first = panels[0].area
    middle = (first.top + first.bottom) // 2
    label = row.label if row.label is not None else _called(filled)
    parts.append(_upright(label, layout.label_x, middle, first.height, layout, LABEL_PT + 0.5, bold=True))
    if records is None or shown is None:
        return parts
    y_label = row.y_label or ("Pitch angle (°)" if records.by_angle else "Energy (eV)")
    parts.append(_upright(y_label, layout.y_label_x, middle, first.height, layout, TICK_PT))
    ticks = _ticks(shown.y, first.height, layout, log=filled.log_y, angle=records.by_angle)
    for order, panel in enumerate(panels):
        parts += _upright_axis(ticks, panel.area, shown.y, layout, log=filled.log_y, left=True, named=not order)
    parts += _bar(filled, records, shown, layout.bars[at], layout)
    return parts


def _called(filled: Filled) -> str:
    name = filled.row.category.replace("_", " ")
    return name if filled.records is not None and filled.records.by_angle else name.title()


def _empty(why: str, area: Area, layout: Layout) -> list[Part]:
    middle = (area.left + area.right) // 2, (area.top + area.bottom) // 2 + layout.px(3)
    return [Words(*middle, why, LABEL_PT, align="center")]


def frame(area: Area, thick: int) -> list[Part]:
    left, top, right, bottom = area.left - thick, area.top - thick, area.right + thick, area.bottom + thick
    return [
        Box(left, top, right, area.top),
        Box(left, area.bottom, right, bottom),
        Box(left, top, area.left, bottom),
        Box(area.right, top, right, bottom),
    ]


def _upright(text: str, x: int, y: int, room: int, layout: Layout, size_pt: float, *, bold: bool = False) -> Words:
    """Words that run upwards; smaller where there is little room."""
    text, size = fitted(text, size_pt, room, layout.dpi, bold=bold)
    return Words(x, y, text, size, align="center", upwards=True, bold=bold)


def _ticks(
    limits: tuple[float, float], room: int, layout: Layout, *, log: bool, angle: bool = False, exponent: int = 0
) -> list[Tick]:
    most = max(2, int(room / layout.px(2.0 * TICK_PT)))
    if angle:
        return angle_ticks(limits, most)
    if log:
        return log_ticks(limits, most)
    return linear_ticks(limits, min(most, 6), exponent=exponent)


def _upright_axis(
    ticks: Sequence[Tick],
    area: Area,
    limits: tuple[float, float],
    layout: Layout,
    *,
    log: bool,
    left: bool,
    named: bool,
) -> list[Part]:
    px = layout.px
    parts: list[Part] = []
    thick, far = px(0.6), area.left if left else area.right
    places = pixels_along(np.array([tick.at for tick in ticks]), limits, area.height, log=log).tolist()
    taken = math.inf
    for tick, place in sorted(zip(ticks, places, strict=True), key=lambda both: both[1]):
        y = area.bottom - round(place)
        long = px(3.5) if tick.text else px(2)
        across = (far - long, far) if left else (far, far + long)
        parts.append(Box(across[0], y - (thick + 1) // 2, across[1], y + thick // 2))
        if named and tick.text and taken - y >= px(TICK_PT * 1.1):
            x = far - px(5.5) if left else far + px(5.5)
            parts.append(Words(x, y + px(0.36 * TICK_PT), tick.text, TICK_PT, align="right" if left else "left"))
            taken = y
    return parts


def _bar(filled: Filled, records: Records, shown: Shown, area: Area, layout: Layout) -> list[Part]:
    """The colour bar; ends that values lie beyond are drawn out to a point."""
    px = layout.px
    tip = px(6)
    inner = Area(area.left, area.top + tip * shown.above, area.right, area.bottom - tip * shown.below)
    steps = np.arange(inner.height)[::-1] * TABLE_SIZE // inner.height
    codes = np.repeat((TABLE + steps).astype(np.uint8)[:, None], inner.width, axis=1)
    parts: list[Part] = [Tile(inner.left, inner.top, codes), *frame(inner, px(0.6))]
    if shown.above:
        parts.append(Wedge(inner.left, inner.right, inner.top - px(0.6), area.top - px(0.6), 255))
    if shown.below:
        parts.append(Wedge(inner.left, inner.right, inner.bottom + px(0.6), area.bottom + px(0.6), TABLE))
    exponent = 0 if filled.log_z else power_left_out(shown.z)
    ticks = _ticks(shown.z, inner.height, layout, log=filled.log_z, exponent=exponent)
    parts += _upright_axis(ticks, inner, shown.z, layout, log=filled.log_z, left=False, named=True)
    factor = f"{power(10.0**exponent)} " if exponent else ""
    if filled.row.z_label is not None:
        lines = [f"{filled.row.z_label} ({factor.strip()})" if exponent else filled.row.z_label]
    else:
        lines = [records.quantity, *([factor + records.unit] if factor or records.unit else [])]
    for order, line in enumerate(lines):
        x = layout.z_label_x - (len(lines) - 1 - order) * px(1.25 * SMALL_PT)
        parts.append(_upright(line, x, (area.top + area.bottom) // 2, area.height, layout, SMALL_PT))
    return parts


def ticks_of_time(span: tuple[float, float], layout: Layout) -> list[Tick]:
    width = layout.panels[0][0].width

    def most(text: str) -> int:
        return max(2, min(9, int(width / (2.0 * width_px(text, TICK_PT, layout.dpi)))))

    return time_ticks(span, most)


def time_axis_parts(panel: Panel, ticks: Sequence[Tick], layout: Layout) -> list[Part]:
    thick, long = layout.px(0.6), layout.px(3)
    area = panel.area
    return [
        Box(x - thick // 2, area.bottom, x + (thick + 1) // 2, area.bottom + long)
        for x in (x_of(tick.at, panel) for tick in ticks)
    ]


def x_of(time_s: float, panel: Panel) -> int:
    start, end = panel.span
    return panel.area.left + round((time_s - start) / (end - start) * panel.area.width)
