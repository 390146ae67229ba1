"""What a fit of an eye says of the image, and in numbers: for tables, pages and the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._eye._model import EyeFit
from batchlab.motion._eye._optics import EyeState, project, pupil_edges

if TYPE_CHECKING:
    from batchlab.motion._model import Float, Recording

__all__ = ["EyeQuality", "eye_quality", "fitted_pixels", "measured_pixels", "pupil_scale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeQuality:
    """Numbers of a fit.

    Attributes
    ----------
    rms_px, median_px
        Of distances of measured points from fitted ones.
    missing_share, inlier_share
        Of points of all frames not seen; of those seen that kept half their weight or more.
    azimuth_range_rad, elevation_range_rad
        (2,) that 9 of 10 of the measured gazes lie in.
    """

    rms_px: float
    median_px: float
    missing_share: float
    inlier_share: float
    azimuth_range_rad: tuple[float, float]
    elevation_range_rad: tuple[float, float]


def eye_quality(fit: EyeFit) -> EyeQuality:
    """Numbers of a fit; NaN where there are none."""
    lengths = np.linalg.norm(fit.residuals_px, axis=2)
    seen = np.isfinite(lengths)
    own = lengths[seen]
    measured = fit.covered < 2

    def spread(angles: Float) -> tuple[float, float]:
        known = angles[measured & np.isfinite(angles)]
        low, high = np.quantile(known, [0.05, 0.95]).tolist() if known.size else (np.nan, np.nan)
        return low, high

    return EyeQuality(
        rms_px=float(np.sqrt(np.mean(own**2))) if own.size else float("nan"),
        median_px=float(np.median(own)) if own.size else float("nan"),
        missing_share=1.0 - float(seen.mean()) if seen.size else float("nan"),
        inlier_share=float((fit.weights_used[seen] >= 0.5).mean()) if own.size else float("nan"),
        azimuth_range_rad=spread(fit.azimuth_rad),
        elevation_range_rad=spread(fit.elevation_rad),
    )


def pupil_scale(fit: EyeFit) -> Float:
    """Radius of the pupil over its median in measured frames (F,): it does not depend on the scale of lengths."""
    known = fit.pupil_radius_m[(fit.covered < 2) & np.isfinite(fit.pupil_radius_m)]
    return fit.pupil_radius_m / (float(np.median(known)) if known.size else np.nan)


def measured_pixels(recording: Recording, fit: EyeFit) -> Float:
    """Points of the pupil's edge (F, P, 2) in px that the fit used; NaN where there was none."""
    columns = [recording.markers.index(name) for name in fit.points]
    return np.where(np.isfinite(fit.residuals_px), recording.positions[:, columns], np.nan)


def fitted_pixels(recording: Recording, fit: EyeFit) -> Float:
    """Where the fit has points of the pupil's edge (F, P, 2) in px; of an outline, its nearest points."""
    assert fit.camera is not None
    state = EyeState(
        frames=np.column_stack([fit.azimuth_rad, fit.elevation_rad, fit.pupil_radius_m]), center=fit.center_m
    )
    angles = np.broadcast_to(fit.angles_rad, (len(fit.times_s), len(fit.points)))
    fitted = project(pupil_edges(state, angles, fit.pupil_distance_m), fit.camera)[0]
    nearest = measured_pixels(recording, fit) - fit.residuals_px
    return np.where(np.isfinite(nearest), nearest, fitted)
