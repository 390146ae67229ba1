"""Scales that outliers do not move, and arrays of a recording in the order of a body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from batchlab.motion._model import Bool, Fit, Float, Recording

__all__ = ["FAR", "measured", "residual_lengths", "runs", "turns_deg", "typical_unit"]

# Lengths of three normal numbers beyond this many standard deviations: one in 800,000.
FAR = 5.5
_MEDIAN_LENGTH = 1.5381722544550522


def measured(recording: Recording, fit: Fit) -> Float:
    """Places (F, M, 3) in m of the body's markers; NaN where unseen or not in the recording."""
    out = np.full((len(recording.times_s), len(fit.body.markers), 3), np.nan)
    places = {name: number for number, name in enumerate(recording.markers)}
    for number, name in enumerate(fit.body.markers):
        if name in places:
            out[:, number] = recording.positions[:, places[name]]
    return out


def residual_lengths(fit: Fit) -> Float:
    """How far (F, M), in m, each marker was measured from where the body puts it."""
    out: Float = np.linalg.norm(fit.residuals_m, axis=2)
    return out


def typical_unit(fit: Fit) -> float:
    """Standard deviation of a coordinate, in m, told by the median residual of the median marker.

    So one marker that is loose does not count.
    """
    seen = np.isfinite(fit.residuals_m[:, :, 0])
    lengths = residual_lengths(fit)
    medians = [float(np.median(lengths[seen[:, m], m])) for m in range(seen.shape[1]) if seen[:, m].any()]
    if not medians:
        return float("nan")
    free = fit.freedom
    if not np.isfinite(free):
        # Without smoothness each frame's pose takes up six of its coordinates.
        free = 1.0 - 6.0 * int(seen.any(axis=1).sum()) / (3 * int(seen.sum()))
    return float(np.median(medians)) / _MEDIAN_LENGTH / float(np.sqrt(max(free, 0.1)))


def runs(frames: Bool, gap: int = 0) -> list[tuple[int, int]]:
    """Stretches [start, stop) of true `frames` (F,), joined over up to `gap` false ones."""
    found = np.flatnonzero(frames)
    if not found.size:
        return []
    cuts = np.flatnonzero(np.diff(found) > gap + 1)
    starts = found[np.concatenate([[0], cuts + 1])]
    stops = found[np.concatenate([cuts, [len(found) - 1]])] + 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def turns_deg(rotations: Float, others: Float) -> Float:
    """By how many degrees (F,) rotations (F, 3, 3) are turned from others, (F, 3, 3) or (3, 3)."""
    trace = np.sum(rotations * others, axis=(1, 2))
    out: Float = np.degrees(np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0)))
    return out
