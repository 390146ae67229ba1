"""Reading the raw files that are new or changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices._procedures import Schema
from batchlab.devices._read import Record, Reject, read_many
from batchlab.devices._stage._previous import Raw
from batchlab.devices._stage._rows import below
from batchlab.devices._stage._tables import peer_ids_of
from batchlab.errors import BatchlabError, Category

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Fresh", "read_fresh"]

log = logging.getLogger(__name__)


# Bytes of raw files read at once: what they hold is smaller than what reading them takes.
BATCH = 48_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Fresh:
    """What the fresh files hold: outcome of each by name, all rows by procedure, names of runs in older stores.

    Each procedure's rows are in one table or several, each sorted by run_id.
    """

    ends: list[tuple[str, Record | Reject]] = field(default_factory=list)
    frames: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    peer_ids: dict[str, str] = field(default_factory=dict)


def read_fresh(files: Sequence[Raw], schema: Schema, timezone: str, strict: bool) -> Fresh:
    """Read files; whatever is wrong with one costs that one."""
    fresh = Fresh()
    for batch in _batches(files):
        ends, frames = _read(batch, schema, timezone, strict)
        fresh.ends.extend(ends)
        runs: dict[str, dict[str, Record]] = {name: {} for name in frames}
        for _, end in ends:
            if isinstance(end, Record):
                runs[end.procedure].setdefault(end.run_id, end)
        for name, frame in frames.items():
            of = [runs[name][run] for run in sorted(runs[name])]
            fresh.peer_ids.update(peer_ids_of(name, frame, of, schema))
            fresh.frames.setdefault(name, []).append(frame)
    return fresh


def _batches(files: Sequence[Raw]) -> Iterator[list[Raw]]:
    batch: list[Raw] = []
    size = 0
    for file in files:
        if batch and size + file.size > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += max(file.size, 0)
    if batch:
        yield batch


def _read(
    files: Sequence[Raw], schema: Schema, timezone: str, strict: bool
) -> tuple[list[tuple[str, Record | Reject]], Mapping[str, pl.DataFrame]]:
    names = {file.path: file.name for file in files}
    ends: list[tuple[str, Record | Reject]] = []

    def note(end: Record | Reject) -> None:
        name = names[end.path]
        ends.append((name, below(end, name, timezone) if isinstance(end, Record) else end))

    try:
        frames = read_many(names, schema, timezone=timezone, strict=strict, each=note).frames
    except (BatchlabError, MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - some file is worse than the reader knows; find out which
        log.warning("reading all files at once failed (%s); they are read one by one", error)
        ends.clear()
        frames = _one_by_one(files, schema, timezone, strict, note)
    return ends, frames


def _one_by_one(
    files: Sequence[Raw], schema: Schema, timezone: str, strict: bool, note: Callable[[Record | Reject], None]
) -> dict[str, pl.DataFrame]:
    good: list[Path] = []
    bad: dict[Path, Reject] = {}
    for file in files:
        try:
            read_many([file.path], schema, timezone=timezone, strict=strict)
        except (BatchlabError, MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:
            log.warning("%s", file.path, exc_info=error)
            bad[file.path] = Reject(
                path=file.path,
                reason="unexpected",
                message=f"{file.path}: reading it failed unexpectedly ({type(error).__name__}: {error}); "
                "move it away and report this",
                category=Category.GENERIC,
                size=file.size,
                mtime_ns=file.mtime_ns,
            )
        else:
            good.append(file.path)
    many = read_many(good, schema, timezone=timezone, strict=strict)
    ends: dict[Path, Record | Reject] = dict(bad)
    ends.update((end.path, end) for end in many.records)
    ends.update((end.path, end) for end in many.rejects)
    for file in files:
        note(ends[file.path])
    return many.frames
