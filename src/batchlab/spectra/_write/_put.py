"""Any table or page as a file: packed as its name says, and looked at again once it is written."""

from __future__ import annotations

import os
from pathlib import Path

from batchlab.errors import Category, JobError
from batchlab.spectra._write._pack import PACKINGS, pack

__all__ = ["put"]


def put(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file, packed if its name ends in ``.gz`` or ``.zst``; what is there is replaced.

    Raises
    ------
    JobError
        Of category output, reason ``output-check``: the file cannot be read back, or holds something else.
    ConfigError
        If the library that packs it is not installed.
    """
    path = Path(path)
    packing = path.suffix.lower()
    data = pack(content, packing) if packing in PACKINGS else content
    path.write_bytes(data)
    try:
        found = path.read_bytes()
    except OSError as error:
        raise _failed(path, f"cannot be opened again: {error}", Category.DISK) from error
    if found != data:
        raise _failed(path, f"holds {len(found)} bytes that are not the {len(data)} written", Category.OUTPUT)


def _failed(path: Path, problem: str, category: Category) -> JobError:
    return JobError(f"{path}: {problem}; the disk may be failing", category=category, reason="output-check")
