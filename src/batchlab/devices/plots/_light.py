"""When the light was on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from batchlab.devices._model import Run

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Window", "common_windows", "last_time", "light_windows", "lit_windows"]

Window: TypeAlias = tuple[float, float]

_NAME = "VL (V)"


def lit_windows(t: Array, v_laser: Array) -> tuple[Window, ...]:
    """First and last time of each stretch with a voltage on the laser.

    Parameters
    ----------
    t, v_laser : (n,) array
        Time in s, ascending, and laser voltage in V.
    """
    on = np.isfinite(t) & (np.nan_to_num(v_laser) > 0)
    edges = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    return tuple((float(t[first]), float(t[end - 1])) for first, end in edges.reshape(-1, 2).tolist())


def last_time(run: Run) -> float:
    """When a run ended, in s; 0 where no time was recorded."""
    t = run.columns["t (s)"]
    return float(np.max(t[np.isfinite(t)], initial=0.0))


def light_windows(run: Run) -> tuple[Window, ...]:
    """When the light of a run was on, in s.

    As recorded. Of a run with light whose record does not say: from half its period to the whole of it, else the
    second third of its time. A dark run has none.
    """
    t = run.columns["t (s)"]
    recorded = run.columns.get(_NAME)
    if recorded is not None and np.isfinite(recorded).any():
        return lit_windows(t, recorded)
    if not run.has_light:
        return ()
    period, last = run.number("laser_period_s"), last_time(run)
    return ((period / 2, min(period, last)),) if 0 < period / 2 < last else ((last / 3, 2 * last / 3),)


def common_windows(runs: Sequence[Run]) -> tuple[Window, ...]:
    """When the light of runs that are laid over each other was on: medians of first and last times.

    Runs that differ in the number of their pulses have one window, from the first light to the last; dark runs
    among lit ones do not count.
    """
    each = [windows for run in runs if (windows := light_windows(run))]
    if not each:
        return ()
    if len({len(windows) for windows in each}) > 1:
        each = [((windows[0][0], windows[-1][1]),) for windows in each]
    times = np.median(np.array(each, dtype=np.float64), axis=0)
    return tuple((float(first), float(last)) for first, last in times)
