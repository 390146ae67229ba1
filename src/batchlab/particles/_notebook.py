"""How nouns of this domain look in a notebook: small tables, and a spectrogram as a small picture."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from batchlab.errors import PlotError

if TYPE_CHECKING:
    from batchlab.particles._model import Dropped, Spectrogram
    from batchlab.particles._pitch_spectrogram import PitchSpectrogram

__all__ = ["image_of", "page_of", "spectrogram_page", "table_of", "told_span", "utc"]

_WIDTH_PX, _ROW_PX, _SHOWN_PX = 1200, 300, 640
_MOST_ROWS = 40


def table_of(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """A table of texts and numbers, escaped, numbers to six digits; of many rows the first, and how many there are."""
    every = list(rows)
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    shown = every[:_MOST_ROWS]
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in shown)
    more = f"<p>and {len(every) - len(shown)} more</p>" if len(every) > len(shown) else ""
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>{more}"


def page_of(title: str, *parts: str, notes: Iterable[str] = ()) -> str:
    """A title, what is shown below it, and remarks."""
    told = "".join(f"<li>{escape(text)}</li>" for text in notes)
    return f"<p><b>{escape(title)}</b></p>{''.join(parts)}{f'<ul>{told}</ul>' if told else ''}"


def image_of(png: bytes, width: int | None = None) -> str:
    """A picture that is part of the page."""
    size = "" if width is None else f' width="{width}"'
    return f'<img alt="spectrogram"{size} src="data:image/png;base64,{b64encode(png).decode("ascii")}"/>'


def spectrogram_page(shown: Spectrogram | PitchSpectrogram, what: str) -> str:
    """A small picture of all its categories, and what is known of it."""
    from batchlab.particles._draw import SpectrogramSheet, draw, pitch_grid
    from batchlab.particles._model import Scale, Spectrogram

    scale = Scale.LOG if isinstance(shown, Spectrogram) else Scale.LINEAR
    rows = pitch_grid(shown, y_scale=scale)
    notes = list(shown.notes)
    try:
        drawn = draw(SpectrogramSheet(rows=rows), width_px=_WIDTH_PX, height_px=_ROW_PX * max(len(rows), 2))
        picture = image_of(drawn.thumbnail(_SHOWN_PX), _SHOWN_PX)
    except PlotError as error:
        picture = ""
        notes.append(str(error))
    facts: list[tuple[str, object]] = [
        ("time", told_span(shown.times_s[0, 0], shown.times_s[:, 1].max()) if len(shown.times_s) else None),
        ("records", _records(len(shown.times_s), shown.dropped)),
    ]
    return page_of(
        f"{shown.name}: {what}", picture, table_of((name, value) for name, value in facts if value), notes=notes
    )


def told_span(start_s: float, end_s: float) -> str:
    """``2001-10-31 19:46:41 to 19:59:21 UTC``."""
    start, end = utc(start_s), utc(end_s)
    return f"{start} to {end[11:] if start[:10] == end[:10] else end} UTC"


def utc(time_s: float) -> str:
    """``2001-10-31 19:46:41``."""
    return datetime.fromtimestamp(float(time_s), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _records(shown: int, dropped: Dropped) -> str:
    parts = [f"{shown}"]
    if dropped.records > shown:
        parts = [f"{shown} of {dropped.records}"]
    parts += [
        f"{count} {name}"
        for count, name in (
            (dropped.invalid, "bad"),
            (dropped.low_quality, "of low quality left out"),
            (dropped.out_of_order, "put in order"),
        )
        if count
    ]
    if dropped.fraction:
        parts.append(f"{100 * dropped.fraction:.2g} % of cells left out")
    return ", ".join(parts)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escape("" if value is None else str(value))
