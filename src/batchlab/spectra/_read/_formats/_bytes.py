"""The bytes of a binary file, taken by position, with every step past their end told as what it is."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import Array

__all__ = ["Bytes", "words"]


class Bytes:
    """A file's bytes, read at positions that the file itself names.

    Parameters
    ----------
    path, data
        The file and its content.
    what
        What it is, for messages: ``a Bruker OPUS file``.
    order
        Byte order as `struct` and numpy write it.
    """

    def __init__(self, path: Path, data: bytes, what: str, order: str = "<") -> None:
        self.path = path
        self.data = data
        self.what = what
        self.order = order

    def __len__(self) -> int:
        return len(self.data)

    def take(self, start: int, size: int, where: str) -> bytes:
        """Some bytes; nothing is allocated before they are known to be there.

        Raises
        ------
        DataError
            Reason ``truncated``: the file ends before them.
        """
        if start < 0 or size < 0 or start + size > len(self.data):
            raise DataError(
                f"{self.path}: {self.what} whose {where} should lie in bytes {start} to {start + size}, but the "
                f"file has {len(self.data)}: it was not written to its end or is damaged; copy or export it again",
                reason="truncated",
            )
        return self.data[start : start + size]

    def unpack(self, form: str, start: int, where: str) -> tuple[int | float, ...]:
        """Numbers in the codes of `struct`, without an order mark."""
        form = self.order + form
        return struct.unpack(form, self.take(start, struct.calcsize(form), where))

    def integer(self, code: str, start: int, where: str) -> int:
        """One integer of the given `struct` code."""
        return int(self.unpack(code, start, where)[0])

    def real(self, code: str, start: int, where: str) -> float:
        """One real number of the given `struct` code."""
        return float(self.unpack(code, start, where)[0])

    def array(self, kind: str, start: int, count: int, where: str) -> Array:
        """Many numbers of a numpy kind such as ``f4``, as float64; infinities and NaNs stay in."""
        item = np.dtype(self.order + kind)
        raw = np.frombuffer(self.take(start, count * item.itemsize, where), dtype=item)
        # A signalling NaN in damaged data would warn as it is widened; it is told by `broken` instead.
        with np.errstate(all="ignore"):
            return raw.astype(np.float64)

    def text(self, start: int, size: int, where: str) -> str:
        """Text up to its zero byte, stripped."""
        return words(self.take(start, size, where))

    def broken(self, what: str) -> DataError:
        """The error for a file whose parts contradict each other."""
        return DataError(
            f"{self.path}: {self.what} {what}; the file is damaged or of a kind not known: copy it again, or "
            "export the spectrum as text",
            reason="damaged",
        )


def words(raw: bytes) -> str:
    """Text of an instrument's program: UTF-8 where it is, else the code page of Western Windows."""
    raw = raw.split(b"\x00", 1)[0]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
