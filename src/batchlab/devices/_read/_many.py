"""Hundreds of files at once: heads by bytes, and all rows of a procedure parsed in one go.

The quick way trusts nothing: whatever it cannot read as a number sends the file the careful way, so that both
give the same values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices._procedures import Schema, load_schema
from batchlab.devices._raw_files import ZONE
from batchlab.devices._read._columns import Taken
from batchlab.devices._read._opened import Opened, finish, open_file, values_of
from batchlab.devices._read._record import Record, refuse_slips, zone
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Many", "Reject", "read_many"]

# Bytes of rows parsed at once; bounds the memory of a large lab.
CHUNK = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A file that is no run, and why."""

    path: Path
    reason: str
    message: str
    category: Category
    size: int | None = None
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """What many files hold.

    Attributes
    ----------
    records
        One for each file that could be read, in the order of the paths.
    rejects
        The others.
    frames
        All rows by procedure: ``run_id`` (categorical), ``row`` (from 0 within the run), then the recorded
        columns. Sorted by run_id; of files with the same run_id one is in it. A column that a run did not record
        is null there; NaN is a bad cell, or what the instrument wrote.
    """

    records: tuple[Record, ...]
    rejects: tuple[Reject, ...]
    frames: dict[str, pl.DataFrame]


def read_many(
    paths: Iterable[str | os.PathLike[str]],
    schema: Schema | None = None,
    *,
    timezone: str = ZONE,
    strict: bool = False,
    each: Callable[[Record | Reject], None] | None = None,
) -> Many:
    """Read many raw files; a bad one costs itself alone.

    Parameters
    ----------
    paths
        The files.
    schema, timezone, strict
        As of `read_run`, which gives the same values.
    each
        Told of each file, in the order of the paths.
    """
    schema, local = schema or load_schema(), zone(timezone)
    files = [Path(path) for path in paths]
    opened: list[Opened | Reject] = []
    matched: dict[tuple[str, tuple[str, ...]], tuple[Taken, ...]] = {}
    for path in files:
        try:
            opened.append(open_file(path, schema, local, matched))
        except DataError as error:
            opened.append(_rejected(path, error))
    ends: dict[int, Record | Reject] = {k: one for k, one in enumerate(opened) if isinstance(one, Reject)}
    frames: dict[str, pl.DataFrame] = {}
    # By run_id, so that the frames come out sorted; then by place, so that the order of the paths decides of copies.
    runs = sorted(
        ((one.record.procedure, one.record.run_id, k, one) for k, one in enumerate(opened) if isinstance(one, Opened)),
        key=lambda run: run[:3],
    )
    for procedure, group in groupby(runs, key=lambda run: run[0]):
        places = [(k, one) for _, _, k, one in group]
        table = _Table(strict)
        for chunk in _chunks(places):
            table.add(chunk)
        ends.update(table.ends)
        if table.runs:
            frames[procedure] = table.frame()
    ordered = [ends[k] for k in range(len(files))]
    if each is not None:
        for one in ordered:
            each(one)
    return Many(
        records=tuple(one for one in ordered if isinstance(one, Record)),
        rejects=tuple(one for one in ordered if isinstance(one, Reject)),
        frames=dict(sorted(frames.items())),
    )


