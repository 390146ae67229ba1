"""The ledger: one SQLite file that says what has happened. Only the runner writes it.

A commit with full durability is on the disk when the call returns; whatever is told to the user was committed
before. Nothing in it is code or a pickle: texts, numbers and JSON.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchlab.errors import StartError

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
OPEN_WAIT_S = 10.0
CLOSE_WAIT_MS = 500
_COPY_TRIES = 20

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE run (
    number INTEGER PRIMARY KEY, state TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, elapsed_s REAL,
    workers INTEGER, reason TEXT, environment TEXT, settings TEXT, source TEXT, cache TEXT);
CREATE TABLE job (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, position INTEGER, current INTEGER NOT NULL DEFAULT 1,
    task TEXT NOT NULL, spec TEXT NOT NULL, state TEXT NOT NULL, promoting INTEGER NOT NULL DEFAULT 0,
    key TEXT, fields TEXT, category TEXT, reason TEXT, message TEXT, detail TEXT, metrics TEXT, warnings TEXT,
    stages TEXT, attempts INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0, elapsed_s REAL, cpu_s REAL,
    peak_bytes INTEGER, thumbnail TEXT, log TEXT, ended_at TEXT);
CREATE TABLE attempt (
    job INTEGER NOT NULL, number INTEGER NOT NULL, run INTEGER NOT NULL, status TEXT NOT NULL,
    started_at TEXT NOT NULL, elapsed_s REAL, category TEXT, reason TEXT, signal TEXT, message TEXT,
    peak_bytes INTEGER, PRIMARY KEY (job, number)) WITHOUT ROWID;
CREATE TABLE output (
    job INTEGER NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, target TEXT NOT NULL, digest TEXT NOT NULL,
    bytes INTEGER NOT NULL, mtime_ns INTEGER, inode INTEGER, scratch TEXT, own INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, name)) WITHOUT ROWID;
CREATE INDEX output_path ON output (path);
CREATE TABLE item (
    job INTEGER NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, category TEXT, reason TEXT, message TEXT,
    PRIMARY KEY (job, name)) WITHOUT ROWID;
CREATE TABLE file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, run INTEGER, kind TEXT NOT NULL, job TEXT, detail TEXT);
CREATE TABLE lease (
    one INTEGER PRIMARY KEY CHECK (one = 1), host TEXT, pid INTEGER, start_time TEXT, boot_id TEXT,
    beats INTEGER NOT NULL, token TEXT);
"""

# What brings an older ledger up to date, by the version it starts from.
_MIGRATIONS: Mapping[int, str] = {}


