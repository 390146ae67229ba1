"""Threshold voltage and subthreshold swing of a channel that turns off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._legs import Leg, Sweep, sweep_of
from batchlab.devices.metrics._savgol import slope_gain, slopes
from batchlab.devices.metrics._trace import median, noise_of

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


@dataclass(frozen=True, slots=True)
class Voltage:
    """A voltage with its standard error."""

    value: float
    error: float


def linear_extrapolation(v_gs: Array, i_d: Array, v_ds: float, *, window: int, order: int) -> Voltage | None:
    """Where the tangent at the largest transconductance meets zero current, less half the drain voltage.

    Parameters
    ----------
    v_gs, i_d : (n,) array
        Gate voltage in V, ascending; size of the drain current in A.
    v_ds
        Drain voltage in V; NaN leaves its half out.

    References
    ----------
    .. [1] Ortiz-Conde et al., Microelectron. Reliab. 42, 583 (2002).
    """
    g_m = slopes(v_gs, i_d, window, order)
    at = int(np.argmax(np.abs(g_m)))
    if g_m[at] == 0:
        return None
    noise = noise_of(i_d)
    slope_error = noise * slope_gain(min(window, v_gs.size - (1 - v_gs.size % 2)), order) / median(np.diff(v_gs))
    reach = float(i_d[at] / g_m[at])
    error = float(np.hypot(noise, reach * slope_error) / abs(g_m[at]))
    half = v_ds / 2 if np.isfinite(v_ds) else 0.0
    return Voltage(float(v_gs[at]) - reach - half, error)


def constant_current(v_gs: Array, i_d: Array, current_a: float) -> Voltage | None:
    """Where the current first passes a given one, interpolated in its logarithm."""
    above = i_d >= current_a
    turn = np.flatnonzero(above[1:] != above[:-1])
    if not turn.size or i_d.min() <= 0:
        return None
    k = int(turn[0])
    low, high = np.log(i_d[k]), np.log(i_d[k + 1])
    part = (np.log(current_a) - low) / (high - low)
    step = float(v_gs[k + 1] - v_gs[k])
    return Voltage(float(v_gs[k] + part * step), noise_of(i_d) / current_a / abs(high - low) * step)


def subthreshold_swing(v_gs: Array, i_d: Array, *, floor: float, window: int, order: int) -> Voltage | None:
    """Gate voltage needed to raise the drain current tenfold, where it is least.

    Parameters
    ----------
    v_gs, i_d : (n,) array
        Gate voltage in V, ascending; size of the drain current in A.
    floor
        Current in A below which readings are noise.

    Returns
    -------
    Voltage or None
        In mV per decade; None where fewer than five points lie above the floor.

    References
    ----------
    .. [1] Sze and Ng, *Physics of Semiconductor Devices*, 3rd ed., ch. 6.
    """
    above = i_d > floor
    if above.sum() < 5:
        return None
    log_i = np.log10(np.where(above, i_d, max(floor, float(i_d[above].min()))))
    steep = np.abs(slopes(v_gs, log_i, window, order))
    # A window that reaches below the floor would see the floor's own kink.
    inside = np.convolve(above, np.ones(3), mode="same") >= 3
    if not inside.any():
        return None
    at = int(np.argmax(np.where(inside, steep, 0.0)))
    if steep[at] == 0:
        return None
    swing = 1e3 / float(steep[at])
    noise = noise_of(log_i) * slope_gain(min(window, v_gs.size - (1 - v_gs.size % 2)), order)
    return Voltage(swing, swing * noise / median(np.diff(v_gs)) / float(steep[at]))


class ThresholdExtractor:
    """Threshold voltage of each leg; graphene, which never turns off, has none."""

    name = "threshold"
    metrics: tuple[str, ...] = ("v_th", "v_th_forward", "v_th_backward")
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "IVgT"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Rows by linear extrapolation, and by constant current where the context names one."""
        k = context.constants
        sweep = _switching(run, k)
        if isinstance(sweep, Skip):
            return sweep
        row, rows = Row(self, run), []
        v_ds = run.number("vds_v")
        for method in ("linear-extrapolation", "constant-current"):
            found: dict[str, Voltage] = {}
            for leg in sweep.full:
                size = np.abs(leg.y)
                if method == "linear-extrapolation":
                    one = linear_extrapolation(leg.v, size, v_ds, window=k.GM_WINDOW_POINTS, order=k.GM_ORDER)
                else:
                    current = context.threshold_current_a
                    one = None if current is None else constant_current(leg.v, size, current)
                if one is not None:
                    found[leg.name] = one
            if not found:
                continue
            swept = [float(sweep.full[0].v[0]), float(sweep.full[0].v[-1])]
            mean = float(np.mean([one.value for one in found.values()]))
            checks = {} if swept[0] <= mean <= swept[1] else {"V_TH_OUT_OF_SWEEP": 0.5}
            error = float(np.sqrt(sum(one.error**2 for one in found.values()))) / len(found)
            json = {name: one.value for name, one in found.items()} | {"swept_v": swept}
            rows += [
                row(f"v_th_{name}", one.value, "V", method, error=one.error, checks=checks)
                for name, one in found.items()
            ]
            rows.append(row("v_th", mean, "V", method, error=error, checks=checks, json=json))
        return rows or Skip(Reason.ALGORITHM_FAILURE, "the current does not change with the gate")

    def validate(self, metric: DerivedMetric) -> bool:
        """A number."""
        return metric.value_float is not None and bool(np.isfinite(metric.value_float))


