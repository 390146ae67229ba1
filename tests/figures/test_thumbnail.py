import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import PlotError
from batchlab.figures import Canvas, thumbnail
from batchlab.figures._thumbnail import shrink


def opaque(height, width, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    return pixels


@given(height=st.integers(1, 90), width=st.integers(1, 120), small=st.integers(1, 100))
def test_a_thumbnail_keeps_proportions_and_is_never_larger(height, width, small):
    shrunk = shrink(opaque(height, width), small)
    if width <= small:
        assert shrunk.shape == (height, width, 4)
    else:
        assert shrunk.shape == (max(1, round(height * small / width)), small, 4)
    assert (shrunk[..., 3] == 255).all()


@given(rows=st.integers(1, 8), columns=st.integers(2, 8), seed=st.integers(0, 9))
def test_cells_of_three_by_three_pixels_are_averaged(rows, columns, seed):
    pixels = opaque(rows * 3, columns * 3, seed)
    mean = pixels.reshape(rows, 3, columns, 3, 4).mean(axis=(1, 3))
    assert np.abs(shrink(pixels, columns) - mean).max() <= 0.5


def test_one_colour_stays_that_colour():
    pixels = np.full((181, 333, 4), (255, 254, 3, 255), dtype=np.uint8)
    assert (shrink(pixels, 32) == (255, 254, 3, 255)).all()


def test_a_picture_stays_itself_when_small(kind, sample, decoded):
    canvas = Canvas(kind)
    canvas.draw(sample, "t")
    small = decoded(canvas.thumbnail(150))
    assert small.shape == (100, 150, 3)
    area = canvas.rgba[..., :3].astype(float).reshape(100, 4, 150, 4, 3).mean(axis=(1, 3))
    off = np.abs(small - area)
    # Nine samples of sixteen pixels: where a line's edge runs through a cell, up to seven are not seen.
    assert off.mean() <= 3
    assert off.max() <= 255 * 7 / 16 + 0.5
    np.testing.assert_array_equal(small, decoded(thumbnail(canvas.rgba, 150)))


def test_a_width_below_one_is_refused():
    with pytest.raises(PlotError, match="width of 1"):
        thumbnail(opaque(4, 4), 0)
