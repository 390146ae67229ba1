"""Fits as they would be of a solver that knows the truth."""

from __future__ import annotations

import numpy as np

from batchlab.motion._model import Body, Fit, Status


def fit_of(truth, body=None):
    """The true poses, and what was measured minus them."""
    body = body or Body(name="body", markers=truth.recording.markers)
    count = len(body.markers)
    residuals = (truth.recording.positions - truth.positions_m)[:, :count]
    seen = np.isfinite(residuals).all(axis=2)
    return Fit(
        body=body,
        recording=truth.recording.name,
        status=Status.CONVERGED,
        iterations=1,
        cost=0.0,
        times_s=truth.recording.times_s,
        rotations=truth.rotations,
        translations_m=truth.translations_m,
        geometry_m=truth.geometry_m[:count],
        residuals_m=residuals,
        covered=np.where(seen.all(axis=1), 0, np.where(seen.sum(axis=1) >= 3, 1, 2)).astype(np.uint8),
        pose_sd=None,
        weights_used=seen.astype(float),
        chi2_reduced=1.0,
    )
