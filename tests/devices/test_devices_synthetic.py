from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import curve_fit

from batchlab.devices._model import Chip
from batchlab.devices._read import discover, read_many, read_run
from batchlab.devices._synthetic import laser_power_w, write_lab
from batchlab.devices._synthetic._device import Response

ALISSON_67 = Chip("Alisson", 67)


@pytest.fixture(scope="module")
def fine(tmp_path_factory):
    """Two chips at full resolution."""
    return write_lab(tmp_path_factory.mktemp("fine"), chips=2, runs=26, documented=False)


def legs(run):
    """Down and up part of the main loop."""
    v_gs = run.columns["Vg (V)"]
    low, high = np.flatnonzero(v_gs == v_gs.min())[0], int(v_gs.argmax())
    return slice(low, high + 1), slice(high, 2 * high - low + 1)


def vertex(x, y):
    """Of a polynomial that may lean: the least current need not lie in the middle."""
    middle = x[y.argmin()]
    near = np.abs(x - middle) <= 0.4
    slope = np.polyder(np.polyfit(x[near] - middle, y[near], 6))
    roots = np.roots(slope)
    return middle + roots[np.abs(roots).argmin()].real


def test_all_files_read_and_agree_with_the_truth(lab):
    many = read_many(discover(lab.raw_root))
    assert not many.rejects and len(many.records) == len(lab.truths) == 154
    truths = {truth.file: truth for truth in lab.truths}
    for record in many.records:
        truth = truths[record.path.relative_to(lab.raw_root).as_posix()]
        assert (record.procedure, record.chip, record.rows) == (truth.procedure, truth.chip, truth.rows)
        assert abs((record.start_utc - truth.start_utc).total_seconds()) < 1e-5
        assert record.flags == ((truth.dead,) if truth.dead else ())
        if truth.chip:
            assert record.has_light is (truth.laser_voltage_v > 0)
            assert record.settings["wavelength_nm"] == truth.wavelength_nm
        assert not record.notes


def test_seq_follows_the_start_and_alisson_67_has_its_runs_where_examples_look(lab):
    runs = sorted(lab.of(chip=ALISSON_67), key=lambda truth: truth.start_utc)
    assert [truth.seq for truth in runs] == list(range(1, 115))
    procedure = {truth.seq: truth.procedure for truth in runs}
    in_light = {*range(4, 8), *range(52, 59), 65, 85, 87, *range(89, 93), 95, *range(100, 106)}
    assert all(procedure[seq] == "It" for seq in in_light) and procedure[2] == "IVg"
    by_seq = {truth.seq: truth for truth in runs}
    assert {by_seq[seq].wavelength_nm for seq in range(4, 8)} == {405.0}
    assert all(by_seq[seq]["vg_v"] < 0 for seq in range(4, 8))
    assert by_seq[85].wavelength_nm == by_seq[87].wavelength_nm == 365.0
    assert {truth.procedure for truth in runs} == {"IVg", "VVg", "IV", "It", "It2", "ITt", "Vt"}


def test_files_are_as_the_instrument_writes_them(lab):
    truth = lab.of("IVg", ALISSON_67)[0]
    raw = (lab.raw_root / truth.file).read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") and raw.endswith(b",nan,nan,nan\r\n")
    assert b"\r\n-0.15000000000000002," in raw and b"\r\n-0.30000000000000004," in raw
    v_gs = read_run(lab.raw_root / truth.file).columns["Vg (V)"]
    assert v_gs.size == 601 and (v_gs[0], v_gs.min(), v_gs.max(), v_gs[-1]) == (0.0, -5.0, 5.0, 0.0)


def test_escaped_text_comes_back(lab):
    texts = {read_run(lab.raw_root / truth.file).settings["information"] for truth in lab.truths[:80]}
    assert "25 °C" in texts and None in texts


def test_default_size_is_that_of_the_benchmarks():
    from batchlab.devices._synthetic._lab import _steps

    lengths = {chip: len(steps) for chip, steps in _steps(10, 60, True).items()}
    assert sum(lengths.values()) == 600 and lengths[ALISSON_67] == 114
    assert Chip("Alisson", 71) in lengths and Chip("other", 71) in lengths


def test_a_seed_gives_the_same_bytes_and_chips_do_not_depend_on_each_other(tmp_path):
    kwargs = {"runs": 7, "documented": False, "interval_s": 2.0, "step_v": 0.5}
    one, two = (write_lab(tmp_path / name, chips=2, **kwargs) for name in ("a", "b"))
    files = [truth.file for truth in one.truths]
    assert [(one.raw_root / file).read_bytes() for file in files] == [
        (two.raw_root / file).read_bytes() for file in files
    ]
    more = write_lab(tmp_path / "c", chips=4, **kwargs)
    assert [t.values for t in one.of(chip=ALISSON_67)] == [t.values for t in more.of(chip=ALISSON_67)]
    other = write_lab(tmp_path / "d", chips=2, seed=1, **kwargs)
    assert other.devices[ALISSON_67] != one.devices[ALISSON_67]


def test_the_dirac_points_are_where_the_truth_says(fine):
    errors = []
    for truth in fine.of("IVg"):
        run = read_run(fine.raw_root / truth.file)
        for leg, name in zip(legs(run), ("dirac_forward_v", "dirac_backward_v"), strict=True):
            errors.append(vertex(run.columns["Vg (V)"][leg], run.columns["I (A)"][leg]) - truth[name])
    for truth in fine.of("VVg"):
        run = read_run(fine.raw_root / truth.file)
        leg = legs(run)[0]
        errors.append(vertex(run.columns["Vg (V)"][leg], -run.columns["VDS (V)"][leg]) - truth["dirac_forward_v"])
    assert len(errors) > 30 and np.median(np.abs(errors)) < 1e-3


