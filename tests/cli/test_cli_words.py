from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.cli._words import duration, duration_range, one_line, plain, size


@pytest.mark.parametrize(
    ("low_s", "high_s", "words"),
    [
        (0.0, 0.2, "less than 1 s"),
        (3.2, 6.8, "3-7 s"),
        (42.0, 88.0, "40-90 s"),
        (12.2 * 60, 17.6 * 60, "12-18 min"),
        (0.0, 170.0, "up to 3 min"),
        (3600.0, 2.4 * 3600, "1-2.5 h"),
        (180.0, 180.0, "about 3 min"),
        (3 * 86400.0, 3.4 * 86400, "3-3.5 d"),
    ],
)
def test_a_range_is_said_in_one_unit(low_s, high_s, words):
    assert duration_range(low_s, high_s) == words


UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_a_range_never_promises_more_than_is_known(a, b):
    low_s, high_s = sorted((a, b))
    words = duration_range(low_s, high_s).removeprefix("up to ").removeprefix("about ")
    if words == "less than 1 s":
        assert high_s < 1
        return
    figures, unit = words.split()
    told = [float(figure) * UNITS[unit] for figure in figures.split("-")]
    assert told[-1] >= high_s * (1 - 1e-9)
    if len(told) == 2:
        assert told[0] <= low_s * (1 + 1e-9)


@given(st.text(st.characters()))
def test_no_name_steers_the_terminal(name):
    shown = one_line(name)
    assert "\n" not in shown
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown)
    shown.encode()
    plain(name).encode()


def test_durations_and_sizes():
    assert [duration(s) for s in (0.416, 42.4, 192.0, 7500.0, None)] == [
        "0.42 s",
        "42 s",
        "3 min 12 s",
        "2 h 05 min",
        "-",
    ]
    assert duration(0.4, coarse=True) == "0 s"
    assert [size(n) for n in (512, 1_234, 45_000_000, None)] == ["512 B", "1.2 kB", "45 MB", "-"]
