"""How often the files of a folder are opened, by whichever process: as the kernel tells it, on Linux alone."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["opened", "telling"]

_OPEN, _CLOSE = 0x20, 0x18  # closing is watched as well: without it between them two openings are told as one
_EVENT = struct.Struct("iIII")
_PATIENCE_MS = 50


def telling() -> bool:
    """Whether this system tells."""
    return hasattr(ctypes.CDLL(None), "inotify_init1")


@contextmanager
def opened(folders: Iterable[Path]) -> Iterator[Counter[str]]:
    """Count openings by name of file; complete when the block is left.

    Raises
    ------
    OSError
        If a folder cannot be watched.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "no folder can be watched")
    counted: Counter[str] = Counter()
    ended = threading.Event()
    thread = threading.Thread(target=_drain, args=(descriptor, ended, counted))
    try:
        for folder in folders:
            if libc.inotify_add_watch(descriptor, os.fsencode(folder), _OPEN | _CLOSE) < 0:
                raise OSError(ctypes.get_errno(), f"{folder} cannot be watched")
        thread.start()
        try:
            yield counted
        finally:
            ended.set()
            thread.join()
    finally:
        os.close(descriptor)


def _drain(descriptor: int, ended: threading.Event, counted: Counter[str]) -> None:
    """Take events until there are none and it has ended."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        last = ended.is_set()
        if not poll.poll(_PATIENCE_MS):
            if last:
                return
            continue
        data, at = os.read(descriptor, 1 << 16), 0
        while at < len(data):
            _, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            if mask & _OPEN and name:
                counted[os.fsdecode(name)] += 1
