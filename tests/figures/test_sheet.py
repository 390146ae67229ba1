from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import (
    Band,
    Canvas,
    Line,
    Name,
    Picture,
    Plot,
    Points,
    Role,
    Rule,
    Sheet,
    Slot,
    ellipse,
    shades,
    thumbnail,
)

X = np.linspace(0.0, 10.0, 200)


def plot(*marks, **more):
    return Plot(**({"marks": marks, "x_limits": (0, 10), "y_limits": (0, 1), "x_label": "x", "y_label": "y"} | more))


def picture(*plots, **more):
    return Picture(Sheet(**({"plots": plots, "size_in": (5, 3), "dpi": 100} | more)))


def near(shown, colour, within=60):
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.abs(shown.rgba[..., :3].astype(int) - rgb).max(axis=2) < within


def test_a_line_lies_where_its_numbers_say():
    y = 0.5 + 0.3 * np.sin(X)
    shown = picture(plot(Line(x=X, y=y, colour="#0072b2")))
    mask = near(shown, "#0072b2")
    for at in range(5, 195, 10):
        row, column = shown.pixel_at(0, X[at], y[at])
        assert mask[int(row) - 1 : int(row) + 2, int(column)].any()
    assert mask.sum() < 3000


def test_a_band_is_filled_between_its_ends_and_open_in_its_gaps():
    low, high = np.full(X.size, 0.3), np.full(X.size, 0.6)
    low[(X > 4) & (X < 6)] = np.nan
    shown = picture(plot(Band(x=X, low=low, high=high, colour="#ff0000", opacity=1.0)))
    mask = near(shown, "#ff0000")
    inside = [mask[tuple(map(int, shown.pixel_at(0, x, y)))] for x in (2, 5, 8) for y in (0.2, 0.45, 0.7)]
    assert inside == [False, True, False, False, False, False, False, True, False]


def test_points_stand_at_their_places_and_their_names_beside_them():
    points = Points(x=[2.0, 8.0, np.nan], y=[0.3, 0.7, 0.5], colour="#ff0000", names=("first", "", "nowhere"))
    shown = picture(plot(points))
    mask = near(shown, "#ff0000")
    for x, y in ((2.0, 0.3), (8.0, 0.7)):
        row, column = map(int, shown.pixel_at(0, x, y))
        assert mask[row, column]
    dark = shown.rgba[..., :3].max(axis=2) < 120

    def ink_around(x, y):
        row, column = map(int, shown.pixel_at(0, x, y))
        return dark[row - 20 : row + 20, column + 5 : column + 40].any()

    assert ink_around(2.0, 0.3)
    assert not ink_around(8.0, 0.7)
    assert not ink_around(5.0, 0.5)


def test_names_never_lie_on_each_other_and_the_first_win():
    x = np.full(40, 5.0) + np.linspace(0, 0.2, 40)
    names = tuple(f"name {k}" for k in range(40))
    shown = picture(plot(Points(x=x, y=np.full(40, 0.5), names=names)))
    texts = [text for text in shown._composed.axes[0].texts if text.get_text()]
    boxes = [text.get_window_extent() for text in texts]
    assert 2 <= len(texts) < 40
    assert texts[0].get_text() == "name 0"
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])


def test_rules_cross_the_whole_plot():
    shown = picture(
        plot(Rule(at=0.25, colour="#ff0000", role=Role.REFERENCE), Rule(at=5, upright=True, colour="#00ff00"))
    )
    left, right = (int(shown.pixel_at(0, x, 0)[1]) for x in (0.1, 9.9))
    row = int(shown.pixel_at(0, 0, 0.25)[0])
    assert near(shown, "#ff0000", 120)[row - 2 : row + 3, left:right].any(axis=0).mean() > 0.98
    column = int(shown.pixel_at(0, 5, 0)[1])
    assert near(shown, "#00ff00", 120)[:, column - 2 : column + 3].sum() > 50


def test_an_ellipse_has_its_axes():
    line = ellipse((1.0, 2.0), (3.0, 1.0), angle_deg=90)
    assert (line.y.max() - line.y.min(), line.x.max() - line.x.min()) == pytest.approx((6.0, 2.0), rel=1e-3)
    assert (line.x.mean(), line.y.mean()) == pytest.approx((1.0, 2.0), abs=0.02)


