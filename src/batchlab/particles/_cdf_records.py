"""The inner records of a CDF: the descriptors of variables and attributes, and where the data blocks lie.

Every pointer and every length is checked before it is followed, so that a file cut short, or with wrong bits, ends as
an error and never as a crash.

References
----------
.. [1] NASA Space Physics Data Facility, *CDF Internal Format Description*, versions 2.7 and 3.9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from batchlab.particles._cdf_fields import Fields
from batchlab.particles._cdf_source import Source, unpack
from batchlab.particles._model import InvalidCdf

__all__ = [
    "Block",
    "Entry",
    "Header",
    "VariableRecord",
    "attributes_of",
    "block_bytes",
    "data_blocks",
    "entries_of",
    "open_records",
    "variables_of",
]

_MAGIC = {0xCDF30001: (True, True), 0xCDF26002: (False, True), 0x0000FFFF: (False, False)}  # (wide offsets, since 2.5)
_WHOLE, _PACKED = 0x0000FFFF, 0xCCCC0001
_CDR, _GDR, _RVDR, _ADR, _AGREDR, _VXR, _VVR, _ZVDR, _AZEDR, _CCR, _CPR, _CVVR = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13
_BIG_ENDIAN = frozenset({1, 2, 5, 7, 9, 11, 12, 18})
_LITTLE_ENDIAN = frozenset({4, 6, 13, 16, 17, 19})
_DEEPEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What holds for the whole file.

    Attributes
    ----------
    source
        Its bytes, unpacked where the file as a whole is packed.
    wide
        Whether pointers have 8 bytes (version 3) or 4.
    name_size
        Bytes of a name.
    extra
        Unused bytes in a variable's descriptor before version 2.5.
    order
        ``>`` or ``<``: of the values.
    row_major
        Whether the last index of a record runs fastest.
    first_r, first_z, first_attribute
        Pointers to the first descriptors; 0 where there is none.
    r_count, z_count, attribute_count
        How many there are.
    r_sizes
        Dimensions shared by the rVariables.
    """

    source: Source
    wide: bool
    name_size: int
    extra: int
    order: str
    row_major: bool
    first_r: int
    first_z: int
    first_attribute: int
    r_count: int
    z_count: int
    attribute_count: int
    r_sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRecord:
    """A variable's descriptor."""

    name: str
    number: int
    z: bool
    data_type: int
    elements: int
    records: int
    varies: bool
    sparse: int
    packing: int
    sizes: tuple[int, ...]
    first_index: int
    pad: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Records `first` to `last`, both included, at byte `offset`."""

    first: int
    last: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value of an attribute for a variable, or for the file."""

    number: int
    z: bool
    data_type: int
    elements: int
    data: bytes


def open_records(source: Source) -> Header:
    """Read the header of a CDF of version 2 or 3, packed as a whole or not.

    Raises
    ------
    InvalidCdf
        If the file is none, is cut short, or is of a form that is not read (many files, VAX numbers).
    """
    if source.size < 8:
        raise InvalidCdf(f"{source.path} has {source.size} bytes and is no CDF")
    magic, packed = struct.unpack(">II", source.read(0, 8))
    if magic not in _MAGIC or packed not in (_WHOLE, _PACKED):
        raise InvalidCdf(
            f"{source.path} is no CDF: it does not begin as one (its first bytes are {source.read(0, 8)!r})"
        )
    wide, _ = _MAGIC[magic]
    if packed == _PACKED:
        source = _unpacked(source, wide)
    cdr = Fields(source, 8, wide, (_CDR,))
    gdr_at, version, release, encoding, flags = cdr.offset(), cdr.int4(), cdr.int4(), cdr.int4(), cdr.int4()
    if version not in (2, 3):
        raise source.wrong(f"it says it is of version {version}")
    if not flags & 2:
        raise InvalidCdf(f"{source.path} keeps its variables in files of their own; join them with cdfconvert")
    if encoding not in _BIG_ENDIAN and encoding not in _LITTLE_ENDIAN:
        raise InvalidCdf(f"{source.path} holds numbers of encoding {encoding} (as of VAX); turn them with cdfconvert")
    gdr = Fields(source, gdr_at, wide, (_GDR,))
    first_r, first_z, first_attribute, end = gdr.offset(), gdr.offset(), gdr.offset(), gdr.offset()
    if end > source.size:
        raise source.wrong(f"{source.size} of its {end} bytes are there")
    r_count, attribute_count, _, r_dimensions, z_count = (gdr.int4() for _ in range(5))
    gdr.offset(), gdr.take(12)
    return Header(
        source=source,
        wide=wide,
        name_size=256 if wide else 64,
        extra=0 if wide or (version, release) >= (2, 5) else 128,
        order=">" if encoding in _BIG_ENDIAN else "<",
        row_major=bool(flags & 1),
        first_r=first_r,
        first_z=first_z,
        first_attribute=first_attribute,
        r_count=r_count,
        z_count=z_count,
        attribute_count=attribute_count,
        r_sizes=gdr.ints(r_dimensions),
    )


def _unpacked(source: Source, wide: bool) -> Source:
    ccr = Fields(source, 8, wide, (_CCR,))
    cpr_at, size = ccr.offset(), ccr.offset()
    ccr.take(4)
    packing = _packing(source, cpr_at, wide)
    if size <= 0:
        raise source.wrong(f"it claims to unpack to {size} bytes")
    data = unpack(source, ccr.data[ccr.at :], packing, size)
    head = source.read(0, 4) + struct.pack(">I", _WHOLE)
    source.close()
    return Source(source.path, head + data)


