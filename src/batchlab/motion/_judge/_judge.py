"""A judgement of a fit: tables for machines, sentences with numbers for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._judge._markers import MarkerRow, marker_rows, marker_units, predicted, rest_unit
from batchlab.motion._judge._outliers import OutlierRun, far_off, outlier_runs
from batchlab.motion._judge._scale import measured, runs, typical_unit
from batchlab.motion._judge._swaps import SwapRun, swap_runs, unswapped
from batchlab.motion._judge._turns import turned_runs
from batchlab.motion._judge._words import (
    body_sentences,
    frame_sentences,
    length_sentences,
    loose_sentences,
    outlier_sentences,
    size_sentences,
    swap_sentence,
    turn_sentences,
    weight_sentences,
)
from batchlab.motion._model import Status

if TYPE_CHECKING:
    from batchlab.motion._model import Bool, Fit, Recording

__all__ = ["Judgement", "judge"]

_BREAK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is odd about a recording, told by its fit.

    Attributes
    ----------
    warnings
        Sentences for people, the gravest first; none where nothing is odd.
    markers
        The table of markers, in the body's order.
    swaps
        Exchanged names.
    outliers
        Markers that are far off for a while and not swapped or loose.
    outlier_frames
        Frames in which half of the markers seen, or more, are far off.
    inferred
        Stretches [start, stop) whose pose rests on no markers of their own.
    noise_m
        Standard deviation of a coordinate of the usual marker; NaN where its own geometry fits all, as in one frame.
    thickness_m, width_m
        Root mean square distance of the markers from their best plane, and from their best line.
    """

    warnings: tuple[str, ...]
    markers: tuple[MarkerRow, ...]
    swaps: tuple[SwapRun, ...]
    outliers: tuple[OutlierRun, ...]
    outlier_frames: tuple[int, ...]
    inferred: tuple[tuple[int, int], ...]
    noise_m: float
    thickness_m: float
    width_m: float


def judge(recording: Recording, fit: Fit, *, data_per_m: float | None = None) -> Judgement:
    """Look for what is odd about a recording.

    Parameters
    ----------
    recording, fit
        A recording and its fit.
    data_per_m
        The weight of the fit, for a word on whether it tells the noise.

    Returns
    -------
    Judgement
        Of a degenerate fit only visibility is told.
    """
    inferred = tuple(runs(fit.covered == 2))
    if fit.status in (Status.DEGENERATE, Status.FAILED) or not np.isfinite(fit.residuals_m).any():
        nothing = np.zeros(fit.residuals_m.shape[:2], dtype=bool)
        rows = marker_rows(recording, fit, nothing, ())
        return Judgement(
            warnings=(*length_sentences(fit, recording.notes), *frame_sentences(fit, rows, inferred)),
            markers=rows,
            swaps=(),
            outliers=(),
            outlier_frames=(),
            inferred=inferred,
            noise_m=float("nan"),
            thickness_m=float("nan"),
            width_m=float("nan"),
        )
    residual = typical_unit(fit)
    swaps = swap_runs(recording, fit)
    recording = unswapped(recording, swaps)
    units, unsteady = marker_units(recording, fit)
    far = far_off(fit, residual, units)
    rows = marker_rows(recording, fit, far, unsteady)
    others = far.copy()
    for swap in swaps:
        # While names are wrong the pose is bent, by smoothness in the frames beside too.
        _clear_around(others, swap.start, swap.stop)
    for name in unsteady:
        others[:, fit.body.markers.index(name)] = False
    seen = np.isfinite(fit.residuals_m[:, :, 0])
    half = others.sum(axis=1) >= np.maximum(2, 0.5 * seen.sum(axis=1))
    outliers = outlier_runs(fit, others)
    thickness, width = _extent(fit)
    warnings = [*length_sentences(fit, recording.notes), *size_sentences(fit)]
    warnings += [swap_sentence(swap, fit) for swap in swaps]
    turned = [run for run in turned_runs(fit) if not any(swap.start < run[1] and run[0] < swap.stop for swap in swaps)]
    warnings += turn_sentences(turned, fit)
    kept = np.array([name not in unsteady for name in fit.body.markers]) & np.isfinite(fit.geometry_m[:, 0])
    # Frame by frame, so that no smoothness bends it; three markers alone tell little.
    rest = rest_unit(measured(recording, fit), fit, kept)
    noise = rest if kept.sum() > 3 and np.isfinite(rest) else residual
    loose = [(name, predicted(recording, fit, fit.body.markers.index(name), kept)) for name in unsteady]
    warnings += loose_sentences([(name, found) for name, found in loose if found is not None], rest, fit)
    warnings += outlier_sentences(outliers, np.flatnonzero(half), fit)
    warnings += body_sentences(fit, thickness, width, noise)
    warnings += frame_sentences(fit, rows, inferred)
    warnings += weight_sentences(fit, data_per_m, residual, noise)
    return Judgement(
        warnings=tuple(warnings),
        markers=rows,
        swaps=swaps,
        outliers=outliers,
        outlier_frames=tuple(np.flatnonzero(half).tolist()),
        inferred=inferred,
        noise_m=noise if np.isfinite(fit.chi2_reduced) else float("nan"),
        thickness_m=thickness,
        width_m=width,
    )


def _clear_around(far: Bool, start: int, stop: int) -> None:
    """Forget, in place, what is `far` (F, M) from `start` to `stop` and without a break on either side."""
    any_far: Bool = np.asarray(far.any(axis=1))
    while start > 0 and any_far[max(0, start - _BREAK) : start].any():
        start -= 1
    while stop < len(far) and any_far[stop : stop + _BREAK].any():
        stop += 1
    far[start:stop] = False


def _extent(fit: Fit) -> tuple[float, float]:
    """Root mean square distance of the geometry from its best plane and from its best line, in m."""
    geometry = fit.geometry_m[np.isfinite(fit.geometry_m[:, 0])]
    if len(geometry) < 3:
        return float("nan"), float("nan")
    values = np.linalg.svd(geometry - geometry.mean(axis=0), compute_uv=False)
    root = float(np.sqrt(len(geometry)))
    return float(values[2]) / root, float(np.hypot(values[1], values[2])) / root
