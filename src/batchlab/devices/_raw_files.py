"""Which raw files there are, before any of them is opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

__all__ = ["ZONE", "discover", "raw_names"]

ZONE = "America/Santiago"  # of the laboratory, unless told otherwise

_PASSED_OVER = frozenset((".git", ".venv", "__pycache__", ".ipynb_checkpoints"))


def discover(root: str | os.PathLike[str], suffixes: Sequence[str] = (".csv",)) -> list[Path]:
    """Raw files below a folder, sorted; what tools and other systems leave there is passed over."""
    return [Path(root, name) for name in raw_names(root, suffixes)]


def raw_names(root: str | os.PathLike[str], suffixes: Sequence[str] = (".csv",)) -> list[str]:
    """The same as names below the folder, with ``/``."""
    root = os.fspath(root)
    endings = tuple(suffixes)
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _PASSED_OVER]
        within = os.path.relpath(folder, root).replace(os.sep, "/")
        before = "" if within == "." else f"{within}/"
        found.extend(
            f"{before}{name}" for name in files if name.lower().endswith(endings) and not name.startswith("._")
        )
    return sorted(found)
