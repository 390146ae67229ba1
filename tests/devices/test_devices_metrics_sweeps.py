"""Legs, Dirac points, mobilities and thresholds of gate sweeps with a known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.devices import metrics as m
from batchlab.devices.metrics import _constants
from tests.devices.metrics_curves import gate_loop, named, scaled, sweep_run, transfer

GEOMETRY = m.Geometry(layers=(m.Dielectric.of("hBN", 30.0), m.Dielectric.of("biotite", 12.0)))


def test_a_loop_with_float_noise_has_four_legs():
    v = gate_loop()
    assert not np.array_equal(np.round(v, 2), v)
    legs = m.split_legs(v, v)
    assert [leg.forward for leg in legs] == [False, True, False, True]
    # A point belongs to the leg that leads to it.
    assert [round(leg.span, 6) for leg in legs] == [5.0, 9.95, 9.95, 4.95]
    assert sum(leg.v.size for leg in legs) == v.size
    assert all((np.diff(leg.v) > 0).all() for leg in legs)


@pytest.mark.parametrize("start", [0, 37, 199, 200, 201, 333])
def test_legs_of_a_closed_loop_do_not_depend_on_where_it_began(start):
    up = np.linspace(-5, 5, 201)
    v = np.r_[up, up[::-1][1:-1]]
    way = np.r_[np.ones(200), -np.ones(200)]
    y = 1e-5 * (v**2 + 1) + way * 1e-7
    turned = np.r_[np.roll(v, -start), np.roll(v, -start)[0]]
    values = np.r_[np.roll(y, -start), np.roll(y, -start)[0]]
    legs = [leg for leg in m.split_legs(turned, values) if leg.span > 9]
    assert sorted(leg.forward for leg in legs) == [False, True]
    for leg in legs:
        expected = 1e-5 * (leg.v**2 + 1) + (1e-7 if leg.forward else -1e-7)
        inner = slice(1, -1)  # at the ends both ways meet
        np.testing.assert_allclose(leg.y[inner], expected[inner], rtol=0.03)


def test_a_measured_gate_voltage_that_jitters_has_the_legs_of_the_set_one():
    v = gate_loop()
    jittered = v + np.random.default_rng(3).normal(0, 0.03, v.size)
    legs = m.split_legs(jittered, v)
    assert [leg.forward for leg in legs] == [False, True, False, True]
    assert legs[1].span == pytest.approx(10, abs=0.2)


def test_rows_that_are_not_finite_and_rests_are_left_out():
    v = np.r_[0.0, 0.0, gate_loop(), 0.0, np.nan]
    legs = m.split_legs(v, np.arange(v.size, dtype=float))
    assert len(legs) == 4
    assert m.split_legs(np.zeros(9), np.zeros(9)) == ()


@pytest.mark.parametrize("asymmetry", [1.0, 1.25])
def test_dirac_points_are_within_a_millivolt(asymmetry):
    rng = np.random.default_rng(5)
    v, errors, sigmas = gate_loop(), [], []
    for seed in range(60):
        forward = rng.uniform(-1, 1)
        backward = forward + rng.uniform(-0.3, 0.8)
        run = sweep_run(v, transfer(v, forward, backward, noise=5e-4, seed=seed, asymmetry=asymmetry))
        found = named(m.extract_run(run).metrics, "robust")
        for name, truth in (("forward", forward), ("backward", backward)):
            metric = found[f"cnp_{name}"]
            errors.append(metric.value_float - truth)
            sigmas.append(abs(errors[-1]) / metric.standard_error)
        assert found["cnp_hysteresis"].value_float == pytest.approx(backward - forward, abs=0.01)
        assert found["cnp_voltage"].value_float == pytest.approx((forward + backward) / 2, abs=0.01)
    assert np.median(np.abs(errors)) <= 1e-3
    assert np.quantile(np.abs(errors), 0.95) <= 4e-3
    assert np.median(sigmas) <= 1.5  # errors are not told smaller than they are


def test_the_parabola_is_exact_on_symmetric_sweeps_and_the_maximum_to_a_step():
    v = gate_loop()
    found = m.extract_run(sweep_run(v, transfer(v, 0.317, 0.617))).metrics
    assert named(found, "parabola")["cnp_forward"].value_float == pytest.approx(0.317, abs=1e-3)
    coarse = named(found, "maximum-resistance")["cnp_forward"]
    assert coarse.value_float == pytest.approx(0.317, abs=0.026)
    assert coarse.standard_error == pytest.approx(0.05 / np.sqrt(12), rel=1e-6)


def test_one_bad_reading_moves_the_robust_dirac_point_little():
    v = gate_loop()
    y = transfer(v, 0.2, 0.2, noise=3e-4)
    y[300] *= 0.4  # a dropout amid the forward leg, far from the valley and lower than it
    found = named(m.extract_run(sweep_run(v, y)).metrics, "robust")
    assert found["cnp_forward"].value_float == pytest.approx(0.2, abs=5e-3)


def test_bad_readings_in_the_valley_weigh_little():
    v = gate_loop()
    y = transfer(v, 0.2, 0.2, noise=3e-4)
    bad = y.copy()
    bad[[207, 208]] *= 1.2  # at 0.35 and 0.4 V of the forward leg
    assert 0.33 < v[207] < v[208] < 0.42
    found = named(m.extract_run(sweep_run(v, bad)).metrics, "robust")
    assert found["cnp_forward"].value_float == pytest.approx(0.2, abs=0.015)


def test_reversed_sweeps_and_voltages_agree():
    v = gate_loop()
    y = transfer(v, 0.3, 0.5)
    plain = named(m.extract_run(sweep_run(v, y)).metrics, "robust")
    backwards = named(m.extract_run(sweep_run(v[::-1].copy(), y[::-1].copy())).metrics, "robust")
    # Time turned round swaps the ways and keeps the points.
    assert backwards["cnp_forward"].value_float == pytest.approx(plain["cnp_backward"].value_float, abs=1e-4)
    assert backwards["cnp_hysteresis"].value_float == pytest.approx(-plain["cnp_hysteresis"].value_float, abs=2e-4)
    mirrored = named(m.extract_run(sweep_run(-v, y)).metrics, "robust")
    assert mirrored["cnp_voltage"].value_float == pytest.approx(-plain["cnp_voltage"].value_float, abs=1e-4)


def test_vvg_has_its_dirac_point_where_voltage_is_largest():
    v = gate_loop()
    volts = 1e-6 / transfer(v, 0.4, 0.6) * 0.1
    run = sweep_run(v, volts, procedure="VVg", column="VDS (V)", ids_a=1e-6)
    found = named(m.extract_run(run).metrics, "robust")
    assert found["cnp_forward"].value_float == pytest.approx(0.4, abs=2e-3)


def test_a_half_sweep_is_flagged_and_a_flat_one_skipped():
    v = np.linspace(-5, 5, 201)
    half = named(m.extract_run(sweep_run(v, transfer(v, 0.3, 0.3))).metrics, "robust")
    assert half["cnp_voltage"].flags == ("SWEEP_NOT_LOOPED",)
    assert half["cnp_voltage"].confidence == pytest.approx(0.7)
    skips = {s.extractor: s for s in m.extract_run(sweep_run(v, np.linspace(1, 2, 201))).skips}
    assert skips["dirac_point"].reason is m.Reason.QUALITY_FAILURE
    cut = m.extract_run(sweep_run(np.full(20, 1.0), np.ones(20)))
    assert {s.reason for s in cut.skips if s.extractor == "dirac_point"} == {m.Reason.SWEEP_INCOMPLETE}


def test_a_wide_sweep_widens_the_band_of_valid_dirac_points():
    v = gate_loop(20.0, 0.1)
    run = sweep_run(v, transfer(v, 17.0, 17.0))
    found = named(m.extract_run(run).metrics, "robust")["cnp_voltage"]
    assert found.value_float == pytest.approx(17, abs=0.01)
    assert "INVALID" not in found.flags


def test_a_changed_constant_changes_the_extractor(monkeypatch):
    v = gate_loop()
    run = sweep_run(v, transfer(v, 0.3, 0.5))
    ratio = named(m.extract_run(run).metrics)["on_off_ratio"].value_float

    def by_maximum():
        return named(m.extract_run(run).metrics, "maximum-resistance")

    assert "cnp_voltage" in by_maximum()
    monkeypatch.setattr(_constants, "MIN_RESISTANCE_MODULATION", ratio * 1.1)
    assert "cnp_voltage" not in by_maximum()
    context = m.ExtractionContext(constants=_constants.changed(MIN_RESISTANCE_MODULATION=2.0))
    assert "cnp_voltage" in named(m.extract_run(run, context).metrics, "maximum-resistance")
    with pytest.raises(AttributeError, match="MIN_RESISTANCE_MODULATON"):
        _constants.changed(MIN_RESISTANCE_MODULATON=2.0)


def test_the_valid_band_follows_its_constant(monkeypatch):
    v = gate_loop()
    run = sweep_run(v, transfer(v, 0.3, 0.5))
    extractor = next(e for e in m.extractors() if e.name == "dirac_point")
    metric = named(m.extract_run(run).metrics, "robust")["cnp_voltage"]
    outside = replace(metric, value_json=None)  # without the swept range the constant alone decides
    assert extractor.validate(metric) and extractor.validate(outside)
    monkeypatch.setattr(_constants, "CNP_VOLTAGE_RANGE", (5.0, 6.0))
    assert not extractor.validate(outside)


def test_constants_have_the_documented_names_and_values():
    assert _constants.MIN_RESISTANCE_MODULATION == 2.0
    assert _constants.MIN_SNR_GOOD == 3.0
    assert _constants.MIN_R_SQUARED_FIT == 0.5
    assert _constants.MAX_REASONABLE_DELTA_CURRENT_A == 1e-3
    assert _constants.MAX_REASONABLE_DELTA_VOLTAGE_V == 1.0
    assert _constants.CNP_VOLTAGE_RANGE == (-15.0, 15.0)
    assert _constants.STRETCHED_EXP_MAX_ITERATIONS == 100
    assert _constants.STRETCHED_EXP_TOLERANCE == 1e-8
    assert _constants.PAIRWISE_PROGRESS_INTERVAL == 10
    assert _constants.BATCH_SIZE == 500


def test_slopes_agree_with_scipy():
    from scipy.signal import savgol_filter

    rng = np.random.default_rng(0)
    v = np.linspace(-5, 5, 201)
    y = np.tanh(v) + 0.01 * rng.normal(size=v.size)
    expected = savgol_filter(y, 9, 3, deriv=1, delta=0.05)
    np.testing.assert_allclose(m.slopes(v, y, 9, 3), expected, rtol=1e-9, atol=1e-9)


def test_mobility_of_a_linear_channel_is_what_made_it():
    low, nominal, high = GEOMETRY.capacitance()
    assert low < nominal < high
    mu, shape = 5000.0, 3.5
    slope = mu * 1e-4 * nominal * 0.1 / shape
    v = gate_loop()
    y = slope * np.sqrt((v - 0.1) ** 2 + 0.05**2) + 1e-6
    context = m.ExtractionContext(geometry=GEOMETRY)
    found = named(m.extract_run(sweep_run(v, y), context).metrics)
    for carrier in ("holes", "electrons"):
        metric = found[f"mobility_fe_{carrier}"]
        assert metric.value_float == pytest.approx(mu, rel=5e-3)
        assert metric.value_json["low"] < mu < metric.value_json["high"]
        assert metric.standard_error == pytest.approx(
            mu * np.hypot(1 / 3.5 / np.sqrt(12), (high - low) / nominal / np.sqrt(12)), rel=0.02
        )
        assert metric.unit == "cm^2/(V s)"


def test_mobility_needs_a_geometry_and_a_drain_voltage():
    v = gate_loop()
    y = transfer(v, 0, 0)
    reasons = {s.extractor: s.reason for s in m.extract_run(sweep_run(v, y)).skips}
    assert reasons["mobility"] is m.Reason.MISSING_GEOMETRY
    context = m.ExtractionContext(geometry=GEOMETRY)
    reasons = {s.extractor: s.reason for s in m.extract_run(sweep_run(v, y, vds_v=None), context).skips}
    assert reasons["mobility"] is m.Reason.MISSING_METADATA


@given(swing=st.floats(70, 500), decades=st.floats(3, 6))
def test_swing_of_an_ideal_exponential_is_its_slope(swing, decades):
    v = np.linspace(0, decades * swing / 1e3, 101)
    i = 1e-12 * 10 ** (v / (swing / 1e3))
    found = m.subthreshold_swing(v, i, floor=0.0)
    assert found is not None and found.value == pytest.approx(swing, rel=1e-6)


def test_threshold_of_a_square_channel_is_its_corner():
    v = np.linspace(-2, 4, 241)
    i = 1e-5 * np.clip(v - 0.8, 0, None) + 1e-12
    loop = np.r_[v, v[::-1][1:]]
    found = named(
        m.extract_run(sweep_run(loop, np.r_[i, i[::-1][1:]]), m.ExtractionContext(threshold_current_a=1e-7)).metrics,
        "linear-extrapolation",
    )
    assert found["v_th"].value_float == pytest.approx(0.8 - 0.05, abs=0.01)
    constant = m.constant_current(v, i, 1e-7)
    assert constant is not None and constant.value == pytest.approx(0.81, abs=0.02)


STEPS = np.arange(-3, 3.0001, 0.02)
LOOP = np.r_[STEPS, STEPS[::-1][1:]]


def turned_on(x, swing):
    """Above 0 the voltage itself, below it an exponential of `swing` V a decade: a transistor's charge."""
    scale = swing / np.log(10)
    return scale * np.log1p(np.exp(x / scale))


