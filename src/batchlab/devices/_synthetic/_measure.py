"""One run of the synthetic laboratory: its rows with noise, and the truth behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._synthetic._device import Device, Response, laser_power_w
from batchlab.devices._synthetic._files import plain
from batchlab.devices._synthetic._script import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.devices._model import Array

__all__ = ["Grain", "Measured", "State", "calibrate", "measure"]

_VDS_V = 0.1
_IDS_A = 1e-5
_SWEEP_V = (-5.0, 5.0)
_PERIOD_S = 120.0
_ROOM_C = 25.0
_NOISE = 1.2e-4  # white, relative
_PINK_SHARE = 0.5
_FLOOR_A = 4e-10
_VOLTAGE_FLOOR_V = 4e-8
_NOTES = (
    "Light testing",
    "after light ",
    "test biotite",
    "hbn - top - bio - bot ",
    "None",
    "monitoring",
    "Pa medir luz",
    "25 °C",
)

_TIME = ("t (s)", "I (A)", "VL (V)", "Plate T (degC)", "Ambient T (degC)", "Clock (ms)")
_EMPTY = ",nan,nan,nan"


@dataclass(frozen=True, slots=True)
class Grain:
    """How finely is measured: seconds between samples, volts between points of a sweep."""

    interval_s: float
    step_v: float


@dataclass(slots=True)
class State:
    """What runs leave behind on a chip."""

    dirac_v: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What goes into a file, and what is true of it."""

    parameters: Mapping[str, str]
    columns: Sequence[str]
    rows: Sequence[str]
    lasts_s: float
    truth: Mapping[str, float]
    metadata: Mapping[str, str]


def measure(device: Device, state: State, step: Step, grain: Grain, rng: np.random.Generator) -> Measured:
    """Make one run; light leaves the Dirac point a little moved."""
    state.dirac_v += float(rng.normal(0.0, 0.004))
    match step.procedure:
        case "IVg" | "VVg":
            return _sweep(device, state, step, grain, rng)
        case "IV":
            return _output(device, state, step, rng)
        case _:
            return _trace(device, state, step, grain, rng)


def calibrate(wavelength_nm: int, rng: np.random.Generator) -> Measured:
    """Power against control voltage, as the sensor sees it."""
    voltage = _ramp(0.0, 5.0, 0.1)
    power = laser_power_w(wavelength_nm, voltage) * (1.0 + 0.002 * rng.standard_normal(voltage.size)) + 1e-8
    parameters = {
        "N_avg": "2",
        "Optical fiber": "F1 (M92L02)",
        "Information": "None",
        "Laser wavelength": str(wavelength_nm),
        "Procedure version": "1.1.1",
        "Step time": "0.5 s",
        "Laser voltage end": "5 V",
        "Laser voltage start": "0 V",
        "Laser voltage step": "0.1 V",
    }
    rows = [f"{v!r},{p!r}" for v, p in zip(voltage.tolist(), power.tolist(), strict=True)]
    return Measured(parameters, ("VL (V)", "Power (W)"), rows, 40.0, {}, {"Sensor model": "S120VC"})


def _sweep(device: Device, state: State, step: Step, grain: Grain, rng: np.random.Generator) -> Measured:
    low, high = _SWEEP_V
    v_gs = np.concatenate(
        [
            _ramp(0.0, low, grain.step_v)[:-1],
            _ramp(low, high, grain.step_v)[:-1],
            _ramp(high, low, grain.step_v)[:-1],
            _ramp(low, 0.0, grain.step_v),
        ]
    )
    forward = np.diff(v_gs, append=v_gs[-1] + 1.0) > 0
    # A point belongs to the leg that leads to it.
    forward = np.concatenate(([forward[0]], forward[:-1]))
    dirac = state.dirac_v + _gating(device, step)
    ahead, back = dirac - device.hysteresis_v / 2, dirac + device.hysteresis_v / 2
    x = v_gs - np.where(forward, ahead, back)
    truth = {"dirac_forward_v": ahead, "dirac_backward_v": back, "contact_ohm": device.contact_ohm}
    if step.procedure == "IVg":
        values = _noisy(device.current(x, _VDS_V), _FLOOR_A, rng)
        holes, electrons = device.field_effect_mobility(low, high, dirac)
        truth |= {"mobility_holes_cm2": holes, "mobility_electrons_cm2": electrons}
        columns = ("Vg (V)", "I (A)")
        biased = {"VDS": f"{_VDS_V} V"}
        ranged = {"Irange": "0.001 A"}
    else:
        values = _noisy(_IDS_A * device.resistance(x), _VOLTAGE_FLOOR_V, rng)
        columns = ("Vg (V)", "VDS (V)")
        biased = {"Drain-Source current": "1e-05 A"}
        ranged = {"Vrange": "1 V"}
    if step.level_v:
        state.dirac_v -= float(rng.uniform(0.0, 0.01))
    parameters = {
        **ranged,
        "NPLC": "1",
        "Burn-in time": "0 s",
        **_who(device, rng),
        **_light(step),
        "Procedure version": "2.1.0",
        "Sample": "other",
        "Step time": "0 s",
        **biased,
        "VG end": f"{plain(high)} V",
        "VG start": f"{plain(low)} V",
        "VG step": f"{plain(grain.step_v)} V",
    }
    rows = [f"{v!r},{i:.7g}{_EMPTY}" for v, i in zip(v_gs.tolist(), values.tolist(), strict=True)]
    return Measured(parameters, (*columns, *_TIME[3:]), rows, 0.09 * len(rows), truth | _power(step), {})


