"""Photoresponse, rise and fall, relaxations and drift of traces with a known truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.devices import metrics as m
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._trace import median
from tests.devices.metrics_curves import light_trace, named, read_real, scaled, trace_run


def _share_times(curve, duration):
    s = np.linspace(0, duration, 100_001)
    y = curve(s)
    y = (y - y[0]) / (y[-1] - y[0])
    return s[np.argmax(y >= 0.9)] - s[np.argmax(y >= 0.1)]


def _errors(noise_ratio, count, drift=0.0):
    rng = np.random.default_rng(11)
    found = {name: [] for name in ("delta_current", "delta_i_corrected", "tau_dark", "beta_dark", "t_rise", "t_fall")}
    for seed in range(count):
        change = rng.choice([-1, 1]) * rng.uniform(2e-7, 2e-6)
        tau_on, tau_off, beta = rng.uniform(2, 15), rng.uniform(3, 20), rng.uniform(0.5, 0.9)
        t, y, vl, on, off = light_trace(
            change=change,
            tau_on=tau_on,
            tau_off=tau_off,
            beta=beta,
            noise=abs(change) * noise_ratio,
            drift=drift,
            seed=seed,
        )
        delta = change * (1 - np.exp(-(off - on) / tau_on))
        rise = _share_times(lambda s, tau=tau_on: 1 - np.exp(-s / tau), off - on)
        fall = _share_times(lambda s, tau=tau_off, b=beta: 1 - np.exp(-((s / tau) ** b)), t[-1] - off)
        truth = {
            "delta_current": delta + drift * (off - on),
            "delta_i_corrected": delta,
            "tau_dark": tau_off,
            "beta_dark": beta,
            "t_rise": rise,
            "t_fall": fall,
        }
        metrics = named(m.extract_run(trace_run(t, y, vl)).metrics)
        for name, value in truth.items():
            error = metrics[name].value_float - value
            found[name].append(error if name == "beta_dark" else error / abs(value))
    return {name: np.array(errors) for name, errors in found.items()}


@pytest.mark.parametrize("drift", [0.0, 2e-11])
def test_photoresponse_is_recovered_from_noise_of_real_devices(drift):
    errors = _errors(0.03, 50, drift)
    middle = {name: np.median(np.abs(error)) for name, error in errors.items()}
    assert middle["delta_current"] <= 0.03
    assert middle["delta_i_corrected"] <= 0.03
    assert middle["tau_dark"] <= 0.05  # what the noise itself allows here, see the fit against scipy
    assert middle["beta_dark"] <= 0.03
    assert middle["t_rise"] <= 0.10
    assert middle["t_fall"] <= 0.10
    assert abs(np.median(errors["t_rise"])) <= 0.03  # no bias to either side
    assert abs(np.median(errors["t_fall"])) <= 0.03


def test_relaxations_are_recovered_to_three_percent():
    errors = _errors(0.01, 50)
    assert np.median(np.abs(errors["tau_dark"])) <= 0.03
    assert np.median(np.abs(errors["beta_dark"])) <= 0.03
    assert np.median(np.abs(errors["t_rise"])) <= 0.03


def _stretched(t, offset, amplitude, log_tau, beta):
    return offset + amplitude * np.exp(-((t / np.exp(log_tau)) ** beta))


def test_fits_reach_the_optimum_that_scipy_finds():
    from scipy.optimize import curve_fit

    rng = np.random.default_rng(4)
    t = np.arange(1, 700) * 0.0835
    series, starts = [], []
    for _ in range(25):
        tau, beta, amplitude = (
            rng.uniform(2, 30),
            rng.uniform(0.4, 0.95),
            rng.choice([-1, 1]) * 10 ** rng.uniform(-8, -5),
        )
        series.append(
            (t, 3e-5 + _stretched(t, 0, amplitude, np.log(tau), beta) + abs(amplitude) * 0.03 * rng.normal(size=t.size))
        )
        starts.append((amplitude * 1e6, np.log(tau), beta))
    for (_, y), start, fit in zip(series, starts, m.fit_relaxations(series), strict=True):
        best, covariance = curve_fit(
            _stretched,
            t,
            y * 1e6,
            p0=(30.0, *start),
            bounds=([-np.inf, -np.inf, -10, 0.05], [np.inf, np.inf, 15, 1.0]),
            xtol=1e-12,
            ftol=1e-12,
        )
        scipy_sse = np.sum((y * 1e6 - _stretched(t, *best)) ** 2)
        assert fit.converged
        assert np.sum(((y - fit(t)) * 1e6) ** 2) <= scipy_sse * (1 + 1e-7)
        if best[3] < 0.999:
            error = np.sqrt(np.diag(covariance))
            assert np.log(fit.tau_s) == pytest.approx(best[2], abs=0.02 * error[2])
            assert fit.beta == pytest.approx(best[3], abs=0.02 * error[3])
            assert fit.tau_error_s / fit.tau_s == pytest.approx(error[2], rel=0.02)
            assert fit.beta_error == pytest.approx(error[3], rel=0.02)
            assert fit.amplitude_error * 1e6 == pytest.approx(error[1], rel=0.02)
            assert fit.offset_error * 1e6 == pytest.approx(error[0], rel=0.02)


@given(
    tau=st.floats(1, 30),
    beta=st.floats(0.4, 1.0),
    size=st.floats(-9, -3),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_a_noiseless_relaxation_is_found_exactly(tau, beta, size, sign):
    t = np.arange(1, 400) * 0.15
    y = 1e-5 + sign * 10**size * np.exp(-((t / tau) ** beta))
    (fit,) = m.fit_relaxations([(t, y)])
    assert fit.tau_s == pytest.approx(tau, rel=1e-3)
    assert fit.beta == pytest.approx(beta, abs=1e-3)
    assert fit.amplitude == pytest.approx(sign * 10**size, rel=1e-3)


def test_a_batch_gives_what_each_gives_alone():
    rng = np.random.default_rng(7)
    series = []
    for n in (60, 700, 333):
        t = np.arange(1, n) * 0.1
        series.append((t, np.exp(-((t / 4) ** 0.6)) + 0.02 * rng.normal(size=t.size)))
    together = m.fit_relaxations(series)
    for one, fit in zip(series, together, strict=True):
        (alone,) = m.fit_relaxations([one])
        assert fit.tau_s == pytest.approx(alone.tau_s, rel=1e-6)
        assert fit.beta == pytest.approx(alone.beta, abs=1e-6)
    assert m.fit_relaxations([(np.arange(1.0, 4.0), np.ones(3)), series[1]])[0] is None


def test_runs_that_are_fitted_together_give_what_each_gives_alone():
    def runs():
        for k, period in enumerate((120.0, 120.0, 90.0, 120.0, 30.0, 120.0, 120.0, 90.0, 120.0, 120.0)):
            t, y, vl, *_ = light_trace(noise=2e-8, drift=1e-9 * k, tau_off=5.0 + k, period=period, seed=k)
            yield trace_run(t, y if k != 3 else np.full(t.size, np.nan), vl, run_id=f"{k:016}")

    found = m.extract(runs(), pairs=False, series=False)
    alone = [m.extract_run(run) for run in runs()]
    assert len(found.metrics) > 60
    assert sorted(map(repr, found.metrics)) == sorted(repr(metric) for one in alone for metric in one.metrics)
    key = ("run_id", "metric_name", "extraction_method")
    values = {tuple(getattr(each, name) for name in key): each for one in alone for each in one.metrics}
    for metric in found.metrics:
        same = values[tuple(getattr(metric, name) for name in key)]
        assert (metric.value_float, metric.standard_error) == (same.value_float, same.standard_error)
        assert (metric.value_json, metric.flags) == (same.value_json, same.flags)


def test_evidence_tells_a_stretched_from_a_single_exponential():
    rng = np.random.default_rng(8)
    t = np.arange(1, 700) * 0.0835
    noise = 0.01 * rng.normal(size=t.size)
    single, stretched = m.fit_relaxations([(t, np.exp(-t / 9) + noise), (t, np.exp(-((t / 9) ** 0.6)) + noise)])
    assert -4 < single.aic - single.aic_single <= 2 + 1e-6  # one more parameter costs 2 and never fits worse
    assert single.tau_single_s == pytest.approx(9, rel=0.02)
    assert stretched.aic - stretched.aic_single < -50


def test_a_straight_line_has_no_time_constant():
    t = np.arange(1, 700) * 0.0835
    (fit,) = m.fit_relaxations([(t, 1e-5 + 1e-9 * t)])
    assert fit.bounded
    t, y, vl, *_ = light_trace(change=0.0, drift=1e-9, noise=1e-10)
    skips = {s.extractor: s.reason for s in m.extract_run(trace_run(t, y, vl)).skips}
    assert skips["dark_relaxation"] is m.Reason.QUALITY_FAILURE


@pytest.mark.parametrize("drift", [1e-8, -1e-8])
def test_a_strong_drift_is_taken_away(drift):
    t, y, vl, on, off = light_trace(change=1e-6, drift=drift, noise=5e-9)
    found = named(m.extract_run(trace_run(t, y, vl)).metrics)
    assert found["delta_current"].value_float == pytest.approx(1e-6 + drift * (off - on), rel=0.03)
    assert found["delta_i_corrected"].value_float == pytest.approx(1e-6, rel=0.03)
    assert found["t_rise"].value_float == pytest.approx(np.log(9) * 8.0, rel=0.1)


@pytest.mark.parametrize("drift", [0.0, 2e-8, -2e-8])
def test_a_recorded_response_tells_of_the_drift_in_it(drift):
    t, y, vl, on, off = light_trace(change=1e-7, drift=drift, noise=5e-9)
    found = named(m.extract_run(trace_run(t, y, vl)).metrics)["delta_current"]
    assert abs(found.value_float - 1e-7) <= 2 * found.standard_error
    assert ("DRIFT_IN_RESPONSE" in found.flags) is bool(drift) and "NO_RESPONSE" not in found.flags
    if drift:
        assert found.standard_error == pytest.approx(abs(drift) * (off - on), rel=0.05)
        assert found.value_json["drift_change"] == pytest.approx(drift * (off - on), rel=0.05)
    else:
        assert found.standard_error < 5e-9


def test_times_survive_noise_of_a_third_of_the_change():
    errors = []
    for seed in range(30):
        t, y, vl, *_ = light_trace(change=1e-6, tau_on=6.0, noise=3e-7, seed=seed)
        errors.append(named(m.extract_run(trace_run(t, y, vl)).metrics)["t_rise"].value_float / (np.log(9) * 6.0) - 1)
    assert np.median(np.abs(errors)) <= 0.25
    assert abs(np.median(errors)) <= 0.15


@pytest.mark.parametrize("period", [120.0, 240.0, 480.0, 2000.0])
def test_windows_follow_the_light_and_not_a_habit(period):
    t, y, vl, on, off = light_trace(period=period, tau_on=5, change=1e-6, noise=5e-9, step=period / 1400)
    trace = m.trace_of(trace_run(t, y, vl), 0.1, 5)
    assert [s.lit for s in trace.stretches] == [False, True, False]
    assert trace.stretches[1].start_s == pytest.approx(on, abs=period / 1400)
    assert trace.stretches[1].end_s == pytest.approx(off, abs=period / 1400)
    found = named(m.extract_run(trace_run(t, y, vl)).metrics)
    assert found["delta_i_corrected"].value_float == pytest.approx(1e-6, rel=0.02)


def test_cycles_are_told_one_by_one():
    t = np.arange(0, 400, 0.1)
    vl = np.where((t // 50) % 2 == 1, 2.0, 0.0)
    rng = np.random.default_rng(1)
    y = 1e-5 + 2e-7 * (vl > 0) + 2e-9 * rng.normal(size=t.size)
    found = named(m.extract_run(trace_run(t, y, vl)).metrics)["delta_current"]
    assert found.value_json["cycles"] == 4
    assert found.value_json["deltas"] == pytest.approx([2e-7] * 4, rel=0.03)
    assert found.value_float == pytest.approx(2e-7, rel=0.01)
    assert found.flags == () and found.confidence == 1.0
    uneven = named(m.extract_run(trace_run(t, y + 2e-7 * ((vl > 0) & (t > 300)), vl)).metrics)["delta_current"]
    assert "INCONSISTENT_CYCLES" in uneven.flags


def test_the_usual_one_cycle_is_no_fault():
    t, y, vl, *_ = light_trace(noise=1e-8)
    assert named(m.extract_run(trace_run(t, y, vl)).metrics)["delta_current"].flags == ()


def test_no_response_is_told_and_not_timed():
    t, y, vl, *_ = light_trace(change=0.0, noise=2e-8, seed=3)
    found = m.extract_run(trace_run(t, y, vl))
    delta = named(found.metrics)["delta_current"]
    assert "LOW_SNR" in delta.flags and delta.confidence <= 0.5
    assert {s.extractor: s.reason for s in found.skips}["rise_fall"] is m.Reason.QUALITY_FAILURE


def test_a_response_that_turns_back_is_timed_to_where_it_turned():
    t = np.arange(0, 180, 0.0835)
    lit = (t >= 60) & (t < 120)
    s = np.clip(t - 60, 0, None)
    shape = np.where(lit, (1 - np.exp(-s / 1.0)) * 1e-6 - 2.5e-6 * np.clip((s - 6) / 54, 0, None), 0.0)
    y = 3e-5 + shape + 1e-8 * np.random.default_rng(2).normal(size=t.size)
    rise = named(m.extract_run(trace_run(t, y, np.where(lit, 2.0, 0.0))).metrics)["t_rise"]
    assert "SIGN_SWITCH" in rise.flags
    assert rise.value_json["change"] == pytest.approx(1e-6, rel=0.1)
    assert rise.value_float == pytest.approx(2.2, rel=0.3)


def test_a_response_faster_than_the_sampling_is_clamped():
    t = np.arange(0, 180, 0.0835)
    lit = (t >= 60) & (t < 120)
    y = 3e-5 + 1e-6 * lit + 1e-9 * np.random.default_rng(2).normal(size=t.size)
    found = named(m.extract_run(trace_run(t, y, np.where(lit, 2.0, 0.0))).metrics)
    assert "RISE_ONSET_CLAMPED" in found["t_rise"].flags
    assert found["t_rise"].value_float < 0.0835
    assert "FALL_ONSET_CLAMPED" in found["t_fall"].flags


def test_what_comes_after_the_change_was_reached_is_no_rise():
    s = np.arange(1, 1001) * 0.01
    y = np.minimum(s / 2, 1.0) - 0.4 * ((s > 4) & (s < 8))
    found = m.crossing_time(s, y, 1.0, (0.1, 0.9), 0.0)
    assert (found.low_s, found.high_s) == pytest.approx((0.2, 1.8), abs=1e-6)


def test_a_device_that_stays_changed_has_no_fall():
    t = np.arange(0, 180, 0.0835)
    y = 3e-5 + 1e-6 * (1 - np.exp(-np.clip(t - 60, 0, None) / 5)) + 1e-9 * np.random.default_rng(2).normal(size=t.size)
    found = named(m.extract_run(trace_run(t, y, np.where((t >= 60) & (t < 120), 2.0, 0.0))).metrics)
    assert "t_rise" in found and "t_fall" not in found


def test_three_phases_give_the_time_constant_in_the_light():
    t, y, vl, *_ = light_trace(tau_on=7.0, noise=5e-9)
    y = y + 4e-7 * np.exp(-t / 6)
    found = named(m.extract_run(trace_run(t, y, vl)).metrics)["its_three_phase_relaxation"]
    assert found.value_float == pytest.approx(7.0, rel=0.03)
    assert found.value_json["pre_dark"]["tau_s"] == pytest.approx(6.0, rel=0.05)
    assert set(found.value_json) == {"pre_dark", "light", "post_dark"}
    t, y, vl, *_ = light_trace(period=60.0, noise=5e-9)
    skips = {s.extractor: s for s in m.extract_run(trace_run(t, y, vl)).skips}
    assert skips["three_phases"].reason is m.Reason.PRECONDITION_FAILED
    assert "60 s" in skips["three_phases"].detail
    t, y, vl, *_ = light_trace(noise=5e-9)
    cut = t < 150
    skips = {s.extractor: s for s in m.extract_run(trace_run(t[cut], y[cut], vl[cut])).skips}
    assert skips["three_phases"].reason is m.Reason.PRECONDITION_FAILED


def test_drift_of_a_dark_run_is_its_slope():
    rng = np.random.default_rng(6)
    t = np.arange(0, 600, 0.1)
    y = 1e-5 + 3e-11 * t + 1e-9 * rng.normal(size=t.size)
    dark = replace(trace_run(t, y, np.zeros(t.size)), has_light=False)
    found = m.extract_run(dark)
    drift = named(found.metrics)["linear_drift"]
    assert drift.value_float == pytest.approx(3e-11, rel=0.02)
    assert abs(drift.value_float - 3e-11) < 4 * drift.standard_error
    assert drift.unit == "A/s" and drift.metric_category == "stability"
    reasons = {s.extractor: s.reason for s in found.skips}
    assert reasons["photoresponse"] is m.Reason.PRECONDITION_FAILED


def test_errors_widen_where_noise_wanders():
    rng = np.random.default_rng(9)
    t = np.arange(0, 400, 0.1)
    off = []
    for _ in range(60):
        wander = np.zeros(t.size)
        steps = rng.normal(size=t.size)
        for k in range(1, t.size):
            wander[k] = 0.95 * wander[k - 1] + steps[k]
        dark = replace(trace_run(t, 1e-5 + 1e-9 * wander, np.zeros(t.size)), has_light=False)
        drift = named(m.extract_run(dark).metrics)["linear_drift"]
        off.append(drift.value_float / drift.standard_error)
    assert 0.6 < np.std(off) < 1.6


@pytest.mark.parametrize("share", [0.03, -0.03, 0.15, -0.15])
def test_relaxations_are_free_of_the_drift_of_the_dark_before(share):
    # The drift within a minute, as a share of the response.
    tau, beta = [], []
    for seed in range(9):
        drift = share * 1e-6 / 60
        t, y, vl, *_ = light_trace(change=1e-6, tau_off=12.0, beta=0.7, drift=drift, noise=1.5e-9, seed=seed)
        found = named(m.extract_run(trace_run(t, y, vl)).metrics)
        tau.append(found["tau_dark"])
        beta.append(found["beta_dark"])
        assert found["tau_dark"].value_json["drift_taken"] == pytest.approx(share * 1e-6, rel=0.1)
        assert found["its_three_phase_relaxation"].value_float == pytest.approx(8.0, rel=0.02)
    assert np.median([x.value_float for x in tau]) == pytest.approx(12.0, rel=0.02)
    assert np.median([x.value_float for x in beta]) == pytest.approx(0.7, abs=0.01)
    assert np.median([abs(x.value_float - 12.0) / x.standard_error for x in tau]) <= 1.2
    assert not any("DRIFT_IN_WINDOW" in x.flags for x in tau)


def test_a_drift_that_is_not_well_known_stays_in_the_relaxation_and_widens_its_error():
    t, y, vl, *_ = light_trace(change=1e-7, tau_off=12.0, noise=5e-10)
    still = named(m.extract_run(trace_run(t, y, vl)).metrics)["tau_dark"]
    # A drift that bends: its halves differ, so that nobody knows how it goes on. Here it ends with the dark.
    bent = y + 8e-8 * (np.minimum(t, 60.0) / 60) ** 2
    found = named(m.extract_run(trace_run(t, bent, vl)).metrics)["tau_dark"]
    assert "DRIFT_IN_WINDOW" in found.flags and found.value_json["drift_taken"] == 0.0
    assert found.standard_error > 3 * still.standard_error
    assert abs(found.value_float - 12.0) < 3 * found.standard_error


def test_a_response_that_is_the_foretold_drift_says_so():
    change = 6e-8
    t, y, vl, *_ = light_trace(change=change, noise=3e-10)
    y = y - 2e-7 * np.log(t + 5)  # settles ever slower, as traps do: no line foretells it
    run = trace_run(t, y, vl)
    power = m.IrradiatedPower(power_w=1e-5, calibration_run_id="c", optical_fiber="F", age_h=1, age=m.Age.PERFECT)
    found = named(m.extract_run(run, m.ExtractionContext(power=power)).metrics)
    delta = found["delta_i_corrected"]
    assert abs(delta.value_json["drift_change"]) > abs(delta.value_json["raw"])
    assert "DRIFT_DOMINATES" in delta.flags and delta.confidence <= 0.5
    assert abs(delta.value_float - change) < 3 * delta.standard_error
    for name in ("responsivity", "external_quantum_efficiency"):
        assert "DRIFT_DOMINATES" in found[name].flags and found[name].confidence <= 0.5


def test_every_pulse_is_freed_of_the_drift():
    t = np.arange(0, 300, 0.085)
    first, second = (t >= 60) & (t < 120), (t >= 180) & (t < 240)
    noise = 3e-10 * np.random.default_rng(2).normal(size=t.size)
    y = 5e-6 + 1e-7 * first + 3e-7 * second + 2e-10 * t + noise
    delta = named(m.extract_run(trace_run(t, y, 3.0 * (first | second))).metrics)["delta_i_corrected"]
    assert delta.value_float == pytest.approx(2e-7, rel=0.01)
    assert delta.value_json["deltas"] == pytest.approx([1e-7, 3e-7], rel=0.02)
    assert "INCONSISTENT_CYCLES" in delta.flags
    even = 5e-6 + 2e-7 * (first | second) + 2e-10 * t + noise
    same = named(m.extract_run(trace_run(t, even, 3.0 * (first | second))).metrics)["delta_i_corrected"]
    assert same.flags == () and same.value_float == pytest.approx(2e-7, rel=0.01)


def _pink(rng, n):
    spectrum = np.fft.rfft(rng.normal(size=3 * n))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, 3 * n)[n : 2 * n]
    return noise / noise.std()


@pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
def test_errors_widen_under_1_f_noise_and_not_under_white(share):
    rng = np.random.default_rng(12)
    t = np.arange(0, 200, 0.1)
    off = []
    for _ in range(60):
        noise = rng.normal(size=t.size) + share * _pink(rng, t.size)
        dark = replace(trace_run(t, 1e-5 + 1e-9 * noise, np.zeros(t.size)), has_light=False)
        drift = named(m.extract_run(dark).metrics)["linear_drift"]
        off.append(abs(drift.value_float) / drift.standard_error)
    assert 0.4 <= np.median(off) <= 1.3


def test_a_gap_in_the_record_widens_the_error_of_a_rise_and_is_told():
    t, y, vl, on, off = light_trace(change=2e-7, tau_on=5.0, noise=1e-9)
    truth = _share_times(lambda s: 1 - np.exp(-s / 5.0), off - on)
    whole = named(m.extract_run(trace_run(t, y, vl)).metrics)["t_rise"]
    assert "GAP_AT_CROSSING" not in whole.flags and whole.value_float == pytest.approx(truth, rel=0.1)
    kept = (t < on + 5) | (t > on + 20)  # nine tenths are reached within the gap
    gap = named(m.extract_run(trace_run(t[kept], y[kept], vl[kept])).metrics)["t_rise"]
    assert "GAP_AT_CROSSING" in gap.flags and gap.confidence <= 0.5
    assert gap.standard_error == pytest.approx(15 / np.sqrt(12), rel=0.1)
    assert abs(gap.value_float - truth) < 2 * gap.standard_error
    assert gap.value_json["gap_s"] == pytest.approx(15, abs=0.2)


def test_two_runs_in_one_file_are_no_trace_and_rows_out_of_order_are_one():
    t, y, vl, *_ = light_trace(noise=1e-8)
    other = light_trace(change=2e-6, seed=1, noise=1e-8)
    both = [np.r_[a, b] for a, b in zip((t, y, vl), other[:3], strict=True)]
    skips = m.extract_run(trace_run(*both)).skips
    reasons = {s.extractor: s for s in skips}
    for name in ("photoresponse", "corrected_response", "dark_relaxation", "rise_fall", "drift", "three_phases"):
        assert reasons[name].reason is m.Reason.DATA_QUALITY and "two runs in one file" in reasons[name].detail
    plain = [x.value_float for x in m.extract_run(trace_run(t, y, vl)).metrics]
    half = np.r_[t.size // 2 : t.size, 0 : t.size // 2]
    one_late = np.r_[np.delete(np.arange(t.size), 300), 300]
    for order in (half, one_late, np.arange(t.size)[::-1]):
        turned = m.extract_run(trace_run(t[order], y[order], vl[order])).metrics
        assert [x.value_float for x in turned] == plain


def test_vt_speaks_of_volts():
    t, y, vl, *_ = light_trace(change=0.02, base=0.4, noise=2e-4)
    found = named(m.extract_run(trace_run(t, y, vl, procedure="Vt", column="VDS (V)")).metrics)
    assert found["delta_voltage"].value_float == pytest.approx(0.02, rel=0.03)
    assert found["delta_voltage"].unit == "V"
    assert found["delta_v_corrected"].value_float == pytest.approx(0.02, rel=0.05)


def test_missing_columns_are_named():
    t, y, vl, *_ = light_trace()
    run = trace_run(t, y, vl)
    without = replace(run, columns={"t (s)": t, "I (A)": y})
    details = {s.detail for s in m.extract_run(without).skips if s.reason is m.Reason.MISSING_COLUMN}
    assert details == {"VL (V), of a run with light"}
    assert all(
        "I (A)" in s.detail
        for s in m.extract_run(replace(run, columns={"t (s)": t})).skips
        if "MISSING_COL" in s.reason
    )


def test_rows_in_any_order_and_bad_cells_change_nothing():
    t, y, vl, *_ = light_trace(noise=1e-8)
    order = np.random.default_rng(0).permutation(t.size)
    bad = np.r_[y, np.nan]
    plain = m.extract_run(trace_run(t, y, vl)).metrics
    other = m.extract_run(
        trace_run(np.r_[t, 50.0][np.r_[order, -1]], bad[np.r_[order, -1]], np.r_[vl, 0.0][np.r_[order, -1]])
    ).metrics
    assert [(x.metric_name, x.value_float) for x in plain] == [(x.metric_name, x.value_float) for x in other]


POWERS = {"A": 1.0, "A/s": 1.0, "A/W": 1.0, "A/Hz^0.5": 1.0}


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_every_trace_metric_scales_with_its_unit(factor):
    t, y, vl, *_ = light_trace(change=1e-5, noise=1e-7, drift=1e-10)
    y = y + 4e-6 * np.exp(-t / 6)
    run = trace_run(t, y, vl)
    power = m.IrradiatedPower(power_w=1e-5, calibration_run_id="c", optical_fiber="F", age_h=1, age=m.Age.PERFECT)
    context = m.ExtractionContext(power=power)
    plain, large = m.extract_run(run, context).metrics, m.extract_run(scaled(run, "I (A)", factor), context).metrics
    assert {x.metric_name for x in plain} >= {
        "delta_current", "delta_i_corrected", "tau_dark", "beta_dark", "t_rise", "t_fall", "linear_drift",
        "its_three_phase_relaxation", "responsivity", "external_quantum_efficiency", "irradiated_power",
    }  # fmt: skip
    for one, two in zip(plain, large, strict=True):
        assert one.metric_name == two.metric_name
        times = factor if one.metric_name == "external_quantum_efficiency" else factor ** POWERS.get(one.unit, 0.0)
        assert two.value_float == pytest.approx(one.value_float * times, rel=1e-5), one.metric_name


def test_a_changed_limit_changes_the_verdict(monkeypatch):
    t, y, vl, *_ = light_trace(noise=1e-8)
    run = trace_run(t, y, vl)
    extractor = next(e for e in m.extractors() if e.name == "photoresponse")
    metric = named(m.extract_run(run).metrics)["delta_current"]
    assert extractor.validate(metric)
    monkeypatch.setattr(_constants, "MAX_REASONABLE_DELTA_CURRENT_A", 1e-9)
    assert not extractor.validate(metric)
    again = named(m.extract_run(run).metrics)["delta_current"]
    assert {"UNREASONABLE_DELTA", "INVALID"} <= set(again.flags)
    monkeypatch.setattr(_constants, "MIN_R_SQUARED_FIT", 1.1)
    assert "tau_dark" not in named(m.extract_run(run).metrics)


def test_real_traces_give_sensible_values(shared_devices):
    paths = sorted(shared_devices.rglob("It*.csv"))
    runs = [run for path in paths if (run := read_real(path)) is not None]
    metrics = [metric for run in runs for metric in m.extract_run(run).metrics]
    responses = [x.value_float for x in metrics if x.metric_name == "delta_i_corrected"]
    assert len(responses) > 80
    assert max(np.abs(responses)) < 5e-6
    assert all(0 < x.value_float < 61 for x in metrics if x.metric_name in ("t_rise", "t_fall"))
    assert all(0 < x.value_float <= 1 for x in metrics if x.metric_name == "beta_dark")
    clear = [x for x in metrics if x.metric_name == "tau_dark" and x.confidence >= 0.7]
    assert len(clear) >= 3 and all(1 < x.value_float < 60 for x in clear)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 101, 500])
def test_the_quick_median_is_that_of_numpy(size):
    values = np.random.default_rng(size).normal(size=size).round(1)
    assert median(values) == np.median(values)
    values[size // 2] = np.nan
    assert np.isnan(median(values))
