"""Content digests: what a file holds, not when it was touched."""

from __future__ import annotations

import hashlib
import json
import os
import time

from batchlab.engine._events import Stat
from batchlab.engine._model import Json

RACY_S = 2.0  # a file changed this recently may change again within one tick of its time stamp
_CHUNK = 1 << 20


def stat_of(path: str) -> Stat:
    """Size, modification time and inode: equal means nothing changed, unless the file was very young."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino


def file_digest(path: str) -> str:
    """blake2b of the content, 128 bit, in hex."""
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


# One of many files that is missing, a folder or forbidden costs its own item: the task meets it, names it and goes on.
# So it has a stat and a digest as well, by which a later look tells whether it has changed.
ABSENT: Stat = (-1, -1, -1)


def member_stat(path: str) -> Stat:
    """`stat_of` for one of many files."""
    try:
        return stat_of(path)
    except FileNotFoundError:
        return ABSENT


def member_digest(path: str) -> str:
    """`file_digest` for one of many files."""
    try:
        return file_digest(path)
    except FileNotFoundError:
        return "absent"
    except (IsADirectoryError, PermissionError):
        return "unreadable"


def remembered_stat(stat: Stat) -> Stat:
    """The stat to remember beside a digest: one that never matches if the file is too young to trust."""
    size, mtime_ns, inode = stat
    if time.time() - mtime_ns / 1e9 < RACY_S:
        return size, -1, inode
    return stat


def canonical(value: Json) -> str:
    """One text for one value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def text_digest(text: str) -> str:
    """blake2b of a text, 128 bit, in hex."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