def _output(device: Device, state: State, step: Step, rng: np.random.Generator) -> Measured:
    v_sd = np.concatenate([_ramp(0.0, -0.1, 0.01)[:-1], _ramp(-0.1, 0.1, 0.01)[:-1], _ramp(0.1, 0.0, 0.01)])
    ohm = float(device.resistance(np.array([-state.dirac_v]))[0])
    values = _noisy(v_sd / ohm, _FLOOR_A, rng)
    parameters = {
        "Irange": "0.0001 A",
        "NPLC": "1",
        "Burn-in time": "60 s",
        **_who(device, rng),
        **_light(step),
        "Procedure version": "2.0.1",
        "Sample": "D",
        "Step time": "0 s",
        "VG": "0 V",
        "VSD end": "0.1 V",
        "VSD start": "-0.1 V",
        "VSD step": "0.01 V",
    }
    rows = [f"{v!r},{i:.7g}{_EMPTY}" for v, i in zip(v_sd.tolist(), values.tolist(), strict=True)]
    return Measured(parameters, ("Vsd (V)", "I (A)", *_TIME[3:]), rows, 70.0, {"resistance_ohm": ohm}, {})


def _trace(device: Device, state: State, step: Step, grain: Grain, rng: np.random.Generator) -> Measured:
    third = _PERIOD_S / 2
    v_gs = round(state.dirac_v + step.side_v, 2)
    x = v_gs - state.dirac_v
    in_volts = step.procedure == "Vt"
    if in_volts:
        level = _IDS_A * float(device.resistance(np.array([x]))[0])
        # V = I/G, so dV/dx = -V^2/I dG/dx.
        slope, floor = -(level**2) / _IDS_A * device.slope(x), _VOLTAGE_FLOOR_V
    else:
        level = float(device.current(np.array([x]), _VDS_V)[0])
        slope, floor = _VDS_V * device.slope(x), _FLOOR_A
    # Light moves the Dirac point, so the current follows the transconductance.
    final = -slope * _gating(device, step)
    scale = abs(slope) * 0.05
    dark = not step.level_v
    drift = float(rng.uniform(-1.0, 1.0)) * level * (2e-4 if dark else 5e-7)
    response = Response(
        on_s=third,
        off_s=2 * third,
        end_s=3 * third,
        final=final,
        recovered=float(rng.uniform(0.75, 0.95)),
        tau_light_s=float(rng.uniform(3.0, 9.0)),
        beta_light=float(rng.uniform(0.6, 0.9)),
        tau_s=float(rng.uniform(3.0, 10.0)),
        beta=float(rng.uniform(0.55, 0.9)),
        settling=scale * float(rng.choice((-1.0, 1.0)) * rng.uniform(0.5, 1.0)) * (0.0 if dark else 1.0),
        tau_pre_s=float(rng.uniform(4.0, 12.0)),
        beta_pre=float(rng.uniform(0.6, 0.9)),
        drift_per_s=drift,
    )
    t = _times(3 * third, grain.interval_s, rng)
    values = _noisy(level + response.at(t), floor, rng)
    lit = (t >= third) & (t < 2 * third)
    truth = {"drift_per_s": drift, "level": level, "vg_v": v_gs, **_power(step)}
    if not dark:
        state.dirac_v += float(rng.normal(0.0, 0.01))
        truth |= {
            "delta": response.delta,
            "rise_s": response.rise_s,
            "fall_s": response.fall_s,
            "tau_s": response.tau_s,
            "beta": response.beta,
            "tau_light_s": response.tau_light_s,
            "beta_light": response.beta_light,
            "tau_pre_s": response.tau_pre_s,
            "beta_pre": response.beta_pre,
        }
    temperatures = _temperatures(t, rng) if step.procedure == "ITt" else None
    rows = _trace_rows(t, values, lit, _voltage(step.level_v), temperatures)
    columns = tuple("VDS (V)" if name == "I (A)" and in_volts else name for name in _TIME)
    return Measured(_trace_parameters(device, step, v_gs, rng), columns, rows, 3 * third, truth, {})


def _voltage(level_v: float) -> str:
    """A laser voltage as it stands in a row."""
    return repr(float(level_v))


