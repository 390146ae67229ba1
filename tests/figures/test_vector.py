"""What stands in PDF and SVG files: every point of a line, at its place."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

from batchlab.figures import Band, Canvas, FigureKind, Line, Panel, Picture, Plot, Role, Sheet, Slot, encode

X = np.linspace(0.0, 10.0, 2_500)
NOISE = 0.5 + 0.1 * np.random.default_rng(3).standard_normal(X.size)


@pytest.fixture(scope="module")
def drawn():
    panel = Panel(
        y_label="y (1)",
        y_limits=(0, 1),
        lines=(Line(x=X, y=1 - NOISE, label="ref"),),
        slots=(Slot(label="c", role=Role.DIFFERENCE), Slot(label="p", role=Role.PEAK, labelled=True)),
        bands=(Band(x=X, low=NOISE - 0.1, high=NOISE + 0.1, label="band"),),
        legend=True,
    )
    canvas = Canvas(FigureKind(panels=(panel,), x_label="x (µm)", x_limits=(10, 0), size_in=(5, 3), dpi=100))
    canvas.draw([[(X, NOISE), ([2.0, 7.0], [0.6, 0.4])]], "a title")
    return canvas


def svg_lines(data, colour):
    """Points of each path of a colour, in points from the upper left."""
    found = []
    for path in ET.fromstring(data).iter("{http://www.w3.org/2000/svg}path"):
        if f"stroke: {colour}" in path.get("style", "") and "clip-path" in path.attrib:
            numbers = [float(each) for each in re.findall(r"-?[\d.]+", path.get("d"))]
            found.append(np.array(numbers).reshape(-1, 2))
    return found


def pdf_lines(data, colour, height):
    """The same of a PDF."""
    rgb = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    found = []
    for start in re.finditer(rb"stream\r?\n", data):
        try:
            text = zlib.decompressobj().decompress(data[start.end() :]).decode("latin-1")
        except zlib.error:
            continue
        pen, points, numbers = None, [], []
        for word in text.split():
            if re.fullmatch(r"-?\d*\.?\d+", word):
                numbers.append(float(word))
                continue
            if word == "RG":
                pen = numbers[-3:]
            elif word in ("m", "l"):
                points = [] if word == "m" else points
                points.append(numbers[-2:])
            elif word == "S":
                if pen is not None and np.allclose(pen, rgb, atol=0.002) and len(points) > 50:
                    found.append(np.array(points) * [1, -1] + [0, height])
                points = []
            numbers = []
    return found


def expected(picture, x, y, dpi):
    corners = [picture.pixel_at(0, *at) for at in ((0.0, 0.0), (1.0, 1.0))]
    (row0, column0), (row1, column1) = corners
    return np.column_stack((column0 + x * (column1 - column0), row0 + y * (row1 - row0))) * 72 / dpi


def test_an_svg_holds_every_point_of_a_line_at_its_place(drawn):
    (line,) = [each for each in svg_lines(encode(drawn, "a.svg"), "#0072b2") if len(each) > 50]
    np.testing.assert_allclose(line, expected(drawn, X, NOISE, 100), atol=0.02)
    assert [len(each) for each in svg_lines(encode(drawn, "a.svg"), "#000000")].count(X.size) == 1


def test_a_pdf_holds_every_point_of_a_line_at_its_place(drawn):
    (line,) = pdf_lines(encode(drawn, "a.pdf"), "#0072B2", 216.0)
    np.testing.assert_allclose(line, expected(drawn, X, NOISE, 100), atol=0.02)


def test_a_longer_line_is_thinned_but_keeps_its_extremes():
    x = np.linspace(0, 10, 200_000)
    y = 0.5 + 0.01 * np.random.default_rng(1).standard_normal(x.size)
    y[77_777] = 0.95
    panel = Panel(y_label="y", y_limits=(0, 1), slots=(Slot(label="c", role=Role.DIFFERENCE),))
    canvas = Canvas(FigureKind(panels=(panel,), x_label="x", x_limits=(0, 10), size_in=(4, 3), dpi=100))
    canvas.draw([[(x, y)]])
    (line,) = [each for each in svg_lines(encode(canvas, "a.svg"), "#0072b2") if len(each) > 50]
    assert len(line) <= 40_000
    peak = expected(canvas, x[77_777:77_778], y[77_777:77_778], 100)[0]
    np.testing.assert_allclose(line[line[:, 1].argmin()], peak, atol=0.02)


def test_writing_a_vector_file_changes_no_pixel_and_no_later_picture(drawn):
    before = drawn.png()
    first = encode(drawn, "a.svg")
    encode(drawn, "a.pdf")
    assert drawn.png() == before
    assert encode(drawn, "a.svg") == first
    drawn.draw([[(X, 1 - NOISE), ([], [])]], "")
    other = drawn.png()
    assert other != before
    assert encode(drawn, "a.svg") != first
    drawn.draw([[(X, NOISE), ([2.0, 7.0], [0.6, 0.4])]], "a title")
    assert drawn.png() == before
    assert encode(drawn, "a.svg") == first


def test_letters_of_a_pdf_can_be_searched_and_an_svg_names_no_font(drawn):
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    document = pdfium.PdfDocument(encode(drawn, "a.pdf", {"job": "x"}))
    text = document[0].get_textpage().get_text_bounded()
    assert {"a title", "x (µm)", "y (1)"} <= set(text.splitlines())
    assert b"font-family" not in encode(drawn, "a.svg")
    document.close()


def test_a_pdf_and_a_png_show_the_same(drawn):
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    document = pdfium.PdfDocument(encode(drawn, "a.pdf", {"job": "x"}))
    pixels = np.asarray(document[0].render(scale=100 / 72).to_pil().convert("RGB")).astype(int)
    document.close()
    shown = drawn.rgba[..., :3].astype(int)
    assert abs(pixels.shape[0] - 300) <= 1
    assert abs(pixels.shape[1] - 500) <= 1
    pixels = pixels[:300, :500]

    def coarse(picture):
        rows, columns = picture.shape[0] // 10 * 10, picture.shape[1] // 10 * 10
        return picture[:rows, :columns].reshape(rows // 10, 10, columns // 10, 10, 3).mean(axis=(1, 3))

    assert np.abs(coarse(pixels) - coarse(shown[: pixels.shape[0], : pixels.shape[1]])).max() < 45


SCRIPT = """
import sys
import numpy as np
from batchlab.figures import *
x = np.linspace(0, 10, 500)
panel = Panel(y_label="y (1)", y_limits=(-1, 1), lines=(Line(x=x, y=np.cos(x), label="cos"),), legend=True)
canvas = Canvas(FigureKind(panels=(panel,), x_label="x (1)", x_limits=(0, 10), size_in=(4, 3), dpi=80))
canvas.draw([[(x, np.sin(x))]], "title 1e5 $x_1$")
mesh = Mesh(x_edges=x[:11], y_edges=x[:6], values=np.arange(50.).reshape(5, 10), label="v")
sheet = Sheet(plots=(Plot(marks=(mesh,), x_limits=(0, 0.2), y_limits=(0, 0.1)),), size_in=(3, 2), dpi=80)
import hashlib
for suffix in FORMATS:
    for drawn in (canvas, Picture(sheet)):
        print(hashlib.sha256(encode(drawn, "a" + suffix, {"job": "a"})).hexdigest())
