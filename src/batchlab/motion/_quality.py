"""How good a fit is, in numbers: residuals over all and by marker, what was seen, lengths of edges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._model import Covered, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchlab.motion._model import Body, Fit, Float, Recording

__all__ = ["EdgeLength", "MarkerQuality", "Quality", "edge_lengths", "marker_quality", "quality"]

# A marker-frame that a robust loss has taken more than half of the weight from is no inlier.
_INLIER = 0.5
_INFERRED = list(Covered).index(Covered.INFERRED)
_PERCENTILES = (5, 25, 50, 75, 95)
_MOST_EDGES = 66  # all pairs of twelve markers

# From bad to good: of several recordings the worst counts.
_ORDER = (Status.FAILED, Status.DEGENERATE, Status.ITERATION_LIMIT, Status.CONVERGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of the fits of one body, taken together.

    Attributes
    ----------
    status, iterations, cost
        The worst, the most, and the sum.
    rms_m, median_m
        Of distances of measured markers from fitted ones, in frames whose pose is not inferred.
    chi2_reduced
        Mean by frames.
    frames, measured, partly, inferred
        All, and by what they rest on.
    missing_share
        Of marker-frames not measured.
    inlier_share
        Of measured marker-frames that kept at least half their weight.
    """

    status: Status
    iterations: int
    cost: float
    rms_m: float
    median_m: float
    chi2_reduced: float
    frames: int
    measured: int
    partly: int
    inferred: int
    missing_share: float
    inlier_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerQuality:
    """Of one marker: as `Quality`."""

    marker: str
    rms_m: float
    median_m: float
    missing_share: float
    inlier_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLength:
    """A distance between two markers: in the fitted geometry, and as measured."""

    first: str
    second: str
    fitted_m: float
    measured_m: float  # median
    sd_m: float  # of what was measured; how far the two are from rigid
    percentiles_m: tuple[float, ...]  # 5, 25, 50, 75 and 95 of what was measured


def quality(fits: Sequence[Fit]) -> Quality:
    """Numbers of fits of one body, one or more."""
    able = [fit for fit in fits if fit.status is not Status.DEGENERATE]
    lengths = _lengths(fits)
    measured = np.isfinite(lengths)
    weights = np.concatenate([fit.weights_used for fit in fits])
    covered = np.concatenate([fit.covered for fit in fits])
    told = lengths[measured & (covered != _INFERRED)[:, None]]
    frames = np.array([len(fit.times_s) for fit in able])
    chi2 = np.array([fit.chi2_reduced for fit in able])
    return Quality(
        status=min((fit.status for fit in fits), key=_ORDER.index),
        iterations=max(fit.iterations for fit in fits),
        cost=float(sum(fit.cost for fit in able)) if able else float("nan"),
        rms_m=_rms(told),
        median_m=float(np.median(told)) if told.size else float("nan"),
        chi2_reduced=float((chi2 * frames).sum() / frames.sum()) if able else float("nan"),
        frames=len(covered),
        measured=int((covered == 0).sum()),
        partly=int((covered == 1).sum()),
        inferred=int((covered == 2).sum()),
        missing_share=float(1.0 - measured.mean()) if measured.size else float("nan"),
        inlier_share=float((weights[measured] >= _INLIER).mean()) if measured.any() else float("nan"),
    )


def marker_quality(fits: Sequence[Fit]) -> tuple[MarkerQuality, ...]:
    """Numbers of each marker of the body."""
    lengths = _lengths(fits)
    weights = np.concatenate([fit.weights_used for fit in fits])
    based = np.concatenate([fit.covered for fit in fits]) != _INFERRED
    out = []
    for number, marker in enumerate(fits[0].body.markers):
        measured = np.isfinite(lengths[:, number])
        told = lengths[measured & based, number]
        out.append(
            MarkerQuality(
                marker=marker,
                rms_m=_rms(told),
                median_m=float(np.median(told)) if told.size else float("nan"),
                missing_share=float(1.0 - measured.mean()) if measured.size else float("nan"),
                inlier_share=float((weights[measured, number] >= _INLIER).mean()) if measured.any() else float("nan"),
            )
        )
    return tuple(out)


def edge_lengths(recordings: Sequence[Recording], body: Body, geometry_m: Float) -> tuple[EdgeLength, ...]:
    """Lengths of a body's edges; of all pairs of markers where it has none and is small.

    Parameters
    ----------
    recordings
        What was measured, in m.
    body
        With its edges.
    geometry_m
        (M, 3) fitted markers.
    """
    pairs = body.edges or tuple(combinations(range(len(body.markers)), 2))
    if not body.edges and len(pairs) > _MOST_EDGES:
        return ()
    out = []
    for first, second in pairs:
        names = body.markers[first], body.markers[second]
        told = []
        for recording in recordings:
            if set(names) <= set(recording.markers):
                one, other = (recording.positions[:, recording.markers.index(name)] for name in names)
                told.append(np.linalg.norm(one - other, axis=1))
        lengths = np.concatenate(told) if told else np.zeros(0)
        lengths = lengths[np.isfinite(lengths)]
        out.append(
            EdgeLength(
                first=names[0],
                second=names[1],
                fitted_m=float(np.linalg.norm(geometry_m[first] - geometry_m[second])),
                measured_m=float(np.median(lengths)) if lengths.size else float("nan"),
                sd_m=float(lengths.std()) if lengths.size else float("nan"),
                percentiles_m=tuple(np.percentile(lengths, _PERCENTILES).tolist()) if lengths.size else (),
            )
        )
    return tuple(out)


def _lengths(fits: Sequence[Fit]) -> Float:
    error = np.concatenate([fit.residuals_m for fit in fits])
    out: Float = np.sqrt(np.einsum("fmi,fmi->fm", error, error))
    return out


def _rms(lengths: Float) -> float:
    return float(np.sqrt(np.mean(lengths**2))) if lengths.size else float("nan")
