"""A variable of a CDF: its values by block, with fill and what is out of range as NaN, and its attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from batchlab.particles._cdf_records import Entry, VariableRecord, block_bytes, data_blocks
from batchlab.particles._cdf_times import EPOCH, EPOCH16, TT2000, unix_seconds
from batchlab.particles._model import EmptyFile, InvalidCdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._cdf import Cdf

__all__ = ["Floats", "TEXT_TYPES", "Variable", "entry_text"]

_TYPES = {
    1: "i1", 2: "i2", 4: "i4", 8: "i8", 11: "u1", 12: "u2", 14: "u4", 41: "i1",
    21: "f4", 22: "f8", 44: "f4", 45: "f8", EPOCH: "f8", TT2000: "i8",
}  # fmt: skip
TEXT_TYPES = (51, 52)
_TIMES = (EPOCH, EPOCH16, TT2000)
_PADDED_LIMIT = 1 << 28  # bytes of a sparse variable, whose size nothing in the file bears out


class Floats(NamedTuple):
    """Numbers of a variable.

    Attributes
    ----------
    values
        (N, ...) float64, or float32 where the file has that; NaN for fill and what is out of range.
    fill, out_of_range
        How many were the fill value or NaN, and how many lay outside VALIDMIN to VALIDMAX.
    """

    values: NDArray[Any]
    fill: int
    out_of_range: int


class Variable:
    """A variable of a CDF.

    Attributes
    ----------
    name
        As in the file.
    shape
        Records, then the sizes of one; constant variables have one record.
    """

    def __init__(self, cdf: Cdf, record: VariableRecord) -> None:
        self._cdf = cdf
        self._record = record
        self.name = record.name
        self.records = record.records
        self.shape = (record.records, *record.sizes)

    @property
    def constant(self) -> bool:
        """Whether it holds for all records alike."""
        return not self._record.varies

    @property
    def is_time(self) -> bool:
        """Whether its values are times of CDF."""
        return self._record.data_type in _TIMES

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self._record.data_type in TEXT_TYPES

    def wrong(self, what: str) -> InvalidCdf:
        """The error to raise, with what is wrong with this variable."""
        return self._cdf.header.source.wrong(what)

    def attribute(self, name: str) -> NDArray[Any] | str | None:
        """An attribute's value: text, or numbers (times as they stand in the file); None where there is none."""
        for entry in self._cdf.entries(name):
            if entry.number == self._record.number and entry.z == self._record.z:
                if entry.data_type in TEXT_TYPES:
                    return entry_text(entry)
                kind = self._dtype(entry.data_type, 1)
                size = kind.itemsize * entry.elements
                if entry.elements <= 0 or size > len(entry.data):
                    raise self._cdf.header.source.wrong(f"attribute {name} of {self.name!r} is cut short")
                return np.frombuffer(entry.data[:size], kind).astype(kind.newbyteorder("="))
        return None

    def text(self, name: str) -> str:
        """An attribute that is a text, or ""."""
        found = self.attribute(name)
        return found.strip() if isinstance(found, str) else ""

    def number(self, name: str) -> float | None:
        """An attribute that is one number (the first of several)."""
        found = self.attribute(name)
        return None if found is None or isinstance(found, str) else float(found.flat[0])

    def linked(self, name: str) -> Variable | None:
        """The variable that an attribute such as ``DEPEND_0`` names, if it is there."""
        return self._cdf.variables.get(self.text(name))

    def values(self) -> NDArray[Any]:
        """(N, ...) as they stand in the file, in the machine's order of bytes."""
        parts = [part for _, part in self.blocks(self.records)]
        if not parts:
            return np.empty(self.shape, self._dtype(self._record.data_type, self._record.elements).newbyteorder("="))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def constant_values(self) -> NDArray[Any]:
        """The values of the one record of a constant variable; `EmptyFile` where it has none."""
        values = self.values()
        if not len(values):
            raise EmptyFile(f"{self._cdf.path}: variable {self.name!r} holds nothing")
        first: NDArray[Any] = values[0]
        return first

    def blocks(self, records: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Go through the records in parts of about `records`, each data block of the file being unpacked once.

        Yields
        ------
        tuple
            The first record's number, and (n, ...) values.
        """
        record, header = self._record, self._cdf.header
        if record.sparse:
            if self.records:
                yield 0, self._sparse()
            return
        kind = self._dtype(record.data_type, record.elements)
        size = kind.itemsize * int(np.prod(record.sizes, dtype=np.int64))
        waiting: list[bytes] = []
        start = count = 0
        for block in data_blocks(header, record):
            if start + count >= self.records:
                break
            if block.first != start + count:
                raise header.source.wrong(f"records {start + count} to {block.first - 1} of {self.name!r} are missing")
            waiting.append(block_bytes(header, record, block, size))
            count += block.last - block.first + 1
            if count >= records:
                yield start, self._arranged(waiting, min(count, self.records - start), kind)
                start, count, waiting = start + count, 0, []
        if waiting:
            count = min(count, self.records - start)
            yield start, self._arranged(waiting, count, kind)
        if start + count < self.records:
            raise header.source.wrong(f"only {start + count} of the {self.records} records of {self.name!r} are there")

    def record_values(self, number: int) -> NDArray[Any]:
        """The values of one record, its data block alone being read."""
        record, header = self._record, self._cdf.header
        if record.sparse:
            padded: NDArray[Any] = self._sparse()[number]
            return padded
        kind = self._dtype(record.data_type, record.elements)
        size = kind.itemsize * int(np.prod(record.sizes, dtype=np.int64))
        for block in data_blocks(header, record):
            if block.first <= number <= block.last:
                data = block_bytes(header, record, block, size)
                found: NDArray[Any] = self._arranged([data], block.last - block.first + 1, kind)[number - block.first]
                return found
        raise header.source.wrong(f"record {number} of {self.name!r} is not there")

    def floats(self, values: NDArray[Any] | None = None) -> Floats:
        """Numbers with fill and what is out of range as NaN, counted.

        Parameters
        ----------
        values
            Some of the variable's records; by default all.
        """
        raw = self.values() if values is None else values
        fill_value, low, high = self.number("FILLVAL"), self.attribute("VALIDMIN"), self.attribute("VALIDMAX")
        numbers = np.array(raw, np.float32 if raw.dtype == np.float32 else np.float64)
        fill = np.isnan(numbers)
        if fill_value is not None:
            fill |= raw == raw.dtype.type(fill_value) if raw.dtype.kind == "f" else raw == fill_value
        if numbers.dtype.kind == "f":
            fill |= numbers <= np.float32(-9.9e30)  # the fill of ISTP, also where a file forgets to name it
        out = np.zeros_like(fill)
        with np.errstate(invalid="ignore"):
            if low is not None and not isinstance(low, str):
                out |= numbers < _fitting(low, numbers)
            if high is not None and not isinstance(high, str):
                out |= numbers > _fitting(high, numbers)
        out &= ~fill
        numbers[fill | out] = np.nan
        return Floats(numbers, int(np.count_nonzero(fill)), int(np.count_nonzero(out)))

    def times_s(self) -> NDArray[np.float64]:
        """(N,) seconds since 1970, UTC without leap seconds; NaN for fill and what is out of range."""
        raw = self.values()
        bad = np.zeros(len(raw), bool)
        if raw.ndim == 1:
            for name, wrong in (("FILLVAL", np.equal), ("VALIDMIN", np.less), ("VALIDMAX", np.greater)):
                bound = self.attribute(name)
                if bound is not None and not isinstance(bound, str) and bound.dtype == raw.dtype:
                    bad |= wrong(raw, bound[0])
        times = unix_seconds(raw, self._record.data_type)
        times[bad] = np.nan
        return times

    def _sparse(self) -> NDArray[Any]:
        """All records, those that are not written as the pad value or as the record before."""
        record, header = self._record, self._cdf.header
        kind = self._dtype(record.data_type, record.elements)
        size = kind.itemsize * int(np.prod(record.sizes, dtype=np.int64))
        if size * self.records > _PADDED_LIMIT:
            raise header.source.wrong(f"sparse variable {self.name!r} claims {self.records} records")
        pad = (record.pad + bytes(kind.itemsize))[: kind.itemsize]
        data = bytearray(pad * (size * self.records // kind.itemsize))
        last: bytes | None = None
        at = 0
        for block in data_blocks(header, record):
            first, end = min(block.first, self.records), min(block.last + 1, self.records)
            if last is not None and record.sparse == 2:
                data[at * size : first * size] = last * (first - at)
            found = block_bytes(header, record, block, size)[: (end - first) * size]
            data[first * size : end * size] = found
            last, at = found[-size:] or last, end
        if last is not None and record.sparse == 2:
            data[at * size :] = last * (self.records - at)
        return self._arranged([bytes(data)], self.records, kind)

    def _dtype(self, data_type: int, elements: int) -> np.dtype[Any]:
        if data_type in TEXT_TYPES:
            return np.dtype(f"S{elements}")
        if data_type == EPOCH16:
            return np.dtype((f"{self._cdf.header.order}f8", (2,)))
        if data_type not in _TYPES:
            raise self._cdf.header.source.wrong(f"type {data_type} of {self.name!r} is not one of CDF")
        return np.dtype(self._cdf.header.order + _TYPES[data_type])

    def _arranged(self, parts: list[bytes], records: int, kind: np.dtype[Any]) -> NDArray[Any]:
        """(records, ...) out of the bytes of whole blocks, the last index running fastest."""
        sizes = self._record.sizes
        flat = np.frombuffer(parts[0] if len(parts) == 1 else b"".join(parts), kind.base)
        inner = kind.shape
        per_record = int(np.prod((*sizes, *inner), dtype=np.int64))
        flat = flat[: records * per_record]
        if not flat.dtype.isnative:
            flat = flat.astype(flat.dtype.newbyteorder("="))
        if self._cdf.header.row_major or len(sizes) < 2:
            return flat.reshape(records, *sizes, *inner)
        turned = flat.reshape(records, *sizes[::-1], *inner)
        axes = [0, *range(len(sizes), 0, -1), *range(len(sizes) + 1, turned.ndim)]
        return turned.transpose(axes)


def _fitting(bound: NDArray[Any], numbers: NDArray[Any]) -> NDArray[Any]:
    """A bound in the precision of the numbers, one for all or one for each component."""
    fits = bound.astype(numbers.dtype)
    return fits if numbers.ndim > 1 and fits.size == numbers.shape[-1] else fits[:1]


def entry_text(entry: Entry) -> str:
    """An attribute's value as text."""
    return entry.data[: entry.elements].split(b"\0", 1)[0].decode("utf-8", "replace")
