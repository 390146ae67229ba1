"""What staging came to, file by file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from batchlab.devices._manifest import Status
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Change", "Item", "Staged", "StagedFile", "tell"]

Item = Callable[[str], AbstractContextManager[object]]


class Change(StrEnum):
    """How a raw file is to the store of last time."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile:
    """What became of one raw file; `name` is relative to the folder of raw files."""

    name: str
    change: Change
    status: Status
    run_id: str | None = None
    category: Category | None = None
    reason: str | None = None
    message: str | None = None
    warnings: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What staging came to.

    Attributes
    ----------
    files
        One for each raw file, sorted by name; removed ones at the end.
    added, removed
        Ids of runs that came into the store and that left it.
    changed
        Whether the store is another than last time.
    """

    files: tuple[StagedFile, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: bool = True
    counts: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        here = [file for file in self.files if file.change is not Change.REMOVED]
        counts = {change.value: sum(file.change is change for file in self.files) for change in Change}
        counts |= {status.value: sum(file.status is status for file in here) for status in Status}
        object.__setattr__(self, "counts", {"files": len(here), **counts})

    @property
    def rejects(self) -> tuple[StagedFile, ...]:
        """Files that are no runs."""
        return tuple(file for file in self.files if file.status is Status.REJECT and file.change is not Change.REMOVED)

    @property
    def duplicates(self) -> tuple[StagedFile, ...]:
        """Files whose run an earlier file holds."""
        return tuple(
            file for file in self.files if file.status is Status.DUPLICATE and file.change is not Change.REMOVED
        )


def tell(table: pl.DataFrame, before: pl.DataFrame | None, read: set[str], item: Item, *, changed: bool) -> Staged:
    """Report each file, and compare with last time."""
    names = ("source_file", "status", "run_id", "category", "reason", "message", "warnings", "digest")
    known = {row[0]: row for row in before.select(names).iter_rows()} if before is not None else {}
    files: list[StagedFile] = []
    for row in table.select(names).iter_rows():
        last = known.pop(row[0], None)
        change = Change.NEW if last is None else Change.UNCHANGED
        if last is not None and row[0] in read and row != last:
            change = Change.CHANGED
        file = _file(row, change)
        with item(file.name):
            if file.status is Status.REJECT:
                raise DataError(
                    file.message or file.name, category=file.category or Category.INVALID_INPUT, reason=file.reason
                )
        files.append(file)
    files.extend(_file(row, Change.REMOVED) for row in known.values())
    ids = _ids(table)
    old = _ids(before)
    return Staged(files=tuple(files), added=tuple(sorted(ids - old)), removed=tuple(sorted(old - ids)), changed=changed)


def _file(row: tuple[str | None, ...], change: Change) -> StagedFile:
    name, status, run, category, reason, message, warnings, _ = row
    return StagedFile(
        name=name or "",
        change=change,
        status=Status(status or Status.OK),
        run_id=run,
        category=Category(category) if category else None,
        reason=reason,
        message=message,
        warnings=warnings,
    )


def _ids(table: pl.DataFrame | None) -> set[str]:
    import polars as pl

    return set() if table is None else set(table.filter(pl.col("status") == Status.OK)["run_id"])
