"""Fits of eyes as tables, and all that they came to for machines: gaze.csv, points.csv, eye.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.motion._eye import eye_quality, fitted_pixels, measured_pixels, pupil_scale
from batchlab.motion._model import Covered
from batchlab.motion._write._rows import cell, rows

if TYPE_CHECKING:
    from batchlab.motion._eye import EyeFit
    from batchlab.motion._model import Recording

__all__ = ["eye_report", "write_gaze", "write_points"]

_MM = 1e3
_LEVELS = tuple(each.value for each in Covered)


def write_gaze(path: Path, fits: Sequence[EyeFit]) -> None:
    """Every frame a row: angles and unit vector of gaze, the pupil, standard errors, what the frame rests on.

    Parameters
    ----------
    path
        Written anew.
    fits
        Of one recording; one under the other, told apart by the second column.
    """
    header = ["recording", "eye", "frame", "time_s", "azimuth_deg", "elevation_deg", "gaze_x", "gaze_y", "gaze_z"]
    header += ["pupil_radius_mm", "pupil_scale", "sd_azimuth_deg", "sd_elevation_deg", "sd_pupil_radius_mm"]
    header += ["rms_px", "points_seen", "covered"]
    decimals = [0, 6, 5, 5, 8, 8, 8, 5, 5, 5, 5, 5, 4, 0]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        for fit in fits:
            squares = np.sum(fit.residuals_px**2, axis=2)
            seen = np.isfinite(squares)
            count = seen.sum(axis=1)
            rms = np.sqrt(np.where(seen, squares, 0.0).sum(axis=1) / np.where(count, count, np.nan))
            table = np.column_stack(
                [
                    np.arange(len(fit.times_s)),
                    fit.times_s,
                    np.degrees(fit.azimuth_rad),
                    np.degrees(fit.elevation_rad),
                    fit.gaze,
                    fit.pupil_radius_m * _MM,
                    pupil_scale(fit),
                    np.degrees(fit.sd[:, :2]),
                    fit.sd[:, 2] * _MM,
                    rms,
                    count if fit.points else np.full(len(count), np.nan),
                ]
            )
            first = f"{cell(fit.recording)},{cell(fit.eye)}"
            file.writelines(rows(table, decimals, first, [_LEVELS[code] for code in fit.covered]))


def write_points(path: Path, recording: Recording, fits: Sequence[EyeFit]) -> None:
    """Every point of every frame, a row each: measured and fitted place in the image, distance, weight.

    Parameters
    ----------
    path
        Written anew; its header alone where no point was fitted.
    recording, fits
        The recording that each was fitted to.
    """
    header = ["recording", "keypoint", "frame", "time_s", "raw_x_px", "raw_y_px", "fitted_x_px", "fitted_y_px"]
    header += ["residual_px", "weight", "flag"]
    decimals = [0, 6, *[3] * 4, 4, 3]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        for fit in fits:
            if not fit.points:
                continue
            raw, fitted = measured_pixels(recording, fit), fitted_pixels(recording, fit)
            lengths = np.linalg.norm(fit.residuals_px, axis=2)
            frames = np.arange(len(fit.times_s))
            words = np.array(_LEVELS)[fit.covered]
            for number, point in enumerate(fit.points):
                length = lengths[:, number]
                weight = np.where(np.isfinite(length), fit.weights_used[:, number], np.nan)
                table = np.column_stack([frames, fit.times_s, raw[:, number], fitted[:, number], length, weight])
                flags = np.where(np.isfinite(length), "measured", np.where(words == "inferred", "inferred", "filled"))
                file.writelines(rows(table, decimals, f"{cell(fit.recording)},{cell(point)}", flags.tolist()))


def eye_report(recording: Recording, fits: Sequence[EyeFit]) -> dict[str, Any]:
    """Recording, camera and eyes: model, how it was solved, numbers by point; lengths in mm, angles in degrees."""
    camera = fits[0].camera
    return {
        "recording": {
            "name": recording.name,
            "frames": len(recording.times_s),
            "rate_hz": recording.rate_hz,
            "notes": list(recording.notes),
        },
        "camera": None if camera is None else {"focal_px": camera.focal_px, "principal_px": list(camera.principal_px)},
        "eyes": [_eye(fit) for fit in fits],
    }


def _eye(fit: EyeFit) -> dict[str, Any]:
    told = eye_quality(fit)
    lengths = np.linalg.norm(fit.residuals_px, axis=2)
    return {
        "name": fit.eye,
        "vendor": fit.vendor or None,
        "status": None if fit.vendor else fit.status.value,
        "iterations": fit.iterations,
        "cost": fit.cost,
        "chi2_reduced": fit.chi2_reduced,
        "model": {
            "center_mm": (fit.center_m * _MM).tolist(),
            "center_sd_mm": (fit.center_sd_m * _MM).tolist(),
            "pupil_distance_mm": _median(fit.pupil_distance_m[fit.covered < 2]) * _MM,
            "pupil_radius_mm": _median(fit.pupil_radius_m[fit.covered < 2]) * _MM,
            "tear_duct_px": None if fit.tear_duct_px is None else fit.tear_duct_px.tolist(),
        },
        "rms_px": told.rms_px,
        "median_px": told.median_px,
        "missing_share": told.missing_share,
        "inlier_share": told.inlier_share,
        "azimuth_range_deg": np.degrees(told.azimuth_range_rad).tolist(),
        "elevation_range_deg": np.degrees(told.elevation_range_rad).tolist(),
        "covered": {word: int((fit.covered == code).sum()) for code, word in enumerate(_LEVELS)},
        "points": [
            {
                "point": point,
                "angle_deg": float(np.degrees(fit.angles_rad[number])),
                "rms_px": float(np.sqrt(_mean(lengths[:, number] ** 2))),
                "median_px": _median(lengths[:, number]),
                "missing_share": float(np.isnan(lengths[:, number]).mean()),
                "inlier_share": _mean(
                    np.where(np.isnan(lengths[:, number]), np.nan, fit.weights_used[:, number] >= 0.5)
                ),
            }
            for number, point in enumerate(fit.points)
        ],
        "warnings": list(fit.warnings),
    }


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if known.size else float("nan")
