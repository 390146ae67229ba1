"""A sheet as a scene: panels, axes, colour bars, marks and words, each in its place."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.errors import PlotError
from batchlab.figures import TABLE, TABLE_SIZE, Box, Ink, Part, Scene, Tile, Wedge, Words, colour_table, power, width_px
from batchlab.particles._draw._layout import Area, Layout, lay_out, usual_size
from batchlab.particles._draw._model import MarkStyle, Row, SpectrogramSheet, Zoom
from batchlab.particles._draw._panel import panel_codes, pixels_along
from batchlab.particles._draw._records import Records, Shown, records_of, shown_by
from batchlab.particles._draw._ticks import (
    Tick,
    angle_ticks,
    clock,
    linear_ticks,
    log_ticks,
    power_left_out,
    stamp,
    time_ticks,
)
from batchlab.particles._model import Mark, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Composed", "compose", "write_facts"]

_TITLE_PT, _LABEL_PT, _TICK_PT, _SMALL_PT = 11.0, 9.5, 8.5, 8.0
_FILL = (0xD2, 0xD2, 0xD2)
_ZEROS = ((0, 0, 0), (0x46, 0x46, 0x46), (0x70, 0x70, 0x70), (0x96, 0x50, 0x50))
_DARKEST = 0.2  # of a colour map, that may be left out
_FAR = 40.0  # between colours that cannot be mistaken for each other, of 441
_TRACK = (("ILAT (°)", "ilat_deg", "{:.1f}"), ("MLT (h)", "mlt_h", "{:.1f}"), ("ALT (km)", "alt_km", "{:.0f}"))
_MOST_TOLD = 3  # marks, in the footer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A panel: what it shows, and how data become pixels."""

    area: Area
    span: tuple[float, float]
    y: tuple[float, float]
    log_y: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Composed:
    """A scene; its panels by row, then column; and what is true of it."""

    scene: Scene
    panels: tuple[tuple[Panel, ...], ...]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Filled:
    """A row with its data and limits."""

    row: Row
    records: Records | None
    shown: Shown | None

    @property
    def log_y(self) -> bool:
        return self.row.y_scale is Scale.LOG and not (self.records is not None and self.records.by_angle)

    @property
    def log_z(self) -> bool:
        return self.row.z_scale is Scale.LOG


def compose(sheet: SpectrogramSheet, width: int | None, height: int | None) -> Composed:
    """Put a sheet together.

    Raises
    ------
    PlotError
        If the picture is too small, no row tells a time, or there is no such colour map.
    """
    rows = []
    for row in sheet.rows:
        records = records_of(row, sheet.bridge_s)
        rows.append(_Filled(row=row, records=records, shown=None if records is None else shown_by(row, records)))
    data = _data_span(rows)
    columns = _columns(sheet, rows, data)
    usual = usual_size(len(rows), len(columns))
    with_bracket = bool(sheet.marks) and sheet.mark_style is not MarkStyle.LINE
    layout = lay_out(
        len(rows),
        len(columns),
        width=width or usual[0],
        height=height or usual[1],
        tick_rows=1 if sheet.track is None else 1 + len(_TRACK),
        bracket=with_bracket,
        titled=bool(sheet.title),
    )
    colours = _colours(sheet.colours)
    spans = [(column.start_s, column.end_s) for column in columns]
    ticks = [_time_ticks(span, layout) for span in spans]
    parts: list[Part] = []
    panels = []
    for at, (filled, areas) in enumerate(zip(rows, layout.panels, strict=True)):
        made = [
            Panel(area=area, span=span, y=filled.shown.y if filled.shown else (0.0, 1.0), log_y=filled.log_y)
            for area, span in zip(areas, spans, strict=True)
        ]
        panels.append(tuple(made))
        parts += _row_parts(filled, made, layout, at)
        for panel, times in zip(made, ticks, strict=True):
            parts += _time_axis(panel, times, layout)
            parts += _mark_parts(panel, sheet, layout)
    parts += _tick_rows(sheet, panels[-1], ticks, layout)
    parts += _heads(sheet, columns, panels[0], layout)
    parts += _footer(sheet, rows, data, layout)
    scene = Scene(width=layout.width, height=layout.height, dpi=layout.dpi, colours=colours, parts=parts)
    return Composed(scene=scene, panels=tuple(panels), facts=_facts(sheet, rows, data, columns))


def _data_span(rows: Sequence[_Filled]) -> tuple[float, float] | None:
    times = [filled.records.times_s for filled in rows if filled.records is not None]
    if not times:
        return None
    return min(float(each[:, 0].min()) for each in times), max(float(each[:, 1].max()) for each in times)


