"""Staging: the store is a function of the raw files; the store of last time only saves reading them again."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from batchlab.devices._durable import held
from batchlab.devices._manifest import RUNS
from batchlab.devices._procedures import Schema, load_schema
from batchlab.devices._raw_files import ZONE, raw_names
from batchlab.devices._stage._fresh import read_fresh
from batchlab.devices._stage._previous import Previous, Raw, made_with, recall, sort_out
from batchlab.devices._stage._rows import join_rows, keep_times, rows_of
from batchlab.devices._stage._staged import Item, Staged, tell
from batchlab.devices._stage._write import copy_store, sweep, write_manifest, write_rejects, write_runs
from batchlab.errors import BatchlabError, Category, DataError

__all__ = ["stage"]

log = logging.getLogger(__name__)


@contextmanager
def _collect(name: str) -> Iterator[None]:
    """One file's share: what is wrong with it costs it alone."""
    try:
        yield
    except BatchlabError as error:
        log.warning("%s", error, extra={"event": "file_rejected", "file": name})


def stage(
    raw_root: str | os.PathLike[str],
    store_root: str | os.PathLike[str],
    *,
    previous: str | os.PathLike[str] | None = None,
    schema: Schema | None = None,
    timezone: str = ZONE,
    force: bool = False,
    strict: bool = False,
    suffixes: Sequence[str] = (".csv",),
    item: Item = _collect,
    now: datetime | None = None,
) -> Staged:
    """Bring a store up to date with the raw files.

    Parameters
    ----------
    raw_root
        Folder of raw files, never written.
    store_root
        Folder that the store is written to. A reader sees the old or the new state of it, whenever this is killed.
    previous
        A store from which rows of unchanged files are taken, if another than the one at `store_root`. It is only read.
    schema
        Procedures; the built-in ones if none are given.
    timezone
        Of the laboratory, for local dates.
    force
        Read every file, whatever is known of it: also one that was changed and kept its size and time of change.
    strict
        Refuse what does not follow the schema.
    suffixes
        Of raw files.
    item
        Called with each file's name: what it gives is entered around the file's share, and gets the error of a bad
        one, which it should keep.
    now
        What to note as the time of staging of runs that are new; not noted if not given. Nothing else depends on a
        clock, nor on the previous store.

    Raises
    ------
    DataError
        Reason ``no-raw-files`` if there are none: an empty folder is more likely a drive that is not there.
    StartError
        If another process stages into the same folder.
    """
    raw_root, target = Path(raw_root), Path(store_root)
    files = _raw_files(raw_root, suffixes)
    (target / RUNS).mkdir(parents=True, exist_ok=True)
    known = target if previous is None else Path(previous)
    in_place = known.resolve() == target.resolve()
    with held(target) if in_place else nullcontext():
        made = made_with(schema, timezone, strict)
        before = recall(known, made, force=force)
        unchanged, fresh = sort_out(files, before)
        if before is not None and before.usable and not fresh and _as_known(unchanged, before):
            if in_place:
                sweep(target, before.manifest)  # of what a killed run left
            else:
                copy_store(before, target)
            write_rejects(target, before.table)
            return tell(before.table, before.table, set(), item, changed=False)
        described = schema or load_schema()
        read = read_fresh(fresh, described, timezone, strict)
        old = before.table if before is not None else None
        table = join_rows(old, unchanged, rows_of(read.ends, read.peer_ids, described, now))
        if old is not None:
            table = keep_times(table, old)
        manifest = write_runs(table, before, read.frames, described, target, made, timezone)
        write_manifest(manifest, target)
        if in_place:
            sweep(target, manifest)
        write_rejects(target, manifest.table)
        changed = old is None or not manifest.table.equals(old)
        return tell(manifest.table, old, {file.name for file in fresh}, item, changed=changed)


def _raw_files(root: Path, suffixes: Sequence[str]) -> list[Raw]:
    names = raw_names(root, suffixes)
    if not names:
        raise DataError(
            f"{root}: no raw files ({', '.join(suffixes)}) are there; name the folder that holds them, "
            "or bring its drive back",
            category=Category.MISSING_INPUT,
            reason="no-raw-files",
        )
    files = []
    for below in names:
        path = root / below
        # A name of another encoding is written escaped.
        name = below if below.isascii() else os.fsencode(below).decode("utf-8", "backslashreplace")
        try:
            about = path.stat()
        except OSError:
            files.append(Raw(name, path))
        else:
            files.append(Raw(name, path, about.st_size, about.st_mtime_ns))
    return sorted(files, key=lambda file: file.name)


def _as_known(unchanged: Mapping[str, int], before: Previous) -> bool:
    """Whether the manifest of last time says just this."""
    table = before.table
    return dict(zip(table["source_file"], table["mtime_ns"], strict=True)) == unchanged
