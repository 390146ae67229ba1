"""What can be asked of an eye: the camera, which points are its pupil's edge, how it is fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from batchlab.motion._model import Loss, Smoothing

if TYPE_CHECKING:
    from batchlab.motion._eye import Camera, EyeOptions

__all__ = ["EYE_OUTPUTS", "EYE_VIEWER", "GAZE_FORMAT", "CameraParams", "EyeParams", "EyeWeightsParams"]

EYE_OUTPUTS: Mapping[str, str] = {
    "gaze": "{job}/gaze.csv",
    "points": "{job}/points.csv",
    "eye": "{job}/eye.json",
    "page": "{job}/page.html",
}
"""What a fit of an eye writes, and where."""

EYE_VIEWER: Mapping[str, str] = {"viewer": "{job}/viewer.html"}
"""What it writes where that is asked for: a page that plays the eye."""

GAZE_FORMAT = "pupil-labs"
"""The file format that has gaze in it already: nothing is fitted, and no camera is wanted."""

_NO_CAMERA = (
    "no camera is given, and without one nothing tells angles; give camera a preset (pupil-labs), or focal_mm, "
    "sensor_mm and image_px of its data sheet, or focal_px and image_px"
)

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Pixels = Annotated[int, Field(gt=0)]
Place = Annotated[float, Field(allow_inf_nan=False)]


class CameraParams(BaseModel):
    """The camera that sees the eye: a preset, its data sheet, or its focal length in pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Literal["pupil-labs"] | None = Field(
        None, description="a camera known by name: 1.7 mm before 1.15 mm of sensor, 400 by 400 px"
    )
    focal_mm: Positive | None = Field(None, description="focal length in mm, with sensor_mm and image_px")
    sensor_mm: tuple[Positive, Positive] | None = Field(None, description="width and height of the sensor in mm")
    image_px: tuple[Pixels, Pixels] | None = Field(
        None, description="width and height of the image in px; the camera's axis meets its middle"
    )
    focal_px: Positive | None = Field(None, description="focal length in px, as calibrations tell it")
    principal_px: tuple[Place, Place] | None = Field(
        None, description="where the camera's axis meets the image, in px; its middle by default"
    )

    @model_validator(mode="after")
    def _whole(self) -> CameraParams:
        ways = [name for name in ("preset", "focal_mm", "focal_px") if getattr(self, name) is not None]
        if not ways:
            raise ValueError(_NO_CAMERA)
        if len(ways) > 1:
            raise ValueError(f"{ways[0]} and {ways[1]} both tell the camera; say one of them")
        if self.preset is not None and (self.sensor_mm or self.image_px or self.principal_px):
            raise ValueError(f"preset {self.preset} tells all of the camera; leave the rest out")
        if self.focal_mm is not None and (self.sensor_mm is None or self.image_px is None):
            raise ValueError("focal_mm wants sensor_mm and image_px; together they tell the size of a pixel")
        if self.focal_px is not None and self.image_px is None and self.principal_px is None:
            raise ValueError("focal_px wants image_px or principal_px; they tell where the camera looks")
        if self.sensor_mm is not None and self.image_px is not None:
            wide, high = (size / count for size, count in zip(self.sensor_mm, self.image_px, strict=True))
            if not math.isclose(wide, high, rel_tol=1e-3):
                raise ValueError(f"pixels of {wide:.4g} by {high:.4g} mm are not square; scale the image first")
        return self

    @property
    def camera(self) -> Camera:
        """As the solver has it."""
        from batchlab.motion._eye import PUPIL_LABS, Camera

        if self.preset is not None:
            return PUPIL_LABS
        focal = self.focal_px
        if self.focal_mm is not None and self.sensor_mm is not None and self.image_px is not None:
            focal = self.focal_mm * self.image_px[0] / self.sensor_mm[0]
        assert focal is not None
        middle = (0.0, 0.0) if self.image_px is None else (self.image_px[0] / 2, self.image_px[1] / 2)
        return Camera(focal_px=focal, principal_px=self.principal_px or middle)


