from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.cli._words import (
    duration,
    duration_range,
    failure_word,
    moment,
    one_line,
    plain,
    size,
    task_word,
    time_left,
)


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
    assert [duration(s) for s in (0.0123, 0.416, 42.4, 192.0, 7500.0, None)] == [
        "12 ms",
        "0.42 s",
        "42 s",
        "3 min 12 s",
        "2 h 05 min",
        "-",
    ]
    assert duration(0.4, coarse=True) == "0 s"
    assert [size(n) for n in (512, 1_234, 45_000_000, None)] == ["512 B", "1.2 kB", "45 MB", "-"]


@pytest.mark.parametrize(
    ("range_s", "words"),
    [
        ((0.0, 0.3, 0.8), "less than 1 s"),
        ((3.6, 4.1, 4.5), "about 4 s"),
        ((3.0, 4.0, 5.0), "3-5 s"),
        ((0.5, 1.6, 3.1), "about 2 s"),
        ((0.0, 3.0, 8.0), "up to 8 s"),
        ((170.0, 180.0, 190.0), "about 3 min"),
    ],
)
def test_a_narrow_range_is_one_figure_and_a_bound_is_the_last_resort(range_s, words):
    assert time_left(*range_s) == words


def test_the_reason_of_a_failure_is_not_told_twice():
    assert failure_word("generic", "ValueError", "ValueError: no good") == "generic: ValueError: no good"
    assert failure_word("invalid-input", "truncated", "cut off") == "invalid-input (truncated): cut off"
    assert failure_word("crash", "SIGKILL") == "crash (SIGKILL)"


def test_moments_and_tasks():
    assert moment("2026-11-21T09:56:56.123Z") == "2026-11-21 09:56:56 UTC"
    assert moment("some day") == "some day"
    assert [task_word(t) for t in ("spectra.compare", "/a/b/mine.py:count")] == ["spectra.compare", "mine.py:count"]
