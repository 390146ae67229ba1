"""A table of rows as CSV: what is not known is an empty cell, units stand in the header."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchlab.spectra._write._put import put

__all__ = ["format_rows", "write_rows"]

Cell = str | int | float | bool | None
_NONE: Mapping[str, str | None] = {}


def format_rows(
    rows: Sequence[Mapping[str, Cell]],
    *,
    units: Mapping[str, str | None] = _NONE,
    provenance: Mapping[str, object] | None = None,
) -> str:
    """Write rows as CSV, numbers as the shortest text that reads back to the same float.

    Parameters
    ----------
    rows
        Column name to cell; a column that some rows lack is empty there.
    units
        The unit of a column, or of all whose name ends in ``_`` and the name given.
    provenance
        How the rows were made; a line of JSON after ``# provenance:``.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    if provenance:
        text.write(f"# provenance: {json.dumps(dict(provenance))}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_headed(name, units) for name in columns)
    table.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def write_rows(
    path: Path,
    rows: Sequence[Mapping[str, Cell]],
    *,
    units: Mapping[str, str | None] = _NONE,
    provenance: Mapping[str, object] | None = None,
) -> None:
    """Write rows to a file, packed if its name says so; see `format_rows`."""
    put(path, format_rows(rows, units=units, provenance=provenance).encode("utf-8", "backslashreplace"))


def _headed(name: str, units: Mapping[str, str | None]) -> str:
    unit = next((unit for key, unit in units.items() if name == key or name.endswith(f"_{key}")), None)
    return f"{name} ({unit})" if unit and unit != "1" else name


def _cell(value: Cell) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)
