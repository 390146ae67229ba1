import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchlab.errors import PlotError
from batchlab.figures import Canvas, Line, Mesh, Picture, Plot, Sheet, thumbnail
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


def drawn(*marks):
    plot = Plot(marks=marks, x_limits=(0.0, 1.0), y_limits=(0.0, 1.0), x_label="t (s)", y_label="I (A)")
    return Picture(Sheet(plots=(plot,), size_in=(6.4, 4.0), dpi=100.0, title="a run"))


def test_a_picture_that_nobody_asked_pixels_of_is_drawn_small_at_once(decoded):
    x = np.linspace(0, 1, 200)
    line = Line(x=x, y=x**2, label="a")
    picture, other = drawn(line), drawn(line)
    small = decoded(picture.thumbnail(320)).astype(float)
    assert picture._rgba is None
    shrunk = decoded(thumbnail(other.rgba, 320)).astype(float)
    assert small.shape == shrunk.shape
    assert np.abs(small - shrunk).mean() < 4.0  # of 255: the same picture, smoothed otherwise
    np.testing.assert_array_equal(picture.rgba, other.rgba)
    vector, again = picture.vector(".svg"), drawn(line).vector(".svg")
    assert vector == again
    assert picture.thumbnail(320) == thumbnail(other.rgba, 320)


def test_cells_of_a_mesh_are_averaged_in_a_thumbnail(decoded):
    values = np.indices((400, 640)).sum(axis=0) % 2 + 1.0
    mesh = Mesh(x_edges=np.linspace(0, 1, 641), y_edges=np.linspace(0, 1, 401), values=values, label="flux")
    assert drawn(mesh).thumbnail(320) == thumbnail(drawn(mesh).rgba, 320)
