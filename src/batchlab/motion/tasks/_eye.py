"""The task that fits an eye to the edge of its pupil, or tells the gaze that a vendor's program has found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError, JobError
from batchlab.motion._model import Status
from batchlab.motion.tasks._eye_params import EYE_OUTPUTS, EYE_VIEWER, GAZE_FORMAT, EyeParams
from batchlab.motion.tasks._reading import kept_recording

if TYPE_CHECKING:
    from batchlab.motion._eye import EyeFit
    from batchlab.motion._model import Recording

__all__ = ["eye"]

_MM = 1e3
_MOST_SHOWN = 40_000  # frames in a viewer; of longer recordings it shows some


@task(
    name="motion.eye",
    version="1",
    params=EyeParams,
    inputs=("recording",),
    outputs={**EYE_OUTPUTS, **dict.fromkeys(EYE_VIEWER)},
    formats={
        "gaze": (".csv",),
        "points": (".csv",),
        "eye": (".json",),
        "page": (".html",),
        "viewer": (".html",),
    },
    libraries=("numpy", "scipy"),
    preload=("batchlab.motion._read", "batchlab.motion._eye", "batchlab.motion._write"),
)
def eye(ctx: JobContext, params: EyeParams) -> Mapping[str, Scalar]:
    """Fit an eye to points of its pupil's edge in a camera's image: where it looks in every frame.

    Of a `gaze_positions.csv` of Pupil Labs, which has gaze in it, the gaze is told in the same form, and nothing is
    fitted.
    """
    ctx.stage("read")
    recording, fits = _vendors(ctx, params) if params.file_format == GAZE_FORMAT else _fitted(ctx, params)
    for text in dict.fromkeys(text for fit in fits for text in fit.warnings):
        ctx.warn(text)
    metrics = _metrics(fits)
    ctx.stage("write")
    _write_all(ctx, recording, fits, metrics)
    return metrics


def _vendors(ctx: JobContext, params: EyeParams) -> tuple[Recording, Sequence[EyeFit]]:
    from batchlab.motion._eye import eyes_of_gaze
    from batchlab.motion._read import read_gaze

    path = ctx.input("recording")
    recording = kept_recording(ctx, params, path)
    _tell(ctx, recording)
    return recording, eyes_of_gaze(read_gaze(path), recording.name, min_confidence=params.min_confidence)


def _fitted(ctx: JobContext, params: EyeParams) -> tuple[Recording, Sequence[EyeFit]]:
    from batchlab.motion._eye import fit_eye

    path = ctx.input("recording")
    try:
        recording = kept_recording(ctx, params, path)
    except DataError as error:
        if error.reason != "unit-unknown":
            raise
        raise DataError(
            f"{path}: its points are in space, and an eye is fitted to points of an image; gaze_positions.csv of Pupil "
            f"Labs, where gaze is found already, wants file_format: {GAZE_FORMAT}",
            reason="no-pupil",
        ) from error
    _tell(ctx, recording)
    ctx.stage("solve")
    assert params.camera is not None  # without one only a vendor's gaze is asked for
    fit = fit_eye(recording, params.camera.camera, params.options)
    if fit.status is Status.FAILED:
        raise JobError(
            f"{fit.recording}: the solve of the eye diverged after {fit.iterations} steps; look whether the camera is "
            "that of the recording, or give depth_mm",
            category=Category.NUMERICAL,
            reason="not-solved",
        )
    if fit.status is Status.ITERATION_LIMIT:
        ctx.warn(f"not converged after {fit.iterations} steps; raise iterations_max (--iterations)")
    return recording, (fit,)


def _tell(ctx: JobContext, recording: Recording) -> None:
    for text in recording.notes:
        ctx.warn(f"{recording.name}: {text}")


def _metrics(fits: Sequence[EyeFit]) -> dict[str, Scalar]:
    """Of the fit; of a vendor's two eyes, those of the first and their frames together."""
    import numpy as np

    from batchlab.motion._eye import eye_quality

    fit, told = fits[0], eye_quality(fits[0])

    def middle(values: np.ndarray, factor: float) -> float | None:
        known = values[fit.covered < 2]
        known = known[np.isfinite(known)]
        return float(np.median(known)) * factor if known.size else None

    counts = [int(sum((each.covered == code).sum() for each in fits)) for code in range(3)]
    low, high = told.azimuth_range_rad
    down, up = told.elevation_range_rad
    return {
        "status": fit.vendor or fit.status.value,
        "eyes": len(fits),
        "points": len(fit.points),
        "frames": int(sum(len(each.times_s) for each in fits)),
        "frames_measured": counts[0],
        "frames_partly": counts[1],
        "frames_inferred": counts[2],
        "rms_px": told.rms_px,
        "median_px": told.median_px,
        "chi2_reduced": fit.chi2_reduced,
        "iterations": fit.iterations,
        "cost": fit.cost,
        "missing_share": told.missing_share,
        "inlier_share": told.inlier_share,
        "azimuth_range_deg": float(np.degrees(high - low)),
        "elevation_range_deg": float(np.degrees(up - down)),
        "gaze_sd_deg": middle(np.degrees(np.hypot(fit.sd[:, 0], fit.sd[:, 1])), 1.0),
        "pupil_radius_mm": middle(fit.pupil_radius_m, _MM),
        **{f"center_{axis}_mm": float(fit.center_m[place]) * _MM for place, axis in enumerate("xyz")},
        **{f"center_sd_{axis}_mm": float(fit.center_sd_m[place]) * _MM for place, axis in enumerate("xyz")},
    }


def _write_all(ctx: JobContext, recording: Recording, fits: Sequence[EyeFit], metrics: Mapping[str, Scalar]) -> None:
    """Write what the batch asks for."""
    from batchlab.motion._write import eye_report, write_gaze, write_points, write_report

    asked = json.loads(ctx.provenance["params"])
    if ctx.wanted("gaze"):
        write_gaze(ctx.output("gaze"), fits)
    if ctx.wanted("points"):
        write_points(ctx.output("points"), recording, fits)
    if ctx.wanted("eye"):
        write_report(ctx.output("eye"), {"metrics": dict(metrics), "params": asked, **eye_report(recording, fits)})
    viewers = []
    if ctx.wanted("viewer"):
        from batchlab.motion._viewer import write_eye_viewer

        every = max(1, -(-max(len(fit.times_s) for fit in fits) // _MOST_SHOWN))
        write_eye_viewer(ctx.output("viewer"), recording, fits, every=every, provenance=dict(ctx.provenance))
        viewers = [ctx.link("page", "viewer")]
    if ctx.wanted("page"):
        from batchlab.motion._panel._eye_page import write_eye_page

        write_eye_page(
            ctx.output("page"),
            recording,
            fits,
            viewer=viewers[0] if viewers else None,
            params=asked,
            provenance=ctx.provenance,
        )
