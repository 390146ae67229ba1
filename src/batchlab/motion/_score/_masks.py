"""What is hidden in which fold: bursts as long as real gaps, dealt out so that each is hidden once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._score._model import Holdout

    Bool: TypeAlias = NDArray[np.bool_]
    Int: TypeAlias = NDArray[np.intp]

__all__ = ["blackouts", "bursts", "gap_lengths"]

_USUAL_FRAMES = 10  # where a recording has no gap that tells


def gap_lengths(seen: Bool) -> Int:
    """Lengths in frames of all runs in which a marker is not seen.

    Parameters
    ----------
    seen
        (F, M).
    """
    frames, markers = seen.shape
    padded = np.zeros((frames + 2, markers), dtype=np.int8)
    padded[1:-1] = ~seen
    steps = np.diff(padded, axis=0).T
    _, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return ends - begins


def bursts(seen: Bool, how: Holdout, recording: int) -> Int:
    """Fold (F, M), from 0, in which each marker-frame is hidden; -1 where it is hidden in none.

    Parameters
    ----------
    seen
        (F, M).
    how
        Number of folds, length of bursts, seed.
    recording
        Its number, so that recordings are dealt differently.
    """
    frames, markers = seen.shape
    random = np.random.default_rng([how.seed, recording])
    # A marker must stay seen long enough in every fold.
    lengths = _lengths(seen, how, most=max(1, frames // (4 * how.folds)))
    out = np.full(seen.shape, -1, dtype=np.intp)
    for marker in range(markers):
        out[:, marker] = _dealt(random, frames, lengths, how.folds)
    out[~seen] = -1
    for marker in range(markers):
        # Hidden throughout, a marker's place in the body is nowhere told.
        own = out[seen[:, marker], marker]
        if own.size and (own == own[0]).all():
            out[:, marker] = -1
    return out


def blackouts(seen: Bool, how: Holdout, recording: int) -> Int:
    """As `bursts`, with all markers hidden at once; the ends stay, for nothing holds a motion beyond them."""
    frames = len(seen)
    random = np.random.default_rng([how.seed, recording])
    lengths = _lengths(seen, how, most=max(1, frames // (4 * how.folds)))
    dealt = _dealt(random, frames, lengths, how.folds)
    end = max(1, frames // 50)
    dealt[:end] = dealt[frames - end :] = -1
    out: Int = np.where(seen, dealt[:, None], -1)
    return out


def _lengths(seen: Bool, how: Holdout, most: int) -> Int:
    if how.burst_frames is not None:
        return np.array([how.burst_frames])
    gaps = gap_lengths(seen[:, seen.any(axis=0)])
    gaps = gaps[gaps < len(seen)]
    return np.clip(gaps, 1, most) if gaps.size else np.array([min(_USUAL_FRAMES, most)])


def _dealt(random: np.random.Generator, frames: int, lengths: Int, folds: int) -> Int:
    """Fold of each frame: bursts in a row, every fold once in as many bursts as there are folds."""
    count = int(np.ceil(1.5 * frames / lengths.mean())) + 4 * folds
    drawn = random.choice(lengths, size=count)
    while drawn.sum() < frames:
        drawn = np.concatenate([drawn, random.choice(lengths, size=count)])
    ends = np.cumsum(drawn)
    order = np.concatenate([random.permutation(folds) for _ in range(-(-len(drawn) // folds))])
    out: Int = order[np.searchsorted(ends, np.arange(frames), side="right")]
    return out
