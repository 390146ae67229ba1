"""A listener to a run that keeps the JSON files of an older program up to date, some orbits at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchlab.engine import Batch, BatchView, Notice, Status, read_view
from batchlab.errors import BatchlabError
from batchlab.particles._exports import (
    GRID,
    TIMEOUT,
    OrbitState,
    Trouble,
    last_orbit,
    read_object,
    reason_of,
    with_progress,
    write_object,
)
from batchlab.particles._flusher import Flusher
from batchlab.particles._limits import LimitRules
from batchlab.particles._model import Scale, Scales
from batchlab.particles._running_extrema import RunningExtrema

__all__ = ["Exports", "OnFailed", "OnOver"]

log = logging.getLogger(__name__)

OnOver = Callable[[OrbitState, Scales], None]
OnFailed = Callable[[int, Trouble], None]
_DONE = {Status.DONE.value, Status.SKIPPED.value}
_OVER = _DONE | {Status.FAILED.value, Status.BLOCKED.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a job is about."""

    orbit: int
    instrument: str
    scales: Scales | None  # of a picture; None for the reading of a file
    timeout_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How a job ended."""

    state: str
    category: str | None
    reason: str | None
    message: str | None
    elapsed_s: float | None


class Exports:
    """Progress and extrema of a batch as JSON files, written from what the ledger says.

    A file is written when `flush_batch_size` orbits are new to it, or one has been for `flush_interval_s`, and at the
    end; each time whole, and never with what it says already.

    Parameters
    ----------
    batch
        Of `plot_batch`.
    scales
        The pairs that are told.
    progress, extrema
        The files; None for none.
    rules
        By which limits follow, for `extrema`.
    on_over
        Called with each orbit whose pictures are over, in the listener's thread.
    on_failed
        Likewise with the orbit of each job that failed, and what went wrong.
    log_floor_cutoff, log_floor_value
        As of `extrema_entries`.
    clock
        Monotonic, in seconds.

    Attributes
    ----------
    writes
        How often each file, ``progress`` and ``extrema``, was written.
    """

    def __init__(
        self,
        batch: Batch,
        scales: Sequence[Scales],
        *,
        progress: Path | None = None,
        extrema: Path | None = None,
        rules: LimitRules | None = None,
        flush_batch_size: int = 10,
        flush_interval_s: float | None = 60.0,
        on_over: OnOver | None = None,
        on_failed: OnFailed | None = None,
        log_floor_cutoff: float = 0.1,
        log_floor_value: float = -1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = Path(batch.output)
        self._scales = tuple(scales)
        self._files = {"progress": progress, "extrema": extrema}
        self._flushers = {name: Flusher(flush_batch_size, flush_interval_s, clock) for name in self._files}
        self._on_over = on_over
        self._on_failed = on_failed
        self.writes = dict.fromkeys(self._files, 0)
        self._lock = threading.Lock()
        self._ended: dict[str, _Ended] = {}
        self._over: set[tuple[int, Scales | None]] = set()
        self._known: dict[str, _Known] = {}
        # Pictures of an orbit by their scales; under None the readings of its files.
        self._jobs: defaultdict[tuple[int, Scales | None], list[str]] = defaultdict(list)
        sketches: defaultdict[str, dict[str, Path]] = defaultdict(dict)
        for job in batch.jobs:
            orbit = job.metadata.get("orbit")
            if not isinstance(orbit, int):
                continue
            pair: Scales | None = None
            if job.task == "particles.plot":
                pair = Scale(job.params["y_scale"]), Scale(job.params["z_scale"])
            grid = job.params.get("kind") == "instruments"
            self._known[job.name] = _Known(
                orbit=orbit,
                instrument=GRID if grid else str(job.metadata["instrument"]),
                scales=pair,
                timeout_s=job.limits.timeout_s,
            )
            self._jobs[orbit, pair].append(job.name)
            if "sketch" in job.outputs:
                sketches[str(job.metadata["instrument"])][job.name] = self._root / job.outputs["sketch"]
        self._extrema = RunningExtrema(
            sketches, rules or LimitRules(), log_floor_cutoff=log_floor_cutoff, log_floor_value=log_floor_value
        )

    @property
    def orbits(self) -> tuple[int, ...]:
        """All that the batch knows, ascending."""
        return tuple(sorted({orbit for orbit, _ in self._jobs}))

    def states(self, scales: Scales) -> tuple[OrbitState, ...]:
        """Where each orbit stands, ascending."""
        drawn = sorted({orbit for orbit, pair in self._jobs if pair == scales})
        return tuple(self._state(orbit, scales) for orbit in drawn)

    def __call__(self, notice: Notice) -> None:
        """Take in what happened, and write what is due."""
        with self._lock:
            if notice.kind == "batch-started":
                self._look()
                if self._ended:  # what an earlier run has done and could not write any more
                    self._write_all()
            elif notice.kind == "asked-again" and notice.job in self._ended:
                known = self._known[notice.job]
                del self._ended[notice.job]
                self._over.discard((known.orbit, known.scales))
            elif notice.kind == "job-ended" and notice.job in self._known:
                facts = notice.facts
                self._take(
                    notice.job,
                    _Ended(
                        state=str(facts["state"]),
                        category=facts["category"],
                        reason=facts["reason"],
                        message=facts["message"],
                        elapsed_s=facts["elapsed_s"],
                    ),
                )
            for name, flusher in self._flushers.items():
                if flusher.due:
                    self._write(name)

    def close(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            self._look()
            self._write_all()

    def _write_all(self) -> None:
        self._write("progress")
        path = self._files["extrema"]
        if path is not None and not self._extrema.stands(read_object(path), self._scales, self._done()):
            self._write("extrema")

    def _look(self) -> None:
        """Take in all that the ledger says: what earlier runs have done, and what was told too late."""
        try:
            view: BatchView = read_view(self._root)
        except BatchlabError as error:
            log.warning("nothing is known of earlier runs: %s", error)
            return
        for job in view.jobs:
            if job.name in self._known and job.name not in self._ended:
                ended = _Ended(
                    state=job.state.value,
                    category=job.category,
                    reason=job.reason,
                    message=job.message,
                    elapsed_s=job.elapsed_s,
                )
                self._take(job.name, ended)

    def _take(self, name: str, ended: _Ended) -> None:
        if ended.state not in _OVER:
            return
        self._ended[name] = ended
        known = self._known[name]
        if ended.state == Status.FAILED.value and self._on_failed is not None:
            self._on_failed(known.orbit, self._trouble(name))
        place = (known.orbit, known.scales)
        if place in self._over or not all(each in self._ended for each in self._jobs[place]):
            return
        self._over.add(place)
        self._flushers["extrema" if known.scales is None else "progress"].add()
        if known.scales is not None and self._on_over is not None:
            self._on_over(self._state(*place), known.scales)

    def _state(self, orbit: int, scales: Scales | None) -> OrbitState:
        names = (*self._jobs[orbit, None], *(self._jobs[orbit, scales] if scales else ()))
        failed = [name for name in names if name in self._ended and self._ended[name].state == Status.FAILED.value]
        troubles = tuple(dict.fromkeys(self._trouble(name) for name in failed))
        return OrbitState(orbit=orbit, over=(orbit, scales) in self._over, troubles=troubles)

    def _trouble(self, name: str) -> Trouble:
        """What went wrong with a job that failed."""
        ended, known = self._ended[name], self._known[name]
        reason = reason_of(ended.category, ended.reason)
        # A job that the orbit's time ended had less than its own.
        early = known.timeout_s is None or (ended.elapsed_s or 0.0) < known.timeout_s
        return Trouble(
            instrument=known.instrument,
            reason=reason,
            message=ended.message or ended.reason or reason,
            of_orbit=reason == TIMEOUT and early,
        )

    def _write(self, name: str) -> None:
        self._flushers[name].clear()
        path = self._files[name]
        if path is None:
            return
        before = read_object(path)
        first: tuple[str, ...] = ()
        content = dict(before)
        for scales in self._scales:
            if name == "progress":
                content = with_progress(content, self.states(scales), scales)
            else:
                gone = self._extrema.names(scales)
                content = {key: value for key, value in content.items() if key not in gone} | self.extrema(scales)
                first += ("_".join((*scales, "last_orbit")),)
        if content != before:
            try:
                write_object(path, content, first)
            except OSError as error:
                # The ledger has it all: a run whose exports cannot be written is no worse a run.
                log.warning("%s cannot be written (%s); the next run writes it", path, error)
                return
            self.writes[name] += 1

    def extrema(self, scales: Scales) -> dict[str, Any]:
        """What a file of extrema says of one pair of scales, by all files that are read by now."""
        told = self._extrema.entries(scales, self._ended.keys(), self._done())
        reads = [
            OrbitState(orbit=orbit, over=(orbit, None) in self._over) for orbit, pair in self._jobs if pair is None
        ]
        last = last_orbit(reads)
        return told if last is None else {"_".join((*scales, "last_orbit")): last, **told}

    def _done(self) -> set[str]:
        return {name for name, ended in self._ended.items() if ended.state in _DONE}
