"""A quantity over time, cut where the light was switched: every window of the metrics comes from the recorded VL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.metrics._extractor import Reason, Skip

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Level", "Stretch", "Trace", "level_at", "line", "noise_of", "trace_of"]

TOGETHER = 8  # runs whose fits are done together, and remembered until they are asked for

_BLOCKS, _MIN_BLOCK = 5, 4  # of residuals: fewer means say little, shorter ones are single samples
_SHARED = 0.1  # of the time recorded: pieces that share more were not one run
QUANTITY: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("It", "It2", "ITt"), ("I (A)", "A")),
    "Vt": ("VDS (V)", "V"),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples `start` to `stop` of one light state, and the times in s at which it began and ended.

    The light was switched some time between two samples: an edge is half way between them, with a standard error of
    `edge_error_s` at the start; the first stretch begins with the record.
    """

    start: int
    stop: int
    lit: bool
    start_s: float
    end_s: float
    edge_error_s: float = 0.0

    @property
    def samples(self) -> slice:
        """Of the trace's arrays."""
        return slice(self.start, self.stop)

    @property
    def rows(self) -> int:
        """Number of samples."""
        return self.stop - self.start

    @property
    def duration_s(self) -> float:
        """From edge to edge."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A quantity over time, in ascending time.

    Attributes
    ----------
    column, unit
        What was measured, as the file calls it, and its unit.
    t, y
        Time in s; values in `unit`.
    stretches
        In order; they cover all samples.
    """

    column: str
    unit: str
    t: Array
    y: Array
    stretches: tuple[Stretch, ...]

    @property
    def pulses(self) -> tuple[int, ...]:
        """Positions of lit stretches that have a dark one before."""
        return tuple(i for i, s in enumerate(self.stretches) if s.lit and i > 0)

    @property
    def main(self) -> int | None:
        """Position of the longest pulse, the first of equals; None in the dark."""
        return max(self.pulses, key=lambda i: (round(self.stretches[i].duration_s, 1), -i), default=None)


@dataclass(frozen=True, slots=True)
class Level:
    """A value at an instant, with its standard error."""

    value: float
    error: float


def trace_of(run: Run, light_on_v: float, min_samples: int) -> Trace | Skip:
    """The trace of a run, or why it is none.

    Parameters
    ----------
    light_on_v
        Laser voltage in V above which the light is on.
    min_samples
        A shorter stretch is no state of the light: it joins the one before.
    """
    return _trace_of(run, light_on_v, min_samples)


@lru_cache(maxsize=TOGETHER)
def _trace_of(run: Run, light_on_v: float, min_samples: int) -> Trace | Skip:
    """As `trace_of`; the extractors of one run follow each other and share it."""
    column, unit = QUANTITY.get(run.procedure, ("I (A)", "A"))
    for name in ("t (s)", column):
        if name not in run.columns:
            return Skip(Reason.MISSING_COLUMN, name)
    t, y = run.columns["t (s)"], run.columns[column]
    volt = run.columns.get("VL (V)")
    if volt is None or not np.isfinite(volt).any():
        if run.has_light:
            return Skip(Reason.MISSING_COLUMN, "VL (V), of a run with light")
        volt = np.zeros(t.size)
    good = np.isfinite(t) & np.isfinite(y)
    if good.sum() < 2:
        return Skip(Reason.DATA_QUALITY, "fewer than two finite samples")
    if not good.all():
        t, y, volt = t[good], y[good], volt[good]
    if np.ptp(t) == 0:
        return Skip(Reason.DATA_QUALITY, "the time does not advance")
    back = np.flatnonzero(np.diff(t) < 0)
    if back.size:
        if _two_runs(t, back, min_samples):
            return Skip(Reason.DATA_QUALITY, f"the time goes back from {t[back[0]]:g} s: two runs in one file")
        order = np.argsort(t, kind="stable")
        t, y, volt = t[order], y[order], volt[order]
    return Trace(column, unit, t, y, _stretches(t, np.nan_to_num(volt) > light_on_v, min_samples))


def _two_runs(t: Array, back: np.ndarray, min_samples: int) -> bool:
    """Whether rows hold a second run and are not merely out of order: a few long pieces that share their times."""
    if back.size * 2 * min_samples > t.size:
        return False
    bounds = [0, *(back + 1).tolist(), t.size]
    pieces = sorted((float(t[a]), float(t[b - 1])) for a, b in pairwise(bounds) if b - a >= min_samples)
    return any(end - begin > _SHARED * float(np.ptp(t)) for (_, end), (begin, _) in pairwise(pieces))


