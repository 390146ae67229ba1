"""The nouns of an eye: a camera, what is asked, and the fit.

Camera axes: x to the right, y down, z away from the camera. A gaze of azimuth 0 and elevation 0 looks into the camera;
azimuth turns towards +x, elevation up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import ConfigError
from batchlab.motion._model import Loss, Smoothing, Status, number_of, one_of

if TYPE_CHECKING:
    from batchlab.motion._model import Code, Float

__all__ = ["PUPIL_LABS", "Camera", "Edge", "EyeFit", "EyeOptions", "camera_of_lens", "gaze_vectors"]


class Edge(StrEnum):
    """What a point of the pupil's edge is."""

    LABELLED = "labelled"
    OUTLINE = "outline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A pinhole camera: focal length, and where its axis meets the image, in pixels; no distortion."""

    focal_px: float
    principal_px: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeOptions:
    """How an eye is fitted.

    Attributes
    ----------
    edge
        Whether a point is at its own angle of the pupil, or anywhere on the outline: then only its distance from the
        outline counts.
    angles_rad
        Angles of points by name, from the image's right towards its bottom; empty: told by names, see `fit_eye`.
    tear_duct
        Name of a point that does not turn with the eye.
    pupil_distance_m
        From the eye's centre to the plane of the pupil. One camera tells no scale: this fixes it.
    eye_radius_m
        Instead: the pupil's edge lies on a ball of this radius, so the plane moves back as the pupil widens.
    depth_m
        Of the eye's centre before the camera, where it is known: small gazes, or few points, do not tell it.
    noise_px
        Standard deviation of a point's coordinate.
    smoothing, rotation, radius
        What is asked of the motion, and weights of changes of angle (1/rad or s²/rad) and radius (1/m or s²/m).
    loss, loss_scale
        Robust loss on normalised residuals, and where it bends in units of their standard deviation. By default 2 for
        Huber's, 2.55 for Cauchy's, 4.1 for Geman's and McClure's and 5.1 for Tukey's; 2, 2.4, 3.8 and 4.7 for an
        outline, whose residuals have one coordinate. See `FitOptions`.
    min_confidence
        Points below it count as not seen.
    min_points
        A frame with fewer of them is inferred; at least those that determine a pupil: three at known angles, five of
        an outline.
    iterations_max, tolerance
        Where the solve ends: relative decrease of cost.
    """

    edge: Edge = Edge.LABELLED
    angles_rad: Mapping[str, float] = field(default_factory=dict)
    tear_duct: str | None = "tear_duct"
    pupil_distance_m: float = 0.0102
    eye_radius_m: float | None = None
    depth_m: float | None = None
    noise_px: float = 0.5
    smoothing: Smoothing = Smoothing.NONE
    rotation: float = 0.0
    radius: float = 0.0
    loss: Loss = Loss.HUBER
    loss_scale: float | None = None
    min_confidence: float = 0.3
    min_points: int = 3
    iterations_max: int = 500
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        for name, kind in (("edge", Edge), ("smoothing", Smoothing), ("loss", Loss)):
            object.__setattr__(self, name, one_of(kind, getattr(self, name), name))
        for name in ("pupil_distance_m", "noise_px", "rotation", "radius"):
            number_of(getattr(self, name), name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class EyeFit:
    """Where an eye looks, in camera axes.

    Attributes
    ----------
    recording, eye
        Names.
    vendor
        Whose program found it, where nothing was fitted: then there are no points, radii or errors, axes are those of
        the world camera, and angles are from straight ahead. Empty for a fit.
    status, iterations, cost
        How the solve ended; the cost is half the sum of squares of weighted residuals, robust where asked.
    times_s
        (F,).
    azimuth_rad, elevation_rad, pupil_radius_m
        (F,).
    gaze
        (F, 3) unit vectors.
    center_m, center_sd_m
        (3,) of the eyeball, and standard errors.
    pupil_distance_m
        (F,) from the centre to the plane of the pupil.
    tear_duct_px
        (2,) where it is in the image; its depth is not to be told by one camera.
    camera
        Whose axes and pixels these are; None of a vendor's gaze.
    points, angles_rad
        (P,) names of points of the pupil's edge, and where they are on it.
    residuals_px
        (F, P, 2) measured minus fitted; for an outline, of its nearest point. NaN where nothing was measured.
    covered
        (F,) codes: 0 measured, 1 partly, 2 inferred.
    sd
        (F, 3) standard errors of azimuth and elevation (rad) and radius (m); NaN where inferred without smoothing.
    weights_used
        (F, P) robust weights from 0 to 1; 0 where nothing was measured.
    chi2_reduced
        About 1 where `noise_px` tells the noise.
    warnings
        Sentences for people.
    """

    recording: str
    status: Status
    iterations: int
    cost: float
    times_s: Float
    azimuth_rad: Float
    elevation_rad: Float
    pupil_radius_m: Float
    gaze: Float
    center_m: Float
    center_sd_m: Float
    pupil_distance_m: Float
    tear_duct_px: Float | None
    camera: Camera | None
    points: tuple[str, ...]
    angles_rad: Float
    residuals_px: Float
    covered: Code
    sd: Float
    weights_used: Float
    chi2_reduced: float
    warnings: tuple[str, ...] = ()
    eye: str = "eye"
    vendor: str = ""

    def __repr__(self) -> str:
        from batchlab.motion._eye._notebook import eye_line

        return eye_line(self)

    def _repr_html_(self) -> str:
        from batchlab.motion._eye._notebook import eye_html

        return eye_html(self)


def camera_of_lens(focal_mm: float, sensor_mm: tuple[float, float], image_px: tuple[int, int]) -> Camera:
    """A camera from its data sheet; its axis meets the middle of the image.

    Raises
    ------
    ConfigError
        If pixels are not square, or a size is not positive.
    """
    if min(focal_mm, *sensor_mm, *image_px) <= 0:
        raise ConfigError(f"a lens of {focal_mm} mm, a sensor of {sensor_mm} mm, {image_px} px: all must be positive")
    pixels = [size / count for size, count in zip(sensor_mm, image_px, strict=True)]
    if not np.isclose(pixels[0], pixels[1], rtol=1e-3):
        raise ConfigError(f"pixels of {pixels[0]:g} by {pixels[1]:g} mm are not square; scale the image first")
    return Camera(focal_px=focal_mm / pixels[0], principal_px=(image_px[0] / 2, image_px[1] / 2))


PUPIL_LABS = camera_of_lens(1.7, (1.15, 1.15), (400, 400))


def gaze_vectors(azimuth_rad: Float, elevation_rad: Float) -> Float:
    """Unit vectors (F, 3) in camera axes."""
    ca, sa, ce, se = np.cos(azimuth_rad), np.sin(azimuth_rad), np.cos(elevation_rad), np.sin(elevation_rad)
    return np.stack([sa * ce, -se, -ca * ce], axis=-1)
