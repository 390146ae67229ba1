"""Work through a signal run by run: never across a mask, nor across a hole that the instrument left."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Array
from batchlab.spectra._signal import Signal
from batchlab.spectra._words import agreed, counted

__all__ = ["run_by_run", "typical_step"]

_HOLE = 5.0  # steps of its neighbourhood
_NEIGHBOURS = 9


def run_by_run(
    signal: Signal, work: Callable[[Array, Array], Array], least_points: int | Callable[[Array], int]
) -> Signal:
    """Replace the intensities of each run by what `work` makes of its axis and intensity.

    A step of the axis that is more than five times the median of the steps around it is a hole, which parts runs as
    a mask does. Runs with fewer points than `least_points` are left out, with a warning.

    Raises
    ------
    DataError
        Reason ``too-few-points``: no run is long enough.
    """
    runs = [slice(a, b) for piece in signal.pieces for a, b in _unbroken(signal.axis[piece], piece.start)]
    parted = len(runs) > len(signal.pieces)
    out = signal.intensity.copy()
    kept, lost = [], 0
    least = 0
    for run in runs:
        x = signal.axis[run]
        least = least_points if isinstance(least_points, int) else least_points(x)
        if x.size < least:
            lost += x.size
            continue
        out[run] = work(x, signal.intensity[run])
        kept.append(run)
    if not kept:
        longest = max(run.stop - run.start for run in runs)
        raise DataError(
            f"it needs {least} points in a row, and the longest run has {longest}; take a smaller window, or mask less",
            reason="too-few-points",
        )
    if not parted and not lost:
        return signal.having(out)
    told = []
    if parted:
        told.append(f"the axis has {counted(len(runs) - len(signal.pieces), 'hole')}, which nothing is computed across")
    if lost:
        told.append(f"{counted(lost, 'point')} in runs of fewer than {least} {agreed(lost, 'is', 'are')} left out")
    return signal.kept(tuple(kept), out, f"{signal.name}: {'; '.join(told)}")


def typical_step(axis: Array) -> float:
    """Median distance of neighbouring points."""
    return float(np.median(np.diff(axis)))


def _unbroken(axis: Array, start: int) -> list[tuple[int, int]]:
    """First and after-last index of each run without a hole."""
    if axis.size < 3:
        return [(start, start + axis.size)]
    from scipy.ndimage import median_filter

    steps = np.diff(axis)
    if steps.max() <= _HOLE * steps.min():
        return [(start, start + axis.size)]
    around = median_filter(steps, size=min(_NEIGHBOURS, steps.size), mode="mirror")
    edges = [0, *(np.flatnonzero(steps > _HOLE * around) + 1), axis.size]
    return [(start + int(a), start + int(b)) for a, b in itertools.pairwise(edges)]
