"""Poses that turn round for a few frames and back again, which bodies do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._judge._scale import runs, turns_deg

if TYPE_CHECKING:
    from batchlab.motion._model import Fit

__all__ = ["turned_runs"]

_FRAMES_MAX = 5
_AWAY_DEG, _BACK_DEG = 90.0, 30.0
# Degrees a frame beyond which a body turns so fast, or is filmed so seldom, that nothing can be told.
_USUAL_DEG = 10.0


def turned_runs(fit: Fit) -> list[tuple[int, int, float]]:
    """Stretches [start, stop) of up to five frames that are turned far from the frames on either side, and degrees.

    The frames on either side must agree; so a body that spins is not told of.
    """
    rotations = fit.rotations
    if len(rotations) < 3 or not np.isfinite(rotations).all():
        return []
    if float(np.median(turns_deg(rotations[1:], rotations[:-1]))) > _USUAL_DEG:
        return []
    away = np.zeros(len(rotations), dtype=bool)
    degrees = np.zeros(len(rotations))
    for long in range(1, min(_FRAMES_MAX, len(rotations) - 2) + 1):
        before = rotations[: -long - 1]
        closed = turns_deg(rotations[long + 1 :], before) < _BACK_DEG
        each = np.array([turns_deg(rotations[lag : lag - long - 1], before) for lag in range(1, long + 1)])
        for start in np.flatnonzero(closed & (each > _AWAY_DEG).all(axis=0)).tolist():
            away[start + 1 : start + 1 + long] = True
            degrees[start + 1 : start + 1 + long] = each[:, start]
    return [(start, stop, float(degrees[start:stop].max())) for start, stop in runs(away)]
