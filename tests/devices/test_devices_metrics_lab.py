"""Metrics of the synthetic laboratory's files against what is true of them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from batchlab.devices import metrics as m
from batchlab.devices._read import read_run
from batchlab.devices._synthetic import write_lab

# Metric and method, the truth's name, and whether the error is relative; then the most that its median may be.
PROMISES = {
    ("cnp_forward", "robust"): ("dirac_forward_v", False, 1e-3),
    ("cnp_backward", "robust"): ("dirac_backward_v", False, 1e-3),
    ("cnp_forward", "parabola"): ("dirac_forward_v", False, 3e-3),
    ("delta_i_corrected", "dark-drift"): ("delta", True, 0.03),
    ("delta_v_corrected", "dark-drift"): ("delta", True, 0.03),
    ("delta_current", "edge-levels"): ("delta", True, 0.03),
    ("t_rise", "time-below"): ("rise_s", True, 0.10),
    ("t_fall", "time-below"): ("fall_s", True, 0.10),
    ("tau_dark", "stretched-exponential"): ("tau_s", True, 0.03),
    ("beta_dark", "stretched-exponential"): ("beta", False, 0.03),
    ("its_three_phase_relaxation", "stretched-exponential"): ("tau_light_s", True, 0.03),
    ("irradiated_power", "calibration"): ("power_w", True, 0.01),
    ("mobility_fe_holes", "savgol"): ("mobility_holes_cm2", True, 0.02),
    ("mobility_fe_electrons", "savgol"): ("mobility_electrons_cm2", True, 0.02),
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Errors and errors over standard errors by metric and method, over all runs."""
    lab = write_lab(tmp_path_factory.mktemp("metrics_lab"), chips=3, runs=36, seed=4, documented=False)
    runs, truths = [], {}
    for truth in lab.truths:
        run = read_run(lab.raw_root / truth.file)
        runs.append(run)
        truths[run.run_id] = truth
    geometries = {
        chip: m.Geometry(
            layers=(m.Dielectric.of("hBN", device.top_nm), m.Dielectric.of("biotite", device.bottom_nm)),
            length_over_width=(device.length_over_width, device.length_over_width),
        )
        for chip, device in lab.devices.items()
    }
    found = m.extract(runs, geometries=geometries)
    errors, sigmas = defaultdict(list), defaultdict(list)
    for metric in found.metrics:
        key = (metric.metric_name, metric.extraction_method)
        truth = truths[metric.run_id]
        if key in PROMISES and PROMISES[key][0] in truth.values:
            name, relative, _ = PROMISES[key]
            error = metric.value_float - truth[name]
            errors[key].append(error / truth[name] if relative else error)
            if metric.standard_error:
                sigmas[key].append(abs(error) / metric.standard_error)
    return lab, found, errors, sigmas


@pytest.mark.parametrize("key", PROMISES, ids="-".join)
def test_the_truth_is_found(judged, key):
    _, _, errors, _ = judged
    assert len(errors[key]) >= 4
    assert np.median(np.abs(errors[key])) <= PROMISES[key][2]


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("delta_current", 1.2), ("delta_i_corrected", 1.2), ("delta_v_corrected", 1.2),
        ("tau_dark", 1.2), ("beta_dark", 1.2),
        ("its_three_phase_relaxation", 1.2), ("t_rise", 1.2), ("t_fall", 1.2),
        # Three chips: what the form of their valleys leaves open is the same in all sweeps of one.
        ("cnp_backward", 1.5),
    ],
)  # fmt: skip
def test_errors_are_of_the_size_they_are_told_to_be(judged, name, most):
    _, _, _, sigmas = judged
    ((key, found),) = [(key, found) for key, found in sigmas.items() if key[0] == name]
    assert key in PROMISES and 0.3 <= np.median(found) <= most  # of Gaussian errors it is 0.67


def test_every_lit_trace_and_every_sweep_has_its_metrics(judged):
    lab, found, _, _ = judged
    names = defaultdict(int)
    for metric in found.metrics:
        names[metric.metric_name, metric.extraction_method] += 1
    lit = sum("tau_s" in truth.values for truth in lab.truths)
    sweeps = sum("dirac_forward_v" in truth.values for truth in lab.truths)
    assert names["tau_dark", "stretched-exponential"] == lit
    assert names["cnp_voltage", "robust"] == sweeps


def test_exponents_of_power_are_the_chips_own(judged):
    lab, found, _, _ = judged
    laws = [metric for metric in found.metrics if metric.metric_name == "power_law_exponent"]
    assert len(laws) >= 2
    for law in laws:
        truth = lab.devices[law.chip].power_exponent
        assert law.value_float == pytest.approx(truth, abs=max(0.05, 4 * law.standard_error))


def test_dead_runs_give_no_dirac_point(judged):
    lab, found, _, _ = judged
    dead = [truth for truth in lab.truths if truth.dead]
    skipped = [s for s in found.skips if s.extractor == "dirac_point" and s.reason is m.Reason.DEAD_SAMPLE]
    assert len(skipped) == len(dead) >= 1


def test_contacts_are_about_those_of_the_chips(judged):
    lab, found, _, _ = judged
    rows = [each for each in found.metrics if each.metric_name.startswith("contact_resistance")]
    off = [each.value_float / (2 * lab.devices[each.chip].contact_ohm) - 1 for each in rows]
    # The mobility of these chips changes along the gate, by up to a tenth: the method takes that for contacts.
    assert len(off) >= 20 and np.median(np.abs(off)) < 0.12


def test_the_noise_of_dark_currents_is_about_white_as_it_was_made(judged):
    _, found, _, _ = judged
    rows = [each for each in found.metrics if each.metric_name == "noise_exponent" and each.unit == "1"]
    assert len(rows) >= 10
    # A little above 0: the devices relax in the dark, and a line does not take all of that away.
    assert -0.1 < np.median([each.value_float for each in rows]) < 0.3
