from __future__ import annotations

import numpy as np
import pytest

from batchlab.spectra._terminal_plot import terminal_plot


def dots(lines: list[str], width: int, height: int) -> np.ndarray:
    """Which dots are set, (4 * height, 2 * width), told from the characters."""
    order = {
        0x01: (0, 0),
        0x02: (1, 0),
        0x04: (2, 0),
        0x40: (3, 0),
        0x08: (0, 1),
        0x10: (1, 1),
        0x20: (2, 1),
        0x80: (3, 1),
    }
    found = np.zeros((4 * height, 2 * width), dtype=bool)
    for row in range(height):
        for column in range(width):
            bits = ord(lines[row][column]) - 0x2800
            for bit, (down, right) in order.items():
                found[4 * row + down, 2 * column + right] = bool(bits & bit)
    return found


@pytest.mark.parametrize("descending", [False, True])
def test_the_band_stands_where_it_is(descending: bool) -> None:
    x = np.linspace(400.0, 4000.0, 3600)
    y = np.exp(-(((x - 1300.0) / 40.0) ** 2))
    lines = terminal_plot(x, y, width=60, height=6, descending=descending)
    shown = dots(lines, 60, 6)
    top = np.flatnonzero(shown[0])
    expected = (1300 - 400) / 3600 * 119
    assert abs(top.mean() - (119 - expected if descending else expected)) < 1.5
    assert shown[-1].sum() > 90  # the baseline
    assert lines[0].endswith(" 1") and lines[-1].split() == (["4000", "400"] if descending else ["400", "4000"])
    assert len(lines[-1]) == 60


def test_a_narrow_spike_is_not_lost() -> None:
    y = np.zeros(10_000)
    y[4321] = 1.0
    shown = dots(terminal_plot(np.arange(10_000.0), y, width=20, height=4), 20, 4)
    assert shown[0].sum() == 1 and shown[:, np.flatnonzero(shown[0])[0]].all()


def test_few_points_are_joined_and_order_does_not_matter() -> None:
    x, y = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0])
    shown = dots(terminal_plot(x, y, width=10, height=3), 10, 3)
    assert (shown.sum(axis=0) >= 1).all()
    assert np.array_equal(shown, dots(terminal_plot(np.sort(x), np.array([1.0, 0.0, 1.0]), width=10, height=3), 10, 3))


def test_a_constant_lies_in_the_middle() -> None:
    shown = dots(terminal_plot(np.arange(5.0), np.ones(5), width=5, height=2), 5, 2)
    assert set(np.flatnonzero(shown.any(axis=1))) <= {3, 4}
