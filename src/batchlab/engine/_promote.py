"""From scratch to their real names: a job's outputs appear whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

from batchlab.engine._digest import file_digest, stat_of
from batchlab.engine._events import Stat
from batchlab.engine._model import Conflict
from batchlab.engine._place import sync_folder
from batchlab.errors import Category, JobError

NOT_PLACED = "not-placed"  # the reason of a failure that speaks of the output folder, not of the job

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One output on its way."""

    name: str
    path: str  # relative to the root
    target: str  # what the batch asked for
    digest: str
    bytes: int
    scratch: str  # absolute
    own: bool  # the file now at its path, if any, is this batch's
    stat: Stat = (0, 0, 0)  # of the file in place


class Mover:
    """Moves outputs into place below one root, and syncs the folders they went to."""

    def __init__(self, root: str, conflict: Conflict, *, durable: bool = True) -> None:
        self._root = root
        self._real = os.path.realpath(root)
        self._conflict = conflict
        self._durable = durable
        self._safe: dict[str, tuple[int, int]] = {}  # folder -> which one it was when it was looked at
        self._touched: dict[str, None] = {}

    def place(self, moves: Sequence[Move]) -> tuple[Move, ...] | None:
        """Give every output its real name; None if it gives way to a foreign file (conflict: skip).

        Raises
        ------
        JobError
            Of category output, with nothing of the job in place, if a name is taken or cannot be written.
        """
        placed: list[Move] = []
        try:
            # Those that may meet a foreign file go first: they can still be taken back.
            for move in sorted(moves, key=lambda m: m.own):
                done = self._place(move)
                if done is None:
                    self._take_back(placed)
                    return None
                placed.append(done)
        except OSError as error:
            self._take_back(placed)
            raise _not_placed(error) from error
        except JobError:
            self._take_back(placed)
            raise
        return tuple(placed)

    def _place(self, move: Move) -> Move | None:
        final = f"{self._root}/{move.path}"
        folder = os.path.dirname(final)
        self._check(folder)
        if move.own:
            os.replace(move.scratch, final)
        elif not _put(move.scratch, final):
            if self._conflict is Conflict.SKIP:
                return None
            if self._conflict is Conflict.FAIL:
                raise JobError(
                    f"{move.path} was put there by somebody else while the job ran; move it and run again, "
                    "or write settings: {conflict: overwrite} in a batch file",
                    category=Category.OUTPUT,
                    reason="conflict",
                )
            if self._conflict is Conflict.OVERWRITE:
                os.replace(move.scratch, final)
            else:
                move = self._put_beside(move)
                final = f"{self._root}/{move.path}"
        self._touched[folder] = None
        return replace(move, stat=stat_of(final))

    def _put_beside(self, move: Move) -> Move:
        stem, suffix = os.path.splitext(move.path)
        for number in range(1, 1_000_000):
            path = f"{stem}_{number:03d}{suffix}"
            if _put(move.scratch, f"{self._root}/{path}"):
                return replace(move, path=path)
        raise JobError(f"{move.path}: no free name left", category=Category.OUTPUT, reason="conflict")

    def _check(self, folder: str) -> None:
        """Make the folder; refuse one that a link leads out of the root."""
        if self._safe.get(folder) == _identity(folder) is not None:
            return
        existing = folder
        while not os.path.lexists(existing):
            existing = os.path.dirname(existing)
        real = os.path.realpath(existing)
        if not os.path.isdir(self._real):
            raise FileNotFoundError(errno.ENOENT, "the output folder is gone", self._real)
        if real != self._real and not real.startswith(self._real + os.sep):
            raise JobError(
                f"{folder} leads out of the output folder through a link; nothing is written there",
                category=Category.OUTPUT,
                reason="outside-root",
            )
        os.makedirs(folder, exist_ok=True)
        made = folder
        while self._durable and made != existing:  # each new folder's name lies in the one above it
            made = os.path.dirname(made)
            sync_folder(made)
        identity = _identity(folder)
        if identity is not None:
            self._safe[folder] = identity

    def _take_back(self, placed: Sequence[Move]) -> None:
        for move in placed:
            if not move.own:
                with suppress(OSError):  # gone with the folder it was in
                    os.unlink(f"{self._root}/{move.path}")

    def sync(self) -> None:
        """Make the new names last through a power cut.

        Raises
        ------
        JobError
            If a folder cannot be written to the disk: nothing placed since the last call is sure to be there.
        """
        touched, self._touched = self._touched, {}
        if not self._durable:
            return
        try:
            for folder in touched:
                sync_folder(folder)
        except OSError as error:
            raise _not_placed(error) from error


def _identity(folder: str) -> tuple[int, int] | None:
    """Which folder this is; None if it is none. A link in its place is another one."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _not_placed(error: OSError) -> JobError:
    category = Category.DISK if error.errno in (errno.ENOSPC, errno.EDQUOT) else Category.OUTPUT
    text = f"{error.filename2 or error.filename or 'output'}: {error.strerror}; the output was not put in place"
    return JobError(text, category=category, reason=NOT_PLACED)


def _put(scratch: str, final: str) -> bool:
    """Give a file its name unless the name is taken, in one step; answers whether it did."""
    if _rename_unless_taken(scratch, final):
        return True
    try:
        os.link(scratch, final, follow_symlinks=False)
    except FileExistsError:
        if os.path.lexists(scratch) and os.path.samestat(os.lstat(scratch), os.lstat(final)):
            os.unlink(scratch)  # linked by a run that was killed before it could unlink
            return True
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        try:
            os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        os.replace(scratch, final)
        return True
    os.unlink(scratch)
    return True


_RENAME_NOREPLACE = 1
_AT_FDCWD = -100


@cache
def _renameat2() -> Callable[..., int] | None:
    """Linux's rename that never replaces; None where the C library has none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def _rename_unless_taken(scratch: str, final: str) -> bool:
    """One rename instead of a link and an unlink, where that can be had; False leaves the answer to those."""
    rename = _renameat2()
    if rename is None:
        return False
    source, target = os.fsencode(scratch), os.fsencode(final)
    return bool(rename(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE) == 0)


def is_whole(root: str, path: str, digest: str) -> bool:
    """Whether the file in place is the one that was made."""
    try:
        return file_digest(f"{root}/{path}") == digest
    except OSError:
        return False


def remove_scratch(folder: str) -> None:
    """Drop an attempt's scratch folder, if it made one."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
