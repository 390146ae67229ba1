"""Files that are not PyMeasure's: EasyEXPERT, Keithley 4200, and plain columns with units in their names.

They say little besides their rows: the procedure follows from the columns, and a voltage that is the same in all
rows is a setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batchlab.devices._procedures import Schema, plain_name
from batchlab.devices._read._columns import bare, recognize
from batchlab.devices._read._header import Header, decode
from batchlab.devices._read._note import Note
from batchlab.devices._read._table import read_rows
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Foreign", "read_foreign"]

_SEPARATORS = ("\t", ";", ",")
_EASY_EXPERT = ("SetupTitle", "PrimitiveTest", "DataName", "DataValue", "TestParameter", "MetaData", "AnalysisSetup")
_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eEdD][-+]?\d+)?|[-+]?(nan|inf)", re.I)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SETTING = re.compile(r"[#\s]*(?P<name>[^:=\t]*[^:=\t\s])\s*[:=\t]\s*(?P<value>.*\S)\s*")
# What a constant column becomes: the parameter of a header.
_AS_PARAMETER = {
    "VDS": ("vds", "vd", "drainv", "drainvoltage", "vsd"),
    "VG": ("vg", "vgs", "gatev", "gatevoltage"),
    "Drain-Source current": ("ids", "id", "draini"),
}
_UNITS = {"VDS": "V", "VG": "V", "Drain-Source current": "A"}


@dataclass(frozen=True, slots=True)
class Foreign:
    """A header made of what the file says, and its rows as numbers."""

    header: Header
    values: Array
    notes: list[Note]


def read_foreign(raw: bytes, schema: Schema, where: str) -> Foreign:
    """Read a file that does not begin as PyMeasure's.

    Parameters
    ----------
    raw
        The file, as `clean` returns it.
    schema
        The procedures; the columns decide which one it is.
    where
        The file's name, for messages.

    Raises
    ------
    DataError
        If it has no columns of numbers under names, or they belong to no procedure.
    """
    if raw.startswith(_WORKBOOKS):
        raise DataError(f"{where}: is a workbook; save the sheet of the measurement as text or CSV", reason="workbook")
    lines = decode(raw).split("\n")
    easy_expert = any(line.startswith(_EASY_EXPERT) for line in lines[:200])
    parts = _easy_expert(lines, where) if easy_expert else _columns(lines, where)
    names, first = parts.names, parts.first
    block = "\n".join(parts.rows)
    if parts.separator != "," and "," in block:
        block = block.replace(",", ".")  # with another separator, a comma is the decimal sign
    values, notes = read_rows(block.encode(), names, first, separator=parts.separator, whole=True)
    notes += parts.notes
    if not len(values):
        raise DataError(f"{where}: names of columns, but no rows; export it again", reason="no-rows")
    procedure, parameters = _understand(names, values, schema)
    if procedure is None:
        raise DataError(
            f"{where}, line {first - 1}: the columns {', '.join(map(repr, names))} are those of no procedure; "
            "name them with units, as in 'Vg (V)' and 'I (A)', or describe the procedure in a YAML file",
            reason="unknown-procedure",
        )
    header = Header(
        procedure=procedure,
        parameters={**parts.said, **parameters},
        metadata={},
        columns=tuple(names),
        line=first - 1,
    )
    return Foreign(header, values, notes)


@dataclass(slots=True)
class _Parts:
    """A file taken apart."""

    names: list[str]
    rows: list[str]
    first: int  # number of the first row's line
    separator: str
    said: dict[str, str]  # settings above the rows
    notes: list[Note] = field(default_factory=list)


def _easy_expert(lines: Sequence[str], where: str) -> _Parts:
    """``DataName, Vg, Id`` and then ``DataValue, 0, 1E-9``; what stands above are settings of the analyser."""
    parts = _Parts([], [], 0, ",", {})
    for number, line in enumerate(lines, 1):
        key, _, rest = line.partition(",")
        cells = [cell.strip() for cell in rest.split(",")]
        match key.strip():
            case "SetupTitle" | "DataName" if parts.rows:
                parts.notes.append(Note("further-tests", line=number))
                break
            case "SetupTitle":
                parts.said["Information"] = rest.strip()
            case "DataName":
                parts.names = cells
            case "DataValue":
                parts.first = parts.first or number
                parts.rows.append(rest)
            case "TestParameter" if len(cells) >= 2:
                parts.said.setdefault(f"{cells[0]} {cells[1]}", ", ".join(cells[2:]))
    if not parts.names:
        raise DataError(f"{where}: an export of EasyEXPERT without 'DataName'; export it with data", reason="no-rows")
    return parts


def _columns(lines: Sequence[str], where: str) -> _Parts:
    """The first line of numbers with names in the line above it, and all below; what stands above are settings."""
    for separator in _SEPARATORS:
        split = [[cell.strip(' \t"') for cell in line.split(separator)] for line in lines]
        for number, cells in enumerate(split):
            width = len(cells)
            if width < 2 or not _is_row(cells):
                continue
            above = next((k for k in range(number - 1, -1, -1) if any(split[k])), None)
            named = split[above] if above is not None else []
            if len(named) < 2 or _is_row(named):
                break
            if above is not None and all(_is_unit(cell) for cell in named) and above:
                # Names, and their units in a line of their own.
                upper = split[above - 1]
                if len(upper) == len(named):
                    named = [f"{name} ({unit})" for name, unit in zip(upper, named, strict=True)]
            named = [name.lstrip("# ") for name in named]
            said = dict(_said(lines[: above or 0]))
            while len(named) > width and not named[-1]:
                named.pop()
            return _Parts(named, list(lines[number:]), number + 1, separator, said)
    raise DataError(
        f"{where}: no columns of numbers under their names were found, and it does not begin with '#Procedure: <...>'; "
        "give CSV or tab-separated text such as 'Vg (V),I (A)' above the rows",
        reason="not-a-run",
    )


def _said(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Settings above the columns: ``VDS: 0.1 V``, ``VDS = 0.1 V`` or ``VDS<TAB>0.1``."""
    found = []
    for line in lines:
        setting = _SETTING.fullmatch(line)
        if setting is not None:
            found.append((setting["name"].strip(), setting["value"].strip(' \t,;"')))
    return found


def _is_row(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) >= 2 and all(_NUMBER.fullmatch(cell) for cell in filled)


def _is_unit(cell: str) -> bool:
    return bool(re.fullmatch(r"[(\[]?(?:[munpkM\u00b5\u03bc]?(?:V|A|W|s|Ohm)|nm|degC|°C)[)\]]?", cell))


def _understand(names: Sequence[str], values: Array, schema: Schema) -> tuple[str | None, Mapping[str, str]]:
    """The procedure of columns, judged by those that vary most, and the settings that the others are."""
    import numpy as np

    changes = {name: int(np.count_nonzero(np.diff(values[:, k]))) for k, name in enumerate(names)}
    busy = [name for name in names if 2 * changes[name] >= max(len(values) - 1, 1)]
    procedure = recognize(busy, schema) or recognize(names, schema)
    if procedure is None:
        return None, {}
    parameters: dict[str, str] = {}
    for k, name in enumerate(names):
        if changes[name] or not np.isfinite(values[0, k]):
            continue
        base, unit = bare(name)
        for parameter, words in _AS_PARAMETER.items():
            if parameter in procedure.parameters and plain_name(base) in words:
                parameters[parameter] = f"{float(values[0, k])!r} {unit or _UNITS[parameter]}"
    return procedure.name, parameters
