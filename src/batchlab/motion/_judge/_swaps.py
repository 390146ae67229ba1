"""Names that changed places: where a frame's residual jumps, exchanges are tried that make the points fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._judge._scale import FAR, measured, residual_lengths, runs, typical_unit
from batchlab.motion._solve import kabsch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from batchlab.motion._model import Bool, Fit, Float, Recording

__all__ = ["SwapRun", "misfits", "swap_runs", "unswapped"]

_MARKERS_MAX = 12
_EXCHANGES_MAX = 3
# An exchange must take the misfit to this share, and to what is usual.
_GAIN, _FITS = 0.4, 2.0
_GAP = 3
# Coordinates to spare, over all frames of a run, below which chance may find an exchange that fits.
_SPARE = 12


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

    In frames where some marker lies far from the body every exchange of two names is tried, then a second and a
    third upon the best, each with a pose of its own; one of the two may be hidden. The best is kept if the frame then
    fits as well as any. A body that an exchange takes to itself cannot show it.

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
    order, before, after = _exchanged(positions, geometry, chosen, _FITS * unit)
    places = np.flatnonzero(known)
    seen = np.isfinite(positions[:, :, 0]).sum(axis=1)
    exchanged = (order != np.arange(order.shape[1])).sum(axis=1)
    mended = (exchanged > 0) & (after <= _GAIN * before) & (after <= _FITS * unit)
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
            if spare[inside].sum() >= _SPARE:
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
        notes.append(f"names mended in frames {swap.start} to {swap.stop - 1}: {', '.join(swap.names)}")
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
    positions: Float, geometry: Float, chosen: Sequence[int], enough_m: float
) -> tuple[NDArray[np.int64], Float, Float]:
    """Best order (n, M) of columns of each frame, misfit as it is and in that order, per free coordinate in m.

    No exchange is added to an order that fits well `enough_m`.
    """
    count = len(geometry)
    order = np.tile(np.arange(count), (len(positions), 1))
    rows = np.arange(len(positions))[:, None]
    before = misfits(positions, geometry)
    best = before.copy()
    open_ = best > enough_m
    pairs = list(combinations(chosen, 2))
    for _ in range(_EXCHANGES_MAX):
        here = np.flatnonzero(open_)
        if not here.size:
            break
        places = positions[rows[here], order[here]]
        winner, lowest = np.full(len(here), -1), best[here].copy()
        for number, (one, other) in enumerate(pairs):
            tried = places.copy()
            tried[:, [one, other]] = places[:, [other, one]]
            # Two hidden markers exchange nothing.
            some = np.isfinite(places[:, [one, other], 0]).any(axis=1)
            misfit = np.where(some, misfits(tried, geometry), np.inf)
            better = misfit < 0.999 * lowest
            lowest[better], winner[better] = misfit[better], number
        for frame, number in zip(here, winner, strict=True):
            if number >= 0:
                one, other = pairs[number]
                order[frame, [one, other]] = order[frame, [other, one]]
        best[here] = lowest
        open_[here] = (winner >= 0) & (lowest > enough_m)
    return order, before, best


def misfits(positions: Float, geometry: Float) -> Float:
    """Root mean square per free coordinate (F,), in m, of the best rigid fit of `geometry` (M, 3) to (F, M, 3)."""
    seen = np.isfinite(positions[:, :, 0])
    columns = np.where(seen[:, :, None], positions, 0.0).transpose(0, 2, 1)
    weights = seen.astype(np.float64)
    rotations, translations = kabsch(columns, weights, geometry)
    error = columns - rotations @ geometry.T - translations[:, :, None]
    squares = (weights * np.sum(error**2, axis=1)).sum(axis=1)
    free = np.maximum(3.0 * seen.sum(axis=1) - 6.0, 1.0)
    out: Float = np.where(seen.sum(axis=1) >= 3, np.sqrt(squares / free), np.inf)
    return out
