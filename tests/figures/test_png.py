import contextlib
import io
import json
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
from batchlab.figures import encode_png, read_provenance
from batchlab.figures._png import deflate_isal, deflate_zlib, fastest_deflate, png_rows

TEXTS = st.dictionaries(st.text(min_size=0, max_size=20), st.text(max_size=60), min_size=1, max_size=5)


def isal_or_skip():
    pytest.importorskip("isal", reason="isal is not installed")


def decoded(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return np.asarray(image)


def chunks(data):
    at, found = 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert data[at + 8 + length : at + 12 + length] == zlib.crc32(kind + body).to_bytes(4, "big")
        found.append((kind, body))
        at += 12 + length
    return found


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    channels=st.sampled_from([1, 3, 4]),
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([1, 2, 256]),
)
def test_both_encoders_give_back_every_pixel(height, width, channels, seed, levels):
    isal_or_skip()
    shape = (height, width) if channels == 1 else (height, width, channels)
    pixels = np.random.default_rng(seed).integers(0, levels, shape, dtype=np.uint8)
    for deflate in (deflate_isal, deflate_zlib):
        np.testing.assert_array_equal(decoded(encode_png(pixels, deflate=deflate)), pixels)


def test_a_large_flat_picture_with_a_line_comes_back_through_both_encoders():
    isal_or_skip()
    pixels = np.full((900, 1501, 4), 255, dtype=np.uint8)
    pixels[np.arange(900), np.arange(900), :3] = (0, 114, 178)
    for deflate in (deflate_isal, deflate_zlib):
        data = encode_png(pixels, deflate=deflate)
        np.testing.assert_array_equal(decoded(data), pixels)
        assert len(data) < pixels.nbytes / 50


def test_a_buffer_that_is_not_contiguous_is_encoded_as_it_looks():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 4), dtype=np.uint8)[::2, ::-3]
    np.testing.assert_array_equal(decoded(encode_png(pixels)), pixels)


def test_room_for_rows_can_be_used_again():
    rows = png_rows(5, 7, 4)
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (5, 7, 4), dtype=np.uint8)
        np.testing.assert_array_equal(decoded(encode_png(pixels, rows=rows)), pixels)


def test_of_a_room_used_again_only_changed_rows_need_be_told():
    rows = png_rows(9, 7, 4)
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 4), dtype=np.uint8)
    encode_png(pixels, rows=rows)
    pixels[2:4] += 1
    pixels[8:] += 1
    changed = [slice(2, 4), slice(8, 9)]
    assert encode_png(pixels, rows=rows, changed=changed) == encode_png(pixels)


def test_density_is_told():
    data = encode_png(np.zeros((2, 2, 4), np.uint8), dpi=300)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.02)


def test_a_picture_holds_nothing_but_pixels_density_and_provenance():
    data = encode_png(np.zeros((2, 2, 3), np.uint8), dpi=150, metadata={"job": "a"})
    assert [kind for kind, _ in chunks(data)] == [b"IHDR", b"pHYs", b"iTXt", b"IDAT", b"IEND"]


@given(metadata=TEXTS)
def test_any_text_comes_back_as_provenance(tmp_path_factory, metadata):
    path = tmp_path_factory.mktemp("p") / "a.png"
    path.write_bytes(encode_png(np.zeros((3, 3, 4), np.uint8), metadata=metadata))
    assert read_provenance(path) == metadata


def test_halves_of_surrogate_pairs_come_back_and_the_chunk_is_valid_utf8(tmp_path):
    metadata = {"input": "bad\udcff\x00name µ.txt"}  # how Python names a file that is not UTF-8
    data = encode_png(np.zeros((3, 3, 4), np.uint8), metadata=metadata)
    (body,) = [body for kind, body in chunks(data) if kind == b"iTXt"]
    assert "µ" in body.split(b"\0", 5)[5].decode("utf-8")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert read_provenance(path) == metadata


def test_other_programs_read_the_provenance():
    data = encode_png(np.zeros((3, 3, 4), np.uint8), metadata={"job": "compare/löss"})
    with Image.open(io.BytesIO(data)) as image:
        assert json.loads(image.text["batchlab"]) == {"job": "compare/löss"}


def test_order_of_metadata_changes_no_byte():
    pixels = np.zeros((3, 3, 4), np.uint8)
    assert encode_png(pixels, metadata={"a": "1", "b": "2"}) == encode_png(pixels, metadata={"b": "2", "a": "1"})


def test_provenance_that_another_program_compressed_and_moved_is_found(tmp_path):
    body = b"batchlab\0\x01\0\0\0" + zlib.compress(b'{"job":"x"}')
    data = encode_png(np.zeros((3, 3, 4), np.uint8))
    chunk = len(body).to_bytes(4, "big") + b"iTXt" + body + zlib.crc32(b"iTXt" + body).to_bytes(4, "big")
    path = tmp_path / "a.png"
    path.write_bytes(data[:-12] + chunk + data[-12:])
    assert read_provenance(path) == {"job": "x"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not-a-picture"),
        (b"\xff\xd8\xff\xe0 a JPEG", "damaged-picture"),
        (encode_png(np.zeros((3, 3, 4), np.uint8)), "no-provenance"),
        (encode_png(np.zeros((3, 3, 4), np.uint8))[:30], "damaged-picture"),
        (
            encode_png(np.zeros((3, 3, 4), np.uint8), metadata={"a": "b"}).replace(b'"b"', b'"c"'),
            "damaged-picture",
        ),
    ],
)
def test_what_carries_no_provenance_is_refused_by_reason(tmp_path, content, reason):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png") as caught:
        read_provenance(path)
    assert caught.value.reason == reason


@given(cut=st.integers(0, 200), noise=st.binary(max_size=30))
def test_a_damaged_picture_raises_nothing_but_our_error(tmp_path_factory, cut, noise):
    path = tmp_path_factory.mktemp("p") / "a.png"
    whole = encode_png(np.zeros((3, 3, 4), np.uint8), dpi=100, metadata={"job": "a", "why": "b" * 20})
    path.write_bytes(whole[:cut] + noise + whole[cut + len(noise) :])
    found = {}
    with contextlib.suppress(DataError):
        found = read_provenance(path)
    assert found in ({}, {"job": "a", "why": "b" * 20})


def test_a_missing_picture_is_a_missing_input(tmp_path):
    with pytest.raises(DataError, match="no such file") as caught:
        read_provenance(tmp_path / "none.png")
    assert caught.value.category is Category.MISSING_INPUT
    with pytest.raises(DataError, match="folder"):
        read_provenance(tmp_path)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((3, 3, 2), np.uint8),
        np.zeros((3, 3, 4), np.float64),
        np.zeros((0, 3, 4), np.uint8),
        np.zeros(3, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(PlotError, match="give"):
        encode_png(pixels)


def test_provenance_must_be_text():
    with pytest.raises(PlotError, match="'count' is no text"):
        encode_png(np.zeros((3, 3, 4), np.uint8), metadata={"count": 3})


def test_the_fastest_deflate_is_isal_where_there_is_isal():
    isal_or_skip()
    assert fastest_deflate() is deflate_isal


def test_without_isal_zlib_takes_its_place():
    code = (
        "import sys; sys.modules['isal'] = None\n"
        "import numpy as np\n"
        "from batchlab.figures._png import encode_png, fastest_deflate\n"
        "assert fastest_deflate().__name__ == 'deflate_zlib'\n"
        "sys.stdout.buffer.write(encode_png(np.full((4, 5, 4), 7, np.uint8)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    np.testing.assert_array_equal(decoded(done.stdout), np.full((4, 5, 4), 7))
