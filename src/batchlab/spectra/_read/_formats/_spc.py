"""Galactic (Thermo GRAMS) SPC files: the new form, little-endian 0x4B or big-endian 0x4C, and the old 0x4D.

A file holds one or more subfiles. Their axis is even (two ends and a count), written once for all, or written
for each. Intensities are 32-bit floats, or 16- or 32-bit integers under a power of two.

References
----------
.. [1] Galactic Industries, *Universal Data Format Specification* (SPC.H), 1997: public description of the format.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from batchlab.spectra._kinds import AxisKind, Quantity, Technique
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._read._formats._assemble import assemble, evenly, one_or_more, part_name
from batchlab.spectra._read._formats._bytes import Bytes, words
from batchlab.spectra._read._formats._spc_codes import AXES, SIGNALS, TECHNIQUES
from batchlab.spectra._read._formats._units import Axis, Signal, axis_of, signal_of

__all__ = ["NEW", "OLD", "read_spc"]

NEW = {0x4B: "<", 0x4C: ">"}
OLD = 0x4D
_WHAT = "a Galactic SPC file"
_SIXTEEN_BITS, _MULTI, _OWN_LABELS, _AXIS_EACH, _AXIS_WRITTEN = 0x01, 0x04, 0x20, 0x40, 0x80
_FLOATS = -128  # an exponent that says: these are floats, not scaled integers
_LABELLED = 15  # an axis code that says: see the label
_NEW_HEADER, _OLD_HEADER, _SUB_HEADER = 512, 224, 32


class _Part(NamedTuple):
    """A subfile: its curve, and where on the third axis it stands."""

    x: Array
    y: Array
    z: float


class _Kind(NamedTuple):
    """What all subfiles share."""

    axis: Axis
    signal: Signal
    technique: Technique


def read_spc(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read every subfile of an SPC file, in the order of the file.

    Raises
    ------
    DataError
        Reason ``truncated``, ``damaged``, ``not-a-spectrum``.
    """
    old = data[1] == OLD
    source = Bytes(path, data, "an old Galactic SPC file" if old else _WHAT, "<" if old else NEW[data[1]])
    kind, metadata, parts = _old(source) if old else _new(source)
    spectra: list[Spectrum] = []
    short = 0
    for number, part in enumerate(parts, start=1):
        if part.x.size < 2:
            short += 1
            continue
        about = dict(metadata)
        if len(parts) > 1:
            about |= {"subfile": str(number), "z": part.z}
        spectra.append(
            assemble(
                path,
                part_name(path, str(number), len(parts)),
                part.x,
                part.y,
                kind.axis,
                kind.signal,
                metadata=about,
                technique=kind.technique,
                warnings=[f"{short} subfiles before it have fewer than two points"] if short and not spectra else (),
            )
        )
    return one_or_more(path, spectra, _WHAT, [f"{short} subfiles of fewer than two points"] if short else ())


def _new(source: Bytes) -> tuple[_Kind, dict[str, object], list[_Part]]:
    source.take(0, _NEW_HEADER, "header")
    flags, experiment = source.data[0], source.data[2]
    exponent, points, first, last, subfiles = source.unpack("bIddI", 3, "header")
    labels = source.data[218:248] if flags & _OWN_LABELS or source.data[28] == _LABELLED else b""
    kind = _kind(source.data[28], source.data[29], labels, experiment)
    at = _NEW_HEADER
    shared: Array | None = None
    if flags & _AXIS_WRITTEN and not flags & _AXIS_EACH:
        shared = source.array("f4", at, int(points), "axis")
        at += 4 * int(points)
    parts = []
    for number in range(1, max(int(subfiles), 1) + 1):
        where = f"subfile {number} of {max(int(subfiles), 1)}"
        _, own_exponent, _, z, _, _, own_points, _, _ = source.unpack("BbHfffIIf", at, where)
        at += _SUB_HEADER
        count = int(own_points if flags & _AXIS_EACH else points)
        x = shared
        if flags & _AXIS_EACH:
            x = source.array("f4", at, count, f"axis of {where}")
            at += 4 * count
        power = int(own_exponent if flags & _MULTI and exponent != _FLOATS else exponent)
        bits = 16 if flags & _SIXTEEN_BITS and power != _FLOATS else 32
        y = _scaled(source.array("f4" if power == _FLOATS else f"i{bits // 8}", at, count, where), power, bits)
        at += count * bits // 8
        parts.append(_Part(evenly(float(first), float(last), count) if x is None else x, y, float(z)))
    return kind, _new_metadata(source), parts


