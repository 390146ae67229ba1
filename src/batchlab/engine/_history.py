"""What jobs took in earlier batches: advice for estimates and admission, never truth."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchlab.engine._place import state_home
from batchlab.engine._progress import Observed

log = logging.getLogger(__name__)

KEPT_JOBS = 500.0  # the weight of the past is bounded, so that new habits show
_COLUMNS = "n, x, y, xx, xy, yy, peak_bytes"


@dataclass(frozen=True, slots=True)
class Past:
    """One task's jobs so far."""

    observed: Observed
    peak_bytes: int


def history_path() -> Path:
    """Where it lies."""
    return state_home() / "history.sqlite"


def read_history(path: Path | None = None) -> dict[str, Past]:
    """Everything known, by task; nothing where the file is absent or unreadable."""
    found: dict[str, Past] = {}
    path = path or history_path()
    if not path.exists():
        return found
    try:
        with _opened(path) as db:
            for task, n, x, y, xx, xy, yy, peak in db.execute(f"SELECT task, {_COLUMNS} FROM past"):
                found[task] = Past(Observed(n, x, y, xx, xy, yy), peak)
    except sqlite3.Error as error:
        log.warning("%s cannot be read (%s); estimates start anew", path, error)
    return found


def add_history(seen: Mapping[str, Past], path: Path | None = None) -> None:
    """Add what a run has seen; a failure to do so is no failure of the run."""
    path = path or history_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(path) as db:
            db.execute("BEGIN IMMEDIATE")
            for task, past in seen.items():
                row = db.execute(f"SELECT {_COLUMNS} FROM past WHERE task = ?", (task,)).fetchone()
                before = row or (0.0,) * 6 + (0,)
                now = past.observed
                shrink = min(1.0, KEPT_JOBS / before[0]) if before[0] else 1.0
                old = [value * shrink for value in before[:6]]
                new = [now.n, now.x, now.y, now.xx, now.xy, now.yy]
                db.execute(
                    "INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (task, *(a + b for a, b in zip(old, new, strict=True)), max(past.peak_bytes, before[6])),
                )
            db.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        log.warning("%s cannot be written (%s); estimates will not know of this run", path, error)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    try:
        db.execute(
            "CREATE TABLE IF NOT EXISTS past (task TEXT PRIMARY KEY, n REAL, x REAL, y REAL, xx REAL, xy REAL, "
            "yy REAL, peak_bytes INTEGER)"
        )
        yield db
    finally:
        db.close()
