"""One file as a run, or its head alone."""

from __future__ import annotations

import os
from pathlib import Path

from batchlab.devices._model import Run
from batchlab.devices._procedures import Schema, load_schema
from batchlab.devices._raw_files import ZONE
from batchlab.devices._read._header import Header, clean, parse_header
from batchlab.devices._read._opened import finish, open_file, values_of
from batchlab.devices._read._record import DateOrigin, refuse_slips, zone
from batchlab.errors import Category, DataError

__all__ = ["read_header", "read_run"]

_HEAD = 65_536


def read_run(
    path: str | os.PathLike[str], schema: Schema | None = None, *, timezone: str = ZONE, strict: bool = False
) -> Run:
    """Read one raw file.

    Parameters
    ----------
    path
        A file of PyMeasure, an export of EasyEXPERT or of a Keithley 4200, or columns with units in their names
        (CSV, or tab-separated as in ``.dat``).
    schema
        The procedures; the built-in ones if none are given.
    timezone
        Of the laboratory: the day in a path is its day.
    strict
        Refuse what does not follow the schema: a missing chip number, a setting that does not read as its kind.

    Raises
    ------
    DataError
        If the file is no run, has no rows, or lacks a column of its procedure.
    """
    opened = open_file(Path(path), schema or load_schema(), zone(timezone))
    columns, notes = values_of(opened)
    record = finish(opened, columns, notes)
    if strict:
        refuse_slips(record.notes, str(path))
    return Run(
        run_id=record.run_id,
        procedure=record.procedure,
        chip=record.chip,
        start_utc=None if record.date_origin is DateOrigin.MTIME else record.start_utc,
        has_light=record.has_light,
        settings=record.settings,
        columns=columns,
        flags=record.flags,
    )


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the head of a PyMeasure file, and no rows.

    Raises
    ------
    DataError
        If the file is none, or ends within its head.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_HEAD)
            if b"Data:" not in raw[: _HEAD // 2]:
                raw += file.read()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); is it there, and may you read it?",
            category=Category.MISSING_INPUT if isinstance(error, FileNotFoundError) else Category.INVALID_INPUT,
            reason="unreadable",
        ) from error
    header = parse_header(clean(raw, str(path)), str(path))
    if header is None:
        raise DataError(
            f"{path}: does not begin with '#Procedure: <...>' as a file of PyMeasure does; read it with read_run",
            reason="not-a-run",
        )
    return header
