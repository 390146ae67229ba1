"""Where the detectors of an instrument overlap, and cutting them there: one value at each position, of one detector."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._kinds import Joins
from batchlab.spectra._model import Array, Spectrum

__all__ = ["Join", "kept_points", "joins_of", "overlap_words", "splice"]

_LEAST_POINTS = 8  # of a detector; what is shorter is a point out of order
_WIDEST_STEP = 5.0  # times the usual one, at a detector's end; what is farther is a point out of order
_MOST_SHARED = 0.5  # of the shorter detector's range; two that share more are two scans


@dataclass(frozen=True, slots=True)
class Join:
    """Where one detector follows another.

    Attributes
    ----------
    first
        Index of the first point of the later detector.
    low, high
        From where to where both measured.
    """

    first: int
    low: float
    high: float

    @property
    def middle(self) -> float:
        """The middle of what both measured, which is the same for every spectrum of an instrument."""
        return (self.low + self.high) / 2


def joins_of(axis: Array) -> tuple[Join, ...]:
    """Find the joins of an axis that steps back between detectors.

    Parameters
    ----------
    axis : (n,) array
        Finite values, in the order of the file.

    Returns
    -------
    tuple of Join
        In that order; empty where the axis runs one way, and where what steps back is no detector: a few points, or a
        range that was measured before.
    """
    steps = np.diff(axis)
    if (steps > 0).all() or (steps < 0).all():
        return ()
    way = 1.0 if np.count_nonzero(steps > 0) >= np.count_nonzero(steps < 0) else -1.0
    upwards = axis * way
    starts = [0, *(np.flatnonzero(steps * way < 0) + 1).tolist()]
    runs = [upwards[a:b] for a, b in itertools.pairwise([*starts, axis.size])]
    if len(runs) < 2 or min(run.size for run in runs) < _LEAST_POINTS:
        return ()
    joins = []
    for start, (one, other) in zip(starts[1:], itertools.pairwise(runs), strict=True):
        shared = one[-1] - other[0]
        shorter = min(one[-1] - one[0], other[-1] - other[0])
        even = all(end <= _WIDEST_STEP * np.median(np.diff(run)) for run, end in _ends(one, other))
        if not (even and one[0] < other[0] and one[-1] < other[-1] and shared <= _MOST_SHARED * shorter):
            return ()
        low, high = sorted((float(other[0] * way), float(one[-1] * way)))
        joins.append(Join(start, low, high))
    return tuple(joins)


def kept_points(axis: Array, joins: Sequence[Join], cuts: Sequence[float]) -> NDArray[np.bool_]:
    """The points that are left where each detector ends at a cut and the next begins there.

    Parameters
    ----------
    axis : (n,) array
        In the order of the file.
    joins
        Its joins.
    cuts
        One position for each; a point at it is the earlier detector's.
    """
    way = 1.0 if axis[0] < axis[-1] else -1.0
    keep = np.ones(axis.size, dtype=bool)
    edges = [0, *(join.first for join in joins), axis.size]
    for begin, first, end, cut in zip(edges, edges[1:], edges[2:], cuts, strict=False):
        keep[begin:first] &= axis[begin:first] * way <= cut * way
        keep[first:end] &= axis[first:end] * way > cut * way
    return keep


def splice(spectrum: Spectrum, joins: Joins | Sequence[float] = Joins.MIDDLE) -> tuple[Spectrum, str, str | None]:
    """Cut the detectors of a spectrum where they overlap.

    Parameters
    ----------
    spectrum
        As read; one whose axis runs one way is handed back as it is.
    joins
        MIDDLE cuts at the middle of each overlap, so at the same place in every spectrum of an instrument. KEEP keeps
        all points, which then interleave. Positions cut there, one for each join, in the axis unit.

    Returns
    -------
    Spectrum
        Strictly one way at the joins.
    str
        What was done, such as ``detectors spliced at 991.4, 1908.95 nm``; empty where nothing was.
    str or None
        A warning where points of two detectors interleave, or where positions were given and there is no overlap.

    Raises
    ------
    DataError
        Reason ``no-such-join``: positions that do not fit the joins.
    """
    found = joins_of(spectrum.axis)
    if not found:
        unused = None if isinstance(joins, Joins) else f"no detectors overlap: nothing is cut at {_listed(joins)}"
        return spectrum, "", unused
    overlaps = overlap_words(found)
    if joins is Joins.KEEP:
        told = f"detectors overlap {overlaps}, and the points of both are kept: they interleave, and make a comb there"
        return spectrum, "", f"{told}; splice them by joins: {Joins.MIDDLE.value}"
    cuts = [join.middle for join in found]
    if not isinstance(joins, Joins):
        falls = spectrum.axis[0] > spectrum.axis[-1]
        cuts = sorted(map(float, joins), reverse=bool(falls))
    edges = [0, *(join.first for join in found), len(spectrum)]
    kept = kept_points(spectrum.axis, found, cuts) if len(cuts) == len(found) else np.zeros(len(spectrum), dtype=bool)
    if not all(kept[a:b].any() for a, b in itertools.pairwise(edges)):
        raise DataError(
            f"{len(found)} joins of detectors, overlapping {overlaps}, cannot be cut at {_listed(cuts)}: give one "
            f"position for each, near its overlap, or joins: {Joins.MIDDLE.value}",
            reason="no-such-join",
        )
    unit = f" {spectrum.axis_unit}" if spectrum.axis_unit not in (None, "1") else ""
    words = f"detectors spliced at {_listed(cuts)}{unit}"
    cut = replace(spectrum, axis=spectrum.axis[kept], intensity=spectrum.intensity[kept])
    return cut, words, None


def _ends(one: Array, other: Array) -> tuple[tuple[Array, float], tuple[Array, float]]:
    """Two detectors, each with its step at the join."""
    return (one, float(one[-1] - one[-2])), (other, float(other[1] - other[0]))


def overlap_words(joins: Sequence[Join]) -> str:
    """``from 971.5 to 1011.3 and from 1908.2 to 1909.7``."""
    return " and ".join(f"from {join.low:.6g} to {join.high:.6g}" for join in joins)


def _listed(cuts: Sequence[float]) -> str:
    return ", ".join(f"{cut:.6g}" for cut in cuts)
