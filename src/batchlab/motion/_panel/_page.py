"""A page for each fit: what is odd in words, and all that stands behind it; one file, no network, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.motion._model import Status
from batchlab.motion._panel._charts import Link, residual_chart, seen_of_fit, visibility_chart
from batchlab.motion._panel._courses import pose_charts
from batchlab.motion._panel._edges import edge_chart
from batchlab.motion._panel._shell import link_to, rendered, tile
from batchlab.motion._panel._svg import told
from batchlab.motion._quality import marker_quality, quality

if TYPE_CHECKING:
    from batchlab.motion._judge import Judgement, MarkerRow
    from batchlab.motion._model import Fit, Recording
    from batchlab.motion._score import Score

__all__ = ["fit_page", "write_page"]

_BARE = "frames see too few markers for a pose"
_MM = 1e3
_MOST_DRAWN = 6  # recordings of a job
_LOCKED = 0.98
# Where a sentence of a judgement points to: its first frame, and the marker it is about.
_FRAME = re.compile(r"\b(frames?) (\d+)")
_MARKER = re.compile(r"\bmarkers? (\S+)")


def write_page(
    path: Path | str,
    recordings: Sequence[Recording],
    fits: Sequence[Fit],
    *,
    judgements: Sequence[Judgement | None] = (),
    score: Score | None = None,
    viewers: Sequence[str | None] = (),
    params: Mapping[str, Any] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write the page of `fit_page` to a file, and return its path."""
    target = Path(path)
    target.write_text(
        fit_page(
            recordings,
            fits,
            judgements=judgements,
            score=score,
            viewers=viewers,
            params=params,
            provenance=provenance,
        ),
        encoding="utf-8",
        newline="\n",
    )
    return target


