"""The bytes of a CDF: bounded reads of a file or of an unpacked whole, and the packings of the format."""

from __future__ import annotations

import logging
import os
import zlib
from pathlib import Path
from typing import Any

from batchlab.errors import Category, DataError
from batchlab.particles._model import InvalidCdf

log = logging.getLogger(__name__)
_inflater: Any = zlib
try:
    from isal import isal_zlib as _inflater
except ImportError:  # pragma: no cover - where the fast inflater is not built, the slow one serves
    log.debug("isal is not there; zlib unpacks")

__all__ = ["RLE", "GZIP", "Source", "unpack"]

RLE, GZIP = 1, 5
_DEFLATE_LIMIT = 1_040  # no deflate stream grows more than 1032-fold
_GZIP_WINDOW = 31
_DAMAGED: tuple[type[Exception], ...] = (zlib.error, _inflater.error, ValueError)


class Source:
    """Bytes that are never read beyond their end.

    Parameters
    ----------
    path
        Named in errors, and read unless `data` is given.
    data
        The file unpacked.
    """

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        self.path = path
        self._data = data
        self._fd = -1
        if data is None:
            self._fd = _opened(path)
        self.size = os.fstat(self._fd).st_size if data is None else len(data)

    def close(self) -> None:
        """Let go of the file; twice does no harm."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._data = None

    def read(self, start: int, count: int) -> bytes:
        """Exactly `count` bytes from `start`; `InvalidCdf` where the file does not have them."""
        if start < 0 or count < 0 or start + count > self.size:
            raise self.wrong(f"it has {self.size} bytes, and byte {start + max(count, 0)} is pointed at")
        if self._data is not None:
            return self._data[start : start + count]
        try:
            got = os.pread(self._fd, count, start)
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}", reason="unreadable") from error
        if len(got) != count:
            raise self.wrong(f"{len(got)} bytes instead of {count} could be read at byte {start}")
        return got

    def wrong(self, what: str) -> InvalidCdf:
        """The error to raise, with what is wrong inside."""
        return InvalidCdf(f"{self.path} is no whole CDF: {what}; fetch it again")


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        missing = isinstance(error, FileNotFoundError)
        raise DataError(
            f"{path}: no such file" if missing else f"{path} cannot be opened: {error}",
            category=Category.MISSING_INPUT if missing else Category.INVALID_INPUT,
            reason="not-found" if missing else "unreadable",
        ) from error


def unpack(source: Source, packed: bytes, packing: int, size: int | None) -> bytes:
    """Undo RLE or GZIP.

    Parameters
    ----------
    source
        For errors.
    packed
        Bytes of one block, or of the whole file.
    packing
        `RLE` or `GZIP`.
    size
        Of the result, in bytes; None where it is only bounded.

    Raises
    ------
    InvalidCdf
        If the bytes are damaged, come out at another size, or are packed in another way.
    """
    if size is not None and size > len(packed) * _DEFLATE_LIMIT + 1_024:
        raise source.wrong(f"{len(packed)} packed bytes cannot hold {size}")
    if packing == GZIP:
        data = _inflate(source, packed, size)
    elif packing == RLE:
        data = _unroll(source, packed)
    else:
        raise source.wrong(f"its data are packed by method {packing}, which is not GZIP (5) or RLE (1)")
    if size is not None and len(data) != size:
        raise source.wrong(f"a packed block holds {len(data)} bytes instead of {size}")
    return data


def _inflate(source: Source, packed: bytes, size: int | None) -> bytes:
    inflater: Any = _inflater.decompressobj(wbits=_GZIP_WINDOW)
    limit = len(packed) * _DEFLATE_LIMIT + 1_024 if size is None else size + 1
    try:
        data: bytes = inflater.decompress(packed, limit)
    except _DAMAGED as error:
        raise source.wrong(f"a packed block is damaged ({error})") from error
    if not inflater.eof:
        raise source.wrong("its packed data end too soon")
    return data


def _unroll(source: Source, packed: bytes) -> bytes:
    """Zeros stand as a 0 and their number less one."""
    parts: list[bytes] = []
    at = 0
    while True:
        zero = packed.find(0, at)
        if zero < 0:
            parts.append(packed[at:])
            break
        if zero + 1 >= len(packed):
            raise source.wrong("a run of zeros in its packed data has no length")
        parts.append(packed[at:zero])
        parts.append(bytes(packed[zero + 1] + 1))
        at = zero + 2
    return b"".join(parts)
