"""Rows of the manifest from what was read, and what they mean together: copies, and where each run's data lie."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._manifest import ORDER, Status, columns_of, joined
from batchlab.devices._model import Value
from batchlab.devices._read import DateOrigin, Record, Reject
from batchlab.devices._read._record import start_of, zone

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._procedures import Schema

__all__ = ["below", "join_rows", "rows_of"]


def below(record: Record, name: str, timezone: str) -> Record:
    """The record, its day taken from the part of its path below the folder of raw files.

    So that a laboratory's store does not depend on the folder that it lies in.
    """
    if record.date_origin is DateOrigin.META:
        return record
    local = zone(timezone)
    start, origin = start_of(None, Path(name), record.mtime_ns, local)
    return replace(record, start_utc=start, date_origin=origin, date_local=start.astimezone(local).date())


def rows_of(
    ends: Iterable[tuple[str, Record | Reject]],
    peer_ids: Mapping[str, str],
    schema: Schema,
    now: datetime | None,
) -> pl.DataFrame:
    """A row for each file that was read.

    Parameters
    ----------
    ends
        Name and outcome of each.
    peer_ids
        Of runs, by run_id.
    schema
        Whose settings have columns.
    now
        When it is staged.
    """
    import polars as pl

    columns = columns_of(schema)
    typed = {name: columns[name] for name in columns if name not in columns_of()}
    rows = [_row(name, end, peer_ids, typed) if isinstance(end, Record) else _reject(name, end) for name, end in ends]
    for row in rows:
        row["ingested_at_utc"] = now
    return pl.DataFrame([[row.get(name) for row in rows] for name in columns], schema=columns, strict=True)


def _row(name: str, record: Record, peer_ids: Mapping[str, str], typed: Mapping[str, Any]) -> dict[str, Any]:
    chip = record.chip
    row: dict[str, Any] = {
        "run_id": record.run_id,
        "peer_run_id": peer_ids.get(record.run_id),
        "status": Status.OK.value,
        "proc": record.procedure,
        "chip_group": chip.group if chip else None,
        "chip_number": chip.number if chip else None,
        "chip_name": chip.name if chip else None,
        "start_time_utc": record.start_utc,
        "date_local": record.date_local,
        "date_origin": record.date_origin.value,
        "has_light": record.has_light,
        "rows": record.rows,
        "duration_s": record.duration_s,
        "quality_flags": joined(record.flags, ","),
        "warnings": joined(record.notes, "; "),
        "source_file": name,
        "file_idx": record.file_index,
        "size": record.size,
        "mtime_ns": record.mtime_ns,
        "digest": record.digest,
        "data_columns": json.dumps(record.columns),
        "settings": json.dumps({key: _finite(value) for key, value in sorted(record.settings.items())}),
    }
    for key in record.settings.keys() & typed.keys():
        row[key] = _cell(record.settings[key], typed[key])
    return row


def _reject(name: str, reject: Reject) -> dict[str, Any]:
    return {
        "status": Status.REJECT.value,
        "reason": reject.reason,
        "category": reject.category.value,
        "message": reject.message.replace(str(reject.path), name),
        "source_file": name,
        "size": reject.size,
        "mtime_ns": reject.mtime_ns,
    }


def _cell(value: Value, kind: Any) -> Value:
    """A setting in its column; None where it is not of the column's type."""
    import polars as pl

    if kind == pl.String:
        return None if value is None else str(value)
    if kind == pl.Boolean:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if kind == pl.Int64:
        return int(value) if float(value).is_integer() else None
    return float(value)


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def join_rows(kept: pl.DataFrame | None, unchanged: Mapping[str, int], fresh: pl.DataFrame) -> pl.DataFrame:
    """All rows together, sorted by file; of files that hold one run the first is it, the others are told.

    Parameters
    ----------
    kept
        The manifest of last time.
    unchanged
        Time of change of each file whose row still holds.
    fresh
        Rows of files that were read.
    """
    import polars as pl

    parts = [fresh]
    if kept is not None and unchanged:
        times = pl.DataFrame(
            {"source_file": list(unchanged), "now_ns": list(unchanged.values())},
            schema={"source_file": pl.String, "now_ns": pl.Int64},
        )
        again = pl.col("status") == Status.DUPLICATE
        parts.append(
            kept.join(times, on="source_file", how="inner")
            .with_columns(
                mtime_ns="now_ns",
                status=pl.when(again).then(pl.lit(Status.OK.value)).otherwise("status"),
                reason=pl.when(again).then(None).otherwise("reason"),
                category=pl.when(again).then(None).otherwise("category"),
                message=pl.when(again).then(None).otherwise("message"),
            )
            .select(fresh.columns)
        )
    table = pl.concat(parts).sort("source_file")
    return _place(_tell_copies(table))


def _tell_copies(table: pl.DataFrame) -> pl.DataFrame:
    """Mark all but the first file of a run."""
    import polars as pl

    run = pl.col("status") == Status.OK
    first = pl.col("source_file").first().over("run_id")
    copy = run & (pl.col("source_file") != first)
    said = pl.format("{}: holds the same run as {}; remove one of the two", "source_file", first)
    return table.with_columns(
        status=pl.when(copy).then(pl.lit(Status.DUPLICATE.value)).otherwise("status"),
        reason=pl.when(copy).then(pl.lit("duplicate")).otherwise("reason"),
        message=pl.when(copy).then(said).otherwise("message"),
    )


def _place(table: pl.DataFrame) -> pl.DataFrame:
    """Where each run's rows begin in the file of its procedure, which holds the runs of a chip beside each other."""
    import polars as pl

    places = (
        table.filter(pl.col("status") == Status.OK)
        .sort(ORDER)
        .select("source_file", at=(pl.col("rows").cum_sum() - pl.col("rows")).over("proc"))
    )
    columns = table.columns
    return (
        table.join(places, on="source_file", how="left", maintain_order="left")
        .with_columns(offset="at", data_file=pl.lit(None, pl.String))
        .select(columns)
    )


def run_columns(table: pl.DataFrame, described: Sequence[str]) -> list[str]:
    """Columns of a procedure's file: those described first, in their order, then the others by name."""
    found: set[str] = set()
    for text in table["data_columns"].unique().drop_nulls():
        found.update(json.loads(text))
    return [*(name for name in described if name in found), *sorted(found.difference(described))]


def keep_times(table: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """A run that was in the store keeps the time when it came in, however its file has moved since."""
    import polars as pl

    times = (
        before.filter(pl.col("status") == Status.OK, pl.col("ingested_at_utc").is_not_null())
        .select("run_id", came="ingested_at_utc")
        .unique("run_id", keep="first", maintain_order=True)
    )
    return (
        table.join(times, on="run_id", how="left", maintain_order="left")
        .with_columns(ingested_at_utc=pl.coalesce("came", "ingested_at_utc"))
        .select(table.columns)
    )
