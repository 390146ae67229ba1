"""What every display of a run knows: the folded progress, who runs since when, and what failed last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from batchlab.cli._words import counted, failure_word, number, one_line, time_left
from batchlab.engine import Notice, Progress, fold

MESSAGE_WIDTH = 200  # of a failure's message on one line
ENOUGH = 3  # jobs seen, here or in earlier runs, before a loose guess is worth telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run at one instant."""

    progress: Progress = field(default_factory=Progress)
    batch: str = ""
    elapsed_s: float = 0.0
    since_s: float = 0.0  # since the last notice
    running: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # job -> stage, seconds so far
    failure: str | None = None  # the last one, on one line
    failures: int = 0

    @property
    def percent(self) -> int:
        """Of the work, done in full."""
        return min(max(int(self.progress.fraction * 100 + 1e-6), 0), 100)

    @property
    def time_left(self) -> str:
        """``12-18 min left``, ``about 4 s left``, or why there is no such figure."""
        state = self.progress.state
        if state == "stopping":
            return f"stopping, {counted(len(self.running), 'job')} still at work; Ctrl-C again ends at once"
        if state == "paused":
            return "paused"
        if state == "disk full":
            return "paused: the disk is full"
        eta = self.progress.eta
        if state != "running" or eta is None:
            return "time left not known yet" if state == "running" else ""
        seen = sum(observed.n for observed in self.progress.observed.values())
        if seen < ENOUGH and (self.percent < 5 or eta.low_s <= 0.0):
            return "time left not known yet"
        # Between two notices the work goes on, though nobody tells of it.
        low_s, likely_s, high_s = (max(s - self.since_s, 0.0) for s in (eta.low_s, eta.likely_s, eta.high_s))
        return f"{time_left(low_s, likely_s, high_s)} left"

    @property
    def counts(self) -> list[tuple[str, str]]:
        """Words for what is over, each with its kind: done, trouble or quiet."""
        p = self.progress
        words = [("done", f"{number(p.done)} of {counted(p.total, 'job')} done")]
        for count, text in (
            (p.failed, "failed"),
            (p.items_failed, "items failed" if p.items_failed != 1 else "item failed"),
            (p.blocked, "blocked"),
            (p.cancelled + p.interrupted, "cancelled"),
        ):
            if count:
                words.append(("trouble", f"{number(count)} {text}"))
        for count, text in (
            (p.found_done + p.skipped, "found done"),
            (p.retries, "tried again"),
            (p.warnings, "warnings" if p.warnings != 1 else "warning"),
        ):
            if count:
                words.append(("quiet", f"{number(count)} {text}"))
        return words


class Watch:
    """Folds notices, in the listener's thread; answers snapshots, in any."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._told = self._began
        self._started: dict[str, float] = {}
        self._snapshot = Snapshot()

    def take(self, notice: Notice) -> str | None:
        """Fold one notice; answers a line about a failure, if it is one."""
        now = self._clock()
        if notice.kind in ("paused", "resumed") and self._snapshot.progress.state == "stopping":
            return None  # a run that stops neither waits nor goes on
        failure = _failure(notice)
        with self._lock:
            before = self._snapshot
            if notice.kind == "job-started" and notice.job is not None:
                self._started[notice.job] = now
            elif notice.kind in ("job-ended", "retry") and notice.job is not None:
                self._started.pop(notice.job, None)
            self._told = now
            self._snapshot = replace(
                before,
                progress=fold(before.progress, notice),
                batch=str(notice.facts.get("batch", before.batch)) if notice.kind == "batch-started" else before.batch,
                failure=failure or before.failure,
                failures=before.failures + (failure is not None),
            )
        return failure

    def snapshot(self) -> Snapshot:
        """The run as of now."""
        now = self._clock()
        with self._lock:
            running = {
                job: (stage, now - self._started.get(job, now))
                for job, stage in self._snapshot.progress.running.items()
            }
            return replace(self._snapshot, elapsed_s=now - self._began, since_s=now - self._told, running=running)


def _failure(notice: Notice) -> str | None:
    if notice.kind != "job-ended" or notice.facts.get("state") != "failed":
        return None
    facts = notice.facts
    category, reason = facts.get("category"), facts.get("reason")
    message = one_line(facts.get("message") or "no message", MESSAGE_WIDTH)
    return one_line(f"{notice.job}: {failure_word(category, reason, message)}")
