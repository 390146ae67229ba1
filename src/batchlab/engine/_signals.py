"""Ctrl-C once, Ctrl-C twice: taken note of while a run lasts, and given back after it."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any


@dataclass(slots=True)
class Interrupts:
    """Counts the wishes to stop; as a context manager it listens to SIGINT and SIGTERM.

    Parameters
    ----------
    install
        False leaves the process's handlers alone. Off the main thread they always are.
    """

    install: bool = True
    stops: int = 0  # 1: drain; 2 or more: kill
    _before: dict[int, Any] = field(default_factory=dict)

    def __enter__(self) -> Interrupts:
        """Install, where that is wanted and possible."""
        if self.install and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put back what was there before."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.stops += 2 if number == signal.SIGTERM else 1
