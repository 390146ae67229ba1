"""What a file says of the picture in it: format and size, that it is whole, and that it is not blank.

As little as possible is unpacked: a PNG until a second colour is met, a JPEG at an eighth of its size.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import Category, DataError, PlotError
from batchlab.figures._provenance import (
    PNG_SIGNATURE,
    damaged,
    jpeg_segments,
    opened,
    picture_kind,
    webp_chunks,
)

_NO_TONES = 2  # of 256: a JPEG of one colour may come back with as much
_PIECE = 1 << 16
_MOST_LOOKED_AT = 80_000_000  # pixels of a JPEG or WebP; of larger ones Pillow is wary, and they are taken for no blank
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG markers
_MAX_STREAM_BYTES = 1 << 26
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG's colour types; a palette's number is one
_SVG_INK = re.compile(rb"<(?:path|use|image|text|line|polyline|polygon|rect|circle|ellipse)\b")
_PDF_INK = re.compile(rb"(?<=[\s\]>)])(?:S|s|f|F|f\*|B|B\*|b|b\*|Do|Tj|TJ|sh)(?=\s)")
_PDF_STREAM = re.compile(rb"stream\r?\n")
_PDF_BOX = re.compile(rb"/MediaBox\s*\[\s*([-\d.]+)\s+([-\d.]+)\s+([-\d.]+)\s+([-\d.]+)\s*\]")
_SVG_SIDE = rb"\s%s\s*=\s*[\"']([\d.]+)(pt|px|)[\"']"
_POINTS = {b"pt": 1.0, b"px": 0.75, b"": 0.75}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What a picture's file says.

    Attributes
    ----------
    format
        ``png``, ``jpg``, ``webp``, ``pdf`` or ``svg``, whatever its name ends in.
    width, height
        In pixels; of a vector picture in points, 72 to the inch.
    blank
        Whether it is of a single colour, or of a single area.
    size_bytes
        Of the file.
    """

    format: str
    width: float
    height: float
    blank: bool
    size_bytes: int


def picture_facts(path: str | Path, *, seen: bool = False) -> PictureFacts:
    """Look at a picture's file.

    Parameters
    ----------
    path
        The file.
    seen
        Whether its pixels are known to show something: they are then not unpacked, which takes 10 to 50 ms of a large
        JPEG or WebP.

    Raises
    ------
    DataError
        If there is no such file, it is no picture, or it cannot be opened (the reason says which:
        ``not-a-picture``, ``damaged-picture``).
    """
    with opened(path) as file:
        data = file.read()
    kind = picture_kind(data[:2048])
    if kind is None:
        raise DataError(f"{path} is no picture", reason="not-a-picture")
    try:
        width, height, blank = _LOOKS[kind](data, seen)
    # Pillow raises SyntaxError for a file that is none of the format its head promises.
    except (ValueError, IndexError, OSError, SyntaxError, struct.error, zlib.error) as error:
        raise damaged(path, str(error)) from error
    return PictureFacts(format=kind, width=width, height=height, blank=blank, size_bytes=len(data))


def check_picture(path: str | Path, *, pixels: tuple[int, int] | None = None, seen: bool = False) -> PictureFacts:
    """Make sure that a picture that was just written is one: it opens, shows something, and has its size.

    Parameters
    ----------
    path
        The file.
    pixels
        Width and height that it should have; of a vector picture they say nothing.
    seen
        Whether its pixels are known to show something; see `picture_facts`.

    Raises
    ------
    PlotError
        Category ``output``; reason ``damaged-picture``, ``blank-picture`` or ``wrong-size``.
    """
    try:
        facts = picture_facts(path, seen=seen)
    except DataError as error:
        raise PlotError(str(error), category=Category.OUTPUT, reason="damaged-picture") from error
    if facts.blank:
        raise PlotError(
            f"{path} shows nothing; look at the limits of its axes", category=Category.OUTPUT, reason="blank-picture"
        )
    if pixels is not None and facts.format not in ("pdf", "svg") and (facts.width, facts.height) != pixels:
        raise PlotError(
            f"{path} has {facts.width:g} x {facts.height:g} pixels in place of {pixels[0]} x {pixels[1]}; "
            "another program wrote it, or the disk lost a part: make it again",
            category=Category.OUTPUT,
            reason="wrong-size",
        )
    return facts


