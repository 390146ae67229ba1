"""Plain sheets look as matplotlib composes them, whoever draws them, and are written fast."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from batchlab.errors import PlotError
from batchlab.figures import (
    Band,
    Legend,
    Lettering,
    Line,
    Mesh,
    Name,
    Picture,
    Plot,
    Points,
    Role,
    Rule,
    Sheet,
    check_picture,
    encode,
    read_provenance,
)
from batchlab.figures import _picture as picture_module
from batchlab.figures._face import face_of
from batchlab.figures._legend import PLAIN
from batchlab.figures._stage import pinned

X = np.linspace(0.0, 10.0, 300)
NOISE = 0.5 + 0.2 * np.sin(X) + 0.02 * np.random.default_rng(5).standard_normal(X.size)
MARGINS = {"size_in": (7.2, 4.4), "dpi": 100, "margins_in": (0.82, 0.2, 0.44, 0.55)}
LINE = Line(x=X, y=NOISE, label="10.5 µW", colour="#4477AA", width_pt=1.3)
DASHED = Line(x=X, y=1 - NOISE, label="limit", role=Role.LIMIT)
LIGHT = Band(x=[2, 4], low=[0, 0], high=[1, 1], label="light", colour="#E69F00", opacity=0.15)
DOTS = Points(x=[1.0, 5.0, 9.0], y=[0.2, 0.9, 0.5], label="on", colour="#AA3377")
RINGS = Points(x=[3.0, 6.0], y=[0.4, 0.6], label="doubted", colour="#228833", size_pt=9.0, hollow=True)


def plot(*marks, **more):
    given = {"marks": marks, "x_limits": (0, 10), "y_limits": (0, 1), "x_label": "V_g (V)", "y_label": "I_ds (µA)"}
    return Plot(**(given | {"legend": Legend(title="LED Power"), "grid": False} | more))


def sheet(*plots, **more):
    return Sheet(**(MARGINS | {"plots": plots, "title": "Alisson67 – IVg"} | more))


def many(count):
    return [Line(x=X, y=NOISE / count * k, label=f"run {k}, −{k} V", colour="#4477AA") for k in range(1, count + 1)]


SHEETS = {
    "a line": sheet(plot(LINE)),
    "all marks": sheet(plot(LIGHT, LINE, DASHED, Rule(at=0.5), Rule(at=7, upright=True, label="at 7"), DOTS, RINGS)),
    "a grid": sheet(plot(LINE, grid=True)),
    "axes that run down": sheet(plot(LINE, x_limits=(10, 0), y_limits=(1, 0))),
    "negative numbers": sheet(plot(LINE, x_limits=(-3, 8.3), y_limits=(-0.5, 1.2))),
    "small numbers": sheet(plot(replace(LINE, y=NOISE / 500), y_limits=(0, 0.002))),
    "thousands of seconds": sheet(
        plot(replace(LINE, x=X * 300), x_limits=(20, 3000), x_label="t (s)", x_scientific=True)
    ),
    "many names": sheet(plot(*many(40))),
    "names of two lines": sheet(plot(replace(LINE, label="first\nsecond"), DASHED)),
    "no names": sheet(plot(replace(LINE, label=""))),
    "no legend": sheet(plot(LINE, legend=False)),
    "a long title": sheet(plot(LINE), title="a rather long title " * 12),
    "letters beyond the usual": sheet(plot(LINE, x_label="ж é ≠ Å"), title="V₀ = 10⁻³ Ω·m"),
    "large and bold": sheet(
        plot(LINE, DASHED), lettering=Lettering(weight="bold", scale=1.4), margins_in=(1.15, 0.28, 0.6, 0.77)
    ),
    "small": sheet(plot(LINE), size_in=(3.0, 2.1), lettering=Lettering(scale=0.86), margins_in=(0.7, 0.2, 0.3, 0.5)),
    "two by two": sheet(
        *(
            plot(LINE, DOTS, title=f"chip {k}", y_limits=(-k, 10.0**k), legend=Legend(place="upper left"))
            for k in range(1, 4)
        ),
        columns=2,
        gaps_in=(0.78, 0.8),
        size_in=(11, 7),
    ),
    "rows of two heights": sheet(plot(LINE, x_label=""), plot(LINE, height=0.4, y_label="", legend=False)),
} | {
    f"names {place}": sheet(plot(LINE, LIGHT, DOTS, legend=Legend(title="by", place=place)), title="")
    for place in ("best", "upper left", "upper right", "lower left", "lower right", "above")
}


@pytest.fixture(params=SHEETS.values(), ids=SHEETS.keys())
def plain(request):
    return request.param


def composed(given, monkeypatch):
    """The picture as matplotlib's own objects make it."""
    with monkeypatch.context() as patch:
        patch.setattr(picture_module, "plain_page", lambda sheet: None)
        return Picture(given)


