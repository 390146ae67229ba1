"""Numbers along logarithmic axes."""

import numpy as np
import pytest

from batchlab.figures import Picture, Plot, Points, Sheet
from batchlab.figures._artists import between_powers, power
from batchlab.figures._compose import compose
from batchlab.figures._stage import pinned


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-6, "10⁻⁶"),
        (2e-6, "2×10⁻⁶"),
        (0.01, "0.01"),
        (100.0, "100"),
        (1e4, "10⁴"),
        (3e5, "3×10⁵"),
        (9.99e-4, "9.99×10⁻⁴"),
    ],
)
def test_powers_as_text(value, text):
    assert power(value) == text


def shown(low, high, log="x"):
    """The texts along an axis, as they are drawn, from low to high."""
    points = Points(x=np.array([low, high]), y=np.array([low, high]))
    plot = Plot(marks=(points,), x_limits=(low, high), y_limits=(low, high), x_log=log == "x", y_log=log == "y")
    sheet = Sheet(plots=(plot,), size_in=(4, 3), dpi=72)
    Picture(sheet)
    with pinned():
        made = compose(sheet)
        made.figure.canvas.draw()
        axis = getattr(made.axes[0], f"{log}axis")
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        seen = [(tick.get_loc(), tick.label1.get_text()) for tick in ticks if low <= tick.get_loc() <= high]
    return [text for _, text in sorted(seen) if text]


@pytest.mark.parametrize("log", ["x", "y"])
@pytest.mark.parametrize(
    ("low", "high"),
    [
        (3.0, 30.0),
        (2.1, 9.4),
        (5.1e-6, 5.6e-6),
        (1.2e-9, 8e-9),
        (4.0, 12.0),
        (40.0, 41.0),
        (0.9, 1.1),
        (2.0, 3.0),
        (11, 99),
    ],
)
def test_a_decade_and_less_has_numbers_at_two_places_or_more(low, high, log):
    texts = shown(low, high, log)
    assert 2 <= len(texts) <= 12
    assert len(set(texts)) == len(texts)


def test_many_decades_have_powers_alone():
    assert shown(1e-6, 1.0) == ["10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1"]
    assert shown(0.5, 200.0) == ["1", "10", "100"]


def test_a_picture_with_nothing_above_zero_in_sight_has_no_texts_between():
    assert between_powers(2.0, (0.0, 0.0)) == ""
    assert between_powers(-1.0, (1.0, 2.0)) == ""
