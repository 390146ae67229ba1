"""The name of a run: a digest of its raw data, so that it is the same wherever the file lies."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from batchlab.devices._model import Chip

if TYPE_CHECKING:
    import polars as pl

__all__ = ["peer_run_id", "run_id"]

_LENGTH = 16


def run_id(procedure: str, chip: Chip | None, start_utc: datetime | None, table: bytes) -> str:
    r"""16 hex digits of what was measured, on what, when, and of the bytes recorded.

    Parameters
    ----------
    procedure
        Its name.
    chip
        None for a procedure without one.
    start_utc
        As the file itself says it, aware; None where it does not, so that a copy keeps its name.
    table
        The line of column names and all below it, with ``\n`` as line end.
    """
    return _digest(procedure, chip, start_utc, table)


def peer_run_id(procedure: str, chip: Chip | None, start_utc: datetime | None, table: pl.DataFrame) -> str:
    """The same of a table written anew as CSV, as older stores have it: for joining with them, not as a name.

    It depends on how a library prints numbers.

    Parameters
    ----------
    procedure, chip, start_utc
        As of `run_id`.
    table
        The columns of the procedure in its order.
    """
    return _digest(procedure, chip, start_utc, table.write_csv().encode())


def _digest(procedure: str, chip: Chip | None, start_utc: datetime | None, table: bytes) -> str:
    start = start_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if start_utc else ""
    group, number = (chip.group, str(chip.number)) if chip else ("", "")
    data = hashlib.sha1(table, usedforsecurity=False).hexdigest()
    text = "|".join((procedure, group, number, start, data))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:_LENGTH]
