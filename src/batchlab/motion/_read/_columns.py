"""What the columns of a tidy or wide table say: marker, axis, unit, time, confidence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from batchlab.errors import DataError
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._table import number_of
from batchlab.motion._read._triples import positive
from batchlab.motion._read._units import canonical_length, canonical_time, is_length

__all__ = ["Header", "has_coordinates", "header_of"]

_FRAMES = frozenset(
    ("frame", "frames", "frame#", "fnum", "frame_index", "frame_number", "frame_num", "frame_id", "framenumber")
)
_INDICES = frozenset(("", "index", "unnamed: 0"))
_TIMES = frozenset(("time", "times", "t", "timestamp", "timestamps", "time_stamp"))
_MARKERS = frozenset(
    ("keypoint", "keypoint_name", "marker", "marker_name", "bodypart", "body_part", "landmark", "trajectory")
) | {"label", "name", "point"}
_CONFIDENCES = frozenset(("confidence", "likelihood", "score"))
_BRACKETS = re.compile(r"(.+?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]")
_SUFFIX = re.compile(r"(.+)[_ ]([^_ ]+)")
_COORDINATE = re.compile(r"(.+?)[_ .:/-]([xyzXYZ])")
_FOURTH = re.compile(r"(.+?)[_ .:/-][wW]")
_OF_MARKER = re.compile(r"(.+?)[_ .:/-](confidence|likelihood|score)", re.I)
_COMMENT = re.compile(r"#\s*([\w ]+?)\s*[:=]\s*(.+?)\s*")
_MOST_COMMENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Columns by what they hold, as their positions.

    Attributes
    ----------
    line, rows
        Number of the header's line, and where in the file the rows begin.
    separator, cells
        Between cells, and the header's own.
    frame, time, marker, confidence
        Columns; None where there is none.
    time_unit, unit, rate_hz
        As columns or comments above them say.
    bare
        Of x, y and z without a name, as in tidy tables.
    named
        Of coordinates by marker, as in wide tables.
    confidences
        Of each marker's confidence.
    left
        Names of columns that none of this holds for: those in units of something else are among them, and quaternions.
    """

    line: int
    rows: int
    separator: str
    cells: tuple[str, ...]
    frame: int | None
    time: int | None
    time_unit: str | None
    marker: int | None
    confidence: int | None
    bare: Mapping[str, int]
    named: Mapping[str, Mapping[str, int]]
    confidences: Mapping[str, int]
    unit: str | None
    rate_hz: float | None
    left: tuple[str, ...]


def has_coordinates(header: Header) -> bool:
    """Whether some marker has at least x and y."""
    return any({"x", "y"} <= set(axes) for axes in header.named.values())


def header_of(text: Text) -> Header:
    """Read comments and column names.

    Raises
    ------
    DataError
        If coordinates are in several units, or a column is there twice.
    """
    unit: str | None = None
    rate: float | None = None
    lines = text.lines(_MOST_COMMENTS)
    count = 0
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        said = _COMMENT.fullmatch(line)
        if said and said[1].lower() in ("unit", "units"):
            unit = canonical_length(said[2])
        if said and said[1].lower() in ("rate", "rate_hz", "fps", "frame_rate", "frame_rate_hz"):
            rate = positive(said[2].lower().removesuffix("hz").strip())
        count += 1
    line = lines[count] if count < len(lines) else ""
    separator = max(",;\t", key=line.count)
    return _sorted_columns(text, count, cells_of(line, separator), separator, unit, rate)


