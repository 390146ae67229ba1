"""The store as jobs of one worker share it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from batchlab.devices._manifest import MANIFEST
from batchlab.engine import JobContext
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    from batchlab.devices._store import Store
    from batchlab.devices.metrics import Calibration

__all__ = ["Files", "calibrations_in", "changed_constants", "files_of", "opened"]


class Files(NamedTuple):
    """The raw file of each run, and the ids of the runs of each chip (group and number) and procedure."""

    named: Mapping[str, str]
    groups: Mapping[tuple[str | None, int | None, str], Sequence[str]]


def opened(ctx: JobContext, store: str | None) -> Store:
    """The store, opened once for all jobs of a worker while it stays as it is."""
    from batchlab.devices._store import Store

    if store is None and not ctx.given("manifest"):
        raise DataError(
            "the job knows no store: give the param store, or the input manifest",
            category=Category.MISSING_INPUT,
            reason="no-store",
        )
    root = Path(store) if store is not None else ctx.input("manifest").parent
    try:
        about = os.stat(root / MANIFEST)
        state = (about.st_mtime_ns, about.st_ino)
    except OSError:
        return Store(root)  # which tells what is wrong
    known = ctx.cache.get("devices.store")
    if known is None or known[0] != (root, state):
        known = ((root, state), Store(root))
        ctx.cache["devices.store"] = known
    found: Store = known[1]
    return found


def calibrations_in(ctx: JobContext, store: Store) -> list[Calibration]:
    """Calibrations of the light in it, read once."""
    from batchlab.devices._calibration import calibrations_of

    known = ctx.cache.get("devices.calibrations")
    if known is None or known[0] is not store:
        known = (store, calibrations_of(store))
        ctx.cache["devices.calibrations"] = known
    found: list[Calibration] = known[1]
    return found


def files_of(ctx: JobContext, store: Store) -> Files:
    """The raw file of each run, and the runs of each chip and procedure, read once."""
    known = ctx.cache.get("devices.files")
    if known is None or known[0] is not store:
        columns = ("run_id", "source_file", "chip_group", "chip_number", "proc")
        named: dict[str, str] = {}
        groups: dict[tuple[str | None, int | None, str], list[str]] = {}
        for run_id, file, group, number, procedure in store.table.select(columns).iter_rows():
            named[run_id] = file
            groups.setdefault((group, number, procedure), []).append(run_id)
        known = (store, Files(named, groups))
        ctx.cache["devices.files"] = known
    found: Files = known[1]
    return found


def changed_constants(changes: Mapping[str, Any]) -> Any:
    """The constants of the metrics, some of them changed; checked before a job starts."""
    from batchlab.devices.metrics import _constants

    return _constants.changed(**changes) if changes else _constants
