"""Rise and fall times of the response to light, between two shares of the whole change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._phases import baseline_of, edge_levels, known
from batchlab.devices.metrics._trace import Level, Trace, level_at, median, noise_of, trace_of

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Crossing", "RiseFallExtractor", "crossing_time", "smoothed"]

_QUIET = 0.02  # of the change: down to this the noise is averaged away
_WIDEST = 0.3  # of the time since the edge: no average is wider, so that a fast start stays fast
_PLAIN = 4.0  # standard errors that make a turning point plain


@dataclass(frozen=True, slots=True)
class Crossing:
    """Times in s since the edge at which the lower and the upper share of the change were reached.

    `resolved` is False where the lower one falls before the first sample; `gap_s` is the longest time between two
    samples about either of them.
    """

    low_s: float
    high_s: float
    error_s: float
    resolved: bool
    gap_s: float = 0.0


def smoothed(s: Array, y: Array, noise: float, change: float) -> tuple[Array, Array]:
    """Centred means, no wider than the noise asks for and than the time since the edge allows.

    Parameters
    ----------
    s, y : (n,) array
        Time since the edge in s, ascending; values.
    noise, change
        Standard deviation of white noise, and the change that is to be timed.

    Returns
    -------
    (n,) array, (n,) array
        Means, and the number of samples in each.
    """
    n = y.size
    enough = (noise / (_QUIET * abs(change))) ** 2 if change else 1.0
    step = float(s[-1] - s[0]) / (n - 1) if n > 1 and s[-1] > s[0] else 1.0
    wide = np.minimum(enough, np.maximum(_WIDEST * s / step, 1.0))
    half = np.minimum(((wide - 1) / 2 + 0.5).astype(int), np.minimum(np.arange(n), np.arange(n)[::-1]))
    total = np.r_[0.0, np.cumsum(y - y[0])]
    index = np.arange(n)
    count = 2 * half + 1
    return (total[index + half + 1] - total[index - half]) / count + y[0], count


def crossing_time(s: Array, y: Array, change: float, shares: tuple[float, float], noise: float) -> Crossing:
    """When a response from 0 towards `change` passes two shares of it.

    The time spent below a share is measured instead of its first crossing [1]_: noise around a crossing then counts to
    both sides alike.

    References
    ----------
    .. [1] Chernozhukov, Fernandez-Val and Galichon, Biometrika 96, 559 (2009), on monotone rearrangement.
    """
    mean, count = smoothed(s, y, noise, change)
    part = mean / change
    # Only until the change was reached for good: what comes after is not the rise.
    there = np.flatnonzero(part >= 1.0)
    stop = int(there[0]) + 1 if there.size else part.size
    x = np.r_[0.0, s[:stop]]
    p = np.r_[0.0, part[:stop]]
    low, high = (_time_below(x, p, share) for share in shares)
    at = min(int(np.searchsorted(s, high)), part.size - 1)
    span = max(high - low, 1e-300)
    slope = (shares[1] - shares[0]) / span * 0.3  # of a relaxation near its end
    error = noise / abs(change) / np.sqrt(count[at]) / slope
    # Between two samples nothing is known: it happened somewhere there.
    gaps = [
        float(x[k] - x[k - 1]) for k in (min(int(np.searchsorted(x, at, "right")), x.size - 1) for at in (low, high))
    ]
    error = math.hypot(error, *(gap / math.sqrt(12) for gap in gaps))
    return Crossing(low, high, error, low >= float(s[0]), max(gaps))


def _time_below(x: Array, p: Array, share: float) -> float:
    """Summed time for which a polygon lies below `share`."""
    a, b = p[:-1] - share, p[1:] - share
    step = np.diff(x)
    below = np.where((a < 0) & (b < 0), 1.0, 0.0)
    cross = (a < 0) != (b < 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = np.where(a < 0, a / (a - b), b / (b - a))
    return float(np.sum(step * np.where(cross, fraction, below)))


class RiseFallExtractor:
    """10-90 % times into the light and out of it, drift taken away."""

    name = "rise_fall"
    metrics: tuple[str, ...] = ("t_rise", "t_fall")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "2"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """A rise, and a fall where enough of it is seen."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        if trace.main is None:
            return Skip(Reason.PRECONDITION_FAILED, "the light never went on after a dark stretch")
        lit = trace.stretches[trace.main]
        if lit.rows < 2 * k.MIN_SAMPLES_PER_STATE:
            return Skip(Reason.DATA_QUALITY, f"only {lit.rows} samples in the light")
        off, end = edge_levels(trace, trace.main, k)
        drift = baseline_of(trace, k)
        rise = _response(trace, lit.samples, lit.start_s, off, end, None if drift is None else drift.change, k)
        noise = noise_of(trace.y)
        spread = max(noise, drift.noise if drift is not None else noise)
        if abs(rise.change) <= k.MIN_SNR_GOOD * max(spread / np.sqrt(k.MIN_SAMPLES_PER_STATE), off.error):
            return Skip(Reason.QUALITY_FAILURE, "no response beyond the noise")
        checks: dict[str, float] = {}
        if abs(rise.change) < k.MIN_SNR_GOOD * spread:
            checks["LOW_SNR"] = 0.5
        if rise.switched:
            checks["SIGN_SWITCH"] = 0.7
        row = Row(self, run)
        crossing = crossing_time(rise.s, rise.y, rise.change, k.CROSSINGS, noise)
        usual = median(np.diff(trace.t)) * k.MAX_GAP_STEPS
        rows = [_row(row, "t_rise", crossing, checks, usual, {"change": rise.change, "on_s": lit.start_s})]
        fall = self._fall(trace, rise.switched, end, drift, rise.total, k)
        if isinstance(fall, Skip):
            return rows
        crossing = crossing_time(fall.s, fall.y, fall.change, k.CROSSINGS, noise)
        rows.append(_row(row, "t_fall", crossing, checks, usual, {"change": fall.change, "off_s": lit.end_s}))
        return rows

    def _fall(self, trace: Trace, switched: bool, end: Level, drift: Any, total: float, k: Any) -> _Response | Skip:
        """The response to darkness after the longest pulse, if it is one."""
        after = trace.main + 1 if trace.main is not None else 0
        if after >= len(trace.stretches) or trace.stretches[after].rows < 2 * k.MIN_SAMPLES_PER_STATE:
            return Skip(Reason.DATA_QUALITY, "no dark stretch after the light")
        dark = trace.stretches[after]
        rows = max(int(dark.rows * k.LEVEL_FRACTION), k.MIN_SAMPLES_PER_STATE)
        near = slice(dark.stop - rows, dark.stop)
        tail = level_at(trace.t[near], trace.y[near], dark.end_s)
        fall = _response(trace, dark.samples, dark.start_s, end, tail, None if drift is None else drift.change, k)
        if fall.change * total >= 0 or abs(fall.change) < k.MIN_RECOVERY * abs(total):
            return Skip(Reason.NEGLIGIBLE_RECOVERY, f"recovers {-fall.change / total:.0%} of the change by light")
        if abs(fall.change) < k.MIN_SNR_GOOD * float(np.hypot(tail.error, end.error)):
            return Skip(Reason.QUALITY_FAILURE, "no recovery beyond the noise")
        return fall

    def validate(self, metric: DerivedMetric) -> bool:
        """A time."""
        return within(metric, 0.0, 1e6)


