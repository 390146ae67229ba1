"""Scenes: parts on whole pixels in few colours, the same in every format."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchlab.errors import PlotError
from batchlab.figures import (
    TABLE,
    TABLE_SIZE,
    Box,
    Ink,
    Scene,
    ScenePicture,
    Tile,
    Wedge,
    Words,
    check_picture,
    colour_table,
    encode,
    encode_png,
    read_provenance,
    thumbnail,
    width_px,
)

COLOURS = colour_table(
    np.column_stack([np.arange(TABLE_SIZE, dtype=np.uint8)] * 2 + [np.full(TABLE_SIZE, 99, np.uint8)]),
    grey=(210, 210, 210),
    dark=(0, 0, 0),
)


def scene(*parts: object) -> Scene:
    return Scene(width=120, height=60, dpi=100.0, colours=COLOURS, parts=parts)  # type: ignore[arg-type]


def shown(*parts: object) -> np.ndarray:
    with Image.open(io.BytesIO(ScenePicture(scene(*parts)).png())) as image:
        return np.asarray(image.convert("RGB"))


def test_tiles_and_boxes_fill_just_their_pixels() -> None:
    codes = np.array([[TABLE, TABLE + 5], [Ink.WHITE, Ink.GREY]], np.uint8)
    picture = shown(Box(10, 20, 13, 22, Ink.RED), Tile(30, 40, codes))
    assert picture[20:22, 10:13].reshape(-1, 3).tolist() == [[0xD6, 0x1A, 0x1A]] * 6
    assert picture[40:42, 30:32].tolist() == [[[0, 0, 99], [5, 5, 99]], [[255, 255, 255], [210, 210, 210]]]
    drawn = (picture != 255).any(axis=2)
    assert drawn.sum() == 6 + 3


def test_later_parts_lie_over_earlier_ones_and_nothing_leaves_the_picture() -> None:
    picture = shown(Box(-5, -5, 500, 500, Ink.GREY), Box(0, 0, 1, 1), Words(118, 30, "outside", 12.0))
    assert picture[0, 0].tolist() == [0x1A] * 3
    assert picture[59, 0].tolist() == [210] * 3


@pytest.mark.parametrize(("base", "tip"), [(30, 20), (20, 30)])
def test_a_wedge_is_widest_at_its_base(base: int, tip: int) -> None:
    widths = (shown(Wedge(40, 60, base, tip, 255)) != 255).any(axis=2)[20:30].sum(axis=1)
    assert widths[-1 if base > tip else 0] >= 18
    assert widths[0 if base > tip else -1] <= 2


@pytest.mark.parametrize("align", ["left", "center", "right"])
@pytest.mark.parametrize("upwards", [False, True])
def test_words_lie_where_they_are_told_to(align: str, upwards: bool) -> None:
    drawn = (shown(Words(60, 30, "HHH", 9.0, align=align, upwards=upwards)) != 255).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    along, across = (rows, columns) if upwards else (columns, rows)
    wide = width_px("HHH", 9.0, 100.0)
    at = 30 if upwards else 60
    first = {"left": at, "center": at - wide / 2, "right": at - wide}[align]
    if upwards:
        first = {"left": at - wide, "center": at - wide / 2, "right": at}[align]
    assert along[0] == pytest.approx(first + 1, abs=2.5)
    assert along[-1] == pytest.approx(first + wide - 1, abs=2.5)
    baseline = 60 if upwards else 30
    assert across[-1] == baseline - 1


def test_png_pixels_are_those_of_rgba_and_hold_provenance(tmp_path: Path) -> None:
    picture = ScenePicture(scene(Words(5, 30, "cusp µ²", 11.0, ink=Ink.RED), Box(1, 1, 9, 9, TABLE + 3)))
    path = tmp_path / "a.png"
    picture.save(path, {"orbit": "13477"})
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), picture.rgba)
    assert read_provenance(path) == {"orbit": "13477"}
    check_picture(path, pixels=(120, 60))


@pytest.mark.parametrize("width", [1, 40, 119, 120, 500])
def test_a_small_picture_is_that_of_its_pixels(width: int) -> None:
    picture = ScenePicture(scene(Words(5, 30, "cusp", 11.0, ink=Ink.RED), Box(1, 1, 90, 9, TABLE + 3)))
    assert picture.thumbnail(width) == thumbnail(picture.rgba, width)


def test_a_blank_picture_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "blank.png").write_bytes(ScenePicture(scene()).png())
    with pytest.raises(PlotError, match="shows nothing"):
        check_picture(tmp_path / "blank.png")


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".webp", ".jpg"])
def test_equal_scenes_make_equal_bytes_in_every_format(suffix: str, tmp_path: Path) -> None:
    parts = (Words(5, 30, "Energy (eV)", 11.0), Tile(50, 30, np.full((20, 20), TABLE + 9, np.uint8)))
    first, second = (encode(ScenePicture(scene(*parts)), f"a{suffix}", {"a": "b"}) for _ in range(2))
    assert first == second
    (tmp_path / f"a{suffix}").write_bytes(first)
    assert read_provenance(tmp_path / f"a{suffix}") == {"a": "b"}


def test_vector_files_hold_words_as_words_and_tiles_as_images() -> None:
    parts = (Words(5, 30, "Energy", 11.0), Tile(50, 30, np.full((20, 20), TABLE + 9, np.uint8)))
    pdfium = pytest.importorskip("pypdfium2")
    document = pdfium.PdfDocument(ScenePicture(scene(*parts)).vector(".pdf"))
    assert "Energy" in document[0].get_textpage().get_text_range()
    svg = ScenePicture(scene(*parts)).vector(".svg").decode()
    assert len(re.findall(r"<image", svg)) == 1


def test_a_palette_is_of_few_colours_and_for_their_numbers() -> None:
    with pytest.raises(PlotError, match="palette"):
        encode_png(np.zeros((2, 2, 3), np.uint8), palette=COLOURS)
    with pytest.raises(PlotError, match="palette"):
        encode_png(np.zeros((2, 2), np.uint8), palette=np.zeros((300, 3), np.uint8))
    with pytest.raises(PlotError, match="colours"):
        colour_table(np.zeros((3, 3), np.uint8), grey=(1, 1, 1), dark=(0, 0, 0))
