"""How many files got their plan from an AI, or from what it had said before: what one call was worth."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ServedFiles"]

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    job TEXT NOT NULL, layout TEXT NOT NULL, source TEXT NOT NULL, files INTEGER NOT NULL,
    PRIMARY KEY (job, layout, source))
"""


class ServedFiles:
    """Counts by job, layout and source; they decide nothing, so they are not synced, and a failure is only logged.

    Parameters
    ----------
    path
        The SQLite file; not that of the calls, which is synced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, *, job: str, layout: str, source: str) -> None:
        """Count one more file; source ``cache`` is one that an earlier call served."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._opened() as db:
                db.execute(_SCHEMA)
                db.execute(
                    "INSERT INTO files VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET files = files + 1",
                    (job, layout, source),
                )
        except (OSError, sqlite3.Error) as error:
            log.warning("%s: files are not counted (%s)", self._path, error)

    def count(self, job: str | None = None) -> int:
        """Files of a job, or of all."""
        where, values = ("", ()) if job is None else (" WHERE job = ?", (job,))
        return sum(files for _, files in self._asked(f"SELECT source, files FROM files{where}", values))

    def saved(self) -> dict[object, int]:
        """Files by layout that needed no call of their own."""
        return dict(self._asked("SELECT layout, SUM(files) FROM files WHERE source = 'cache' GROUP BY layout", ()))

    def _asked(self, question: str, values: tuple[str, ...]) -> list[tuple[object, int]]:
        if not self._path.exists():
            return []
        try:
            with self._opened() as db:
                return db.execute(question, values).fetchall()
        except sqlite3.Error as error:
            log.warning("%s: files are not counted (%s)", self._path, error)
            return []

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._path, timeout=10.0, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = OFF")
            yield db
