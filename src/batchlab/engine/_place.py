"""Where the engine keeps its own files beside a batch's outputs."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from batchlab.errors import StartError

FOLDER = ".batchlab"
_POINTER = "ledger.path"
# File systems shared between machines: SQLite's write-ahead log needs memory that all its users share.
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "fuse.sshfs"}


def filesystem_type(path: Path) -> str:
    """The type of the file system that holds this path, such as ext4 or nfs4; empty where not known."""
    if not sys.platform.startswith("linux"):
        return ""
    path = path.resolve()
    best, kind = "", ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            left, _, right = line.partition(" - ")
            mount = left.split()[4].replace("\\040", " ")
            if len(mount) >= len(best) and path.is_relative_to(mount):
                best, kind = mount, right.split()[0]
    return kind


def state_home() -> Path:
    """``$XDG_STATE_HOME/batchlab``."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "batchlab"


@dataclass(frozen=True, slots=True)
class Place:
    """The engine's folders for one output root."""

    root: Path

    @property
    def own(self) -> Path:
        """Everything of the engine's own."""
        return self.root / FOLDER

    @property
    def scratch(self) -> Path:
        """Where attempts write."""
        return self.own / "scratch"

    @property
    def logs(self) -> Path:
        """Logs by job, and the run's own."""
        return self.own / "logs"

    @property
    def thumbnails(self) -> Path:
        """Small pictures for the report."""
        return self.own / "thumbnails"

    @property
    def commands(self) -> Path:
        """Where others drop what they ask of the runner."""
        return self.own / "commands"

    @property
    def ledger(self) -> Path:
        """The ledger's file, through the pointer where there is one."""
        pointer = self.own / _POINTER
        if pointer.is_file():
            return Path(pointer.read_text(encoding="utf-8").strip())
        return self.own / "ledger.sqlite"

    def make(self, *, type_of: Callable[[Path], str] = filesystem_type) -> None:
        """Create the folders; put the ledger elsewhere where the file system cannot carry it.

        Raises
        ------
        StartError
            If a folder cannot be made or written in.
        """
        try:
            for folder in (self.scratch, self.logs, self.thumbnails, self.commands):
                folder.mkdir(parents=True, exist_ok=True)
            pointer = self.own / _POINTER
            if type_of(self.root) in _NETWORK and not pointer.exists() and not self.ledger.exists():
                name = hashlib.blake2b(str(self.root.resolve()).encode(), digest_size=8).hexdigest()
                elsewhere = state_home() / name / "ledger.sqlite"
                elsewhere.parent.mkdir(parents=True, exist_ok=True)
                pointer.write_text(f"{elsewhere}\n", encoding="utf-8")
            probe = self.own / f".probe-{os.getpid()}"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
        except OSError as error:
            raise StartError(
                f"{self.root}: cannot write there ({error.strerror or error}); choose another --output, or make "
                "room or rights there"
            ) from error


def relative_to(root: str) -> Callable[[str], str]:
    """A fast way to write many absolute paths relative to one folder, as ``os.path.relpath`` would.

    Paths that lie in few folders cost a dictionary look-up each.
    """
    folders: dict[str, str] = {}

    def relative(path: str) -> str:
        folder, _, name = path.rpartition("/")
        known = folders.get(folder)
        if known is None:
            known = os.path.relpath(folder or "/", root)
            folders[folder] = known = "" if known == "." else known + "/"
        return known + name

    return relative
