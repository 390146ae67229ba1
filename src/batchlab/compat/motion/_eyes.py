"""How one eye is fitted: the names and defaults of an earlier program, which never came to a fit of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from batchlab.compat.motion._checked import Checked
from batchlab.compat.motion._config import OptimizationConfig
from batchlab.engine import Job, Json, Limits, Scalar
from batchlab.motion._model import Loss, Smoothing
from batchlab.motion.tasks import EYE_OUTPUTS, EYE_VIEWER

if TYPE_CHECKING:
    from batchlab.compat.motion._jobs import BatchJobConfig

__all__ = ["CameraConfig", "EyeModelConfig", "EyeTrackingConfig", "EyeWeightConfig", "eye_job"]

_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=1)]
_LOSSES = {"huber": Loss.HUBER, "soft_l1": Loss.HUBER, "cauchy": Loss.CAUCHY}


class CameraConfig(Checked):
    """The camera that sees the eye, by its data sheet; as it is, that of Pupil Labs' headset.

    Attributes
    ----------
    focal_length_mm, sensor_size_mm, image_size_px
        Pixels have to be square; the camera's axis meets the middle of the image.
    """

    focal_length_mm: _Positive = 1.7
    sensor_size_mm: tuple[_Positive, _Positive] = (1.15, 1.15)
    image_size_px: tuple[_Count, _Count] = (400, 400)


class EyeWeightConfig(Checked):
    """How much each part of the cost counts; a weight multiplies a residual.

    Attributes
    ----------
    lambda_data, lambda_pupil
        Their product, of the distance between measured and fitted point in px: 2 says a standard deviation of 0.5 px.
    lambda_rot_smooth
        Of the difference of the quaternions of a frame and the next, which is half the angle between them in rad.
    lambda_scalar_smooth
        Of the difference of the pupil's radius between frames, over the semi-axis of the initial model.
    lambda_tear_duct
        Changes nothing: the tear duct belongs to the head, and is a fixed point of the image.
    """

    lambda_data: _Positive = 1.0
    lambda_rot_smooth: _Weight = 10.0
    lambda_scalar_smooth: _Weight = 5.0
    lambda_pupil: _Positive = 1.0
    lambda_tear_duct: _Weight = 1.0


class EyeModelConfig(Checked):
    """Where a solve began; a start is found from the points themselves, and scale alone is taken from here.

    Attributes
    ----------
    pupil_distance_mm
        From the eye's centre to the plane of the pupil: it fixes the scale of lengths.
    pupil_semi_axes_mm
        The first is the unit of `EyeWeightConfig.lambda_scalar_smooth`.
    center_mm, roundness, tear_duct_mm
        Change nothing: the centre is found, and the pupil is a circle.
    """

    center_mm: tuple[float, float, float] = (0.0, 0.0, 20.0)
    pupil_distance_mm: _Positive = 10.2
    pupil_semi_axes_mm: tuple[_Positive, _Positive] = (2.0, 1.5)
    roundness: _Positive = 2.0
    tear_duct_mm: tuple[float, float, float] = (2.0, 1.0, 0.0)


def _optimization_of_eyes() -> OptimizationConfig:
    return OptimizationConfig(max_iterations=500, function_tolerance=1e-8)


class EyeTrackingConfig(Checked):
    """One fit of an eye: which recording of its pupil's edge, which camera, how.

    Attributes
    ----------
    input_path
        A table of points in px; they are called p1 to p8, or right, bottom, left and top.
    output_dir
        Where a single fit would go. Jobs of a batch write to ``output_root/<job name>``.
    camera, optimization, weights, initial_eye_model
        See each of them.
    min_confidence, min_pupil_points
        A point with less counts as not seen; a frame with fewer points is inferred from its neighbours.
    rate_hz
        Frames per second, where the file does not say it.
    depth_mm
        Of the eye's centre before the camera, where it is known: small gazes do not tell it.
    edge
        Whether points are at angles of their own, or anywhere on the outline.
    save_tables, save_viewer
        Whether gaze and points of all frames, and a page that plays the eye, are written.
    """

    input_path: Path
    output_dir: Path
    camera: CameraConfig
    optimization: OptimizationConfig = Field(default_factory=_optimization_of_eyes)
    weights: EyeWeightConfig = Field(default_factory=lambda: EyeWeightConfig())
    initial_eye_model: EyeModelConfig = Field(default_factory=lambda: EyeModelConfig())
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.3
    min_pupil_points: Annotated[int, Field(ge=3)] = 6
    rate_hz: _Positive | None = None
    depth_mm: _Positive | None = None
    edge: Literal["labelled", "outline"] = "labelled"
    save_tables: bool = True
    save_viewer: bool = False


def eye_job(
    job: BatchJobConfig,
    config: EyeTrackingConfig,
    folder: str,
    timeout_s: float | None,
    metadata: Mapping[str, Scalar],
) -> Job:
    """A job for the engine, whose outputs lie in a folder below the output root."""
    left_out = () if config.save_tables else ("gaze", "points")
    templates = {name: path for name, path in EYE_OUTPUTS.items() if name not in left_out}
    if config.save_viewer:
        templates |= EYE_VIEWER
    file = os.path.abspath(config.input_path)
    return Job(
        name=job.name,
        task="motion.eye",
        params=_params(config),
        inputs={"recording": file},
        outputs={name: path.replace("{job}", folder) for name, path in templates.items()},
        priority=job.priority,
        limits=Limits(timeout_s=timeout_s),
        affinity=file,
        metadata=metadata,
    )


def _params(config: EyeTrackingConfig) -> dict[str, Json]:
    """As `motion.eye` has them, which weighs in SI units."""
    asked, weights, model, camera = config.optimization, config.weights, config.initial_eye_model, config.camera
    rotation = weights.lambda_rot_smooth / 2.0
    radius = weights.lambda_scalar_smooth / (1e-3 * model.pupil_semi_axes_mm[0])
    return {
        "camera": {
            "focal_mm": camera.focal_length_mm,
            "sensor_mm": list(camera.sensor_size_mm),
            "image_px": list(camera.image_size_px),
        },
        "edge": config.edge,
        "pupil_distance_mm": model.pupil_distance_mm,
        "depth_mm": config.depth_mm,
        "rate_hz": config.rate_hz,
        "min_confidence": config.min_confidence,
        "min_points": config.min_pupil_points,
        "noise_px": 1.0 / (weights.lambda_data * weights.lambda_pupil),
        "smoothing": (Smoothing.FIRST if rotation or radius else Smoothing.NONE).value,
        "weights": {"rotation": rotation, "radius": radius},
        "loss": (_LOSSES[asked.robust_loss_type] if asked.use_robust_loss else Loss.SQUARED).value,
        "loss_scale": asked.robust_loss_param,
        "iterations_max": asked.max_iterations,
        "tolerance": asked.function_tolerance,
    }
