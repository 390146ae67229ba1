"""What a fit tells: metrics, warnings, items and files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from batchlab.engine import JobContext, Scalar
from batchlab.errors import Category, JobError
from batchlab.motion._model import DegenerateBody, Status

if TYPE_CHECKING:
    from batchlab.motion._judge import Judgement
    from batchlab.motion._model import Fit, Recording
    from batchlab.motion._score import Score
    from batchlab.motion.tasks._params import FitParams

__all__ = ["fit_metrics", "judged", "score_metrics", "tell_degenerate", "tell_notes", "write_all"]

_MM = 1e3
_MOST_RECORDINGS = 20  # whose notes are told
_MOST_SHOWN = 20_000  # frames in a viewer; of longer recordings it shows some


def tell_notes(ctx: JobContext, recordings: Sequence[Recording]) -> None:
    """What the readers have to say of the files."""
    for recording in recordings[:_MOST_RECORDINGS]:
        for text in recording.notes:
            ctx.warn(f"{recording.name}: {text}")


def fit_metrics(ctx: JobContext, fits: Sequence[Fit]) -> dict[str, Scalar]:
    """Numbers of the fits; what did not converge is told, and what failed ends the job.

    Raises
    ------
    DegenerateBody
        If no recording has a pose.
    JobError
        If a solve diverged.
    """
    from batchlab.motion._quality import quality

    if all(fit.status is Status.DEGENERATE for fit in fits):
        raise DegenerateBody("; ".join(dict.fromkeys(fit.warnings[-1] for fit in fits)))
    for fit in fits:
        if fit.status is Status.FAILED:
            raise JobError(
                f"{fit.recording}: the solve of {fit.body.name} diverged after {fit.iterations} steps; try less "
                "smoothness, or loss squared",
                category=Category.NUMERICAL,
                reason="not-solved",
            )
        if fit.status is Status.ITERATION_LIMIT:
            ctx.warn(
                f"{fit.recording}: not converged after {fit.iterations} steps; raise iterations_max (--iterations), "
                "or look whether weights fit the noise"
            )
    told = quality(fits)
    return {
        "status": told.status.value,
        "rms_mm": told.rms_m * _MM,
        "median_mm": told.median_m * _MM,
        "chi2_reduced": told.chi2_reduced,
        "iterations": told.iterations,
        "cost": told.cost,
        "recordings": len(fits),
        "markers": len(fits[0].body.markers),
        "frames": told.frames,
        "frames_measured": told.measured,
        "frames_partly": told.partly,
        "frames_inferred": told.inferred,
        "missing_share": told.missing_share,
        "inlier_share": told.inlier_share,
    }


def judged(
    ctx: JobContext,
    params: FitParams,
    recordings: Sequence[Recording],
    fits: Sequence[Fit],
    metrics: dict[str, Scalar],
) -> list[Judgement | None]:
    """What is odd about each recording, in words and as metrics; None of each where it is not asked for."""
    # The words of a judgement say the same and more, but for a given geometry.
    plain = [fit.warnings if not params.judge or ctx.given("geometry") else () for fit in fits]
    judgements: list[Judgement | None] = [None] * len(fits)
    if params.judge:
        from batchlab.motion._judge import judge

        found = [
            judge(recording, fit, data_per_m=params.weights.data_per_m)
            for recording, fit in zip(recordings, fits, strict=True)
        ]
        judgements = [*found]
        metrics["noise_mm"] = max((each.noise_m for each in found if each.noise_m == each.noise_m), default=0.0) * _MM
        metrics["swaps"] = sum(len(each.swaps) for each in found)
        metrics["outlier_runs"] = sum(len(each.outliers) for each in found)
        metrics["loose_markers"] = ", ".join(
            dict.fromkeys(row.name for each in found for row in each.markers if row.loose)
        )
    for fit, texts, judgement in zip(fits, plain, judgements, strict=True):
        for text in (*texts, *(() if judgement is None else judgement.warnings)):
            ctx.warn(f"{fit.recording}: {text}" if len(fits) > 1 else text)
    return judgements


def score_metrics(score: Score | None) -> dict[str, Scalar]:
    """Mean, standard error and median of a score, and its folds, which tell options apart that share them."""
    if score is None:
        return {}
    return {
        "held_out_mm": score.mean_m * _MM,
        "held_out_se_mm": score.standard_error_m * _MM,
        "held_out_trimmed_mm": score.trimmed_m * _MM,
        "held_out_median_mm": score.median_m * _MM,
        "held_out_folds_mm": " ".join(f"{value * _MM:.9g}" for value in score.folds_m),
        "held_out_trimmed_folds_mm": " ".join(f"{value * _MM:.9g}" for value in score.trimmed_folds_m),
        "held_out_count": score.count,
    }


def tell_degenerate(ctx: JobContext, fits: Sequence[Fit]) -> None:
    """Each recording without a pose is a failed item of a job that has others."""
    for fit in fits:
        if fit.status is Status.DEGENERATE:
            with ctx.item(fit.recording):
                raise DegenerateBody(fit.warnings[-1])


def write_all(
    ctx: JobContext,
    params: FitParams,
    recordings: Sequence[Recording],
    fits: Sequence[Fit],
    judgements: Sequence[Judgement | None],
    score: Score | None,
    metrics: Mapping[str, Scalar],
) -> None:
    """Write what the batch asks for."""
    from batchlab.motion._quality import marker_quality
    from batchlab.motion._write import report_of, write_geometry, write_markers, write_poses, write_report

    if ctx.wanted("poses"):
        write_poses(ctx.output("poses"), fits)
    if ctx.wanted("markers"):
        write_markers(ctx.output("markers"), recordings, fits)
    if ctx.wanted("geometry"):
        write_geometry(ctx.output("geometry"), fits[0], marker_quality(fits))
    if ctx.wanted("fit"):
        asked = json.loads(ctx.provenance["params"])
        report = report_of(recordings, fits, score, judgements)
        write_report(ctx.output("fit"), {"metrics": dict(metrics), "params": asked, **report})
    viewers = _write_viewers(ctx, params, recordings, fits)
    if ctx.wanted("page"):
        from batchlab.motion._panel._page import write_page

        write_page(
            ctx.output("page"),
            recordings,
            fits,
            judgements=judgements,
            score=score,
            viewers=[ctx.link("page", viewer) for viewer in viewers],
            params=json.loads(ctx.provenance["params"]),
            provenance=ctx.provenance,
        )


def _write_viewers(
    ctx: JobContext, params: FitParams, recordings: Sequence[Recording], fits: Sequence[Fit]
) -> list[str]:
    """Names of outputs, with those of files in a folder: ``viewers/walk.html``."""
    if ctx.wanted("viewer"):
        places, names = [ctx.output("viewer")], ["viewer"]
    elif ctx.wanted("viewers"):
        folder = ctx.output_dir("viewers")
        files = [f"{recording.name.replace('/', '_')}.html" for recording in recordings]
        places, names = [folder / file for file in files], [f"viewers/{file}" for file in files]
    else:
        return []
    from batchlab.motion._viewer import write_viewer

    for place, recording, fit in zip(places, recordings, fits, strict=False):
        every = max(1, -(-len(recording.times_s) // _MOST_SHOWN))
        shown = () if fit.status is Status.DEGENERATE else (fit,)
        write_viewer(place, recording, shown, up=params.up, every=every, provenance=dict(ctx.provenance))
    return names
