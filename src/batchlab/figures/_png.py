"""PNG files: written fast, with provenance inside.

Pictures of lines are mostly flat, so the rows go unfiltered into the fastest deflate there is: ISA-L where
it is installed, else zlib. The bytes hold no time and no name of a machine.

References
----------
.. [1] W3C, *Portable Network Graphics (PNG) Specification*, 3rd ed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import PlotError
from batchlab.figures._provenance import KEYWORD, PNG_SIGNATURE, provenance_json

Deflate: TypeAlias = Callable[[memoryview], bytes]

_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # channels -> grey, RGB, RGBA
_INDEXED = 3
_METRES_PER_INCH = 0.0254


def encode_png(
    pixels: NDArray[np.uint8],
    *,
    dpi: float | None = None,
    metadata: Mapping[str, str] | None = None,
    palette: NDArray[np.uint8] | None = None,
    rows: NDArray[np.uint8] | None = None,
    changed: Sequence[slice] = (slice(None),),
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
    palette
        (n, 3) RGB colours, up to 256; the pixels are then (height, width) numbers of colours.
    rows
        Room from `png_rows` to work in, for many pictures of one size.
    changed
        Those rows of pixels that differ from the picture encoded in that room before.
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
    if palette is not None and (channels != 1 or palette.shape[1:] != (3,) or not 0 < len(palette) <= 256):
        raise PlotError(
            f"palette of shape {palette.shape} for {channels} channels; give up to 256 RGB colours, and their numbers"
        )
    if rows is None:
        rows = png_rows(height, width, channels)
    for run in changed:
        rows[run, 1:] = pixels[run].reshape(-1, width * channels)
    colour_type = _COLOUR_TYPE[channels] if palette is None else _INDEXED
    head = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    parts = [PNG_SIGNATURE, *_chunk(b"IHDR", head)]
    if palette is not None:
        parts += _chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if dpi is not None:
        per_metre = round(dpi / _METRES_PER_INCH)
        parts += _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    if metadata:
        parts += _chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + provenance_json(metadata))
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


def _chunk(kind: bytes, body: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return len(body).to_bytes(4, "big"), kind, body, checksum.to_bytes(4, "big")
