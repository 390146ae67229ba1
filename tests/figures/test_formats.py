import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from batchlab.errors import Category, DataError, PlotError
from batchlab.figures import (
    FORMATS,
    Canvas,
    Role,
    Slot,
    check_format,
    check_picture,
    encode,
    encode_png,
    picture_facts,
    read_provenance,
)
from batchlab.figures._provenance import xmp_packet
from batchlab.figures._raster import encode_jpeg, encode_webp
from batchlab.figures._vector import _pdf_with_packet, _svg_with_element

TEXTS = st.dictionaries(st.text(min_size=0, max_size=20), st.text(max_size=60), min_size=1, max_size=5)
FLAT = np.full((40, 60, 4), 255, np.uint8)
INKED = FLAT.copy()
INKED[10:12, :, :3] = (0, 114, 178)


@pytest.fixture(scope="module")
def canvas():
    from batchlab.figures import FigureKind, Panel

    panel = Panel(y_label="y (1)", y_limits=(0, 1), slots=(Slot(label="c", role=Role.DIFFERENCE),))
    made = Canvas(FigureKind(panels=(panel,), x_label="x", x_limits=(0, 10), size_in=(5, 3), dpi=100))
    made.draw([[(np.linspace(0, 10, 300), 0.5 + 0.3 * np.sin(np.linspace(0, 10, 300)))]], "title")
    return made


@pytest.fixture(scope="module")
def bare_files(canvas):
    """A file of each format, without provenance."""
    return {suffix: encode(canvas, f"a{suffix}") for suffix in FORMATS}


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_says_what_it_is_and_carries_provenance(canvas, tmp_path, suffix):
    told = {"job": "compare/löss <&>", "params": '{"a": "]]>"}', "in": "\udcff\x00\x85\ufffe"}
    path = tmp_path / f"A{suffix.upper()}"
    canvas.save(path, told)
    assert read_provenance(path) == told
    facts = check_picture(path, pixels=(500, 300))
    assert facts.format == suffix.removeprefix(".").replace("jpeg", "jpg")
    size = (360.0, 216.0) if suffix in (".pdf", ".svg") else (500, 300)
    assert (facts.width, facts.height) == pytest.approx(size, abs=0.01)
    assert facts.size_bytes == path.stat().st_size
    assert not facts.blank


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_pictures_have_equal_bytes(canvas, suffix):
    assert encode(canvas, f"a{suffix}", {"a": "1", "b": "2"}) == encode(canvas, f"b{suffix}", {"b": "2", "a": "1"})


