"""Take out spikes: cosmic rays, dead pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._pretreatment._runs import run_by_run
from batchlab.spectra._signal import Signal
from batchlab.spectra._words import agreed, counted

__all__ = ["despike", "spikes"]

_FLANK = 2
_ON_FLANK = 2  # most points of a spike on a band
_ABOVE_FLANKS = 3.0
_NEARBY = 50


def despike(step: _steps.Despike, signal: Signal) -> Signal:
    """Replace spikes by the line between the points beside them; a warning counts the points."""
    replaced = 0

    def mend(x: Array, y: Array) -> Array:
        nonlocal replaced
        wrong = spikes(y, step.threshold, step.widest_points)
        if not wrong.any() or wrong.all():
            return y
        replaced += int(np.count_nonzero(wrong))
        return np.where(wrong, np.interp(x, x[~wrong], y[~wrong]), y)

    done = run_by_run(signal, mend, 2)
    if replaced:
        taken = agreed(replaced, "was taken for a spike", "were taken for spikes")
        return done.having(done.intensity, f"{signal.name}: {counted(replaced, 'point')} {taken} and replaced")
    return done


def spikes(intensity: Array, threshold: float, widest_points: int) -> NDArray[np.bool_]:
    """Find points that jump out and back within a few points.

    Differences of neighbours are judged by their modified z-score, 0.6745 (d - median) / MAD [1]_ [2]_. By that alone
    the top of every steep band is a spike, so more is asked here. Each difference is taken beside the median of those
    around it, which takes the flanks of bands out. A jump must come back within `widest_points`: the edge of a
    detector does not. It must be three times as high as the differences just outside, which are a band's own flanks
    where it is one, also where these were flagged with it; and have its score beside the noise of its own hundred
    points too, since many a detector is noisier at one end.

    Parameters
    ----------
    intensity : (n,) array
        Signal.
    threshold
        Score from which a difference is a jump; 3.5 to 10 are in use.
    widest_points
        Most points of one spike.

    Returns
    -------
    (n,) array of bool

    References
    ----------
    .. [1] Whitaker and Hayes, *Chemom. Intell. Lab. Syst.* 179 (2018) 82-84.
    .. [2] Iglewicz and Hoaglin, *How to Detect and Handle Outliers*, 1993.
    """
    from scipy.ndimage import median_filter

    wrong = np.zeros(intensity.size, dtype=bool)
    jumps = np.diff(intensity)
    if jumps.size < 3:
        return wrong
    jumps = jumps - median_filter(jumps, size=4 * widest_points + 1, mode="mirror")
    off = np.abs(jumps - np.median(jumps))
    spread = float(np.median(off)) / 0.6745
    if spread == 0.0:
        # More than half of the differences are equal, as in a saturated or a rounded signal.
        spread = 1.253314 * float(off.mean())
    if spread == 0.0:
        return wrong
    flagged = np.flatnonzero(off > threshold * spread)
    waiting = [(group, widest_points) for group in _apart(flagged, widest_points)]
    last = intensity.size - 1
    while waiting:
        group, widest = waiting.pop()
        first, after = int(group[0]) + 1, int(group[-1]) + 1
        height = float(np.abs(jumps[group]).max())
        if after - first > widest:
            # A spike on the flank of a steep band: its jumps tower above those of the band, which were flagged too. A
            # sharp band on a wide one towers as well, and is hardly ever of two points.
            towers = np.abs(jumps[group]) > height / _ABOVE_FLANKS
            if not towers.all():
                waiting += [(each, min(widest, _ON_FLANK)) for each in _apart(group[towers], widest)]
            continue
        outside = np.abs(np.r_[jumps[max(0, group[0] - _FLANK) : group[0]], jumps[group[-1] + 1 :][:_FLANK]])
        nearby = np.median(off[max(0, group[0] - _NEARBY) : group[-1] + _NEARBY]) / 0.6745
        if height < _ABOVE_FLANKS * outside.max(initial=0.0) or height <= threshold * nearby:
            continue
        both_ways = jumps[group].min() < 0 < jumps[group].max()
        if not both_ways and group[0] < widest_points:
            first, after = 0, after
        elif not both_ways and last - group[-1] <= widest_points:
            after = last + 1
        elif not both_ways:
            continue
        if after - first <= widest:
            wrong[first:after] = True
    return wrong


def _apart(at: NDArray[np.intp], widest_points: int) -> list[NDArray[np.intp]]:
    """Groups of jumps with no more than a spike's width between neighbours."""
    return np.split(at, np.flatnonzero(np.diff(at) > widest_points) + 1) if at.size else []
