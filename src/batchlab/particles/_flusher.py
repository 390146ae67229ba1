"""When to write what gathers: after so much of it, or after so long."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Flusher"]


class Flusher:
    """Says when to write: after so many pieces of news, or so long after the first of them.

    Parameters
    ----------
    size
        How many; less than one is one.
    interval_s
        How long; None for as long as it takes.
    clock
        Monotonic, in seconds.
    """

    def __init__(self, size: int, interval_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = max(1, size)
        self._interval_s = interval_s
        self._clock = clock
        self._news = 0
        self._since = 0.0

    def add(self) -> None:
        """There is something new."""
        if not self._news:
            self._since = self._clock()
        self._news += 1

    @property
    def due(self) -> bool:
        """Whether to write now."""
        if not self._news:
            return False
        late = self._interval_s is not None and self._clock() - self._since >= self._interval_s
        return self._news >= self._size or late

    def clear(self) -> None:
        """All news are written."""
        self._news = 0
