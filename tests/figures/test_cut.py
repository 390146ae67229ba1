"""What leaves its panel is told in the picture."""

from dataclasses import replace

import numpy as np
import pytest

from batchlab.figures import PALETTE, Canvas, Line, Panel, Picture, Plot, Role, Sheet, Slot
from batchlab.figures import _cut as cut

X = np.linspace(0.0, 10.0, 201)
WAVE = 0.5 + 0.3 * np.sin(X)
SENTENCE = (0x8C, 0x2D, 0x04)


def near(pixels, colour, within=40):
    return np.abs(pixels[..., :3].astype(int) - colour).max(axis=2) < within


def rgb(role):
    return [int(PALETTE[role].colour[at : at + 2], 16) for at in (1, 3, 5)]


def drawn(bare, y, **more):
    canvas = Canvas(bare(**more))
    canvas.draw([[(X, y)]])
    return canvas


def words(monkeypatch, bare, y, **more):
    """What is written into the panel."""
    written = []
    whole = cut._sentence

    def heard(*given):
        made = whole(*given)
        written.extend(text.get_text() for text in made)
        return made

    monkeypatch.setattr(cut, "_sentence", heard)
    drawn(bare, y, **more)
    return written


def test_a_picture_that_shows_all_says_nothing(bare, monkeypatch):
    assert words(monkeypatch, bare, WAVE) == []
    assert words(monkeypatch, bare, WAVE / WAVE.max()) == [], "it may touch the edge"
    assert words(monkeypatch, bare, np.where(X > 5, np.inf, WAVE)) == [], "an infinity is a gap"


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.where(X > 8, 106.0, 0.4), "sample reaches from 0.4 to 106; cut at 1"),
        (np.where(X > 8, -3.0, 0.4), "sample reaches from −3 to 0.4; cut at 0"),
        (np.where(X > 8, -3.0, 7.0), "sample lies out of sight, from −3 to 7; cut at 0 and 1"),
        (80 + WAVE, "sample lies out of sight, from 80.2 to 80.8; cut at 1"),
        (np.where(X > 8, 17940.3, -2e8), "sample lies out of sight, from −2e+08 to 17940; cut at 0 and 1"),
        (np.where(X > 8, 106.0, 1e-18), "sample reaches from 0 to 106; cut at 1"),
    ],
)
def test_the_panel_says_how_far_a_curve_reaches(bare, monkeypatch, y, said):
    panel = Panel(y_label="y (1)", y_limits=(0.0, 1.0), slots=(Slot(label="sample", role=Role.DIFFERENCE),))
    assert words(monkeypatch, bare, y, panels=(panel,), size_in=(8.0, 4.0)) == [said]


def test_what_lies_beyond_the_ends_of_x_is_not_cut(bare, monkeypatch):
    assert words(monkeypatch, bare, np.where(X > 8, 100.0, 0.5), x_limits=(0.0, 7.9)) == []


@pytest.mark.parametrize("limits", [(0.0, 1.0), (1.0, 0.0)])
@pytest.mark.parametrize("high", [True, False])
def test_an_arrow_stands_where_the_curve_is_farthest_out(bare, high, limits):
    away = 5.0 * np.exp(-(((X - 7.0) / 0.5) ** 2))
    panel = replace(bare().panels[0], y_limits=limits)
    canvas = drawn(bare, 0.5 + (away if high else -away), panels=(panel,), size_in=(8.0, 4.0))
    row, column = canvas.pixel_at(0, 7.0, 1.0 if high else 0.0)
    inward = 1 if (high == (limits[0] < limits[1])) else -1
    at = int(row + inward * 0.7 * cut._ARROW_PT / 72 * canvas.dpi)
    role = canvas.kind.panels[0].slots[0].role
    assert near(canvas.rgba, rgb(role))[at - 1 : at + 2, int(column) - 1 : int(column) + 2].sum() >= 6


def test_a_curve_wholly_out_of_sight_leaves_no_empty_panel(bare):
    canvas = drawn(bare, 80 + WAVE, size_in=(8.0, 4.0))
    top, left = canvas.pixel_at(0, 0.0, 1.0)
    bottom, right = canvas.pixel_at(0, 10.0, 0.0)
    panel = canvas.rgba[int(top) + 2 : int(bottom) - 2, int(left) + 2 : int(right) - 2]
    assert near(panel, SENTENCE).sum() > 50
    assert near(panel, rgb(canvas.kind.panels[0].slots[0].role)).sum() > 10


def test_the_next_picture_is_told_nothing_of_it_and_the_bytes_are_the_same(bare):
    canvas = drawn(bare, WAVE)
    before = canvas.png()
    canvas.draw([[(X, 30 * WAVE)]])
    assert canvas.png() == drawn(bare, 30 * WAVE).png() != before
    vector = canvas.vector(".svg")
    canvas.draw([[(X, WAVE)]])
    assert canvas.png() == before
    assert len(vector) != len(canvas.vector(".svg"))


def test_a_line_on_the_background_is_told_of_like_one_that_is_brought(bare, monkeypatch):
    line = Line(x=X, y=9 * WAVE, label="reference")
    panel = Panel(y_label="y", y_limits=(0.0, 1.0), lines=(line,), slots=(Slot(label="sample"),))
    brought = replace(panel, lines=(), slots=(Slot(label="reference", role=Role.REFERENCE), *panel.slots))
    one, other = Canvas(bare(panels=(panel,))), Canvas(bare(panels=(brought,)))
    one.draw([[(X, 5 * WAVE)]])
    other.draw([[(X, 9 * WAVE), (X, 5 * WAVE)]])
    np.testing.assert_array_equal(one.rgba, other.rgba)


def test_the_sentence_stands_where_it_hides_no_curve(bare):
    """A hill at the left runs out at the top: what is written there would hide it."""
    hill = 0.4 + 3.0 * np.exp(-(((X - 2.0) / 1.0) ** 2))
    canvas = drawn(bare, hill, size_in=(8.0, 4.0))
    written = np.argwhere(near(canvas.rgba, SENTENCE))
    assert written[:, 1].min() > canvas.pixel_at(0, 5.0, 0.0)[1]


def test_a_narrow_panel_says_it_in_fewer_words(bare, monkeypatch):
    panel = Panel(y_label="y", y_limits=(0.0, 1.0), slots=(Slot(label="a name of many words"),))
    assert words(monkeypatch, bare, 80 * WAVE, panels=(panel,), size_in=(2.0, 2.0)) == ["to 64: cut"]


def test_numbers_too_large_for_a_picture_are_told_too(bare, monkeypatch):
    assert len(words(monkeypatch, bare, np.where(X > 8, 1e300, 0.4), size_in=(8.0, 4.0))) == 1


def test_plots_of_a_sheet_tell_it_where_they_are_asked_to():
    lines = tuple(Line(x=X, y=k * WAVE, colour="#0072B2") for k in (1, 5, 6, 7))
    shown = {}
    for tells in (False, True):
        plot = Plot(marks=lines, x_limits=(0.0, 10.0), y_limits=(0.0, 1.0), tells_cut=tells)
        picture = Picture(Sheet(plots=(plot,), size_in=(6.0, 3.0), dpi=100.0))
        shown[tells] = int(near(picture.rgba, SENTENCE).sum())
        texts = [text.get_text() for text in picture._composed.axes[0].texts]
        assert texts == (["3 curves reach from 1 to 5.6; cut at 1"] if tells else [])
    assert shown[False] == 0 < shown[True]
