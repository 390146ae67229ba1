"""DeepLabCut's CSV: three header rows, or four with several animals; likelihood where a network wrote it."""

from __future__ import annotations

from batchlab.errors import DataError
from batchlab.motion._read._choice import choose, unique_names
from batchlab.motion._read._raw import Asked, Raw, confidences
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._table import number_of, read_table

__all__ = ["is_dlc", "read_dlc"]


def is_dlc(lines: list[list[str]]) -> bool:
    """Whether the second to fourth line begin as DeepLabCut's do."""
    return any(cells[0].lower() == "coords" for cells in lines[1:4]) and any(
        cells[0].lower() == "bodyparts" for cells in lines[:3]
    )


def read_dlc(text: Text, asked: Asked) -> Raw:
    """Read two-dimensional points in pixels, or three-dimensional ones in whatever unit is declared."""
    rows = {cells[0].lower(): (n, cells) for n, cells in enumerate(cells_of(line, ",") for line in text.lines(4))}
    if not {"bodyparts", "coords"} <= set(rows):
        raise DataError(
            f"{text.path}, line 1: DeepLabCut's tables have header rows scorer, bodyparts and coords, and they are not "
            "all there; export it again",
            reason="not-a-recording",
        )
    last, coords = rows["coords"]
    parts = rows["bodyparts"][1]
    animals = rows["individuals"][1] if "individuals" in rows else None
    if len(parts) != len(coords):
        raise DataError(
            f"{text.path}, line {last + 1}: there are {len(coords)} coords for {len(parts)} bodyparts; "
            "the header is damaged",
            reason="ragged",
        )
    # Labelled frames have up to three columns of paths before the first coordinate.
    first = next((n for n, cell in enumerate(coords) if cell.lower() == "x"), len(coords))
    at: dict[str, dict[str, int]] = {}
    for column in range(first, len(coords)):
        name = parts[column]
        if animals is not None and column < len(animals) and animals[column] not in ("", "single"):
            name = f"{animals[column]}:{name}"
        if coords[column].lower() in at.setdefault(name, {}):
            raise DataError(
                f"{text.path}, line {last + 1}, column {column + 1}: {name!r} has {coords[column]} twice",
                reason="ragged",
            )
        at[name][coords[column].lower()] = column
    notes: list[str] = []
    kept = [name for name in at if {"x", "y"} <= set(at[name])]
    axes = "xyz" if kept and all("z" in at[name] for name in kept) else "xy"
    places = choose(unique_names(kept, notes), asked.markers, text.path)
    wanted = [kept[place] for place in places]
    columns = [at[name][axis] for name in wanted for axis in axes]
    likely = ["likelihood" in at[name] for name in wanted]
    columns += [at[name]["likelihood"] for name, has in zip(wanted, likely, strict=True) if has]
    numbered = _is_numbered(text, last + 1)
    if numbered:
        columns = [0, *columns]
    values = read_table(
        text,
        offset=text.after(last + 1),
        line=last + 2,
        names=[f"{part} {axis}" for part, axis in zip(parts, coords, strict=True)],
        separator=",",
        columns=columns,
        notes=notes,
    )
    if not len(values):
        raise DataError(f"{text.path}: the header is there, but no frame; export it again", reason="no-frames")
    numbers = values[:, 0] if numbered else None
    values = values[:, 1:] if numbered else values
    size = len(axes) * len(wanted)
    if not numbered:
        notes.append("rows are labelled by images and not by frames; they are taken for frames one after the other")
    return Raw(
        markers=tuple(wanted),
        positions=values[:, :size].reshape(len(values), len(wanted), len(axes)),
        stated_unit="px" if axes == "xy" else None,
        numbers=numbers,
        confidence=confidences(values[:, size:], wanted, likely, notes),
        notes=notes,
    )


def _is_numbered(text: Text, head: int) -> bool:
    """Whether the first row begins with a number."""
    row = text.lines(1, text.after(head))
    value = number_of(cells_of(row[0], ",")[0]) if row else None
    return value is not None and value == value
