"""The task that fits a body to recordings, and scores how well that foretells what it was not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError, JobError
from batchlab.motion._model import DegenerateBody, Status
from batchlab.motion.tasks._params import OUTPUTS, FitParams, Scoring
from batchlab.motion.tasks._reading import body_of, kept_recordings, kept_start

if TYPE_CHECKING:
    from batchlab.motion._model import Body, Fit, Float, Recording
    from batchlab.motion._score import Score, Solved

__all__ = ["LIBRARIES", "fit"]

LIBRARIES = ("numpy", "scipy")
_MM = 1e3
_MOST_NOTES = 20


@task(
    name="motion.fit",
    version="1",
    params=FitParams,
    inputs=("recordings",),
    optional_inputs=("geometry", "test"),
    outputs=OUTPUTS,
    formats={"poses": (".csv",), "markers": (".csv",), "geometry": (".csv",), "fit": (".json",)},
    libraries=LIBRARIES,
    preload=("batchlab.motion._read", "batchlab.motion._score", "batchlab.motion._write"),
)
def fit(ctx: JobContext, params: FitParams) -> Mapping[str, Scalar]:
    """Fit a rigid body to markers: poses of every frame, and one geometry for all recordings of the job.

    With the input `geometry` that geometry is used; with the input `test`, the geometry fitted to the recordings is
    carried to others, and it is there that its options are scored.
    """
    ctx.stage("read")
    recordings, keys = kept_recordings(ctx, params, "recordings")
    body = body_of(params, recordings)
    _tell_notes(ctx, recordings)
    ctx.stage("solve")
    solved = _solved(ctx, params, recordings, keys, body, _given(ctx, body))
    fits = solved.fits()
    metrics = _metrics(ctx, fits)
    _tell_degenerate(ctx, fits)
    score = None
    if ctx.given("test"):
        ctx.stage("test")
        tested, score = _tested(ctx, params, body, fits[0])
        metrics |= tested
    elif params.score is not Scoring.NONE:
        ctx.stage("score")
        score = _scored(ctx, params, solved)
    metrics |= _score_metrics(score)
    ctx.stage("write")
    _write(ctx, recordings, fits, score, metrics)
    return metrics


def _solved(
    ctx: JobContext,
    params: FitParams,
    recordings: Sequence[Recording],
    keys: Sequence[str],
    body: Body,
    geometry_m: Float | None,
) -> Solved:
    from batchlab.motion._score import solve

    options = params.options(geometry_m)
    if params.geometry == "given" and geometry_m is None:
        raise DataError("the geometry is to be as given, and the job has no input geometry; name a geometry.csv")
    return solve(recordings, body, options, start=kept_start(ctx, recordings, keys, body, options))


def _given(ctx: JobContext, body: Body) -> Float | None:
    """The geometry of the input, in order of the body's markers."""
    if not ctx.given("geometry"):
        return None
    import numpy as np

    from batchlab.motion._write import read_geometry

    path = ctx.input("geometry")
    names, places = read_geometry(path)
    lacking = [name for name in body.markers if name not in names]
    if lacking:
        raise DataError(
            f"{path}: it has no place for {', '.join(lacking)} of {body.name}; it has {', '.join(names)}",
            reason="not-a-geometry",
        )
    chosen: Float = np.ascontiguousarray(places[[names.index(name) for name in body.markers]])
    return chosen


def _tested(ctx: JobContext, params: FitParams, body: Body, trained: Fit) -> tuple[dict[str, Scalar], Score | None]:
    """How the geometry of a fit does on other recordings."""
    import numpy as np

    from batchlab.motion._quality import quality

    # A marker that training never saw has no place to be tested.
    known = np.isfinite(trained.geometry_m[:, 0])
    markers = tuple(name for name, has in zip(body.markers, known, strict=True) if has)
    part = replace(body, markers=markers, edges=())
    recordings, keys = kept_recordings(ctx, params, "test")
    fixed = params.model_copy(update={"geometry": "given", "covariance": False})
    solved = _solved(ctx, fixed, recordings, keys, part, np.ascontiguousarray(trained.geometry_m[known]))
    fits = solved.fits()
    _tell_degenerate(ctx, fits)
    told = quality(fits)
    score = None if params.score is Scoring.NONE else _scored(ctx, params, solved)
    return {
        "test_rms_mm": told.rms_m * _MM,
        "test_median_mm": told.median_m * _MM,
        "test_chi2_reduced": told.chi2_reduced,
        "test_frames": told.frames,
    }, score


def _scored(ctx: JobContext, params: FitParams, solved: Solved) -> Score:
    from batchlab.motion._score import score

    found = score(solved, params.holdout)
    for text in found.warnings:
        ctx.warn(text)
    return found


def _metrics(ctx: JobContext, fits: Sequence[Fit]) -> dict[str, Scalar]:
    """Numbers of the fits; what did not converge is told, and what failed ends the job."""
    from batchlab.motion._quality import quality

    told = quality(fits)
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
                f"{fit.recording}: not converged after {fit.iterations} steps; raise iterations_max, or look whether "
                "weights fit the noise"
            )
        for text in fit.warnings:
            ctx.warn(f"{fit.recording}: {text}" if len(fits) > 1 else text)
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


def _score_metrics(score: Score | None) -> dict[str, Scalar]:
    if score is None:
        return {}
    return {
        "held_out_mm": score.mean_m * _MM,
        "held_out_se_mm": score.standard_error_m * _MM,
        "held_out_median_mm": score.median_m * _MM,
        "held_out_folds_mm": " ".join(f"{value * _MM:.6g}" for value in score.folds_m),
        "held_out_count": score.count,
    }


def _tell_notes(ctx: JobContext, recordings: Sequence[Recording]) -> None:
    for recording in recordings[:_MOST_NOTES]:
        for text in recording.notes:
            ctx.warn(f"{recording.name}: {text}")


def _tell_degenerate(ctx: JobContext, fits: Sequence[Fit]) -> None:
    """Each recording without a pose is a failed item of a job that has others."""
    for fit in fits:
        if fit.status is Status.DEGENERATE:
            with ctx.item(fit.recording):
                raise DegenerateBody(fit.warnings[-1])


def _write(
    ctx: JobContext,
    recordings: Sequence[Recording],
    fits: Sequence[Fit],
    score: Score | None,
    metrics: Mapping[str, Scalar],
) -> None:
    from batchlab.motion._quality import marker_quality
    from batchlab.motion._write import report_of, write_geometry, write_markers, write_poses, write_report

    if ctx.wanted("poses"):
        write_poses(ctx.output("poses"), fits)
    if ctx.wanted("markers"):
        write_markers(ctx.output("markers"), recordings, fits)
    if ctx.wanted("geometry"):
        write_geometry(ctx.output("geometry"), fits[0], marker_quality(fits))
    if ctx.wanted("fit"):
        report: dict[str, Any] = {
            "metrics": dict(metrics),
            "params": _params(ctx),
            **report_of(recordings, fits, score),
        }
        write_report(ctx.output("fit"), report)


def _params(ctx: JobContext) -> Any:
    import json

    return json.loads(ctx.provenance["params"])