def seen(data, scale=2.0):
    page = pypdfium2.PdfDocument(data)[0]
    return page.get_textpage().get_text_bounded(), page.render(scale=scale).to_numpy()[..., :3]


def blurred(pixels):
    """Means of 4 x 4 pixels: letters may stand half a pixel aside."""
    height, width = pixels.shape[0] // 4 * 4, pixels.shape[1] // 4 * 4
    return pixels[:height, :width, :3].astype(float).reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))


def apart(one, other):
    rows, columns = np.minimum(one.shape[:2], other.shape[:2])
    return np.abs(blurred(one[:rows, :columns]) - blurred(other[:rows, :columns]))


def test_pixels_are_those_of_matplotlib(plain, monkeypatch):
    ours = Picture(plain)
    assert ours._page is not None
    theirs = composed(plain, monkeypatch)
    assert ours.rgba.shape == theirs.rgba.shape
    difference = apart(ours.rgba, theirs.rgba)
    assert difference.max() < 60
    assert difference.mean() < 1.0


def test_a_pdf_looks_as_that_of_matplotlib(plain, monkeypatch):
    _, ours = seen(encode(Picture(plain), "a.pdf"))
    _, theirs = seen(encode(composed(plain, monkeypatch), "a.pdf"))
    difference = apart(ours, theirs)
    assert difference.max() < 90
    assert difference.mean() < 1.2


def content(data):
    """The words of a page."""
    start = data.index(b"stream\n") + len(b"stream\n")
    return zlib.decompressobj().decompress(data[start:]).decode("ascii")


def lines(data):
    """The points of each line that is drawn, in points from the lower left."""
    paths = re.findall(r"((?:-?\d+ -?\d+ [ml]\n)+)S", content(data))
    return [
        [
            np.array([list(map(int, pair.split()[:2])) for pair in piece.splitlines()]) / 1000
            for piece in re.findall(r"[^\n]* m\n(?:[^\n]* l\n)*", path)
        ]
        for path in paths
    ]


def test_a_line_keeps_all_its_points_each_at_its_place():
    picture = Picture(sheet(plot(LINE, x_limits=(10, 0))))
    (drawn,) = next(path for path in lines(encode(picture, "a.pdf")) if len(path[0]) == X.size)
    pixels = np.array([picture.pixel_at(0, *point) for point in zip(X, NOISE, strict=True)])
    expected = np.column_stack((pixels[:, 1], picture.sheet.pixels[1] - pixels[:, 0])) * 0.72
    np.testing.assert_allclose(drawn, expected, atol=0.1)


def test_a_gap_stays_a_gap():
    y = NOISE.copy()
    y[100:103] = y[0] = y[200] = np.nan
    path = next(path for path in lines(encode(Picture(sheet(plot(replace(LINE, y=y)))), "a.pdf")) if len(path) > 1)
    assert [len(piece) for piece in path] == [99, 97, 99]


def test_what_is_written_can_be_found_and_copied():
    given = sheet(
        plot(replace(LINE, label="−3.79 V, 10.5 µW"), x_label="R (kΩ)", y_limits=(-1, 1), legend=Legend(title="λ")),
        title="10⁻³ ж “fi” 2×10⁴ £",
    )
    text, _ = seen(encode(Picture(given), "a.pdf"))
    for each in ("10⁻³ ж “fi” 2×10⁴ £", "R (kΩ)", "I_ds (µA)", "λ", "−3.79 V, 10.5 µW", "−1.00", "0.75"):
        assert each in text


def test_every_font_is_in_the_file():
    page = pypdfium2.PdfDocument(encode(Picture(SHEETS["all marks"]), "a.pdf"))[0]
    texts = [each for each in page.get_objects() if each.type == pdfium.FPDF_PAGEOBJ_TEXT]
    assert len(texts) > 15
    assert all(pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(each)) for each in texts)


def test_a_file_says_where_it_came_from_and_shows_something(tmp_path):
    for suffix in (".pdf", ".png"):
        path = tmp_path / f"a{suffix}"
        Picture(SHEETS["all marks"]).save(path, {"job": "a ( b ) µ"})
        assert read_provenance(path) == {"job": "a ( b ) µ"}
        check_picture(path)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {folder!r})
