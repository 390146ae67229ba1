"""The bytes of a file, or why there are none."""

from __future__ import annotations

import stat
from pathlib import Path

from batchlab.errors import Category, DataError

__all__ = ["load"]

# The largest real text export we know is 1 MB; a table this long is a map or a log.
_MOST_BYTES = 100_000_000


def load(path: Path) -> bytes:
    """Read a whole regular file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bytes
        Its content, not empty.

    Raises
    ------
    DataError
        Reason ``not-found`` or ``unreadable`` (category missing-input), ``read-failed`` (category disk),
        ``not-a-file``, ``empty-file``, ``too-large``.
    """
    try:
        # Asked before it is opened: opening a named pipe would wait for a writer for ever.
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            what = "a directory" if stat.S_ISDIR(info.st_mode) else "a pipe, socket or device"
            raise DataError(f"{path}: {what}, not a file; name the files in it", reason="not-a-file")
        if info.st_size > _MOST_BYTES:
            raise DataError(
                f"{path}: {info.st_size / 1e6:.0f} MB is more than the {_MOST_BYTES / 1e6:.0f} MB that a "
                "spectrum's text may have; split it into one file for each spectrum",
                reason="too-large",
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file", category=Category.MISSING_INPUT, reason="not-found") from error
    except PermissionError as error:
        raise DataError(
            f"{path}: may not be read; ask its owner for the right to read it",
            category=Category.MISSING_INPUT,
            reason="unreadable",
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(
            f"{str(path)!r}: could not be read: {error}", category=Category.DISK, reason="read-failed"
        ) from error
    if not data:
        raise DataError(f"{path}: the file is empty; export it again", reason="empty-file")
    return data
