"""Threshold voltage and subthreshold swing of a channel that turns off, branch by branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._dirac_point import valley
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._legs import Leg, Sweep, jump_check, sweep_of
from batchlab.devices.metrics._savgol import despiked, steepest
from batchlab.devices.metrics._trace import correlation_factor, noise_of

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = [
    "SubthresholdSwingExtractor",
    "ThresholdExtractor",
    "Voltage",
    "constant_current",
    "linear_extrapolation",
    "subthreshold_swing",
]

_FLOOR = 10.0  # standard deviations of the off state's noise: below them its logarithm is bent
_ALIKE = 4.0  # standard deviations within which slopes are alike
_SIDES = {"n": 1, "p": -1}
_THERMAL_MV = 59.0  # kT/q ln 10 at room temperature


@dataclass(frozen=True, slots=True)
class Voltage:
    """A voltage with its standard error; `at_edge` where the current's slope still grows at the end of the sweep."""

    value: float
    error: float
    at_edge: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """One side of a leg, from where it is off to its end: electrons (``n``) to higher, holes (``p``) to lower voltages.

    `v` in V and the size `i` of the current in A stand in ascending voltage; `noise` is that of the off state, `failed`
    are the checks that its leg does not pass.
    """

    carrier: str
    leg: str
    v: Array
    i: Array
    noise: float
    failed: Mapping[str, float]

    @property
    def end_v(self) -> float:
        """Gate voltage where it is on."""
        return float(self.v[-1] if self.carrier == "n" else self.v[0])


def linear_extrapolation(
    v_gs: Array, i_d: Array, v_ds: float, *, window: int, order: int, side: int = 1
) -> Voltage | None:
    """Where the tangent at the largest transconductance meets zero current, less half the drain voltage.

    Parameters
    ----------
    v_gs, i_d : (n,) array
        Gate voltage in V, ascending; size of the drain current in A.
    v_ds
        Drain voltage in V; NaN leaves its half out.
    window, order
        Of the slopes, see `slopes`.
    side
        1 of a current that rises with the voltage, -1 of one that falls.

    References
    ----------
    .. [1] Ortiz-Conde et al., Microelectron. Reliab. 42, 583 (2002).
    """
    steep = steepest(v_gs, i_d, side, window=window, order=order)
    if steep is None:
        return None
    reach = steep.y / steep.slope
    error = float(np.hypot(noise_of(i_d), reach * steep.error)) / steep.slope
    half = v_ds / 2 if np.isfinite(v_ds) else 0.0
    return Voltage(steep.v - side * reach - half, error, steep.at_edge)


def constant_current(v_gs: Array, i_d: Array, current_a: float) -> Voltage | None:
    """Where the current first passes a given one, interpolated in its logarithm.

    The voltage may rise or fall: a branch of holes is given from its off state on.
    """
    above = i_d >= current_a
    turn = np.flatnonzero(above[1:] != above[:-1])
    if not turn.size or i_d.min() <= 0:
        return None
    k = int(turn[0])
    low, high = np.log(i_d[k]), np.log(i_d[k + 1])
    part = (np.log(current_a) - low) / (high - low)
    step = float(v_gs[k + 1] - v_gs[k])
    return Voltage(float(v_gs[k] + part * step), noise_of(i_d) / current_a / abs(high - low) * abs(step))


def subthreshold_swing(v_gs: Array, i_d: Array, *, floor: float, decades: float = 1.0) -> Voltage | None:
    """Gate voltage needed to raise the drain current tenfold, where it is least.

    That of the steepest of all straight lines through the logarithm of the current, each over some decades that lie
    wholly above the floor: a slope at one place would be that of the noise.

    Parameters
    ----------
    v_gs, i_d : (n,) array
        Gate voltage in V, rising or falling from the off state on; size of the drain current in A, which grows.
    floor
        Current in A below which the logarithm of readings is bent by noise.
    decades
        Of current under each line.

    Returns
    -------
    Voltage or None
        In mV per decade; None where no stretch of four points above the floor spans the decades.

    References
    ----------
    .. [1] Sze and Ng, *Physics of Semiconductor Devices*, 3rd ed., ch. 6.
    """
    under = np.flatnonzero(i_d <= floor)
    start = int(under[-1]) + 1 if under.size else 0
    x, y = np.abs(v_gs[start:] - v_gs[0]), i_d[start:]
    if y.size < 4:
        return None
    y = np.log10(y)
    first = np.arange(y.size)
    last = np.maximum(np.searchsorted(np.maximum.accumulate(y), y + decades - 1e-9), first + 3)
    fits = last < y.size
    first, last = first[fits], last[fits] + 1
    if not first.size:
        return None
    count, sum_x, sum_y, sum_xx, sum_xy = (
        (total := np.r_[0.0, np.cumsum(term)])[last] - total[first] for term in (np.ones(y.size), x, y, x * x, x * y)
    )
    slope = (sum_xy - sum_x * sum_y / count) / (sum_xx - sum_x**2 / count)
    best = int(np.argmax(slope))
    if slope[best] <= 0:
        return None
    part = slice(int(first[best]), int(last[best]))
    away = x[part] - x[part].mean()
    residual = y[part] - y[part].mean() - slope[best] * away
    error = float(np.sqrt(residual @ residual / max(away.size - 2, 1) / (away @ away))) * correlation_factor(residual)
    # The steepest of many lines is too steep: those that are alike within the noise have a say.
    mean = float(slope[slope >= slope[best] - _ALIKE * error].mean())
    swing = 1e3 / mean
    return Voltage(swing, swing * float(np.hypot(error, (slope[best] - mean) / 2)) / mean)


