"""Progress: a pure fold over notices, with an ETA that says how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from batchlab.engine._model import EMPTY
from batchlab.engine._notice import Listener, Notice

_Z90 = 1.645  # of a normal distribution: 90 % lie within


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """Seconds until the end: the likely value, and a range that holds it nine times in ten."""

    low_s: float
    likely_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Observed:
    """Running sums of one task's jobs: sizes in bytes, times in seconds."""

    n: float = 0.0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def add(self, x: float, y: float) -> Observed:
        """With one more job."""
        return Observed(self.n + 1, self.x + x, self.y + y, self.xx + x * x, self.xy + x * y, self.yy + y * y)

    def fit(self) -> tuple[float, float, float]:
        """Intercept in s, slope in s per byte (neither below zero), and residual standard deviation in s."""
        if self.n == 0:
            return 0.0, 0.0, 0.0
        mean_x, mean_y = self.x / self.n, self.y / self.n
        var_x = max(self.xx / self.n - mean_x**2, 0.0)
        var_y = max(self.yy / self.n - mean_y**2, 0.0)
        cov = self.xy / self.n - mean_x * mean_y
        slope = cov / var_x if self.n >= 3 and var_x > (0.05 * mean_x) ** 2 else 0.0
        slope = min(max(slope, 0.0), mean_y / mean_x if mean_x > 0 else 0.0)
        return mean_y - slope * mean_x, slope, math.sqrt(max(var_y - slope**2 * var_x, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch is."""

    total: int = 0  # jobs of this run, those found done not among them
    found_done: int = 0
    done: int = 0
    failed: int = 0
    blocked: int = 0
    cancelled: int = 0
    interrupted: int = 0
    skipped: int = 0
    retries: int = 0
    warnings: int = 0
    items_failed: int = 0
    workers: int = 1
    at_s: float = 0.0  # since the run began
    running: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # job -> its stage
    current: str | None = None  # job started last
    state: str = "running"
    pending: Mapping[str, tuple[int, int]] = field(default_factory=lambda: EMPTY)  # task -> jobs, bytes
    observed: Mapping[str, Observed] = field(default_factory=lambda: EMPTY)  # by task, earlier batches' among them
    spent_s: float = 0.0  # by the jobs that are over

    @property
    def ended(self) -> int:
        """Jobs over, one way or another."""
        return self.done + self.failed + self.blocked + self.cancelled + self.interrupted + self.skipped

    @property
    def fraction(self) -> float:
        """Share of the work that is over, weighted by what the jobs should take."""
        left = self._seconds_left()[0]
        if self.spent_s + left > 0:
            return self.spent_s / (self.spent_s + left)
        return self.ended / self.total if self.total else 1.0

    @property
    def rate_per_s(self) -> float:
        """Jobs over per second, since the run began."""
        return self.ended / self.at_s if self.at_s > 0 else 0.0

    @property
    def eta(self) -> Eta | None:
        """Time to the end; None before anything is known. Never negative."""
        seconds, spread = self._seconds_left()
        known = sum(o.n for o in self.observed.values())
        if known == 0 or self.state != "running":
            return None
        abreast = min(self.workers, max(1, sum(jobs for jobs, _ in self.pending.values())))
        likely = seconds / abreast
        half = _Z90 * (spread + seconds / math.sqrt(known + 1)) / abreast
        return Eta(low_s=max(likely - half, 0.0), likely_s=likely, high_s=likely + half)

    def _seconds_left(self) -> tuple[float, float]:
        """Work left in s, and its standard deviation in s."""
        seconds, variance = 0.0, 0.0
        overall = Observed()
        for o in self.observed.values():
            overall = Observed(*(a + b for a, b in zip(_sums(overall), _sums(o), strict=True)))
        for task, (jobs, size) in self.pending.items():
            base, slope, spread = self.observed.get(task, overall).fit()
            seconds += jobs * base + slope * size
            variance += jobs * spread**2
        return max(seconds, 0.0), math.sqrt(variance)


def _sums(o: Observed) -> tuple[float, ...]:
    return o.n, o.x, o.y, o.xx, o.xy, o.yy


def follow(callback: Callable[[Progress], None]) -> Listener:
    """A listener for `run` that calls back with the progress after every notice."""
    progress = Progress()

    def listen(notice: Notice) -> None:
        nonlocal progress
        progress = fold(progress, notice)
        callback(progress)

    return listen


def fold(progress: Progress, notice: Notice) -> Progress:
    """The progress after a notice."""
    progress = replace(progress, at_s=max(progress.at_s, notice.at_s))
    facts = notice.facts
    match notice.kind:
        case "batch-started":
            return _started(progress, notice)
        case "job-started":
            assert notice.job is not None
            return replace(progress, running={**progress.running, notice.job: ""}, current=notice.job)
        case "stage" if notice.job in progress.running:
            assert notice.job is not None
            return replace(progress, running={**progress.running, notice.job: facts["stage"]})
        case "warning":
            return replace(progress, warnings=progress.warnings + 1)
        case "retry":
            running = {name: stage for name, stage in progress.running.items() if name != notice.job}
            return replace(progress, running=running, retries=progress.retries + 1)
        case "job-ended":
            return _ended(progress, notice)
        case "asked-again":
            return _asked_again(progress, notice)
        case "paused" | "stopping" | "batch-ended":
            return replace(progress, state=str(facts.get("state", notice.kind)))
        case "resumed":
            return replace(progress, state="running")
    return progress


def _started(progress: Progress, notice: Notice) -> Progress:
    facts = notice.facts
    observed: dict[str, Observed] = {}
    for task, prior in facts.get("priors", {}).items():
        if prior["n"] <= 0:
            continue
        weight = min(prior["n"], 3.0) / prior["n"]  # three jobs' worth: soon outweighed by what is seen now
        observed[task] = Observed(*(prior[name] * weight for name in ("n", "x", "y", "xx", "xy", "yy")))
    return replace(
        progress,
        total=facts["total"],
        found_done=facts["found_done"],
        workers=max(1, facts["workers"]),
        pending={task: (jobs, size) for task, (jobs, size) in facts["pending"].items()},
        observed=observed,
    )


_COUNTED = {"done", "failed", "blocked", "cancelled", "interrupted", "skipped"}


def _ended(progress: Progress, notice: Notice) -> Progress:
    facts = notice.facts
    running = {name: stage for name, stage in progress.running.items() if name != notice.job}
    task, size, state = facts["task"], facts["bytes"], facts["state"]
    jobs, left = progress.pending.get(task, (0, 0))
    pending = {**progress.pending, task: (max(jobs - 1, 0), max(left - size, 0))}
    observed = progress.observed
    elapsed = facts.get("elapsed_s")
    if elapsed is not None and state in ("done", "failed"):
        observed = {**observed, task: observed.get(task, Observed()).add(float(size), elapsed)}
    changes = {state: getattr(progress, state) + 1} if state in _COUNTED else {}
    return replace(
        progress,
        running=running,
        pending=pending,
        observed=observed,
        spent_s=progress.spent_s + (elapsed or 0.0),
        items_failed=progress.items_failed + facts.get("items_failed", 0),
        **changes,
    )


def _asked_again(progress: Progress, notice: Notice) -> Progress:
    """A job that was over is to run once more."""
    facts = notice.facts
    task, size, state = facts["task"], facts["bytes"], facts["was"]
    jobs, left = progress.pending.get(task, (0, 0))
    changes = {state: getattr(progress, state) - 1} if state in _COUNTED else {}
    return replace(progress, pending={**progress.pending, task: (jobs + 1, left + size)}, **changes)