def test_a_p_channel_has_the_threshold_of_holes():
    i = -1e-6 * turned_on(-LOOP - 0.5, 0.1) - 1e-13
    found = named(m.extract_run(sweep_run(LOOP, i, vds_v=-0.1)).metrics, "linear-extrapolation")
    # The tangent meets 0 at -0.5 V; half the drain voltage lies between that and the threshold.
    for name in ("v_th", "v_th_forward", "v_th_backward", "v_th_p"):
        assert found[name].value_float == pytest.approx(-0.5 + 0.05, abs=0.002)
    assert found["v_th"].value_json["branch"] == "p" and "v_th_n" not in found


@pytest.mark.parametrize("more", ["n", "p"])
def test_thresholds_of_an_ambipolar_channel_are_not_mixed(more):
    share = {"n": 1.0, "p": 1.0, more: 3.0}
    voltages = {"n": [], "p": [], "": [], "forward": [], "backward": []}
    for seed in range(9):
        i = 1e-6 * (share["n"] * turned_on(LOOP - 1, 0.115) + share["p"] * turned_on(-LOOP - 1, 0.115)) + 1e-12
        noisy = i * (1 + 1e-3 * np.random.default_rng(seed).normal(size=LOOP.size))
        found = named(m.extract_run(sweep_run(LOOP, noisy)).metrics, "linear-extrapolation")
        assert "AMBIPOLAR" in found["v_th"].flags and found["v_th"].value_json["branch"] == more
        for name, values in voltages.items():
            values.append(found["_".join(filter(None, ("v_th", name)))].value_float)
    truth = {"n": 1 - 0.05, "p": -1 - 0.05}
    for name, values in voltages.items():
        assert np.median(values) == pytest.approx(truth.get(name, truth[more]), abs=0.06), name
    i = 1e-6 * (turned_on(LOOP - 1, 0.115) + turned_on(-LOOP - 1, 0.115)) + 1e-12
    context = m.ExtractionContext(threshold_current_a=1e-7)
    constant = named(m.extract_run(sweep_run(LOOP, i), context).metrics, "constant-current")
    assert constant["v_th_n"].value_float == pytest.approx(-constant["v_th_p"].value_float, abs=1e-6)
    assert constant["v_th_n"].value_float == pytest.approx(1.0936, abs=1e-3)


