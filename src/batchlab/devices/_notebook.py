"""How results look in a notebook: small tables, and a curve as a tiny picture that needs no library to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchlab.devices._model import Array, DerivedMetric, Run

__all__ = ["counted", "curve_svg", "metrics_table", "page_of", "run_curve", "table_of"]

_MOST = 40  # rows of a table
_WIDTH, _HEIGHT, _MARGIN = 420, 150, 8
_LEFT, _BOTTOM = 78, 34
_COLUMNS = 200  # of a curve: each shows its lowest and its highest point
# What is drawn of a run: over the first of these that it has, the first of those.
_OVER = ("Vg (V)", "VL (V)", "Vsd (V)", "VSD (V)", "t (s)")
_DRAWN = ("I (A)", "VDS (V)", "Power (W)")


def table_of(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """A table of texts and numbers, escaped; numbers to six digits."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"


def page_of(title: str, *parts: str, notes: Iterable[str] = ()) -> str:
    """A title, what is shown below it, and remarks."""
    told = "".join(f"<li>{escape(text)}</li>" for text in notes)
    return f"<p><b>{escape(title)}</b></p>{''.join(parts)}{f'<ul>{told}</ul>' if told else ''}"


def metrics_table(metrics: Sequence[DerivedMetric]) -> str:
    """A row for each value, with its error, method and flags."""
    rows = [
        (
            each.run_id,
            each.metric_name,
            each.value_float if each.value_float is not None else each.value_str or _part(each.value_json),
            each.standard_error,
            each.unit,
            each.extraction_method,
            each.confidence,
            ", ".join(each.flags),
        )
        for each in metrics[:_MOST]
    ]
    head = ("run", "metric", "value", "standard error", "unit", "method", "confidence", "flags")
    more = [f"and {len(metrics) - _MOST} more"] if len(metrics) > _MOST else []
    return table_of(rows, head) + "".join(f"<p>{text}</p>" for text in more)


def counted(counts: Mapping[str, int]) -> str:
    """``12 IVg, 3 It``."""
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"


def run_curve(run: Run) -> str:
    """What was recorded, as a curve; nothing if a run has no columns to draw."""
    over = next((name for name in _OVER if name in run.columns), None)
    drawn = next((name for name in (*_DRAWN, *run.columns) if name in run.columns and name != over), None)
    if over is None or drawn is None:
        return ""
    return curve_svg(run.columns[over], run.columns[drawn], over, drawn)


def curve_svg(x: Array, y: Array, x_label: str, y_label: str) -> str:
    """A curve in the order it was recorded, with the ends of both axes, thinned to what its width can show."""
    import numpy as np

    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if there.size < 2:
        return ""
    if there.size > 2 * _COLUMNS:
        parts = np.array_split(there, _COLUMNS)
        there = np.unique([part[pick(y[part])] for part in parts for pick in (np.argmin, np.argmax)])
    ends = [(float(values[there].min()), float(values[there].max())) for values in (x, y)]
    left = _LEFT + (x[there] - ends[0][0]) / ((ends[0][1] - ends[0][0]) or 1.0) * (_WIDTH - _LEFT - _MARGIN)
    floor = _HEIGHT - _BOTTOM
    down = floor - (y[there] - ends[1][0]) / ((ends[1][1] - ends[1][0]) or 1.0) * (floor - _MARGIN)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(left.tolist(), down.tolist(), strict=True))
    words = (
        _text(_LEFT, _HEIGHT - 20, f"{ends[0][0]:.4g}", "start"),
        _text(_WIDTH - _MARGIN, _HEIGHT - 20, f"{ends[0][1]:.4g}", "end"),
        _text((_LEFT + _WIDTH) / 2, _HEIGHT - 6, x_label, "middle"),
        _text(_LEFT - 4, _MARGIN + 10, f"{ends[1][1]:.4g}", "end"),
        _text(_LEFT - 4, floor, f"{ends[1][0]:.4g}", "end"),
        _text(_LEFT - 4, (floor + _MARGIN) / 2 + 4, y_label, "end"),
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
        f'<rect x="{_LEFT}" y="{_MARGIN}" width="{_WIDTH - _LEFT - _MARGIN}" height="{floor - _MARGIN}" fill="none" '
        f'stroke="#cccccc"/><polyline fill="none" stroke="#0072b2" points="{points}"/>{"".join(words)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-family="sans-serif" font-size="11" fill="#333333">'
        f"{escape(text)}</text>"
    )


def _part(value: Mapping[str, object] | None) -> str:
    text = "" if value is None else ", ".join(value)
    return f"{{{text}}}" if text else ""


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escape("" if value is None else str(value))
