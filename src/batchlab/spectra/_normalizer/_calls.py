"""The account of calls to an AI: what each cost, whom it served, and whether one more may be made."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchlab.spectra._normalizer._conversation import Usage
from batchlab.spectra._normalizer._proposal import NormalizationError
from batchlab.spectra._normalizer._served import ServedFiles
from batchlab.spectra._normalizer._settings import Budget, Price
from batchlab.spectra._places import calls_file
from batchlab.spectra._words import counted

__all__ = ["Calls", "Summary"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, job TEXT NOT NULL, layout TEXT NOT NULL, host TEXT NOT NULL,
    model TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost REAL NOT NULL,
    seconds REAL, outcome TEXT NOT NULL, reported INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS calls_at ON calls (at);
"""
_PERIOD_S = {"day": 86_400.0, "month": 30 * 86_400.0}
_SUM = {"calls": "COUNT(*)", "tokens": "SUM(prompt_tokens + completion_tokens)", "cost": "SUM(cost)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a job has asked; tokens and cost are those that servers reported."""

    calls: int
    files: int
    tokens: int
    cost: float
    unreported: int = 0  # calls that were never answered, or whose answer does not say what it took

    def __str__(self) -> str:
        """``1 call for 240 files, 512 tokens, cost 0.0004``."""
        told = f"{counted(self.calls, 'call')} for {counted(self.files, 'file')}, {counted(self.tokens, 'token')}"
        more = f"; of {counted(self.unreported, 'call')} none was reported" if self.unreported else ""
        return f"{told}, cost {self.cost:.4g}{more}"


class Calls:
    """The account, one SQLite file that any number of processes write.

    A call is entered before it is made, with the most it can cost, and mended with what it did cost: so neither
    two workers at once nor a crash can pass a budget.

    Parameters
    ----------
    path
        The file; by default in the state folder.
    clock
        Seconds since 1970.

    Attributes
    ----------
    files
        The count of files that were served.
    """

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path or calls_file()
        self.files = ServedFiles(self._path.with_name(f"{self._path.stem}-files.sqlite"))
        self._clock = clock
        self._lock = threading.Lock()

    def begin(
        self,
        *,
        job: str,
        layout: str,
        host: str,
        model: str,
        most: Usage,
        price: Price | None,
        budgets: tuple[Budget, ...] = (),
    ) -> int:
        """Enter a call that is about to be made.

        Parameters
        ----------
        job, layout, host, model
            Whose it is, what it asks about, who is asked.
        most
            The tokens it may take.
        price
            What they cost; None where nobody has said.
        budgets
            The limits to keep.

        Returns
        -------
        int
            The call's number, for `end`.

        Raises
        ------
        NormalizationError
            Reason ``budget``: it could pass a limit, so it must not be made.
        """
        cost = _cost(most, price)
        adds = {"calls": 1.0, "tokens": float(most.prompt + most.completion), "cost": cost}
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            for budget in budgets:
                if budget.of == "cost" and price is None:
                    raise NormalizationError(
                        f"the budget of {budget} needs the price of {model}; set BATCHLAB_AI_PRICE, such as 0.15/0.60 "
                        "per million tokens",
                        reason="budget",
                    )
                spent = self._spent(db, budget, job)
                if spent + adds[budget.of] > budget.limit:
                    raise NormalizationError(
                        f"the budget of {budget} has {max(0.0, budget.limit - spent):.4g} left and one more call may "
                        f"take {adds[budget.of]:.4g}; raise it in BATCHLAB_AI_BUDGET or pin a plan",
                        reason="budget",
                    )
            entered = db.execute(
                "INSERT INTO calls (at, job, layout, host, model, prompt_tokens, completion_tokens, cost, outcome) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'begun')",
                (self._clock(), job, layout, host, model, most.prompt, most.completion, cost),
            )
            db.execute("COMMIT")
        return int(entered.lastrowid or 0)

    def end(self, call: int, *, outcome: str, seconds: float, usage: Usage | None, price: Price | None) -> None:
        """Enter how a call ended; without `usage`, what it may have cost at most stays entered, for budgets alone."""
        with self._opened() as db:
            db.execute("UPDATE calls SET outcome = ?, seconds = ? WHERE id = ?", (outcome, seconds, call))
            if usage is not None:
                db.execute(
                    "UPDATE calls SET prompt_tokens = ?, completion_tokens = ?, cost = ?, reported = 1 WHERE id = ?",
                    (usage.prompt, usage.completion, _cost(usage, price), call),
                )

    def judge(self, call: int, outcome: str) -> None:
        """Mend a call's outcome, once its answer was looked at."""
        with self._opened() as db:
            db.execute("UPDATE calls SET outcome = ? WHERE id = ?", (outcome, call))

    def summary(self, job: str | None = None) -> Summary:
        """What a job, or everybody, has asked so far."""
        calls, tokens, cost, unreported = 0, 0, 0.0, 0
        if self._path.exists():
            where, values = ("", ()) if job is None else (" WHERE job = ?", (job,))
            asked = (
                "SELECT COUNT(*), TOTAL(reported * (prompt_tokens + completion_tokens)), TOTAL(reported * cost), "
                f"TOTAL(1 - reported) FROM calls{where}"
            )
            with self._opened() as db:
                calls, tokens, cost, unreported = db.execute(asked, values).fetchone()
        files = self.files.count(job)
        return Summary(calls=calls, files=files, tokens=int(tokens), cost=cost, unreported=int(unreported))

    def rows(self) -> list[dict[str, object]]:
        """Every call, the oldest first; with the last good one of a layout, how many more files it served.

        Where ``reported`` is false, tokens and cost are the most that the call may have taken.
        """
        if not self._path.exists():
            return []
        with self._opened() as db:
            found = db.execute("SELECT * FROM calls ORDER BY id")
            names = [column[0] for column in found.description]
            rows: list[dict[str, object]] = [dict(zip(names, row, strict=True)) for row in found]
        saved = self.files.saved()
        for row in reversed(rows):
            row["reported"] = bool(row["reported"])
            row["saved"] = saved.pop(row["layout"], 0) if str(row["outcome"]).startswith("ok") else 0
        return rows

    def _spent(self, db: sqlite3.Connection, budget: Budget, job: str) -> float:
        if budget.per == "job":
            where, value = "job = ?", job
        else:
            where, value = "at > ?", self._clock() - _PERIOD_S[budget.per]  # type: ignore[assignment]
        (spent,) = db.execute(f"SELECT {_SUM[budget.of]} FROM calls WHERE {where}", (value,)).fetchone()
        return float(spent or 0.0)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                db = sqlite3.connect(self._path, timeout=30.0, isolation_level=None)
                try:
                    db.executescript(_SCHEMA)
                    _upgrade(db)
                    yield db
                finally:
                    db.close()  # rolls back what was not committed
        except (OSError, sqlite3.Error) as error:
            raise NormalizationError(
                f"{self._path}: the account of calls cannot be kept ({error}), and without it no call is made",
                reason="budget",
            ) from error


def _upgrade(db: sqlite3.Connection) -> None:
    """Add what accounts of an earlier version do not hold; of their calls those with an answer count as reported."""
    if any(column[1] == "reported" for column in db.execute("PRAGMA table_info(calls)")):
        return
    db.execute("BEGIN IMMEDIATE")
    if not any(column[1] == "reported" for column in db.execute("PRAGMA table_info(calls)")):
        db.execute("ALTER TABLE calls ADD COLUMN reported INTEGER NOT NULL DEFAULT 0")
        db.execute("UPDATE calls SET reported = 1 WHERE outcome LIKE 'ok%' OR outcome IN ('answered', 'invalid')")
    db.execute("COMMIT")


def _cost(usage: Usage, price: Price | None) -> float:
    if price is None:
        return 0.0
    return (usage.prompt * price.prompt + usage.completion * price.completion) / 1e6