def _columns(sheet: SpectrogramSheet, rows: Sequence[_Filled], data: tuple[float, float] | None) -> list[Zoom]:
    columns = []
    if sheet.full:
        span = sheet.span or data
        if span is None:
            raise PlotError("no row of the picture has a record, so that no time can be shown; leave the picture out")
        columns.append(Zoom(start_s=span[0], end_s=max(span[1], span[0] + 1e-3), title="Full"))
    times = [filled.records.times_s for filled in rows if filled.records is not None]
    for zoom in sheet.zooms:
        if any(bool(((each[:, 1] > zoom.start_s) & (each[:, 0] < zoom.end_s)).any()) for each in times):
            columns.append(zoom)
    if not columns:
        raise PlotError("no record of any row lies in a zoom, and all times are not wanted; leave the picture out")
    return columns


@lru_cache(maxsize=16)
def _colours(name: str) -> NDArray[np.uint8]:
    import matplotlib as mpl

    if name not in mpl.colormaps:
        raise PlotError(f"there is no colour map {name!r}; take viridis, cividis, plasma, inferno, turbo")
    colours = mpl.colormaps[name]
    # Zero is black, so a map that begins with black begins where it no longer is.
    begins = np.linspace(0.0, _DARKEST, 41)
    far = np.linalg.norm(np.asarray(colours(begins))[:, :3] * 255, axis=1) > _FAR
    begin = float(begins[far.argmax()]) if far.any() else 0.0
    table = np.asarray(colours(np.linspace(begin, 1.0, TABLE_SIZE), bytes=True))[:, :3]
    # Should black be elsewhere in it, zero is the first that no colour of the map comes near.
    others = np.vstack((table, [_FILL, (255, 255, 255)])).astype(np.float64)
    zero = next((each for each in _ZEROS if np.linalg.norm(others - each, axis=1).min() > _FAR), _ZEROS[1])
    made = colour_table(table, grey=_FILL, dark=zero)
    made.flags.writeable = False
    return made


def _row_parts(filled: _Filled, panels: Sequence[Panel], layout: Layout, at: int) -> list[Part]:
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
        parts += _frame(area, px(0.6))
    first = panels[0].area
    middle = (first.top + first.bottom) // 2
    label = row.label if row.label is not None else _called(filled)
    parts.append(_upright(label, layout.label_x, middle, first.height, layout, _LABEL_PT + 0.5, bold=True))
    if records is None or shown is None:
        return parts
    y_label = row.y_label or ("Pitch angle (°)" if records.by_angle else "Energy (eV)")
    parts.append(_upright(y_label, layout.y_label_x, middle, first.height, layout, _TICK_PT))
    ticks = _ticks(shown.y, first.height, layout, log=filled.log_y, angle=records.by_angle)
    for order, panel in enumerate(panels):
        parts += _upright_axis(ticks, panel.area, shown.y, layout, log=filled.log_y, left=True, named=not order)
    parts += _bar(filled, records, shown, layout.bars[at], layout)
    return parts


def _called(filled: _Filled) -> str:
    name = filled.row.category.replace("_", " ")
    return name if filled.records is not None and filled.records.by_angle else name.title()


def _empty(why: str, area: Area, layout: Layout) -> list[Part]:
    middle = (area.left + area.right) // 2, (area.top + area.bottom) // 2 + layout.px(3)
    return [Words(*middle, why, _LABEL_PT, align="center")]


def _frame(area: Area, thick: int) -> list[Part]:
    left, top, right, bottom = area.left - thick, area.top - thick, area.right + thick, area.bottom + thick
    return [
        Box(left, top, right, area.top),
        Box(left, area.bottom, right, bottom),
        Box(left, top, area.left, bottom),
        Box(area.right, top, right, bottom),
    ]


def _upright(text: str, x: int, y: int, room: int, layout: Layout, size_pt: float, *, bold: bool = False) -> Words:
    """Words that run upwards; smaller where there is little room."""
    wide = width_px(text, size_pt, layout.dpi, bold=bold)
    size = size_pt if wide <= room else max(5.0, size_pt * room / wide)
    return Words(x, y, text, size, align="center", upwards=True, bold=bold)