def test_shades_run_from_dark_to_light_and_are_dark_enough_for_a_line():
    colours = shades(9)
    light = [sum(int(c[at : at + 2], 16) * w for at, w in ((1, 0.2126), (3, 0.7152), (5, 0.0722))) for c in colours]
    assert light == sorted(light)
    assert max(light) < 190
    assert len(set(shades(100))) > 90
    assert shades(1) == ("#440154",)
    assert shades(0) == ()


def test_a_grid_of_plots_with_one_label_shows_numbers_only_at_its_edge():
    marks = (Line(x=X, y=X / 10, colour="#0072b2"),)
    shown = picture(*(plot(*marks, title=f"t{k}") for k in range(5)), columns=2, x_label="x all", y_label="y all")
    numbered = [
        (axes.xaxis.get_tick_params()["labelbottom"], axes.yaxis.get_tick_params()["labelleft"])
        for axes in shown._composed.axes
    ]
    assert numbered == [(False, True), (False, False), (False, True), (True, False), (True, True)]
    rows = [shown.pixel_at(k, 5, 0.5)[0] for k in range(5)]
    columns = [shown.pixel_at(k, 5, 0.5)[1] for k in range(5)]
    assert rows[0] == rows[1] < rows[2] == rows[3] < rows[4]
    assert columns[0] == columns[2] == columns[4] < columns[1] == columns[3]


def test_names_of_an_axis_stand_in_place_of_numbers_and_are_thinned_where_they_are_many():
    few = tuple(Name(at=at / 10, text=f"row {at}") for at in range(1, 6))
    shown = picture(plot(Line(x=X, y=X / 10), y_names=few))
    assert [t.get_text() for t in shown._composed.axes[0].get_yticklabels()] == [name.text for name in few]
    many = tuple(Name(at=at / 1000, text=f"row {at}") for at in range(1000))
    crowded = picture(plot(Line(x=X, y=X / 10), y_names=many))
    labels = crowded._composed.axes[0].get_yticklabels()
    assert 10 < len(labels) < 60
    boxes = [label.get_window_extent() for label in labels]
    assert all(not one.overlaps(other) for one, other in pairwise(boxes))


def test_numbers_of_a_logarithmic_axis_are_plain_text():
    shown = picture(plot(Line(x=X + 1, y=X + 1e-6), x_limits=(1, 11), y_limits=(1e-6, 1e6), y_log=True))
    texts = [t.get_text() for t in shown._composed.axes[0].get_yticklabels()]
    assert "1" in texts
    assert "10⁻⁶" in texts
    assert not any("$" in text for text in texts)


def test_nothing_is_cut_off_at_the_edge():
    names = tuple(Name(at=at / 10, text="a rather long name of a spectrum") for at in range(10))
    for right in (False, True):
        shown = picture(
            plot(Line(x=X, y=X / 10, label="line"), y_names=names, y_names_right=right, legend=True), title="t" * 300
        )
        for edge in (shown.rgba[0], shown.rgba[-1], shown.rgba[:, 0], shown.rgba[:, -1]):
            assert edge.min() == 255


def test_equal_sheets_are_equal_pictures_whatever_was_drawn_between():
    sheet = Sheet(plots=(plot(Line(x=X, y=X / 10, label="a"), legend=True),), title="t", size_in=(5, 3), dpi=100)
    first = Picture(sheet).png({"job": "a"})
    Picture(replace(sheet, title="other"))
    assert Picture(sheet).png({"job": "a"}) == first
    assert Picture(sheet).rgba.shape == (300, 500, 4)
    assert not Picture(sheet).rgba.flags.writeable
    drawn = Picture(sheet)
    assert Picture(sheet).thumbnail(100) == drawn.thumbnail(100)
    assert drawn.rgba.shape == (300, 500, 4)
    assert drawn.thumbnail(100) == thumbnail(drawn.rgba, 100)


def test_noise_that_fills_a_large_sheet_is_drawn_in_pieces():
    y = np.random.default_rng(0).random(20_000)
    shown = picture(plot(Line(x=np.linspace(0, 10, y.size), y=y, colour="#0072b2")), size_in=(10, 6), dpi=300)
    assert len(shown._composed.lines[0][2]) > 1
    mask = near(shown, "#0072b2")
    left, right = (int(shown.pixel_at(0, x, 0)[1]) for x in (0.1, 9.9))
    assert mask[:, left:right].any(axis=0).mean() > 0.99


