"""Attempts in this very process, one after the other: for debuggers, and for what must not be forked.

There is nobody beside the task who could end it: limits on time and memory are not enforced here.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from batchlab.engine._events import Attempt, Event, Failed, ItemEntered, Result, StageEntered, Started, Warned
from batchlab.engine._execute import execute, hear_here
from batchlab.engine._model import Failure
from batchlab.engine._procs import PeakMemory
from batchlab.errors import Category


class InlineExecutor:
    """Executor without any process of its own."""

    def __init__(self) -> None:
        self.workers = 1
        self._queue: deque[Attempt] = deque()
        self._cancelled: set[int] = set()
        self._cache: dict[str, Any] = {}
        self._peak = PeakMemory()

    def start(self) -> None:
        """Nothing to get ready."""

    def free(self) -> int:
        """One at a time."""
        return 0 if self._queue else 1

    def warm(self) -> frozenset[str]:
        """There is only one place, so there is nothing to choose."""
        return frozenset()

    def submit(self, attempt: Attempt) -> None:
        """Queue it; it runs when its events are asked for."""
        self._queue.append(attempt)

    def events(self, timeout_s: float | None) -> list[Event]:
        """Run what is queued, to its end; wait where nothing is."""
        if not self._queue:
            time.sleep(timeout_s or 0.0)
            return []
        attempt = self._queue[0]
        if attempt.id in self._cancelled:
            self._queue.popleft()
            failure = Failure(category=Category.CANCELLED, message="cancelled before it ran")
            return [Failed(attempt=attempt.id, failure=failure, result=Result())]
        told: list[Event] = [Started(attempt=attempt.id)]

        def tell(message: tuple[Any, ...]) -> None:
            kind, _, text = message
            if kind == "stage":
                told.append(StageEntered(attempt=attempt.id, stage=text))
            elif kind == "item":
                told.append(ItemEntered(attempt=attempt.id, item=text))
            elif kind == "warn":
                told.append(Warned(attempt=attempt.id, text=text))

        def cancelled() -> bool:
            return attempt.id in self._cancelled

        try:
            end = execute(attempt, cache=self._cache, tell=tell, cancelled=cancelled, peak=self._peak, hear=hear_here)
        finally:
            self._queue.popleft()
        return [*told, end]

    def cancel(self, attempt: int, *, hard: bool) -> None:
        """Before it runs, or as far as the task itself asks."""
        self._cancelled.add(attempt)

    def close(self, grace_s: float) -> None:
        """Nothing is left behind."""
        self._queue.clear()
