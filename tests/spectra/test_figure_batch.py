"""Pictures of many spectra, by what they show where."""

from __future__ import annotations

import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import CYCLE, Band, Role, shades
from batchlab.spectra import AxisKind, Quantity
from batchlab.spectra._figure import look_for
from batchlab.spectra._figure_batch import (
    draw_heat_map,
    draw_multiples,
    draw_overlay,
    draw_stack,
    draw_waterfall,
    edges_of,
)
from batchlab.spectra._figure_places import hidden_shares

AXIS = np.linspace(4000.0, 400.0, 361)
CENTRES = (1000.0, 2000.0, 3000.0)
ROWS = np.array([np.exp(-(((AXIS - centre) / 150.0) ** 2)) for centre in CENTRES])
NAMES = ["first", "second", "third"]
LOOK = look_for(
    AXIS,
    ROWS,
    axis_kind=AxisKind.WAVENUMBER,
    axis_unit="cm-1",
    quantity=Quantity.ABSORBANCE,
    size_in=(6.0, 4.0),
    dpi=200.0,
)


def near(picture, colour, within=60):
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.abs(picture.rgba[..., :3].astype(int) - rgb).max(axis=2) < within


def shown_at(picture, mask, x, y, plot=0, reach=3):
    row, column = map(int, picture.pixel_at(plot, x, y))
    return mask[row - reach : row + reach + 1, column - reach : column + reach + 1].any()


def labels(picture, plot=0):
    axes = picture._composed.axes[plot]
    return axes.get_xlabel(), axes.get_ylabel()


def test_a_look_of_a_batch_has_labels_direction_and_limits():
    assert LOOK.x_label == "Wavenumber / cm⁻¹"
    assert LOOK.overlay_label == "Absorbance"
    assert LOOK.difference_label == "Difference of absorbance"
    assert LOOK.x_limits == (4000.0, 400.0)
    assert LOOK.overlay_limits[0] < 0.0 < 1.0 < LOOK.overlay_limits[1]
    raman = look_for(AXIS, ROWS, axis_kind=AxisKind.RAMAN_SHIFT, quantity=Quantity.COUNTS, treatment="snv")
    assert raman.x_limits == (400.0, 4000.0)
    assert raman.overlay_label == "Counts (snv)"


def test_an_overlay_shows_each_spectrum_in_its_colour_and_the_band_behind():
    band = Band(x=AXIS, low=ROWS[0] + 0.3, high=ROWS[0] + 0.6, label="band", role=Role.REFERENCE, opacity=1.0)
    picture = draw_overlay(AXIS, ROWS, NAMES, LOOK, bands=[band])
    for k, centre in enumerate(CENTRES):
        assert shown_at(picture, near(picture, CYCLE[k]), centre, 1.0)
    assert shown_at(picture, near(picture, "#000000"), 3500.0, 0.45)
    assert not shown_at(picture, near(picture, "#000000"), 3500.0, 0.75)
    assert labels(picture) == ("Wavenumber / cm⁻¹", "Absorbance")
    assert [text.get_text() for text in picture._composed.axes[0].get_legend().get_texts()] == ["band", *NAMES]


def test_groups_share_a_colour_and_an_entry():
    picture = draw_overlay(AXIS, ROWS, NAMES, LOOK, groups=["a", "b", "a"], mean=ROWS.mean(axis=0))
    assert shown_at(picture, near(picture, CYCLE[0]), CENTRES[2], 1.0)
    assert [text.get_text() for text in picture._composed.axes[0].get_legend().get_texts()] == ["a", "b", "mean"]


def test_a_stack_shifts_each_spectrum_by_the_offset():
    picture = draw_stack(AXIS, ROWS, NAMES, LOOK, offset=2.0)
    for k, centre in enumerate(CENTRES):
        mask = near(picture, CYCLE[k])
        assert shown_at(picture, mask, centre, 1.0 + 2.0 * k)
        assert not shown_at(picture, mask, centre, 1.0 + 2.0 * (k + 1 if k < 2 else 0))
    assert picture.sheet.title == "3 spectra, each shifted by 2"
    texts = picture._composed.axes[0].texts
    assert [text.get_text() for text in texts] == NAMES
    assert [text.get_color() for text in texts] == list(CYCLE[:3])


def test_names_of_a_stack_never_lie_on_each_other():
    rows = np.repeat(ROWS[:1], 30, axis=0)
    picture = draw_stack(AXIS, rows, [f"n{k}" for k in range(30)], LOOK, offset=1e-3)
    boxes = [text.get_window_extent() for text in picture._composed.axes[0].texts]
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])