def _old(source: Bytes) -> tuple[_Kind, dict[str, object], list[_Part]]:
    source.take(0, _OLD_HEADER + _SUB_HEADER, "header")
    flags = source.data[0]
    exponent, points, first, last = source.unpack("hfff", 2, "header")
    if not 2 <= points <= len(source):  # NaN fails, too
        raise source.broken(f"says it has {points:g} points")
    count = int(points)
    labels = source.data[194:224] if flags & _OWN_LABELS or source.data[16] == _LABELLED else b""
    bits = 16 if flags & _SIXTEEN_BITS else 32
    size = _SUB_HEADER + count * bits // 8
    # The old header does not count its subfiles: they end with the file.
    subfiles = max(1, (len(source) - _OLD_HEADER) // size) if flags & _MULTI else 1
    after = _OLD_HEADER + subfiles * size
    if flags & _MULTI and after + 4 <= len(source) and source.integer("H", after + 2, "subfile") == subfiles:
        source.take(after, size, f"subfile {subfiles + 1}")  # one more has begun: say that the file was cut
    parts = []
    for number in range(subfiles):
        at, where = _OLD_HEADER + number * size, f"subfile {number + 1} of {subfiles}"
        _, own_exponent, _, z = source.unpack("BbHf", at, where)
        power = int(own_exponent if flags & _MULTI else exponent)
        y = _old_integers(source, at + _SUB_HEADER, count, bits, where)
        parts.append(_Part(evenly(float(first), float(last), count), _scaled(y, power, bits), float(z)))
    year, month, day, hour, minute = source.unpack("HBBBB", 18, "header")
    year = int(year) & 0xFFF
    metadata: dict[str, object] = {
        "title": source.text(64, 130, "comment"),
        "date": f"{year + 1900 if year < 1900 else year}-{month:02}-{day:02} {hour:02}:{minute:02}" if year else "",
        "resolution": source.text(24, 8, "resolution"),
        "scans": source.integer("h", 34, "header") or "",
    }
    return _kind(source.data[16], source.data[17], labels, 0), metadata, parts


def _old_integers(source: Bytes, at: int, count: int, bits: int, where: str) -> Array:
    if bits == 16:
        return source.array("i2", at, count, where)
    # The two halves of each number stand the other way round than its bytes do.
    halves = np.frombuffer(source.take(at, 4 * count, where), dtype="<u2").astype(np.uint32)
    return ((halves[0::2] << 16) | halves[1::2]).view(np.int32).astype(np.float64)


def _scaled(y: Array, power: int, bits: int) -> Array:
    return y if power == _FLOATS else np.ldexp(y, power - bits)


def _kind(axis_code: int, signal_code: int, labels: bytes, experiment: int) -> _Kind:
    technique = TECHNIQUES.get(experiment, Technique.UNKNOWN)
    axis = AXES.get(axis_code, Axis(AxisKind.UNKNOWN))
    signal = SIGNALS.get(signal_code, Signal(Quantity.UNKNOWN))
    named, measured = ([words(each) for each in labels.split(b"\x00")] + ["", ""])[:2]
    if named and axis_of(named).kind is not AxisKind.UNKNOWN:
        axis = axis_of(named)
    if measured and signal_of(measured).quantity is not Quantity.UNKNOWN:
        signal = signal_of(measured)
    if axis.kind is AxisKind.RAMAN_SHIFT:
        technique = Technique.RAMAN
    elif technique is Technique.RAMAN and axis.kind is AxisKind.WAVENUMBER:
        axis = Axis(AxisKind.RAMAN_SHIFT, "cm-1")
    return _Kind(axis, signal, technique)


def _new_metadata(source: Bytes) -> dict[str, object]:
    packed = source.integer("I", 32, "header")
    minute, hour, day = packed & 0x3F, packed >> 6 & 0x1F, packed >> 11 & 0x1F
    month, year = packed >> 16 & 0xF, packed >> 20
    metadata: dict[str, object] = {
        "title": source.text(88, 130, "comment"),
        # LabSpec writes years since 1900, and perhaps months from 0: such a date says nothing for sure.
        "date": f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}" if year >= 1900 and month and day else "",
        "resolution": source.text(36, 9, "resolution"),
        "instrument": source.text(45, 9, "source"),
        "method": source.text(264, 48, "method"),
    }
    log = source.integer("I", 248, "header")
    if _NEW_HEADER <= log <= len(source) - 12:
        size, _, start = source.unpack("III", log, "log")
        blank = [key for key, value in metadata.items() if not value]
        for line in source.data[log + int(start) : log + int(size)].splitlines():
            label, mark, value = line.partition(b"=")
            key = words(label)
            key = key.lower() if key.lower() in blank else key  # the log says what the header left out
            if mark and key:
                metadata[key] = metadata.get(key) or words(value)
    return metadata
