"""Ticks of times, energies, angles and decades."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.particles._draw._ticks import angle_ticks, clock, linear_ticks, log_ticks, power_left_out, time_ticks

NOON = datetime(2000, 1, 6, 12, 0, tzinfo=UTC).timestamp()


def times(start: float, end: float, most: int = 6) -> list[str]:
    return [tick.text for tick in time_ticks((start, end), lambda _: most)]


def test_times_are_utc_at_whole_minutes() -> None:
    assert times(NOON + 33, NOON + 3600) == ["12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]


def test_under_two_minutes_seconds_are_told() -> None:
    assert times(NOON, NOON + 119) == ["12:00:00", "12:00:20", "12:00:40", "12:01:00", "12:01:20", "12:01:40"]
    assert times(NOON, NOON + 300) == ["12:00", "12:01", "12:02", "12:03", "12:04", "12:05"]


def test_parts_of_seconds_and_days_have_ticks_too() -> None:
    assert times(NOON, NOON + 0.5)[:2] == ["12:00:00.0", "12:00:00.1"]
    assert times(NOON, NOON + 4 * 86_400) == ["2000-01-07", "2000-01-08", "2000-01-09", "2000-01-10"]


def test_seconds_with_parts_go_on_to_the_next_minute() -> None:
    assert times(NOON + 59.8, NOON + 60.2) == ["12:00:59.8", "12:00:59.9", "12:01:00.0", "12:01:00.1", "12:01:00.2"]


def test_beyond_a_day_its_date_stands_with_the_hour() -> None:
    assert times(NOON, NOON + 40 * 3600, most=4)[:2] == ["01-06 12:00", "01-07 00:00"]


def test_a_time_a_hair_below_a_second_is_that_second() -> None:
    assert clock(NOON - 1e-7, "%H:%M:%S") == "12:00:00"


@given(start=st.floats(-1e9, 4e9), length=st.floats(0.01, 3e8), most=st.integers(2, 12))
def test_times_lie_within_their_span_and_fit(start: float, length: float, most: int) -> None:
    ticks = time_ticks((start, start + length), lambda _: most)
    assert len(ticks) <= most
    assert all(start - 1e-6 * length <= tick.at <= start + length * (1 + 1e-6) for tick in ticks)


@pytest.mark.parametrize(
    ("limits", "most", "texts"),
    [
        ((0.0, 4000.0), 4, ["0", "1000", "2000", "3000", "4000"]),
        ((0.0, 1.0), 4, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ((-1.0, 1.0), 4, ["\N{MINUS SIGN}1.0", "\N{MINUS SIGN}0.5", "0.0", "0.5", "1.0"]),
    ],
)
def test_numbers_of_a_linear_axis_are_round(limits: tuple[float, float], most: int, texts: list[str]) -> None:
    assert [tick.text for tick in linear_ticks(limits, most)] == texts


def test_large_numbers_leave_out_their_power_of_ten() -> None:
    limits = (1e6, 2.5e8)
    exponent = power_left_out(limits)
    assert exponent == 8
    assert [tick.text for tick in linear_ticks(limits, 5, exponent=exponent)] == ["0.5", "1.0", "1.5", "2.0", "2.5"]
    assert power_left_out((0.0, 3000.0)) == 0


def test_decades_have_texts_and_between_them_are_ticks_without() -> None:
    ticks = log_ticks((4.0, 30_000.0), 6)
    assert [tick.text for tick in ticks if tick.text] == ["10", "100", "1000", "10⁴"]
    assert [tick.at for tick in ticks if 10 < tick.at < 100] == pytest.approx([20, 30, 40, 50, 60, 70, 80, 90])


def test_many_decades_skip_some_and_few_have_more() -> None:
    assert [tick.text for tick in log_ticks((1e-20, 1e-8), 5) if tick.text] == ["10⁻¹⁸", "10⁻¹⁵", "10⁻¹²", "10⁻⁹"]
    assert [tick.text for tick in log_ticks((15.0, 300.0), 6) if tick.text] == ["20", "50", "100", "200"]
    assert [tick.text for tick in log_ticks((2e4, 4e4), 4) if tick.text] == [
        "2×10⁴",
        "2.5×10⁴",
        "3×10⁴",
        "3.5×10⁴",
        "4×10⁴",
    ]


@given(low=st.floats(1e-30, 1e30), decades=st.floats(0.01, 40), most=st.integers(2, 8))
def test_ticks_of_a_logarithm_lie_within_its_limits(low: float, decades: float, most: int) -> None:
    high = low * 10**decades
    ticks = log_ticks((low, high), most)
    assert all(low * (1 - 1e-6) <= tick.at <= high * (1 + 1e-6) for tick in ticks)


def test_angles_are_parts_of_a_turn() -> None:
    assert [tick.text for tick in angle_ticks((0.0, 180.0), 6)] == ["0", "30", "60", "90", "120", "150", "180"]
    assert [tick.text for tick in angle_ticks((0.0, 360.0), 5)] == ["0", "90", "180", "270", "360"]
