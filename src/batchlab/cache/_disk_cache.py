"""What is costly to compute, kept on disk from run to run: bounded, safe to delete, and never trusted blindly."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["DiskCache", "cache_folder"]

_MAGIC = b"batchlab-cache-1\n"
_HEADER = struct.Struct("<16sQ")  # digest and length of what follows
_KEY = re.compile(r"[0-9a-f]{16,128}")
_SUFFIX = ".entry"
_KEEP = 0.9  # of the bound, after entries were dropped


def cache_folder(domain: str) -> Path:
    """Where a domain's cache lies: ``$XDG_CACHE_HOME/batchlab/<domain>``, by default below ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    # The standard has relative paths ignored.
    base = Path(root) if os.path.isabs(root) else Path.home() / ".cache"
    return base / "batchlab" / domain


class DiskCache:
    """Entries of bytes by key, in a folder that may be deleted at any time.

    Several processes may use one folder. An entry is there whole or not at all; one that was damaged is dropped and
    counts as absent. Beyond the bound those that were used longest ago go first.

    Parameters
    ----------
    folder
        Where entries lie; made when the first is put.
    limit_bytes
        How much they may take.

    Raises
    ------
    ValueError
        If the limit is not positive.
    """

    def __init__(self, folder: str | os.PathLike[str], *, limit_bytes: int = 2 << 30) -> None:
        if limit_bytes <= 0:
            raise ValueError(f"a cache of {limit_bytes} bytes holds nothing; give a positive limit")
        self.folder = Path(folder)
        self.limit_bytes = limit_bytes
        # So that the first put looks at what earlier runs left.
        self._since_look = limit_bytes

    def get(self, key: str) -> bytes | None:
        """The entry of a key, or None; using an entry makes it the youngest."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        start = len(_MAGIC) + _HEADER.size
        if data.startswith(_MAGIC) and len(data) >= start:
            digest, length = _HEADER.unpack_from(data, len(_MAGIC))
            body = data[start:]
            if length == len(body) and digest == _digest(body):
                with suppress(OSError):
                    os.utime(path)
                return body
        with suppress(OSError):
            path.unlink()
        return None

    def put(self, key: str, body: bytes) -> bool:
        """Keep an entry; whether that was possible.

        A full disk or a folder that cannot be written costs time later on, and no result: so it is told, not raised.
        """
        path = self._path(key)
        if len(body) > self.limit_bytes:
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as file:
                part = Path(file.name)
                try:
                    file.write(_MAGIC + _HEADER.pack(_digest(body), len(body)))
                    file.write(body)
                    file.close()
                    part.replace(path)
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise
        except OSError:
            return False
        self._since_look += len(body)
        if self._since_look >= self.limit_bytes // 16:
            self._since_look = 0
            self._shrink(spare=path)
        return True

    def size_bytes(self) -> int:
        """What all entries take."""
        return sum(size for _, size, _ in self._entries())

    def clear(self) -> int:
        """Remove all entries; how many there were."""
        entries = self._entries()
        for _, _, path in entries:
            path.unlink(missing_ok=True)
        return len(entries)

    def _shrink(self, spare: Path) -> None:
        entries = sorted(self._entries())
        total = sum(size for _, size, _ in entries)
        if total <= self.limit_bytes:
            return
        for _, size, path in entries:
            if total <= self.limit_bytes * _KEEP:
                break
            if path != spare:
                with suppress(OSError):
                    path.unlink()
                    total -= size

    def _entries(self) -> list[tuple[int, int, Path]]:
        """When each was last used, its size, and where it lies; parts that a killed process left are among them."""
        found = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
        return found

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key; give a digest in hexadecimal digits")
        return self.folder / key[:2] / f"{key[2:]}{_SUFFIX}"


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
