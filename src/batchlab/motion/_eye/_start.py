"""Where the solve of an eye starts: ellipses by frames, their axes point at the centre, several depths tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._eye._optics import EyeState, pupil_distances

if TYPE_CHECKING:
    from batchlab.motion._eye._model import Camera, EyeOptions
    from batchlab.motion._model import Bool, Float

__all__ = ["interpolated", "starts"]

# Reach of the pupil in the image over the swing of the eye: from wide gazes to hardly any.
_SINES = (0.25, 0.4, 0.55, 0.7, 0.85)
# Radius of a pupil over its distance from the eye's centre, of narrow and of wide ones.
_RATIOS = (0.2, 0.4)


def starts(
    pixels: Float, weights: Float, angles: Float, determined: Bool, camera: Camera, options: EyeOptions
) -> list[EyeState]:
    """States to begin with, one for each depth."""
    middle, axes = _ellipses(pixels, weights, angles)
    long = np.sqrt(np.maximum(np.linalg.eigvalsh(axes @ np.swapaxes(axes, 1, 2))[:, 1], 1e-12))
    good = determined & np.isfinite(middle).all(axis=1)
    origin = _meeting(middle[good], axes[good])
    away = np.linalg.norm(middle[good] - origin, axis=1)
    reach = max(float(np.quantile(away, 0.95)), 1e-3)
    out = []
    size = float(np.median(long[good]))
    # No pupil is wider than it is far from the centre; a still eye seems to swing by its noise alone.
    swings = [swing for sine in _SINES if (swing := reach / sine) > size] + [size / ratio for ratio in _RATIOS]
    if options.depth_m is not None:
        plane = 0.9 * options.eye_radius_m if options.eye_radius_m is not None else options.pupil_distance_m
        swings = [camera.focal_px * plane / max(options.depth_m - plane, 1e-4)]
    # With the pupil's plane so many px from the centre the widest gaze has one of these sines.
    for swing in swings:
        planar = np.clip((middle - origin) / swing, -0.95, 0.95)
        elevation = -np.arcsin(planar[:, 1])
        azimuth = np.arcsin(np.clip(planar[:, 0] / np.cos(elevation), -0.95, 0.95))
        distance = options.pupil_distance_m
        if options.eye_radius_m is not None:
            distance = 0.9 * options.eye_radius_m
        depth = camera.focal_px * distance / swing
        radius = long * depth / camera.focal_px
        if options.eye_radius_m is not None:
            radius = np.minimum(radius, 0.9 * options.eye_radius_m)
            distance = float(np.median(pupil_distances(radius[good], distance, options.eye_radius_m)[0]))
        # The pupil is nearer than the centre.
        depth = depth + distance if options.depth_m is None else options.depth_m
        center = np.array([*((origin - camera.principal_px) * depth / camera.focal_px), depth])
        frames = np.column_stack([azimuth, elevation, np.maximum(radius, 1e-5)])
        out.append(EyeState(frames=frames, center=center))
    return out


def interpolated(frames: Float, determined: Bool, times: Float) -> Float:
    """Frames (F, 3) with those not `determined` between their neighbours in time."""
    out = frames.copy()
    for column in range(3):
        out[~determined, column] = np.interp(times[~determined], times[determined], frames[determined, column])
    return out


def _ellipses(pixels: Float, weights: Float, angles: Float) -> tuple[Float, Float]:
    """Middles (F, 2) and axes (F, 2, 2) of ``middle + axes @ (cos, sin)``; NaN where too few points were seen."""
    seen = (weights > 0).astype(np.float64)
    basis = np.column_stack([np.ones_like(angles), np.cos(angles), np.sin(angles)])
    normal = np.einsum("fp,pi,pj->fij", seen, basis, basis)
    right = np.einsum("fp,pi,fpk->fik", seen, basis, np.where(seen[:, :, None] > 0, pixels, 0.0))
    good = seen.sum(axis=1) >= 3
    good[good] = np.linalg.cond(normal[good]) < 1e8
    found = np.full((len(pixels), 3, 2), np.nan)
    found[good] = np.linalg.solve(normal[good], right[good])
    axes = np.swapaxes(found[:, 1:], 1, 2)
    axes = np.where(np.isfinite(axes), axes, 0.0)
    return found[:, 0], axes


def _meeting(middle: Float, axes: Float) -> Float:
    """Point (2,) where the short axes of the ellipses meet, weighed by how flat they are; else the middle of all."""
    values, vectors = np.linalg.eigh(axes @ np.swapaxes(axes, 1, 2))
    flat = 1.0 - values[:, 0] / np.maximum(values[:, 1], 1e-12)
    # Distance from the line along the short axis is measured along the long one.
    normal = vectors[:, :, 1]
    centre = np.median(middle, axis=0)
    offsets = middle - centre
    keep = np.linalg.norm(offsets, axis=1) <= np.quantile(np.linalg.norm(offsets, axis=1), 0.99)
    scale = max(float(np.median(np.linalg.norm(offsets, axis=1))), 1e-6)
    weights = flat**2 * keep
    for _ in range(10):
        matrix = np.einsum("f,fi,fj->ij", weights, normal, normal) + 1e-3 * max(weights.sum(), 1e-9) * np.eye(2)
        point = np.linalg.solve(matrix, np.einsum("f,fi,fj,fj->i", weights, normal, normal, offsets))
        misfit = np.abs(np.einsum("fi,fi->f", normal, offsets - point))
        weights = flat**2 * keep / (1.0 + (misfit / (0.3 * scale)) ** 2)
    out: Float = centre + point
    return out
