"""Fits of eyes as the eye viewer's script reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._eye import measured_pixels
from batchlab.motion._viewer._pack import base64_of, packed_residuals, packed_times, packed_track, round_top

if TYPE_CHECKING:
    from batchlab.motion._eye import EyeFit
    from batchlab.motion._model import Float, Recording

__all__ = ["pack_eyes"]

# An eyeball of usual size, where nothing tells it.
_BALL_M = 0.012


def pack_eyes(recording: Recording, fits: Sequence[EyeFit], every: int) -> dict[str, Any]:
    """JSON data: frames, times, eyes and points, arrays as base64 of little-endian numbers."""
    times = fits[0].times_s
    for fit in fits:
        if len(fit.times_s) != len(times) or (fit.points and len(recording.times_s) != len(times)):
            raise DataError(
                f"the eye was fitted to {len(fit.times_s)} frames (recording {fit.recording!r}), but "
                f"{recording.name!r} has {len(recording.times_s)}; give the recording it was fitted to"
            )
    if every < 1:
        raise DataError(f"every={every} shows no frame; give 1 for all frames, 2 for every second one")
    kept = slice(None, None, every)
    first = fits[0]
    lengths = np.linalg.norm(first.residuals_px, axis=2)
    duct = first.tear_duct_px
    return {
        "frames": len(times[kept]),
        "every": every,
        "times": packed_times(times[kept]),
        "camera": None
        if first.camera is None
        else {"focal_px": first.camera.focal_px, "principal_px": list(first.camera.principal_px)},
        "tear_duct_px": None if duct is None else duct.tolist(),
        "eyes": [_eye(fit, kept) for fit in fits],
        "points": _points(recording, first, kept),
        "colour_top_px": round_top(lengths),
    }


def _eye(fit: EyeFit, kept: slice) -> Mapping[str, Any]:
    ball = np.hypot(fit.pupil_distance_m, fit.pupil_radius_m)
    known = ball[np.isfinite(ball)]
    frames = np.column_stack([fit.azimuth_rad, fit.elevation_rad, fit.pupil_radius_m])
    return {
        "name": fit.eye,
        "vendor": fit.vendor,
        "status": fit.status.value,
        "ahead": 1 if fit.vendor else -1,
        "center_m": fit.center_m.tolist(),
        "ball_m": float(np.median(known)) if known.size else _BALL_M,
        "frames": base64_of(frames[kept], "<f4"),
        "errors": base64_of(fit.sd[kept], "<f4"),
        "distances": base64_of(fit.pupil_distance_m[kept], "<f4"),
        "covered": base64_of(fit.covered[kept], "u1"),
        "warnings": list(fit.warnings),
    }


def _points(recording: Recording, fit: EyeFit, kept: slice) -> list[Mapping[str, Any]]:
    if not fit.points:
        return []
    measured: Float = measured_pixels(recording, fit)[kept]
    out: list[Mapping[str, Any]] = []
    for number, name in enumerate(fit.points):
        residuals = fit.residuals_px[kept, number]
        seen = np.asarray(np.isfinite(residuals).all(axis=1))
        weights = np.rint(255 * np.clip(np.nan_to_num(fit.weights_used[kept, number]), 0, 1))
        out.append(
            {
                "name": name,
                "angle": float(fit.angles_rad[number]),
                "track": packed_track(measured[:, number], seen),
                "residuals": packed_residuals(residuals, seen),
                "weights": base64_of(weights, "u1"),
            }
        )
    return out
