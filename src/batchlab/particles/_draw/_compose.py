"""A sheet as a scene: panels, axes, colour bars, marks and words, each in its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from batchlab.errors import PlotError
from batchlab.figures import Part, Scene
from batchlab.particles._draw._axes import row_parts, ticks_of_time, time_axis_parts
from batchlab.particles._draw._colours import colours_of
from batchlab.particles._draw._layout import lay_out, usual_size
from batchlab.particles._draw._model import MarkStyle, SpectrogramSheet, Zoom
from batchlab.particles._draw._panel import Panel
from batchlab.particles._draw._records import Filled, records_of, shown_by
from batchlab.particles._draw._words import TRACK_ROWS, footer_parts, head_parts, mark_parts, tick_row_parts

__all__ = ["Composed", "compose", "write_facts"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Composed:
    """A scene; its panels by row, then column; and what is true of it."""

    scene: Scene
    panels: tuple[tuple[Panel, ...], ...]
    facts: dict[str, Any]


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
        rows.append(Filled(row=row, records=records, shown=None if records is None else shown_by(row, records)))
    data = _data_span(rows)
    columns = _columns(sheet, rows, data)
    usual = usual_size(len(rows), len(columns))
    with_bracket = bool(sheet.marks) and sheet.mark_style is not MarkStyle.LINE
    layout = lay_out(
        len(rows),
        len(columns),
        width=usual[0] if width is None else width,
        height=usual[1] if height is None else height,
        tick_rows=1 if sheet.track is None else 1 + TRACK_ROWS,
        bracket=with_bracket,
        titled=bool(sheet.title),
    )
    colours = colours_of(sheet.colours)
    spans = [(column.start_s, column.end_s) for column in columns]
    ticks = [ticks_of_time(span, layout) for span in spans]
    parts: list[Part] = []
    panels = []
    for at, (filled, areas) in enumerate(zip(rows, layout.panels, strict=True)):
        made = [
            Panel(area=area, span=span, y=filled.shown.y if filled.shown else (0.0, 1.0), log_y=filled.log_y)
            for area, span in zip(areas, spans, strict=True)
        ]
        panels.append(tuple(made))
        parts += row_parts(filled, made, layout, at)
        for panel, times in zip(made, ticks, strict=True):
            parts += time_axis_parts(panel, times, layout)
            parts += mark_parts(panel, sheet, layout) if filled.records is not None else []
    parts += tick_row_parts(sheet, panels[-1], ticks, layout)
    parts += head_parts(sheet, columns, panels[0], layout)
    parts += footer_parts(sheet, rows, data, layout)
    scene = Scene(width=layout.width, height=layout.height, dpi=layout.dpi, colours=colours, parts=parts)
    return Composed(scene=scene, panels=tuple(panels), facts=_facts(sheet, rows, data, columns))


def _data_span(rows: Sequence[Filled]) -> tuple[float, float] | None:
    times = [filled.records.times_s for filled in rows if filled.records is not None]
    if not times:
        return None
    return min(float(each[:, 0].min()) for each in times), max(float(each[:, 1].max()) for each in times)


def _columns(sheet: SpectrogramSheet, rows: Sequence[Filled], data: tuple[float, float] | None) -> list[Zoom]:
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


def _facts(
    sheet: SpectrogramSheet, rows: Sequence[Filled], data: tuple[float, float] | None, columns: Sequence[Zoom]
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