class SubthresholdSwingExtractor:
    """Least swing over both legs."""

    name = "subthreshold_swing"
    metrics: tuple[str, ...] = ("subthreshold_swing",)
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "IVgT"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row."""
        k = context.constants
        sweep = _switching(run, k)
        if isinstance(sweep, Skip):
            return sweep
        found = [swing for leg in sweep.full if (swing := _leg_swing(leg, k)) is not None]
        if not found:
            return Skip(
                Reason.PRECONDITION_FAILED,
                f"fewer than {k.MIN_SUBTHRESHOLD_DECADES:g} decades of current above the noise",
            )
        best = min(found, key=lambda swing: swing.value)
        checks = {"BELOW_THERMAL_LIMIT": 0.5} if best.value < 59.0 else {}
        json = {"legs_mv_per_decade": [swing.value for swing in found]}
        return [
            Row(self, run)(
                "subthreshold_swing", best.value, "mV/decade", "savgol", error=best.error, checks=checks, json=json
            )
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """Positive."""
        return metric.value_float is not None and 0 < metric.value_float < 1e5


def _leg_swing(leg: Leg, k: Any) -> Voltage | None:
    """Swing of one leg whose current spans enough decades above its noise."""
    size = np.abs(leg.y)
    # Noise is that of the off state: where current is large it is larger in proportion.
    quiet = size <= np.quantile(size, 0.2)
    floor = max(5 * noise_of(leg.y[quiet]), 0.0)
    if size.max() <= max(floor, float(size.min())) * 10**k.MIN_SUBTHRESHOLD_DECADES:
        return None
    return subthreshold_swing(leg.v, size, floor=floor, window=k.GM_WINDOW_POINTS, order=k.GM_ORDER)


def _switching(run: Run, k: Any) -> Sweep | Skip:
    """The sweep of a channel that turns off."""
    sweep = sweep_of(run, k.MIN_LEG_COVERAGE)
    if isinstance(sweep, Skip):
        return sweep
    if any(flag.startswith("DEAD_") for flag in run.flags):
        return Skip(Reason.DEAD_SAMPLE, ", ".join(run.flags))
    ratio = max(float(np.abs(leg.y).max() / max(np.abs(leg.y).min(), 1e-300)) for leg in sweep.full)
    if ratio < k.MIN_ON_OFF_FOR_THRESHOLD:
        return Skip(
            Reason.PRECONDITION_FAILED,
            f"the current falls to 1/{ratio:.3g} only; a threshold needs 1/{k.MIN_ON_OFF_FOR_THRESHOLD:g}",
        )
    return sweep