def test_a_name_is_checked_without_numpy_or_matplotlib():
    code = """
import sys
from batchlab.figures import FORMATS, check_format, read_provenance
assert check_format("a/B.PDF") == ".pdf"
assert not {"numpy", "matplotlib", "PIL"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["a.tif", "a", ".png", "a.png.gz", "png"])
def test_an_unknown_ending_is_told_with_those_there_are(name):
    with pytest.raises(PlotError, match=r"\.png, \.jpg, \.jpeg, \.webp, \.pdf, \.svg") as caught:
        check_format(name)
    assert (caught.value.category, caught.value.reason) == (Category.OUTPUT, "unknown-format")


def test_webp_keeps_every_pixel_and_jpeg_nearly(canvas):
    shown = canvas.rgba[..., :3].astype(int)
    with Image.open(io.BytesIO(encode(canvas, "a.webp"))) as image:
        np.testing.assert_array_equal(np.asarray(image), shown)
        assert image.getexif()[0x011A] == 100.0
    with Image.open(io.BytesIO(encode(canvas, "a.jpg", {"job": "x"}))) as image:
        assert np.abs(np.asarray(image).astype(int) - shown).mean() < 0.5
        assert image.info["dpi"] == (100, 100)
        assert image.info["comment"] == b'batchlab {"job":"x"}'


def carried(data, metadata, suffix):
    if suffix == ".jpg":
        return encode_jpeg(INKED, dpi=100, metadata=metadata)
    if suffix == ".webp":
        return encode_webp(INKED, dpi=100, metadata=metadata)
    return _pdf_with_packet(data, xmp_packet(metadata)) if suffix == ".pdf" else _svg_with_element(data, metadata)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".pdf", ".svg"])
def test_any_text_comes_back_from_every_format(tmp_path, bare_files, suffix):
    path = tmp_path / "a"

    @given(metadata=TEXTS)
    def check(metadata):
        path.write_bytes(carried(bare_files[suffix], metadata, suffix))
        assert read_provenance(path) == metadata

    check()
    many = {"inputs": "µ" * 300_000}
    path.write_bytes(carried(bare_files[suffix], many, suffix))
    assert read_provenance(path) == many


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_picture_without_provenance_is_told_so(tmp_path, bare_files, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bare_files[suffix])
    with pytest.raises(DataError) as caught:
        read_provenance(path)
    assert caught.value.reason == "no-provenance"


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".pdf", ".svg", ".png"])
def test_a_damaged_picture_raises_nothing_but_our_error(tmp_path, canvas, suffix):
    whole = encode(canvas, f"a{suffix}", {"job": "a"})
    path = tmp_path / "a"

    @given(cut=st.integers(0, len(whole)), noise=st.binary(max_size=30), ends=st.booleans())
    def check(cut, noise, ends):
        path.write_bytes(whole[:cut] + noise + (b"" if ends else whole[cut + len(noise) :]))
        for look in (read_provenance, picture_facts):
            try:
                look(path)
            except DataError as error:
                assert error.reason in ("not-a-picture", "damaged-picture", "no-provenance")

    check()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_picture_that_was_cut_off_is_no_picture(tmp_path, bare_files, suffix, share):
    path = tmp_path / "a"
    path.write_bytes(bare_files[suffix][: int(share * len(bare_files[suffix]))])
    with pytest.raises(PlotError) as caught:
        check_picture(path)
    assert (caught.value.category, caught.value.reason) == (Category.OUTPUT, "damaged-picture")


def grey_png():
    image = io.BytesIO()
    Image.new("L", (60, 40), 200).save(image, "PNG")  # with filters of Pillow's choice
    return image.getvalue()


BLANK = {
    "png": encode_png(FLAT),
    "grey": grey_png(),
    "jpg": encode_jpeg(FLAT, dpi=100),
    "webp": encode_webp(FLAT, dpi=100),
    "svg": b'<svg width="60pt" height="40px" viewBox="0 0 60 40"><path d="M0 0L60 0L60 40Z"/></svg>',
}


@pytest.mark.parametrize("name", BLANK)
def test_a_picture_of_one_colour_is_blank(tmp_path, name):
    path = tmp_path / "a"
    path.write_bytes(BLANK[name])
    assert picture_facts(path).blank
    with pytest.raises(PlotError) as caught:
        check_picture(path)
    assert caught.value.reason == "blank-picture"


def test_a_pdf_without_ink_is_blank(tmp_path):
    from matplotlib.figure import Figure

    path = tmp_path / "a.pdf"
    Figure(figsize=(2, 1)).savefig(path)
    assert picture_facts(path).blank
    assert (picture_facts(path).width, picture_facts(path).height) == (144, 72)


def test_a_single_odd_pixel_at_the_end_is_seen(tmp_path):
    pixels = np.full((500, 700, 4), 255, np.uint8)
    pixels[-1, -1, 0] = 0
    path = tmp_path / "a"
    path.write_bytes(encode_png(pixels))
    assert not picture_facts(path).blank


@pytest.mark.parametrize("make", [encode_png, lambda p: encode_jpeg(p, dpi=100), lambda p: encode_webp(p, dpi=100)])
def test_a_wrong_size_is_told(tmp_path, make):
    path = tmp_path / "a"
    path.write_bytes(make(INKED))
    assert check_picture(path, pixels=(60, 40)).width == 60
    with pytest.raises(PlotError, match="60 x 40 pixels in place of 61 x 40") as caught:
        check_picture(path, pixels=(61, 40))
    assert caught.value.reason == "wrong-size"


def test_a_png_whose_rows_are_missing_or_wrong_is_damaged(tmp_path):
    data = bytearray(encode_png(INKED))
    data[data.index(b"IDAT") + 9] ^= 0xFF
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(DataError, match="checksum"):
        picture_facts(path)
    taller = bytearray(encode_png(FLAT))
    taller[20:24] = struct.pack(">I", 4000)
    taller[29:33] = struct.pack(">I", zlib.crc32(bytes(taller[12:29])))
    path.write_bytes(taller)
    with pytest.raises(DataError, match="too early"):
        picture_facts(path)


def test_what_is_no_picture_is_no_picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("wavenumber,absorbance\n400,0.1\n")
    with pytest.raises(DataError) as caught:
        picture_facts(path)
    assert caught.value.reason == "not-a-picture"
    with pytest.raises(DataError, match="no such file"):
        picture_facts(tmp_path / "none.png")


def test_a_picture_larger_than_its_format_is_refused():
    with pytest.raises(PlotError, match=r"more than WebP can hold, 16383 on a side"):
        encode_webp(np.zeros((1, 16_384, 4), np.uint8), dpi=100)
    with pytest.raises(PlotError, match="write PNG"):
        encode_jpeg(np.zeros((65_536, 1, 4), np.uint8), dpi=100)


def test_a_rewritten_packet_is_still_read(tmp_path, bare_files):
    """Some programs make an attribute of what was an element."""
    whole = _svg_with_element(bare_files[".svg"], {"job": "a"}).decode()
    start, end = whole.index("<batchlab:provenance>"), whole.index("</batchlab:provenance>")
    text = whole[start + len("<batchlab:provenance>") : end].replace('"', "&quot;")
    changed = whole[:start] + whole[end + len("</batchlab:provenance>") :]
    changed = changed.replace(
        'xmlns:batchlab="urn:batchlab:"', f'xmlns:batchlab="urn:batchlab:" batchlab:provenance="{text}"'
    )
    path = tmp_path / "a.svg"
    path.write_text(changed)
    assert read_provenance(path) == {"job": "a"}