class Ledger:
    """The one writer's connection.

    Parameters
    ----------
    path
        The ledger's file; made if it is not there.
    durable
        Full: a commit survives a power cut. Otherwise the last commits may be lost then, never torn.

    A ledger of an older batchlab is left as it is until `upgrade` is called, by whoever holds its lease.

    Raises
    ------
    StartError
        If the file is of a newer batchlab, damaged, or cannot be opened.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
            self._enter_wal()
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._db.execute("PRAGMA wal_autocheckpoint=4000")
            self._prepare()
            self._inode = os.stat(path).st_ino
        except sqlite3.Error as error:
            raise StartError(f"{path}: the ledger cannot be opened ({error})") from error

    def _enter_wal(self) -> None:
        """Switch to write-ahead logging; SQLite itself does not wait for another process that does the same."""
        deadline = time.monotonic() + OPEN_WAIT_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _prepare(self) -> None:
        check_version(self._version(), self.path)
        if self._version() > 0:
            return
        with self.writing():
            if self._version() > 0:  # another process was faster
                return
            for statement in _statements(_TABLES):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def _version(self) -> int:
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        return version

    def upgrade(self) -> Path | None:
        """Bring an older ledger up to date; answers where the copy of it lies as it was, None if there was no need.

        Raises
        ------
        StartError
            If there is no room for it.
        """
        version = self._version()
        if version == SCHEMA_VERSION:
            return None
        backup = self.path.with_suffix(f".v{version}.sqlite")
        try:
            with closing(sqlite3.connect(backup)) as copy:
                self._db.backup(copy)
            with self.writing():
                for step in range(version, SCHEMA_VERSION):
                    for statement in _statements(_MIGRATIONS[step]):
                        self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except sqlite3.Error as error:
            raise StartError(f"{self.path}: an older ledger that cannot be brought up to date ({error})") from error
        return backup

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing; on the disk at the end if durable."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite has ended it itself where the disk was full
                self._db.execute("ROLLBACK")
            raise
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def execute(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """One statement."""
        return self._db.execute(sql, tuple(values))

    def executemany(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        self._db.executemany(sql, rows)

    def meta(self, name: str) -> str | None:
        """A fact about the whole ledger."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def in_place(self) -> bool:
        """Whether the file written to is still the one at its path: a removed one takes commits all the same."""
        try:
            return os.stat(self.path).st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Move everything into the one file, and close it."""
        try:
            self._db.execute(f"PRAGMA busy_timeout={CLOSE_WAIT_MS}")  # readers come and go all the time
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            log.warning("%s: its write-ahead log stays beside it (%s)", self.path, error)
        finally:
            self._db.close()


def check_version(version: int, path: Path) -> None:
    """Refuse, politely, a ledger that a newer batchlab wrote."""
    if version > SCHEMA_VERSION:
        raise StartError(
            f"{path}: written by a newer batchlab (ledger version {version}, this one reads up to "
            f"{SCHEMA_VERSION}); update batchlab, or choose another --output"
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """A read-only connection; it neither waits for the runner nor makes it wait."""

    db: sqlite3.Connection
    copy: Path | None  # a private copy, where the folder may not be written

    def close(self) -> None:
        """Close it, and drop the copy."""
        self.db.close()
        if self.copy is not None:
            shutil.rmtree(self.copy, ignore_errors=True)


def open_reader(path: Path) -> Reader:
    """Open a ledger for reading, also one that lies in a folder nobody may write.

    Raises
    ------
    StartError
        If there is no ledger, or it cannot be read.
    """
    if not path.is_file():
        raise StartError(f"{path.parent.parent}: no batch was run there (there is no {path})")
    copy: Path | None = None
    uri = path.absolute().as_uri()
    if not os.access(path.parent, os.W_OK):
        # Without its shared-memory file a write-ahead log cannot be read in place.
        copy = Path(tempfile.mkdtemp(prefix="batchlab-"))
        uri = (copy / path.name).as_uri()
    reader: Reader | None = None
    try:
        if copy is not None:
            _copy_ledger(path, copy)
        db = sqlite3.connect(f"{uri}?mode={'rw' if copy else 'ro'}", uri=True, timeout=10.0, isolation_level=None)
        reader = Reader(db=db, copy=copy)
        db.execute("PRAGMA query_only=1")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        check_version(version, path)
        if version < SCHEMA_VERSION:
            words = "an older ledger; run the batch once to bring it up to date" if version else "no batch was run yet"
            raise StartError(f"{path}: {words}")
    except BaseException as error:
        if reader is not None:
            reader.close()
        elif copy is not None:
            shutil.rmtree(copy, ignore_errors=True)
        if isinstance(error, sqlite3.Error | OSError):
            raise StartError(f"{path}: the ledger cannot be read ({error})") from error
        raise
    return reader


def ledger_version(path: Path) -> int | None:
    """The version of a ledger; 0 while it is being made, None if there is none.

    Raises
    ------
    StartError
        If it cannot be read.
    """
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)) as db:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StartError(f"{path}: the ledger cannot be opened ({error})") from error
    return version


def _copy_ledger(path: Path, folder: Path) -> None:
    """Copy a ledger and its log as they are at one instant, while somebody else may be writing them."""
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal")]
    for _ in range(_COPY_TRIES):
        before = [_stamp(file) for file in files]
        for file in files:
            with suppress(FileNotFoundError):
                shutil.copyfile(file, folder / file.name)
        if before == [_stamp(file) for file in files]:
            return
    raise OSError("it changes too fast to be copied")


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _statements(script: str) -> Iterator[str]:
    for statement in script.split(";"):
        if statement.strip():
            yield statement


def dumps(value: Any) -> str:
    """JSON as the ledger keeps it: NaN and infinities too, for they are results."""
    return storable(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def storable(text: str) -> str:
    """A text that can be stored: bytes of file names that are no UTF-8 are written out, as JSON writes them."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
