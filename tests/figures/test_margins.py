"""Plots at fixed places: margins and gaps in inches, whatever the size of the sheet."""

import numpy as np
import pytest

from batchlab.figures import Line, Plot, Sheet
from batchlab.figures._compose import compose
from batchlab.figures._stage import pinned

CURVE = Line(x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]))


def boxes(columns, count, size_in, title=""):
    plot = Plot(marks=(CURVE,), x_limits=(0, 1), y_limits=(0, 1))
    sheet = Sheet(
        plots=(plot,) * count,
        columns=columns,
        size_in=size_in,
        dpi=100,
        title=title,
        margins_in=(0.8, 0.2, 0.4, 0.6),
        gaps_in=(0.7, 0.5),
    )
    with pinned():
        made = compose(sheet)
        found = [axes.get_position().bounds for axes in made.axes]
        top = made.figure._suptitle.get_position()[1] if title else None
    width, height = size_in
    return np.array([(x * width, y * height, w * width, h * height) for x, y, w, h in found]), top


@pytest.mark.parametrize(("columns", "count", "size_in"), [(1, 1, (5, 4)), (2, 4, (8, 6)), (3, 9, (12, 14))])
def test_gaps_and_margins_are_in_inches(columns, count, size_in):
    found, _ = boxes(columns, count, size_in)
    lefts, bottoms = np.unique(found[:, 0].round(3)), np.unique(found[:, 1].round(3))
    wide, high = found[0, 2], found[0, 3]
    assert lefts[0] == pytest.approx(0.8, abs=0.01) and bottoms[0] == pytest.approx(0.6, abs=0.01)
    assert np.diff(lefts) - wide == pytest.approx(0.7, abs=0.01)
    assert np.diff(bottoms) - high == pytest.approx(0.5, abs=0.01)
    assert lefts[-1] + wide == pytest.approx(size_in[0] - 0.2, abs=0.01)
    assert bottoms[-1] + high == pytest.approx(size_in[1] - 0.4, abs=0.01)


@pytest.mark.parametrize("height", [4.0, 20.0])
def test_a_title_stands_above_the_plots_of_a_high_sheet_too(height):
    _, top = boxes(2, 4, (8, height), title="all of them")
    assert (1 - top) * height == pytest.approx(0.09, abs=0.01)
