"""PNG files: written fast, with provenance inside, and the provenance read back.

Pictures of lines are mostly flat, so the rows go unfiltered into the fastest deflate there is: ISA-L where
it is installed, else zlib. The bytes hold no time and no name of a machine.

References
----------
.. [1] W3C, *Portable Network Graphics (PNG) Specification*, 3rd ed.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import Category, DataError, PlotError

Deflate: TypeAlias = Callable[[memoryview], bytes]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # channels -> grey, RGB, RGBA
_KEYWORD = b"batchlab"
_MAX_PROVENANCE_BYTES = 16_000_000
_METRES_PER_INCH = 0.0254


def encode_png(
    pixels: NDArray[np.uint8],
    *,
    dpi: float | None = None,
    metadata: Mapping[str, str] | None = None,
    rows: NDArray[np.uint8] | None = None,
    deflate: Deflate | None = None,
) -> bytes:
    """A PNG file of these pixels.

    Parameters
    ----------
    pixels
        (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA array.
    dpi
        Pixels per inch, told to whoever prints it.
    metadata
        Provenance: any texts under any names; `read_provenance` gives it back.
    rows
        Room from `png_rows` to work in, for many pictures of one size.
    deflate
        Makes the zlib stream; by default `deflate_isal` if it can be had, else `deflate_zlib`.

    Raises
    ------
    PlotError
        If the array is no picture or the metadata holds anything but text.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise PlotError(f"{pixels.dtype} array of shape {pixels.shape} is no picture; give uint8 rows of pixels")
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if channels not in _COLOUR_TYPE:
        raise PlotError(f"{channels} channels per pixel; give grey, RGB or RGBA")
    if rows is None:
        rows = png_rows(height, width, channels)
    rows[:, 1:] = pixels.reshape(height, width * channels)
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[channels], 0, 0, 0)
    parts = [_SIGNATURE, *_chunk(b"IHDR", head)]
    if dpi is not None:
        per_metre = round(dpi / _METRES_PER_INCH)
        parts += _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    if metadata:
        parts += _chunk(b"iTXt", _KEYWORD + b"\0\0\0\0\0" + _provenance_json(metadata))
    parts += _chunk(b"IDAT", (deflate or fastest_deflate())(rows.data))
    parts += _chunk(b"IEND", b"")
    return b"".join(parts)


def png_rows(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Room for a picture's rows as PNG wants them: a filter byte (0, none), then the pixels."""
    return np.zeros((height, 1 + width * channels), dtype=np.uint8)


def deflate_isal(rows: memoryview) -> bytes:
    """The rows as a zlib stream, by ISA-L."""
    from isal import isal_zlib

    return bytes(isal_zlib.compress(rows, 1))


def deflate_zlib(rows: memoryview) -> bytes:
    """The rows as a zlib stream, by zlib."""
    return zlib.compress(rows, 1)


@cache
def fastest_deflate() -> Deflate:
    """The faster of the two that is installed."""
    try:
        import isal.isal_zlib  # noqa: F401
    except ImportError:
        return deflate_zlib
    return deflate_isal


def read_provenance(path: str | Path) -> dict[str, str]:
    """The metadata that a picture was written with.

    Raises
    ------
    DataError
        If there is no such file, it is no PNG, is damaged, or carries no provenance (the reason says which:
        ``not-a-png``, ``damaged-png``, ``no-provenance``).
    """
    try:
        with open(path, "rb") as file:
            if file.read(8) != _SIGNATURE:
                raise DataError(f"{path} is not a PNG; name a picture that batchlab made", reason="not-a-png")
            while True:
                head = file.read(8)
                if len(head) < 8:
                    raise _damaged(path, "it ends before its last chunk")
                length, kind = struct.unpack(">I4s", head)
                if kind == b"IEND":
                    break
                if kind != b"iTXt" or length > _MAX_PROVENANCE_BYTES:
                    file.seek(length + 4, 1)
                    continue
                body, checksum = file.read(length), file.read(4)
                if zlib.crc32(kind + body).to_bytes(4, "big") != checksum:
                    raise _damaged(path, "the checksum of a text chunk is wrong")
                if body.startswith(_KEYWORD + b"\0"):
                    return _parsed(path, body)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file", category=Category.MISSING_INPUT) from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; name a picture in it", reason="not-a-png") from error
    raise DataError(
        f"{path} carries no provenance: batchlab did not make it, or another program has rewritten it",
        reason="no-provenance",
    )


def _parsed(path: str | Path, body: bytes) -> dict[str, str]:
    """The mapping in a text chunk, which a program that rewrote the picture may have compressed."""
    try:
        _, flags, _, _, text = _split_itxt(body)
        if flags[0]:
            unpack = zlib.decompressobj()
            text = unpack.decompress(text, _MAX_PROVENANCE_BYTES)
        found = json.loads(text.decode("utf-8"))
    except (ValueError, IndexError, zlib.error) as error:
        raise _damaged(path, f"its provenance cannot be read ({error})") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _damaged(path, "its provenance is no mapping of texts")
    return found


def _split_itxt(body: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Keyword, compression flag and method, language, translated keyword, text."""
    keyword, rest = body.split(b"\0", 1)
    language, translated, text = rest[2:].split(b"\0", 2)
    return keyword, rest[:2], language, translated, text


def _damaged(path: str | Path, how: str) -> DataError:
    return DataError(f"{path} is a damaged PNG: {how}; make the picture again", reason="damaged-png")


def _provenance_json(metadata: Mapping[str, str]) -> bytes:
    """Sorted JSON in UTF-8; halves of surrogate pairs, which UTF-8 cannot carry, as JSON's own escapes."""
    wrong = [name for name, text in metadata.items() if not (isinstance(name, str) and isinstance(text, str))]
    if wrong:
        raise PlotError(f"provenance {wrong[0]!r} is no text; write names and values as str")
    text = json.dumps(dict(metadata), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _chunk(kind: bytes, body: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return len(body).to_bytes(4, "big"), kind, body, checksum.to_bytes(4, "big")
