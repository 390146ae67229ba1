"""Which sweeps make a pair, and what their differences are."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from batchlab.devices import metrics as m
from batchlab.devices._model import Chip
from batchlab.devices.metrics import _constants
from tests.devices.metrics_curves import gate_loop, light_trace, named, read_real, sweep_run, trace_run, transfer

V = gate_loop()
CURVE = transfer(V, 0.2, 0.5)


def two(first, second, v_first=V, v_second=V, **settings):
    return [
        sweep_run(v_first, first, run_id="1" * 16, **settings),
        sweep_run(v_second, second, run_id="2" * 16, minutes=10, **settings),
    ]


def metrics_of(runs, **options):
    found, _ = m.extract_pairs(runs, **options)
    return named(found)


def test_a_sweep_less_itself_is_nothing():
    found = metrics_of(two(CURVE, CURVE))
    assert {name: x.value_float for name, x in found.items()} == dict.fromkeys(found, 0.0)
    assert set(found) == {
        "consecutive_sweep_difference",
        "sweep_difference_mean",
        "sweep_difference_std",
        "sweep_resistance_difference",
        "delta_cnp",
    }
    assert "NO_CHANGE" in found["delta_cnp"].flags


def test_a_shifted_sweep_less_the_plain_one_is_the_shift():
    found = metrics_of(two(CURVE, CURVE + 3e-7))
    assert found["consecutive_sweep_difference"].value_float == pytest.approx(3e-7)
    assert found["sweep_difference_mean"].value_float == pytest.approx(3e-7)
    assert found["sweep_difference_std"].value_float == pytest.approx(0, abs=1e-18)
    moved = metrics_of(two(CURVE, transfer(V, 0.35, 0.65)))
    assert moved["delta_cnp"].value_float == pytest.approx(0.15, abs=1e-4)
    assert moved["consecutive_sweep_difference"].run_id == "2" * 16


def test_real_loops_are_compared_over_their_whole_range():
    first, second = two(CURVE, CURVE * 1.1)
    legs = metrics_of([first, second])["consecutive_sweep_difference"].value_json["legs"]
    assert set(legs) == {"forward", "backward"}
    for full in m.sweep_of(first, 0.95).full:
        leg = legs[full.name]
        assert leg["vg"][0] == pytest.approx(-5, abs=0.06) and leg["vg"][-1] == pytest.approx(5, abs=0.06)
        np.testing.assert_allclose(leg["delta"], 0.1 * full.y, rtol=1e-9)
        np.testing.assert_allclose(leg["delta_resistance"], 0.1 / full.y * (1 / 1.1 - 1), rtol=1e-9)
        assert len(leg["vg"]) == 200


def test_reversed_and_coarser_sweeps_give_the_same_difference():
    coarse = gate_loop(step=0.1)
    fine = metrics_of(two(CURVE, transfer(V, 0.3, 0.6)))
    mixed = metrics_of(two(CURVE, transfer(coarse, 0.3, 0.6), v_second=coarse))
    top = fine["consecutive_sweep_difference"].value_float
    assert mixed["consecutive_sweep_difference"].value_float == pytest.approx(top, rel=0.02)
    # Time turned round: the same ways are compared, whatever came first.
    turned = metrics_of(two(CURVE[::-1].copy(), transfer(V, 0.3, 0.6)[::-1].copy(), V[::-1].copy(), V[::-1].copy()))
    assert turned["consecutive_sweep_difference"].value_float == pytest.approx(top, rel=1e-6)


def test_only_common_gate_voltages_count():
    narrow = np.r_[np.linspace(-1, 3, 81), np.linspace(3, -1, 81)[1:]]
    found = metrics_of(two(transfer(narrow, 0.2, 0.5), CURVE, v_first=narrow))
    vg = found["consecutive_sweep_difference"].value_json["legs"]["forward"]["vg"]
    assert min(vg) == pytest.approx(-1) and max(vg) == pytest.approx(3)
    far = np.r_[np.linspace(4.5, 9, 91), np.linspace(9, 4.5, 91)[1:]]
    rows, skips = m.extract_pairs(two(transfer(far, 6, 6), CURVE, v_first=far))
    assert not rows and skips[0].reason is m.Reason.PRECONDITION_FAILED and "1 V" in skips[0].detail


def test_resistance_difference_at_fixed_voltage_and_at_fixed_current():
    found = metrics_of(two(np.full(V.size, 1e-5) + 1e-9 * V**2, np.full(V.size, 2e-5) + 1e-9 * V**2))
    assert found["sweep_resistance_difference"].value_float == pytest.approx(0.1 / 1e-5 - 0.1 / 2e-5, rel=1e-3)
    volts = 0.01 / (1 + V**2)
    runs = [
        sweep_run(V, y, run_id=i * 16, minutes=k, procedure="VVg", column="VDS (V)", vds_v=None, ids_a=1e-6)
        for k, (i, y) in enumerate([("1", volts), ("2", volts + 1e-3)])
    ]
    found = metrics_of(runs)
    assert found["consecutive_sweep_difference"].unit == "V"
    assert found["sweep_resistance_difference"].value_float == pytest.approx(1000.0)


def test_differences_scale_with_current():
    plain = metrics_of(two(CURVE, transfer(V, 0.3, 0.6, noise=1e-3)))
    large = metrics_of(two(CURVE * 1e6, transfer(V, 0.3, 0.6, noise=1e-3) * 1e6))
    for name, one in plain.items():
        factor = {"A": 1e6, "ohm": 1e-6}.get(one.unit, 1.0)
        assert large[name].value_float == pytest.approx(one.value_float * factor, rel=1e-7)


def history():
    runs = [sweep_run(V, CURVE, run_id=f"{k:016x}", minutes=10 * k) for k in range(6)]
    runs[2] = replace(runs[2], settings={**runs[2].settings, "vds_v": 0.2})
    runs[4] = replace(runs[4], has_light=True, settings={**runs[4].settings, "wavelength_nm": 455.0})
    return runs


def ids(pairs):
    return [(int(p.earlier.run_id, 16), int(p.later.run_id, 16)) for p in pairs]


def test_pairs_are_neighbours_measured_alike():
    pairs, skips = m.find_pairs(history())
    assert ids(pairs) == [(0, 1)]
    assert [int(s.run_id, 16) for s in skips] == [2, 3, 4, 5]
    assert "vds_v" in skips[0].detail and "light" in skips[2].detail
    pairs, _ = m.find_pairs(history(), m.PairingRules(skip_over=True))
    assert ids(pairs) == [(0, 1), (1, 3), (3, 5)]
    pairs, skips = m.find_pairs(history(), m.PairingRules(same=()))
    assert len(pairs) == 5 and not skips


def test_order_of_runs_does_not_matter():
    runs = history()
    shuffled = [runs[k] for k in (3, 0, 5, 1, 4, 2)]
    rules = m.PairingRules(same=("light",))
    assert ids(m.find_pairs(runs, rules)[0]) == ids(m.find_pairs(shuffled, rules)[0])


def test_chips_of_one_number_in_two_groups_are_two():
    one, other = two(CURVE, CURVE)
    pairs, skips = m.find_pairs([one, replace(other, chip=Chip("other", 67))])
    assert not pairs and not skips


def test_light_between_two_sweeps_is_told():
    first, last = two(CURVE, CURVE)
    t, y, vl, on, off = light_trace()
    lit = trace_run(t, y, vl, minutes=5)
    found = metrics_of([first, lit, last], power_w={lit.run_id: 2e-6})["consecutive_sweep_difference"].value_json
    assert found["runs_between"] == 1
    assert found["light_between_s"] == pytest.approx(off - on, abs=0.2)
    assert found["light_dose_between_j"] == pytest.approx(2e-6 * (off - on), rel=0.01)
    unknown = metrics_of([first, lit, last])["consecutive_sweep_difference"].value_json
    assert unknown["light_dose_between_j"] is None


def test_progress_is_told_every_ten_pairs_and_at_the_end(caplog):
    runs = [sweep_run(V, CURVE, run_id=f"{k:016x}", minutes=k) for k in range(24)]
    ticks = iter([10.0, 12.5])
    with caplog.at_level(logging.INFO, logger="batchlab.devices.metrics"):
        found, _ = m.extract_pairs(runs, clock=lambda: next(ticks))
    assert [r.getMessage() for r in caplog.records] == [
        "Pairwise extraction progress: 10/23 pairs (50 metrics extracted so far)",
        "Pairwise extraction progress: 20/23 pairs (100 metrics extracted so far)",
        "Pairwise extraction progress: 23/23 pairs (115 metrics extracted so far)",
        "Pairwise extraction completed in 2.50 s (9.2 pairs/sec)",
    ]
    assert len(found) == 115


def test_batches_change_no_result(caplog):
    runs = [sweep_run(V, transfer(V, 0.1 * k, 0.2), run_id=f"{k:016x}", minutes=k) for k in range(8)]
    whole, _ = m.extract_pairs(runs)
    seen = []
    with caplog.at_level(logging.INFO, logger="batchlab.devices.metrics"):
        batched, _ = m.extract_pairs(
            runs,
            constants=_constants.changed(BATCH_SIZE=3),
            on_pair=lambda pair, skip: seen.append((pair.number, skip)),
        )
    assert whole == batched
    assert seen == [(k, None) for k in range(1, 8)]
    assert "Processing 7 pairs in batches of 3" in caplog.messages


def test_a_dead_sweep_has_no_pairs():
    runs = [sweep_run(V, CURVE, run_id=f"{k:016x}", minutes=k) for k in range(4)]
    runs[1] = replace(runs[1], flags=("DEAD_FLAT_IVG",))
    found, skips = m.extract_pairs(runs)
    assert {int(x.run_id, 16) for x in found} == {3}
    assert [(int(s.run_id, 16), s.reason) for s in skips] == [(1, m.Reason.DEAD_SAMPLE), (2, m.Reason.DEAD_SAMPLE)]
    assert all(f"{1:016x}: DEAD_FLAT_IVG" in s.detail for s in skips)


def test_the_error_of_a_shift_is_that_of_its_dirac_points():
    sigmas = []
    for seed in range(40):
        first, second = (transfer(V, d, d + 0.3, noise=5e-4, seed=2 * seed + k) for k, d in enumerate((0.2, 0.35)))
        found = metrics_of(two(first, second))["delta_cnp"]
        sigmas.append(abs(found.value_float - 0.15) / found.standard_error)
    assert 0.3 <= np.median(sigmas) <= 1.2
    alone = [named(m.extract_run(run).metrics, "robust") for run in two(first, second)]
    legs = [one[f"cnp_{way}"].standard_error for one in alone for way in ("forward", "backward")]
    assert found.standard_error == pytest.approx(np.linalg.norm(legs) / 2)


def test_a_bad_sweep_costs_its_pairs_alone():
    runs = [sweep_run(V, CURVE, run_id=f"{k:016x}", minutes=k) for k in range(4)]
    runs[1] = replace(runs[1], columns={"Vg (V)": V})
    found, skips = m.extract_pairs(runs)
    assert {int(x.run_id, 16) for x in found} == {3}
    assert [(int(s.run_id, 16), s.reason) for s in skips] == [
        (1, m.Reason.MISSING_COLUMN),
        (2, m.Reason.MISSING_COLUMN),
    ]


def test_real_sweeps_make_pairs_over_real_ranges(shared_devices):
    runs = [run for path in sorted(shared_devices.rglob("IVg*.csv")) if (run := read_real(path)) is not None]
    found, _ = m.extract_pairs(runs)
    pairs = [x for x in found if x.metric_name == "consecutive_sweep_difference"]
    assert len(pairs) > 60
    for pair in pairs:
        for leg in pair.value_json["legs"].values():
            assert max(leg["vg"]) - min(leg["vg"]) >= 1
    shifts = [x.value_float for x in found if x.metric_name == "delta_cnp" and x.chip == Chip("Alisson", 72)]
    assert len(shifts) > 20 and np.median(np.abs(shifts)) < 0.2