def _ticks(
    limits: tuple[float, float], room: int, layout: Layout, *, log: bool, angle: bool = False, exponent: int = 0
) -> list[Tick]:
    most = max(2, int(room / layout.px(2.0 * _TICK_PT)))
    return (
        angle_ticks(limits, most)
        if angle
        else log_ticks(limits, most)
        if log
        else linear_ticks(limits, min(most, 6), exponent=exponent)
    )


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
        if named and tick.text and taken - y >= px(_TICK_PT * 1.1):
            x = far - px(5.5) if left else far + px(5.5)
            parts.append(Words(x, y + px(0.36 * _TICK_PT), tick.text, _TICK_PT, align="right" if left else "left"))
            taken = y
    return parts


def _bar(filled: _Filled, records: Records, shown: Shown, area: Area, layout: Layout) -> list[Part]:
    """The colour bar; ends that values lie beyond are drawn out to a point."""
    px = layout.px
    tip = px(6)
    inner = Area(area.left, area.top + tip * shown.above, area.right, area.bottom - tip * shown.below)
    steps = np.arange(inner.height)[::-1] * TABLE_SIZE // inner.height
    codes = np.repeat((TABLE + steps).astype(np.uint8)[:, None], inner.width, axis=1)
    parts: list[Part] = [Tile(inner.left, inner.top, codes), *_frame(inner, px(0.6))]
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
        x = layout.z_label_x - (len(lines) - 1 - order) * px(1.25 * _SMALL_PT)
        parts.append(_upright(line, x, (area.top + area.bottom) // 2, area.height, layout, _SMALL_PT))
    return parts


def _time_ticks(span: tuple[float, float], layout: Layout) -> list[Tick]:
    width = layout.panels[0][0].width

    def most(text: str) -> int:
        return max(2, min(9, int(width / (2.0 * width_px(text, _TICK_PT, layout.dpi)))))

    return time_ticks(span, most)


def _time_axis(panel: Panel, ticks: Sequence[Tick], layout: Layout) -> list[Part]:
    thick, long = layout.px(0.6), layout.px(3)
    area = panel.area
    return [
        Box(x - thick // 2, area.bottom, x + (thick + 1) // 2, area.bottom + long)
        for x in (_x_of(tick.at, panel) for tick in ticks)
    ]


def _x_of(time_s: float, panel: Panel) -> int:
    start, end = panel.span
    return panel.area.left + round((time_s - start) / (end - start) * panel.area.width)


def _mark_parts(panel: Panel, sheet: SpectrogramSheet, layout: Layout) -> list[Part]:
    """Lines at both ends of each event, black under red, white where red would not be seen; brackets below."""
    area, px = panel.area, layout.px
    parts: list[Part] = []
    for mark in sheet.marks:
        if mark.end_s < panel.span[0] or mark.start_s > panel.span[1]:
            continue
        ends = sorted({mark.start_s, mark.end_s})
        seen = [_x_of(end, panel) for end in ends if panel.span[0] <= end <= panel.span[1]]
        if sheet.mark_style is not MarkStyle.BRACKET:
            inner = Ink.WHITE if sheet.colours == "turbo" else Ink.RED
            for wide, ink in ((px(2.4), Ink.BLACK), (px(1.4), inner)):
                parts += [_line(x, area.top, area.bottom, wide, ink, area) for x in seen]
        if sheet.mark_style is not MarkStyle.LINE:
            low, high = (min(max(_x_of(end, panel), area.left), area.right) for end in (ends[0], ends[-1]))
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


def _tick_rows(
    sheet: SpectrogramSheet, panels: Sequence[Panel], ticks: Sequence[list[Tick]], layout: Layout
) -> list[Part]:
    """Times under the lowest panels, and below them where the spacecraft was."""
    y, left = layout.tick_y, panels[0].area.left - layout.px(20)
    parts: list[Part] = [Words(left, y, "UTC", _TICK_PT, align="right")]
    if sheet.track is not None:
        for order, (name, _, _) in enumerate(_TRACK, 1):
            parts.append(Words(left, y + order * layout.tick_step, name, _TICK_PT, align="right"))
    for panel, times in zip(panels, ticks, strict=True):
        places = [_x_of(tick.at, panel) for tick in times]
        parts += [Words(x, y, tick.text, _TICK_PT, align="center") for x, tick in zip(places, times, strict=True)]
        if sheet.track is None or not times:
            continue
        where = sheet.track.at(np.array([tick.at for tick in times]))
        for order, (_, name, form) in enumerate(_TRACK, 1):
            for x, value in zip(places, getattr(where, name).tolist(), strict=True):
                if math.isfinite(value):
                    text = form.format(value).replace("-", "\N{MINUS SIGN}")
                    parts.append(Words(x, y + order * layout.tick_step, text, _TICK_PT, align="center"))
    return parts


def _heads(sheet: SpectrogramSheet, columns: Sequence[Zoom], panels: Sequence[Panel], layout: Layout) -> list[Part]:
    parts: list[Part] = []
    if sheet.title:
        wide = width_px(sheet.title, _TITLE_PT, layout.dpi, bold=True)
        size = _TITLE_PT * min(1.0, 0.96 * layout.width / max(1, wide))
        parts.append(Words(layout.width // 2, layout.title_y, sheet.title, size, align="center", bold=True))
    if len(columns) > 1:
        for column, panel in zip(columns, panels, strict=True):
            middle = (panel.area.left + panel.area.right) // 2
            parts.append(Words(middle, layout.column_title_y, column.title, _LABEL_PT, align="center"))
    return parts


def _footer(
    sheet: SpectrogramSheet, rows: Sequence[_Filled], data: tuple[float, float] | None, layout: Layout
) -> list[Part]:
    """Times of data and, in red, of marks; at the right what the colours mean that the bar does not tell."""
    px, y = layout.px, layout.footer_y
    x = px(12)
    parts: list[Part] = []
    told = [] if data is None else [(f"Data {_range(*data)} UTC", Ink.BLACK)]
    if sheet.footer:
        told.insert(0, (sheet.footer, Ink.BLACK))
    told += [(_of_mark(mark), Ink.RED) for mark in sheet.marks[:_MOST_TOLD]]
    if len(sheet.marks) > _MOST_TOLD:
        told.append((f"and {len(sheet.marks) - _MOST_TOLD} more", Ink.RED))
    right = layout.width - px(12)
    keys = [("no record", Ink.WHITE)]
    keys += [("fill", Ink.GREY)] if any(each.shown and each.shown.fill for each in rows) else []
    keys += [("zero", Ink.DARK)] if any(each.shown and each.shown.zero for each in rows) else []
    for text, ink in reversed(keys):
        right -= width_px(text, _SMALL_PT, layout.dpi)
        parts.append(Words(right, y, text, _SMALL_PT))
        right -= px(12)
        swatch = Area(right, y - px(7), right + px(9), y)
        parts += [Box(swatch.left, swatch.top, swatch.right, swatch.bottom, ink), *_frame(swatch, px(0.4))]
        right -= px(10)
    for text, ink in told:
        wide = width_px(text, _SMALL_PT, layout.dpi)
        if x + wide > right:
            break
        parts.append(Words(x, y, text, _SMALL_PT, ink=ink))
        x += wide + px(14)
    return parts


def _range(start_s: float, end_s: float) -> str:
    same_day = clock(start_s, "%Y-%m-%d") == clock(end_s, "%Y-%m-%d")
    return f"{stamp(start_s)} \N{EN DASH} {clock(end_s, '%H:%M:%S') if same_day else stamp(end_s)}"


def _of_mark(mark: Mark) -> str:
    times = clock(mark.start_s, "%H:%M:%S")
    if mark.end_s > mark.start_s:
        times += f" \N{EN DASH} {clock(mark.end_s, '%H:%M:%S')}"
    return f"{mark.label} {times}".strip()


def _facts(
    sheet: SpectrogramSheet, rows: Sequence[_Filled], data: tuple[float, float] | None, columns: Sequence[Zoom]
) -> dict[str, Any]:
    return {
        "bridge_s": sheet.bridge_s,
        "colormap": sheet.colours,
        "data_s": None if data is None else list(data),
        "columns": [{"title": each.title, "start_s": each.start_s, "end_s": each.end_s} for each in columns],
        "marks": [{"label": each.label, "start_s": each.start_s, "end_s": each.end_s} for each in sheet.marks],
        "mark_style": sheet.mark_style.value,
        "rows": [
            {
                "instrument": each.row.spectrogram.name if each.row.spectrogram is not None else None,
                "category": each.row.category,
                "y_scale": each.row.y_scale.value,
                "z_scale": each.row.z_scale.value,
                "y_min": each.shown.y[0] if each.shown else None,
                "y_max": each.shown.y[1] if each.shown else None,
                "z_min": each.shown.z[0] if each.shown else None,
                "z_max": each.shown.z[1] if each.shown else None,
                "quantity": each.records.quantity if each.records else None,
                "unit": each.records.unit if each.records else None,
            }
            for each in rows
        ],
    }


def write_facts(facts: dict[str, Any]) -> str:
    """The facts as a text: equal facts are equal texts."""
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
