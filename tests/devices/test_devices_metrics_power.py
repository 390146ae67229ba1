"""From calibrations to power, responsivity and the law of a series."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from batchlab.devices import metrics as m
from batchlab.devices._model import Run
from tests.devices.metrics_curves import START, light_trace, named, read_real, trace_run


def calibration(name="c1", hours=-2.0, wavelength=455.0, fiber="F1", gain=1e-5):
    v = np.linspace(0, 5, 51)
    return Run(
        run_id=name,
        procedure="LaserCalibration",
        start_utc=START + timedelta(hours=hours),
        settings={"wavelength_nm": wavelength, "optical_fiber": fiber, "sensor_model": "S"},
        columns={"VL (V)": v, "Power (W)": np.clip(gain * (v - 0.1), 1e-9, None)},
    )


def lit(volts=1.55, run_id="b" * 16, change=1e-6, minutes=0, **settings):
    t, y, vl, *_ = light_trace(change=change, noise=abs(change) / 100)
    return trace_run(t, y, vl, run_id=run_id, minutes=minutes, laser_voltage_v=volts, **settings)


def power_of(run, *calibrations):
    return m.irradiated_power(run, [m.calibration_of(c) for c in calibrations])


def test_power_is_read_between_calibrated_voltages_and_followed_beyond():
    power = power_of(lit(), calibration())
    assert power.power_w == pytest.approx(1.45e-5)
    assert (power.age, power.extrapolated, power.calibration_run_id) == (m.Age.PERFECT, False, "c1")
    assert power.age_h == pytest.approx(2.0)
    beyond = power_of(lit(6.0), calibration())
    assert beyond.extrapolated and beyond.power_w == pytest.approx(5.9e-5, rel=1e-6)


def test_the_last_calibration_before_counts_else_the_first_after():
    run = lit()
    assert (
        power_of(run, calibration("old", -30), calibration("new", -1), calibration("later", 1)).calibration_run_id
        == "new"
    )
    assert power_of(run, calibration("old", -30)).age is m.Age.STALE
    future = power_of(run, calibration("late", 9), calibration("soon", 3))
    assert (future.calibration_run_id, future.age) == ("soon", m.Age.FUTURE) and future.age_h == pytest.approx(-3)
    assert power_of(run, calibration(wavelength=625.0)) is None
    assert power_of(run, calibration("near", -1, 455.6), calibration("exact", -9, 455.0)).calibration_run_id == "exact"
    assert power_of(replace(run, has_light=False), calibration()) is None


def test_the_fibre_of_a_run_chooses_and_an_unknown_one_is_told():
    both = calibration("one", fiber="F1"), calibration("two", -1, fiber="F2", gain=3e-5)
    chosen = power_of(lit(optical_fiber="F1"), *both)
    assert chosen.calibration_run_id == "one" and chosen.fibers == ()
    assert power_of(lit(), *both).fibers == ("F1", "F2")
    found = named(m.extract([lit(), *both], pairs=False).metrics)
    assert "FIBER_AMBIGUOUS" in found["irradiated_power"].flags


def test_responsivity_and_efficiency_follow_from_power():
    found = named(m.extract([lit(), calibration()], pairs=False).metrics)
    assert found["irradiated_power"].value_float == pytest.approx(1.45e-5)
    responsivity = found["responsivity"].value_float
    assert responsivity == pytest.approx(1e-6 / 1.45e-5, rel=0.03)
    assert found["responsivity"].unit == "A/W"
    assert found["external_quantum_efficiency"].value_float == pytest.approx(
        responsivity * 1239.84198 / 455.0, rel=1e-6
    )
    assert m.external_quantum_efficiency(1.0, 1239.84198) == pytest.approx(1.0, rel=1e-6)


def test_without_a_calibration_the_reason_is_given():
    reasons = {s.extractor: s for s in m.extract([lit()], pairs=False).skips}
    assert reasons["irradiated_power"].reason is m.Reason.MISSING_METADATA
    assert "455 nm" in reasons["irradiated_power"].detail
    bad = replace(calibration(), columns={"VL (V)": np.ones(3), "Power (W)": np.ones(3)})
    assert m.calibration_of(bad).reason is m.Reason.DATA_QUALITY


def series(exponent=0.7):
    runs = [calibration()]
    for k, volts in enumerate([0.3, 0.6, 1.1, 2.1, 4.1]):
        power = 1e-5 * (volts - 0.1)
        change = -1e-6 * (power / 1e-5) ** exponent
        runs.append(lit(volts, run_id=f"{k:016x}", change=change, minutes=10 * k))
    return runs


@pytest.mark.parametrize("exponent", [0.4, 0.7, 1.0])
def test_the_exponent_of_a_power_series_is_found(exponent):
    found = [x for x in m.extract(series(exponent)).metrics if x.metric_name == "power_law_exponent"]
    assert len(found) == 1
    assert found[0].value_float == pytest.approx(exponent, abs=0.03)
    assert abs(found[0].value_float - exponent) < 4 * found[0].standard_error
    assert found[0].run_id == f"{4:016x}" and len(found[0].value_json["run_ids"]) == 5


def test_another_gate_voltage_is_another_series():
    runs = series()
    runs[3:] = [replace(run, settings={**run.settings, "vg_fixed_v": 2.0}) for run in runs[3:]]
    result = m.extract(runs)
    laws = [x for x in result.metrics if x.metric_name == "power_law_exponent"]
    assert [len(x.value_json["run_ids"]) for x in laws] == [3]
    assert any(s.extractor == "power_law" and "needs 3" in s.detail for s in result.skips)


def test_gates_that_follow_the_dirac_point_are_one_series_and_told():
    held = [-3.71, -3.74, -3.75, -3.72, -3.76]
    runs = series()
    moved = [replace(run, settings={**run.settings, "vg_fixed_v": v}) for run, v in zip(runs[1:], held, strict=True)]
    for order in (moved, moved[::-1]):
        (law,) = [x for x in m.extract([runs[0], *order]).metrics if x.metric_name == "power_law_exponent"]
        assert law.value_float == pytest.approx(0.7, abs=0.03)
        assert law.value_json["gate_v"] == held
        assert "GATE_VARIES" in law.flags
    (law,) = [x for x in m.extract(series()).metrics if x.metric_name == "power_law_exponent"]
    assert "GATE_VARIES" not in law.flags


def test_voltages_are_parted_at_the_widest_gap():
    spans = m.span_of_each([-3.75, -3.71, 1.0, 1.1, 1.25, -3.74], 0.1)
    assert spans[-3.74] == (-3.75, -3.71)
    assert spans[1.0] == spans[1.1] == (1.0, 1.1)
    assert spans[1.25] == (1.25, 1.25)
    assert m.span_of_each([], 0.1) == {}


def test_a_run_whose_drift_outweighs_its_response_is_no_point_of_a_power_law():
    runs = series(0.7)
    lost = runs[3]
    t = lost.columns["t (s)"]
    runs[3] = replace(lost, columns={**lost.columns, "I (A)": lost.columns["I (A)"] + 1e-5 * t / t[-1]})
    result = m.extract(runs)
    (delta,) = [x for x in result.metrics if x.metric_name == "delta_i_corrected" and x.run_id == lost.run_id]
    assert "DRIFT_DOMINATES" in delta.flags
    (law,) = [x for x in result.metrics if x.metric_name == "power_law_exponent"]
    assert lost.run_id not in law.value_json["run_ids"] and len(law.value_json["run_ids"]) == 4
    assert law.value_float == pytest.approx(0.7, abs=0.03)


def test_a_power_law_of_exact_points_is_exact():
    power = np.array([1e-6, 1e-5, 1e-4])
    law = m.power_law(power, 2.0 * power**0.5, np.full(3, 1e-9))
    assert law.exponent == pytest.approx(0.5) and law.prefactor == pytest.approx(2.0)
    assert isinstance(m.power_law(power[:1], power[:1], power[:1]), m.Skip)


def test_real_calibrations_rise_with_voltage(shared_devices):
    runs = [run for path in sorted(shared_devices.rglob("LaserCalibration*.csv")) if (run := read_real(path))]
    found = [m.calibration_of(run) for run in runs]
    assert len(found) == 67 and all(isinstance(c, m.Calibration) for c in found)
    assert all(m.power_at(c, c.voltage_v[-1])[0] >= m.power_at(c, c.voltage_v[0])[0] for c in found)
    assert all(0 <= m.power_at(c, 2.0)[0] < 1e-2 for c in found)