class EyeWeightsParams(BaseModel):
    """How much smoothness counts; a weight multiplies a residual."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation: NotNegative = Field(
        0.0, description="of changes of angle between frames (first order, 1/rad) or of their acceleration (s²/rad)"
    )
    radius: NotNegative = Field(
        0.0, description="of changes of the pupil's radius (1/m) or of their acceleration (s²/m)"
    )


class EyeParams(BaseModel):
    """How recordings of a pupil are read, and how an eye is fitted to them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: CameraParams | None = Field(None, description="the camera that sees the eye; gaze of Pupil Labs wants none")
    edge: Literal["labelled", "outline"] = Field(
        "labelled", description="whether a point is at its own angle of the pupil, or anywhere on its outline"
    )
    angles_deg: dict[str, Place] = Field(
        default_factory=dict,
        description="points of the pupil's edge and their angles, from the image's right towards its bottom; told by "
        "names by default: p1 to pn, or right, bottom, left and top in them",
    )
    tear_duct: str | None = Field("tear_duct", description="a point that does not turn with the eye")
    pupil_distance_mm: Positive = Field(
        10.2, description="from the eye's centre to the plane of the pupil; it fixes the scale of lengths"
    )
    eye_radius_mm: Positive | None = Field(
        None, description="instead: the pupil's edge lies on a ball, whose plane moves back as the pupil widens"
    )
    depth_mm: Positive | None = Field(
        None, description="of the eye's centre before the camera, where it is known: small gazes do not tell it"
    )
    rate_hz: Positive | None = Field(None, description="frames per second, where the file does not say it")
    time_unit: Literal["s", "ms", "us", "ns"] | None = Field(None, description="of time stamps that do not say it")
    file_format: str | None = Field(
        None, description="dlc, wide, tidy, or pupil-labs for gaze found already; told by the file by default"
    )
    min_confidence: float = Field(0.3, ge=0, le=1, description="less than this counts as not seen")
    min_points: int = Field(3, ge=3, description="a frame with fewer points is inferred; an outline always wants five")
    noise_px: Positive = Field(0.5, description="standard deviation of a point's coordinate")
    smoothing: Smoothing = Field(Smoothing.NONE, description="what is asked of the motion between frames")
    weights: EyeWeightsParams = Field(
        default_factory=lambda: EyeWeightsParams.model_validate({}), description="how much smoothness counts"
    )
    loss: Loss = Field(Loss.HUBER, description="how much a large residual counts")
    loss_scale: Positive | None = Field(
        None,
        description="where the loss bends, in standard deviations: by default 2 for huber, 2.55 for cauchy, 4.1 for "
        "geman-mcclure, 5.1 for tukey, and a little less for an outline",
    )
    iterations_max: int = Field(500, ge=1, description="after which a solve ends with a warning")
    tolerance: float = Field(
        1e-10, gt=0, lt=0.1, description="relative decrease of cost at which a solve has converged"
    )

    @model_validator(mode="after")
    def _whole(self) -> EyeParams:
        if self.camera is None and self.file_format != GAZE_FORMAT:
            raise ValueError(f"{_NO_CAMERA}; gaze that Pupil Labs has found wants none: say file_format: {GAZE_FORMAT}")
        if self.smoothing is not Smoothing.NONE and not (self.weights.rotation or self.weights.radius):
            raise ValueError(
                f"smoothing {self.smoothing} without a weight does nothing; set weights.rotation or radius"
            )
        if self.angles_deg and len(self.angles_deg) < 3:
            raise ValueError("angles_deg names fewer than three points; a pupil wants three or more")
        return self

    @property
    def options(self) -> EyeOptions:
        """As the solver has them."""
        from batchlab.motion._eye import Edge, EyeOptions

        return EyeOptions(
            edge=Edge(self.edge),
            angles_rad={name: math.radians(angle) for name, angle in self.angles_deg.items()},
            tear_duct=self.tear_duct,
            pupil_distance_m=self.pupil_distance_mm * 1e-3,
            eye_radius_m=None if self.eye_radius_mm is None else self.eye_radius_mm * 1e-3,
            depth_m=None if self.depth_mm is None else self.depth_mm * 1e-3,
            noise_px=self.noise_px,
            smoothing=self.smoothing,
            rotation=self.weights.rotation,
            radius=self.weights.radius,
            loss=self.loss,
            loss_scale=self.loss_scale,
            min_confidence=self.min_confidence,
            min_points=self.min_points,
            iterations_max=self.iterations_max,
            tolerance=self.tolerance,
        )

    @property
    def reading(self) -> dict[str, Any]:
        """Keyword arguments of `read_recording`: what the parsed file depends on."""
        names = ("rate_hz", "time_unit", "file_format")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return given if self.file_format == GAZE_FORMAT else {"unit": "px", **given}
