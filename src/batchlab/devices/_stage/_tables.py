"""All rows of a procedure in one file, a run after the other, so that each can be read alone."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices._durable import write_whole
from batchlab.devices._manifest import RUNS
from batchlab.devices._read import Record
from batchlab.devices._run_id import run_id
from batchlab.devices._stage._previous import digest_of

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._procedures import Schema

__all__ = ["gather_runs", "peer_ids_of", "write_table"]

# Rows of a group: a run is read alone within a millisecond, a procedure without noticing the seams.
GROUP = 16_384

# Columns that older stores do not have.
_LATER = frozenset(("Ig (A)",))


def gather_runs(
    wanted: Mapping[str, int],
    columns: Sequence[str],
    sources: Sequence[tuple[pl.DataFrame, Mapping[str, int]]],
) -> pl.DataFrame:
    """Rows of runs in the order that is wanted, from wherever they are.

    Parameters
    ----------
    wanted
        Number of rows of each run, in that order.
    columns
        Of the result, beside ``run_id`` and ``row``; one that a source lacks is null there.
    sources
        Tables, each with the place of the first row of the runs that it has. Earlier ones are asked first.
    """
    import numpy as np
    import polars as pl

    places: dict[str, int] = {}
    height = 0
    for table, begins in sources:
        for name, begin in begins.items():
            places.setdefault(name, height + begin)
        height += table.height
    parts = [table.select(name for name in columns if name in table.columns) for table, _ in sources]
    data = (pl.concat(parts, how="diagonal") if len(parts) > 1 else parts[0]).select(columns)
    rows = np.fromiter(wanted.values(), dtype=np.int64, count=len(wanted))
    within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
    at = np.repeat(np.array([places[name] for name in wanted], dtype=np.int64), rows) + within
    if len(at) != data.height or (at != np.arange(data.height)).any():
        data = data[at]
    ids = pl.Series("run_id", list(wanted), dtype=pl.String).gather(np.repeat(np.arange(len(rows)), rows))
    return pl.DataFrame([ids, pl.Series("row", within.astype(np.uint32))]).hstack(data).rechunk()


def write_table(procedure: str, table: pl.DataFrame, store: Path) -> tuple[str, int]:
    """Write the rows of a procedure; returns the file's name below the store, and its bytes.

    The name holds a digest of the content, so that a new state of the store never takes a file from under an old one.
    """
    folder = store / RUNS
    stem = re.sub(r"[^\w.-]", "_", procedure)
    beside = folder / f".{stem}.parquet"
    try:
        write_whole(
            beside,
            lambda path: table.write_parquet(path, compression="zstd", compression_level=1, row_group_size=GROUP),
        )
        digest = digest_of(beside) or ""
        path = folder / f"{stem}-{digest[:12]}.parquet"
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return f"{RUNS}/{path.name}", path.stat().st_size


def peer_ids_of(procedure: str, table: pl.DataFrame, records: Sequence[Record], schema: Schema) -> dict[str, str]:
    """What older stores call the runs: a digest of their tables printed as CSV.

    Parameters
    ----------
    procedure
        Its name.
    table
        All rows, sorted by run_id.
    records
        Of the runs in it, sorted likewise.
    schema
        Whose columns of the procedure were printed, in their order.
    """
    import numpy as np
    import polars as pl

    names = [column.name for column in schema.procedures[procedure].columns if column.name not in _LATER]
    printed = io.BytesIO()
    table.select(
        pl.col(name) if name in table.columns else pl.lit(None, pl.Float64).alias(name) for name in names
    ).write_csv(printed)
    text = printed.getvalue()
    header = text[: text.index(b"\n") + 1]
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n")) + 1
    found: dict[str, str] = {}
    row = 0
    for record in records:
        block = text[ends[row] : ends[row + record.rows]]
        start: datetime = record.start_utc
        found[record.run_id] = run_id(procedure, record.chip, start, header + block)
        row += record.rows
    return found
