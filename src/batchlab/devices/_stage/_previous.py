"""The store of last time as a memory of what need not be read again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices._manifest import FORMAT, ORDER, Manifest, read_manifest
from batchlab.devices._procedures import BUILT_IN, Schema
from batchlab.errors import DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Previous", "Raw", "digest_of", "made_with", "recall", "sort_out"]

log = logging.getLogger(__name__)

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw file as it lies there: its name below the folder of raw files, bytes and time of change."""

    name: str
    path: Path
    size: int = -1  # of one that cannot be looked at
    mtime_ns: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """The store of last time, where it lies, and whether its rows may be taken over."""

    root: Path
    manifest: Manifest
    usable: bool

    @property
    def table(self) -> pl.DataFrame:
        """Of its manifest."""
        return self.manifest.table


def made_with(schema: Schema | None, timezone: str, strict: bool) -> str:
    """A digest of all that a store depends on beside the raw files."""
    import polars as pl

    # Procedures that nobody changed need not be parsed to be known.
    described = repr(schema).encode() if schema is not None else BUILT_IN.read_bytes()
    parts = (str(FORMAT), *ORDER, pl.__version__, timezone, str(strict), hashlib.blake2b(described).hexdigest())
    return hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()


def recall(root: Path, made: str, *, force: bool = False) -> Previous | None:
    """The store there, if it can be read.

    Its rows may be taken over if it is whole and was made as one would be made now.
    """
    try:
        manifest = read_manifest(root)
    except DataError as error:
        if error.reason != "no-store":
            log.warning("all raw files are read anew: %s", error, extra={"event": "store_not_used"})
        return None
    usable = manifest.made == made and not force
    if manifest.made != made:
        log.info("all raw files are read anew: procedures, time zone or versions are others than last time")
    for name, size in manifest.files.items() if usable else ():
        try:
            whole = (root / name).stat().st_size == size
        except OSError:
            whole = False
        if not whole:
            log.warning("all raw files are read anew: %s is not whole", root / name, extra={"event": "store_not_used"})
            usable = False
    return Previous(root, manifest, usable)


def sort_out(files: Sequence[Raw], previous: Previous | None) -> tuple[dict[str, int], list[Raw]]:
    """Which files are as they were, with their times of change, and which have to be read.

    A file of the same size and time is not opened. One of the same size is compared by content; where the time is
    all that is known of when it was measured, it is read again.
    """
    if previous is None or not previous.usable:
        return {}, list(files)
    columns = previous.table.select("source_file", "size", "mtime_ns", "digest", "date_origin", "reason")
    known = {row[0]: row[1:] for row in columns.iter_rows()}
    unchanged: dict[str, int] = {}
    fresh: list[Raw] = []
    for file in files:
        size, mtime_ns, digest, origin, reason = known.get(file.name, (None,) * 5)
        # Rights may have come back without a change of the file.
        same = file.size >= 0 and size == file.size and reason not in ("unreadable", "unexpected")
        if same and mtime_ns != file.mtime_ns:
            same = digest is not None and origin != "mtime" and digest_of(file.path) == digest
        if same:
            unchanged[file.name] = file.mtime_ns
        else:
            fresh.append(file)
    return unchanged, fresh


def digest_of(path: Path) -> str | None:
    """Of a file's content; None if it cannot be read."""
    content = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                content.update(block)
    except OSError:
        return None
    return content.hexdigest()
