"""Names that changed places: where a frame's residual jumps, exchanges are tried that make the points fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.motion._judge._scale import FAR, measured, residual_lengths, runs, turns_deg, typical_unit
from batchlab.motion._solve import kabsch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Bool, Fit, Float, Recording

    Frames: TypeAlias = NDArray[np.int64]

__all__ = ["SwapRun", "misfits", "swap_runs", "unswapped"]

_MARKERS_MAX = 12
_DOUBLES_MAX, _STRETCH_MIN = 8, 5
# An exchange must take the misfit to this share, and to what is usual; or to so small a share that nothing else can.
_GAIN, _FITS, _CLEAR = 0.4, 2.0, 0.1
_GAP = 3
# Coordinates to spare, over all frames of a run, below which chance may find an exchange that fits.
_SPARE = 12
# But for names that, taken as they are, turn the body out of its way by more than this, and mended do not.
_TURN_DEG, _BACK = 90.0, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRun:
    """Frames in which markers bear each other's names.

    Attributes
    ----------
    names, truly
        What the file calls some columns, and what they are, in the same order.
    start, stop
        Frames from `start` up to, not including, `stop`.
    frames
        How many of these it was seen in.
    before_m, after_m
        Root mean squared misfit of these frames as they are, and with the names mended.
    """

    names: tuple[str, ...]
    truly: tuple[str, ...]
    start: int
    stop: int
    frames: int
    before_m: float
    after_m: float


def swap_runs(recording: Recording, fit: Fit) -> tuple[SwapRun, ...]:
    """Find exchanged names.

    In frames where some marker lies far from the body every exchange of two names is tried, each with a pose of its
    own, and in stretches of frames rings of three and two exchanges at once; of the markers one may be hidden. The
    best is kept if the frames then fit as well as any, or ten times better than before; where frames are so few that
    chance may fit them, if their pose moreover turns back to its neighbours'. A body that an exchange takes
    to itself cannot show it.

    Parameters
    ----------
    recording, fit
        A recording and its fit, geometry known.

    Returns
    -------
    tuple of SwapRun
        In order of time.
    """
    unit = typical_unit(fit)
    known = np.isfinite(fit.geometry_m[:, 0])
    lengths = residual_lengths(fit)
    with np.errstate(invalid="ignore"):
        far = lengths > FAR * unit
    suspects = np.flatnonzero(far.any(axis=1) & (np.isfinite(lengths).sum(axis=1) >= 3))
    if not suspects.size or known.sum() < 3:
        return ()
    positions = measured(recording, fit)[suspects][:, known]
    geometry = fit.geometry_m[known]
    chosen = _chosen(far[suspects][:, known])
    order, before, after = _exchanged(positions, geometry, suspects, chosen, _FITS * unit)
    places = np.flatnonzero(known)
    seen = np.isfinite(positions[:, :, 0]).sum(axis=1)
    exchanged = (order != np.arange(order.shape[1])).sum(axis=1)
    mended = (exchanged > 0) & (after <= _GAIN * before) & _explained(before, after, _FITS * unit)
    spare = np.maximum(3 * seen - 6 - 3 * np.maximum(exchanged - 1, 0), 1)
    found: list[SwapRun] = []
    for way in sorted({tuple(row) for row in order[mended].tolist()}):
        frames = np.zeros(len(recording.times_s), dtype=bool)
        same = mended & (order == np.array(way)).all(axis=1)
        frames[suspects[same]] = True
        moved = [marker for marker, source in enumerate(way) if marker != source]
        # Marker m is at the column of marker way[m].
        names = tuple(fit.body.markers[places[way[marker]]] for marker in moved)
        truly = tuple(fit.body.markers[places[marker]] for marker in moved)
        hidden = ~np.isfinite(lengths).any(axis=1)
        for start, stop in runs(frames | (hidden & _between(frames)), gap=_GAP):
            inside = same & (suspects >= start) & (suspects < stop)
            if spare[inside].sum() >= _SPARE or _turns_back(positions[inside], list(way), fit, geometry, (start, stop)):
                found.append(
                    SwapRun(
                        names=names,
                        truly=truly,
                        start=int(suspects[inside][0]),
                        stop=int(suspects[inside][-1]) + 1,
                        frames=int(inside.sum()),
                        before_m=float(np.sqrt(np.mean(before[inside] ** 2))),
                        after_m=float(np.sqrt(np.mean(after[inside] ** 2))),
                    )
                )
    return tuple(sorted(found, key=lambda run: (run.start, run.names)))


def _turns_back(positions: Float, way: list[int], fit: Fit, geometry: Float, span: tuple[int, int]) -> bool:
    """Whether all poses of places (n, M, 3) are turned far from those beside the `span`, but not with names mended."""
    start, stop = span
    beside = [fit.rotations[frame] for frame in (start - 1, stop) if 0 <= frame < len(fit.rotations)]
    if not beside:
        return False
    far, near = (
        np.max([turns_deg(_poses(places, geometry)[0], each) for each in beside], axis=0)
        for places in (positions, positions[:, way])
    )
    return bool((far > _TURN_DEG).all() and (near < _BACK * far).all())


def unswapped(recording: Recording, swaps: Sequence[SwapRun]) -> Recording:
    """The recording with the names mended, for another fit; a note tells each exchange."""
    places = {name: number for number, name in enumerate(recording.markers)}
    positions = recording.positions.copy()
    confidence = None if recording.confidence is None else recording.confidence.copy()
    notes = list(recording.notes)
    for swap in swaps:
        frames = slice(swap.start, swap.stop)
        sources, targets = [places[name] for name in swap.names], [places[name] for name in swap.truly]
        positions[frames, targets] = recording.positions[frames, sources]
        if confidence is not None and recording.confidence is not None:
            confidence[frames, targets] = recording.confidence[frames, sources]
        one = swap.stop - swap.start == 1
        where = f"frame {swap.start}" if one else f"frames {swap.start} to {swap.stop - 1}"
        notes.append(f"names mended in {where}: {', '.join(swap.names)}")
    return replace(recording, positions=positions, confidence=confidence, notes=tuple(notes))


def _between(frames: Bool) -> Bool:
    """Frames from the first true one to the last."""
    found = np.flatnonzero(frames)
    out = np.zeros_like(frames)
    if found.size:
        out[found[0] : found[-1] + 1] = True
    return out


def _chosen(far: Bool) -> Sequence[int]:
    """Markers that take part: all of a small body, those most often far off of a large one."""
    count = far.shape[1]
    if count <= _MARKERS_MAX:
        return range(count)
    return sorted(np.argsort(-far.sum(axis=0), kind="stable")[:_MARKERS_MAX].tolist())


def _exchanged(
    positions: Float, geometry: Float, suspects: Frames, chosen: Sequence[int], enough_m: float
) -> tuple[Frames, Float, Float]:
    """Best order (n, M) of columns of each frame, misfit as it is and in that order, per free coordinate in m.

    Single exchanges are tried on every frame, others on some frames of each stretch that is still unexplained.
    """
    count = len(geometry)
    order = np.tile(np.arange(count), (len(positions), 1))
    before = misfits(positions, geometry)
    best = before.copy()
    for pair in combinations(chosen, 2):
        _try(_permutation(count, [pair]), np.flatnonzero(before > enough_m), positions, geometry, order, best)
    still = np.flatnonzero(~_explained(before, best, enough_m))
    if not still.size:
        return order, before, best
    ways = [_permutation(count, pairs) for pairs in _twofold(chosen)]
    for stretch in np.split(still, np.flatnonzero(np.diff(suspects[still]) > 1) + 1):
        if len(stretch) < _STRETCH_MIN:
            continue
        some = stretch[np.linspace(0, len(stretch) - 1, min(len(stretch), _STRETCH_MIN)).astype(int)]
        tried = np.concatenate([positions[some][:, way] for way in ways])
        sums = misfits(tried, geometry).reshape(len(ways), len(some)).sum(axis=1)
        _try(ways[int(sums.argmin())], stretch, positions, geometry, order, best)
    return order, before, best


def _explained(before: Float, after: Float, enough_m: float) -> Bool:
    """Frames that fit as usual; or, where a body that bends never does, so much better that names must be the cause."""
    out: Bool = (after <= enough_m) | (after <= _CLEAR * before)
    return out


def _twofold(chosen: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Three names in a ring, either way round, and two exchanges at once."""
    rings = [[(a, b), (b, c)] for a, b, c in combinations(chosen, 3)]
    rings += [[(b, c), (a, b)] for a, b, c in combinations(chosen, 3)]
    doubles = [
        [pair, other]
        for pair, other in combinations(combinations(chosen, 2), 2)
        if not set(pair) & set(other) and len(chosen) <= _DOUBLES_MAX
    ]
    return rings + doubles


