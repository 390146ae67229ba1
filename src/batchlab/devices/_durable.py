"""Files that appear whole or not at all, and last through a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batchlab.errors import StartError

__all__ = ["held", "sync_folder", "write_whole", "writing_into"]

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


@contextmanager
def writing_into(folder: Path, *, mend: str = "choose another --output") -> Iterator[None]:
    """Say which folder it is that cannot be written into, wherever below it that shows.

    Parameters
    ----------
    folder
        Into which all that is done meanwhile writes.
    mend
        What helps, besides room or rights.

    Raises
    ------
    StartError
        If it cannot be made, or written into.
    """
    try:
        yield
    except OSError as error:
        whole = folder.absolute()
        # What is read meanwhile lies elsewhere and tells of itself.
        at = whole if not isinstance(error.filename, str | os.PathLike) else Path(error.filename).absolute()
        if not (at.is_relative_to(whole) or whole.is_relative_to(at)):
            raise
        raise StartError(
            f"{folder}: cannot write there ({error.strerror or error}); {mend}, or make room or rights there"
        ) from error


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
