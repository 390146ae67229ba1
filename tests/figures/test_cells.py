"""Cells brought to pixels: shown within their edges, never lost, never where there is none."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from batchlab.figures import place_cells


def placed(starts: list[float], ends: list[float], count: int) -> list[list[int]]:
    """Cells by pixel."""
    places = place_cells(np.array(starts), np.array(ends), count)
    return [places.cells[places.pixels == pixel].tolist() for pixel in range(count)]


def test_a_pixel_shows_the_cell_in_which_its_middle_lies() -> None:
    assert placed([0.0, 2.4, 3.6], [2.4, 3.6, 6.0], 6) == [[0], [0], [1], [1], [2], [2]]


def test_a_gap_shows_nothing() -> None:
    assert placed([0.0, 4.0], [2.0, 6.0], 6) == [[0], [0], [], [], [1], [1]]


def test_cells_too_narrow_for_a_pixels_middle_are_shown_where_theirs_is() -> None:
    assert placed([0.0, 0.1, 0.2, 0.9, 3.1], [0.1, 0.2, 0.9, 1.0, 3.2], 4) == [[0, 1, 2, 3], [], [], [4]]


def test_of_overlapping_cells_the_later_counts_and_a_longer_one_goes_on_behind_it() -> None:
    assert placed([0.0, 2.0], [6.0, 4.0], 6) == [[0], [0], [1], [1], [0], [0]]


def test_no_cells_show_nothing() -> None:
    assert place_cells(np.empty(0), np.empty(0), 5).pixels.size == 0


def test_an_edge_infinitely_far_below_a_logarithmic_axis_is_an_edge() -> None:
    assert placed([-np.inf, 1.0], [1.0, 3.0], 3) == [[0], [1], [1]]


@given(
    widths=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=60),
    gaps=st.lists(st.floats(0.0, 3.0), min_size=60, max_size=60),
    start=st.floats(-5.0, 5.0),
)
def test_every_cell_in_sight_is_shown_and_only_on_pixels_that_it_touches(
    widths: list[float], gaps: list[float], start: float
) -> None:
    count = 40
    edges = start + np.cumsum([part for pair in zip(gaps, widths, strict=False) for part in pair])
    starts, ends = edges[::2], edges[1::2]
    places = place_cells(starts, ends, count)
    centres = 0.5 * starts + 0.5 * ends
    in_sight = np.flatnonzero((centres >= 0) & (centres < count))
    assert set(in_sight.tolist()) <= set(places.cells.tolist())
    assert (starts[places.cells] < places.pixels + 1).all()
    assert (ends[places.cells] > places.pixels).all()
    # What is as wide as two pixels is only where its middle is.
    wide = ends[places.cells] - starts[places.cells] >= 2
    middles = places.pixels + 0.5
    assert (starts[places.cells] <= middles)[wide].all()
    assert (ends[places.cells] > middles)[wide].all()
    for pixel, middle in enumerate(np.arange(count) + 0.5):
        if ((starts <= middle) & (ends > middle)).any():
            assert pixel in places.pixels


def test_means_are_over_known_values_of_a_pixel() -> None:
    places = place_cells(np.array([0.0, 0.3, 0.6, 2.0]), np.array([0.3, 0.6, 1.0, 3.0]), 3)
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [7.0, 8.0]], np.float32)
    pixels, means = places.means(values)
    assert pixels.tolist() == [0, 2]
    np.testing.assert_array_equal(means, np.array([[2.0, np.nan], [7.0, 8.0]], np.float32))


def test_chosen_cells_are_all_that_is_left() -> None:
    places = place_cells(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), 3)
    assert places.chosen(np.array([True, False, True])).pixels.tolist() == [0, 2]


def test_one_cell_a_pixel_is_its_own_mean_to_the_bit() -> None:
    values = np.array([[0.1], [1e-30], [3e38]], np.float32)
    _, means = place_cells(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), 3).means(values)
    np.testing.assert_array_equal(means, values)