@pytest.mark.parametrize("swing", [80.0, 200.0, 500.0])
@pytest.mark.parametrize("noise", [1e-13, 1e-12])
def test_swing_is_that_of_the_device_and_not_of_the_noise(swing, noise):
    rng = np.random.default_rng(1)
    values, sigmas = [], []
    for _ in range(25):
        i = 1e-7 * turned_on(LOOP - 0.5, swing / 1e3) + noise * rng.normal(size=LOOP.size)
        found = named(m.extract_run(sweep_run(LOOP, i)).metrics)["subthreshold_swing"]
        values.append(found.value_float)
        sigmas.append(abs(found.value_float - swing) / found.standard_error)
    assert np.median(values) == pytest.approx(swing, rel=0.03)
    assert np.quantile(values, 0.05) > 0.95 * swing
    assert np.median(sigmas) <= 1.2


def test_a_tangent_at_the_end_of_the_sweep_and_a_large_drain_voltage_are_told():
    square = 1e-6 * np.clip(STEPS - 0.5, 0, None) ** 2 + 1e-12  # its slope grows on
    found = named(m.extract_run(sweep_run(STEPS, square)).metrics, "linear-extrapolation")["v_th"]
    assert "PEAK_AT_EDGE" in found.flags and "NOT_LINEAR_REGION" not in found.flags
    saturated = named(m.extract_run(sweep_run(STEPS, square, vds_v=5.0)).metrics, "linear-extrapolation")["v_th"]
    assert {"PEAK_AT_EDGE", "NOT_LINEAR_REGION"} <= set(saturated.flags) and saturated.confidence <= 0.35
    linear = 1e-6 * turned_on(STEPS - 0.5, 0.1) + 1e-12
    assert named(m.extract_run(sweep_run(STEPS, linear)).metrics, "linear-extrapolation")["v_th"].flags == ()


