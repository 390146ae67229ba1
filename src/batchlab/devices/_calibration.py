"""Which calibration of the light tells how much of it fell on the chip during each run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from batchlab.devices._model import Run
from batchlab.devices._store import Store

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices.metrics import Calibration

__all__ = ["STALE_H", "calibrations_of", "link_calibrations", "validate_links"]

STALE_H = 24.0

_DARK, _MISSING = "dark", "missing"
_SAME_NM, _SAME_FRACTION = 1e-6, 1e-9


def calibrations_of(store: Store) -> list[Calibration]:
    """The usable calibrations of a store, by their start."""
    from batchlab.devices.metrics import Skip, calibration_of

    made = [calibration_of(run) for run in store.runs("LaserCalibration")]
    found = [each for each in made if not isinstance(each, Skip)]
    return sorted(found, key=lambda each: (each.start_utc is None, each.start_utc, each.run_id))


def link_calibrations(
    runs: Iterable[Run], calibrations: Iterable[Calibration], *, stale_h: float = STALE_H
) -> pl.DataFrame:
    """Link each run to a calibration of its wavelength, and of its fibre if it names one.

    The last one before the run counts, else the first after it.

    Parameters
    ----------
    runs
        Their settings are asked, not their data.
    calibrations
        All there are.
    stale_h
        Age in hours from which a calibration is stale.

    Returns
    -------
    DataFrame
        A row for each run but calibrations, sorted by run_id: ``calibration`` is ``perfect``, ``stale``, ``future``
        (made after the run), ``missing``, or ``dark`` where no light was on. ``calibration_run_id``,
        ``calibration_start_utc``, ``calibration_age_h``, ``calibration_fiber`` and ``calibration_sensor`` are of the
        calibration. ``irradiated_power_w`` is read between its control voltages; outside of them it is carried on and
        ``power_extrapolated`` is true, never held at the last value. ``calibration_note`` tells what leaves doubt.
    """
    import polars as pl

    from batchlab.devices.metrics import irradiated_power

    known = list(calibrations)
    by_id = {each.run_id: each for each in known}
    rows = []
    for run in runs:
        if run.procedure == "LaserCalibration":
            continue
        row: dict[str, object] = {"run_id": run.run_id}
        power = irradiated_power(run, known, stale_h=stale_h)
        if power is not None:
            used = by_id[power.calibration_run_id]
            row |= {
                "calibration": power.age.value,
                "calibration_run_id": used.run_id,
                "calibration_start_utc": used.start_utc,
                "calibration_age_h": power.age_h,
                "calibration_fiber": used.optical_fiber or None,
                "calibration_sensor": used.sensor_model or None,
                "irradiated_power_w": power.power_w,
                "power_extrapolated": power.extrapolated,
            }
            notes = []
            if power.extrapolated:
                low, high = used.voltage_v[0], used.voltage_v[-1]
                notes.append(f"{run.number('laser_voltage_v'):g} V is outside of the calibrated {low:g} to {high:g} V")
            if len(power.fibers) > 1:
                notes.append(f"calibrated through {', '.join(power.fibers)}, and the run does not say which it used")
            row["calibration_note"] = "; ".join(notes) or None
        elif _is_dark(run):
            row["calibration"] = _DARK
        else:
            row["calibration"] = _MISSING
            row["calibration_note"] = _why_missing(run, known)
        rows.append(row)
    schema: dict[str, Any] = {
        "run_id": pl.String,
        "calibration": pl.String,
        "calibration_run_id": pl.String,
        "calibration_start_utc": pl.Datetime("us", "UTC"),
        "calibration_age_h": pl.Float64,
        "calibration_fiber": pl.String,
        "calibration_sensor": pl.String,
        "irradiated_power_w": pl.Float64,
        "power_extrapolated": pl.Boolean,
        "calibration_note": pl.String,
    }
    return pl.DataFrame([[row.get(name) for row in rows] for name in schema], schema=schema).sort("run_id")


def _is_dark(run: Run) -> bool:
    level = run.number("laser_voltage_v")
    return run.has_light is False or level == 0 or (run.has_light is None and math.isnan(level))


def _why_missing(run: Run, known: list[Calibration]) -> str:
    wavelength, fiber = run.number("wavelength_nm"), str(run.settings.get("optical_fiber") or "")
    if run.start_utc is None:
        return "it is not known when the run began"
    if math.isnan(run.number("laser_voltage_v")):
        return "the run does not say its laser voltage"
    if math.isnan(wavelength):
        return "the run does not say its wavelength"
    there = sorted({each.wavelength_nm for each in known})
    through = f" through {fiber}" if fiber and any(abs(nm - wavelength) < _SAME_NM for nm in there) else ""
    listed = ", ".join(f"{nm:g}" for nm in there) or "none"
    return f"no calibration at {wavelength:g} nm{through}; calibrated are {listed}"


def validate_links(links: pl.DataFrame, calibrations: Iterable[Calibration]) -> list[str]:
    """What is wrong with links that were kept: calibrations that are gone, or no longer those.

    Parameters
    ----------
    links
        As `link_calibrations` gave them once; rows of a history enriched with them will do.
    calibrations
        Those of today's store.
    """
    from batchlab.devices.metrics import power_at

    known = {each.run_id: each for each in calibrations}
    wrong: list[str] = []
    columns = ("run_id", "calibration_run_id", "calibration_start_utc", "calibration_age_h")
    rows = links.select(*columns, "irradiated_power_w", *(c for c in _OF_RUN if c in links.columns)).to_dicts()
    for row in rows:
        if row["calibration_run_id"] is None:
            continue
        used = known.get(row["calibration_run_id"])
        if used is None:
            wrong.append(f"{row['run_id']}: its calibration {row['calibration_run_id']} is no longer in the store")
            continue
        began: datetime | None = row.get("start_time_utc")
        if began is not None and used.start_utc is not None:
            age = (began - used.start_utc) / timedelta(hours=1)
            if not math.isclose(age, row["calibration_age_h"], abs_tol=1e-6):
                wrong.append(
                    f"{row['run_id']}: its calibration is {age:.1f} h old, not {row['calibration_age_h']:.1f} h"
                )
        level = row.get("laser_voltage_v")
        if level is not None:
            power = power_at(used, level)[0]
            if not math.isclose(power, row["irradiated_power_w"], rel_tol=_SAME_FRACTION):
                wrong.append(f"{row['run_id']}: its power is {power:g} W by its calibration, not the noted one")
    return [f"{each}; link calibrations again" for each in wrong]


_OF_RUN = ("start_time_utc", "laser_voltage_v")
