"""What follows a failed attempt, by the category of the failure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from batchlab.engine._model import Failure
from batchlab.engine._promote import NOT_PLACED
from batchlab.errors import Category

BACKOFF_S = 0.5
BACKOFF_MAX_S = 60.0
_BACKED_OFF = {Category.SERVICE, Category.DISK, Category.GENERIC}
_ONCE = {Category.TIMEOUT}
# Mistakes in a task, or in what it reads: the same call makes them again.
_REPEATS = {
    "missing-library",
    "no-such-input",
    "bad-metric",
    "exit",
    *(
        kind.__name__
        for kind in (
            AssertionError,
            AttributeError,
            ImportError,
            IndexError,
            KeyError,
            ModuleNotFoundError,
            NameError,
            NotImplementedError,
            RecursionError,
            SyntaxError,
            TypeError,
            UnboundLocalError,
            ValueError,
        )
    ),
}
_ONCE_ALONE = {Category.CRASH, Category.MEMORY}


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Try again after a while; `alone` with no other job beside it."""

    wait_s: float
    alone: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It has failed for good."""


def next_step(failure: Failure, *, strikes: int, retries: int, seed: int) -> RetryIn | GiveUp:
    """Decide what follows an attempt that failed.

    Parameters
    ----------
    failure
        Of this attempt.
    strikes
        How many attempts have failed so far, this one among them. Lost and interrupted ones are not.
    retries
        The batch's setting: tries after the first, for what may pass by itself.
    seed
        The job's; it makes the jitter the same each time.
    """
    category = failure.category
    if failure.reason in _REPEATS:
        return GiveUp()
    if failure.reason == "input-changed":  # whoever wrote the file may be done by now
        return RetryIn(BACKOFF_S) if strikes <= 1 else GiveUp()
    if category in _BACKED_OFF and strikes <= retries:
        wait_s = min(BACKOFF_S * 2.0 ** (strikes - 1), BACKOFF_MAX_S)
        jitter = random.Random(seed + strikes).uniform(0.5, 1.5)
        return RetryIn(wait_s * jitter)
    if category in _ONCE and strikes <= min(1, retries):
        return RetryIn(0.0)
    if category in _ONCE_ALONE and strikes <= min(1, retries):
        return RetryIn(0.0, alone=True)
    return GiveUp()


@dataclass(slots=True)
class Breaker:
    """Stops a batch that fails the same way again and again.

    What speaks of the machine and not of a file (a full disk, a lost folder) trips it by itself; any category
    does after `stop_after` consecutive failures, if that is set.
    """

    stop_after: int | None
    machine_stop_after: int = 5
    category: Category | None = None
    in_a_row: int = 0

    def succeed(self) -> None:
        """A job was done."""
        self.category, self.in_a_row = None, 0

    def fail(self, failure: Failure) -> str | None:
        """A job has failed for good; answers why the batch should stop, or None."""
        category = failure.category
        self.in_a_row = self.in_a_row + 1 if category is self.category else 1
        self.category = category
        limit = self.stop_after
        if category is Category.DISK or (category is Category.OUTPUT and failure.reason == NOT_PLACED):
            limit = min(self.machine_stop_after, limit or self.machine_stop_after)
        if limit is not None and self.in_a_row >= limit:
            return f"stopped after {self.in_a_row} failures in a row of category {category}"
        return None
