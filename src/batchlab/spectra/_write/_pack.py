"""Packed files: gzip always, Zstandard where the library is installed; the same bytes for the same content."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

from batchlab.errors import ConfigError, DataError

__all__ = ["MAGIC", "PACKINGS", "beginning", "pack", "unpack", "unpacked"]

MAGIC = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
PACKINGS = tuple(MAGIC)
_MOST_BYTES = 1_000_000_000  # of what a packed file may hold
_PIECE = 1 << 20


def pack(data: bytes, suffix: str) -> bytes:
    """Pack a file's content as its last suffix says; without one of `PACKINGS` it stays as it is.

    Raises
    ------
    ConfigError
        If ``.zst`` is asked for and zstandard is not installed.
    """
    if suffix == ".gz":
        packed = io.BytesIO()
        # Neither a time nor a name goes into it, so equal content gives equal bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as file:
            file.write(data)
        return packed.getvalue()
    if suffix == ".zst":
        return bytes(_zstandard().ZstdCompressor(level=6, write_checksum=True).compress(data))
    return data


def unpack(data: bytes, suffix: str, where: str = "the file") -> bytes:
    """Undo `pack`.

    Raises
    ------
    DataError
        Reason ``not-normalized``: it is not packed so, is cut short, or holds more than 1 GB.
    ConfigError
        If zstandard is not installed.
    """
    if suffix not in PACKINGS:
        return data
    found = bytearray()
    try:
        with _opened(data, suffix) as file:
            while piece := file.read(_PIECE):
                found += piece
                if len(found) > _MOST_BYTES:
                    raise DataError(
                        f"{where}: holds more than {_MOST_BYTES / 1e9:g} GB; unpack it and split it",
                        reason="not-normalized",
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{where}: cannot be unpacked ({error}); write it again", reason="not-normalized") from error
    return bytes(found)


def unpacked(data: bytes, where: str = "the file") -> bytes:
    """A content that may be packed, told by its first bytes; the errors are those of `unpack`."""
    return unpack(data, next((suffix for suffix, magic in MAGIC.items() if data.startswith(magic)), ""), where)


def beginning(data: bytes, size: int) -> bytes:
    """The first bytes of a content, unpacked if it is packed.

    Raises
    ------
    DataError
        Reason ``not-normalized``: it looks packed and is not.
    ConfigError
        If zstandard is not installed.
    """
    packing = next((suffix for suffix, magic in MAGIC.items() if data.startswith(magic)), None)
    if packing is None:
        return data[:size]
    try:
        if packing == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                return file.read(size)
        library = _zstandard()
        try:
            return bytes(library.ZstdDecompressor().stream_reader(data).read(size))
        except library.ZstdError as error:
            raise OSError(str(error)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be unpacked ({error})", reason="not-normalized") from error


def _opened(data: bytes, suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    library = _zstandard()
    try:
        # Its reader takes a cut file for a whole one; the size that the frame declares tells.
        whole = library.ZstdDecompressor().decompress(data, max_output_size=_MOST_BYTES)
    except library.ZstdError as error:
        raise OSError(str(error)) from error
    return io.BytesIO(whole)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise ConfigError(
            "a file that ends in .zst needs zstandard; install it (pip install zstandard), or write .gz instead"
        ) from error
    return zstandard
