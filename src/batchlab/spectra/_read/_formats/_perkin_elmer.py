"""PerkinElmer Spectrum files (.sp): members of a number, a size and a typed value, one after the other."""

from __future__ import annotations

from pathlib import Path

from batchlab.spectra._kinds import AxisKind, Technique
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats._assemble import assemble, evenly, one_or_more
from batchlab.spectra._read._formats._bytes import Bytes
from batchlab.spectra._read._formats._units import axis_of, signal_of, technique_of

__all__ = ["read_perkin_elmer"]

_WHAT = "a PerkinElmer Spectrum file"
_START, _HEADER = 44, 6
_DATA_SET, _HISTORY, _RECORD, _DESCRIBED = 120, -29825, 122, 121
_RANGE, _POINTS, _X_LABEL, _Y_LABEL, _ORDINATES, _NAME, _ALIAS = (
    -29838,
    -29835,
    -29833,
    -29832,
    -29828,
    -29827,
    -29823,
)
_INSTRUMENT, _DATE, _DESCRIPTION = -29838, -29836, -29834  # of a record of the history
_STRING = 0x7523


def read_perkin_elmer(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read the spectrum of a PerkinElmer Spectrum file.

    Raises
    ------
    DataError
        Reason ``truncated``, ``damaged``, ``not-a-spectrum``.
    """
    source = Bytes(path, data, _WHAT)
    sets = _members(source, _START, len(source))
    if _DATA_SET not in sets:
        raise source.broken("has no set of data")
    members = _members(source, *sets[_DATA_SET])
    if missing := {_RANGE, _ORDINATES} - set(members):
        raise source.broken(f"has no member {', '.join(map(str, sorted(missing)))}")
    first, last = (float(each) for each in source.unpack("dd", members[_RANGE][0] + 2, "range"))
    size = source.integer("I", members[_ORDINATES][0] + 2, "ordinates")
    y = source.array("f8", members[_ORDINATES][0] + 6, size // 8, "ordinates")
    told = []
    points = source.integer("I", members[_POINTS][0] + 2, "points") if _POINTS in members else y.size
    if points != y.size:
        told.append(f"{y.size} points where the file says {points}")
    axis, signal = axis_of(_text(source, members, _X_LABEL)), signal_of(_text(source, members, _Y_LABEL))
    metadata = {"title": _text(source, members, _NAME) or _text(source, members, _ALIAS)} | _history(source, members)
    technique = technique_of(metadata.get("description", ""))
    if technique is Technique.UNKNOWN and axis.kind is AxisKind.WAVENUMBER:
        technique = Technique.FTIR
    spectrum = assemble(
        path,
        path.stem,
        evenly(first, last, y.size),
        y,
        axis,
        signal,
        metadata=metadata,
        technique=technique,
        warnings=told,
    )
    return one_or_more(path, [spectrum], _WHAT)


def _members(source: Bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Where the value of each member between two positions starts and ends; the first of equal numbers."""
    found: dict[int, tuple[int, int]] = {}
    at = start
    while at + _HEADER <= end:
        number, size = source.unpack("hI", at, "members")
        value = at + _HEADER
        source.take(value, int(size), f"member {number}")
        found.setdefault(int(number), (value, value + int(size)))
        at = value + int(size)
    return found


def _text(source: Bytes, members: dict[int, tuple[int, int]], number: int) -> str:
    """A member that is a string; blank where it is none."""
    if number not in members:
        return ""
    start, end = members[number]
    if end - start < 4 or source.integer("H", start, "text") != _STRING:
        return ""
    return source.text(start + 4, min(source.integer("H", start + 2, "text"), end - start - 4), "text")


def _history(source: Bytes, members: dict[int, tuple[int, int]]) -> dict[str, str]:
    """Who measured when and on what, from the first record of the history."""
    if _HISTORY not in members:
        return {}
    records = _members(source, *members[_HISTORY])
    if _RECORD not in records:
        return {}
    parts = _members(source, *records[_RECORD])
    if _DESCRIBED not in parts:
        return {}
    record = _members(source, *parts[_DESCRIBED])
    return {
        "instrument": _text(source, record, _INSTRUMENT),
        "date": _text(source, record, _DATE),
        "description": _text(source, record, _DESCRIPTION),
    }