def test_on_off_ratio_and_off_current_are_those_of_the_device():
    i = 1e-6 * turned_on(LOOP - 0.5, 0.1) + 1e-11
    noisy = i * (1 + 1e-3 * np.random.default_rng(3).normal(size=LOOP.size))
    found = named(m.extract_run(sweep_run(LOOP, noisy)).metrics)
    assert found["on_off_ratio"].value_float == pytest.approx(2.5e-6 / 1e-11, rel=0.02)
    assert found["off_current"].value_float == pytest.approx(1e-11, rel=0.01)


@pytest.mark.parametrize("ratio", [5.0, 11.0, 40.0])
def test_a_channel_that_never_turns_off_has_neither_threshold_nor_swing(ratio):
    v = gate_loop()
    y = np.sqrt(1 + (v * np.sqrt(ratio**2 - 1) / 5) ** 2) * 1e-6
    found = m.extract_run(sweep_run(v, y))
    assert not {"v_th", "subthreshold_swing"} & named(found.metrics).keys()
    reasons = {s.extractor: s for s in found.skips}
    assert reasons["threshold"].reason is m.Reason.PRECONDITION_FAILED
    assert reasons["subthreshold_swing"].reason is m.Reason.PRECONDITION_FAILED


def _mobilities(noise, seeds=25):
    (_, c, _), shape = GEOMETRY.capacitance(), 3.5
    v = gate_loop()
    truth = shape * 4e-6 / (c * 0.1) * 1e4
    context = m.ExtractionContext(geometry=GEOMETRY)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        i = np.sqrt(1e-6**2 + (4e-6 * (v - 0.3)) ** 2) + noise * 2e-5 * rng.normal(size=v.size)
        yield named(m.extract_run(sweep_run(v, i), context).metrics), truth


