"""Vicon Nexus' ASCII export: sections one below the other, of which Trajectories holds the markers."""

from __future__ import annotations

import re

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._choice import told_names
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._triples import positive, read_triples

__all__ = ["is_vicon", "read_vicon"]

_TRAJECTORIES = re.compile(rb'^"?Trajectories"?[,;\t ]*$', re.M)
_SECTION = re.compile(rb'^"?(?:Devices|Joints|Model Outputs|Segments|Trajectories|Trajectory Count)"?[,;\t ]*\n')
_GAP = re.compile(rb"\n[,;\t ]*\n")


def is_vicon(text: Text) -> bool:
    """Whether the first line names a section."""
    return _SECTION.match(text.data) is not None


def read_vicon(text: Text, asked: Asked) -> Raw:
    """Read the section Trajectories."""
    found = _TRAJECTORIES.search(text.data)
    if found is None:
        raise DataError(
            f"{text.path}: this Vicon export has no section Trajectories; export it with trajectories",
            reason="no-markers",
        )
    first = text.data.count(b"\n", 0, found.start()) + 1
    head = text.lines(5, found.start())
    if len(head) < 5:
        raise DataError(
            f"{text.path}, line {first + len(head) - 1}: the section Trajectories has five header lines, and the file "
            "ends here; export it again",
            reason="truncated",
        )
    separator = max(",;\t", key=head[3].count)
    rate = positive(cells_of(head[1], separator)[0])
    axes, units = cells_of(head[3], separator), cells_of(head[4], separator)
    if [cell.lower() for cell in axes[:2]] != ["frame", "sub frame"]:
        raise DataError(
            f"{text.path}, line {first + 3}: the columns of Trajectories begin with Frame and Sub Frame, "
            f"not {head[3][:40]!r}; export it again",
            reason="not-a-recording",
        )
    notes: list[str] = []
    names, places = _places(text, cells_of(head[2], separator), axes, first, notes)
    unit = {unit for column in places for unit in units[column : column + 3] if unit}
    if len(unit) > 1:
        raise DataError(
            f"{text.path}, line {first + 4}: markers are in several units ({', '.join(sorted(unit))}); "
            "export them in one",
            reason="unit-unknown",
        )
    offset = text.after(5, found.start())
    gap = _GAP.search(text.data, offset - 1)
    markers, leading, positions = read_triples(
        text,
        names,
        places,
        asked,
        offset=offset,
        end=gap.start() + 1 if gap else None,
        line=first + 5,
        separator=separator,
        before=("Frame", "Sub Frame"),
        notes=notes,
        width=len(axes),
    )
    if np.any(leading[:, 1] != 0):
        notes.append("some rows have a sub frame other than 0; markers have none, so it is ignored")
    return Raw(
        markers=markers,
        positions=positions,
        stated_unit=next(iter(unit), None),
        rate_hz=rate,
        numbers=leading[:, 0] - 1,
        notes=notes,
    )


def _places(text: Text, names: list[str], axes: list[str], first: int, notes: list[str]) -> tuple[list[str], list[int]]:
    """Names over X, Y and Z; velocities, accelerations and magnitudes are told and left out."""
    names = names + [""] * (len(axes) - len(names))
    axes = axes + [""] * (len(names) - len(axes))
    kept, places, left = [], [], []
    column = 2
    while column < len(axes):
        name, axis = names[column], axes[column]
        if [letter.upper() for letter in axes[column : column + 3]] == ["X", "Y", "Z"] and not any(
            names[column + 1 : column + 3]
        ):
            kept.append(name)
            places.append(column)
            column += 3
            continue
        if axis.upper() in ("X", "Y", "Z") or (name and not axis):
            told = name or next((later for later in names[column + 1 : column + 3] if later), "")
            raise DataError(
                f"{text.path}, line {first + 3}, column {column + 1}: {told!r} should have the columns X, Y and Z",
                reason="not-a-recording",
            )
        if axis:
            left.append(f"{name} {axis}".strip())
        column += 1
    if left and kept:
        notes.append(f"columns that are no coordinates are left out: {told_names(left)}")
    return kept, places
