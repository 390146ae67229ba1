import numpy as np
import pytest

from batchlab.errors import PlotError
from batchlab.figures import Mesh, Picture, Plot, Sheet
from batchlab.figures._mesh import sampled


def mesh(values, x=None, y=None, **more):
    values = np.asarray(values, dtype=float)
    x = np.arange(values.shape[1] + 1.0) if x is None else x
    y = np.arange(values.shape[0] + 1.0) if y is None else y
    return Mesh(x_edges=x, y_edges=y, values=values, label="value / 1", **more)


def drawn(one, x_limits, y_limits, **more):
    plot = Plot(marks=(one,), x_limits=x_limits, y_limits=y_limits, x_label="x", y_label="y", **more)
    return Picture(Sheet(plots=(plot,), size_in=(5, 3), dpi=100))


def colour_at(picture, x, y):
    row, column = picture.pixel_at(0, x, y)
    return tuple(picture.rgba[int(row), int(column), :3].tolist())


def test_a_cell_fills_its_own_edges_and_no_more():
    values = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    picture = drawn(mesh(values, x=np.array([0.0, 1.0, 5.0, 6.0])), (0, 6), (0, 2))
    inside = {}
    for row, low in enumerate((0.0, 1.0)):
        for column, (left, right) in enumerate(((0.0, 1.0), (1.0, 5.0), (5.0, 6.0))):
            corners = {colour_at(picture, x, y) for x in (left + 0.04, right - 0.04) for y in (low + 0.04, low + 0.96)}
            assert len(corners) == 1
            inside[row, column] = corners.pop()
    assert len(set(inside.values())) == 6


def test_colours_are_those_of_the_bar_at_the_value():
    import matplotlib as mpl

    picture = drawn(mesh([[0.0, 0.25, 1.0]]), (0, 3), (0, 1))
    for column, value in enumerate((0.0, 0.25, 1.0)):
        rgb = (np.array(mpl.colormaps["viridis"](value)[:3]) * 255).astype(int)
        np.testing.assert_allclose(colour_at(picture, column + 0.5, 0.5), rgb, atol=1)


@pytest.mark.parametrize(("x_limits", "y_limits"), [((0, 2), (0, 2)), ((2, 0), (0, 2)), ((0, 2), (2, 0))])
@pytest.mark.parametrize("flip", [False, True])
def test_axes_and_edges_may_run_either_way(x_limits, y_limits, flip):
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    plain = drawn(mesh(values), (0, 2), (0, 2))
    edges = np.array([0.0, 1.0, 2.0])
    given = mesh(values[::-1, ::-1], x=edges[::-1], y=edges[::-1]) if flip else mesh(values)
    turned = drawn(given, x_limits, y_limits)
    for x in (0.5, 1.5):
        for y in (0.5, 1.5):
            assert colour_at(turned, x, y) == colour_at(plain, x, y)


def test_gaps_and_what_lies_outside_stay_blank():
    picture = drawn(mesh([[1.0, np.nan, 2.0, np.inf]]), (-1, 5), (0, 1))
    blank = [colour_at(picture, x, 0.5) == (255, 255, 255) for x in (-0.5, 0.5, 1.5, 2.5, 3.5, 4.5)]
    assert blank == [True, False, True, False, True, True]


def test_logarithmic_axes_and_values_show_true_edges_and_blank_what_has_no_logarithm():
    edges = np.array([1.0, 10.0, 100.0, 1000.0])
    picture = drawn(mesh([[1.0], [0.0], [1e6]], y=edges, log=True), (0, 1), (1, 1000), y_log=True)
    heights = [picture.pixel_at(0, 0, at)[0] for at in edges]
    assert np.diff(heights) == pytest.approx([np.diff(heights)[0]] * 3)
    assert colour_at(picture, 0.5, 9.8) == colour_at(picture, 0.5, 1.05)
    assert colour_at(picture, 0.5, 10.3) == colour_at(picture, 0.5, 97.0) == (255, 255, 255)
    assert colour_at(picture, 0.5, 105.0) == colour_at(picture, 0.5, 900.0) == (253, 231, 36)


def test_cells_finer_than_pixels_show_their_mean():
    rng = np.random.default_rng(2)
    values = rng.random((3, 1000))
    values[1, :500] = np.nan
    found = sampled(values, np.arange(1001.0), np.linspace(0, 1000, 101))
    np.testing.assert_allclose(found[0], values[0].reshape(100, 10).mean(axis=1))
    assert np.isnan(found[1, :50]).all()
    np.testing.assert_allclose(found[1, 50:], values[1, 500:].reshape(50, 10).mean(axis=1))


def test_a_pixel_that_no_column_has_its_middle_in_shows_the_one_around_it():
    found = sampled(np.array([[1.0, 2.0, 3.0]]), np.array([0.0, 1.0, 1.2, 9.0]), np.linspace(0, 9, 10))
    assert found[0, 0] == 1.0
    assert found[0, 2:].tolist() == [3.0] * 7


@pytest.mark.parametrize(
    ("change", "say"),
    [
        ({"values": np.zeros((2, 3))}, "shape"),
        ({"x_edges": np.array([0.0, 2.0, 1.0])}, "edges of x"),
        ({"y_edges": np.array([0.0, 0.0])}, "edges of y"),
        ({"values": np.full((1, 2), np.nan)}, "no value"),
        ({"log": True, "values": np.full((1, 2), -1.0)}, "no value"),
        ({"log": True, "diverging": True}, "choose one"),
        ({"limits": (2.0, 1.0)}, "low, high"),
        ({"limits": (0.0, 1.0), "log": True}, "above 0"),
        ({"limits": (0.0, np.nan)}, "finite"),
    ],
)
def test_what_is_no_mesh_is_refused(change, say):
    fields = {
        "x_edges": np.array([0.0, 1.0, 2.0]),
        "y_edges": np.array([0.0, 1.0]),
        "values": np.array([[1.0, 2.0]]),
        "label": "v",
    }
    with pytest.raises(PlotError, match=say):
        Mesh(**(fields | change))


def test_a_mesh_of_one_value_can_be_drawn_and_a_diverging_one_is_white_at_zero():
    assert colour_at(drawn(mesh([[3.0]]), (0, 1), (0, 1)), 0.5, 0.5) != (255, 255, 255)
    picture = drawn(mesh([[-2.0, 0.0, 1.0]], diverging=True), (0, 3), (0, 1))
    assert min(colour_at(picture, 1.5, 0.5)) > 240
    red, _, blue = colour_at(picture, 2.5, 0.5)
    assert red > blue
    red, _, blue = colour_at(picture, 0.5, 0.5)
    assert blue > red


def test_a_mesh_in_a_vector_file_is_one_image_and_its_axes_are_not():
    data = drawn(mesh(np.random.default_rng(0).random((300, 400))), (0, 400), (0, 300)).vector(".svg")
    assert data.count(b"<image") == 2  # the other is the colour bar
    assert data.count(b"<path") < 200
    assert len(data) < 1_500_000