def test_a_waterfall_hides_what_lies_behind():
    rows = np.array([np.where(np.abs(AXIS - 2200) < 600, 1.0, 0.0), np.full(AXIS.size, 0.1)])
    picture = draw_waterfall(AXIS, rows, ["front", "back"], LOOK)
    behind = near(picture, CYCLE[1])
    up = 0.18  # two spectra: a share of the height, at most
    aside = 0.22 * (400 - 4000)
    assert not shown_at(picture, behind, 2200.0, 0.1 + up)
    assert shown_at(picture, behind, 1000.0, 0.1 + up)
    assert not shown_at(picture, behind, 3900.0, 0.1 + up), "the one behind begins to the right"
    assert shown_at(picture, behind, 450.0 + aside, 0.1 + up)
    assert shown_at(picture, near(picture, CYCLE[0]), 2200.0, 1.0)
    ticks = [label.get_text() for label in picture._composed.axes[0].get_xticklabels()]
    assert ticks == ["1000", "2000", "3000", "4000"]


def test_what_is_hidden_in_a_waterfall_is_known():
    high, low = np.full(AXIS.size, 1.0), np.zeros(AXIS.size)
    assert hidden_shares(AXIS, np.array([low, high]), LOOK).tolist() == [0.0, 0.0]
    front, back = hidden_shares(AXIS, np.array([high, low]), LOOK)
    assert front == 0.0
    assert back == pytest.approx(0.78, abs=0.005), "all but what looks out on the right"
    assert hidden_shares(AXIS[::-1], np.array([high, low]), LOOK)[1] == pytest.approx(back)
    gap = np.where(AXIS < 2200, np.nan, 1.0)
    assert hidden_shares(AXIS, np.array([gap, low]), LOOK)[1] == pytest.approx(0.5 - 0.22, abs=0.005)
    assert hidden_shares(AXIS, np.array([np.where(AXIS < 0, low, np.nan), low]), LOOK).tolist() == [0.0, 0.0]


def test_a_heat_map_has_a_row_for_each_spectrum_the_first_on_top():
    picture = draw_heat_map(AXIS, ROWS, NAMES, LOOK)
    bright = picture.rgba[..., 0].astype(int)

    def at(x, row):
        return bright[tuple(map(int, picture.pixel_at(0, x, row)))]

    for k in range(3):
        assert [at(centre, k) > 200 for centre in CENTRES] == [other == k for other in range(3)]
    assert picture.pixel_at(0, 400, 0)[0] < picture.pixel_at(0, 400, 2)[0]
    assert [label.get_text() for label in picture._composed.axes[0].get_yticklabels()] == NAMES
    gap = ROWS.copy()
    gap[1, 100:200] = np.nan
    holed = draw_heat_map(AXIS, gap, NAMES, LOOK, diverging=True)
    row, column = map(int, holed.pixel_at(0, AXIS[150], 1))
    assert holed.rgba[row, column].tolist() == [255, 255, 255, 255]


def test_cells_end_halfway_between_points():
    assert edges_of(np.array([1.0, 2.0, 4.0])).tolist() == [0.5, 1.5, 3.0, 5.0]
    assert edges_of(np.array([4.0, 2.0])).tolist() == [5.0, 3.0, 1.0]


def test_small_multiples_show_each_spectrum_in_its_own_plot():
    picture = draw_multiples(AXIS, ROWS, NAMES, LOOK, reference=ROWS[0], outliers=[False, False, True])
    titles = [axes.get_title() for axes in picture._composed.axes]
    assert titles == NAMES
    for plot, centre in enumerate(CENTRES):
        colour = "#D55E00" if plot == 2 else CYCLE[0]
        assert shown_at(picture, near(picture, colour), centre, 1.0, plot)
        other = CENTRES[(plot + 1) % 3]
        assert not shown_at(picture, near(picture, colour), other, 1.0, plot)
    assert shown_at(picture, near(picture, "#b0b0b0", 40), CENTRES[0], 1.0, 2)
    with pytest.raises(PlotError, match="heat map"):
        draw_multiples(AXIS, np.repeat(ROWS, 50, axis=0), ["n"] * 150, LOOK)


@pytest.mark.parametrize("draw", [draw_overlay, draw_stack, draw_waterfall, draw_heat_map, draw_multiples])
def test_one_spectrum_and_many_constant_ones_can_be_drawn_in_every_way(draw):
    draw(AXIS, ROWS[:1], NAMES[:1], LOOK)
    draw(AXIS, np.full((20, AXIS.size), 3.0), [f"n{k}" for k in range(20)], LOOK)
    with pytest.raises(PlotError, match="names"):
        draw(AXIS, ROWS, NAMES[:2], LOOK)


@pytest.mark.parametrize("draw", [draw_overlay, draw_stack, draw_waterfall, draw_heat_map])
def test_gaps_stay_gaps(draw):
    rows = ROWS.copy()
    rows[:, (AXIS > 1900) & (AXIS < 2100)] = np.nan
    picture = draw(AXIS, rows, NAMES, LOOK)
    assert picture.rgba[..., :3].min() < 100


def test_many_spectra_are_told_apart_by_lightness():
    rows = np.repeat(ROWS[:1], 40, axis=0)
    picture = draw_stack(AXIS, rows, [f"n{k}" for k in range(40)], LOOK, offset=1.0)
    colours = shades(40)
    for k in (0, 20, 39):
        assert shown_at(picture, near(picture, colours[k], 40), CENTRES[0], k + 1.0)