def _stretches(t: Array, lit: np.ndarray, min_samples: int) -> tuple[Stretch, ...]:
    """Stretches of one state, those too short given to the one before."""
    bounds = [0, *(np.flatnonzero(np.diff(lit)) + 1).tolist(), t.size]
    runs: list[list[int]] = []
    for a, b in pairwise(bounds):
        state = int(lit[a])
        if runs and (b - a < min_samples or runs[-1][2] == state):
            runs[-1][1] = b
        else:
            runs.append([a, b, state])
    edges = [float(t[0]), *(float(t[a - 1] + t[a]) / 2 for a, _, _ in runs[1:]), float(t[-1])]
    errors = [0.0, *(float(t[a] - t[a - 1]) / math.sqrt(12) for a, _, _ in runs[1:])]
    return tuple(Stretch(a, b, bool(s), edges[i], edges[i + 1], errors[i]) for i, (a, b, s) in enumerate(runs))


def noise_of(y: Array) -> float:
    """Standard deviation of white noise on a smooth signal, from its second differences."""
    if y.size < 5:
        return 0.0
    return median(np.abs(y[2:] - 2 * y[1:-1] + y[:-2])) / (0.6744897501960817 * math.sqrt(6))


def median(values: Array) -> float:
    """That of `numpy.median`, at a third of the cost for short arrays."""
    half = values.size // 2
    lower = half if values.size % 2 else half - 1
    part = np.partition(values, (lower, half, values.size - 1))
    if part[-1] != part[-1]:  # what is no number comes last
        return math.nan
    return float((part[lower] + part[half]) / 2)


def line(t: Array, y: Array) -> tuple[float, float, float, float]:
    """Straight line by least squares.

    Returns
    -------
    slope, value, slope_error, r_squared
        The value is that at the mean of `t`. The error counts neighbours that deviate alike: noise of real devices
        wanders.
    """
    found = fitted_line(t, y)
    return found.slope, found.value, found.slope_error, found.r_squared


class Line(NamedTuple):
    """A straight line: as `line` tells it, and what it leaves, with its squares' sum and its `correlation_factor`."""

    slope: float
    value: float
    slope_error: float
    r_squared: float
    residual: Array
    sse: float
    alike: float


def fitted_line(t: Array, y: Array) -> Line:
    """As `line`, with what it leaves."""
    x = t - t.sum() / t.size
    sxx = float(x @ x)
    mean = float(y.sum()) / y.size
    d = y - mean
    total = float(d @ d)
    if sxx <= 1e-24 * float(t @ t):
        return Line(0.0, mean, math.inf, 0.0, d, total, correlation_factor(d))
    slope = float(x @ d) / sxx
    residual = d - slope * x
    sse = float(residual @ residual)
    alike = correlation_factor(residual)
    error = math.sqrt(sse / max(y.size - 2, 1) / sxx) * alike
    return Line(slope, mean, error, 1 - sse / total if total > 0 else 0.0, residual, sse, alike)


def correlation_factor(residual: Array) -> float:
    """By how much errors grow because neighbouring residuals are alike.

    The larger of two answers: sqrt((1 + r)/(1 - r)) of lag one, and the Allan deviation [1]_ of means over a fifth of
    the residuals against that of white noise. The first knows a short memory from few samples; the second sees 1/f
    noise, whose neighbours are hardly alike and whose means still wander.

    References
    ----------
    .. [1] Allan, Proc. IEEE 54, 221 (1966); overlapping means after Howe et al., Proc. 35th Freq. Control Symp. (1981).
    """
    total = float(residual @ residual)
    if residual.size < 10 or total == 0.0:
        return 1.0
    r = float(residual[1:] @ residual[:-1]) / total
    r = min(max(r, 0.0), 0.98)
    growth = (1 + r) / (1 - r)
    block = residual.size // _BLOCKS
    if block >= _MIN_BLOCK:
        summed = np.cumsum(residual)
        sums = summed[block:] - summed[:-block]
        steps = sums[block:] - sums[:-block]
        growth = max(growth, float(steps @ steps) / steps.size / (2 * block) * residual.size / total)
    return math.sqrt(growth)


def level_at(t: Array, y: Array, at: float) -> Level:
    """Value at an edge, from samples beside it: their mean, or their line where its slope is plain."""
    if y.size < 3:
        return Level(float(y.mean()), 0.0)
    found = fitted_line(t, y)
    error = math.sqrt(found.sse / max(y.size - 2, 1)) * found.alike / math.sqrt(y.size)
    if abs(found.slope) > 2 * found.slope_error:
        reach = at - float(t.mean())
        return Level(found.value + found.slope * reach, float(np.hypot(error, found.slope_error * reach)))
    return Level(found.value, error)
