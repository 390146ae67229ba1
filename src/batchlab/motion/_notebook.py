"""How recordings, fits and scores look in a notebook: a line, small tables, a picture that needs no library to draw."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchlab.motion._model import Fit, Recording
    from batchlab.motion._score import Score

__all__ = [
    "fit_html",
    "fit_line",
    "notebook_page",
    "notebook_table",
    "recording_html",
    "recording_line",
    "score_html",
    "score_line",
    "sized",
]

_MOST_MARKERS = 40
_WIDE, _LEFT, _RIGHT = 700.0, 100.0, 56.0


def recording_line(recording: Recording) -> str:
    """``<Recording 'walk': 8 markers, 1000 frames in 9.99 s at 100 Hz, 6.1 % not seen>``."""
    from batchlab.motion._panel._svg import told

    share = _missing(recording)
    seen = "" if share is None else f", {told(100 * share)} % not seen"
    return f"<Recording {recording.name!r}: {len(recording.markers)} markers, {_span(recording)}{seen}>"


def fit_line(fit: Fit) -> str:
    """``<Fit of 'box' in 'walk': converged after 7 steps, 3.3 mm rms, 1000 frames, 1 warning>``."""
    from batchlab.motion._panel._svg import told
    from batchlab.motion._quality import quality

    count = len(fit.warnings)
    warned = f", {count} warning{'s' * (count > 1)}" if count else ""
    return (
        f"<Fit of {fit.body.name!r} in {fit.recording!r}: {fit.status.value} after {fit.iterations} steps, "
        f"{told(1e3 * quality((fit,)).rms_m)} mm rms, {len(fit.times_s)} frames{warned}>"
    )


def recording_html(recording: Recording) -> str:
    """When each marker was seen, and what is known of the recording."""
    import numpy as np

    from batchlab.motion._panel._svg import Axis, Plot, axis_of, bars, columns_of, svg, text, told

    facts = [
        ("markers", len(recording.markers)),
        ("frames", _span(recording)),
        ("unit", recording.stated_unit or recording.unit),
    ]
    picture = ""
    markers = recording.markers[:_MOST_MARKERS]
    if len(recording.times_s) > 1 and markers:
        high = 15.0
        axis = axis_of(float(recording.times_s[0]), float(recording.times_s[-1]), 8)
        nameless = Axis(low=0.0, high=1.0, names=())
        plot = Plot(left=_LEFT, top=6.0, width=_WIDE - _LEFT - _RIGHT, height=high * len(markers), x=axis, y=nameless)
        columns = columns_of(recording.times_s, plot)
        seen = np.isfinite(recording.positions[:, : len(markers), 0])
        parts = []
        for number, marker in enumerate(markers):
            top = plot.top + number * high
            parts.append(bars(columns.some(seen[:, number]), columns.ends, top + 1, high - 2, "#0072b2", 0.6))
            parts.append(text(_LEFT - 8, top + 11, marker if len(marker) < 15 else f"…{marker[-13:]}", "end"))
            parts.append(text(_WIDE - _RIGHT + 6, top + 11, f"{told(100 * float(seen[:, number].mean()))} %"))
        parts.append(plot.sides("time / s"))
        picture = sized(svg(parts, _WIDE, plot.top + plot.height + 38, "when each marker was seen"), 700)
    more = len(recording.markers) - len(markers)
    notes = [*recording.notes, *([f"and {more} more markers"] if more else [])]
    return notebook_page(recording.name, notebook_table(facts), picture, notes=notes)


def fit_html(fit: Fit) -> str:
    """How well the body fits over time, and marker by marker."""
    import numpy as np

    from batchlab.motion._panel._svg import Plot, axis_of, columns_of, line, svg, told
    from batchlab.motion._quality import marker_quality, quality

    own = quality((fit,))
    facts = [
        ("solve", f"{fit.status.value} after {fit.iterations} steps"),
        ("rms distance", f"{told(1e3 * own.rms_m)} mm, median {told(1e3 * own.median_m)} mm"),
        ("reduced chi-square", told(fit.chi2_reduced)),
        ("poses", f"{own.measured} measured, {own.partly} from some of the markers, {own.inferred} inferred"),
    ]
    head = ("marker", "x / mm", "y / mm", "z / mm", "rms / mm", "not seen / %", "inliers / %")
    rows = [
        (
            each.marker,
            *(f"{1e3 * value + 0.0:.2f}" for value in place),
            told(1e3 * each.rms_m),
            told(100 * each.missing_share),
            told(100 * each.inlier_share),
        )
        for each, place in zip(marker_quality((fit,))[:_MOST_MARKERS], fit.geometry_m, strict=False)
    ]
    squares = np.einsum("fmi,fmi->fm", fit.residuals_m, fit.residuals_m)
    count = np.isfinite(squares).sum(axis=1)
    rms = 1e3 * np.sqrt(np.nansum(squares, axis=1) / np.where(count, count, np.nan))
    picture = ""
    if np.isfinite(rms).any() and len(rms) > 1:
        x = axis_of(float(fit.times_s[0]), float(fit.times_s[-1]), 8)
        plot = Plot(left=60.0, top=22.0, width=_WIDE - 72, height=100.0, x=x, y=axis_of(0.0, float(np.nanmax(rms)), 4))
        columns = columns_of(fit.times_s, plot)
        drawn = line(columns.ends.mean(axis=1), plot.down(columns.highest(rms)), "#0072b2")
        picture = sized(
            svg([drawn, plot.sides("time / s", "rms of a frame / mm")], _WIDE, 160, "residual over time"), 700
        )
    return notebook_page(
        f"{fit.body.name} in {fit.recording}",
        notebook_table(facts),
        picture,
        notebook_table(rows, head),
        notes=fit.warnings,
    )


def score_line(score: Score) -> str:
    """``<Score held-out: 3.498 ± 0.025 mm over 5 folds, 4000 places foretold, 1 warning>``."""
    count = len(score.warnings)
    warned = f", {count} warning{'s' * (count > 1)}" if count else ""
    return f"<Score {score.how.kind}: {_told_score(score)}, {score.count} places foretold{warned}>"


def score_html(score: Score) -> str:
    """How well options foretell, fold by fold."""
    from batchlab.motion._panel._svg import told

    facts = [
        ("score", _told_score(score)),
        ("without the worst 5 %", f"{told(1e3 * score.trimmed_m, 4)} mm"),
        ("median of distances", f"{told(1e3 * score.median_m, 4)} mm"),
        ("places foretold", score.count),
    ]
    rows = [
        (number, told(1e3 * float(whole), 4), told(1e3 * float(trimmed), 4))
        for number, (whole, trimmed) in enumerate(zip(score.folds_m, score.trimmed_folds_m, strict=True), 1)
    ]
    head = ("fold", "score / mm", "without the worst 5 % / mm")
    return notebook_page(
        f"{score.how.kind} score", notebook_table(facts), notebook_table(rows, head), notes=score.warnings
    )


def _told_score(score: Score) -> str:
    from batchlab.motion._panel._svg import with_error

    folds = sum(math.isfinite(value) for value in score.folds_m)
    over = f"{folds} fold{'s' * (folds != 1)}"
    return f"{with_error(1e3 * score.mean_m, 1e3 * score.standard_error_m)} mm over {over}"


def _span(recording: Recording) -> str:
    from batchlab.motion._panel._svg import told

    times = recording.times_s
    took = f" in {told(float(times[-1] - times[0]))} s" if len(times) > 1 else ""
    rate = f" at {recording.rate_hz:g} Hz" if recording.rate_hz is not None else ""
    return f"{len(times)} frames{took}{rate}"


def _missing(recording: Recording) -> float | None:
    import numpy as np

    return float(np.isnan(recording.positions).any(axis=2).mean()) if recording.positions.size else None


def sized(drawing: str, width: int) -> str:
    """A drawing of a width in px: notebooks give it none."""
    return drawing.replace("<svg ", f'<svg width="{width}" ', 1)


def notebook_table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Rows of cells, which are only text."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"


def notebook_page(title: str, *parts: str, notes: Iterable[str] = ()) -> str:
    """A title, parts below each other, and notes, which are only text."""
    told = "".join(f"<li>{escape(text)}</li>" for text in notes)
    return f"<p><b>{escape(title)}</b></p>{''.join(parts)}{f'<ul>{told}</ul>' if told else ''}"
