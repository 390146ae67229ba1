"""Reading the raw files that are new or changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class Fresh:
    """What the fresh files hold: outcome of each by name, all rows by procedure, names of runs in older stores."""

    ends: tuple[tuple[str, Record | Reject], ...]
    frames: Mapping[str, pl.DataFrame]
    peer_ids: Mapping[str, str]


def read_fresh(files: Sequence[Raw], schema: Schema, timezone: str, strict: bool) -> Fresh:
    """Read files; whatever is wrong with one costs that one."""
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
    runs: dict[str, dict[str, Record]] = {name: {} for name in frames}
    for _, end in ends:
        if isinstance(end, Record):
            runs[end.procedure].setdefault(end.run_id, end)
    peers: dict[str, str] = {}
    for name, frame in frames.items():
        peers |= peer_ids_of(name, frame, [runs[name][run] for run in sorted(runs[name])], schema)
    return Fresh(tuple(ends), frames, peers)


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
