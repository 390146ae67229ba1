"""A pupil seen by a pinhole: places in the image and their derivatives, in closed form.

Point j of frame t is at ``c + d g + r (cos(phi) u + sin(phi) v)`` with gaze g, u to the image's right, v = u x g down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._eye._model import gaze_vectors

if TYPE_CHECKING:
    from batchlab.motion._eye._model import Camera
    from batchlab.motion._model import Float

__all__ = ["EyeState", "nearest_angles", "project", "pupil_distances", "pupil_edges", "pupil_places"]

_NEWTON = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeState:
    """Azimuth and elevation in rad and pupil radius in m of frames (F, 3), and the centre (3,) in m."""

    frames: Float
    center: Float


def pupil_distances(radius_m: Float, distance_m: float, eye_radius_m: float | None) -> tuple[Float, Float]:
    """From the eye's centre to the plane of the pupil (F,) in m, and its derivative by the radius."""
    if eye_radius_m is None:
        return np.full_like(radius_m, distance_m), np.zeros_like(radius_m)
    distance = np.sqrt(np.maximum(eye_radius_m**2 - radius_m**2, 1e-4 * eye_radius_m**2))
    return distance, -radius_m / distance


def pupil_places(
    state: EyeState, angles: Float, distance_m: float, eye_radius_m: float | None
) -> tuple[Float, Float, Float]:
    """Places (F, P, 3) in m, derivatives (F, P, 3, 3) by a frame's unknowns, and by the angle (F, P, 3)."""
    azimuth, elevation, radius = state.frames.T
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    zero = np.zeros_like(ca)
    gaze = gaze_vectors(azimuth, elevation)
    right = np.stack([ca, zero, sa], axis=1)
    down = np.stack([sa * se, ce, -ca * se], axis=1)
    gaze_by = (np.stack([ca * ce, zero, sa * ce], axis=1), -down)
    right_by = np.stack([-sa, zero, ca], axis=1)
    down_by = (np.stack([ca * se, zero, sa * se], axis=1), gaze)
    distance, distance_by = pupil_distances(radius, distance_m, eye_radius_m)
    cosine, sine = np.cos(angles)[:, :, None], np.sin(angles)[:, :, None]
    edge = cosine * right[:, None] + sine * down[:, None]
    size = radius[:, None, None]
    places = state.center + (distance[:, None] * gaze)[:, None] + size * edge
    out = np.empty((*places.shape, 3))
    out[..., 0] = (distance[:, None] * gaze_by[0])[:, None] + size * (
        cosine * right_by[:, None] + sine * down_by[0][:, None]
    )
    out[..., 1] = (distance[:, None] * gaze_by[1])[:, None] + size * sine * down_by[1][:, None]
    out[..., 2] = (distance_by[:, None] * gaze)[:, None] + edge
    around = size * (cosine * down[:, None] - sine * right[:, None])
    return places, out, around


def pupil_edges(state: EyeState, angles: Float, distances_m: Float) -> Float:
    """Places (F, P, 3) in m of points at `angles` (F, P), for planes at `distances_m` (F,) from the centre."""
    azimuth, elevation, radius = state.frames.T
    gaze = gaze_vectors(azimuth, elevation)
    right = np.stack([np.cos(azimuth), np.zeros_like(azimuth), np.sin(azimuth)], axis=1)
    edge = np.cos(angles)[..., None] * right[:, None] + np.sin(angles)[..., None] * np.cross(right, gaze)[:, None]
    out: Float = state.center + (distances_m[:, None] * gaze)[:, None] + radius[:, None, None] * edge
    return out


def project(places: Float, camera: Camera) -> tuple[Float, Float]:
    """Pixels (..., 2) of places (..., 3) in m, and derivatives (..., 2, 3)."""
    # Behind the camera there is no image; a trial step there must only cost much.
    depth = np.maximum(places[..., 2], 1e-4)
    out = camera.focal_px * places[..., :2] / depth[..., None] + np.array(camera.principal_px)
    by = np.zeros((*places.shape[:-1], 2, 3))
    by[..., 0, 0] = by[..., 1, 1] = camera.focal_px / depth
    by[..., :, 2] = -camera.focal_px * places[..., :2] / depth[..., None] ** 2
    return out, by


def nearest_angles(
    state: EyeState, pixels: Float, angles: Float, camera: Camera, distance_m: float, eye_radius_m: float | None
) -> Float:
    """Angles (F, P) of the outline's points nearest to `pixels` (F, P, 2), by steps from `angles`."""
    for _ in range(_NEWTON):
        places, _, around = pupil_places(state, angles, distance_m, eye_radius_m)
        seen, by = project(places, camera)
        tangent = np.einsum("fpij,fpj->fpi", by, around)
        square = np.maximum(np.sum(tangent**2, axis=2), 1e-12)
        angles = angles + np.clip(np.sum(tangent * (pixels - seen), axis=2) / square, -0.5, 0.5)
    return angles
