r"""Mobility and contact resistance by the Y function, which parts the channel from its contacts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._legs import Leg, sweep_of
from batchlab.devices.metrics._mobility import looked_at, mobility
from batchlab.devices.metrics._savgol import slope_gain, slopes
from batchlab.devices.metrics._trace import correlation_factor, noise_of

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["YFit", "YFunctionExtractor", "y_function"]

_SIDES = {"holes": -1, "electrons": 1}
_BENT = 0.05  # of the least resistance: what residual carriers may do to that of the contacts
_PASSES = 2  # until the residual carriers are known
_CLEAR = 3.0  # standard errors that every transconductance under the lines is above zero


@dataclass(frozen=True, slots=True)
class YFit:
    """Lines through a branch.

    Attributes
    ----------
    g_m, g_m_error
        Transconductance in A/V that the channel would have without its contacts.
    resistance, resistance_error
        Of both contacts together, in ohm; it holds what the mobility itself falls with the gate.
    v_0
        Gate voltage in V at which the channel's line begins, from where the current is least.
    r_squared
        Of the line through the Y function.
    """

    g_m: float
    g_m_error: float
    resistance: float
    resistance_error: float
    v_0: float
    r_squared: float


def y_function(v_gs: Array, i_d: Array, g_m: Array, v_ds: float, *, least_a: float = 0.0) -> YFit | None:
    r"""Lines through :math:`Y = I/\sqrt{g_m}` and :math:`1/\sqrt{g_m}` over the gate voltage.

    With :math:`I = \beta V_{DS}\,v/(1 + \beta R v)`, where `v` is the gate voltage beyond the threshold or the Dirac
    point, the first is :math:`\sqrt{\beta V_{DS}}\,v`, whatever the contacts, and the second rises by
    :math:`R\sqrt{\beta/V_{DS}}`. Where residual carriers conduct at the Dirac point, :math:`\sqrt{v_r^2 + v^2}` takes
    the place of `v`, and both are lines over that [2]_.

    Parameters
    ----------
    v_gs, i_d, g_m : (n,) array
        Gate voltage in V away from where the channel is off, rising; size of the current in A; transconductance in A/V.
    v_ds
        Drain voltage in V, positive.
    least_a
        Current in A where `v_gs` is 0, by residual carriers; 0 of a channel that turns off.

    Returns
    -------
    YFit or None
        None where the transconductance is not positive, or the line does not rise.

    References
    ----------
    .. [1] Ghibaudo, Electron. Lett. 24, 543 (1988).
    .. [2] The residual carriers of Kim et al., Appl. Phys. Lett. 94, 062107 (2009).
    """
    if v_gs.size < 3 or g_m.min() <= 0:
        return None
    v, inverse = v_gs, 1 / np.sqrt(g_m)
    middle, x, y = _about(v, i_d * inverse)
    sxx = float(x @ x)
    rise, lift = float(x @ y) / sxx, float(x @ inverse) / sxx
    for _ in range(_PASSES if least_a > 0 and v_gs[0] > 0 else 0):
        if rise <= 0:
            return None
        beyond = v_ds / least_a - v_ds * lift / rise
        if beyond <= 0:
            break
        residual = v_ds / (rise**2 * beyond)
        v = np.sqrt(v_gs * v_gs + residual**2)
        inverse = np.sqrt(v_gs / (v * g_m))
        middle, x, y = _about(v, i_d * inverse)
        sxx = float(x @ x)
        rise, lift = float(x @ y) / sxx, float(x @ inverse) / sxx
    if rise <= 0:
        return None
    n = v_gs.size
    rest, other = y - rise * x, inverse - float(inverse.sum()) / n - lift * x
    sse = float(rest @ rest)
    # Neighbours are alike in both: both have their noise from the transconductance.
    alike = correlation_factor(rest) / math.sqrt(max(n - 2, 1) * sxx)
    rise_error, lift_error = alike * math.sqrt(sse), alike * math.sqrt(float(other @ other))
    return YFit(
        g_m=rise**2,
        g_m_error=2 * rise * rise_error,
        resistance=v_ds * lift / rise,
        resistance_error=v_ds / rise * math.hypot(lift_error, lift * rise_error / rise),
        v_0=middle - float((i_d * inverse).sum()) / n / rise,
        r_squared=1 - sse / float(y @ y),
    )


def _about(v: Array, y: Array) -> tuple[float, Array, Array]:
    """Mean of `v`, and both about their means."""
    middle = float(v.sum()) / v.size
    return middle, v - middle, y - float(y.sum()) / y.size


class YFunctionExtractor:
    """Mobility without contacts, and resistance of both contacts, of each carrier; means over the legs."""

    name = "y_function"
    metrics: tuple[str, ...] = tuple(f"{what}_{c}" for what in ("mobility_y", "contact_resistance") for c in _SIDES)
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Up to four rows; mobilities need a geometry, resistances do not."""
        k = context.constants
        if any(flag.startswith("DEAD_") for flag in run.flags):
            return Skip(Reason.DEAD_SAMPLE, ", ".join(run.flags))
        v_ds = abs(run.number("vds_v"))
        if not math.isfinite(v_ds) or v_ds == 0:
            return Skip(Reason.MISSING_METADATA, "vds_v")
        sweep = sweep_of(run, k.MIN_LEG_COVERAGE)
        if isinstance(sweep, Skip):
            return sweep
        found: dict[str, dict[str, YFit]] = {}
        failed: dict[str, dict[str, float]] = {}
        for leg in sweep.full:
            for carrier, (fit, checks) in _branches(leg, v_ds, k).items():
                found.setdefault(carrier, {})[leg.name] = fit
                failed.setdefault(carrier, {}).update(checks)
        least = min(v_ds / max(float(np.abs(leg.y).max()), 1e-300) for leg in sweep.full)
        rows = [
            row
            for carrier, fits in found.items()
            for row in _rows(Row(self, run), carrier, fits, failed[carrier], v_ds, least, context)
        ]
        return rows or Skip(Reason.QUALITY_FAILURE, "no branch has a transconductance that is clearly positive")

    def validate(self, metric: DerivedMetric) -> bool:
        """Mobilities within what 2D channels show; contacts have less than the least resistance of the device."""
        if metric.metric_name.startswith("mobility"):
            return within(metric, *_constants.MOBILITY_RANGE_CM2)
        least = (metric.value_json or {}).get("least_resistance", np.inf)
        slack = 2 * (metric.standard_error or 0.0) + _BENT * least
        return within(metric, -slack, least + slack)


