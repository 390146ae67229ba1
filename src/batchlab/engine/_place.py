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
RESERVE_BYTES = 262_144
_POINTER = "ledger.path"
_RESERVE = "reserve"
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

    def keep_reserve(self) -> None:
        """Keep some room aside: a ledger that cannot grow could not say that the disk is full."""
        reserve = self.own / _RESERVE
        if not reserve.exists() or reserve.stat().st_size < RESERVE_BYTES:
            reserve.write_bytes(bytes(RESERVE_BYTES))

    def give_up_reserve(self) -> bool:
        """Make the room that was kept aside; answers whether there was any."""
        try:
            (self.own / _RESERVE).unlink()
        except OSError:
            return False
        return True

    def make(self, *, type_of: Callable[[Path], str] = filesystem_type) -> None:
        """Create the folders; put the ledger elsewhere where the file system cannot carry it.

        Raises
        ------
        StartError
            If a folder cannot be made or written in.
        """
        try:
            self._make_folders()
            pointer = self.own / _POINTER
            if type_of(self.root) in _NETWORK and not pointer.exists() and not self.ledger.exists():
                name = hashlib.blake2b(str(self.root.resolve()).encode(), digest_size=8).hexdigest()
                elsewhere = state_home() / name / "ledger.sqlite"
                elsewhere.parent.mkdir(parents=True, exist_ok=True)
                draft = self.own / f".{_POINTER}-{os.getpid()}"
                draft.write_text(f"{elsewhere}\n", encoding="utf-8")
                draft.replace(pointer)
            if pointer.exists() and not self.ledger.is_relative_to(state_home()):
                raise StartError(
                    f"{pointer} leads to {self.ledger}, which is not in {state_home()}: set XDG_STATE_HOME as it was "
                    "when the batch was run first, or choose another --output"
                )
            probe = self.own / f".probe-{os.getpid()}"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
        except OSError as error:
            raise StartError(
                f"{self.root}: cannot write there ({error.strerror or error}); choose another "
                "folder, or make room or rights there"
            ) from error

    def _make_folders(self) -> None:
        """Make what is missing, for good; refuse links that would lead the engine's own files elsewhere."""
        folders = (self.own, self.scratch, self.logs, self.thumbnails, self.commands)
        links = [folder for folder in folders if folder.is_symlink()]
        if not links and self.own.is_dir():
            links = [Path(entry.path) for entry in os.scandir(self.own) if entry.is_symlink()]
        if links:
            raise StartError(f"{links[0]} is a link, and the engine's own files stay in its folder: remove the link")
        if self.own.is_dir() and all(folder.is_dir() for folder in folders):
            return
        known = self.root
        while not known.exists():
            known = known.parent
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.own, *self.own.parents):  # after a power cut the ledger must still be found
            sync_folder(str(folder))
            if folder == known:
                break


def sync_folder(folder: str) -> None:
    """Write a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
