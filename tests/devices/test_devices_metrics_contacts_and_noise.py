"""Contacts by the Y function, and noise by its spectrum, of curves and records with a known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import periodogram

from batchlab.devices import metrics as m
from batchlab.devices.metrics._noise import NoiseExtractor, noise_spectrum
from batchlab.devices.metrics._y_function import YFunctionExtractor, y_function
from tests.devices.metrics_curves import gate_loop, named, scaled, sweep_run, trace_run, transfer

GEOMETRY = m.Geometry(layers=(m.Dielectric.of("hBN", 30.0),))
STEP_S = 0.08


def record(gamma: float, seed: int, *, n: int = 600, density: float = 1e-10) -> np.ndarray:
    """Noise with S(f) = density^2 f^-gamma, made in the frequencies of a longer record."""
    rng = np.random.default_rng(seed)
    f = np.fft.rfftfreq(4 * n, STEP_S)[1:]
    size = density * f ** (-gamma / 2) * np.sqrt(4 * n / (2 * STEP_S))
    parts = size * (rng.normal(size=f.size) + 1j * rng.normal(size=f.size)) / np.sqrt(2)
    return np.fft.irfft(np.r_[0.0, parts], 4 * n)[:n]


def dark(y: np.ndarray, **settings):
    return trace_run(STEP_S * np.arange(y.size), y, np.zeros(y.size), **settings)


def y_rows(y: np.ndarray, **settings):
    v = gate_loop()
    found = YFunctionExtractor().extract(sweep_run(v, y, **settings), m.ExtractionContext(geometry=GEOMETRY))
    assert not isinstance(found, m.Skip), found
    return named(found)


def test_lines_through_an_ideal_channel_give_back_what_made_it():
    v = np.linspace(1.0, 6.0, 80)
    beta, contacts, v_ds, v_0 = 3e-4, 700.0, 0.05, 0.4
    x = v - v_0
    i = beta * v_ds * x / (1 + beta * contacts * x)
    g_m = beta * v_ds / (1 + beta * contacts * x) ** 2
    fit = y_function(v, i, g_m, v_ds)
    assert fit.g_m == pytest.approx(beta * v_ds) and fit.resistance == pytest.approx(contacts)
    assert fit.v_0 == pytest.approx(v_0) and fit.r_squared == pytest.approx(1.0)
    assert y_function(v, i, -g_m, v_ds) is None


@pytest.mark.parametrize("contact", [0.0, 500.0, 2000.0])
@pytest.mark.parametrize("noise", [0.0, 5e-4])
def test_mobility_and_contacts_of_graphene_are_those_that_made_it(contact: float, noise: float):
    found = y_rows(transfer(gate_loop(), 0.1, 0.2, noise=noise, contact=contact, seed=3))
    _, capacitance, _ = GEOMETRY.capacitance()
    mobility = 3.5 / 2000.0 / capacitance * 1e4
    for carrier in ("holes", "electrons"):
        resistance = found[f"contact_resistance_{carrier}"]
        assert resistance.unit == "ohm" and resistance.flags == ()
        assert resistance.value_float == pytest.approx(contact, abs=10 + 3 * resistance.standard_error)
        assert resistance.standard_error < 60
        assert found[f"mobility_y_{carrier}"].value_float == pytest.approx(mobility, rel=0.05 if noise else 0.01)


@pytest.mark.parametrize("residual", [0.1, 0.5, 0.8])
def test_residual_carriers_do_not_pass_for_contacts(residual: float):
    v = gate_loop()
    way = np.r_[np.diff(v), np.diff(v)[-1:]]
    x = v - np.where(way >= 0, 0.1, 0.2)
    for carrier, row in y_rows(0.1 / (600.0 + 2000.0 / np.hypot(residual, x))).items():
        if carrier.startswith("contact"):
            assert row.value_float == pytest.approx(600.0, rel=0.06) and row.flags == ()


def test_contacts_lower_the_field_effect_mobility_and_not_that_of_the_y_function():
    context = m.ExtractionContext(geometry=GEOMETRY)
    free, bound = (
        named(m.extract_run(sweep_run(gate_loop(), transfer(gate_loop(), 0.1, 0.2, contact=c)), context).metrics)
        for c in (0.0, 3000.0)
    )
    ratio = {n: bound[n].value_float / free[n].value_float for n in ("mobility_fe_electrons", "mobility_y_electrons")}
    assert ratio["mobility_fe_electrons"] < 0.5
    assert ratio["mobility_y_electrons"] == pytest.approx(1.0, rel=0.01)


def test_resistances_scale_with_the_current_and_errors_cover_the_truth():
    y = transfer(gate_loop(), 0.1, 0.2, contact=800.0, noise=5e-4)
    plain = y_rows(y)["contact_resistance_holes"]
    assert y_rows(y * 1e6)["contact_resistance_holes"].value_float == pytest.approx(plain.value_float * 1e-6)
    off = [
        (row.value_float - 800.0) / row.standard_error
        for seed in range(20)
        for row in [
            y_rows(transfer(gate_loop(), 0.1, 0.2, contact=800.0, noise=5e-4, seed=seed))["contact_resistance_holes"]
        ]
    ]
    assert np.median(np.abs(off)) < 1.5 and np.max(np.abs(off)) < 5


def test_what_speaks_against_a_contact_resistance_is_told():
    y = transfer(gate_loop(), 0.1, 0.2, contact=500.0)
    assert "NOT_LINEAR_REGION" in y_rows(y, vds_v=4.0)["contact_resistance_holes"].flags
    v = gate_loop()
    broken = y_rows(np.where(v > 4.0, 0.4 * y, y))["contact_resistance_holes"]
    assert "JUMP" in broken.flags and broken.confidence <= 0.3
    bent = y_rows(y * (1 + 0.05 * (v - 0.15) ** 2))["contact_resistance_holes"]
    assert "CONTACT_RESISTANCE_NEGATIVE" in bent.flags
    flat = YFunctionExtractor().extract(sweep_run(v, np.full(v.size, 1e-6)), m.ExtractionContext())
    assert isinstance(flat, m.Skip) and flat.reason is m.Reason.QUALITY_FAILURE


def test_contacts_need_no_geometry_and_mobilities_do():
    run = sweep_run(gate_loop(), transfer(gate_loop(), 0.1, 0.2, contact=500.0))
    names = {row.metric_name for row in YFunctionExtractor().extract(run, m.ExtractionContext())}
    assert names == {"contact_resistance_holes", "contact_resistance_electrons"}


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 1.5])
def test_the_exponent_and_density_of_noise_are_those_that_made_it(gamma: float):
    found = [noise_spectrum(record(gamma, seed), STEP_S) for seed in range(60)]
    exponents, densities = (np.array([getattr(s, n) for s in found]) for n in ("exponent", "density"))
    assert exponents.mean() == pytest.approx(gamma, abs=0.06)
    assert exponents.std() == pytest.approx(found[0].exponent_error, rel=0.35)
    assert np.median(densities) == pytest.approx(1e-10, rel=0.05)
    assert densities.std() == pytest.approx(found[0].density_error, rel=0.4)


def test_white_noise_has_the_level_of_its_standard_deviation_and_of_another_estimate():
    y = np.random.default_rng(5).normal(0, 3e-9, 20_000)
    found = noise_spectrum(y, STEP_S)
    assert found.density == pytest.approx(3e-9 * np.sqrt(2 * STEP_S), rel=0.03)
    _, oracle = periodogram(y, 1 / STEP_S, window="hann", detrend="linear")
    assert found.density == pytest.approx(np.sqrt(oracle[3:-1].mean()), rel=0.03)
    assert abs(found.exponent) < 3 * found.exponent_error


def test_a_drift_is_no_noise_and_only_the_settled_dark_counts():
    noise = record(0.0, 1, n=1500)
    t = STEP_S * np.arange(1500)
    vl = np.where((t > 60) & (t < 90), 3.0, 0.0)
    plain = trace_run(t, 3e-5 + noise, vl)
    moved = trace_run(t, 3e-5 + noise + 1e-7 * t + np.where(t < 10, 1e-5, 0.0) + np.where(vl > 0, 1e-6, 0.0), vl)
    one, two = (named(NoiseExtractor().extract(run, m.ExtractionContext())) for run in (plain, moved))
    for name in ("noise_density", "noise_exponent"):
        assert two[name].value_float == pytest.approx(one[name].value_float, rel=1e-6, abs=1e-6)
    assert one["noise_density"].unit == "A/Hz^0.5" and one["noise_density"].flags == ()
    large = named(NoiseExtractor().extract(scaled(plain, "I (A)", 1e6), m.ExtractionContext()))
    assert large["noise_density"].value_float == pytest.approx(1e6 * one["noise_density"].value_float)
    assert large["noise_exponent"].value_float == pytest.approx(one["noise_exponent"].value_float)


def test_records_without_a_spectrum_say_why():
    context = m.ExtractionContext()
    run = dark(3e-5 + record(1.0, 2))
    few = NoiseExtractor().extract(dark(record(1.0, 2)[:80]), context)
    assert few.reason is m.Reason.DATA_QUALITY and "too few" in few.detail
    t = run.columns["t (s)"]
    gap = replace(run, columns={**run.columns, "t (s)": np.where(t > 30, t + 20.0, t)})
    assert "gap" in NoiseExtractor().extract(gap, context).detail
    still = replace(run, columns={**run.columns, "I (A)": np.full(t.size, 3e-5)})
    assert "no noise" in NoiseExtractor().extract(still, context).detail
    slow = replace(run, columns={**run.columns, "t (s)": 10 * t})
    assert named(NoiseExtractor().extract(slow, context))["noise_density"].flags == ("OUTSIDE_BAND",)