def fit_page(
    recordings: Sequence[Recording],
    fits: Sequence[Fit],
    *,
    judgements: Sequence[Judgement | None] = (),
    score: Score | None = None,
    viewers: Sequence[str | None] = (),
    params: Mapping[str, Any] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """A page that tells of the fits of one body.

    Parameters
    ----------
    recordings, fits
        In the same order.
    judgements
        Of each fit, in order; none, or None for one that was not judged.
    score
        Of the options.
    viewers
        Addresses, relative to the page, of the pages that play each recording; places of the charts lead there.
    params
        Options, as they were asked for.
    provenance
        How it was made; shown, and given back by ``read_provenance``.

    Returns
    -------
    str
        The whole file, to be written as UTF-8.
    """
    judged = list(judgements) or [None] * len(fits)
    places = [*viewers, *[None] * (len(fits) - len(viewers))]
    links = [link_to(place) for place in places]
    order = _order(fits)
    several = len(fits) > 1
    title = f"{fits[0].body.name} in {fits[0].recording}" if not several else fits[0].body.name
    return rendered(
        "fit.html",
        params=params,
        provenance=provenance,
        title=title,
        subtitle=_subtitle(recordings, fits),
        tiles=list(_tiles(fits, score)),
        sentences=[
            sentence
            for at in range(len(fits))
            for sentence in _sentences(recordings[at], fits[at], judged[at], links[at], several)
        ],
        judged=any(each is not None for each in judged),
        markers=_markers(fits, [row for each in judged if each is not None for row in each.markers]),
        views=[_view(recordings[at], fits[at], places[at], links[at]) for at in order],
        unshown=len(fits) - len(order),
        edges=edge_chart(recordings, fits),
        numbers="fit.json",
        of_frames="poses.csv and markers.csv",
    )


def _order(fits: Sequence[Fit]) -> list[int]:
    """Those that are drawn: of many, the worst."""
    if len(fits) <= _MOST_DRAWN:
        return list(range(len(fits)))
    worst = sorted(range(len(fits)), key=lambda at: -np.nan_to_num(quality((fits[at],)).rms_m, nan=np.inf))
    return sorted(worst[:_MOST_DRAWN])


def _subtitle(recordings: Sequence[Recording], fits: Sequence[Fit]) -> str:
    frames = sum(len(fit.times_s) for fit in fits)
    seconds = sum(float(fit.times_s[-1] - fit.times_s[0]) for fit in fits)
    rates = sorted({round(each.rate_hz, 3) for each in recordings if each.rate_hz is not None})
    parts = [
        f"{len(fits[0].body.markers)} markers",
        f"{frames:,} frames in {told(seconds)} s".replace(",", " "),
    ]
    if len(fits) > 1:
        parts.insert(0, f"{len(fits)} recordings that share one geometry")
    if rates:
        parts.append(f"{' and '.join(f'{rate:g}' for rate in rates)} Hz")
    return ", ".join(parts)


def _tiles(fits: Sequence[Fit], score: Score | None) -> Iterator[dict[str, Any]]:
    own = quality(fits)
    yield tile("rms distance", f"{told(own.rms_m * _MM)} mm", f"median {told(own.median_m * _MM)} mm")
    if score is not None:
        error = told(score.standard_error_m * _MM, 2)
        yield tile(
            f"foretold ({score.how.kind.value})", f"{told(score.mean_m * _MM)} ± {error} mm", "markers not shown"
        )
    yield tile(
        "reduced chi-square",
        told(own.chi2_reduced),
        "1 where weights tell the noise",
    )
    yield tile(
        "solve",
        own.status.value,
        f"{own.iterations} steps",
        warn=own.status is not Status.CONVERGED,
    )
    yield tile("not seen", f"{told(100 * own.missing_share)} %", "of marker-frames")
    yield tile("inliers", f"{told(100 * own.inlier_share)} %", "of those seen")
    yield tile(
        "poses inferred",
        f"{own.inferred}",
        f"of {own.frames}; {own.partly} from some of the markers",
        warn=own.inferred > 0,
    )


def _sentences(
    recording: Recording, fit: Fit, judgement: Judgement | None, link: Link, several: bool
) -> Iterator[dict[str, Any]]:
    """Warnings in words, each leading to the frame it names."""
    warnings = list(fit.warnings)
    if judgement is not None:
        # The judgement tells which frames.
        warnings = [each for each in warnings if not (judgement.inferred and _BARE in each)]
        # Of a marker that is judged, the judgement says the same and more.
        told = {_marker_of(sentence, fit) for sentence in judgement.warnings} - {None}
        warnings = [each for each in warnings if _marker_of(each, fit) not in told] + [*judgement.warnings]
    before = f"{escape(recording.name)}: " if several else ""
    for sentence in dict.fromkeys(warnings):
        yield {"html": before + _linked(sentence, fit, link), "note": False}
    for note in recording.notes:
        yield {"html": before + escape(note), "note": True}


def _marker_of(sentence: str, fit: Fit) -> str | None:
    """The marker that a sentence is about."""
    return next((name for name in _MARKER.findall(sentence) if name in fit.body.markers), None)


def _linked(sentence: str, fit: Fit, link: Link) -> str:
    named = _marker_of(sentence, fit)

    def leads(found: re.Match[str]) -> str:
        href = link(int(found[2]), named)
        return found[0] if href is None else f'<a href="{escape(href)}">{found[0]}</a>'

    return _FRAME.sub(leads, escape(sentence))


def _markers(fits: Sequence[Fit], judged: Sequence[MarkerRow]) -> list[dict[str, Any]]:
    geometry = fits[0].geometry_m * _MM
    known = np.isfinite(geometry[:, 0])
    centre = geometry[known].mean(axis=0) if known.any() else np.zeros(3)
    rows = marker_quality(fits)
    most = max((row.rms_m for row in rows if np.isfinite(row.rms_m)), default=1.0) or 1.0
    out = []
    for row, place in zip(rows, geometry, strict=True):
        own = [each for each in judged if each.name == row.marker]
        predicted = [each.predicted_m for each in own if np.isfinite(each.predicted_m)]
        out.append(
            {
                "name": row.marker,
                "loose": any(each.loose for each in own),
                "place": [_fixed(value) for value in (*place, np.linalg.norm(place - centre))],
                "rms": told(row.rms_m * _MM),
                "rms_share": float(np.nan_to_num(row.rms_m / most)),
                "median": told(row.median_m * _MM),
                "predicted": told(float(np.median(predicted)) * _MM) if predicted else "–",
                "inliers": told(100 * row.inlier_share),
                "inlier_share": float(np.nan_to_num(row.inlier_share)),
                "missing": told(100 * row.missing_share),
                "missing_share": float(np.nan_to_num(row.missing_share)),
            }
        )
    return out


def _fixed(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _view(recording: Recording, fit: Fit, viewer: str | None, link: Link) -> dict[str, Any]:
    own = quality((fit,))
    words = f"{own.frames} frames, {fit.status.value}, rms {told(own.rms_m * _MM)} mm"
    out: dict[str, Any] = {"name": recording.name, "viewer": viewer, "words": words, "residuals": ""}
    if fit.status is Status.DEGENERATE or not np.isfinite(fit.residuals_m).any():
        return out
    seen = seen_of_fit(fit)
    return {
        **out,
        "residuals": residual_chart(seen, link),
        "visibility": visibility_chart(seen),
        "poses": pose_charts(fit),
        "uncertain": fit.pose_sd is not None,
        "locked": bool((np.abs(fit.rotations[:, 2, 0]) > _LOCKED).any()),
    }
