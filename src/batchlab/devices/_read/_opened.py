"""A raw file once opened: its head, its procedure, and its rows as bytes or as numbers."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from batchlab.devices._flags import quality_flags
from batchlab.devices._procedures import Procedure, Schema
from batchlab.devices._read._columns import Taken, match_columns
from batchlab.devices._read._header import Header, clean, parse_header
from batchlab.devices._read._note import Note
from batchlab.devices._read._record import Record, facts_of, file_index, light_of, procedure_of, start_of
from batchlab.devices._read._table import read_rows
from batchlab.devices._run_id import run_id
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batchlab.devices._model import Array

__all__ = ["Opened", "finish", "open_file", "values_of"]

_Matched = dict[tuple[str, tuple[str, ...]], tuple[Taken, ...]]
_SAYING = re.compile(rb"[^\0 \t\r\n]")


@dataclass(slots=True)
class Opened:
    """A file between its head and its rows."""

    record: Record  # without rows, duration and flags
    procedure: Procedure
    header: Header
    taken: tuple[Taken, ...]
    block: bytes  # the rows; empty where `values` is given
    values: Array | None = None  # the rows as numbers, of formats that are not PyMeasure's

    @property
    def regular_lines(self) -> int:
        """Lines of a block that may be read as plain CSV: whole, with as many commas as expected in sum; else 0."""
        commas = len(self.header.columns) - 1
        lines = self.block.count(b"\n") if commas > 0 and self.block.endswith(b"\n") else 0
        return lines if self.block.count(b",") == commas * lines else 0


def open_file(path: Path, schema: Schema, local: ZoneInfo, matched: _Matched | None = None) -> Opened:
    """Read a file and the values of its head.

    Parameters
    ----------
    path, schema
        The file, and how to read it.
    local
        Zone of the laboratory.
    matched
        Columns of files that came before, by procedure and names: those of most files are the same.

    Raises
    ------
    DataError
        If it cannot be read, is no run, or has no rows.
    """
    try:
        stat = path.stat()
        raw = path.read_bytes()
    except OSError as error:
        category = Category.MISSING_INPUT if isinstance(error, FileNotFoundError) else Category.INVALID_INPUT
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); is it there, and may you read it?",
            category=category,
            reason="unreadable",
        ) from error
    where = str(path)
    if _SAYING.search(raw) is None:
        raise DataError(f"{where}: the file is empty; measure again", reason="empty")
    text = clean(raw, where)
    header = parse_header(text, where)
    values: Array | None = None
    notes: list[Note] = []
    if header is None:
        from batchlab.devices._read._foreign import read_foreign

        foreign = read_foreign(text, schema, where)
        header, values, notes = foreign.header, foreign.values, foreign.notes
        table = text
    else:
        table = text[header.table_at :]
    procedure = procedure_of(header, schema, where)
    block = text[header.rows_at :] if values is None else b""
    if not header.columns or (values is None and _SAYING.search(block) is None):
        raise DataError(f"{where}: the header is there, but no rows; the run was aborted", reason="no-rows")
    facts = facts_of(header, procedure, schema)
    start, origin = start_of(facts.start_utc, path, stat.st_mtime_ns, local)
    taken = None if matched is None else matched.get((procedure.name, header.columns))
    if taken is None:
        taken = match_columns(header.columns, procedure, schema, where)
        if matched is not None:
            matched[procedure.name, header.columns] = taken
    record = Record(
        path=path,
        size=len(raw),
        mtime_ns=stat.st_mtime_ns,
        digest=hashlib.blake2b(raw, digest_size=16).hexdigest(),
        run_id=run_id(procedure.name, facts.chip, facts.start_utc, table),
        procedure=procedure.name,
        chip=facts.chip,
        start_utc=start,
        date_origin=origin,
        date_local=start.astimezone(local).date(),
        has_light=facts.has_light,
        settings=facts.settings,
        file_index=file_index(path),
        columns=tuple(column.name for column in taken),
        notes=(*facts.notes, *notes),
    )
    return Opened(record, procedure, header, taken, block, values)


def values_of(opened: Opened) -> tuple[dict[str, Array], tuple[Note, ...]]:
    """The columns, read with care, in the units of their names.

    Raises
    ------
    DataError
        If no row holds a number.
    """
    notes: list[Note] = []
    table = opened.values
    if table is None:
        header = opened.header
        table, notes = read_rows(opened.block, header.columns, header.line + 1)
    if not len(table):
        raise DataError(
            f"{opened.record.path}: the header is there, but no whole row; the run was aborted", reason="no-rows"
        )
    columns = {}
    for column in opened.taken:
        values = table[:, column.place]
        columns[column.name] = values.copy() if column.factor == 1.0 else values * column.factor
    return columns, tuple(notes)


def finish(opened: Opened, columns: Mapping[str, Array], notes: tuple[Note, ...] = ()) -> Record:
    """The record with what only the rows tell: their number, the duration, light and flags."""
    import numpy as np

    record = opened.record
    light = record.has_light
    if light is None:
        light = light_of(opened.procedure, record.settings, columns.get("VL (V)"))
    time = columns.get("t (s)")
    duration = None
    if time is not None:
        seen = time[np.isfinite(time)]
        duration = float(seen.max()) if seen.size else None
    return replace(
        record,
        has_light=light,
        rows=len(next(iter(columns.values()))),
        duration_s=duration,
        flags=tuple(flag.value for flag in quality_flags(record.procedure, columns)),
        notes=(*record.notes, *notes),
    )