def _permutation(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    order = list(range(count))
    for one, other in pairs:
        order[one], order[other] = order[other], order[one]
    return order


def _try(way: list[int], frames: Frames, positions: Float, geometry: Float, order: Frames, best: Float) -> None:
    """Take, in place, the order `way` in those of the `frames` that it fits better."""
    changed = [column for column, source in enumerate(way) if column != source]
    # Hidden markers exchange nothing.
    frames = frames[np.isfinite(positions[frames][:, changed, 0]).any(axis=1)]
    misfit = misfits(positions[frames][:, way], geometry)
    better = misfit < 0.999 * best[frames]
    order[frames[better]] = way
    best[frames[better]] = misfit[better]


def misfits(positions: Float, geometry: Float) -> Float:
    """Root mean square per free coordinate (F,), in m, of the best rigid fit of `geometry` (M, 3) to (F, M, 3)."""
    seen = np.isfinite(positions[:, :, 0]).sum(axis=1)
    _, squares = _poses(positions, geometry)
    out: Float = np.where(seen >= 3, np.sqrt(squares / np.maximum(3.0 * seen - 6.0, 1.0)), np.inf)
    return out


def _poses(positions: Float, geometry: Float) -> tuple[Float, Float]:
    """Rotations (F, 3, 3), and sums of squares (F,) in m², of the best rigid fit of `geometry` (M, 3) to (F, M, 3)."""
    seen = np.isfinite(positions[:, :, 0])
    columns = np.where(seen[:, :, None], positions, 0.0).transpose(0, 2, 1)
    weights = seen.astype(np.float64)
    rotations, translations = kabsch(columns, weights, geometry)
    error = columns - rotations @ geometry.T - translations[:, :, None]
    return rotations, (weights * np.sum(error**2, axis=1)).sum(axis=1)
