"""Names of outputs: filled in from the template, and none that is taken already."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from batchlab.engine import Conflict, Place, collision_key
from batchlab.engine._ledger import open_reader
from batchlab.engine._memory import recall
from batchlab.errors import ConfigError

__all__ = ["free_name", "owners", "settle", "stamped"]

_MOST = 1_000_000


def free_name(path: str, is_free: Callable[[str], bool]) -> str:
    """The path, or the first of ``path_001``, ``path_002``, ... that is free."""
    if is_free(path):
        return path
    stem, suffix = os.path.splitext(path)
    for number in range(1, _MOST):
        candidate = f"{stem}_{number:03d}{suffix}"
        if is_free(candidate):
            return candidate
    raise ConfigError(f"{path}: a million files of that name are there already")


def stamped(path: str) -> str:
    """The path with the time of day, in UTC, behind its name."""
    stem, suffix = os.path.splitext(path)
    return f"{stem}_{datetime.now(UTC):%Y%m%dT%H%M%SZ}{suffix}"


def settle(
    wanted: Sequence[tuple[str, str]], conflict: Conflict, root: Path, owned: Mapping[str, str]
) -> list[str | None]:
    """The paths that jobs may write to, in job order; None where one is to be skipped.

    The engine lets a batch replace what its folder's earlier batches made. Here another measurement may have been
    compared under the same name, so only the very same job replaces its own file.

    Parameters
    ----------
    wanted
        Job and path relative to the root.
    conflict
        The strategy. Two jobs of one batch never share a path, whatever it is.
    root
        The output folder.
    owned
        Path to the job that made it, in any earlier batch.
    """
    taken: set[str] = set()
    settled: list[str | None] = []
    for job, path in wanted:
        if conflict is Conflict.SKIP and os.path.lexists(root / path):
            settled.append(None)
            continue
        others = partial(_is_of_others, root=root, job=job, owned=owned)
        if conflict is Conflict.TIMESTAMP and others(path):
            path = stamped(path)
        avoided = (others,) if conflict in (Conflict.AUTO_INCREMENT, Conflict.TIMESTAMP) else ()
        name = free_name(path, partial(_is_free, taken=taken, avoided=avoided))
        taken.add(collision_key(name))
        settled.append(name)
    return settled


def _is_of_others(path: str, *, root: Path, job: str, owned: Mapping[str, str]) -> bool:
    return os.path.lexists(root / path) and owned.get(path) != job


def _is_free(path: str, *, taken: Set[str], avoided: Sequence[Callable[[str], bool]]) -> bool:
    return collision_key(path) not in taken and not any(each(path) for each in avoided)


def owners(root: Path) -> dict[str, str]:
    """Which job made which file of this folder, as its ledger remembers."""
    ledger = Place(root).ledger
    if not ledger.is_file():
        return {}
    reader = open_reader(ledger)
    try:
        return recall(str(root), reader.db.execute).owners
    finally:
        reader.close()