def test_the_dark_after_light_decays_as_the_truth_says(fine):
    taus, betas, deltas = [], [], []
    for truth in fine.of("It"):
        if not truth.laser_voltage_v:
            continue
        run = read_run(fine.raw_root / truth.file)
        t, i = run.columns["t (s)"], run.columns["I (A)"] * 1e6
        after = t > 120.0

        def decay(t, level, size, tau, beta):
            return level + size * np.exp(-((t / tau) ** beta))

        start = (i[-1], i[after][0] - i[-1], 5.0, 0.7)
        limits = ((-np.inf, -np.inf, 0.1, 0.1), (np.inf, np.inf, 100.0, 1.0))
        found, _ = curve_fit(decay, t[after] - 120.0, i[after], start, bounds=limits)
        taus.append(found[2] / truth["tau_s"] - 1.0)
        betas.append(found[3] - truth["beta"])
        deltas.append((i[t < 120.0][-5:].mean() - i[t < 60.0][-5:].mean()) * 1e-6 / truth["delta"] - 1.0)
    assert len(taus) >= 12
    assert np.median(np.abs(taus)) < 0.03 and np.median(np.abs(betas)) < 0.03
    assert np.median(np.abs(deltas)) < 0.03


def test_rise_and_fall_are_the_crossings_of_the_ideal_answer():
    response = Response(
        on_s=60.0,
        off_s=120.0,
        end_s=180.0,
        final=-2e-6,
        recovered=0.8,
        tau_light_s=5.0,
        beta_light=0.7,
        tau_s=8.0,
        beta=0.6,
        settling=0.0,
        tau_pre_s=5.0,
        beta_pre=0.7,
        drift_per_s=0.0,
    )
    t = np.linspace(0.0, 180.0, 1_800_001)
    current = response.at(t)
    assert np.ptp(current[t <= 60.0]) == 0.0
    assert current[t == 120.0] == pytest.approx(response.delta)

    def crossing(begin, end):
        part = (t >= begin) & (t <= end)
        way = (current[part] - current[part][0]) / (current[part][-1] - current[part][0])
        return t[part][np.searchsorted(way, 0.9)] - t[part][np.searchsorted(way, 0.1)]

    assert crossing(60.0, 120.0) == pytest.approx(response.rise_s, abs=1e-3)
    assert crossing(120.0, 180.0) == pytest.approx(response.fall_s, abs=1e-3)


def test_the_current_is_least_at_the_dirac_point_and_as_steep_as_the_mobility_says(fine):
    for device in fine.devices.values():
        x = np.linspace(-4.0, 4.0, 80_001)
        assert abs(x[device.resistance(x).argmax()]) < 1e-3
        holes, electrons = device.field_effect_mobility(-5.0, 5.0, 0.0)
        # The contacts take their part.
        assert 0.3 * device.mobility_cm2 < min(holes, electrons) and max(holes, electrons) < 1.1 * device.mobility_cm2
        slope = np.gradient(0.1 / device.resistance(x), x)
        expected = slope.max() * device.length_over_width / (device.capacitance_f_per_m2 * 0.1) * 1e4
        assert electrons == pytest.approx(expected, rel=1e-3)


def test_in_the_dark_a_current_drifts_as_the_truth_says(lab):
    dark = [truth for truth in lab.of("It") if not truth.laser_voltage_v]
    assert len(dark) >= 4
    for truth in dark:
        run = read_run(lab.raw_root / truth.file)
        slope, level = np.polyfit(run.columns["t (s)"], run.columns["I (A)"], 1)
        assert slope == pytest.approx(truth["drift_per_s"], abs=1e-6 * level) and level == pytest.approx(
            truth["level"], rel=1e-3
        )
        assert "tau_s" not in truth.values


def test_a_calibration_gives_the_power_of_the_light(fine):
    (truth,) = [truth for truth in fine.of("LaserCalibration") if truth.wavelength_nm == 365.0]
    run = read_run(fine.raw_root / truth.file)
    expected = laser_power_w(365.0, run.columns["VL (V)"])
    np.testing.assert_allclose(run.columns["Power (W)"], expected, rtol=0.02, atol=1.1e-8)
    lit = next(truth for truth in fine.of("It") if truth.wavelength_nm == 365.0)
    assert lit["power_w"] == pytest.approx(float(laser_power_w(365.0, lit.laser_voltage_v)))


def test_every_broken_file_is_told_by_its_fault(tmp_path):
    lab = write_lab(tmp_path, chips=1, runs=3, documented=False, interval_s=5.0, broken=True)
    many = read_many(discover(lab.raw_root))
    told = {reject.path.relative_to(lab.raw_root).as_posix(): [reject.reason] for reject in many.rejects}
    told |= {
        record.path.relative_to(lab.raw_root).as_posix(): [note.kind for note in record.notes]
        for record in many.records
        if record.path.parent.name == "broken"
    }
    assert told == {file: [fault] for file, fault in lab.broken.items()}


def test_the_truth_lies_beside_the_files_as_json(lab):
    told = json.loads((lab.folder / "truth.json").read_text(encoding="utf-8"))
    assert [row["file"] for row in told["runs"]] == [truth.file for truth in lab.truths]
    assert set(told["devices"]) == {chip.name for chip in lab.devices}