"""


def test_another_process_and_another_day_change_no_byte(tmp_path):
    config = tmp_path / "matplotlibrc"
    config.write_text("svg.fonttype: none\nsvg.hashsalt: other\npdf.compression: 0\npdf.fonttype: 3\nfont.size: 20\n")

    def made(**environment):
        return subprocess.run(
            [sys.executable, "-c", SCRIPT], env=os.environ | environment, capture_output=True, check=True
        ).stdout

    plain = made(PYTHONHASHSEED="1")
    assert len(plain.split()) == 12
    assert made(PYTHONHASHSEED="7", SOURCE_DATE_EPOCH="86400", MATPLOTLIBRC=str(config), LC_ALL="C") == plain


def test_a_sheets_lines_are_whole_and_too_many_are_an_image():
    few = Sheet(
        plots=(Plot(marks=(Line(x=X, y=NOISE, colour="#0072b2"),), x_limits=(10, 0), y_limits=(0, 1)),),
        size_in=(5, 3),
        dpi=100,
    )
    picture = Picture(few)
    before = picture.png()
    (line,) = svg_lines(encode(picture, "a.svg"), "#0072b2")
    np.testing.assert_allclose(line, expected(picture, X, NOISE, 100), atol=0.02)
    assert picture.png() == before
    many = tuple(Line(x=X, y=NOISE + k / 1000, colour="#0072b2") for k in range(150))
    crowded = encode(Picture(Sheet(plots=(Plot(marks=many, x_limits=(10, 0), y_limits=(0, 1)),), dpi=60)), "a.svg")
    assert svg_lines(crowded, "#0072b2") == []
    assert b"<image" in crowded
    assert len(crowded) < 1_000_000


def test_no_date_is_written(drawn):
    assert b"CreationDate" not in encode(drawn, "a.pdf", {"job": "a"})
    assert b"dc:date" not in encode(drawn, "a.svg", {"job": "a"})
