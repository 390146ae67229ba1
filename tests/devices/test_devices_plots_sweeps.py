"""What figures of sweeps, calibrations and derived values show, against the same done by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.signal import savgol_filter

from batchlab.devices._model import Run
from batchlab.devices.plots import Drawn, Facts, Look, RunFacts, Theme, plot_type
from batchlab.devices.plots._axes import dates_along
from batchlab.devices.plots._relaxation import RelaxationOptions
from batchlab.devices.plots._response import law_of
from batchlab.devices.plots._transconductance import segments, transconductance
from batchlab.errors import DataError
from batchlab.figures import Line, Picture, Points, Role
from tests.devices.device_runs import calibration_run, it_run, sweep_run

SWEEPS = [sweep_run(1, dirac_v=0.5), sweep_run(2, dirac_v=0.7, lit=True), sweep_run(3, dirac_v=0.2)]
FACTS = Facts(
    runs={
        run.run_id: RunFacts(
            seq=at + 10,
            file_number=at + 1,
            metrics={"cnp_voltage": run_dirac, "cnp_forward": run_dirac - 0.1, "cnp_backward": run_dirac + 0.1},
        )
        for at, (run, run_dirac) in enumerate(zip(SWEEPS, (0.5, 0.7, 0.2), strict=True))
    }
)


def drawn(name: str, runs: list[Run], facts: Facts = FACTS, look: Look | None = None, **options: Any) -> Drawn:
    kind = plot_type(name)
    checked = kind.options(**options)
    made = kind.draw(runs, checked, look or Look(), facts)
    assert len(made.sheets) == len(made.tables) == len(kind.names(checked))
    return made


def marks(made: Drawn, kind: type, plot: int = 0) -> list[Any]:
    return [mark for mark in made.sheets[0].plots[plot].marks if isinstance(mark, kind)]


def test_sweeps_are_shown_whole_from_zero_by_number_and_light() -> None:
    made = drawn("plot-ivg", SWEEPS)
    plot = made.sheets[0].plots[0]
    for line, run in zip(marks(made, Line), SWEEPS, strict=True):
        np.testing.assert_array_equal(line.x, run.columns["Vg (V)"])
        np.testing.assert_allclose(line.y, run.columns["I (A)"] * 1e6)
    assert [line.label for line in marks(made, Line)] == ["#1 dark", "#2 light", "#3 dark"]
    assert (plot.x_label, plot.y_label, plot.y_limits[0]) == ("Vg (V)", "I_ds (µA)", 0.0)
    assert plot.x_limits == pytest.approx((-5.0, 5.0)) and made.sheets[0].title == "Alisson67 – IVg"


def test_a_current_that_changes_sign_is_not_cut_at_zero() -> None:
    below = replace(SWEEPS[0], columns={**SWEEPS[0].columns, "I (A)": -SWEEPS[0].columns["I (A)"]})
    assert drawn("plot-ivg", [below]).sheets[0].plots[0].y_limits[0] < -30


@pytest.mark.parametrize(
    ("options", "label", "shown"),
    [
        ({"conductance": True}, "G (µS)", lambda i: i / 0.1 * 1e6),
        ({"conductance": True, "inverse": True}, "1/G (kΩ)", lambda i: 0.1 / i * 1e-3),
        ({"inverse": True}, "1/G (kΩ)", lambda i: 0.1 / i * 1e-3),
        ({"absolute": True}, "|I_ds| (µA)", lambda i: np.abs(i) * 1e6),
    ],
)
def test_currents_are_transformed(options: dict[str, bool], label: str, shown: Any) -> None:
    made = drawn("plot-ivg", SWEEPS, **options)
    assert made.sheets[0].plots[0].y_label == label
    for line, run in zip(marks(made, Line), SWEEPS, strict=True):
        np.testing.assert_allclose(line.y, shown(run.columns["I (A)"]))


def test_voltages_are_shown_in_mv_or_as_resistances() -> None:
    runs = [sweep_run(1, procedure="VVg")]
    volts = replace(runs[0], columns={**runs[0].columns, "VDS (V)": runs[0].columns["VDS (V)"] * 1e3})
    made = drawn("plot-vvg", [volts])
    assert made.sheets[0].plots[0].y_label == "V_ds (mV)"
    np.testing.assert_allclose(marks(made, Line)[0].y, volts.columns["VDS (V)"] * 1e3)
    resistance = drawn("plot-vvg", [volts], resistance=True)
    assert resistance.sheets[0].plots[0].y_label == "R (kΩ)"
    np.testing.assert_allclose(marks(resistance, Line)[0].y, volts.columns["VDS (V)"] / 1e-5 * 1e-3)


def test_dirac_points_are_marked_on_the_curve() -> None:
    (points,) = marks(drawn("plot-ivg", SWEEPS[:1], show_cnp=True), Points)
    np.testing.assert_allclose(points.x, [0.4, 0.6])
    np.testing.assert_allclose(points.y, (1e-5 + 1e-6 * 0.1**2) * 1e6 * np.ones(2), rtol=1e-3)
    unknown = drawn("plot-ivg", SWEEPS[:1], Facts(), show_cnp=True)
    assert not marks(unknown, Points) and "no Dirac point" in unknown.warnings[0]


def doubted(run: Run, *flags: str, **metrics: float) -> RunFacts:
    known = replace(FACTS.runs[run.run_id], doubts=dict.fromkeys(("cnp_voltage", "cnp_forward", "cnp_backward"), flags))
    return replace(known, metrics={**known.metrics, **metrics})


def test_a_doubtful_dirac_point_has_no_ring_but_a_cross_and_a_word() -> None:
    facts = Facts(runs={**FACTS.runs, SWEEPS[1].run_id: doubted(SWEEPS[1], "JUMP", "NEAR_SWEEP_END")})
    made = drawn("plot-ivg", SWEEPS, facts, show_cnp=True)
    shown = [(mark.label, mark.symbol) for mark in marks(made, Points)]
    assert shown == [("Dirac point", "o"), ("doubtful Dirac point", "x"), ("", "o")]
    assert made.warnings == ("the Dirac point of #2 is doubtful: JUMP, NEAR_SWEEP_END",)
    assert not drawn("plot-ivg", SWEEPS, show_cnp=True).warnings


@pytest.mark.parametrize(("volt", "in_sight"), [(0.9, True), (19.5, False)])
def test_doubtful_dirac_points_are_hollow_and_press_no_others_flat(volt: float, in_sight: bool) -> None:
    facts = Facts(runs={**FACTS.runs, SWEEPS[2].run_id: doubted(SWEEPS[2], "JUMP", cnp_voltage=volt)})
    made = drawn("plot-cnp-time", SWEEPS, facts)
    points = {mark.label: mark for mark in marks(made, Points)}
    name = f"dark, doubtful{'' if in_sight else ' (1 out of sight)'}"
    assert {label: mark.hollow for label, mark in points.items()} == {"dark": False, "light": False, name: True}
    assert np.isfinite(points[name].y).sum() == in_sight
    assert made.sheets[0].plots[0].y_limits[1] < 1.5
    assert len(marks(made, Line)) == 2  # its legs are no more to be trusted
    assert made.tables[0].columns["doubts"] == ["", "", "JUMP"]
    assert made.tables[0].columns["CNP (V)"][2] == volt and f"{volt:g} V, is doubtful: JUMP" in made.warnings[0]
    for look in (Look(), Look(legend_place="best")):
        Picture(drawn("plot-cnp-time", SWEEPS, facts, look).sheets[0]).png()


def test_dirac_points_that_are_all_doubtful_are_in_sight() -> None:
    facts = Facts(runs={run.run_id: doubted(run, "JUMP") for run in SWEEPS})
    made = drawn("plot-cnp-time", SWEEPS, facts)
    low, high = made.sheets[0].plots[0].y_limits
    assert all(mark.hollow and mark.x.size for mark in marks(made, Points)) and low < 0.2 and high > 0.7


@pytest.mark.parametrize("method", ["gradient", "savgol"])
def test_transconductance_of_a_parabola_is_its_slope(method: str) -> None:
    made = drawn("plot-transconductance", SWEEPS[:1], method=method)
    line = marks(made, Line)[-1]
    known = np.isfinite(line.y)
    inner = known & (np.abs(line.x) < 4.9) & (np.abs(line.x) > 0.1)
    np.testing.assert_allclose(line.y[inner], 2.0 * (line.x[inner] - 0.5), atol=1e-6)  # µS
    assert made.sheets[0].plots[0].y_label == "gm (µS)"
    assert len(marks(made, Line)) == (2 if method == "savgol" else 1)  # the differences lie behind
    assert len(marks(drawn("plot-transconductance", SWEEPS[:1], show_raw=False), Line)) == 1


@pytest.mark.parametrize(
    ("points", "window", "order"), [(200, 21, 7), (101, 31, 3), (15, 21, 7), (4, 21, 7), (3, 9, 3)]
)
def test_the_smoothed_derivative_is_that_of_scipy(points: int, window: int, order: int) -> None:
    v = 1.0 - 0.05 * np.arange(points)
    i = np.sin(v) + np.random.default_rng(0).normal(0, 0.01, points)
    shorter = min(window, points - (points + 1) % 2)
    oracle = savgol_filter(i, shorter, min(order, shorter - 1), deriv=1, delta=-0.05)
    np.testing.assert_allclose(transconductance(v, i, window, order), oracle, rtol=1e-9, atol=1e-9)


def test_segments_run_one_way_and_skip_rests() -> None:
    v, i = SWEEPS[0].columns["Vg (V)"], SWEEPS[0].columns["I (A)"]
    found = segments(np.repeat(v, 2), np.repeat(i, 2))
    assert [bool(leg[-1] > leg[0]) for leg, _ in found] == [True, False, True]
    assert all((np.diff(leg) * np.sign(leg[-1] - leg[0]) > 0.01).all() for leg, _ in found)
    assert segments(np.zeros(9), np.ones(9)) == ()


def test_the_point_where_a_sweep_turns_belongs_to_the_way_it_came() -> None:
    """With hysteresis it lies off the way back, and a derivative would make a spike of the step."""
    v = np.concatenate((np.arange(0, 5, 0.05), np.arange(5, -5, -0.05)))
    step = np.where(np.arange(v.size) <= 100, 0.0, 2e-6)
    run = replace(SWEEPS[0], columns={"Vg (V)": v, "I (A)": 1e-6 * v + step})
    (line,) = marks(drawn("plot-transconductance", [run], show_raw=False), Line)
    np.testing.assert_allclose(line.y[np.isfinite(line.y)], 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"window": 20}, "is even"), ({"window": 5, "polyorder": 5}, "more points"), ({"method": "spline"}, "savgol")],
)
def test_smoothing_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_type("plot-transconductance").options(**options)


def test_calibrations_are_named_by_what_differs() -> None:
    runs = [calibration_run(1, 455.0), calibration_run(2, 365.0, watt_per_volt=2e-6)]
    made = drawn("plot-laser-calibration", runs)
    assert [line.label for line in marks(made, Line)] == ["365 nm", "455 nm"]
    assert made.sheets[0].title == "Laser calibration – fibre F1"
    assert made.sheets[0].plots[0].y_label == "optical power (µW)"
    np.testing.assert_allclose(marks(made, Line)[0].y, 2.0 * np.linspace(0, 5, 51))
    assert drawn("plot-laser-calibration", runs[:1]).sheets[0].title == "Laser calibration – 455 nm, fibre F1"
    again = drawn("plot-laser-calibration", [*runs, calibration_run(3, 455.0, "F2")])
    assert [line.label for line in marks(again, Line)] == ["365 nm, F1", "455 nm, F1", "455 nm, F2"]


def test_many_calibrations_have_the_colour_and_name_of_their_wavelength() -> None:
    runs = [calibration_run(at, nm) for at, nm in enumerate([365.0, 455.0, 850.0] * 6, 1)]
    made = drawn("plot-laser-calibration", runs)
    curves = marks(made, Line)
    assert [line.label for line in curves if line.label] == ["365 nm (6)", "455 nm (6)", "850 nm (6)"]
    assert [len({line.colour for line in curves[at : at + 6]}) for at in (0, 6, 12)] == [1, 1, 1]
    assert len({line.colour for line in curves}) == 3
    assert len(set(made.tables[0].columns["curve"])) == 18  # the numbers keep them apart


def test_calibrations_are_compared_wavelength_by_wavelength() -> None:
    runs = [calibration_run(at, nm) for at, nm in ((1, 455.0), (2, 365.0), (3, 455.0))]
    (sheet,) = drawn("plot-laser-calibration-comparison", runs).sheets
    assert [plot.title for plot in sheet.plots] == ["365 nm", "455 nm"]
    assert [mark.label for mark in sheet.plots[1].marks] == ["2025-09-05 11:00", "2025-09-07 12:00"]  # type: ignore[union-attr]


def test_dirac_points_over_time_tell_light_from_dark() -> None:
    made = drawn("plot-cnp-time", SWEEPS)
    dark, light = marks(made, Points)
    assert (dark.label, light.label) == ("dark", "light")
    np.testing.assert_allclose(dark.y, [0.5, 0.2])
    np.testing.assert_allclose(light.x, [SWEEPS[1].start_utc.timestamp()])  # type: ignore[union-attr]
    assert marks(made, Line)[0].y == pytest.approx([0.4, 0.6])
    assert [name.text for name in made.sheets[0].plots[0].x_names] == ["04 Sep 12:00", "13:00", "14:00"]
    with pytest.raises(DataError, match="derive-all-metrics"):
        drawn("plot-cnp-time", SWEEPS, Facts())


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        ("2025-09-04T22:10", "2025-09-05T02:20", ["04 Sep 23:00", "05 Sep 00:00", "01:00", "02:00"]),
        (
            "2025-09-04T12:00",
            "2025-09-07T13:00",
            ["04 Sep 12:00", "05 Sep 00:00", "12:00", "06 Sep 00:00", "12:00", "07 Sep 00:00", "12:00"],
        ),
        ("2025-09-04T12:00", "2025-09-10T13:00", ["05 Sep", "06 Sep", "07 Sep", "08 Sep", "09 Sep", "10 Sep"]),
        ("2025-09-04T12:00", "2026-02-10T13:00", ["04 Oct", "03 Nov", "03 Dec", "2026-01-02", "2026-02-01"]),
    ],
)
def test_dates_along_an_axis_are_round_on_the_clock_of_the_lab(first: str, last: str, texts: list[str]) -> None:
    # Chile put its clocks forward in the night to the 7th of September.
    zone = ZoneInfo("America/Santiago")
    ends = [datetime.fromisoformat(each).replace(tzinfo=zone).timestamp() for each in (first, last)]
    assert [name.text for name in dates_along((ends[0], ends[1]), "America/Santiago")] == texts


def test_responses_follow_their_power_law() -> None:
    runs = [it_run(number) for number in (1, 2, 3, 4)]
    facts = Facts(
        runs={
            run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": -2e-7 * n**0.7})
            for n, run in enumerate(runs, 1)
        }
    )
    made = drawn("plot-photoresponse", runs, facts, axtype="loglog")
    plot = made.sheets[0].plots[0]
    assert (plot.x_log, plot.y_log, plot.x_label) == (True, True, "irradiated power (µW)")
    (points,) = marks(made, Points)
    np.testing.assert_allclose(points.y, 200 * np.arange(1, 5) ** 0.7)
    assert points.label == "365 nm, Vg = −2 V: γ = 0.70 ± 0.01"
    linear = drawn("plot-photoresponse", runs, facts)
    np.testing.assert_allclose(marks(linear, Points)[0].y, -200 * np.arange(1, 5) ** 0.7)


def test_doubtful_responses_are_hollow() -> None:
    runs = [it_run(number) for number in (1, 2, 3, 4)]
    known = {
        run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": -1e-7 * n}) for n, run in enumerate(runs, 1)
    }
    sound = drawn("plot-photoresponse", runs, Facts(runs=known))
    known[runs[1].run_id] = replace(known[runs[1].run_id], doubts={"delta_current": ("LOW_SNR",), "t_rise": ()})
    known[runs[2].run_id] = replace(known[runs[2].run_id], doubts={"t_rise": ("LOW_SNR",)})
    made = drawn("plot-photoresponse", runs, Facts(runs=known))
    shown = [(points.x.tolist(), points.hollow, points.label) for points in marks(made, Points)]
    name = marks(sound, Points)[0].label
    assert shown[:2] == [([1.0, 3.0, 4.0], False, name), ([2.0], True, "")]
    assert len(shown) == 3 and np.isnan(shown[2][0]).all() and shown[2][1:] == (True, "hollow: doubtful")
    assert made.tables[0].columns["doubts"] == ["", "LOW_SNR", "", ""] and "doubts" not in sound.tables[0].columns
    Picture(made.sheets[0]).png()


def test_the_power_law_has_the_error_of_a_line_through_logarithms() -> None:
    from scipy.stats import linregress

    power = np.array([1e-6, 2e-6, 5e-6, 9e-6])
    response = -(power**0.6) * np.array([1.0, 1.1, 0.95, 1.02])
    law, line = law_of(power, response), linregress(np.log(power), np.log(np.abs(response)))
    assert law is not None
    assert (law.exponent, law.error) == pytest.approx((line.slope, line.stderr))
    assert law.prefactor == pytest.approx(np.exp(line.intercept))
    assert law_of(power[:2], response[:2]) is None


def test_no_power_law_is_drawn_across_a_change_of_sign() -> None:
    runs = [it_run(number) for number in (1, 2, 3, 4)]
    values = (-3e-9, 8e-9, -1e-8, 2e-8)
    facts = Facts(
        runs={
            run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": value})
            for n, (run, value) in enumerate(zip(runs, values, strict=True), 1)
        }
    )
    for axtype in ("linear", "loglog"):
        made = drawn("plot-photoresponse", runs, facts, axtype=axtype)
        (points,) = marks(made, Points)
        assert points.label == "365 nm, Vg = −2 V: no power law, the sign changes"
        assert not marks(made, Line)


def test_gates_that_were_held_from_the_same_dirac_point_are_one_group() -> None:
    runs = [it_run(number, vg_fixed_v=vg) for number, vg in ((1, -3.79), (2, -3.8), (3, -3.82), (4, 2.0))]
    facts = Facts(
        runs={
            run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": 1e-7 * n}) for n, run in enumerate(runs, 1)
        }
    )
    made = drawn("plot-photoresponse", runs, facts)
    assert [points.label.partition(":")[0] for points in marks(made, Points)] == [
        "365 nm, Vg = −3.82 to −3.79 V",
        "365 nm, Vg = 2 V",
    ]


def test_no_edge_of_a_grid_parts_gates_of_one_group() -> None:
    runs = [it_run(number, vg_fixed_v=vg) for number, vg in ((1, -3.71), (2, -3.74), (3, -3.75))]
    facts = Facts(
        runs={
            run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": 1e-7 * n}) for n, run in enumerate(runs, 1)
        }
    )
    (points,) = marks(drawn("plot-photoresponse", runs, facts), Points)
    assert points.label.startswith("365 nm, Vg = −3.75 to −3.71 V: γ = 1.00")


def test_many_groups_are_in_order_and_named_beside_the_axes() -> None:
    runs = [it_run(number, vg_fixed_v=vg) for number, vg in enumerate((5.0, -10.0, 0.0, -2.0, 3.0, -3.0), 1)]
    facts = Facts(
        runs={
            run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": 1e-7 * n}) for n, run in enumerate(runs, 1)
        }
    )
    made = drawn("plot-photoresponse", runs, facts)
    volts = [points.label.removeprefix("365 nm, Vg = ") for points in marks(made, Points)]
    assert volts == ["−10 V", "−3 V", "−2 V", "0 V", "3 V", "5 V"]
    assert made.sheets[0].plots[0].legend.place == "right"  # type: ignore[union-attr]
    few = drawn("plot-photoresponse", runs[:3], facts)
    assert few.sheets[0].plots[0].legend.place == "best"  # type: ignore[union-attr]


def test_a_falling_power_law_has_a_minus_sign() -> None:
    runs = [it_run(number) for number in (1, 2, 3)]
    facts = Facts(
        runs={
            run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": 1e-7 / n}) for n, run in enumerate(runs, 1)
        }
    )
    (points,) = marks(drawn("plot-photoresponse", runs, facts), Points)
    assert points.label == "365 nm, Vg = −2 V: γ = −1.00 ± 0.01"


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"filter_wavelength": 365.0}, 2),
        ({"filter_vg": -2.0}, 3),
        ({"filter_power_range": [1.5e-6, 9e-6]}, 2),
    ],
)
def test_responses_are_filtered(options: dict[str, Any], left: int) -> None:
    runs = [it_run(1), it_run(2), it_run(3, wavelength_nm=455.0), it_run(4, lit=False)]
    facts = Facts(
        runs={run.run_id: RunFacts(power_w=1e-6 * n, metrics={"delta_current": 1e-7}) for n, run in enumerate(runs, 1)}
    )
    made = drawn("plot-its-photoresponse", runs, facts, photoresponse_x="wavelength", **options)
    assert sum(points.x.size for points in marks(made, Points)) == left


def test_responses_without_derived_values_name_the_command() -> None:
    with pytest.raises(DataError, match="derive-all-metrics"):
        drawn("plot-photoresponse", [it_run(1)], Facts())


def test_a_sweep_less_itself_is_zero_and_less_a_shifted_one_the_shift() -> None:
    same = drawn("plot-consecutive-sweep-diff", [SWEEPS[0], replace(SWEEPS[0], run_id="f" * 16)])
    assert max(np.abs(line.y).max() for line in marks(same, Line)) == 0.0
    made = drawn("plot-consecutive-sweep-diff", SWEEPS[:2])
    forward, backward = marks(made, Line)
    assert (forward.role, backward.role) == (Role.REFERENCE, Role.LIMIT)  # solid, dashed
    for line in (forward, backward):
        assert np.ptp(line.x) > 9.9
        by_hand = 1e-6 * ((line.x - 0.7) ** 2 - (line.x - 0.5) ** 2)
        np.testing.assert_allclose(line.y, by_hand * 1e6, atol=2e-9)
    assert [plot.y_label for plot in made.sheets[0].plots] == ["ΔI_ds (µA)", "ΔR (Ω)"]
    assert forward.label == "11 − 10"


def test_the_difference_of_resistances_is_that_of_voltage_over_current() -> None:
    line = marks(drawn("plot-consecutive-sweep-diff", SWEEPS[:2]), Line, plot=1)[0]
    later, earlier = (0.1 / (1e-5 + 1e-6 * (line.x - dirac) ** 2) for dirac in (0.7, 0.5))
    np.testing.assert_allclose(line.y, later - earlier, atol=1e-6)


def test_sweeps_that_share_no_voltages_are_told() -> None:
    v = SWEEPS[0].columns["Vg (V)"] + 20.0
    apart = replace(SWEEPS[1], columns={**SWEEPS[1].columns, "Vg (V)": v})
    with pytest.raises(DataError, match="share a leg over 1 V"):
        drawn("plot-consecutive-sweep-diff", [SWEEPS[0], apart])
    made = drawn("plot-consecutive-sweep-diff", [*SWEEPS[:2], replace(apart, start_utc=SWEEPS[2].start_utc)])
    assert "share no leg" in made.warnings[0]


def relaxing(number: int, tau_s: float, beta: float) -> Run:
    run = it_run(number)
    t = run.columns["t (s)"]
    since = np.maximum(t - 119.9, 0.0)
    y = 4e-5 - 1e-6 * np.where(t < 120.0, t > 60.0, np.exp(-((since / tau_s) ** beta)))
    return replace(run, columns={**run.columns, "I (A)": y})


def test_relaxation_shows_the_fit_and_what_it_leaves() -> None:
    made = drawn("plot-its-relaxation", [relaxing(1, 12.0, 0.7)])
    measured, fit = marks(made, Line)
    assert fit.label.startswith("τ = 12 ") and "β = 0.70" in fit.label and "R² = 1.000" in fit.label
    assert fit.x[0] == pytest.approx(120.0) and measured.x[0] == 0.0
    (rest,) = marks(made, Line, plot=1)
    assert made.sheets[0].plots[1].y_label.startswith("residual")
    assert rest.x.size == fit.x.size
    assert made.tables[0].columns["tau (s)"] == pytest.approx([12.0], rel=1e-3)


def test_a_time_constant_beyond_what_was_seen_is_said_to_be() -> None:
    made = drawn("plot-its-relaxation", [relaxing(1, 900.0, 1.0)])
    assert "s (beyond sight)" in marks(made, Line)[1].label
    assert "e+" not in marks(made, Line)[1].label


@pytest.mark.parametrize("theme", list(Theme))
def test_all_that_a_fit_says_is_legible(theme: Theme) -> None:
    noisy = relaxing(1, 900.0, 0.5)
    noise = 1e-9 * np.random.default_rng(5).standard_normal(noisy.rows)
    noisy = replace(noisy, columns={**noisy.columns, "I (A)": noisy.columns["I (A)"] + noise})
    made = plot_type("plot-its-relaxation").draw([noisy], RelaxationOptions(), Look(theme=theme), Facts())
    picture = Picture(made.sheets[0])
    legend = picture._composed.axes[0].get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert "…" not in "".join(texts)
    assert re.fullmatch(r"τ = \d+ ± \d+ s \(beyond sight\)\nβ = 0\.\d+ ± [\d.]+, R² = [\d.]+", texts[-1])
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= picture.sheet.pixels[0] and box.y1 <= picture.sheet.pixels[1]


def test_several_relaxations_are_a_grid_and_one_that_cannot_be_fitted_is_told() -> None:
    runs = [relaxing(1, 12.0, 0.7), relaxing(2, 5.0, 1.0), it_run(3, lit=False)]
    made = drawn("plot-its-relaxation", runs)
    assert [plot.title for plot in made.sheets[0].plots] == ["1 V", "2 V"]
    assert [marks(made, Line, plot)[1].label for plot in (0, 1)] == [
        "τ = 12 s\nβ = 0.70, R² = 1.00",
        "τ = 5 s\nβ = 1.00, R² = 1.00",
    ]
    assert "has no dark phase" in made.warnings[0]
    with pytest.raises(DataError, match="no dark phase"):
        drawn("plot-its-relaxation", runs[2:])


def test_relaxations_are_laid_over_each_other_from_the_switch_on() -> None:
    runs = [relaxing(1, 12.0, 0.7), relaxing(2, 5.0, 1.0)]
    made = drawn("plot-its-relaxation", runs, layout="overlay")
    first, second, *models = marks(made, Line)
    assert [first.label, second.label] == ["1 V: τ = 12 s", "2 V: τ = 5 s"]
    assert len(models) == 2 and made.sheets[0].plots[0].x_log
    assert first.y[0] == pytest.approx(1.0, abs=0.1)
    share = np.exp(-((first.x / 12.0) ** 0.7))
    np.testing.assert_allclose(first.y, share, atol=0.02)
    (name,) = plot_type("plot-its-relaxation").names(plot_type("plot-its-relaxation").options(layout="overlay"))
    assert name.folder == "overlays"


BY_SAMPLE = [
    sweep_run(1, dirac_v=0.5, sample="B"),
    sweep_run(2, dirac_v=0.7, sample="A"),
    sweep_run(3, dirac_v=0.2, sample="A"),
    sweep_run(4, dirac_v=0.2, sample=" "),
]


def test_sweeps_by_sample_are_a_grid_with_the_same_axes() -> None:
    made = drawn("plot-ivg-by-sample", BY_SAMPLE)
    plots = made.sheets[0].plots
    assert [plot.title for plot in plots] == ["no sample, #000000 dark", "A (2 sweeps)", "B, #1 dark"]
    assert [len(marks(made, Line, at)) for at in range(3)] == [1, 2, 1]
    assert len({(plot.x_limits, plot.y_limits, plot.y_label) for plot in plots}) == 1
    assert made.sheets[0].columns == 2
    assert set(made.tables[0].columns["sample"]) == {"", "A", "B"}
    np.testing.assert_allclose(marks(made, Line, 2)[0].y, BY_SAMPLE[0].columns["I (A)"] * 1e6)


def test_first_sweeps_of_samples_are_laid_over_each_other() -> None:
    made = drawn("plot-ivg-by-sample", BY_SAMPLE[::-1], layout="overlay", first=True, conductance=True)
    assert [line.label for line in marks(made, Line)] == ["no sample, #000000 dark", "A, #2 dark", "B, #1 dark"]
    assert made.sheets[0].plots[0].y_label == "G (µS)"
    assert len({line.colour for line in marks(made, Line)}) == 3
    every = drawn("plot-ivg-by-sample", BY_SAMPLE, layout="overlay")
    assert [line.label for line in marks(every, Line)] == ["no sample, #000000 dark", "A (2 sweeps)", "", "B, #1 dark"]
