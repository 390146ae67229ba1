import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from batchlab.errors import Category, PlotError
from batchlab.figures import PALETTE, Canvas, Line, Panel, Role, Slot, canvas_for, read_provenance


def coloured(pixels, role):
    """Where a picture shows nearly the full colour of a role."""
    colour = [int(PALETTE[role].colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.abs(pixels - colour).max(axis=2) < 60


def middles(mask):
    """Column, and the mean row of the marked pixels, for each column that has any."""
    rows = np.arange(mask.shape[0])[:, None]
    counts = mask.sum(axis=0)
    columns = np.flatnonzero(counts)
    return columns, (mask * rows).sum(axis=0)[columns] / counts[columns]


def test_a_curve_lies_where_its_numbers_say(bare, decoded):
    canvas = Canvas(bare())
    x = np.linspace(0.0, 10.0, 400)
    canvas.draw([[(x, 0.5 + 0.3 * np.sin(x))]])
    columns, rows = middles(coloured(decoded(canvas.png()), Role.DIFFERENCE))
    left, right = canvas.pixel_at(0, 0.0, 0.0)[1], canvas.pixel_at(0, 10.0, 0.0)[1]
    assert columns.min() == pytest.approx(left, abs=2)
    assert columns.max() == pytest.approx(right, abs=2)
    at = (columns + 0.5 - left) / (right - left) * 10
    expected = [canvas.pixel_at(0, one, 0.5 + 0.3 * np.sin(one))[0] - 0.5 for one in at]
    assert np.abs(rows - expected)[3:-3].max() < 1.5


@pytest.mark.parametrize(("x_limits", "falls"), [((0.0, 10.0), False), ((10.0, 0.0), True)])
def test_the_caller_chooses_the_direction_of_x(bare, decoded, x_limits, falls):
    canvas = Canvas(bare(x_limits=x_limits))
    canvas.draw([[([0.0, 10.0], [0.1, 0.9])]])
    columns, rows = middles(coloured(decoded(canvas.png()), Role.DIFFERENCE))
    assert (rows[columns.argmin()] < rows[columns.argmax()]) == falls
    assert (canvas.pixel_at(0, 10, 0)[1] < canvas.pixel_at(0, 0, 0)[1]) == falls


def test_a_gap_stays_a_gap(bare, decoded):
    canvas = Canvas(bare())
    x = np.linspace(0.0, 10.0, 501)
    y = np.full_like(x, 0.5)
    y[(x > 4) & (x < 6)] = np.nan
    y[(x > 8) & (x < 9)] = np.inf
    canvas.draw([[(x, y)]])
    columns, _ = middles(coloured(decoded(canvas.png()), Role.DIFFERENCE))
    shown = {c: c in columns for c in (round(canvas.pixel_at(0, at, 0)[1]) for at in (2, 5, 7, 8.5, 9.5))}
    assert list(shown.values()) == [True, False, True, False, True]


@pytest.mark.parametrize("height", [3.0, 1e6, 1e120, 1e300])
def test_what_leaves_the_limits_is_cut_off_not_left_out(bare, decoded, height):
    canvas = Canvas(bare())
    canvas.draw([[([0.0, 4.999, 5.0, 5.001, 10.0], [0.5, 0.5, height, 0.5, 0.5])]])
    mask = coloured(decoded(canvas.png()), Role.DIFFERENCE)
    at = round(canvas.pixel_at(0, 5.0, 0.0)[1])
    top, middle = round(canvas.pixel_at(0, 0, 1.0)[0]), round(canvas.pixel_at(0, 0, 0.5)[0])
    spike = mask[:, at - 2 : at + 3].any(axis=1)
    assert spike[top + 2 : middle].all()
    assert not mask[: top - 1].any()


def test_the_fast_picture_is_the_slow_picture(kind, sample):
    """All drawn anew by matplotlib, in its own order and without any thinning: no pixel differs."""
    canvas = Canvas(kind)
    canvas.draw(sample, "leaf_07.txt against Reference")
    fast = canvas.rgba.copy()
    stage = canvas._stage
    for artist in stage.figure.findobj(lambda one: one.get_animated()):
        artist.set_animated(False)
    for artists, curves in zip(stage.curves, sample, strict=True):
        for artist, (x, y) in zip(artists, curves, strict=True):
            artist.set_data(x, y)
    from batchlab.figures._stage import pinned

    with pinned():
        stage.canvas.draw()
    np.testing.assert_array_equal(np.asarray(stage.canvas.buffer_rgba()), fast)


def test_an_independent_matplotlib_script_makes_the_same_picture(kind, sample, x):
    """The picture as somebody would write it by hand, in the margins that the canvas has settled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from batchlab.figures._stage import pinned

    canvas = Canvas(kind)
    canvas.draw(sample, "a title")
    with pinned():
        figure = Figure(figsize=(6, 4), dpi=100)
        agg = FigureCanvasAgg(figure)
        upper, lower = figure.subplots(2, 1, sharex=True)
        for axes, settled in zip((upper, lower), canvas._stage.axes, strict=True):
            axes.set_position(settled.get_position())
        upper.plot(x, kind.panels[0].lines[0].y, color="#000000", lw=1.7, label="Reference")
        upper.plot(*sample[0][0], color="#E69F00", lw=0.9, label="Sample")
        lower.axhline(0, color="#808080", lw=0.8)
        lower.plot(*sample[1][0], color="#0072B2", lw=0.9)
        upper.set(xlim=(4000, 400), ylim=(0, 1.2), ylabel="Absorbance (a.u.)")
        lower.set(ylim=(-0.05, 0.05), xlabel="Wavenumber (cm⁻¹)", ylabel=lower_label(canvas))
        upper.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderaxespad=0.1)
        figure.suptitle("a title", x=canvas._stage.title.get_position()[0], y=canvas._stage.title.get_position()[1])
        lower.yaxis.label.set_fontsize(canvas._stage.axes[1].yaxis.label.get_fontsize())
        figure.align_ylabels()
        agg.draw()
    slow, fast = (np.asarray(pixels, dtype=int) for pixels in (agg.buffer_rgba(), canvas.rgba))
    assert slow.shape == fast.shape
    differs = np.abs(slow - fast).max(axis=2) > 24
    assert differs.mean() < 1e-4


def lower_label(canvas):
    """The label as it stands, perhaps broken in two."""
    text = canvas._stage.axes[1].yaxis.label.get_text()
    assert text.replace("\n", " ") == "Difference (a.u.)"
    return text


def test_labels_ticks_legend_and_title_are_there(kind, sample):
    """Each is ink where it belongs, and taking it away takes the ink away."""

    def ink(changed, title="Title"):
        canvas = Canvas(changed)
        canvas.draw(sample, title)
        return (canvas.rgba[..., :3].min(axis=2) < 128), canvas

    dark, canvas = ink(kind)
    left, right = canvas.pixel_at(0, 4000, 0)[1], canvas.pixel_at(0, 400, 0)[1]
    top, bottom = canvas.pixel_at(0, 400, 1.2)[0], canvas.pixel_at(1, 400, -0.05)[0]
    assert dark[: int(top / 2), :].any(), "title"
    assert dark[int(top / 2) : int(top) - 1, int(left + right) // 2 :].any(), "legend"
    assert dark[int(bottom) + 18 :, int(left) : int(right)].any(), "x label"
    assert dark[:, : int(left / 3)].any(), "y labels"
    assert dark[:, int(left * 0.5) : int(left) - 5].any(), "y tick labels"
    nameless = replace(kind, x_label="", panels=tuple(replace(p, y_label="", legend=False) for p in kind.panels))
    bare, bare_canvas = ink(nameless, title="")
    bare_bottom = bare_canvas.pixel_at(1, 400, -0.05)[0]
    assert not bare[int(bare_bottom) + 22 :, :].any()
    assert not bare[: int(bare_canvas.pixel_at(0, 400, 1.2)[0]) - 8, :].any()
    for edge in (dark[0], dark[-1], dark[:, 0], dark[:, -1]):
        assert not edge.any(), "text is cut off at the edge"


def test_no_picture_leaves_anything_in_the_next(kind, sample, x):
    canvas = Canvas(kind)
    canvas.draw(sample, "first")
    first = canvas.png({"job": "first"})
    wild = [[(x[:9], np.full(9, 1e9))], [(x, np.where(x > 2000, np.nan, 1.0))]]
    canvas.draw(wild, "a very different and much longer title")
    assert canvas.png() != first
    with pytest.raises(PlotError):
        canvas.draw([[(x, np.full_like(x, np.nan))], [(x, x)]], "a failure between")
    canvas.draw(sample, "first")
    assert canvas.png({"job": "first"}) == first
    fresh = Canvas(kind)
    fresh.draw(sample, "first")
    assert fresh.png({"job": "first"}) == first


@pytest.mark.parametrize(("size_in", "dpi"), [((6.0, 4.0), 100.0), ((3.0, 2.2), 97.0), ((4.0, 3.0), 213.0)])
def test_pictures_that_reach_other_rows_give_what_a_new_canvas_gives(kind, x, size_in, dpi):
    kind = replace(kind, size_in=size_in, dpi=dpi)
    canvas, random = Canvas(kind), np.random.default_rng(3)
    towers = "Ág" + "ẤẬ\u0323\u0316\u0330\u0323\u0316\u0330" * 3  # hang lower than any title has room for
    for title in ("", towers, "short", "", "W" * 300, "end"):
        middle, height = random.uniform(0.0, 1.2), random.choice([0.01, 0.3, 3.0])
        above = np.clip(middle + height * random.uniform(-0.5, 0.5, x.size), -0.1, 1.2)
        above[100:200] = random.choice([np.nan, 0.6])
        pictures = [[(x, above)], [(x, random.choice([0.001, 0.02, 0.1]) * random.standard_normal(x.size))]]
        canvas.draw(pictures, title)
        fresh = Canvas(kind)
        fresh.draw(pictures, title)
        np.testing.assert_array_equal(canvas.rgba, fresh.rgba)
        if title != "short":  # a picture may go unsaved
            assert canvas.png() == fresh.png()
        canvas.vector(".svg")


SCRIPT = """
import sys
import numpy as np
from batchlab.figures import *
if "--styled" in sys.argv:
    import matplotlib.style
    matplotlib.style.use("dark_background")
x = np.linspace(0, 10, 500)
panel = Panel(y_label="y (1)", y_limits=(-1, 1), lines=(Line(x=x, y=np.cos(x), label="cos"),), legend=True)
canvas = Canvas(FigureKind(panels=(panel,), x_label="x (1)", x_limits=(0, 10), size_in=(4, 3), dpi=80))
canvas.draw([[(x, np.sin(x))]], "title 1e5 $x_1$")
sys.stdout.buffer.write(canvas.png({"job": "a"}))
"""


def test_another_process_and_a_users_settings_change_no_byte(tmp_path):
    config = tmp_path / "matplotlibrc"
    config.write_text(
        "figure.facecolor: red\nfont.size: 20\nlines.antialiased: False\npath.snap: False\npath.simplify: False\n"
        "axes.grid: False\ntext.hinting: force_autohint\nfigure.dpi: 37\naxes.spines.top: True\nfont.family: serif\n"
        "xtick.direction: in\naxes.unicode_minus: False\nagg.path.chunksize: 150\npath.sketch: 1, 100, 2\n"
        "lines.linewidth: 9\nlegend.frameon: True\nfigure.constrained_layout.use: False\naxes.xmargin: 0.4\n"
    )

    def made(*arguments, **environment):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            env=os.environ | environment,
            capture_output=True,
            check=True,
        )
        assert done.stdout.startswith(b"\x89PNG")
        return done.stdout

    plain = made()
    assert made(MATPLOTLIBRC=str(config), LC_ALL="C", PYTHONHASHSEED="7") == plain
    assert made("--styled") == plain


def test_matplotlibs_global_state_stays_as_it_was(kind, sample):
    before = dict(mpl.rcParams)
    Canvas(kind).draw(sample, "t")
    assert dict(mpl.rcParams) == before


def test_importing_loads_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys, batchlab.figures\nassert 'matplotlib' not in sys.modules\n"
        + SCRIPT
        + "\nassert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_limits_per_picture_give_what_those_limits_always_give(kind, sample):
    other = kind.with_y_limits((-1000.0, 25000.0), (-0.1, 0.3))
    assert other != kind
    assert other == kind.with_y_limits((-1000.0, 25000.0), (-0.1, 0.3))
    memory = {}
    canvas_for(kind, memory).draw(sample, "a")
    canvas_for(other, memory).draw(sample, "a")
    fresh = Canvas(other)
    fresh.draw(sample, "a")
    np.testing.assert_array_equal(canvas_for(other, memory).rgba, fresh.rgba)
    row = fresh.pixel_at(0, 400, 25000.0)[0]
    assert row < fresh.pixel_at(0, 400, -1000.0)[0]
    # Wider tick labels need a wider margin, or they would be cut off at the edge.
    assert fresh.pixel_at(0, 4000, 0)[1] > Canvas(kind).pixel_at(0, 4000, 0)[1]


def test_a_worker_remembers_a_canvas_by_what_it_shows(kind, x):
    memory = {}
    canvas = canvas_for(kind, memory)
    assert canvas_for(replace(kind), memory) is canvas
    shifted = Line(x=x, y=kind.panels[0].lines[0].y + 1e-12, label="Reference")
    other = replace(kind, panels=(replace(kind.panels[0], lines=(shifted,)), kind.panels[1]))
    assert canvas_for(other, memory, keep=1) is not canvas
    assert canvas_for(kind, memory) is not canvas, "only one was to be kept"


@pytest.mark.parametrize(
    "title",
    ["", "$\\frac{1}{2", "a_b^c $5 and $6", "tab\tand\nline", "\udcff\x00", "漢字 👩‍🔬", "n" * 5000, "m\u0301" * 400],
)
def test_any_title_can_be_drawn_within_the_picture(kind, sample, title):
    canvas = Canvas(kind)
    canvas.draw(sample, title)
    band = canvas.rgba[: int(canvas.pixel_at(0, 400, 1.2)[0] / 2), :, :3].min(axis=2) < 200
    assert band.any() == bool(title.strip("\udcff\x00") or title)
    assert not band[:, 0].any()
    assert not band[:, -1].any()


def test_a_long_title_loses_its_middle_not_its_ends(kind, sample):
    canvas = Canvas(kind)
    canvas.draw(sample, "begin-" + "x" * 300 + "-end")
    shown = canvas._stage.title.get_text()
    assert shown.startswith("begin-")
    assert shown.endswith("-end")
    assert "…" in shown


def test_a_picture_is_saved_with_its_provenance(kind, sample, tmp_path):
    canvas = Canvas(kind)
    canvas.draw(sample, "t")
    canvas.save(tmp_path / "A.PNG", {"job": "compare/leaf"})
    assert read_provenance(tmp_path / "A.PNG") == {"job": "compare/leaf"}
    for name in ("a.tif", "a", "a.svgz"):
        with pytest.raises(PlotError, match=r"\.png"):
            canvas.save(tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == ["A.PNG"]


def test_every_pixel_is_opaque_and_the_size_is_exact(bare):
    for size, dpi, pixels in (((10, 6), 30, (300, 180)), ((4.1, 3.3), 100, (410, 330)), ((2.9, 2.3), 110, (319, 253))):
        canvas = Canvas(bare(size_in=size, dpi=dpi))
        canvas.draw([[([0, 10], [0, 1])]])
        assert canvas.rgba.shape == (pixels[1], pixels[0], 4)
        assert (canvas.rgba[..., 3] == 255).all()
        assert not canvas.rgba.flags.writeable


def test_a_panel_may_have_many_slots_static_lines_and_no_slot(bare, decoded):
    x = np.linspace(0, 10, 50)
    flat = {level: np.full(50, level) for level in (0.1, 0.3, 0.6, 0.8)}
    first = Panel(
        y_label="a",
        y_limits=(1.0, 0.0),
        lines=(Line(x=x, y=flat[0.1], label="r"), Line(x=x, y=flat[0.3], label="l", role=Role.LIMIT)),
        slots=(Slot(label="s"), Slot(label="h", role=Role.HIGHLIGHT)),
        legend=True,
    )
    second = Panel(y_label="b", y_limits=(0, 1), slots=(), lines=(Line(x=x, y=flat[0.6], label="only"),))
    canvas = Canvas(bare(panels=(first, second)))
    canvas.draw([[(x, flat[0.6]), (x, flat[0.8])], []])
    pixels = decoded(canvas.png())
    for panel, level, role in (
        (0, 0.1, Role.REFERENCE),
        (0, 0.3, Role.LIMIT),
        (0, 0.6, Role.SAMPLE),
        (0, 0.8, Role.HIGHLIGHT),
        (1, 0.6, Role.REFERENCE),
    ):
        row, left = canvas.pixel_at(panel, 4, level)
        part = pixels[int(row) - 1 : int(row) + 2, int(left) : int(left) + 40]
        assert coloured(part, role).any(), (panel, level)
    assert canvas.pixel_at(0, 0, 0.1)[0] < canvas.pixel_at(0, 0, 0.8)[0], "limits may run down"


@pytest.mark.parametrize("curve", [([], []), ([1, 2], [np.nan, np.nan]), ([1, 2], [1, np.inf]), ([1], [1])])
def test_a_curve_without_two_points_is_refused(bare, curve):
    canvas = Canvas(bare())
    with pytest.raises(PlotError, match="a line needs two") as caught:
        canvas.draw([[curve]])
    assert caught.value.category is Category.PLOTTING
    with pytest.raises(PlotError, match="draw one first"):
        canvas.png()


@pytest.mark.parametrize(
    ("curves", "say"),
    [
        ([], "declared"),
        ([[]], "declared"),
        ([[([1, 2], [1, 2])] * 2], "declared"),
        ([[([1, 2, 3], [1, 2])]], "one length"),
        ([[(["a", "b"], [1, 2])]], "numbers"),
        ([[([[1, 2]], [[1, 2]])]], "flat"),
        ([[([1, 2],)]], "numbers"),
    ],
)
def test_curves_that_do_not_fit_the_kind_are_refused(bare, curves, say):
    with pytest.raises(PlotError, match=say):
        Canvas(bare()).draw(curves)


def test_masked_points_are_gaps(bare):
    canvas = Canvas(bare())
    x, y = np.arange(5.0), np.array([0.2, 0.3, 0.9, 0.3, 0.2])
    canvas.draw([[(x, np.ma.masked_greater(y, 0.5))]])
    masked = canvas.rgba.copy()
    canvas.draw([[(x, np.where(y > 0.5, np.nan, y))]])
    np.testing.assert_array_equal(canvas.rgba, masked)


def test_a_figure_too_small_for_its_labels_is_refused(bare):
    with pytest.raises(PlotError, match="too small"):
        Canvas(bare(size_in=(0.4, 0.3)))


def test_a_long_y_label_stays_beside_its_panel(bare):
    panels = [Panel(y_label="Reflectance difference of two leaves (percent)", y_limits=(0, 1)) for _ in range(3)]
    canvas = Canvas(bare(panels=tuple(panels), size_in=(5, 4)))
    boxes = [axes.yaxis.label.get_window_extent() for axes in canvas._stage.axes]
    for upper, lower in pairwise(boxes):
        assert lower.y1 <= upper.y0


def test_labels_of_any_length_leave_room_for_the_panel(bare):
    slots = tuple(Slot(label=f"{n} " + "long " * 50) for n in range(3))
    panel = Panel(y_label="y " * 200, y_limits=(0, 1), slots=slots, legend=True)
    canvas = Canvas(bare(panels=(panel,), x_label="x" * 300))
    canvas.draw([[([0, 10], [0, 1])] * 3], "t" * 300)
    ink = canvas.rgba[..., :3].min(axis=2) < 128
    assert not (ink[0].any() or ink[-1].any() or ink[:, 0].any() or ink[:, -1].any())
    box = canvas._stage.axes[0].get_position()
    assert box.width > 0.6
    assert box.height > 0.4


def test_a_title_without_room_is_refused(kind, sample):
    canvas = Canvas(replace(kind, title=False))
    canvas.draw(sample)
    with pytest.raises(PlotError, match="title=True"):
        canvas.draw(sample, "title")


def test_the_layer_below_is_all_it_needs():
    package = Path(sys.modules["batchlab.figures"].__file__).parent
    for file in package.glob("*.py"):
        assert "pyplot" not in file.read_text().replace("pyplot and its global state", "")
