"""All that a fit came to, for machines: fit.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.motion._quality import edge_lengths, marker_quality, quality

if TYPE_CHECKING:
    from batchlab.motion._judge import Judgement
    from batchlab.motion._model import Fit, Recording
    from batchlab.motion._score import Score

__all__ = ["report_of", "write_report"]


def report_of(
    recordings: Sequence[Recording],
    fits: Sequence[Fit],
    score: Score | None = None,
    judgements: Sequence[Judgement | None] = (),
) -> dict[str, Any]:
    """Body, recordings, numbers by marker and by edge, and the score by fold and marker; lengths in mm.

    Parameters
    ----------
    recordings, fits
        In the same order.
    score
        Of the options.
    judgements
        Of each fit, in order; none, or None for one that was not judged.
    """
    judged = judgements or [None] * len(fits)
    first = fits[0]
    return {
        "body": {
            "name": first.body.name,
            "markers": list(first.body.markers),
            "geometry_mm": (first.geometry_m * 1e3).tolist(),
        },
        "recordings": [
            {**_recording(recording, fit), "judgement": None if judgement is None else _judgement(judgement)}
            for recording, fit, judgement in zip(recordings, fits, judged, strict=True)
        ],
        "markers": [
            {
                "marker": each.marker,
                "rms_mm": each.rms_m * 1e3,
                "median_mm": each.median_m * 1e3,
                "missing_share": each.missing_share,
                "inlier_share": each.inlier_share,
            }
            for each in marker_quality(fits)
        ],
        "edges": [
            {
                "markers": [each.first, each.second],
                "fitted_mm": each.fitted_m * 1e3,
                "measured_mm": each.measured_m * 1e3,
                "sd_mm": each.sd_m * 1e3,
                "percentiles_mm": [value * 1e3 for value in each.percentiles_m],
            }
            for each in edge_lengths(recordings, first.body, first.geometry_m)
        ],
        "score": None if score is None else _score(score, first.body.markers),
    }


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write it as JSON; what is no number is null."""
    text = json.dumps(_plain(report), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _recording(recording: Recording, fit: Fit) -> dict[str, Any]:
    own = quality((fit,))
    return {
        "name": recording.name,
        "frames": own.frames,
        "rate_hz": recording.rate_hz,
        "unit": recording.stated_unit or recording.unit,
        "status": fit.status.value,
        "iterations": fit.iterations,
        "cost": fit.cost,
        "rms_mm": own.rms_m * 1e3,
        "median_mm": own.median_m * 1e3,
        "chi2_reduced": fit.chi2_reduced,
        "missing_share": own.missing_share,
        "covered": {"measured": own.measured, "partly": own.partly, "inferred": own.inferred},
        "notes": list(recording.notes),
        "warnings": list(fit.warnings),
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "warnings": list(judgement.warnings),
        "noise_mm": judgement.noise_m * 1e3,
        "thickness_mm": judgement.thickness_m * 1e3,
        "width_mm": judgement.width_m * 1e3,
        "loose": [row.name for row in judgement.markers if row.loose],
        "predicted_mm": {row.name: row.predicted_m * 1e3 for row in judgement.markers},
        "swaps": [
            {"names": list(swap.names), "truly": list(swap.truly), "start": swap.start, "stop": swap.stop}
            for swap in judgement.swaps
        ],
        "outliers": [
            {"marker": run.marker, "start": run.start, "stop": run.stop, "largest_mm": run.largest_m * 1e3}
            for run in judgement.outliers
        ],
        "outlier_frames": list(judgement.outlier_frames),
        "inferred": [list(span) for span in judgement.inferred],
    }


def _score(score: Score, markers: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": score.how.kind.value,
        "seed": score.how.seed,
        "mean_mm": score.mean_m * 1e3,
        "standard_error_mm": score.standard_error_m * 1e3,
        "trimmed_mm": score.trimmed_m * 1e3,
        "median_mm": score.median_m * 1e3,
        "folds_mm": (score.folds_m * 1e3).tolist(),
        "trimmed_folds_mm": (score.trimmed_folds_m * 1e3).tolist(),
        "markers_mm": {name: value * 1e3 for name, value in zip(markers, score.per_marker_m.tolist(), strict=True)},
        "count": score.count,
    }


def _plain(value: Any) -> Any:
    """With null for what is no finite number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