class ThresholdExtractor:
    """Threshold voltage of each leg; graphene, which never turns off, has none.

    Electrons and holes have a threshold each; ``v_th`` and those of the legs are of the branch that conducts more.
    """

    name = "threshold"
    metrics: tuple[str, ...] = ("v_th", "v_th_forward", "v_th_backward", "v_th_n", "v_th_p")
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "IVgT"})
    version = "3"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Rows by linear extrapolation, and by constant current where the context names one."""
        k = context.constants
        sweep, branches = _switching(run, k)
        if isinstance(branches, Skip):
            return branches
        assert isinstance(sweep, Sweep)
        rows: list[DerivedMetric] = []
        swept = [float(sweep.full[0].v[0]), float(sweep.full[0].v[-1])]
        for method in ("linear-extrapolation", "constant-current"):
            found: dict[str, dict[str, Voltage]] = {}
            ends: dict[str, float] = {}
            failed: dict[str, dict[str, float]] = {}
            for branch in branches:  # those that conduct more come first
                one = _threshold(branch, method, run.number("vds_v"), context)
                if one is not None:
                    found.setdefault(branch.carrier, {})[branch.leg] = one
                    ends[branch.carrier] = branch.end_v
                    failed.setdefault(branch.carrier, {}).update(branch.failed)
            rows += self._rows(run, method, found, ends, failed, swept, k)
        return rows or Skip(Reason.ALGORITHM_FAILURE, "the current does not change with the gate")

    def _rows(
        self,
        run: Run,
        method: str,
        found: Mapping[str, Mapping[str, Voltage]],
        ends: Mapping[str, float],
        failed: Mapping[str, Mapping[str, float]],
        swept: list[float],
        k: Any,
    ) -> list[DerivedMetric]:
        """Rows of one method: those of the branch that conducts more, and one for each branch."""
        row, rows = Row(self, run), []
        notes = ("AMBIPOLAR",) if len(found) > 1 else ()
        for carrier, legs in found.items():
            mean = float(np.mean([one.value for one in legs.values()]))
            error = float(np.sqrt(sum(one.error**2 for one in legs.values()))) / len(legs)
            checks = dict(failed[carrier])
            if not swept[0] <= mean <= swept[1]:
                checks["V_TH_OUT_OF_SWEEP"] = 0.5
            if any(one.at_edge for one in legs.values()):
                checks["PEAK_AT_EDGE"] = 0.7  # the tangent of a steeper place beyond the sweep would lie elsewhere
            if method == "linear-extrapolation" and not _linear(run.number("vds_v"), ends[carrier] - mean, k):
                checks["NOT_LINEAR_REGION"] = 0.5
            json = {name: one.value for name, one in legs.items()} | {"swept_v": swept, "branch": carrier}
            if carrier == next(iter(found)):
                rows += [
                    row(f"v_th_{name}", one.value, "V", method, error=one.error, checks=checks, notes=notes)
                    for name, one in legs.items()
                ]
                rows.append(row("v_th", mean, "V", method, error=error, checks=checks, notes=notes, json=json))
            rows.append(row(f"v_th_{carrier}", mean, "V", method, error=error, checks=checks, notes=notes, json=json))
        return rows

    def validate(self, metric: DerivedMetric) -> bool:
        """A number."""
        return metric.value_float is not None and bool(np.isfinite(metric.value_float))


class SubthresholdSwingExtractor:
    """Least swing over both legs and branches."""

    name = "subthreshold_swing"
    metrics: tuple[str, ...] = ("subthreshold_swing",)
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "IVgT"})
    version = "3"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row."""
        k = context.constants
        _, branches = _switching(run, k)
        if isinstance(branches, Skip):
            return branches
        found: dict[tuple[str, str], Voltage] = {}
        failed = {(branch.carrier, branch.leg): branch.failed for branch in branches}
        for branch in branches:
            way = slice(None, None, _SIDES[branch.carrier])
            swing = subthreshold_swing(
                branch.v[way], branch.i[way], floor=_FLOOR * branch.noise, decades=k.MIN_SUBTHRESHOLD_DECADES
            )
            if swing is not None:
                found[branch.carrier, branch.leg] = swing
        if not found:
            return Skip(
                Reason.PRECONDITION_FAILED,
                f"fewer than {k.MIN_SUBTHRESHOLD_DECADES:g} decades of current above the noise",
            )
        carrier, leg = min(found, key=lambda key: found[key].value)
        best = found[carrier, leg]
        checks = dict(failed[carrier, leg])
        if best.value < _THERMAL_MV:
            checks["BELOW_THERMAL_LIMIT"] = 0.5
        json = {"branch": carrier, "leg": leg} | {f"{c}_{name}": swing.value for (c, name), swing in found.items()}
        return [
            Row(self, run)(
                "subthreshold_swing", best.value, "mV/decade", "decade-line", error=best.error, checks=checks, json=json
            )
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """Positive."""
        return metric.value_float is not None and 0 < metric.value_float < 1e5


def _threshold(branch: _Branch, method: str, v_ds: float, context: ExtractionContext) -> Voltage | None:
    """Threshold of one branch by one method."""
    k, side = context.constants, _SIDES[branch.carrier]
    if method == "linear-extrapolation":
        return linear_extrapolation(branch.v, branch.i, v_ds, window=k.GM_WINDOW_POINTS, order=k.GM_ORDER, side=side)
    current = context.threshold_current_a
    return None if current is None else constant_current(branch.v[::side], branch.i[::side], current)


def _linear(v_ds: float, overdrive: float, k: Any) -> bool:
    """Whether the drain voltage is small against the overdrive at the end of the sweep, as the tangent supposes."""
    return not abs(v_ds) > k.MAX_DRAIN_OVER_OVERDRIVE * abs(overdrive)


def _branches(leg: Leg, window: int, min_on_off: float, min_jump: float) -> list[_Branch]:
    """The branches of a leg that turn off."""
    size = despiked(np.abs(leg.y))
    least = valley(leg.v, size)
    near = size[max(least - 2, 0) : least + 3]
    # Noise is that of the off state: where current is large it is larger in proportion.
    noise = noise_of(leg.y[size <= np.quantile(size, 0.2)])
    off = max(float(np.median(near)), noise)
    parts = {"n": slice(least, None), "p": slice(None, least + 1)}
    off_to_on = [
        (carrier, part)
        for carrier, part in parts.items()
        if size[part].size >= window and size[part].max() >= min_on_off * off
    ]
    failed = jump_check(leg, min_jump) if off_to_on else {}
    return [_Branch(carrier, leg.name, leg.v[part], size[part], noise, failed) for carrier, part in off_to_on]


def _switching(run: Run, k: Any) -> tuple[Sweep | Skip, Sequence[_Branch] | Skip]:
    """The sweep of a channel that turns off, and its branches; those of the carrier that conducts more come first."""
    return _switching_of(run, k.MIN_LEG_COVERAGE, k.GM_WINDOW_POINTS, k.MIN_ON_OFF_FOR_THRESHOLD, k.MIN_JUMP)


@lru_cache(maxsize=2)
def _switching_of(
    run: Run, coverage: float, window: int, min_on_off: float, min_jump: float
) -> tuple[Sweep | Skip, Sequence[_Branch] | Skip]:
    """As `_switching`; the extractors of one run follow each other and share it."""
    sweep = sweep_of(run, coverage)
    if isinstance(sweep, Skip):
        return sweep, sweep
    if any(flag.startswith("DEAD_") for flag in run.flags):
        return sweep, Skip(Reason.DEAD_SAMPLE, ", ".join(run.flags))
    branches = [branch for leg in sweep.full for branch in _branches(leg, window, min_on_off, min_jump)]
    if not branches:
        ratio = max(float(np.abs(leg.y).max() / max(np.abs(leg.y).min(), 1e-300)) for leg in sweep.full)
        return sweep, Skip(
            Reason.PRECONDITION_FAILED,
            f"the current falls to 1/{ratio:.3g} of its largest; beyond the noise a threshold needs 1/{min_on_off:g}",
        )
    most = {c: max(float(b.i.max()) for b in branches if b.carrier == c) for c in {b.carrier for b in branches}}
    return sweep, sorted(branches, key=lambda branch: (-most[branch.carrier], branch.carrier))
