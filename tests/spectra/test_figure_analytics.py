"""Pictures of a batch's analysis, by what they show where."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import CYCLE, PALETTE, Role
from batchlab.spectra import AxisKind, Quantity
from batchlab.spectra._figure import look_for
from batchlab.spectra._figure_analytics import draw_control_chart, draw_loadings, draw_scores, draw_t2_q

SIZE = {"size_in": (6.0, 4.5), "dpi": 100.0}
OUTLIER = "#D55E00"


def near(picture, colour, within=80):
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.abs(picture.rgba[..., :3].astype(int) - rgb).max(axis=2) < within


def shown_at(picture, mask, x, y, plot=0, reach=2):
    row, column = map(int, picture.pixel_at(plot, x, y))
    return mask[row - reach : row + reach + 1, column - reach : column + reach + 1].any()


def texts(picture):
    return {text.get_text() for text in picture._composed.axes[0].texts}


def legend(picture):
    return [text.get_text() for text in picture._composed.axes[0].get_legend().get_texts()]


@pytest.fixture
def scores():
    found = np.random.default_rng(4).standard_normal((60, 3))
    found[7] = (8.0, 5.0, 0.0)
    return found


def test_scores_stand_in_the_colour_of_their_group_and_outliers_are_ringed_and_named(scores):
    names = [f"s{k}" for k in range(60)]
    groups = ["a"] * 30 + ["b"] * 29 + [None]
    outliers = [k == 7 for k in range(60)]
    picture = draw_scores(scores, names, groups, ellipse_axes=(3.0, 2.0), outliers=outliers, **SIZE)
    assert shown_at(picture, near(picture, CYCLE[0]), 8.0, 5.0)
    assert shown_at(picture, near(picture, CYCLE[1]), *scores[40, :2])
    assert shown_at(picture, near(picture, OUTLIER), 8.0, 5.0, reach=8)
    assert not shown_at(picture, near(picture, OUTLIER, 40), *scores[40, :2], reach=3)
    assert texts(picture) == {"s7"}
    assert legend(picture) == ["95 % limit", "stands out", "a", "b", "no group"]
    limit = near(picture, PALETTE[Role.LIMIT].colour, 40)
    on = [shown_at(picture, limit, 3.0 * np.cos(t), 2.0 * np.sin(t), reach=6) for t in np.linspace(0.1, 6.2, 30)]
    assert np.mean(on) > 0.8
    assert picture._composed.axes[0].get_xlabel() == "Score 1"


def test_a_few_scores_are_all_named(scores):
    picture = draw_scores(scores[:6], [f"s{k}" for k in range(6)], **SIZE)
    assert texts(picture) == {f"s{k}" for k in range(6)}
    assert picture._composed.axes[0].get_legend() is None


def test_t2_and_q_have_their_limits_and_a_far_one_makes_its_axis_logarithmic():
    t2, q = np.array([1.0, 2.0, 3.0, 900.0]), np.array([0.1, 0.2, 0.9, 0.1])
    picture = draw_t2_q(t2, q, list("abcd"), t2_limit=9.0, q_limit=0.5, outliers=[False, False, True, True], **SIZE)
    axes = picture._composed.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    for x, y in zip(t2, q, strict=True):
        assert shown_at(picture, near(picture, CYCLE[0]), x, y)
    limit = near(picture, PALETTE[Role.LIMIT].colour, 40)
    assert sum(shown_at(picture, limit, 9.0, y) for y in np.linspace(0.05, 0.9, 30)) > 15
    assert sum(shown_at(picture, limit, x, 0.5) for x in np.geomspace(1.2, 800, 30)) > 15
    assert {"c", "d"} <= texts(picture)
    plain = draw_t2_q(t2[:3], q[:3], list("abc"), **SIZE)
    assert plain._composed.axes[0].get_xscale() == "linear"
    draw_t2_q(np.zeros(3), np.zeros(3), list("abc"), t2_limit=1e-9, q_limit=1.0, **SIZE)


def test_a_control_chart_has_its_lines_and_names_what_lies_outside():
    values = np.full(50, 1.0)
    values[20], values[30] = 1.6, np.nan
    names = [f"leaf_{k}" for k in range(50)]
    for outside in ([20], [k == 20 for k in range(50)]):
        picture = draw_control_chart(
            values,
            names,
            label="Correlation",
            centre=1.0,
            limits=(0.7, 1.3),
            warning=(0.8, 1.2),
            outside=outside,
            **SIZE,
        )
        assert shown_at(picture, near(picture, OUTLIER), 21.0, 1.6)
        assert texts(picture) == {"leaf_20"}
        assert legend(picture) == ["centre", "control limits", "warning limits", "outside"]
    assert shown_at(picture, near(picture, CYCLE[0]), 11.0, 1.0)
    limit = near(picture, PALETTE[Role.LIMIT].colour, 40)
    for at in (0.7, 1.3):
        assert sum(shown_at(picture, limit, x, at) for x in range(2, 50)) > 25
    assert picture._composed.axes[0].get_xlabel() == "Spectrum, in order"


def test_a_short_chart_names_its_spectra_along_the_axis():
    picture = draw_control_chart([1.0, 2.0], ["one", "two"], label="Level", centre=1.5, limits=(0.0, 3.0), **SIZE)
    assert [label.get_text() for label in picture._composed.axes[0].get_xticklabels()] == ["one", "two"]
    draw_control_chart([1.0], ["one"], label="Level", centre=1.0, limits=(0.0, 3.0), outside=[0], **SIZE)
    draw_control_chart([np.nan] * 3, ["a", "b", "c"], label="Level", centre=1.0, limits=(0.0, 3.0), **SIZE)


def test_loadings_stand_below_each_other_on_the_axis_of_the_spectra():
    axis = np.linspace(4000.0, 400.0, 100)
    rows = np.array([np.sin(axis / 300), np.cos(axis / 300)])
    look = look_for(axis, rows, axis_kind=AxisKind.WAVENUMBER, axis_unit="cm-1", quantity=Quantity.ABSORBANCE, **SIZE)
    picture = draw_loadings(axis, rows, ["1 (80 %)", "2 (15 %)"], look)
    for plot, row in enumerate(rows):
        for k in (10, 50, 90):
            assert shown_at(picture, near(picture, CYCLE[0]), axis[k], row[k], plot)
    assert picture.pixel_at(0, 4000.0, 0.0)[1] < picture.pixel_at(0, 400.0, 0.0)[1]
    assert [axes.get_ylabel() for axes in picture._composed.axes] == ["1 (80 %)", "2 (15 %)"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: draw_scores(np.zeros((3, 1)), list("abc")),
        lambda: draw_scores(np.zeros((3, 2)), list("ab")),
        lambda: draw_t2_q([1, 2], [1], list("ab")),
        lambda: draw_control_chart([1, 2], ["a"], label="l", centre=0, limits=(0, 1)),
        lambda: draw_loadings(np.arange(3), np.zeros((1, 2)), ["a"], None),
    ],
)
def test_arrays_that_do_not_match_are_refused(make):
    with pytest.raises(PlotError, match="give"):
        make()
