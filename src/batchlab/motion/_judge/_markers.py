"""Each marker by itself: how well the others predict it, and whether it moves on the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._judge._scale import measured, residual_lengths
from batchlab.motion._judge._swaps import misfits
from batchlab.motion._solve import kabsch

if TYPE_CHECKING:
    from batchlab.motion._model import Bool, Fit, Float, Recording

__all__ = ["MarkerRow", "Predicted", "marker_rows", "marker_units", "predicted", "rest_unit"]

_FRAMES_MAX = 4000
# What is odd for a fifth of the time must show, short outliers must not.
_QUANTILE, _QUANTILE_LENGTH = 0.8, 2.1544
_SOME = 20  # frames below which nothing is said of a marker
_TRIED = 12  # markers of a large body that may be the one that moves


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerRow:
    """A marker in the table of a judgement.

    Attributes
    ----------
    name
        Of the marker.
    rms_m, median_m, largest_m
        Of distances between measured and fitted; NaN if never seen.
    predicted_m
        Median distance from where the other markers put it; NaN where there are too few.
    inlier_share, missing_share
        Of the frames in which it was seen, and of all frames.
    loose
        Whether it moves on the body.
    """

    name: str
    rms_m: float
    median_m: float
    largest_m: float
    predicted_m: float
    inlier_share: float
    missing_share: float
    loose: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """A marker beside the others' prediction of it.

    Attributes
    ----------
    errors_m
        (n, 3) measured minus predicted, in body axes, in frames that saw it and three others.
    frames
        (n,) which.
    unit_m
        Standard deviation of a coordinate that they tell, the prediction's own error taken off.
    """

    errors_m: Float
    frames: np.ndarray
    unit_m: float


def predicted(recording: Recording, fit: Fit, marker: int, others: Bool) -> Predicted | None:
    """What the `others` (M,) predict of a marker, frame by frame; None where there are too few frames."""
    positions = measured(recording, fit)
    seen = np.isfinite(positions[:, :, 0])
    others = others & np.isfinite(fit.geometry_m[:, 0])
    others[marker] = False
    weights = np.where(seen & others, np.maximum(fit.weights_used, 0.0), 0.0)
    frames = np.flatnonzero(seen[:, marker] & ((weights > 0.2).sum(axis=1) >= 3))
    if len(frames) < _SOME or not np.isfinite(fit.geometry_m[marker]).all():
        return None
    if len(frames) > _FRAMES_MAX:
        # Whole stretches, for how a marker moves shows in neighbouring frames.
        frames = frames[np.linspace(0, len(frames) - 1, _FRAMES_MAX).astype(int)]
    geometry = np.where(np.isfinite(fit.geometry_m), fit.geometry_m, 0.0)
    columns = np.where(seen[frames, :, None], positions[frames], 0.0).transpose(0, 2, 1)
    rotations, translations = kabsch(columns, weights[frames], geometry)
    place = positions[frames, marker] - translations
    errors: Float = np.einsum("fji,fj->fi", rotations, place) - fit.geometry_m[marker]
    leverage = _leverage(geometry, others, fit.geometry_m[marker])
    if not np.isfinite(leverage):
        return None
    unit = _unit(errors) / float(np.sqrt(1.0 + leverage))
    return Predicted(errors_m=errors, frames=frames, unit_m=unit)


def _unit(errors: Float) -> float:
    """Standard deviation of a coordinate that the four fifths of least length tell, about their median place."""
    lengths = np.linalg.norm(errors - np.median(errors, axis=0), axis=1)
    return float(np.quantile(lengths, _QUANTILE)) / _QUANTILE_LENGTH


def _leverage(geometry: Float, others: Bool, place: Float) -> float:
    """Variance of a predicted coordinate, on average over directions, in units of a measured one's; inf on a line."""
    arms = geometry[others]
    centre = arms.mean(axis=0)
    arms, arm = arms - centre, place - centre
    inertia = np.einsum("mi,mi->", arms, arms) * np.eye(3) - arms.T @ arms
    values, vectors = np.linalg.eigh(inertia)
    if values[0] <= 4e-4 * values[-1]:
        return float("inf")
    # A turn w moves the place by w x arm: variance |axis x arm|² / moment, summed over principal axes.
    swings = np.linalg.norm(np.cross(vectors.T, arm), axis=1) ** 2
    return float(1.0 / len(arms) + np.sum(swings / values) / 3.0)