class _Table:
    """Gathers the rows of one procedure."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.ends: dict[int, Record | Reject] = {}
        self.parts: list[pl.DataFrame] = []
        self.height = 0  # of all parts
        self.runs: dict[str, tuple[int, int]] = {}  # first row in all parts, and number of rows

    def add(self, chunk: Sequence[tuple[int, Opened]]) -> None:
        """Parse a chunk: its regular files together, by equal columns, the others one by one."""
        regular: dict[object, list[tuple[int, Opened, int]]] = {}
        careful: list[tuple[int, Opened]] = []
        for place, one in chunk:
            if lines := one.regular_lines:
                regular.setdefault((one.header.columns, one.taken), []).append((place, one, lines))
            else:
                careful.append((place, one))
        for group in regular.values():
            careful.extend(self._together(group))
        for place, one in careful:
            self._alone(place, one)
        for _, one in chunk:
            one.block = b""

    def frame(self) -> pl.DataFrame:
        """All runs, sorted by run_id."""
        import numpy as np
        import polars as pl

        ids = sorted(self.runs)
        begins = np.array([self.runs[name][0] for name in ids])
        rows = np.array([self.runs[name][1] for name in ids])
        within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
        wanted = np.repeat(begins, rows) + within
        table = pl.concat(self.parts, how="diagonal") if len(self.parts) > 1 else self.parts[0]
        if len(wanted) != table.height or (wanted != np.arange(table.height)).any():
            table = table[wanted]
        names = pl.Series("run_id", ids, dtype=pl.Categorical)
        return pl.DataFrame(
            [names.gather(np.repeat(np.arange(len(ids)), rows)), pl.Series("row", within.astype(np.uint32))]
        ).hstack(table)

    def _together(self, group: Sequence[tuple[int, Opened, int]]) -> list[tuple[int, Opened]]:
        """Parse files of equal columns at once, given with their lines; returns those that want care."""
        import numpy as np
        import polars as pl

        first = group[0][1]
        names = [str(k) for k in range(len(first.header.columns))]
        try:
            read = pl.read_csv(
                b"".join(one.block for _, one, _ in group),
                has_header=False,
                schema=dict.fromkeys(names, pl.Float64),
                quote_char=None,
                ignore_errors=True,
            )
        except pl.exceptions.PolarsError:
            return [(place, one) for place, one, _ in group]
        if read.height != sum(lines for _, _, lines in group):
            return [(place, one) for place, one, _ in group]
        bad = np.zeros(read.height, dtype=bool)
        for name in names:
            if read[name].null_count():
                bad |= read[name].is_null().to_numpy()
        table = pl.DataFrame(
            {
                taken.name: read[str(taken.place)] if taken.factor == 1.0 else read[str(taken.place)] * taken.factor
                for taken in first.taken
            }
        )
        arrays = {name: table[name].to_numpy() for name in table.columns}
        care: list[tuple[int, Opened]] = []
        begin = 0
        for place, one, count in group:
            end = begin + count
            if bad[begin:end].any():
                care.append((place, one))
            elif self._keep(place, finish(one, {name: array[begin:end] for name, array in arrays.items()})):
                self.runs.setdefault(one.record.run_id, (self.height + begin, count))
            begin = end
        self.parts.append(table)
        self.height += table.height
        return care

    def _alone(self, place: int, one: Opened) -> None:
        """Read one file with care."""
        import polars as pl

        try:
            columns, notes = values_of(one)
        except DataError as error:
            self.ends[place] = _rejected(one.record.path, error)
            return
        record = finish(one, columns, notes)
        if self._keep(place, record) and record.run_id not in self.runs:
            self.runs[record.run_id] = (self.height, record.rows)
            self.parts.append(pl.DataFrame(columns))
            self.height += record.rows

    def _keep(self, place: int, record: Record) -> bool:
        """Note how a file ended; False if it is refused."""
        try:
            if self.strict:
                refuse_slips(record.notes, str(record.path))
        except DataError as error:
            self.ends[place] = _rejected(record.path, error)
            return False
        self.ends[place] = record
        return True


def _chunks(runs: Sequence[tuple[int, Opened]]) -> Iterator[list[tuple[int, Opened]]]:
    chunk: list[tuple[int, Opened]] = []
    size = 0
    for place, one in runs:
        if chunk and size + len(one.block) > CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append((place, one))
        size += len(one.block)
    if chunk:
        yield chunk


def _rejected(path: Path, error: DataError) -> Reject:
    size = mtime_ns = None
    try:
        stat = path.stat()
        size, mtime_ns = stat.st_size, stat.st_mtime_ns
    except OSError:
        pass  # It is gone or closed to us: that is what the error says.
    return Reject(
        path=path,
        reason=error.reason or error.category.value,
        message=str(error),
        category=error.category,
        size=size,
        mtime_ns=mtime_ns,
    )
