"""Tables of anyone's making: tidy, a row per marker and frame, or wide, a column per coordinate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._choice import choose, told_names
from batchlab.motion._read._columns import Header, header_of
from batchlab.motion._read._raw import Asked, Raw, confidences
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._table import blocks, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._model import Float

__all__ = ["read_tidy", "read_wide"]

_FULLEST = 1000  # times as many places as rows, and a column is not the marker's name


def read_wide(text: Text, asked: Asked) -> Raw:
    """Read columns such as ``head_x_mm``, beside ``frame``, ``time_s`` and ``head_confidence``."""
    header = header_of(text)
    notes: list[str] = []
    named = {name: axes for name, axes in header.named.items() if {"x", "y"} <= set(axes)}
    axes = "xyz" if any("z" in of for of in named.values()) else "xy"
    whole = [name for name, of in named.items() if set(axes) <= set(of)]
    if part := [name for name in header.named if name not in whole]:
        notes.append(f"without all of {', '.join(axes)}, and left out: {told_names(part)}")
    _tell_left(header, [column for column in (header.marker, *header.bare.values()) if column is not None], notes)
    wanted = [whole[place] for place in choose(whole, asked.markers, text.path)]
    before = [column for column in (header.frame, header.time) if column is not None]
    columns = before + [named[name][axis] for name in wanted for axis in axes]
    # A column without a marker's name is of all that have none of their own.
    likely = [header.confidences.get(name, header.confidence) for name in wanted]
    columns += [column for column in likely if column is not None]
    values = _rows(text, header, columns, notes)
    size = len(before) + len(axes) * len(wanted)
    return Raw(
        markers=tuple(wanted),
        positions=values[:, len(before) : size].reshape(len(values), len(wanted), len(axes)),
        stated_unit=header.unit,
        rate_hz=header.rate_hz,
        numbers=None if header.frame is None else values[:, 0],
        times=None if header.time is None else values[:, len(before) - 1],
        time_unit=header.time_unit,
        confidence=confidences(values[:, size:], wanted, [column is not None for column in likely], notes),
        notes=notes,
    )


def read_tidy(text: Text, asked: Asked) -> Raw:
    """Read rows of frame, keypoint, x, y and, of three dimensions, z; a marker without a row was not seen."""
    header = header_of(text)
    if header.marker is None or not {"x", "y"} <= set(header.bare):
        raise DataError(
            f"{text.path}, line {header.line}: a tidy table has the columns frame, keypoint, x and y; "
            f"it has {told_names(header.cells)}",
            reason="not-a-recording",
        )
    key = header.frame if header.frame is not None else header.time
    if key is None:
        raise DataError(
            f"{text.path}, line {header.line}: a tidy table needs a column frame or time_s; add it",
            reason="rate-unknown",
        )
    notes: list[str] = []
    _tell_left(header, [column for of in header.named.values() for column in of.values()], notes)
    axes = [axis for axis in "xyz" if axis in header.bare]
    also = [column for column in (header.time, header.confidence) if column is not None]
    columns = [key, header.marker, *(header.bare[axis] for axis in axes), *also]
    coded, names = _coded(text, header)
    values = _rows(coded, header, columns, notes)
    if not np.isfinite(values[:, :2]).all():
        raise DataError(
            f"{text.path}: a row has no {header.cells[key]} or no {header.cells[header.marker]}; complete it or "
            "leave it out",
            reason="ragged",
        )
    chosen = choose(names, asked.markers, text.path)
    frames, frame = np.unique(values[:, 0], return_inverse=True)
    place = np.full(len(names), -1)
    place[chosen] = np.arange(len(chosen))
    marker = place[values[:, 1].astype(np.intp)]
    if frames.size * len(chosen) > _FULLEST * len(values):
        raise DataError(
            f"{text.path}: {len(names)} markers in {len(values)} rows: is {header.cells[header.marker]!r} the column "
            "of their names?",
            reason="not-a-recording",
        )
    _refuse_doubles(text, frames, frame, marker, names, chosen)
    rows = np.flatnonzero(marker >= 0)
    size = 2 + len(axes)

    def spread(columns: Float) -> Float:
        out = np.full((frames.size, len(chosen), columns.shape[1]), np.nan)
        out[frame[rows], marker[rows]] = columns[rows]
        return out

    times = None
    if header.time is not None:
        times = np.full(frames.size, np.nan)
        times[frame[::-1]] = values[::-1, size]
    confidence = None
    if header.confidence is not None:
        confidence = np.nan_to_num(spread(values[:, -1:])[..., 0])
    return Raw(
        markers=tuple(names[at] for at in chosen),
        positions=spread(values[:, 2:size]),
        stated_unit=header.unit,
        rate_hz=header.rate_hz,
        numbers=None if header.frame is None else frames,
        times=times,
        time_unit=header.time_unit,
        confidence=confidence,
        notes=notes,
    )


def _rows(text: Text, header: Header, columns: list[int], notes: list[str]) -> Float:
    values = read_table(
        text,
        offset=header.rows,
        line=header.line + 1,
        names=header.cells,
        separator=header.separator,
        columns=columns,
        notes=notes,
        keyed=header.frame is not None or header.time is not None,
    )
    if not len(values):
        raise DataError(f"{text.path}: the header is there, but no row; export it again", reason="no-frames")
    return values


def _tell_left(header: Header, others: list[int], notes: list[str]) -> None:
    """Say which columns are no coordinates, or not of a marker as the others are."""
    if left := [*header.left, *(header.cells[column] for column in others)]:
        notes.append(f"columns that are no coordinates are left out: {told_names(left)}")


def _coded(text: Text, header: Header) -> tuple[Text, list[str]]:
    """The same table with numbers for the names of markers, so that the rest is as quick as any table."""
    assert header.marker is not None
    codes: dict[str, int] = {}
    mark = header.separator.encode()
    at = header.marker
    out = [text.data[: header.rows]]
    for block, line in blocks(text.data, header.rows, header.line + 1, len(text.data)):
        lines = block.split(b"\n")
        for number, row in enumerate(lines):
            if b'"' in row:
                cells = cells_of(row.decode("utf-8", errors="replace"), header.separator)
                parts = [cell.replace(header.separator, " ").encode() for cell in cells]
            else:
                parts = row.split(mark, at + 1)
            if len(parts) <= at:
                continue
            name = parts[at].decode("utf-8", errors="replace").strip()
            if not name:
                if any(part.strip(mark + b" ") for part in parts):
                    raise DataError(
                        f"{text.path}, line {line + number}, column {at + 1}: the row names no marker; "
                        "name it or leave the row out",
                        reason="ragged",
                    )
                continue
            parts[at] = b"%d" % codes.setdefault(name, len(codes))
            lines[number] = mark.join(parts)
        out.append(b"\n".join(lines))
    return Text(path=text.path, data=b"".join(out)), list(codes)


def _refuse_doubles(
    text: Text, frames: Float, frame: NDArray[np.intp], marker: NDArray[np.intp], names: list[str], chosen: list[int]
) -> None:
    rows = np.flatnonzero(marker >= 0)
    places = frame[rows] * len(chosen) + marker[rows]
    order = np.argsort(places, kind="stable")
    double = np.flatnonzero(np.diff(places[order]) == 0)
    if double.size:
        row = rows[order[double[0] + 1]]
        raise DataError(
            f"{text.path}: {names[chosen[int(marker[row])]]!r} stands twice in frame {frames[int(frame[row])]:g} "
            f"({double.size} such rows); leave one of them",
            reason="ragged",
        )
