"""An eye that never was, before a camera: the edge of its pupil in pixels, with blinks, and known gaze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._model import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from batchlab.motion._model import Bool, Float

__all__ = ["EyeTruth", "simulate_eye"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EyeTruth:
    """A recording of a pupil's edge and everything it came from.

    Camera axes: x to the right, y down, z away from the camera; a gaze of azimuth 0 and elevation 0 looks into the
    camera. Positive azimuth turns towards +x, positive elevation up.

    Attributes
    ----------
    recording
        Points ``p1`` to ``p8`` round the pupil's edge, and ``tear_duct``, which does not turn with the eye; pixels.
    focal_px, principal_px
        Of the camera: focal length, and (2,) where its axis meets the image.
    center_m
        (3,) of the eyeball, in camera axes.
    pupil_distance_m
        From the centre of the eyeball to the plane of the pupil.
    azimuth_rad, elevation_rad, pupil_radius_m
        (F,).
    gaze
        (F, 3) unit vectors, in camera axes.
    blinks
        (F,) true where the lid hides the pupil and points mean nothing.
    noise_px
        Standard deviation of a coordinate.
    path
        The file it was written to.
    """

    recording: Recording
    focal_px: float
    principal_px: Float
    center_m: Float
    pupil_distance_m: float
    azimuth_rad: Float
    elevation_rad: Float
    pupil_radius_m: Float
    gaze: Float
    blinks: Bool
    noise_px: float
    path: Path | None = None


def simulate_eye(
    name: str = "eye",
    *,
    frames: int = 1000,
    points: int = 8,
    rate_hz: float = 120.0,
    noise_px: float = 0.4,
    focal_px: float = 590.0,
    image_px: float = 400.0,
    seed: int = 0,
) -> EyeTruth:
    """Let an eye wander, leap and blink.

    Parameters
    ----------
    name
        Of the recording.
    frames, points, rate_hz
        How many frames, points on the pupil's edge, and frames per second.
    noise_px
        Standard deviation of a coordinate.
    focal_px, image_px
        Focal length and width of the square image.
    seed
        Equal seeds are equal eyes.
    """
    rng = np.random.default_rng([seed, 2])
    times = np.arange(frames) / rate_hz
    center = np.array([0.001, -0.0015, 0.035])
    distance = 0.0102
    principal = np.full(2, image_px / 2)
    azimuth = _gaze(rng, times, 0.35)
    elevation = _gaze(rng, times, 0.25)
    radius = 0.002 + 0.0006 * np.sin(2 * np.pi * 0.2 * times + rng.uniform(0, 2 * np.pi))
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    zero = np.zeros(frames)
    gaze = np.stack([sa * ce, -se, -ca * ce], axis=1)
    right = np.stack([ca, zero, sa], axis=1)
    down = np.cross(right, gaze)
    angles = 2 * np.pi * np.arange(points) / points
    edge = right[:, None, :] * np.cos(angles)[:, None] + down[:, None, :] * np.sin(angles)[:, None]
    places = center + distance * gaze[:, None, :] + radius[:, None, None] * edge
    duct = np.broadcast_to(center + np.array([0.007, 0.003, -0.007]), (frames, 1, 3))
    places = np.concatenate([places, duct], axis=1)
    pixels = focal_px * places[..., :2] / places[..., 2:] + principal
    pixels = pixels + rng.normal(0.0, noise_px, pixels.shape)
    confidence = rng.uniform(0.95, 1.0, pixels.shape[:2])
    blinks = np.zeros(frames, dtype=bool)
    for start in np.flatnonzero(rng.random(frames) < 0.25 / rate_hz):
        blinks[start : start + int(0.15 * rate_hz)] = True
    hidden = int(blinks.sum())
    pixels[blinks, :points] = rng.uniform(0.0, image_px, (hidden, points, 2))
    confidence[blinks, :points] = rng.uniform(0.0, 0.2, (hidden, points))
    names = (*(f"p{number}" for number in range(1, points + 1)), "tear_duct")
    return EyeTruth(
        recording=Recording(
            name=name,
            markers=names,
            times_s=times,
            positions=pixels,
            unit="px",
            rate_hz=rate_hz,
            confidence=confidence,
            stated_unit="px",
        ),
        focal_px=focal_px,
        principal_px=principal,
        center_m=center,
        pupil_distance_m=distance,
        azimuth_rad=azimuth,
        elevation_rad=elevation,
        pupil_radius_m=radius,
        gaze=gaze,
        blinks=blinks,
        noise_px=noise_px,
    )


def _gaze(rng: np.random.Generator, times_s: Float, amplitude: float) -> Float:
    """(F,) an angle in rad: slow pursuit, and leaps a few times a second."""
    pursuit = amplitude * 0.6 * np.sin(2 * np.pi * rng.uniform(0.1, 0.3) * times_s + rng.uniform(0, 2 * np.pi))
    leaps = np.zeros_like(times_s)
    if times_s.size > 1:
        step = times_s[1] - times_s[0]
        at = rng.random(times_s.size) < 1.5 * step
        level = rng.uniform(-0.4, 0.4, int(at.sum()) + 1) * amplitude
        leaps = level[np.cumsum(at)]
    angle: Float = pursuit + leaps
    return angle
