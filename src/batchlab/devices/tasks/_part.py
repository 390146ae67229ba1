"""A part of the table of metrics: the rows of one job, with what the job settles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices.tasks._pieces import PIECE_ROWS, Pieces
from batchlab.errors import DataError

if TYPE_CHECKING:
    from batchlab.devices._model import DerivedMetric

__all__ = ["Part", "PartWriter", "Settles", "read_part", "write_part"]

KEY = "batchlab.metrics.settles"
# Of rows whose time is noted when they come into the table: a part is the same whenever it is made.
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_HELD = 250  # rows of pairs whose curves wait in memory

Group = tuple[str | None, int | None, str]  # chip group, chip number, procedure


@dataclass(frozen=True, slots=True, kw_only=True)
class Settles:
    """What the outcome of a job settles: metrics of these names of all runs of these chips and procedures.

    `names` of None stands for all that single runs and series give.
    """

    groups: tuple[Group, ...]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where rows lie, without their times, and what they settle."""

    path: Path
    settles: Settles


def write_part(path: Path, metrics: Iterable[DerivedMetric], settles: Settles) -> int:
    """Write a part; returns the number of its rows."""
    from batchlab.devices.metrics import metrics_frame

    table = metrics_frame(metrics, timestamp=_NO_TIME)
    # Rows come ordered by chip: a merge that looks for some chips alone passes the other groups over.
    table.write_parquet(
        path, compression="zstd", compression_level=1, row_group_size=PIECE_ROWS, metadata=_notes(settles)
    )
    return table.height


class PartWriter:
    """Writes a part whose rows come little by little, in the order of chips.

    Parameters
    ----------
    path
        Of the part.
    scratch
        A folder for what need not last.
    """

    def __init__(self, path: Path, scratch: Path) -> None:
        self._path = path
        self._pieces = Pieces(scratch)
        self._held: list[DerivedMetric] = []

    def take(self, metrics: Iterable[DerivedMetric]) -> None:
        """Take the next rows."""
        self._held += metrics
        if len(self._held) >= _HELD:
            self._put()

    def save(self, settles: Settles) -> int:
        """Write the part; returns the number of its rows."""
        self._put()
        self._pieces.save(self._path, _notes(settles))
        return self._pieces.rows

    def _put(self) -> None:
        from batchlab.devices.metrics import metrics_frame

        self._pieces.add(metrics_frame(self._held, timestamp=_NO_TIME))
        self._held = []


def _notes(settles: Settles) -> dict[str, str]:
    return {KEY: json.dumps({"groups": settles.groups, "names": settles.names})}


def read_part(path: Path) -> Part:
    """A part that was written; its rows are left on disk.

    Raises
    ------
    DataError
        If the file is none.
    """
    import polars as pl

    try:
        said = json.loads(pl.read_parquet_metadata(path)[KEY])
        names: Sequence[str] | None = said["names"]
        groups = tuple((group[0], group[1], group[2]) for group in said["groups"])
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: is no part of a table of metrics ({error}); derive metrics again with --force",
            reason="broken-part",
        ) from error
    return Part(path=path, settles=Settles(groups=groups, names=None if names is None else tuple(names)))