def _packing(source: Source, at: int, wide: bool) -> int:
    return Fields(source, at, wide, (_CPR,)).int4()


def variables_of(header: Header) -> Iterator[VariableRecord]:
    """Every variable's descriptor: the rVariables, then the zVariables."""
    yield from _variables(header, header.first_r, header.r_count, z=False)
    yield from _variables(header, header.first_z, header.z_count, z=True)


def _variables(header: Header, at: int, count: int, *, z: bool) -> Iterator[VariableRecord]:
    source, seen = header.source, 0
    while at and seen < count:
        fields = Fields(source, at, header.wide, (_ZVDR if z else _RVDR,))
        at = fields.offset()
        data_type, last, first_index = fields.int4(), fields.int4(), fields.offset()
        fields.offset()
        flags, sparse = fields.int4(), fields.int4()
        fields.take(12 + header.extra)
        elements, number, packing_at = fields.int4(), fields.int4(), fields.offset()
        fields.take(4)
        name = fields.text(header.name_size)
        sizes = fields.ints(fields.int4()) if z else header.r_sizes
        varies = fields.ints(len(sizes))
        kept = tuple(size for size, vary in zip(sizes, varies, strict=True) if vary)
        if any(size <= 0 for size in kept) or elements <= 0 or not name or last < -1:
            raise source.wrong(f"the descriptor of variable {name or number!r} makes no sense")
        seen += 1
        yield VariableRecord(
            name=name,
            number=number,
            z=z,
            data_type=data_type,
            elements=elements,
            records=last + 1,
            varies=bool(flags & 1),
            sparse=sparse,
            packing=_packing(source, packing_at, header.wide) if flags & 4 else 0,
            sizes=kept,
            first_index=first_index,
            pad=fields.data[fields.at :] if flags & 2 else b"",
        )
    if seen < count:
        raise source.wrong(f"{seen} of its {count} variables are described")


def data_blocks(header: Header, variable: VariableRecord) -> list[Block]:
    """Where a variable's records lie, in ascending order."""
    blocks: list[Block] = []
    _index(header, variable.first_index, blocks, set(), 0)
    blocks.sort(key=lambda block: block.first)
    for before, after in pairwise(blocks):
        if after.first <= before.last:
            raise header.source.wrong(f"blocks of variable {variable.name!r} overlap")
    return blocks


def _index(header: Header, at: int, blocks: list[Block], seen: set[int], depth: int) -> None:
    source = header.source
    while at > 0:
        if at in seen or depth > _DEEPEST:
            raise source.wrong("its index of blocks runs in a circle")
        seen.add(at)
        fields = Fields(source, at, header.wide, (_VXR,))
        at = fields.offset()
        count, used = fields.int4(), fields.int4()
        if not 0 <= used <= count:
            raise source.wrong(f"an index of blocks uses {used} of {count} entries")
        firsts, lasts, offsets = fields.ints(count), fields.ints(count), fields.offsets(count)
        for first, last, offset in zip(firsts[:used], lasts[:used], offsets[:used], strict=True):
            if not 0 <= first <= last:
                raise source.wrong(f"a block holds records {first} to {last}")
            kind = int.from_bytes(source.read(offset + (8 if header.wide else 4), 4), "big", signed=True)
            if kind == _VXR:
                _index(header, offset, blocks, seen, depth + 1)
            else:
                blocks.append(Block(first=first, last=last, offset=offset))


def block_bytes(header: Header, variable: VariableRecord, block: Block, record_size: int) -> bytes:
    """The data of a block, unpacked: records one after the other."""
    source, wide = header.source, header.wide
    fields = Fields(source, block.offset, wide, (_VVR, _CVVR))
    needed = (block.last - block.first + 1) * record_size
    if fields.kind == _VVR:
        return fields.take(needed)
    fields.take(4)
    return unpack(source, fields.take(fields.offset()), variable.packing, needed)


def attributes_of(header: Header) -> dict[str, int]:
    """Name to the place of its descriptor."""
    places: dict[str, int] = {}
    at, seen = header.first_attribute, 0
    while at and seen < header.attribute_count:
        fields = Fields(header.source, at, header.wide, (_ADR,))
        place, at = at, fields.offset()
        fields.offset(), fields.take(20), fields.offset(), fields.take(12)
        places[fields.text(header.name_size)] = place
        seen += 1
    return places


def entries_of(header: Header, place: int) -> Iterator[Entry]:
    """Every value of the attribute described at `place`."""
    fields = Fields(header.source, place, header.wide, (_ADR,))
    fields.offset()
    first_gr = fields.offset()
    _, _, gr_count, _, _ = (fields.int4() for _ in range(5))
    first_z, z_count = fields.offset(), fields.int4()
    for at, count, z in ((first_gr, gr_count, False), (first_z, z_count, True)):
        seen = 0
        while at and seen < count:
            entry = Fields(header.source, at, header.wide, (_AZEDR if z else _AGREDR,))
            at = entry.offset()
            _, data_type, number, elements = (entry.int4() for _ in range(4))
            entry.take(20)
            yield Entry(number=number, z=z, data_type=data_type, elements=elements, data=entry.data[entry.at :])
            seen += 1