def marker_units(recording: Recording, fit: Fit, *, ratio: float = 2.0) -> tuple[dict[str, float], tuple[str, ...]]:
    """Noise of each marker, and names of those that move on the body, the worst first.

    The marker without which the rest is most rigid is taken out if it lies `ratio` times farther from where the rest
    puts it than the rest's own noise tells; then the rest is judged anew. Below four markers nothing tells which
    one moves.

    Returns
    -------
    units_m, unsteady
        Standard deviations of a coordinate by name; names.
    """
    names = fit.body.markers
    positions = measured(recording, fit)
    kept = np.isfinite(fit.geometry_m[:, 0])
    lengths = residual_lengths(fit)
    units: dict[str, float] = {}
    unsteady: list[str] = []
    # More than a third are no exceptions: the body itself is not rigid.
    while kept.sum() >= 4 and len(unsteady) <= len(names) // 3:
        rests = {number: rest_unit(positions, fit, kept, number) for number in _suspects(lengths, kept)}
        worst = min(rests, key=lambda number: rests[number])
        found = predicted(recording, fit, worst, kept)
        if found is None or not found.unit_m > ratio * rests[worst]:
            break
        units[names[worst]] = found.unit_m
        unsteady.append(names[worst])
        kept[worst] = False
    for number in np.flatnonzero(kept).tolist():
        found = predicted(recording, fit, number, kept)
        units[names[number]] = rest_unit(positions, fit, kept) if found is None else found.unit_m
    return units, tuple(unsteady)


def _suspects(lengths: Float, kept: Bool) -> list[int]:
    """Markers `kept` (M,), of many those whose residual `lengths` (F, M) are largest in the middle of the frames."""
    numbers = np.flatnonzero(kept)
    if len(numbers) <= _TRIED:
        return [int(number) for number in numbers]
    middles = [np.median(own[np.isfinite(own)]) if np.isfinite(own).any() else 0.0 for own in lengths[:, numbers].T]
    return [int(number) for number in numbers[np.argsort(middles)[-_TRIED:]]]


def rest_unit(positions: Float, fit: Fit, kept: Bool, without: int | None = None) -> float:
    """Standard deviation of a coordinate, in m, told by the rigidity of the `kept` markers but one; inf if unknown."""
    rest = kept.copy()
    if without is not None:
        rest[without] = False
    places = positions[:, rest]
    seen = np.isfinite(places[:, :, 0]).sum(axis=1)
    frames = np.flatnonzero(seen == seen.max(initial=0))
    if seen.max(initial=0) < 3 or len(frames) < _SOME:
        return float("inf")
    frames = frames[np.linspace(0, len(frames) - 1, min(len(frames), _FRAMES_MAX)).astype(int)]
    free = 3 * int(seen.max()) - 6
    # Median of a root mean square of `free` normal numbers, by Wilson and Hilferty.
    unit = float(np.median(misfits(places[frames], fit.geometry_m[rest])))
    return unit / float((1.0 - 2.0 / (9.0 * free)) ** 1.5)


def marker_rows(recording: Recording, fit: Fit, far: Bool, loose: tuple[str, ...]) -> tuple[MarkerRow, ...]:
    """The table of markers; `far` (F, M) are those off the body."""
    lengths = residual_lengths(fit)
    everything = np.ones(len(fit.body.markers), dtype=bool)
    for name in loose:
        everything[fit.body.markers.index(name)] = False
    rows = []
    for number, name in enumerate(fit.body.markers):
        own = lengths[:, number]
        own = own[np.isfinite(own)]
        found = predicted(recording, fit, number, everything)
        rows.append(
            MarkerRow(
                name=name,
                rms_m=float(np.sqrt(np.mean(own**2))) if own.size else float("nan"),
                median_m=float(np.median(own)) if own.size else float("nan"),
                largest_m=float(own.max()) if own.size else float("nan"),
                predicted_m=float("nan") if found is None else _distance(found),
                inlier_share=1.0 - float(far[:, number].sum()) / own.size if own.size else float("nan"),
                missing_share=1.0 - own.size / max(1, len(lengths)),
                loose=name in loose,
            )
        )
    return tuple(rows)


def _distance(found: Predicted) -> float:
    return float(np.median(np.linalg.norm(found.errors_m, axis=1)))
