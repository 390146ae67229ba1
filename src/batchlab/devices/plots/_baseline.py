"""What a curve over time is measured from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._light import common_windows

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["baseline_time", "value_at"]


def baseline_time(
    baseline: float | Literal["auto", "none"], runs: Sequence[Run], start_s: float, divisor: float = 2.0
) -> float | None:
    """The time in s at which curves are 0; None leaves them as they are.

    Parameters
    ----------
    baseline
        A time in s; 0 for the first point in sight, which is at `start_s` or after; ``auto`` for the median period of
        the runs' laser over `divisor`, or where none has a period the time when the light goes on.
    """
    if baseline == "none":
        return None
    if baseline != "auto":
        return float(baseline) or start_s
    periods = [period for run in runs if (period := run.number("laser_period_s")) > 0]
    if periods:
        return float(np.median(periods)) / divisor
    windows = common_windows(runs)
    return windows[0][0] if windows else start_s


def value_at(t: Array, y: Array, at_s: float) -> float:
    """A curve between its points, by straight lines; at its ends, its ends.

    Parameters
    ----------
    t, y : (n,) array
        Time in s, ascending, and values; rows that are not finite do not count.
    """
    good = np.isfinite(t) & np.isfinite(y)
    return float(np.interp(at_s, t[good], y[good]))