def _sorted_columns(
    text: Text, count: int, cells: list[str], separator: str, unit: str | None, rate: float | None
) -> Header:
    single: dict[str, int] = {}
    bare: dict[str, int] = {}
    named: dict[str, dict[str, int]] = {}
    confidences: dict[str, int] = {}
    units = set()
    time_unit = None
    left = []
    strange = _strange(cells)
    if _is_index(text, count + 1, cells, separator):
        single["frame"] = 0
    where = f"{text.path}, line {count + 1}"
    for column, cell in enumerate(cells):
        if column == 0 and single.get("frame") == 0:
            continue
        if column in strange:
            left.append(cell)
            continue
        stem, said = _parted(cell)
        word = stem.lower()
        role = _role(word)
        if role is not None:
            if role in single and role != "marker":
                raise DataError(
                    f"{where}, column {column + 1}: {cell!r} is the second column of its kind; leave one",
                    reason="ragged",
                )
            single.setdefault(role, column)
            if role == "time":
                time_unit = canonical_time(said) if said else None
            continue
        coordinate = _COORDINATE.fullmatch(stem)
        if word in ("x", "y", "z"):
            axes, axis = bare, word
        elif coordinate:
            axes, axis = named.setdefault(coordinate[1], {}), coordinate[2].lower()
        elif found := _OF_MARKER.fullmatch(cell):
            confidences[found[1]] = column
            continue
        else:
            if cell:
                left.append(cell)
            continue
        if axis in axes:
            raise DataError(f"{where}, column {column + 1}: {cell!r} is there twice; name it apart", reason="ragged")
        axes[axis] = column
        if said:
            units.add(canonical_length(said) or said)
    if len(units) > 1:
        raise DataError(
            f"{where}: coordinates are in several units ({', '.join(sorted(units))}); write them in one",
            reason="unit-unknown",
        )
    return Header(
        line=count + 1,
        rows=text.after(count + 1),
        separator=separator,
        cells=tuple(cells),
        frame=single.get("frame"),
        time=single.get("time"),
        time_unit=time_unit,
        marker=single.get("marker"),
        confidence=single.get("confidence"),
        bare=bare,
        named=named,
        confidences=confidences,
        unit=next(iter(units), unit),
        rate_hz=rate,
        left=tuple(left),
    )


def _is_index(text: Text, count: int, cells: list[str], separator: str) -> bool:
    """Whether the first column, nameless as pandas writes it, numbers frames that nothing else numbers or times."""
    roles = {_role(_parted(cell)[0].lower()) for cell in cells}
    if cells[0].lower() not in _INDICES or roles & {"frame", "time", "marker"}:
        return False
    first = [number_of(cells_of(line, separator)[0]) for line in text.lines(2, text.after(count))]
    return bool(first) and all(number is not None and number >= 0 and number % 1 == 0 for number in first)


def _role(word: str) -> str | None:
    for role, words in (("frame", _FRAMES), ("time", _TIMES), ("marker", _MARKERS), ("confidence", _CONFIDENCES)):
        if word in words:
            return role
    return None


def _strange(cells: list[str]) -> set[int]:
    """Columns that are called as coordinates are, and are angles, speeds or parts of a quaternion.

    A unit that is none of length tells them, unless there is no other coordinate; or a fourth column, w.
    """
    found, lengths, others, turning = {}, [], set(), set()
    for column, cell in enumerate(cells):
        stem, said = _parted(cell)
        coordinate = _COORDINATE.fullmatch(stem)
        if coordinate or stem.lower() in ("x", "y", "z"):
            found[column] = coordinate[1] if coordinate else None
            if said and canonical_length(said) is None:
                others.add(column)
            else:
                lengths.append(column)
        elif fourth := _FOURTH.fullmatch(stem):
            turning.add(fourth[1])
    turned = {column for column, name in found.items() if name in turning}
    return (others if set(lengths) - turned else set()) | (turned if set(found) - turned - others else set())


def _parted(cell: str) -> tuple[str, str | None]:
    """A column's name and its unit: ``x (mm)``, ``x [mm]``, ``x_mm`` or ``x``."""
    found = _BRACKETS.fullmatch(cell)
    if found:
        return found[1], found[2]
    found = _SUFFIX.fullmatch(cell)
    if found is None:
        return cell, None
    stem, said = found[1], found[2]
    if is_length(said) and (stem.lower() in ("x", "y", "z") or _COORDINATE.fullmatch(stem)):
        return stem, said
    if canonical_time(said) and stem.lower() in _TIMES:
        return stem, said
    return cell, None
