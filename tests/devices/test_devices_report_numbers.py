"""Numbers and axes of the pages of chips."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.devices._model import Chip
from batchlab.devices._panel._along import by_number, by_time
from batchlab.devices._panel._chart import Mark, Series, axis_of, chart, near, sparkline
from batchlab.devices._panel._facts import ChipFacts, RunFacts, Value, flagged
from batchlab.devices._panel._numbers import in_words, prefixed, told
from batchlab.devices._panel._pages import _json, _row, _tiles
from batchlab.devices.cli import _metrics

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.77361, "−0.7736"), (12.0, "12"), (1234.5, "1234"), (999999.0, "999999"), (1e6, "1e6"),
        (4.2e-7, "4.2e−7"), (0.00123456, "0.001235"), (100.0, "100"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_numbers_are_told_with_few_digits(value, text):
    assert told(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "error", "text"),
    [
        (6.405e-7, "A", 1.2e-9, "640.5 ± 1.2 nA"), (-0.7736, "V", None, "−0.7736 V"), (0.0012, "V", None, "1.2 mV"),
        (2242.0, "cm^2/(V s)", 90.0, "2242 ± 90 cm²/(V s)"), (0.81, "1", None, "0.81"), (1500.0, "ohm", None, "1.5 kΩ"),
        (17.5, "s", None, "17.5 s"), (0.0, "A", None, "0 A"),
        (-4.441e-17, "V", 0.058, "0 ± 0.058 V"), (2e-9, "A", 3.4e-7, "0 ± 340 nA"),
        (1.2e-8, "A", 3.4e-8, "12 ± 34 nA"),
    ],
)  # fmt: skip
def test_values_have_the_prefix_that_suits(value, unit, error, text):
    assert in_words(value, unit, error) == text


def test_the_table_of_metrics_does_not_mix_methods(tmp_path, monkeypatch):
    path = tmp_path / "metrics.parquet"
    rows = [
        ("r1", "parabola", 0.9),
        ("r1", "robust", -0.02),
        ("r2", "maximum-resistance", 0.7),
        ("r2", "robust", -0.04),
    ]
    pl.DataFrame(rows, schema=("run_id", "extraction_method", "value_float"), orient="row").with_columns(
        metric_name=pl.lit("cnp_forward"), unit=pl.lit("V"), procedure=pl.lit("IVg"), confidence=pl.lit(1.0),
        chip_group=pl.lit("Alisson"), chip_number=pl.lit(67),
    ).write_parquet(path)  # fmt: skip
    shown = []
    monkeypatch.setattr(_metrics, "print_table", lambda title, head, rows, **_: shown.extend(rows))
    made = SimpleNamespace(chips=(Chip("Alisson", 67),), procedures=("IVg",))
    _metrics.tell_metrics(SimpleNamespace(metrics=path), made)
    assert shown == [("cnp_forward", 2, pytest.approx(-0.03), "V", 1.0)]


def doubted(confidence, flags=("NO_RESPONSE",), name="delta_i_corrected", unit="A"):
    value = Value(
        name=name, value=-5.728e-7, text=None, error=1.955e-6, unit=unit, method="dark-drift", version="1",
        confidence=confidence, flags=flags,
    )  # fmt: skip
    run = RunFacts(
        run_id="a" * 16, seq=1, procedure="It", began=None, summary="", has_light=True, wavelength_nm=None,
        source_file="x.csv", flags=(), first={name: value}, values=(value,),
    )  # fmt: skip
    return ChipFacts(name="Alisson79", page="Alisson79.html", runs=(run,))


def test_a_response_that_is_noise_is_no_number_of_a_chip():
    chip = doubted(0.035)
    assert [tile.text for tile in _tiles(chip) if tile.name == "response to light now"] == ["none that is sure"]
    assert not any(_row(chip)["cells"][3:]) and "response" not in _json(chip)
    assert not [
        tile for tile in _tiles(doubted(0.035, name="responsivity", unit="A/W")) if tile.name.startswith("respons")
    ]
    sure = doubted(0.9, ())
    assert next(tile for tile in _tiles(sure) if tile.name == "response to light now").value == -5.728e-7
    assert _json(sure)["response"]["value"] == -5.728e-7


@given(NUMBERS)
def test_a_number_reads_back_as_it_was_told(value):
    assert float(told(value, 6).replace("−", "-")) == pytest.approx(value, rel=1e-5)


@given(st.lists(st.floats(1e-14, 1e8), min_size=1))
def test_a_prefix_leaves_the_largest_between_one_and_a_thousand(values):
    scale, word = prefixed(values, "A")
    assert 0.999 <= max(values) / scale < 1000.001 and word.endswith("A")


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_an_axis_holds_all_that_is_near_and_its_names_are_in_order(values):
    axis = axis_of(values, "x")
    kept = near(values)
    assert axis.low < min(kept) <= max(kept) < axis.high
    places = [at for at, _ in axis.names]
    assert places == sorted(places) and len(places) <= 12
    span = axis.high - axis.low
    assert all(axis.low - 1e-9 * span <= at <= axis.high + 1e-9 * span for at in places)
    assert len(kept) >= len(values) - max(1, len(values) // 20)


@given(st.lists(st.floats(1e-9, 1e6), min_size=2, max_size=40))
def test_a_logarithmic_axis_holds_positive_values(values):
    axis = axis_of([*values, -1.0, 0.0], "x", log=True)
    assert axis.log and all(0 < axis.share(value) < 1 for value in near(values))


def test_a_value_far_off_is_left_out_of_the_axis_and_drawn_at_its_end_with_its_number():
    values = [0.3, 0.35, 0.4, 0.5, 0.45, 0.38, 19.4]
    assert near(values) == sorted(values[:-1])
    assert near([0.0, 0.1, -0.1, 0.05, -2.2, -1.5, -1.2]) == sorted([0.0, 0.1, -0.1, 0.05, -2.2, -1.5, -1.2])
    assert near([1.0, 50.0]) == [1.0, 50.0]
    marks = tuple(
        Mark(x=float(k), y=value, href="#a", title="t", run_id=f"r{k}", value=value) for k, value in enumerate(values)
    )
    y = axis_of(values, "V")
    svg = ET.fromstring(
        chart([Series(label="a", colour="#000000", symbol="circle", marks=marks)], axis_of(range(7), "n"), y, what="w")
    )
    assert [text.text for text in svg.iter(f"{SVG}text") if text.get("class", "").startswith("off")] == ["19.4"]
    assert len(list(svg.iter(f"{SVG}circle"))) == 6
    assert {float(link.get("data-value")) for link in svg.iter(f"{SVG}a")} == set(values)


def test_errors_are_drawn_where_they_are_larger_than_the_mark():
    def lines(error: float) -> int:
        marks = [
            Mark(x=float(k), y=float(k), href="#a", title="", run_id="r", value=1.0, error=error) for k in range(3)
        ]
        series = Series(label="a", colour="#000000", symbol="square", marks=tuple(marks))
        svg = ET.fromstring(chart([series], axis_of([0, 2], ""), axis_of([-1, 3], ""), what=""))
        return sum(line.get("class") == "error" for line in svg.iter(f"{SVG}line"))

    assert lines(1e-4) == 0 and lines(0.5) == 3


def test_a_sparkline_needs_two_values():
    assert sparkline([1.0], "x") == ""
    assert sparkline([1.0, 2.0, 1.5], "x").count(",") == 3


def run_at(seq: int, began: datetime | None, **more) -> RunFacts:
    fields = {
        "run_id": f"{seq:016x}", "seq": seq, "procedure": "It", "began": began, "summary": "", "has_light": True,
        "wavelength_nm": None, "source_file": "", "flags": (),
    }  # fmt: skip
    return RunFacts(**{**fields, **more})


@pytest.mark.parametrize(
    "span", [timedelta(seconds=1), timedelta(hours=3), timedelta(days=9), timedelta(days=400), timedelta(days=9000)]
)
def test_moments_along_time_are_round_and_few(span):
    zone = ZoneInfo("America/Santiago")
    first = datetime(2025, 9, 4, 15, 3, 7, tzinfo=zone)
    along = by_time([run_at(1, first), run_at(2, None), run_at(3, first + span)])
    assert 0 <= len(along.axis.names) <= 10
    assert along.place(run_at(2, None)) is None
    assert all(0 < along.axis.share(along.place(run_at(1, at))) < 1 for at in (first, first + span))
    assert all(datetime.fromtimestamp(at, zone).second == 0 for at, _ in along.axis.names)
    assert "America/Santiago" in along.axis.label


def test_days_are_bands_along_the_numbers():
    day = datetime(2025, 9, 4, 12, tzinfo=UTC)
    runs = [run_at(k + 1, day + timedelta(hours=10 * k)) for k in range(5)]
    along = by_number(runs)
    assert [band.label for band in along.bands] == ["2025-09-04", "2025-09-05", "2025-09-06"]
    assert [band.shaded for band in along.bands] == [False, True, False]
    assert along.axis.low == 0.5 and along.axis.high == 5.5
    assert all(at == math.floor(at) for at, _ in along.axis.names)


def test_flags_are_counted_by_run_and_those_of_data_come_first():
    from batchlab.devices._panel._facts import Value

    def value(name: str, *flags: str) -> Value:
        return Value(
            name=name, value=1.0, text=None, error=None, unit="V", method="m", version="1", confidence=1.0, flags=flags
        )

    runs = [
        run_at(1, None, values=(value("a", "NOISY"), value("b", "NOISY", "RISING"))),
        run_at(2, None, values=(value("a", "NOISY"),)),
        run_at(3, None, flags=("DEAD_FLAT_IVG",)),
    ]
    found = [(each.flag, each.of, [run.seq for run in each.runs]) for each in flagged(runs)]
    assert found == [("DEAD_FLAT_IVG", "the data", [3]), ("NOISY", "a, b", [1, 2])]
