"""Renishaw WiRE files (.wdf): blocks of a name and a size; counts, axis and points of a map among them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from batchlab.spectra._kinds import AxisKind, Quantity, Technique
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._read._formats._assemble import assemble, one_or_more, part_name
from batchlab.spectra._read._formats._bytes import Bytes
from batchlab.spectra._read._formats._units import Axis, Signal

__all__ = ["read_wdf"]

_WHAT = "a Renishaw WiRE file"
_AXES = {
    1: Axis(AxisKind.RAMAN_SHIFT, "cm-1"),
    2: Axis(AxisKind.WAVENUMBER, "cm-1"),
    3: Axis(AxisKind.WAVELENGTH, "nm"),
    4: Axis(AxisKind.ENERGY, "eV"),
    5: Axis(AxisKind.WAVELENGTH, "um"),
    12: Axis(AxisKind.TIME, "s"),
}
_COUNTS = 6
_BLOCK_HEADER = 16
_TICKS_A_SECOND = 10_000_000  # of a Windows file time, from the year 1601


def read_wdf(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read every spectrum of a WiRE file; of a map or a series, each with its position.

    Raises
    ------
    DataError
        Reason ``truncated``, ``damaged``, ``not-a-spectrum``.
    """
    source = Bytes(path, data, _WHAT)
    points = source.integer("I", 60, "header")
    collected = source.integer("Q", 72, "header") or source.integer("Q", 64, "header")
    blocks = _blocks(source)
    if b"DATA" not in blocks or b"XLST" not in blocks:
        raise source.broken("has no block of intensities or none of its axis")
    unit = source.integer("I", blocks[b"XLST"] + _BLOCK_HEADER + 4, "axis")
    x = source.array("f4", blocks[b"XLST"] + _BLOCK_HEADER + 8, points, "axis")
    start = blocks[b"DATA"] + _BLOCK_HEADER
    source.take(start, 4 * points * collected, "intensities")
    if points < 2:
        raise source.broken(f"says it has {points} points")
    axis = _AXES.get(unit, Axis(AxisKind.UNKNOWN))
    counts = source.integer("I", 152, "header") == _COUNTS
    signal = Signal(Quantity.COUNTS) if counts else Signal(Quantity.INTENSITY)
    metadata = _metadata(source)
    positions = _positions(source, blocks, collected)
    spectra = [
        assemble(
            path,
            part_name(path, str(number + 1), collected),
            x,
            source.array("f4", start + 4 * points * number, points, f"spectrum {number + 1}"),
            axis,
            signal,
            metadata=metadata | {name: float(values[number]) for name, values in positions.items()},
            technique=Technique.RAMAN if axis.kind is AxisKind.RAMAN_SHIFT else Technique.UNKNOWN,
        )
        for number in range(collected)
    ]
    return one_or_more(path, spectra, _WHAT)


def _blocks(source: Bytes) -> dict[bytes, int]:
    """Where the first block of each name starts."""
    found: dict[bytes, int] = {}
    at = 0
    while at + _BLOCK_HEADER <= len(source):
        found.setdefault(source.take(at, 4, "block"), at)
        size = source.integer("Q", at + 8, "block")
        if size < _BLOCK_HEADER:
            raise source.broken(f"has a block of {size} bytes at byte {at}")
        at += size
    return found


def _positions(source: Bytes, blocks: dict[bytes, int], collected: int) -> dict[str, Array]:
    """What a map or a series has for each spectrum, under the instrument's own label: X, Y, Time."""
    if collected < 2 or b"ORGN" not in blocks:
        return {}
    capacity = source.integer("Q", 64, "header")
    origins: dict[str, Array] = {}
    at = blocks[b"ORGN"] + _BLOCK_HEADER + 4
    for _ in range(min(source.integer("I", at - 4, "positions"), 64)):
        label = source.text(at + 8, 16, "positions")
        kind = source.integer("I", at, "positions") & 0x7FFFFFFF
        values = source.array("f8", at + 24, capacity, "positions")
        if kind in _POSITIONS and label and len(values) >= collected:
            origins[label] = values
        at += 24 + 8 * capacity
    return origins


_POSITIONS = (3, 4, 5, 11, 17)  # X, Y, Z, time as seconds, focus track; file times and checksums are left out


def _metadata(source: Bytes) -> dict[str, object]:
    laser = source.real("f", 156, "header")  # as a wavenumber
    started = source.integer("Q", 136, "header") / _TICKS_A_SECOND
    metadata: dict[str, object] = {
        "title": source.text(240, 160, "title"),
        "program": source.text(96, 24, "program"),
        "accumulations": source.integer("I", 80, "header"),
    }
    if 1e3 < laser < 1e6:
        metadata["laser_nm"] = round(1e7 / laser, 4)
    if 0 < started < 3e10:
        date = dt.datetime(1601, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=started)
        metadata["date"] = date.isoformat(timespec="seconds")
    return metadata
