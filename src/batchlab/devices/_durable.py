"""Files that appear whole or not at all, and last through a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchlab.errors import StartError

__all__ = ["held", "sync_folder", "write_whole"]

_LOCK = ".staging.lock"


def write_whole(path: Path, write: Callable[[Path], None] | bytes) -> None:
    """Write beside, sync, then rename.

    Parameters
    ----------
    path
        The file; its folder is there.
    write
        What is to stand in it, or who writes it under the name that he is given.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if isinstance(write, bytes):
            beside.write_bytes(write)
        else:
            write(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from writing here meanwhile; a process that dies lets go.

    Raises
    ------
    StartError
        If another process holds the folder.
    """
    import fcntl

    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(f"{folder}: another process stages into it just now; wait for it") from error
        except OSError:
            # Some network file systems have no locks: there, as everywhere, a store is replaced in one step.
            pass
        yield
    finally:
        os.close(descriptor)
