"""OptiTrack Motive's CSV export, formats 1.2 to 1.25.

Motive writes a marker of a rigid body twice: as the body's fit places it (type Rigid Body Marker) and as the cameras
saw it (type Marker). Only the second is a measurement.
"""

from __future__ import annotations

from batchlab.errors import DataError
from batchlab.motion._read._choice import choose, told_names, unique_names
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._table import read_table
from batchlab.motion._read._triples import positive

__all__ = ["read_motive"]

_MOST_HEAD = 12
_MEASURED = frozenset(("marker", "unlabeled marker"))
_SOLVED = frozenset(("rigid body marker", "bone marker", "skeleton marker"))
_KINDS = (
    _MEASURED | _SOLVED | {"rigid body", "bone", "skeleton", "device", "trained markerset", "trained markerset bone"}
)


def read_motive(text: Text, asked: Asked) -> Raw:
    """Read measured markers; where there are none, solved ones, and say so."""
    lines = [cells_of(line, ",") for line in text.lines(_MOST_HEAD)]
    keys = dict(zip(lines[0][::2], lines[0][1::2], strict=False))
    columns_at = next((n for n, cells in enumerate(lines) if cells[0] == "Frame" and len(cells) > 2), None)
    kinds_at = next((n for n, cells in enumerate(lines) if {cell.lower() for cell in cells[2:]} & _KINDS), None)
    if columns_at is None or kinds_at is None or columns_at < kinds_at + 3:
        raise DataError(
            f"{text.path}: a Motive export has rows of types, names and axes above its first frame, and they are not "
            "all there; export it again with its header",
            reason="not-a-recording",
        )
    kinds, names_row = lines[kinds_at], lines[kinds_at + 1]
    what, axes = lines[columns_at - 1], lines[columns_at]
    width = len(axes)
    kinds, names_row, what = ((cells + [""] * width)[:width] for cells in (kinds, names_row, what))
    measured: list[tuple[str, int]] = []
    solved: list[tuple[str, int]] = []
    for column in range(2, width - 2):
        if what[column] != "Position" or [axis.upper() for axis in axes[column : column + 3]] != ["X", "Y", "Z"]:
            continue
        kind = kinds[column].lower()
        for group, found in ((_MEASURED, measured), (_SOLVED, solved)):
            if kind in group:
                found.append((names_row[column], column))
    notes: list[str] = []
    places = measured or solved
    if not places:
        raise DataError(
            f"{text.path}, line {kinds_at + 1}: this Motive export holds poses of bodies only; export it with markers",
            reason="no-markers",
        )
    if not measured:
        notes.append(
            "markers are as Motive's own fit of the body places them, not as measured; export markers for a fit of "
            "what was seen"
        )
    elif missing := [name for name, _ in solved if name not in {name for name, _ in measured}]:
        notes.append(f"solved but not measured, and left out: {told_names(missing)}")
    names = unique_names([name for name, _ in places], notes)
    at = [column for _, column in places]
    chosen = choose(names, asked.markers, text.path)
    columns = [0, 1, *(at[place] + axis for place in chosen for axis in range(3))]
    titles = [f"{name} {axis}".strip() for name, axis in zip(names_row, axes, strict=True)]
    values = read_table(
        text,
        offset=text.after(columns_at + 1),
        line=columns_at + 2,
        names=titles,
        separator=",",
        columns=columns,
        notes=notes,
    )
    if not len(values):
        raise DataError(f"{text.path}: the header is there, but no frame; export it again", reason="no-frames")
    claimed = positive(keys.get("Total Exported Frames", ""))
    if claimed is not None and claimed != len(values):
        notes.append(
            f"the file holds {len(values)} frame{'s' * (len(values) != 1)}, though its header says {claimed:g}"
        )
    return Raw(
        markers=tuple(names[place] for place in chosen),
        positions=values[:, 2:].reshape(len(values), -1, 3),
        stated_unit=keys.get("Length Units"),
        rate_hz=positive(keys.get("Export Frame Rate", "")) or positive(keys.get("Capture Frame Rate", "")),
        numbers=values[:, 0],
        times=values[:, 1],
        time_unit="s",
        notes=notes,
    )
