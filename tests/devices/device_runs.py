"""Runs with known content, for tests of figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from batchlab.devices._model import Chip, Run

CHIP = Chip("Alisson", 67)
START = datetime(2025, 9, 4, 15, 0, tzinfo=UTC)


def it_run(
    number: int, *, lit: bool = True, procedure: str = "It", begins_s: float | None = None, **settings: Any
) -> Run:
    """180 s, light from 60 s to 120 s; the value rises by `number` micro-units while lit, on a slope and an offset."""
    t = np.arange(0.0, 180.0, 0.1)
    on = lit & (t >= 60.0) & (t < 120.0)
    y = 4e-5 + 1e-9 * t + 1e-6 * number * on
    column = "VDS (V)" if procedure == "Vt" else "I (A)"
    return Run(
        run_id=f"{number:016x}",
        procedure=procedure,
        chip=CHIP,
        start_utc=START + timedelta(seconds=200.0 * number if begins_s is None else begins_s),
        has_light=lit,
        settings={
            "vds_v": 0.1,
            "ids_a": 1e-5,
            "wavelength_nm": 365.0,
            "laser_voltage_v": float(number) if lit else 0.0,
            "vg_fixed_v": -2.0,
            "laser_period_s": 120.0,
            **settings,
        },
        columns={"t (s)": t, column: y, "VL (V)": on * float(number)},
    )


def sweep_run(number: int, *, procedure: str = "IVg", dirac_v: float = 0.5, lit: bool = False, **settings: Any) -> Run:
    """A loop 0, 5, -5, 0 V in steps of 0.05 V with the noise of floating point; a parabola about the Dirac point."""
    v = np.concatenate((np.arange(0, 5, 0.05), np.arange(5, -5, -0.05), np.arange(-5, 1e-9, 0.05)))
    parabola = 1e-5 + 1e-6 * (v - dirac_v) ** 2
    column = "VDS (V)" if procedure == "VVg" else "I (A)"
    return Run(
        run_id=f"{number:016x}",
        procedure=procedure,
        chip=CHIP,
        start_utc=START + timedelta(hours=number),
        has_light=lit,
        settings={"vds_v": 0.1, "ids_a": 1e-5, **settings},
        columns={"Vg (V)": v, column: parabola},
    )


def calibration_run(number: int, wavelength_nm: float, fibre: str = "F1", watt_per_volt: float = 1e-6) -> Run:
    """Power in proportion to the voltage."""
    v = np.linspace(0.0, 5.0, 51)
    return Run(
        run_id=f"{number:016x}",
        procedure="LaserCalibration",
        start_utc=START + timedelta(days=number),
        has_light=True,
        settings={"wavelength_nm": wavelength_nm, "optical_fiber": fibre},
        columns={"VL (V)": v, "Power (W)": watt_per_volt * v},
    )
