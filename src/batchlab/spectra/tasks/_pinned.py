"""The pinned plans that a job's files are read by: part of what its result depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from batchlab.spectra._places import pinned_plans

__all__ = ["pinned"]

_MOST_KEPT = 100_000  # names of layouts, of files that are as they were

State = tuple[int, int, int]


def pinned(params: Mapping[str, Any], inputs: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """The pinned plans by which the files of a job are read, a digest for each file that has one.

    Nothing is loaded and no file is opened unless a plan is pinned.

    Raises
    ------
    ConfigError
        If the file of a pinned plan that is needed is wrong.
    """
    if params.get("axis") is not None or params.get("column") is not None:
        return {}  # the columns are named: no plan is asked
    layouts = _pins(pinned_plans())
    if not layouts:
        return {}
    from batchlab.spectra._normalizer._pins import plan_digest

    found: dict[str, str] = {}
    for path in sorted({path for files in inputs.values() for path in files}):
        state = _state(path)
        layout = None if state is None else _layout(path, state)
        if layout is None or layout not in layouts:
            continue
        name, digest = f"the pinned plan of {os.path.basename(path)}", plan_digest(layouts[layout])
        found[name] = f"{found[name]} {digest}" if name in found else digest
    return found


def _pins(folder: Path) -> Mapping[str, tuple[str, State]]:
    """Layout to the file of its pinned plan and that file's state."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(".json")]
    except OSError:
        return {}
    paths = {name.removesuffix(".json"): f"{folder}/{name}" for name in names}
    return {layout: (path, state) for layout, path in paths.items() if (state := _state(path)) is not None}


def _state(path: str) -> State | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


@lru_cache(maxsize=_MOST_KEPT)
def _layout(path: str, state: State) -> str | None:
    from batchlab.spectra._normalizer._pins import layout_of_file

    return layout_of_file(Path(path))
