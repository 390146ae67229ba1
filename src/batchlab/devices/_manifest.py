"""The manifest: one row for each raw file, with what was read from it and where its rows lie in the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._procedures import Schema

__all__ = ["FORMAT", "MANIFEST", "ORDER", "REJECTS", "RUNS", "Manifest", "Status", "columns_of", "read_manifest"]

FORMAT = 2  # changes when what the store holds would come out otherwise from the same raw files
MANIFEST, REJECTS, RUNS = "manifest.parquet", "rejects.json", "runs"
# Of runs in the file of a procedure: those of a chip are wanted together.
ORDER = ("proc", "chip_group", "chip_number", "run_id")
KEY = "batchlab.store"  # of the parquet file's own notes

_CHIP_AND_START = ("chip_group_name", "chip_number", "start_time")


class Status(StrEnum):
    """What became of a raw file."""

    OK = "ok"
    DUPLICATE = "duplicate"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """A manifest as it lies on disk.

    Attributes
    ----------
    table
        One row for each raw file, sorted by ``source_file``.
    made
        What reading depended on beside the raw files: a digest of procedures, time zone, strictness and versions.
    timezone
        Of the laboratory: that of ``date_local``.
    files
        Bytes of each file of rows, by its name below the store.
    """

    table: pl.DataFrame
    made: str
    timezone: str
    files: Mapping[str, int]

    def notes(self) -> dict[str, str]:
        """What the parquet file says of itself."""
        about = {"format": FORMAT, "made": self.made, "timezone": self.timezone, "files": dict(self.files)}
        return {KEY: json.dumps(about, sort_keys=True)}


def columns_of(schema: Schema | None = None) -> dict[str, Any]:
    """Columns of the manifest with their types.

    Parameters
    ----------
    schema
        Whose settings have columns of their own; none if not given.

    Notes
    -----
    ``run_id`` names the raw data, ``peer_run_id`` is what older stores call it. ``proc``, ``chip_group``,
    ``chip_number``, ``chip_name``, ``has_light``, ``rows``, ``duration_s`` and ``quality_flags`` (with commas between)
    are as of a run. ``start_time_utc`` is known from ``date_origin`` (meta, path or mtime); ``date_local`` is its
    day in the laboratory. ``status`` is ok, duplicate or reject; the latter two have ``reason``, ``category`` and
    ``message``. ``warnings`` is what was amiss and read nonetheless. ``source_file`` is relative to the folder of raw
    files, ``file_idx`` the number that ends its name; ``size``, ``mtime_ns`` and ``digest`` are those of the file;
    ``ingested_at_utc`` is when the run came into the store, if that was noted.
    ``data_file`` holds the rows, from ``offset`` on; ``data_columns`` names the recorded ones (JSON). ``settings`` is
    all that was set (JSON); settings that the procedures describe have a typed column each.
    """
    import polars as pl

    columns: dict[str, Any] = {
        "run_id": pl.String,
        "peer_run_id": pl.String,
        "status": pl.String,
        "reason": pl.String,
        "category": pl.String,
        "message": pl.String,
        "proc": pl.String,
        "chip_group": pl.String,
        "chip_number": pl.Int64,
        "chip_name": pl.String,
        "start_time_utc": pl.Datetime("us", "UTC"),
        "date_local": pl.Date,
        "date_origin": pl.String,
        "has_light": pl.Boolean,
        "rows": pl.Int64,
        "duration_s": pl.Float64,
        "quality_flags": pl.String,
        "warnings": pl.String,
        "source_file": pl.String,
        "file_idx": pl.Int64,
        "size": pl.Int64,
        "mtime_ns": pl.Int64,
        "digest": pl.String,
        "ingested_at_utc": pl.Datetime("us", "UTC"),
        "data_file": pl.String,
        "offset": pl.Int64,
        "data_columns": pl.String,
        "settings": pl.String,
    }
    if schema is not None:
        columns |= {name: kind for name, kind in _settings_of(schema).items() if name not in columns}
    return columns


def _settings_of(schema: Schema) -> dict[str, Any]:
    """Type of each setting that a procedure describes; text where two procedures disagree."""
    import polars as pl

    types = {"int": pl.Int64, "float": pl.Float64, "float_no_unit": pl.Float64, "bool": pl.Boolean}
    kinds: dict[str, set[Any]] = {}
    for procedure in schema.procedures.values():
        for described in (procedure.parameters, procedure.metadata):
            for name, kind in described.items():
                kinds.setdefault(schema.setting(name), set()).add(types.get(kind.value, pl.String))
    return {
        name: found.pop() if len(found) == 1 else pl.Float64 if found == {pl.Int64, pl.Float64} else pl.String
        for name, found in sorted(kinds.items())
        if name not in _CHIP_AND_START
    }


def read_manifest(store: Path) -> Manifest:
    """The manifest of a store.

    Raises
    ------
    DataError
        Reason ``no-store`` if there is none, ``broken-store`` if it cannot be read, ``other-format`` if another version
        wrote it.
    """
    import polars as pl

    path = store / MANIFEST
    try:
        # One open file: what it says of itself is of the table that is read.
        with path.open("rb") as file:
            notes = pl.read_parquet_metadata(file)
            file.seek(0)
            table = pl.read_parquet(file)
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no staged runs are there; stage raw files first (batchlab devices stage-all)",
            category=Category.MISSING_INPUT,
            reason="no-store",
        ) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path}: cannot be read ({error}); stage again", reason="broken-store") from error
    try:
        about = json.loads(notes[KEY])
        found = about["format"]
        manifest = Manifest(table, about["made"], about["timezone"], about["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: is not the manifest of a store; stage again", reason="broken-store") from error
    if found != FORMAT:
        raise DataError(f"{path}: has form {found}, this version reads {FORMAT}; stage again", reason="other-format")
    return manifest


def names_of(text: str | None) -> tuple[str, ...]:
    """The names in a cell such as ``data_columns``."""
    return tuple(json.loads(text)) if text else ()


def joined(parts: Iterable[object], by: str) -> str | None:
    """Parts as one cell; None if there are none."""
    return by.join(map(str, parts)) or None
