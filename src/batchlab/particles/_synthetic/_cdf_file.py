"""CDF files as the mission's archive holds them: variables packed one by one in blocks of records, times not packed.

The layout of version 3 is that of the CDF Internal Format Description (NASA, Space Physics Data Facility).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._cdf_times import EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "write_cdf"]

_YEAR_0_S = 62_167_219_200
_CHAR = 51
_TYPES = {"i1": 1, "i2": 2, "i4": 4, "i8": 8, "u1": 11, "u2": 12, "u4": 14, "f4": 44, "f8": 45}
_LITTLE_ENDIAN = 6
_ROW_MAJOR_SINGLE_FILE = 3
_GZIP_LEVEL = 6  # what the file says of itself; readers do not ask
_BLOCK_BYTES = 1 << 20
_SMALL = 256  # bytes below which packing does not pay
_NOTE = "Common Data Format (CDF)\nSynthetic records; measured by no spacecraft.\n"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """A variable of a file.

    Attributes
    ----------
    name
        In the file.
    values
        (N, ...) by record, or (...) where it is the same for all; text or (n,) texts, which are always the same for
        all. Times in seconds since 1970.
    constant, is_epoch
        Whether it is the same for all records; whether it is written as CDF_EPOCH.
    attributes
        Texts, and numbers in the numpy type that they are written in.
    """

    name: str
    values: NDArray[Any] | str | Sequence[str]
    constant: bool = False
    is_epoch: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


def write_cdf(path: Path, columns: Sequence[Column], attributes: Mapping[str, str]) -> None:
    """Write a CDF of version 3.8; its folder is made where it is not there.

    Parameters
    ----------
    path
        Of the file; one that is there is overwritten.
    columns
        Variables, in order.
    attributes
        Of the whole file.
    """
    file = _File()
    file.add(_CDR_SIZE, 1)  # the two heads are written last, when all places are known
    head = file.add(_GDR_SIZE, 2)
    variables = [_add_variable(file, number, column) for number, column in enumerate(columns)]
    file.chain(variables)
    names = [*attributes, *dict.fromkeys(name for column in columns for name in column.attributes)]
    heads = []
    for number, name in enumerate(names):
        if name in attributes:
            entries = [_add_entry(file, 5, number, 0, attributes[name])]
            heads.append(_add_attribute(file, number, name, 1, entries))
        else:
            given = [(at, column.attributes[name]) for at, column in enumerate(columns) if name in column.attributes]
            entries = [_add_entry(file, 9, number, at, value) for at, value in given]
            heads.append(_add_attribute(file, number, name, 2, entries, highest=given[-1][0]))
        file.chain(entries)
    file.chain(heads)
    first = [chain[0] if chain else 0 for chain in (variables, heads)]
    file.put(head + 12, ">qqqqiiiiiqiii", 0, *first, file.size, 0, len(names), -1, 0, len(columns), 0, 0, 0, -1)
    file.put(8 + 12, ">qiiiiiiiii", head, 3, 8, _LITTLE_ENDIAN, _ROW_MAJOR_SINGLE_FILE, 0, 0, 0, 2, -1)
    file.put(8 + _CDR_SIZE - 256, ">256s", _NOTE.encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.data)


_CDR_SIZE, _GDR_SIZE = 312, 84


class _File:
    """A file as it grows."""

    def __init__(self) -> None:
        self.data = bytearray(struct.pack(">II", 0xCDF30001, 0x0000FFFF))

    @property
    def size(self) -> int:
        return len(self.data)

    def add(self, size: int, kind: int, content: bytes = b"") -> int:
        """Append a record of `size` bytes, its head included; where it begins."""
        place = len(self.data)
        self.data += struct.pack(">qi", size, kind)
        self.data += content
        self.data += bytes(size - 12 - len(content))
        return place

    def put(self, place: int, layout: str, *values: object) -> None:
        struct.pack_into(layout, self.data, place, *values)

    def chain(self, places: Sequence[int]) -> None:
        """Let each record, whose first field that is, tell where the next one begins."""
        for place, following in zip(places, [*places[1:], 0], strict=True):
            self.put(place + 12, ">q", following)


def _add_attribute(file: _File, number: int, name: str, scope: int, entries: list[int], highest: int = 0) -> int:
    of_file = (entries[0], scope, number, 1, 0, 0, 0, 0, -1, 0)
    of_variables = (0, scope, number, 0, -1, 0, entries[0], len(entries), highest, 0)
    counts = of_file if scope == 1 else of_variables
    return file.add(324, 4, struct.pack(">qqiiiiiqiii", 0, *counts) + name.encode().ljust(256, b"\0"))


def _add_entry(file: _File, kind: int, attribute: int, number: int, value: Any) -> int:
    if isinstance(value, str):
        content, data_type, elements = value.encode() or b" ", _CHAR, len(value.encode() or b" ")
    else:
        array = np.atleast_1d(value)
        content, data_type, elements = _bytes(array), _TYPES[array.dtype.str[1:]], array.size
    texts = int(data_type == _CHAR)
    fields = struct.pack(">qiiiiiiiii", 0, attribute, data_type, number, elements, texts, 0, 0, -1, -1)
    return file.add(12 + len(fields) + len(content), kind, fields + content)


def _add_variable(file: _File, number: int, column: Column) -> int:
    values, data_type, elements = _stored(column)
    constant = column.constant or data_type == _CHAR
    if constant:
        values = values[None]
    records, sizes = len(values), values.shape[1:]
    row = values[:1].nbytes or int(np.prod(sizes, dtype=int)) * values.dtype.itemsize
    packed = not column.is_epoch and row * records > _SMALL
    factor = min(max(_BLOCK_BYTES // row, 1), max(records, 1))
    flags = (0 if constant else 1) | (4 if packed else 0)
    fields = struct.pack(
        ">qiiqqiiiiiiiqi", 0, data_type, records - 1, 0, 0, flags, 0, 0, -1, -1, elements, number, -1, factor
    )
    fields += column.name.encode().ljust(256, b"\0")
    fields += struct.pack(f">i{2 * len(sizes)}i", len(sizes), *sizes, *[-1] * len(sizes))
    place = file.add(12 + len(fields), 8, fields)
    if packed:
        settings = file.add(28, 11, struct.pack(">iiii", 5, 0, 1, _GZIP_LEVEL))
        file.put(place + 72, ">q", settings)
    if records:
        starts = range(0, records, factor)
        blocks = [_add_block(file, values[start : start + factor], packed) for start in starts]
        lasts = [min(start + factor, records) - 1 for start in starts]
        count = len(blocks)
        layout = f">qii{2 * count}i{count}q"
        content = struct.pack(layout, 0, count, count, *starts, *lasts, *blocks)
        index = file.add(12 + len(content), 6, content)
        file.put(place + 28, ">qq", index, index)
    return place


def _add_block(file: _File, values: NDArray[Any], packed: bool) -> int:
    content = _bytes(values)
    if packed:
        small = _gzip(content)
        if len(small) < len(content):
            return file.add(24 + len(small), 13, struct.pack(">iq", 0, len(small)) + small)
    return file.add(12 + len(content), 7, content)


def _stored(column: Column) -> tuple[NDArray[Any], int, int]:
    """Values as they are stored, their type, and the characters of each."""
    if isinstance(column.values, str):
        array = np.array(column.values.encode())
    elif not isinstance(column.values, np.ndarray):
        array = np.array([each.encode() for each in column.values])
    elif column.is_epoch:
        return (column.values.astype("<f8") + _YEAR_0_S) * 1_000.0, EPOCH, 1
    else:
        return column.values, _TYPES[column.values.dtype.str[1:]], 1
    return np.char.ljust(array, array.dtype.itemsize), _CHAR, array.dtype.itemsize


def _bytes(values: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _gzip(content: bytes) -> bytes:
    packer = _packer()
    return bytes(packer.compress(content) + packer.flush())


def _packer() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(1, zlib.DEFLATED, 31)
    return isal_zlib.compressobj(2, zlib.DEFLATED, 31)
