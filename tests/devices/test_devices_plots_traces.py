"""What figures over time show, against the same done by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from batchlab.devices._model import Run
from batchlab.devices.plots import Drawn, Facts, Look, RunFacts, Table, plot_type
from batchlab.errors import DataError
from batchlab.figures import Band, Legend, Line, Rule
from tests.devices.device_runs import it_run

RUNS = [it_run(number) for number in (1, 2, 3)]
FACTS = Facts(
    runs={run.run_id: RunFacts(seq=at + 4, file_number=at + 1, power_w=1e-6 * (at + 1)) for at, run in enumerate(RUNS)},
    history={4: "It", 5: "It", 6: "It", 7: "IVg"},
)


def drawn(name: str, runs: list[Run] = RUNS, facts: Facts = FACTS, look: Look | None = None, **options: Any) -> Drawn:
    kind = plot_type(name)
    checked = kind.options(**options)
    made = kind.draw(runs, checked, look or Look(), facts)
    assert len(made.sheets) == len(made.tables) == len(kind.names(checked))
    return made


def lines(made: Drawn, sheet: int = 0, plot: int = 0) -> list[Line]:
    return [mark for mark in made.sheets[sheet].plots[plot].marks if isinstance(mark, Line)]


def bands(made: Drawn, sheet: int = 0) -> list[tuple[float, float]]:
    marks = made.sheets[sheet].plots[0].marks
    return [(float(mark.x[0]), float(mark.x[-1])) for mark in marks if isinstance(mark, Band)]


def by_hand(run: Run, at_s: float | None, column: str = "I (A)") -> np.ndarray:
    t, y = run.columns["t (s)"], run.columns[column]
    return y if at_s is None else y - np.interp(at_s, t, y)


@pytest.mark.parametrize(
    ("baseline", "at_s"), [(60.0, 60.0), (30.5, 30.5), ("auto", 60.0), ("none", None), (0, 20.0), (None, None)]
)
def test_curves_are_measured_from_the_baseline(baseline: Any, at_s: float | None) -> None:
    made = drawn("plot-its", baseline=baseline)
    factor = {"µA": 1e6}[made.sheets[0].plots[0].y_label.rstrip(")").rpartition("(")[2]]
    for line, run in zip(lines(made), RUNS, strict=True):
        np.testing.assert_allclose(line.y, by_hand(run, at_s) * factor, atol=1e-9)
    assert made.sheets[0].plots[0].y_label == ("I_ds (µA)" if at_s is None else "ΔI_ds (µA)")


def test_axes_begin_at_20_s_end_with_the_runs_and_leave_two_hundredths() -> None:
    plot = drawn("plot-its").sheets[0].plots[0]
    assert plot.x_limits == pytest.approx((20.0, 179.9))
    seen = np.concatenate([line.y[line.x >= 20.0] for line in lines(drawn("plot-its"))])
    span = np.ptp(seen)
    assert plot.y_limits == pytest.approx((seen.min() - 0.02 * span, seen.max() + 0.02 * span))
    wide = drawn("plot-its", padding=0.5).sheets[0].plots[0]
    assert wide.y_limits == pytest.approx((seen.min() - 0.5 * span, seen.max() + 0.5 * span))


def test_a_run_beyond_1000_s_has_scientific_numbers() -> None:
    long = replace(RUNS[0], columns={**RUNS[0].columns, "t (s)": RUNS[0].columns["t (s)"] * 10})
    assert drawn("plot-its", [long]).sheets[0].plots[0].x_scientific
    assert not drawn("plot-its").sheets[0].plots[0].x_scientific


def test_light_is_shaded_where_the_laser_was_on() -> None:
    assert bands(drawn("plot-its")) == [pytest.approx((60.0, 119.9))]
    (band,) = (mark for mark in drawn("plot-its").sheets[0].plots[0].marks if isinstance(mark, Band))
    assert band.opacity == 0.15 and band.label == "light"


def test_light_that_is_not_recorded_comes_from_the_period_else_from_thirds() -> None:
    def without(run: Run, **settings: Any) -> Run:
        columns = {**run.columns, "VL (V)": np.full(run.rows, np.nan)}
        return replace(run, columns=columns, settings={**run.settings, **settings})

    assert bands(drawn("plot-its", [without(RUNS[0], laser_period_s=100.0)])) == [pytest.approx((50.0, 100.0))]
    thirds = bands(drawn("plot-its", [without(RUNS[0], laser_period_s=None)]))
    assert thirds == [pytest.approx((179.9 / 3, 2 * 179.9 / 3))]


def test_dark_runs_have_no_light() -> None:
    assert bands(drawn("plot-its", [it_run(1, lit=False)])) == []


def test_several_pulses_have_a_window_each() -> None:
    t = RUNS[0].columns["t (s)"]
    twice = ((t >= 30) & (t < 50)) | ((t >= 100) & (t < 140))
    run = replace(RUNS[0], columns={**RUNS[0].columns, "VL (V)": 2.0 * twice})
    assert bands(drawn("plot-its", [run])) == [pytest.approx((30.0, 49.9)), pytest.approx((100.0, 139.9))]


@pytest.mark.parametrize(
    ("legend_by", "title", "labels"),
    [
        ("irradiated_power", "LED Power", ["1.00 µW", "2.00 µW", "3.00 µW"]),
        ("laser", "LED Voltage", ["1 V", "2 V", "3 V"]),
        ("wl", "Wavelength", ["365 nm (#1)", "365 nm (#2)", "365 nm (#3)"]),
        ("gate", "Vg", ["−2 V (#1)", "−2 V (#2)", "−2 V (#3)"]),
        ("date", "Date & Time", ["2025-09-04 11:03", "2025-09-04 11:06", "2025-09-04 11:10"]),
        ("seq", "Seq", ["4", "5", "6"]),
        ("file", "Run", ["#1 light", "#2 light", "#3 light"]),
    ],
)
def test_curves_are_named(legend_by: str, title: str, labels: list[str]) -> None:
    made = drawn("plot-its", legend_by=legend_by)
    legend = made.sheets[0].plots[0].legend
    assert isinstance(legend, Legend) and legend.title == title
    assert [line.label for line in lines(made)] == labels


def test_names_fall_back_from_power_to_volts_to_numbers() -> None:
    unknown = Facts(runs={run.run_id: RunFacts(file_number=7 + at) for at, run in enumerate(RUNS)})
    assert [line.label for line in lines(drawn("plot-its", facts=unknown))] == ["1 V", "2 V", "3 V"]
    bare = [replace(run, settings={}) for run in RUNS]
    assert [line.label for line in lines(drawn("plot-its", bare, unknown))] == ["#7", "#8", "#9"]


def test_file_numbers_of_several_days_get_their_day() -> None:
    runs = [it_run(1), it_run(2, begins_s=86_400.0)]
    facts = Facts(runs={run.run_id: RunFacts(file_number=3) for run in runs})
    labels = [line.label for line in lines(drawn("plot-its", runs, facts, legend_by="file"))]
    assert labels == ["#3 light 04 Sep", "#3 light 05 Sep"]


@pytest.mark.parametrize(
    ("preset", "label", "start", "title"),
    [
        ("dark", "I_ds (µA)", 1.0, "Vg"),
        ("light_power_sweep", "ΔI_ds (µA)", 20.0, "LED Voltage"),
        ("light_spectral", "ΔI_ds (µA)", 20.0, "Wavelength"),
        ("custom", "ΔI_ds (µA)", 20.0, "Wavelength"),
    ],
)
def test_presets_set_what_is_not_set(preset: str, label: str, start: float, title: str) -> None:
    plot = drawn("plot-its", preset=preset).sheets[0].plots[0]
    assert (plot.y_label, plot.x_limits[0], plot.legend.title) == (label, start, title)  # type: ignore[union-attr]
    assert drawn("plot-its", preset=preset, start=33.0).sheets[0].plots[0].x_limits[0] == 33.0


def test_conductance_and_magnitude() -> None:
    made = drawn("plot-its", baseline="none", conductance=True)
    assert made.sheets[0].plots[0].y_label == "G (µS)"
    np.testing.assert_allclose(lines(made)[1].y, RUNS[1].columns["I (A)"] / 0.1 * 1e6)
    magnitude = drawn("plot-its", [it_run(-3)], absolute=True)
    assert magnitude.sheets[0].plots[0].y_label == "|ΔI_ds| (µA)"
    assert min(line.y.min() for line in lines(magnitude)) >= 0
    with pytest.raises(DataError, match="VDS is None"):
        drawn("plot-its", [replace(RUNS[0], settings={"vds_v": None})], conductance=True)


def test_older_words_for_the_baseline_mean_the_same() -> None:
    kind = plot_type("plot-vts-suite").options
    assert kind(baseline_mode="auto").baseline == "auto"  # type: ignore[call-arg]
    assert kind(baseline_t=45.0, baseline_mode="fixed").baseline == 45.0  # type: ignore[call-arg]
    assert kind(plot_start_time=5.0).start == 5.0  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="baseline says all"):
        kind(baseline_t=45.0, baseline="auto")  # type: ignore[call-arg]


def test_voltage_over_time_and_its_resistance() -> None:
    runs = [it_run(number, procedure="Vt") for number in (1, 2)]
    made = drawn("plot-vt", runs)
    assert made.sheets[0].plots[0].y_label == "ΔV_ds (µV)"
    np.testing.assert_allclose(lines(made)[1].y, by_hand(runs[1], 60.0, "VDS (V)") * 1e6, atol=1e-9)
    resistance = drawn("plot-vt", runs, resistance=True, baseline="none")
    assert resistance.sheets[0].plots[0].y_label == "R (Ω)"
    np.testing.assert_allclose(lines(resistance)[0].y, runs[0].columns["VDS (V)"] / 1e-5)


def test_wrong_procedures_are_left_out_and_nothing_is_an_error() -> None:
    mixed = [*RUNS, it_run(9, procedure="Vt")]
    assert len(lines(drawn("plot-its", mixed))) == 3
    with pytest.raises(DataError, match="no experiments found for plot-its: it needs It, the selection holds Vt"):
        drawn("plot-its", [it_run(9, procedure="Vt")])


def test_a_baseline_outside_a_run_is_told() -> None:
    made = drawn("plot-its", baseline=500.0)
    assert len(made.warnings) == 3 and "its baseline at 500 s is its nearest end" in made.warnings[0]


def test_sequence_keeps_gaps_and_begins_each_run_after_20_s() -> None:
    made = drawn("plot-its-sequential")
    for line, run, offset in zip(lines(made), RUNS, (0.0, 200.0, 400.0), strict=True):
        t = run.columns["t (s)"]
        np.testing.assert_allclose(line.x, t[t >= 20.0] + offset)
        np.testing.assert_allclose(line.y, run.columns["I (A)"][t >= 20.0] * 1e6)
    assert made.sheets[0].plots[0].x_label == "running time (s)"
    rules = [mark.at for mark in made.sheets[0].plots[0].marks if isinstance(mark, Rule)]
    assert rules == pytest.approx([220.0, 420.0])
    assert [pair[0] for pair in bands(made)] == pytest.approx([60.0, 260.0, 460.0])
    assert made.warnings == ()


def test_sequence_sorts_by_start_and_warns_of_long_gaps() -> None:
    late = it_run(5, begins_s=4000.0)
    made = drawn("plot-its-sequential", [late, RUNS[0]])
    assert lines(made)[1].x[0] == pytest.approx(3800.0 + 20.0)
    assert made.warnings == ("a gap between runs of more than 100 s, the longest of 3620 s",)
    closed = drawn("plot-its-sequential", [late, RUNS[0]], gaps="none")
    assert lines(closed)[1].x[0] == pytest.approx(179.9)


def test_sequence_refuses_what_other_measurements_interrupt() -> None:
    runs = [*RUNS, it_run(4)]
    facts = replace(FACTS, runs={**FACTS.runs, runs[3].run_id: RunFacts(seq=8)})
    with pytest.raises(DataError, match=r"other measurements lie between the runs: seq 7 \(IVg\)"):
        drawn("plot-its-sequential", runs, facts)


def test_a_suite_is_overlay_sequence_and_response() -> None:
    made = drawn("plot-its-suite")
    assert [sheet.plots[0].x_label for sheet in made.sheets] == ["t (s)", "running time (s)", "irradiated power (µW)"]
    # Last tenth of the light less as long before it: the slope of 1e-9 A/s adds 60 s of itself.
    response = np.array(made.tables[2].columns["ΔI_ds (µA)"])
    np.testing.assert_allclose(response, np.array([1.0, 2.0, 3.0]) + 1e-3 * 60.0, rtol=1e-3)


def test_the_response_of_a_suite_is_the_derived_value_where_all_have_it() -> None:
    known = {
        run.run_id: replace(FACTS.of(run), metrics={"delta_current": 3e-7 * (at + 1)}) for at, run in enumerate(RUNS)
    }
    made = drawn("plot-its-suite", facts=replace(FACTS, runs=known))
    assert made.tables[2].columns["source"] == ["delta_current"] * 3
    assert made.tables[2].columns["ΔI_ds (nA)"] == pytest.approx([300.0, 600.0, 900.0])


def test_the_table_holds_the_curves_and_reads_back() -> None:
    made = drawn("plot-its")
    table = made.tables[0]
    rows = [line.split(",") for line in table.csv().splitlines()]
    assert rows[0] == ["run_id", "seq", "curve", "t (s)", "ΔI_ds (µA)"]
    assert len(rows) - 1 == table.rows == sum(line.x.size for line in lines(made))
    first = [float(row[4]) for row in rows[1:] if row[0] == RUNS[0].run_id]
    np.testing.assert_array_equal(first, lines(made)[0].y)


def test_tables_leave_out_what_is_missing() -> None:
    table = Table(columns={"seq": [1, None], "x (V)": [float("nan"), 0.1]})
    assert table.csv() == "seq,x (V)\n1,\n,0.1\n"
    with pytest.raises(ValueError, match="differ in length"):
        Table(columns={"a": [1], "b": []})


def test_a_notebook_shows_every_picture_and_what_was_warned_of() -> None:
    text = drawn("plot-its-suite", baseline=500.0)._repr_html_()
    assert text.count("data:image/png;base64,iVBOR") == 3 and "its nearest end</p>" in text


@pytest.mark.parametrize(("name", "procedure"), [("plot-its-presets", "It"), ("plot-vt-presets", "Vt")])
def test_a_gallery_shows_the_runs_as_each_preset_does(name: str, procedure: str) -> None:
    runs = [it_run(number, procedure=procedure) for number in (1, 2)]
    made = drawn(name, runs)
    plots = made.sheets[0].plots
    assert [plot.title for plot in plots] == ["dark", "light_power_sweep", "light_spectral", "custom"]
    for plot in plots:
        alone = drawn({"It": "plot-its", "Vt": "plot-vt"}[procedure], runs, preset=plot.title).sheets[0].plots[0]
        assert (plot.y_label, plot.x_limits) == (alone.y_label, alone.x_limits)
        assert plot.legend.title == alone.legend.title  # type: ignore[union-attr]
        for ours, theirs in zip(plot.marks, alone.marks, strict=True):
            if isinstance(ours, Line):
                np.testing.assert_array_equal(ours.y, theirs.y)
    (table,) = made.tables
    assert dict.fromkeys(table.columns["preset"]) == dict.fromkeys(plot.title for plot in plots)
    assert table.rows == 4 * sum(run.rows for run in runs)