@pytest.mark.parametrize(("noise", "most"), [(0.0, 0.005), (5e-4, 0.01), (2.5e-3, 0.03), (1e-2, 0.06)])
def test_noise_makes_no_mobility_larger(noise, most):
    names = [f"mobility_fe_{carrier}_{leg}" for carrier in ("holes", "electrons") for leg in ("forward", "backward")]
    found = [metrics[name].value_float / truth for metrics, truth in _mobilities(noise) for name in names]
    assert abs(np.median(found) - 1) <= most


@pytest.mark.parametrize("at", [5.0, 2.5])
def test_one_bad_reading_makes_no_mobility(at):
    v = gate_loop()
    y = 1e-6 * np.sqrt(1 + (4 * (v - 0.3)) ** 2)
    context = m.ExtractionContext(geometry=GEOMETRY)
    plain = named(m.extract_run(sweep_run(v, y), context).metrics)["mobility_fe_electrons"]
    bad = y.copy()
    bad[np.argmin(np.abs(v - at))] *= 1.02
    found = named(m.extract_run(sweep_run(v, bad), context).metrics)["mobility_fe_electrons"]
    assert found.value_float == pytest.approx(plain.value_float, rel=0.05)


def test_legs_that_disagree_on_a_mobility_are_told():
    v = gate_loop()
    way = np.r_[np.diff(v), np.diff(v)[-1:]] > 0
    y = 1e-6 * np.sqrt(1 + (np.where(way, 4.0, 2.0) * v) ** 2)
    context = m.ExtractionContext(geometry=GEOMETRY)
    found = named(m.extract_run(sweep_run(v, y), context).metrics)
    both = found["mobility_fe_electrons"]
    assert "LEGS_DISAGREE" in both.flags and both.confidence <= 0.7
    assert both.standard_error >= (both.value_json["forward"] - both.value_json["backward"]) / 2
    assert "LEGS_DISAGREE" not in found["mobility_fe_electrons_forward"].flags


