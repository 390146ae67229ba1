r"""Field-effect mobility of electrons and holes, with what geometry and noise leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._dirac_point import valley
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._geometry import Geometry
from batchlab.devices.metrics._legs import Leg, jump_check, sweep_of
from batchlab.devices.metrics._savgol import despiked, steepest

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Mobility", "MobilityExtractor", "mobility", "looked_at"]


@dataclass(frozen=True, slots=True)
class Mobility:
    """A mobility in cm^2/(V s): nominal, its bounds by the geometry's ranges, standard error of both together."""

    value: float
    low: float
    high: float
    error: float


def mobility(g_m: float, g_m_error: float, v_ds: float, geometry: Geometry) -> Mobility:
    r"""Field-effect mobility :math:`\mu = (L/W)\,|g_m|/(C_{ox}|V_{DS}|)`.

    Parameters
    ----------
    g_m, g_m_error
        Transconductance and its standard error in A/V.
    v_ds
        Drain-source voltage in V.
    geometry
        Of the channel and its gate.

    Returns
    -------
    Mobility
        The error takes each range of the geometry as evenly likely.

    References
    ----------
    .. [1] Sze and Ng, *Physics of Semiconductor Devices*, 3rd ed., ch. 6.
    """
    (shape_low, shape, shape_high), (c_low, c, c_high) = geometry.shape(), geometry.capacitance()
    unit = 1e4 * g_m / abs(v_ds)
    value, low, high = unit * shape / c, unit * shape_low / c_high, unit * shape_high / c_low
    relative = [(shape_high - shape_low) / shape / np.sqrt(12), (c_high - c_low) / c / np.sqrt(12), g_m_error / g_m]
    return Mobility(value, low, high, value * float(np.sqrt(np.sum(np.square(relative)))))


class MobilityExtractor:
    """Mobility of both carriers on each leg, and their means where both legs are there."""

    name = "mobility"
    metrics: tuple[str, ...] = tuple(
        f"mobility_fe_{carrier}{leg}" for carrier in ("holes", "electrons") for leg in ("", "_forward", "_backward")
    )
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg"})
    version = "3"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Up to six rows."""
        k = context.constants
        if context.geometry is None:
            return Skip(Reason.MISSING_GEOMETRY, f"no geometry of chip {run.chip.name if run.chip else 'unknown'}")
        if any(flag.startswith("DEAD_") for flag in run.flags):
            return Skip(Reason.DEAD_SAMPLE, ", ".join(run.flags))
        v_ds = run.number("vds_v")
        if not np.isfinite(v_ds) or v_ds == 0:
            return Skip(Reason.MISSING_METADATA, "vds_v")
        sweep = sweep_of(run, k.MIN_LEG_COVERAGE)
        if isinstance(sweep, Skip):
            return sweep
        row, rows = Row(self, run), []
        for carrier, side in (("holes", -1), ("electrons", 1)):
            found: list[tuple[Leg, Mobility, dict[str, float]]] = []
            for leg in sweep.full:
                one = _branch(leg, side, v_ds, context.geometry, k)
                if one is not None:
                    found.append((leg, *one))
                    _, mu, checks = found[-1]
                    name = f"mobility_fe_{carrier}_{leg.name}"
                    rows.append(row(name, mu.value, _UNIT, "savgol", error=mu.error, checks=checks, json=_json(mu)))
            if len(found) == 2:
                mean = Mobility(*(float(np.mean([getattr(m, f) for _, m, _ in found])) for f in Mobility.__slots__))
                checks = found[0][2] | found[1][2]
                apart = abs(found[0][1].value - found[1][1].value)
                if apart > k.MAX_MOBILITY_SPREAD * mean.value:
                    checks["LEGS_DISAGREE"] = 0.7
                    # Not a matter of geometry, which both legs share.
                    mean = replace(mean, error=float(np.hypot(mean.error, apart / 2)))
                json = _json(mean) | {leg.name: mu.value for leg, mu, _ in found}
                rows.append(
                    row(
                        f"mobility_fe_{carrier}",
                        mean.value,
                        _UNIT,
                        "savgol",
                        error=mean.error,
                        checks=checks,
                        json=json,
                    )
                )
        if not rows:
            return Skip(Reason.QUALITY_FAILURE, "no branch has five points and rises away from the Dirac point")
        return rows

    def validate(self, metric: DerivedMetric) -> bool:
        """Within what 2D channels show."""
        return within(metric, *_constants.MOBILITY_RANGE_CM2)


_UNIT = "cm^2/(V s)"


@lru_cache(maxsize=4)
def looked_at(leg: Leg, min_jump: float) -> tuple[Array, int, Mapping[str, float]]:
    """Size of a leg's current without bad readings, where it is least, and the check of jumps if it fails.

    Carriers and methods of a run share it.
    """
    size = despiked(np.abs(leg.y))
    return size, valley(leg.v, size), MappingProxyType(jump_check(leg, min_jump))


def _branch(leg: Leg, side: int, v_ds: float, geometry: Geometry, k: Any) -> tuple[Mobility, dict[str, float]] | None:
    """Mobility on one side of the least current, with failed checks."""
    size, least, jumped = looked_at(leg, k.MIN_JUMP)
    part = slice(least, None) if side > 0 else slice(None, least + 1)
    v, i = leg.v[part], size[part]
    steep = steepest(v, i, side, window=k.GM_WINDOW_POINTS, order=k.GM_ORDER)
    if steep is None or steep.slope <= 3 * steep.error:
        return None
    mu = mobility(steep.slope, steep.error, v_ds, geometry)
    checks = dict(jumped)
    clipped = float(np.mean(size >= (1 - k.SATURATED_WITHIN) * size.max()))
    if clipped >= 0.5:
        checks["SATURATED"] = 0.2
    elif clipped >= 0.1:
        checks["PARTLY_SATURATED"] = 0.6
    low, high = k.MOBILITY_RANGE_CM2
    if not low <= mu.value <= high:
        checks["MOBILITY_OUT_OF_RANGE"] = 0.5
    if v.size < 5:
        checks["FEW_POINTS"] = 0.3
    if steep.at_edge:
        checks["PEAK_AT_EDGE"] = 0.7  # the slope goes on growing beyond the sweep
    return mu, checks


def _json(mu: Mobility) -> dict[str, Any]:
    """Bounds as JSON."""
    return {"low": mu.low, "high": mu.high}
