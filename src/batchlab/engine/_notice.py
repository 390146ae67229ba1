"""What the runner tells those who listen, and how none of them can slow it or break it."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from batchlab.engine._model import EMPTY, Json

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that is in the ledger by now, or passes by and need not be.

    Kinds: ``batch-started``, ``job-started``, ``stage``, ``item``, ``warning``, ``retry``, ``job-ended``,
    ``asked-again``, ``paused``, ``resumed``, ``stopping``, ``batch-ended``.
    """

    kind: str
    at_s: float  # seconds since the run began
    job: str | None = None
    facts: Mapping[str, Json] = field(default_factory=lambda: EMPTY)

    def as_json(self) -> dict[str, Json]:
        """The line that `run --json` prints."""
        line: dict[str, Json] = {"event": self.kind, "at_s": round(self.at_s, 6)}
        if self.job is not None:
            line["job"] = self.job
        return {**line, **self.facts}


Listener = Callable[[Notice], None]


class Board:
    """Hands notices to listeners, each in a thread of its own.

    A listener that sleeps is late alone; one that raises is told once in the log and hears no more.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._queues: list[queue.SimpleQueue[Sequence[Notice] | None]] = []
        self._threads: list[threading.Thread] = []
        for listener in listeners:
            notices: queue.SimpleQueue[Sequence[Notice] | None] = queue.SimpleQueue()
            thread = threading.Thread(target=_deliver, args=(listener, notices), name="batchlab-listener", daemon=True)
            thread.start()
            self._queues.append(notices)
            self._threads.append(thread)

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._queues)

    def post(self, notices: Sequence[Notice]) -> None:
        """Tell all; returns at once."""
        for each in self._queues:
            each.put(notices)

    def close(self, wait_s: float = 5.0) -> None:
        """Let the listeners finish what was posted, those that do so in time."""
        for each in self._queues:
            each.put(None)
        for thread in self._threads:
            thread.join(wait_s)
            if thread.is_alive():
                log.warning("a listener does not keep up; its last notices are dropped")


def _deliver(listener: Listener, notices: queue.SimpleQueue[Sequence[Notice] | None]) -> None:
    while (batch := notices.get()) is not None:
        for notice in batch:
            try:
                listener(notice)
            except Exception:
                log.warning("a listener failed and hears no more", exc_info=True)
                return
