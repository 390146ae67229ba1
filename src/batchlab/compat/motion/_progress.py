"""How far a batch is, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["ProgressTracker", "told_time"]


class ProgressTracker:
    """Counts jobs that are over.

    Parameters
    ----------
    total_jobs
        How many there are.
    clock
        In s, never backwards.

    Attributes
    ----------
    total, completed
        Jobs in all, and jobs that are over.
    """

    def __init__(self, total_jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total_jobs
        self.completed = 0
        self._clock = clock
        self._started = clock()

    def update(self, count: int = 1) -> None:
        """So many more jobs are over."""
        self.completed = min(self.completed + count, self.total)

    @property
    def percent_complete(self) -> float:
        """From 0 to 100."""
        return 100.0 * self.completed / self.total if self.total else 100.0

    @property
    def elapsed_seconds(self) -> float:
        """Since it was made."""
        return self._clock() - self._started

    @property
    def eta_seconds(self) -> float | None:
        """What is left, if jobs go on ending as often as so far, however many work at once; None before the first."""
        if not self.completed:
            return None
        return self.elapsed_seconds / self.completed * (self.total - self.completed)

    def __str__(self) -> str:
        left = self.eta_seconds
        told = "" if left is None or self.completed == self.total else f", about {told_time(left)} left"
        return f"{self.completed}/{self.total} ({self.percent_complete:.0f} %){told}"


def told_time(seconds: float) -> str:
    """A time in words: 12 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