@pytest.mark.parametrize("wide", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("mobility", [0.6, 0.4, 0.3, 0.2, 1 / 0.3])
def test_electrons_and_holes_may_differ_much(wide, mobility):
    rng = np.random.default_rng(7)
    v, errors, sigmas = np.linspace(-5, 5, 201), [], []
    for _ in range(15):
        dirac = rng.uniform(-0.35, 0.35)
        side = np.where(v > dirac, 1.0, mobility)
        y = 1e-6 * np.sqrt(1 + (side * (v - dirac) / wide) ** 2) * (1 + 1e-3 * rng.normal(size=v.size))
        found = named(m.extract_run(sweep_run(v, y)).metrics, "robust")["cnp_voltage"]
        errors.append(abs(found.value_float - dirac))
        sigmas.append(errors[-1] / found.standard_error)
        assert ("ASYMMETRIC" in found.flags) == (abs(np.log(mobility)) > 1.3) or abs(np.log(mobility)) > 1.1
    assert np.median(errors) <= 6e-3 and np.quantile(errors, 0.9) <= 0.02
    assert np.median(sigmas) <= 1.5


def test_the_window_of_the_parabola_is_stated():
    v = gate_loop()
    found = named(m.extract_run(sweep_run(v, transfer(v, 0.3, 0.5))).metrics, "parabola")
    for name in ("cnp_voltage", "cnp_forward", "cnp_backward"):
        assert found[name].value_json["window_v"] == pytest.approx({"forward": 0.995, "backward": 0.995})


def test_graphene_has_no_threshold():
    v = gate_loop()
    reasons = {s.extractor: s.reason for s in m.extract_run(sweep_run(v, transfer(v, 0, 0, contact=1000.0))).skips}
    assert reasons["threshold"] is m.Reason.PRECONDITION_FAILED
    assert reasons["subthreshold_swing"] is m.Reason.PRECONDITION_FAILED


def test_gate_leakage_is_the_largest_gate_current():
    v = gate_loop()
    run = sweep_run(v, transfer(v, 0, 0))
    with_gate = type(run)(
        run_id=run.run_id, procedure="IVg", columns={**run.columns, "Ig (A)": np.linspace(-2e-10, 1e-10, v.size)}
    )
    assert named(m.extract_run(with_gate).metrics)["gate_leakage"].value_float == pytest.approx(2e-10)


POWERS = {"A": 1.0, "cm^2/(V s)": 1.0, "ohm": -1.0}


def test_every_sweep_metric_scales_with_its_unit():
    v = np.linspace(-3, 3, 301)
    v = np.r_[v, v[::-1][1:]]
    y = transfer(v, 0.2, 0.4, noise=5e-4)
    y = np.where(v < -1, y * 1e-2, y)  # so that it turns off as well
    run = sweep_run(v, y)
    context = m.ExtractionContext(geometry=GEOMETRY)
    plain = m.extract_run(run, context).metrics
    large = m.extract_run(scaled(run, "I (A)", 1e6), context).metrics
    assert len(plain) == len(large) > 15
    for one, two in zip(plain, large, strict=True):
        assert (one.metric_name, one.extraction_method) == (two.metric_name, two.extraction_method)
        factor = 1e6 ** POWERS.get(one.unit, 0.0)
        assert two.value_float == pytest.approx(one.value_float * factor, rel=1e-6, abs=1e-9 * factor * 1e-6), one


def test_a_sweep_that_breaks_down_gives_no_confident_dirac_point():
    # As a real chip did: the minimum at +1 V, and beyond 11 V a fifth of the current.
    v = np.arange(-200, 201) * 0.1
    y = transfer(v, 1.0, 1.0, noise=2e-3)
    broken = np.where(v > 11.45, 0.02 * y[v > 11.45][0] * (1 + 0.02 * (19.4 - v) ** 2), y)
    found = {(each.metric_name, each.extraction_method): each for each in m.extract_run(sweep_run(v, broken)).metrics}
    point = found["cnp_voltage", "robust"]
    assert point.value_float > 19, "the broken stretch no longer holds the least current: the test tests nothing"
    assert {"JUMP", "NEAR_SWEEP_END"} <= set(point.flags) and point.confidence < 0.2
    assert "JUMP" in found["on_off_ratio", "extremes"].flags and found["on_off_ratio", "extremes"].confidence <= 0.3
    sound = {(each.metric_name, each.extraction_method): each for each in m.extract_run(sweep_run(v, y)).metrics}
    assert not {"JUMP", "NEAR_SWEEP_END"} & set(sound["cnp_voltage", "robust"].flags)
    first, second = sweep_run(v, y, run_id="b" * 16), sweep_run(v, broken, minutes=9)
    rows = {each.metric_name: each for each in m.extract_pairs([first, second])[0]}
    assert "JUMP" in rows["delta_cnp"].flags and rows["delta_cnp"].confidence < 0.2


def test_what_comes_of_a_sweep_that_breaks_down_is_doubted():
    v = np.arange(-200, 201) * 0.1
    sound = np.maximum(1e-12, 1e-6 * (v - 1.0)) + 1e-12 * np.exp(np.minimum(v - 1.0, 0.0) / 0.05)
    broken = np.where(v > 11.45, 0.2 * sound, sound)
    context = m.ExtractionContext(geometry=GEOMETRY)
    names = ("mobility_fe_electrons_forward", "v_th", "v_th_n", "subthreshold_swing")
    before, after = (named(m.extract_run(sweep_run(v, y), context).metrics) for y in (sound, broken))
    for name in names:
        assert "JUMP" not in before[name].flags, name
        assert "JUMP" in after[name].flags and after[name].confidence <= 0.3 * before[name].confidence, name


def test_only_the_leg_that_breaks_down_is_doubted():
    v = np.arange(-100, 101) * 0.05
    up = transfer(v, 0.2, 0.2, noise=1e-4)
    back = np.where(v > 3.0, 0.3 * up, up)
    run = sweep_run(np.r_[v, v[::-1][1:]], np.r_[up, back[::-1][1:]])
    found = named(m.extract_run(run, m.ExtractionContext(geometry=GEOMETRY)).metrics)
    assert "JUMP" not in found["mobility_fe_electrons_forward"].flags
    for name in ("mobility_fe_electrons_backward", "mobility_fe_electrons", "mobility_fe_holes_backward"):
        assert "JUMP" in found[name].flags and found[name].confidence <= 0.3, name


@pytest.mark.parametrize("shape", ["bad reading", "steep", "noise"])
def test_what_is_no_jump(shape):
    from batchlab.devices.metrics._legs import jumps

    v = np.linspace(-5, 5, 101)
    y = {
        "bad reading": np.where(np.arange(101) == 50, 9.0, 1 + 0.01 * v),
        "steep": np.maximum(v + 0.07, 1e-9),
        "noise": np.abs(np.random.default_rng(1).normal(size=101)),
    }[shape]
    assert not jumps(y, 0.2)
    assert jumps(np.where(v > 1, 1.0, 2.0), 0.2)