def _branches(leg: Leg, v_ds: float, k: Any) -> dict[str, tuple[YFit, dict[str, float]]]:
    """Lines of both branches of a leg, with failed checks."""
    size, least, jumped = looked_at(leg, k.MIN_JUMP)
    wide = max(k.GM_WINDOW_POINTS, round(k.Y_SMOOTHING * leg.v.size) | 1)
    window = min(wide, leg.v.size - (1 - leg.v.size % 2))
    slope = slopes(leg.v, size, window, k.GM_ORDER)
    half = window // 2
    error = noise_of(size) * slope_gain(window, min(k.GM_ORDER, window - 1)) * (leg.v.size - 1) / leg.span
    found: dict[str, tuple[YFit, dict[str, float]]] = {}
    for carrier, side in _SIDES.items():
        # Whole windows of the slopes alone, from the least current outwards.
        part = slice(least, leg.v.size - half) if side > 0 else slice(least, half - 1 if half else None, -1)
        away, i, g_m = side * (leg.v[part] - leg.v[least]), size[part], side * slope[part]
        if away.size < k.MIN_Y_POINTS:
            continue
        off = float(size[least])
        short = np.flatnonzero(i < off + k.Y_WINDOW_START * (float(i.max()) - off))
        begin = max(int(np.searchsorted(away, k.Y_WINDOW_START * away[-1])), int(short[-1]) + 1 if short.size else 0)
        if away.size - begin < k.MIN_Y_POINTS or g_m[begin:].min() <= _CLEAR * error:
            continue
        fit = y_function(away[begin:], i[begin:], g_m[begin:], v_ds, least_a=off)
        if fit is None:
            continue
        checks = dict(jumped)
        if fit.r_squared < k.MIN_Y_R_SQUARED:
            checks["Y_NOT_LINEAR"] = 0.5
        if v_ds > k.MAX_DRAIN_OVER_OVERDRIVE * (float(away[-1]) - fit.v_0):
            checks["NOT_LINEAR_REGION"] = 0.5
        found[carrier] = fit, checks
    return found


def _rows(
    row: Row,
    carrier: str,
    fits: Mapping[str, YFit],
    checks: Mapping[str, float],
    v_ds: float,
    least: float,
    context: ExtractionContext,
) -> list[DerivedMetric]:
    """Rows of one carrier: means over the legs."""
    legs = list(fits.values())
    error = math.sqrt(sum(fit.resistance_error**2 for fit in legs)) / len(legs)
    resistance = sum(fit.resistance for fit in legs) / len(legs)
    told = {name: fit.resistance for name, fit in fits.items()} | {"least_resistance": least}
    beyond = -2 * error - _BENT * least
    negative = {"CONTACT_RESISTANCE_NEGATIVE": 0.3} if resistance < beyond else {}
    made = [
        row(
            f"contact_resistance_{carrier}",
            resistance,
            "ohm",
            "y-function",
            error=error,
            checks={**checks, **negative},
            json=told,
        )
    ]
    if context.geometry is not None:
        g_m = sum(fit.g_m for fit in legs) / len(legs)
        g_m_error = math.sqrt(sum(fit.g_m_error**2 for fit in legs)) / len(legs)
        mu = mobility(g_m, g_m_error, v_ds, context.geometry)
        bounds = {"low": mu.low, "high": mu.high}
        name = f"mobility_y_{carrier}"
        made.append(row(name, mu.value, "cm^2/(V s)", "y-function", error=mu.error, checks=checks, json=bounds))
    return made
