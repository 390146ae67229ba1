"""Removing what can be made again; raw files are never touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import ConfigError

__all__ = ["PARTS", "Cleaned", "clean"]

RAW = "01_raw"
# What each word removes, below the data folder.
PARTS = {
    "stage": ("02_stage",),
    "histories": ("02_stage/chip_histories",),
    "derived": ("03_derived",),
    "metrics": ("03_derived/_metrics",),
    "enriched": ("03_derived/chip_histories_enriched",),
    "reports": ("03_derived/reports",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What was removed, or would be: folders below the data folder, files and bytes in them."""

    folders: tuple[str, ...]
    files: int
    bytes: int


def clean(
    base_dir: str | os.PathLike[str], parts: Collection[str] = ("stage", "derived"), *, dry_run: bool = False
) -> Cleaned:
    """Remove made files.

    Parameters
    ----------
    base_dir
        The data folder, that holds ``01_raw``.
    parts
        Words of `PARTS`.
    dry_run
        Only tell.

    Raises
    ------
    ConfigError
        If a word is not known, or a folder is a link or lies among raw files: nothing is removed then.
    """
    unknown = sorted(set(parts) - PARTS.keys())
    if unknown:
        raise ConfigError(f"nothing is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    base = Path(base_dir)
    raw = (base / RAW).resolve()
    wanted = sorted({name for part in parts for name in PARTS[part]})
    # A folder goes with the one it lies in.
    names = [name for name in wanted if not any(name.startswith(f"{other}/") for other in wanted)]
    folders = [base / name for name in names if os.path.lexists(base / name)]
    for folder in folders:
        real = folder.resolve()
        if (
            real != base.resolve() / folder.relative_to(base)
            or real == raw
            or raw in real.parents
            or real in raw.parents
        ):
            raise ConfigError(
                f"{folder} is a link, or raw files are below it; nothing was removed. Remove it by hand if you mean it"
            )
    files = size = 0
    for folder in folders:
        for inner, _, found in os.walk(folder):
            files += len(found)
            size += sum(os.lstat(os.path.join(inner, name)).st_size for name in found)
    if not dry_run:
        for folder in folders:
            _remove(folder)
    return Cleaned(folders=tuple(folder.relative_to(base).as_posix() for folder in folders), files=files, bytes=size)


def _remove(folder: Path) -> None:
    """Out of the way in one step first: whoever is stopped halfway leaves no half of a store under its name."""
    aside = folder.with_name(f".{folder.name}.removed.{os.getpid()}")
    folder.rename(aside)
    shutil.rmtree(aside)
