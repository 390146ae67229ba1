"""Curves with a known truth, and the real files by a few lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from batchlab.devices._model import Chip, Run

START = datetime(2025, 9, 4, 12, 0, tzinfo=UTC)
CHIP = Chip("Alisson", 67)


def gate_loop(reach: float = 5.0, step: float = 0.05) -> np.ndarray:
    """0, -reach, +reach, -reach, 0 as an instrument counts it: with the noise of added floats."""
    up = -reach + np.cumsum(np.full(round(2 * reach / step), step))
    down = up[-1] - np.cumsum(np.full(up.size, step))
    first = np.r_[0.0, -np.cumsum(np.full(round(reach / step), step))]
    last = down[-1] + np.cumsum(np.full(round(reach / step), step))
    return np.r_[first, up, down, last]


def transfer(v, forward, backward, *, noise=0.0, seed=0, asymmetry=1.0, contact=0.0):
    """Graphene: squared conductance is a parabola about the Dirac point of each way."""
    way = np.r_[np.diff(v), np.diff(v)[-1:]]
    x = v - np.where(way >= 0, forward, backward)
    sheet = np.sqrt(0.3**2 + (x * np.where(x > 0, 1.0, asymmetry)) ** 2)
    current = 0.1 / (contact + 2000.0 / sheet)
    return current * (1 + noise * np.random.default_rng(seed).normal(size=v.size))


def sweep_run(v, y, *, procedure="IVg", run_id="a" * 16, minutes=0, column="I (A)", **settings) -> Run:
    return Run(
        run_id=run_id,
        procedure=procedure,
        chip=CHIP,
        start_utc=START + timedelta(minutes=minutes),
        has_light=False,
        settings={"vds_v": 0.1, "sample": "D", "laser_voltage_v": 0.0, "wavelength_nm": 0.0, **settings},
        columns={"Vg (V)": v, column: y},
    )


def light_trace(
    *,
    change=1e-6,
    tau_on=8.0,
    tau_off=12.0,
    beta=0.7,
    noise=0.0,
    drift=0.0,
    period=120.0,
    seed=0,
    base=3e-5,
    step=0.0835,
):
    """Dark, light, dark thirds; returns t, y, VL and the two edges."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, 1.5 * period, step)
    on, off = period / 2 + rng.uniform(0, step), period + rng.uniform(0, step)
    rise = 1 - np.exp(-np.clip(t - on, 0, None) / tau_on)
    top = 1 - np.exp(-(off - on) / tau_on)
    fall = top * np.exp(-((np.clip(t - off, 0, None) / tau_off) ** beta))
    y = (
        base
        + drift * t
        + change * np.where(t < on, 0.0, np.where(t < off, rise, fall))
        + noise * rng.normal(size=t.size)
    )
    return t, y, np.where((t >= on) & (t < off), 1.5, 0.0), on, off


def trace_run(t, y, vl, *, procedure="It", column="I (A)", run_id="b" * 16, minutes=0, **settings) -> Run:
    return Run(
        run_id=run_id,
        procedure=procedure,
        chip=CHIP,
        start_utc=START + timedelta(minutes=minutes),
        has_light=bool((vl > 0).any()),
        settings={"vds_v": 0.1, "vg_fixed_v": -1.0, "wavelength_nm": 455.0, "laser_voltage_v": 1.5, **settings},
        columns={"t (s)": t, column: y, "VL (V)": vl},
    )


def scaled(run: Run, column: str, factor: float) -> Run:
    return replace(run, columns={**run.columns, column: run.columns[column] * factor})


def named(metrics, method=None):
    """By name; of one method where a metric has several."""
    return {m.metric_name: m for m in metrics if method is None or m.extraction_method == method}


_SETTINGS = {
    "VDS": "vds_v",
    "VG": "vg_fixed_v",
    "Laser voltage": "laser_voltage_v",
    "Laser wavelength": "wavelength_nm",
    "Optical fiber": "optical_fiber",
    "Sample": "sample",
}


def read_real(path: Path) -> Run | None:
    """A file of the shared set; None without rows."""
    head, _, data = path.read_text().partition("#Data:\n")
    rows = data.splitlines()
    if len(rows) < 2:
        return None
    texts = dict(line[2:].split(": ", 1) for line in head.splitlines() if line.startswith("#\t") and ": " in line)
    settings: dict[str, object] = {}
    for name, key in _SETTINGS.items():
        if name in texts:
            try:
                settings[key] = float(texts[name].split()[0])
            except (ValueError, IndexError):
                settings[key] = texts[name]
    values = np.genfromtxt(rows[1:], delimiter=",")
    chip = Chip(texts["Chip group name"], int(texts["Chip number"])) if "Chip number" in texts else None
    return Run(
        run_id=path.stem,
        procedure=head.splitlines()[0].split(".")[-1].rstrip(">"),
        chip=chip,
        start_utc=datetime.fromtimestamp(float(texts["Start time"]), UTC),
        has_light=bool(settings.get("laser_voltage_v") and settings.get("wavelength_nm")),
        settings=settings,
        columns=dict(zip(rows[0].split(","), values.T.copy(), strict=True)),
    )