@pytest.mark.parametrize(
    ("make", "say"),
    [
        (lambda: plot(), "shows nothing"),
        (lambda: plot(Rule(at=1), x_limits=(1, 1)), "clearly apart"),
        (lambda: plot(Rule(at=1), y_log=True), "above 0"),
        (lambda: plot(Rule(at=1), height=0), "positive"),
        (lambda: Points(x=[1, 2], y=[1], colour="#000000"), "one length"),
        (lambda: Points(x=[1, 2], y=[1, 2], names=("a",)), "one each|give one"),
        (lambda: Band(x=[1, 2], low=[1, 2], high=[1]), "upper end"),
        (lambda: Sheet(plots=()), "at least one"),
        (lambda: Sheet(plots=(plot(Rule(at=1)),), columns=0), "columns=1"),
        (lambda: Sheet(plots=(plot(Rule(at=1)),), dpi=-1), "above 0"),
        (lambda: picture(plot(Rule(at=1)), size_in=(0.3, 0.3)), "too small"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, say):
    with pytest.raises(PlotError, match=say):
        make()


def peaked(bare, **more):
    kind = bare()
    slots = (Slot(label="c", role=Role.DIFFERENCE), Slot(label="peaks", role=Role.PEAK, **more))
    return Canvas(replace(kind, panels=(replace(kind.panels[0], slots=slots),), x_limits=(0.0, 400.0)))


def test_peaks_of_a_canvas_are_marked_and_named_as_far_as_there_is_room(bare):
    canvas = peaked(bare, labelled=True)
    x = np.linspace(0, 400, 400)
    peaks = [100.0, 104.0, 300.0, 900.0], [0.5, 0.5, 0.99, 0.5]
    canvas.draw([[(x, np.full(400, 0.1)), peaks]])
    marked = near(canvas, "#8c2d04", 80)
    for at, height in ((100.0, 0.5), (300.0, 0.99)):
        row, column = map(int, canvas.pixel_at(0, at, height))
        assert marked[row - 8 : row + 1, column - 4 : column + 5].any()
    plain = peaked(bare)
    plain.draw([[(x, np.full(400, 0.1)), peaks]])
    changed = (canvas.rgba != plain.rgba).any(axis=2)
    columns = np.flatnonzero(changed.any(axis=0))
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 10) + 1)
    assert len(groups) == 2, "one name at 100, one at 300; 104 has no room, 900 is out of sight"
    top = int(canvas.pixel_at(0, 0, 1.0)[0])
    assert not changed[: top - 2].any(), "a name may not leave the panel"
    canvas.draw([[(x, np.full(400, 0.1)), ([], [])]])
    plain.draw([[(x, np.full(400, 0.1)), ([], [])]])
    np.testing.assert_array_equal(canvas.rgba, plain.rgba)


def test_a_band_of_a_kind_lies_behind_its_curves_and_is_part_of_its_key(bare):
    kind = bare()
    band = Band(x=[2.0e9, 2.0e9 + 5], low=[0.2, 0.2], high=[0.8, 0.8], colour="#ff0000", opacity=1.0)
    banded = replace(kind, panels=(replace(kind.panels[0], bands=(band,)),), x_limits=(2.0e9, 2.0e9 + 10))
    assert banded.key != replace(banded, panels=(replace(kind.panels[0], bands=(replace(band, opacity=0.5),)),)).key
    canvas = Canvas(banded)
    canvas.draw([[([2.0e9, 2.0e9 + 10], [0.5, 0.5])]])
    red, blue = near(canvas, "#ff0000"), near(canvas, "#0072b2")
    at = {x: int(canvas.pixel_at(0, 2.0e9 + x, 0.5)[1]) for x in (2.5, 7.5)}
    row = int(canvas.pixel_at(0, 2.0e9, 0.35)[0])
    assert red[row, at[2.5]]
    assert not red[row, at[7.5]]
    middle = int(canvas.pixel_at(0, 2.0e9, 0.5)[0])
    assert blue[middle - 1 : middle + 2, at[2.5]].any()
