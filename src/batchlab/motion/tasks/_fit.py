"""The task that fits a body to recordings, and scores how well that foretells what it was not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import ConfigError
from batchlab.motion.tasks._params import OUTPUTS, VIEWERS, FitParams, Scoring
from batchlab.motion.tasks._reading import body_of, kept_recordings, kept_start
from batchlab.motion.tasks._telling import (
    fit_metrics,
    judged,
    score_metrics,
    tell_degenerate,
    tell_notes,
    write_all,
)

if TYPE_CHECKING:
    from batchlab.motion._model import Body, Fit, Float, Recording
    from batchlab.motion._score import Score, Solved

__all__ = ["LIBRARIES", "fit"]

LIBRARIES = ("numpy", "scipy")
_MM = 1e3
_MEND_ROUNDS = 3
# A geometry that fits others so much worse than its own is another body's.
_FOREIGN = 3.0


@task(
    name="motion.fit",
    version="1",
    params=FitParams,
    inputs=("recordings",),
    optional_inputs=("geometry", "test"),
    outputs={**OUTPUTS, **dict.fromkeys(VIEWERS)},
    formats={
        "poses": (".csv",),
        "markers": (".csv",),
        "geometry": (".csv",),
        "fit": (".json",),
        "page": (".html",),
        "viewer": (".html",),
    },
    libraries=LIBRARIES,
    preload=("batchlab.motion._read", "batchlab.motion._score", "batchlab.motion._write", "batchlab.motion._judge"),
)
def fit(ctx: JobContext, params: FitParams) -> Mapping[str, Scalar]:
    """Fit a rigid body to markers: poses of every frame, and one geometry for all recordings of the job.

    With the input `geometry` that geometry is used; with the input `test`, the geometry fitted to the recordings is
    carried to others, and it is there that its options are scored.
    """
    ctx.stage("read")
    recordings, keys = kept_recordings(ctx, params, "recordings")
    body = body_of(params, recordings)
    tell_notes(ctx, recordings)
    if params.asks_for_nothing:
        ctx.warn(
            f"smoothing is {params.smoothing}, and both its weights are 0: nothing is asked of the motion; set "
            "weights.rotation and weights.translation (--rotation-weight, --translation-weight), by a sweep if need be"
        )
    ctx.stage("solve")
    geometry_m = _given(ctx, params, body)
    solved = _solved(ctx, params, recordings, keys, body, geometry_m)
    fits = solved.fits()
    if params.mend_swaps:
        solved, fits = _mended(ctx, solved, fits)
        recordings = list(solved.recordings)
    metrics = {**fit_metrics(ctx, fits), "cost_start": solved.cost_start}
    tell_degenerate(ctx, fits)
    judgements = judged(ctx, params, recordings, fits, metrics)
    score = None
    if ctx.given("test"):
        ctx.stage("test")
        tested, score = _tested(ctx, params, body, fits[0], float(metrics["rms_mm"] or 0.0))
        metrics |= tested
    elif params.score is not Scoring.NONE:
        ctx.stage("score")
        score = _scored(ctx, params, solved)
    metrics |= score_metrics(score)
    ctx.stage("write")
    write_all(ctx, params, recordings, fits, judgements, score, metrics)
    return metrics


def _given(ctx: JobContext, params: FitParams, body: Body) -> Float | None:
    """The geometry of the input, in order of the body's markers."""
    if params.anchor_mm is not None and params.geometry == "given":
        raise ConfigError("anchor_mm holds a geometry that is estimated, and geometry is 'given'; leave one out")
    if not ctx.given("geometry"):
        if params.geometry == "given":
            raise ConfigError("geometry is 'given', and the job has no input of that name; name a geometry.csv as it")
        if params.anchor_mm is not None:
            raise ConfigError("anchor_mm is given, and the job has no input geometry to hold to; name a geometry.csv")
        return None
    from batchlab.motion._write import geometry_for

    return geometry_for(ctx.input("geometry"), body)


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
    return solve(recordings, body, options, start=kept_start(ctx, recordings, keys, body, options))


def _mended(ctx: JobContext, solved: Solved, fits: tuple[Fit, ...]) -> tuple[Solved, tuple[Fit, ...]]:
    """Names of markers put right where they are exchanged, and the fit of that."""
    from batchlab.motion._judge import swap_runs, unswapped
    from batchlab.motion._score import solve

    for _ in range(_MEND_ROUNDS):
        swaps = [swap_runs(recording, fit) for recording, fit in zip(solved.recordings, fits, strict=True)]
        if not any(swaps):
            break
        recordings = [unswapped(recording, found) for recording, found in zip(solved.recordings, swaps, strict=True)]
        for recording, found in zip(recordings, swaps, strict=True):
            for note in recording.notes[len(recording.notes) - len(found) :]:
                ctx.warn(f"{recording.name}: {note}")
        solved = solve(recordings, solved.body, solved.options)
        fits = solved.fits()
    return solved, fits


def _tested(
    ctx: JobContext, params: FitParams, body: Body, trained: Fit, rms_mm: float
) -> tuple[dict[str, Scalar], Score | None]:
    """How the geometry of a fit does on other recordings."""
    import numpy as np

    from batchlab.motion._quality import quality

    # A marker that training never saw has no place to be tested.
    known = np.isfinite(trained.geometry_m[:, 0])
    markers = tuple(name for name, has in zip(body.markers, known, strict=True) if has)
    recordings, keys = kept_recordings(ctx, params, "test")
    there = {name for recording in recordings for name in recording.markers}
    edges = tuple(edge for edge in params.soft_edges if edge.marker in markers and edge.point in there)
    # Of a given geometry nothing is left to know but the way to points outside it.
    free = {"anchor_mm": None, "distances": (), "symmetry": None, "soft_edges": edges}
    fixed = params.model_copy(update={"geometry": "given", "covariance": False, **free})
    part = replace(body, markers=markers, edges=())
    solved = _solved(ctx, fixed, recordings, keys, part, np.ascontiguousarray(trained.geometry_m[known]))
    fits = solved.fits()
    tell_degenerate(ctx, fits)
    told = quality(fits)
    if told.rms_m * _MM > _FOREIGN * rms_mm:
        ctx.warn(
            f"the geometry does not fit {', '.join(each.name for each in recordings)}: {told.rms_m * _MM:.3g} mm rms, "
            f"and {rms_mm:.3g} mm where it comes from; if these are other bodies, validate with own geometry"
        )
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
        # Of options beside each other, each fit unjudged, the choice tells it once.
        if params.judge or text != found.outliers:
            ctx.warn(text)
    return found