def _trace_rows(
    t: Array, values: Array, lit: NDArray[np.bool_], level: str, temperatures: tuple[Array, Array] | None
) -> list[str]:
    columns = zip(t.tolist(), values.tolist(), lit.tolist(), strict=True)
    light = {True: level, False: "0.0"}
    if temperatures is None:
        return [f"{s:.7g},{v:.7g},{light[on]}{_EMPTY}" if s else f"0.0,{v:.7g},0.0{_EMPTY}" for s, v, on in columns]
    plate, ambient = temperatures
    return [
        f"{s:.7g},{v:.7g},{light[on]},{p:.2f},{a:.2f},{1e3 * s:.0f}"
        for (s, v, on), p, a in zip(columns, plate.tolist(), ambient.tolist(), strict=True)
    ]


def _trace_parameters(device: Device, step: Step, v_gs: float, rng: np.random.Generator) -> dict[str, str]:
    third = plain(_PERIOD_S / 2)
    who, light = _who(device, rng), _light(step)
    chip = {name: who[name] for name in ("Chip group name", "Chip number")}
    note = {"Information": who["Information"]}
    version = {"Procedure version": "2.2.0", "Sample": "other"}
    sampling = {"Sampling time (excluding Keithley)": "0 s"}
    period = {"Laser ON+OFF period": f"{plain(_PERIOD_S)} s"}
    biased = {"VDS": f"{_VDS_V} V", "VG": f"{plain(v_gs)} V"}
    current = {"Irange": "0.001 A", "NPLC": "1"}
    heat = {"Initial (current) T": "0 C"}
    start, target = {"T step start time": "120 s"}, {"Target T": f"{plain(_ROOM_C)} C"}
    match step.procedure:
        case "It2":
            phases = {
                "Phase 1 duration (laser OFF)": f"{third} s",
                "Phase 2 duration (laser ON)": f"{third} s",
                "Phase 3 duration (laser OFF)": f"{third} s",
            }
            return current | {"Burn-in time": "0 s"} | chip | note | light | phases | version | sampling | biased
        case "ITt":
            ramp = {"T start": "25 C", "T end": "30 C", "T step": "1 C"}
            return current | chip | note | heat | period | light | version | sampling | ramp | start | target | biased
        case "Vt":
            volts = {"Vrange": "1 V", "NPLC": "1"}
            bias = {"Drain-Source current": "1e-05 A"}
            return volts | chip | bias | note | period | light | version | sampling | {"VG": biased["VG"]}
        case _:
            return current | start | chip | note | heat | period | light | version | sampling | target | biased


def _who(device: Device, rng: np.random.Generator) -> dict[str, str]:
    return {
        "Chip group name": device.chip.group,
        "Chip number": str(device.chip.number),
        "Information": _NOTES[int(rng.integers(len(_NOTES)))],
    }


def _light(step: Step) -> dict[str, str]:
    return {"Laser voltage": f"{plain(step.level_v)} V", "Laser wavelength": str(step.wavelength_nm)}


def _gating(device: Device, step: Step) -> float:
    """How far light moves the Dirac point, in V."""
    if not step.level_v:
        return 0.0
    power_uw = float(laser_power_w(step.wavelength_nm, step.level_v)) * 1e6
    return float(-device.gating_v * power_uw**device.power_exponent)


def _power(step: Step) -> dict[str, float]:
    return {"power_w": float(laser_power_w(step.wavelength_nm, step.level_v))} if step.level_v else {}


def _ramp(start: float, stop: float, step: float) -> Array:
    """Set values as the software makes them: start plus multiples, with what binary fractions make of it."""
    number = round(abs(stop - start) / step)
    signed = step if stop > start else -step
    ramp: Array = start + signed * np.arange(number + 1, dtype=np.float64)
    ramp[-1] = stop
    return ramp


def _times(length: float, interval: float, rng: np.random.Generator) -> Array:
    number = int(length / interval) + 1
    t: Array = interval * np.arange(number, dtype=np.float64) + 0.002 * interval * rng.standard_normal(number)
    t[0] = 0.0
    return t


def _temperatures(t: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    plate = _ROOM_C + 5.0 * -np.expm1(-t / 60.0) + 0.02 * rng.standard_normal(t.size)
    return plate, 22.0 + 0.05 * rng.standard_normal(t.size)


def _noisy(values: Array, floor: float, rng: np.random.Generator) -> Array:
    """White noise of the meter, and a share of 1/f noise as devices have it."""
    white = rng.standard_normal(values.size)
    spectrum = np.fft.rfft(rng.standard_normal(values.size))
    frequency = np.arange(spectrum.size, dtype=np.float64)
    spectrum[1:] /= np.sqrt(frequency[1:])
    spectrum[0] = 0.0
    pink = np.fft.irfft(spectrum, values.size)
    pink /= max(float(pink.std()), 1e-300)
    sigma = np.hypot(floor, _NOISE * np.abs(values))
    return np.asarray(values + sigma * (white + _PINK_SHARE * pink))