@dataclass(frozen=True, slots=True)
class _Response:
    """A response since an edge, from 0 to `change`; `total` is its change at the end of the stretch."""

    s: Array
    y: Array
    change: float
    total: float
    switched: bool


def _response(trace: Trace, samples: slice, edge_s: float, start: Level, end: Level, drift: Any, k: Any) -> _Response:
    """The part of a stretch in which the quantity makes its first plain change."""
    s = trace.t[samples] - edge_s
    y = trace.y[samples] - start.value
    total = end.value - start.value
    if drift is not None:
        whole = drift(edge_s, float(trace.t[samples.stop - 1]))
        if known(whole, total):
            y = y - np.array([drift(edge_s, edge_s + x).value for x in (s[0], s[-1])]) @ _between(s)
            total -= whole.value
    noise = noise_of(y)
    size = max(abs(total), float(np.ptp(y)) / 2)
    mean, count = smoothed(s, y, noise, size)
    error = noise / np.sqrt(count) * 1.5 + start.error
    away = np.abs(mean) - _PLAIN * error
    # The first plain change counts: a response that turns back is timed up to where it turned.
    for sign in (1.0, -1.0):
        peak = int(np.argmax(sign * mean))
        beyond = sign * mean[peak] - max(sign * total, 0.0)
        if away[peak] > 0 and beyond > max(_PLAIN * error[peak], k.LEVEL_FRACTION * abs(mean[peak])):
            opposite = sign * total < 0 and abs(total) > _PLAIN * (end.error + start.error)
            width = max(int(count[peak]), 1)
            near = slice(max(peak - width, 0), peak + width + 1)
            top = float(mean[near].mean())
            return _Response(s[: peak + 1], y[: peak + 1], top, total, bool(opposite))
    return _Response(s, y, total, total, False)


def _between(s: Array) -> Array:
    """Weights of a straight way from the first to the last time: (2, n)."""
    part = (s - s[0]) / max(float(s[-1] - s[0]), 1e-300)
    return np.stack((1 - part, part))


def _row(
    row: Row, name: str, crossing: Crossing, checks: dict[str, float], usual_s: float, json: dict[str, float]
) -> DerivedMetric:
    """One time, with its flags where it is shorter than the sampling or where the record has a gap."""
    label = "RISE" if name == "t_rise" else "FALL"
    failed = dict(checks) if crossing.resolved else {**checks, f"{label}_ONSET_CLAMPED": 0.7}
    if crossing.gap_s > usual_s:
        failed["GAP_AT_CROSSING"] = 0.5
    value = crossing.high_s - crossing.low_s
    json = {**json, "low_s": crossing.low_s, "high_s": crossing.high_s, "gap_s": crossing.gap_s}
    return row(name, value, "s", "time-below", error=crossing.error_s, checks=failed, json=json)
