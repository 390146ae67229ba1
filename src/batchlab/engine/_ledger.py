"""The ledger: one SQLite file that says what has happened. Only the runner writes it.

A commit with full durability is on the disk when the call returns; whatever is told to the user was committed
before. Nothing in it is code or a pickle: texts, numbers and JSON.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

from batchlab.errors import StartError

SCHEMA_VERSION = 1

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

    Raises
    ------
    StartError
        If the file is of a newer batchlab, damaged, or cannot be opened.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._db.execute("PRAGMA wal_autocheckpoint=4000")
            self._prepare()
        except sqlite3.Error as error:
            raise StartError(f"{path}: the ledger cannot be opened ({error})") from error

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        check_version(version, self.path)
        if version == SCHEMA_VERSION:
            return
        if version == 0:
            with self.writing():
                for statement in _statements(_TABLES):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            return
        backup = self.path.with_suffix(f".v{version}.sqlite")
        with sqlite3.connect(backup) as copy:
            self._db.backup(copy)
        copy.close()
        with self.writing():
            for step in range(version, SCHEMA_VERSION):
                for statement in _statements(_MIGRATIONS[step]):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing; on the disk at the end if durable."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
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

    def close(self) -> None:
        """Move everything into the one file, and close it."""
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
            for file in self.copy.iterdir():
                file.unlink()
            self.copy.rmdir()


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
    try:
        uri = path.absolute().as_uri()
        if not os.access(path.parent, os.W_OK):
            # Without its shared-memory file a write-ahead log cannot be read in place.
            copy = Path(tempfile.mkdtemp(prefix="batchlab-"))
            for suffix in ("", "-wal"):
                if Path(f"{path}{suffix}").exists():
                    copyfile(f"{path}{suffix}", copy / f"ledger.sqlite{suffix}")
            uri = (copy / "ledger.sqlite").as_uri()
        db = sqlite3.connect(f"{uri}?mode={'rw' if copy else 'ro'}", uri=True, timeout=10.0, isolation_level=None)
        db.execute("PRAGMA query_only=1")
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StartError(f"{path}: the ledger cannot be read ({error})") from error
    check_version(version, path)
    if version < SCHEMA_VERSION:
        db.close()
        raise StartError(f"{path}: an older ledger; run the batch once to bring it up to date")
    return Reader(db=db, copy=copy)


def _statements(script: str) -> Iterator[str]:
    for statement in script.split(";"):
        if statement.strip():
            yield statement


def dumps(value: Any) -> str:
    """JSON as the ledger keeps it: NaN and infinities too, for they are results."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
