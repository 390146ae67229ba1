"""Qualisys Track Manager's TSV export: keys, names, then rows in mm."""

from __future__ import annotations

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._source import Text, cells_of
from batchlab.motion._read._table import number_of
from batchlab.motion._read._triples import positive, read_triples

__all__ = ["read_qualisys"]

_MOST_KEYS = 60


def read_qualisys(text: Text, asked: Asked) -> Raw:
    """Read a TSV file of three-dimensional data."""
    stated: dict[str, list[str]] = {}
    count = 0
    heading: list[str] = []
    for line in text.lines(_MOST_KEYS):
        cells = cells_of(line, "\t")
        if not line.strip(" "):
            count += 1
            continue
        if cells[0].lower() == "frame":
            heading = cells
        elif number_of(cells[0]) is not None:
            break
        elif len(cells) > 2 and cells[0].endswith((" X", " Y", " Z")):
            heading = cells
        else:
            stated[cells[0].upper()] = cells[1:]
        count += 1
    kind = " ".join(stated.get("DATA_INCLUDED", [])).strip()
    if kind and kind.upper() != "3D":
        raise DataError(
            f"{text.path}: DATA_INCLUDED is {kind}; only 3D holds places of markers, export that", reason="no-markers"
        )
    names = [name for name in stated.get("MARKER_NAMES", []) if name]
    notes: list[str] = []
    claimed = positive(_first(stated, "NO_OF_MARKERS"))
    if claimed is not None and claimed != len(names):
        notes.append(f"the file names {len(names)} markers, though its header says {claimed:g}")
    before = ("Frame", "Time") if heading and heading[0].lower() == "frame" else ()
    at = [len(before) + 3 * place for place in range(len(names))]
    markers, leading, positions = read_triples(
        text,
        names,
        at,
        asked,
        offset=text.after(count),
        line=count + 1,
        separator="\t",
        before=before,
        notes=notes,
    )
    claimed = positive(_first(stated, "NO_OF_FRAMES"))
    if claimed is not None and claimed != len(positions):
        notes.append(
            f"the file holds {len(positions)} frame{'s' * (len(positions) != 1)}, though its header says {claimed:g}"
        )
    return Raw(
        markers=markers,
        positions=positions,
        stated_unit="mm",
        rate_hz=positive(_first(stated, "FREQUENCY")),
        numbers=leading[:, 0] - 1 if before else np.arange(len(positions), dtype=np.float64),
        times=leading[:, 1] if before else None,
        time_unit="s",
        notes=notes,
    )


def _first(stated: dict[str, list[str]], key: str) -> str:
    return next(iter(stated.get(key, [])), "")
