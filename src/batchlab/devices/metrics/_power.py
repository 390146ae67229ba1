"""Light that falls on a chip during a run, from the calibration that fits it best."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip

if TYPE_CHECKING:
    from datetime import datetime

    from batchlab.devices._model import Array

__all__ = [
    "Age",
    "Calibration",
    "IrradiatedPower",
    "IrradiatedPowerExtractor",
    "calibration_of",
    "irradiated_power",
    "link_calibration",
    "power_at",
]


class Age(StrEnum):
    """How a calibration lies in time to a run."""

    PERFECT = "perfect"
    STALE = "stale"
    FUTURE = "future"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Optical power over control voltage of one source through one fibre.

    Attributes
    ----------
    voltage_v, power_w
        (n,) arrays in V, ascending and each once, and W.
    """

    run_id: str
    start_utc: datetime | None
    wavelength_nm: float
    optical_fiber: str
    sensor_model: str
    voltage_v: Array
    power_w: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class IrradiatedPower:
    """Power in W during a run, with the calibration it is from and that one's age in hours (negative: made later).

    `fibers` are those of all calibrations of the wavelength: more than one, and a run that does not name its own, leave
    the power doubtful.
    """

    power_w: float
    calibration_run_id: str
    optical_fiber: str
    age_h: float
    age: Age
    extrapolated: bool = False
    fibers: tuple[str, ...] = ()


def calibration_of(run: Run) -> Calibration | Skip:
    """The calibration that a LaserCalibration run recorded, or why it is none."""
    for name in ("VL (V)", "Power (W)"):
        if name not in run.columns:
            return Skip(Reason.MISSING_COLUMN, name)
    volt, power = run.columns["VL (V)"], run.columns["Power (W)"]
    good = np.isfinite(volt) & np.isfinite(power)
    if good.sum() < 2 or np.ptp(volt[good]) == 0:
        return Skip(Reason.DATA_QUALITY, "fewer than two control voltages with a power")
    wavelength = run.number("wavelength_nm")
    if not np.isfinite(wavelength):
        return Skip(Reason.MISSING_METADATA, "wavelength_nm")
    once, where = np.unique(np.round(volt[good], 9), return_inverse=True)
    mean = np.bincount(where, power[good]) / np.bincount(where)
    return Calibration(
        run_id=run.run_id,
        start_utc=run.start_utc,
        wavelength_nm=wavelength,
        optical_fiber=str(run.settings.get("optical_fiber") or ""),
        sensor_model=str(run.settings.get("sensor_model") or ""),
        voltage_v=once,
        power_w=mean,
    )


def power_at(calibration: Calibration, voltage_v: float) -> tuple[float, bool]:
    """Power in W at a control voltage, and whether it lies outside what was calibrated.

    Inside, neighbours are joined by a line; outside, the line through the last quarter goes on, but never below 0.
    """
    v, p = calibration.voltage_v, calibration.power_w
    if v[0] <= voltage_v <= v[-1]:
        return float(np.interp(voltage_v, v, p)), False
    count = max(v.size // 4, 2)
    end = slice(None, count) if voltage_v < v[0] else slice(-count, None)
    slope, value = np.polyfit(v[end], p[end], 1)
    return max(float(slope * voltage_v + value), 0.0), True


def link_calibration(
    run: Run, calibrations: Iterable[Calibration], *, stale_h: float, tolerance_nm: float
) -> tuple[Calibration, float, Age, tuple[str, ...]] | None:
    """The calibration for a run: of its wavelength and fibre, the last before it, else the first after it.

    Returns
    -------
    calibration, age_h, age, fibers
        Or None where none fits or the run has no time.
    """
    wavelength, fiber = run.number("wavelength_nm"), str(run.settings.get("optical_fiber") or "")
    fitting = [
        c
        for c in calibrations
        if c.start_utc is not None
        and abs(c.wavelength_nm - wavelength) <= tolerance_nm
        and (not fiber or not c.optical_fiber or c.optical_fiber == fiber)
    ]
    if not fitting or run.start_utc is None:
        return None
    # The nearest wavelength first: 1 nm of tolerance must not prefer a neighbour's newer calibration.
    nearest = min(abs(c.wavelength_nm - wavelength) for c in fitting)
    fitting = [c for c in fitting if abs(c.wavelength_nm - wavelength) <= nearest + 1e-9]
    fibers = tuple(sorted({c.optical_fiber for c in fitting}))
    aged = sorted(((run.start_utc - c.start_utc).total_seconds() / 3600, c.run_id, c) for c in fitting if c.start_utc)
    before = [entry for entry in aged if entry[0] >= 0]
    age_h, _, calibration = before[0] if before else aged[-1]
    age = Age.FUTURE if age_h < 0 else Age.PERFECT if age_h <= stale_h else Age.STALE
    return calibration, age_h, age, fibers


def irradiated_power(
    run: Run,
    calibrations: Iterable[Calibration],
    *,
    stale_h: float = _constants.CALIBRATION_STALE_H,
    tolerance_nm: float = _constants.WAVELENGTH_TOLERANCE_NM,
) -> IrradiatedPower | None:
    """Light that falls on the chip during a run; None in the dark or where no calibration fits."""
    voltage = run.number("laser_voltage_v")
    if run.has_light is False or not np.isfinite(voltage) or voltage == 0:
        return None
    linked = link_calibration(run, calibrations, stale_h=stale_h, tolerance_nm=tolerance_nm)
    if linked is None:
        return None
    calibration, age_h, age, fibers = linked
    power, outside = power_at(calibration, voltage)
    return IrradiatedPower(
        power_w=power,
        calibration_run_id=calibration.run_id,
        optical_fiber=calibration.optical_fiber,
        age_h=age_h,
        age=age,
        extrapolated=outside,
        fibers=fibers if not run.settings.get("optical_fiber") else (),
    )


def doubts(power: IrradiatedPower) -> dict[str, float]:
    """Failed checks of a power with their penalties."""
    checks: dict[str, float] = {}
    if power.age is not Age.PERFECT:
        checks[f"CALIBRATION_{power.age.name}"] = 0.8
    if power.extrapolated:
        checks["POWER_EXTRAPOLATED"] = 0.5
    if len(power.fibers) > 1:
        checks["FIBER_AMBIGUOUS"] = 0.7
    return checks


class IrradiatedPowerExtractor:
    """Power of the light of a run, from its calibration."""

    name = "irradiated_power"
    metrics: tuple[str, ...] = ("irradiated_power",)
    category = Category.OPTICAL
    procedures = frozenset({"It", "It2", "ITt", "Vt", "IVg", "VVg", "IV"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row."""
        if not run.has_light:
            return Skip(Reason.PRECONDITION_FAILED, "the run has no light")
        power = context.power
        if power is None:
            return Skip(
                Reason.MISSING_METADATA,
                f"no calibration at {run.number('wavelength_nm'):g} nm; stage one and try again",
            )
        json = {
            "calibration_run_id": power.calibration_run_id,
            "calibration_age_h": power.age_h,
            "calibration": power.age.value,
            "optical_fiber": power.optical_fiber,
        }
        row = Row(self, run)
        return [row("irradiated_power", power.power_w, "W", "calibration", checks=doubts(power), json=json)]

    def validate(self, metric: DerivedMetric) -> bool:
        """Not negative."""
        return metric.value_float is not None and metric.value_float >= 0