def _png(data: bytes, seen: bool) -> tuple[float, float, bool]:
    packed = []
    head = b""
    at = len(PNG_SIGNATURE)
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        body = memoryview(data)[at + 8 : at + 8 + length]
        if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack_from(">I", data, at + 8 + length)[0]:
            raise ValueError(f"the checksum of a chunk {kind!r} is wrong")
        if kind == b"IHDR":
            head = bytes(body)
        elif kind == b"IDAT":
            packed.append(body)
        elif kind == b"IEND":
            break
        at += 12 + length
    if not packed:
        raise ValueError("it holds no pixels")
    width, height, depth, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if seen:
        return width, height, False
    if depth != 8 or interlaced or colour_type not in _CHANNELS:
        return width, height, _one_tone(data)
    channels = _CHANNELS[colour_type]
    row_bytes = 1 + width * channels
    first = b""
    rows = 0
    for row in _rows(packed, row_bytes):
        if row[0] != 0:  # a filter of another program's
            return width, height, _one_tone(data)
        first = first or row
        rows += 1
        if row != first or row[1:] != row[1 : 1 + channels] * width:
            return width, height, False
    if rows < height:
        raise ValueError("its pixels end too early")
    return width, height, True


def _rows(packed: list[memoryview], row_bytes: int) -> Iterator[bytes]:
    """The rows of a PNG, unpacked as they are asked for."""
    unpack = zlib.decompressobj()
    ready = bytearray()
    for part in packed:
        waiting: bytes | memoryview = part
        while len(waiting):
            ready += unpack.decompress(waiting, max(_PIECE, row_bytes))
            waiting = unpack.unconsumed_tail
            whole = len(ready) - len(ready) % row_bytes
            for at in range(0, whole, row_bytes):
                yield bytes(ready[at : at + row_bytes])
            del ready[:whole]


def _one_tone(data: bytes) -> bool:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return all(high == low for low, high in _tones(image))


def _jpeg(data: bytes, seen: bool) -> tuple[float, float, bool]:
    from PIL import Image

    # A frame's head says precision, height and width.
    frames = (body for marker, body in jpeg_segments(io.BytesIO(data)) if marker in _FRAMES)
    height, width = struct.unpack(">HH", next(frames, b"")[1:5])
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise ValueError("it ends before its last line")
    if seen or width * height > _MOST_LOOKED_AT:
        return width, height, False
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (max(1, width // 8), max(1, height // 8)))
        return width, height, all(high - low <= _NO_TONES for low, high in _tones(image))


def _webp(data: bytes, seen: bool) -> tuple[float, float, bool]:
    from PIL import Image

    if len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise ValueError("it ends before its last chunk")
    extended = next((body for kind, body in webp_chunks(io.BytesIO(data)) if kind == b"VP8X"), None)
    if extended is not None:
        width, height = (1 + int.from_bytes(extended[at : at + 3], "little") for at in (4, 7))
        if seen or width * height > _MOST_LOOKED_AT:
            return width, height, False
    with Image.open(io.BytesIO(data)) as image:
        return *image.size, all(high - low <= _NO_TONES for low, high in _tones(image))


def _tones(image: object) -> list[tuple[int, int]]:
    """Lowest and highest value of each channel."""
    found = image.getextrema()  # type: ignore[attr-defined]
    return list(found) if isinstance(found[0], tuple) else [found]


def _svg(data: bytes, seen: bool) -> tuple[float, float, bool]:
    if not data.rstrip().endswith(b"</svg>"):
        raise ValueError("it ends before its end tag")
    head = data[: data.index(b">", data.index(b"<svg")) + 1]
    sides = []
    for name in (b"width", b"height"):
        found = re.search(_SVG_SIDE % name, head)
        if found is None:
            raise ValueError(f"its {name.decode()} is not stated")
        sides.append(float(found.group(1)) * _POINTS[found.group(2)])
    ink = sum(1 for _, _ in zip(range(2), _SVG_INK.finditer(data), strict=False))
    return sides[0], sides[1], ink < 2


def _pdf(data: bytes, seen: bool) -> tuple[float, float, bool]:
    box = _PDF_BOX.search(data)
    if not data.rstrip().endswith(b"%%EOF") or b"startxref" not in data[-2048:]:
        raise ValueError("it ends before its last line")
    if box is None:
        raise ValueError("the size of its page is not stated")
    left, bottom, right, top = (float(number) for number in box.groups())
    return right - left, top - bottom, not any(_inked(data, found.end()) for found in _PDF_STREAM.finditer(data))


def _inked(data: bytes, at: int) -> bool:
    """Whether a stream of a PDF paints more than one thing."""
    try:
        text = zlib.decompressobj().decompress(memoryview(data)[at:], _MAX_STREAM_BYTES)
    except zlib.error:  # not packed this way: no content of a page that we wrote
        return False
    return b"re" in text[:4096] and sum(1 for _, _ in zip(range(2), _PDF_INK.finditer(text), strict=False)) == 2


_LOOKS = {"png": _png, "jpg": _jpeg, "webp": _webp, "pdf": _pdf, "svg": _svg}
