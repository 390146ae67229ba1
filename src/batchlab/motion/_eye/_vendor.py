"""Gaze that a vendor's program has found, as the fit of an eye is told: nothing is fitted, and that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._eye._model import EyeFit
from batchlab.motion._model import Status

if TYPE_CHECKING:
    from batchlab.motion._read import Gaze

__all__ = ["eyes_of_gaze"]

# Standard deviation of a normal number over the median of its absolute value.
_MAD = 1.4826
# An eyeball that moves this much in its socket is a model that was changed meanwhile.
_UNSTEADY_M = 0.001


def eyes_of_gaze(gaze: Gaze, name: str = "gaze", *, min_confidence: float = 0.3) -> tuple[EyeFit, ...]:
    """Each eye that Pupil Labs' program saw, in axes of the world camera.

    The centre is the median over time, and its standard error how much it moves: their model of the eye is changed
    while they record. Azimuth and elevation are from straight ahead.

    Parameters
    ----------
    gaze
        As `read_gaze` reads it.
    name
        Of the recording.
    min_confidence
        Rows below it count as inferred, as do rows of the other eye alone.

    Raises
    ------
    DataError
        If neither eye has a gaze.
    """
    fits = []
    for eye in range(2):
        normals, centers = gaze.normals[:, eye], gaze.centers_m[:, eye]
        length = np.linalg.norm(normals, axis=1)
        known = np.isfinite(normals).all(axis=1) & (length > 0)
        good = known & np.isfinite(centers).all(axis=1) & (gaze.confidence >= min_confidence)
        if not good.any():
            continue
        directions = np.where(known[:, None], normals / np.where(known, length, 1.0)[:, None], np.nan)
        center = np.median(centers[good], axis=0)
        apart = _MAD * np.median(np.abs(centers[good] - center), axis=0)
        frames = len(gaze.times_s)
        warnings = ["gaze is as Pupil Labs' program found it; nothing was fitted"]
        if np.linalg.norm(apart) > _UNSTEADY_M:
            warnings.append(
                f"their eyeball {eye} moves by {1e3 * np.linalg.norm(apart):.1f} mm in its socket; their model of the "
                "eye was changed while they recorded"
            )
        fits.append(
            EyeFit(
                recording=name,
                eye=f"eye{eye}",
                vendor="Pupil Labs",
                status=Status.CONVERGED,
                iterations=0,
                cost=float("nan"),
                times_s=gaze.times_s,
                azimuth_rad=np.arctan2(directions[:, 0], directions[:, 2]),
                elevation_rad=-np.arcsin(np.clip(directions[:, 1], -1.0, 1.0)),
                pupil_radius_m=np.full(frames, np.nan),
                gaze=directions,
                center_m=center,
                center_sd_m=apart,
                pupil_distance_m=np.full(frames, np.nan),
                tear_duct_px=None,
                camera=None,
                points=(),
                angles_rad=np.zeros(0),
                residuals_px=np.zeros((frames, 0, 2)),
                covered=np.where(good, 0, 2).astype(np.uint8),
                sd=np.full((frames, 3), np.nan),
                weights_used=np.zeros((frames, 0)),
                chi2_reduced=float("nan"),
                warnings=tuple(warnings),
            )
        )
    if not fits:
        raise DataError(
            f"{name}: neither eye has a gaze of confidence {min_confidence:g} or more; lower min_confidence, or "
            "export three-dimensional gaze",
            reason="no-pupil",
        )
    return tuple(fits)
