"""The fields of one inner record of a CDF, taken one after the other and never beyond its end."""

from __future__ import annotations

import struct

from batchlab.particles._cdf_source import Source

__all__ = ["Fields"]


class Fields:
    """The fields of one inner record, in turn."""

    def __init__(self, source: Source, at: int, wide: bool, kinds: tuple[int, ...]) -> None:
        self.wide = wide
        self.source = source
        size = self._number(source.read(at, 8 if wide else 4))
        if size < (12 if wide else 8) or size > source.size:
            raise source.wrong(f"the record at byte {at} claims {size} bytes")
        self.data = source.read(at, size)
        self.at = 8 if wide else 4
        self.kind = self.int4()
        if self.kind not in kinds:
            raise source.wrong(f"the record at byte {at} is of kind {self.kind} where {kinds[0]} belongs")

    @staticmethod
    def _number(data: bytes) -> int:
        return int.from_bytes(data, "big", signed=True)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count < 0 or self.at + count > len(self.data):
            raise self.source.wrong("a record inside is shorter than its fields")
        self.at += count
        return self.data[self.at - count : self.at]

    def int4(self) -> int:
        """A number of 4 bytes."""
        return self._number(self.take(4))

    def offset(self) -> int:
        """A pointer, or a length that may be long."""
        return self._number(self.take(8 if self.wide else 4))

    def ints(self, count: int) -> tuple[int, ...]:
        """Several numbers of 4 bytes."""
        if not 0 <= count <= len(self.data):
            raise self.source.wrong(f"a record inside claims {count} numbers")
        return struct.unpack(f">{count}i", self.take(4 * count))

    def offsets(self, count: int) -> tuple[int, ...]:
        """Several pointers."""
        return struct.unpack(f">{count}{'q' if self.wide else 'i'}", self.take((8 if self.wide else 4) * count))

    def text(self, count: int) -> str:
        """Text of `count` bytes, up to the first NUL."""
        return self.take(count).split(b"\0", 1)[0].decode("utf-8", "replace").strip()
