"""A part of the table of metrics: the rows of one job, with what the job settles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._model import DerivedMetric

__all__ = ["Part", "Settles", "read_part", "write_part"]

KEY = "batchlab.metrics.settles"
# Of rows whose time is noted when they come into the table: a part is the same whenever it is made.
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)

Group = tuple[str | None, int | None, str]  # chip group, chip number, procedure


@dataclass(frozen=True, slots=True, kw_only=True)
class Settles:
    """What the outcome of a job settles: metrics of these names of all runs of these chips and procedures.

    `names` of None stands for all that single runs and series give.
    """

    groups: tuple[Group, ...]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows, without their times, and what they settle."""

    table: pl.DataFrame
    settles: Settles


def write_part(path: Path, metrics: Iterable[DerivedMetric], settles: Settles) -> int:
    """Write a part; returns the number of its rows."""
    from batchlab.devices.metrics import metrics_frame

    table = metrics_frame(metrics, timestamp=_NO_TIME)
    note = json.dumps({"groups": settles.groups, "names": settles.names})
    table.write_parquet(path, compression="zstd", compression_level=1, metadata={KEY: note})
    return table.height


def read_part(path: Path) -> Part:
    """A part that was written.

    Raises
    ------
    DataError
        If the file is none.
    """
    import polars as pl

    try:
        said = json.loads(pl.read_parquet_metadata(path)[KEY])
        table = pl.read_parquet(path, glob=False)
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: is no part of a table of metrics ({error}); derive metrics again with --force",
            reason="broken-part",
        ) from error
    names: Sequence[str] | None = said["names"]
    groups = tuple((group[0], group[1], group[2]) for group in said["groups"])
    return Part(table, Settles(groups=groups, names=None if names is None else tuple(names)))