from test_plain import SHEETS
from batchlab.figures import Picture, encode
names = list(SHEETS)[::{step}]
made = {{}}
for name in names:
    picture = Picture(SHEETS[name])
    for suffix in (".pdf", ".png"):
        made[name + suffix] = hashlib.sha256(encode(picture, "a" + suffix, {{"a": "b"}})).hexdigest()
    made[name + "small"] = hashlib.sha256(picture.thumbnail()).hexdigest()
print(sorted(made.items()))
"""


def test_bytes_depend_neither_on_what_was_drawn_before_nor_on_the_process():
    def made(step, **environment):
        script = SCRIPT.format(folder=os.path.dirname(__file__), step=step)
        given = os.environ | {"SOURCE_DATE_EPOCH": "86400"} | environment
        return subprocess.run([sys.executable, "-c", script], env=given, capture_output=True, check=True).stdout

    assert made(1, PYTHONHASHSEED="1") == made(-1, PYTHONHASHSEED="7", LC_ALL="C")


@pytest.mark.parametrize(
    "given",
    [
        sheet(plot(LINE, y_log=True, y_limits=(0.01, 1))),
        sheet(plot(LINE, x_names=(Name(at=1, text="one"),))),
        sheet(plot(LINE), margins_in=None),
        sheet(plot(LINE), title="試料 1"),
        sheet(plot(replace(LINE, label="e\u0301")), title=""),
        sheet(plot(replace(LINE, y=NOISE * 1e7), y_limits=(0, 1e7))),
        sheet(plot(LINE, y_limits=(0.5, 0.6), tells_cut=True)),
        sheet(plot(replace(LINE, y=np.where(X > 5, 1e9, NOISE)))),
        sheet(plot(replace(LINE, y=np.where(X > 5, np.inf, NOISE)))),
        sheet(plot(Line(x=np.linspace(0, 10, 50_000), y=np.full(50_000, 0.5)))),
        sheet(plot(replace(LIGHT, high=[1, np.nan, 1], low=[0, 0, 0], x=[1, 2, 3]), LINE)),
        sheet(plot(replace(DOTS, names=("a", "b", "c")))),
        sheet(plot(Line(x=X, y=NOISE, role=Role.PEAK))),
        sheet(plot(Mesh(x_edges=X[:3], y_edges=X[:3], values=np.eye(2), label="z"))),
    ],
    ids=[
        "logarithm",
        "names",
        "margins",
        "script",
        "accents",
        "corner",
        "cut",
        "far",
        "infinity",
        "long",
        "gaps",
        "named",
        "peaks",
        "mesh",
    ],
)
def test_what_is_not_plain_is_left_to_matplotlib(given, monkeypatch):
    picture = Picture(given)
    assert picture._page is None
    np.testing.assert_array_equal(picture.rgba, composed(given, monkeypatch).rgba)
    assert encode(picture, "a.pdf") == encode(composed(given, monkeypatch), "a.pdf")


def test_letters_that_a_font_lacks_stay_lacking():
    with pinned():
        face = face_of(PLAIN)
        assert face.has("AΩ⁻") and not face.has("試") and not face.has("試")


@pytest.mark.parametrize("family", ["DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral"])
def test_other_fonts_are_written_too(family):
    given = sheet(plot(LINE), title="I_ds = 1 µA", lettering=Lettering(family=family))
    picture = Picture(given)
    text, _ = seen(encode(picture, "a.pdf"))
    assert picture._page is not None
    assert {"I_ds = 1 µA", "10.5 µW"} <= set(text.splitlines())


def test_other_formats_are_drawn_too(plain):
    picture = Picture(plain)
    assert encode(picture, "a.svg").startswith(b"<?xml")
    assert encode(picture, "a.jpg")[:2] == b"\xff\xd8"
    assert picture.thumbnail(200)[:4] == b"\x89PNG"


def test_a_sheet_too_small_for_its_names_is_refused():
    with pytest.raises(PlotError, match="too small"):
        Picture(sheet(plot(LINE), size_in=(1.5, 1.5)))


@pytest.mark.parametrize("weight", ["normal", "bold"])
@pytest.mark.parametrize(
    "text", ["AVAWay", "Alisson67 – transconductance (Savitzky–Golay)", "−3.79 µA", "10⁻³ Ω", "gj["]
)
def test_a_face_measures_as_matplotlib_does(text, weight):
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    with pinned():
        face = face_of(replace(PLAIN, weight=weight))
        font = FontProperties(family=["DejaVu Sans"], weight=weight, size=10)
        width, height, descent = RendererAgg(1, 1, 720).get_text_width_height_descent(text, font, False)
        block = face.block(text, 10)
    assert block.width == pytest.approx(width / 10, abs=0.02)
    assert block.ascent >= (height - descent) / 10 - 0.02
    assert block.descent >= descent / 10 - 0.02
