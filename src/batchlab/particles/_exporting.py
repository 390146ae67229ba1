"""A listener to a run that keeps the JSON files of an older program up to date, some orbits at a time."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine import Batch, BatchView, Notice, Status, read_view
from batchlab.errors import BatchlabError
from batchlab.particles._exports import (
    GRID,
    LIMIT_NAMES,
    TIMEOUT,
    OrbitState,
    Scales,
    Trouble,
    extrema_entries,
    last_orbit,
    read_object,
    reason_of,
    with_progress,
    write_object,
)
from batchlab.particles._limits import LimitRules, limits_of
from batchlab.particles._model import Limits, Scale

if TYPE_CHECKING:
    from batchlab.particles._sketch import Sketch

__all__ = ["Exports", "Flusher", "OnFailed", "OnOver"]

log = logging.getLogger(__name__)

OnOver = Callable[[OrbitState, Scales], None]
OnFailed = Callable[[int, Trouble], None]
_DONE = {Status.DONE.value, Status.SKIPPED.value}
_OVER = _DONE | {Status.FAILED.value, Status.BLOCKED.value}
_ALL = "all"


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
        self.size = max(1, size)
        self._interval_s = interval_s
        self._clock = clock
        self._news = 0
        self._since = 0.0

    def add(self, news: int = 1) -> None:
        """There is something new."""
        if not self._news:
            self._since = self._clock()
        self._news += news

    @property
    def due(self) -> bool:
        """Whether to write now."""
        if not self._news:
            return False
        late = self._interval_s is not None and self._clock() - self._since >= self._interval_s
        return self._news >= self.size or late

    def clear(self) -> None:
        """All news are written."""
        self._news = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a job is about."""

    orbit: int
    instrument: str
    scales: Scales | None  # of a picture; None for the reading of a file
    sketch: str | None
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
        self._rules = replace(rules or LimitRules(), rounded=False)
        self._floor = {"log_floor_cutoff": log_floor_cutoff, "log_floor_value": log_floor_value}
        self._flushers = {name: Flusher(flush_batch_size, flush_interval_s, clock) for name in self._files}
        self._on_over = on_over
        self._on_failed = on_failed
        self.writes = dict.fromkeys(self._files, 0)
        self._lock = threading.Lock()
        self._ended: dict[str, _Ended] = {}
        self._over: set[tuple[int, Scales | None]] = set()
        self._merged: dict[str, Sketch] = {}
        self._digests: dict[str, str] = {}  # of sketches that are merged, or at least read
        self._known: dict[str, _Known] = {}
        # Pictures of an orbit by their scales; under None the readings of its files.
        self._jobs: defaultdict[tuple[int, Scales | None], list[str]] = defaultdict(list)
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
                sketch=job.outputs.get("sketch"),
                timeout_s=job.limits.timeout_s,
            )
            self._jobs[orbit, pair].append(job.name)

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
        if self._files["extrema"] is not None and not self._stands():
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
                pair = "_".join(scales)
                gone = {f"{each}_{pair}_{end}" for each in self._readers() for end in LIMIT_NAMES}
                content = {key: value for key, value in content.items() if key not in gone} | self.extrema(scales)
                first += ("_".join((*scales, "last_orbit")),)
        if content != before:
            write_object(path, content, first)
            self.writes[name] += 1

    def extrema(self, scales: Scales) -> dict[str, Any]:
        """What a file of extrema says of one pair of scales, by all files that are read by now."""
        self._merge()
        told: dict[str, Any] = {}
        for instrument, readers in self._readers().items():
            limits = self._limits(instrument)
            processed = sum(each in self._ended for each in readers)
            key = self._key(readers)
            total = len(readers)
            told |= extrema_entries(
                instrument, limits, scales, processed=processed, total=total, key=key, **self._floor
            )
        reads = [
            OrbitState(orbit=orbit, over=(orbit, None) in self._over) for orbit, pair in self._jobs if pair is None
        ]
        last = last_orbit(reads)
        return told if last is None else {"_".join((*scales, "last_orbit")): last, **told}

    def _limits(self, instrument: str) -> Limits | None:
        sketch = self._merged.get(instrument)
        if sketch is None:
            return None
        limits = limits_of(sketch, self._rules)
        return limits.get(_ALL) or next(iter(limits.values()), None)

    def _readers(self) -> dict[str, list[str]]:
        """Jobs that read, by instrument."""
        found: dict[str, list[str]] = {}
        for name, known in self._known.items():
            if known.scales is None:
                found.setdefault(known.instrument, []).append(name)
        return found

    def _merge(self) -> None:
        """Add the sketches of files that were read since the last time."""
        from batchlab.particles._sketch import Sketch, merge

        for name, content in self._fresh_sketches().items():
            sketch = Sketch.from_bytes(content)
            instrument = self._known[name].instrument
            before = self._merged.get(instrument)
            self._merged[instrument] = sketch if before is None else merge((before, sketch))
            self._digests[name] = _digest(content)

    def _fresh_sketches(self, known: Collection[str] | None = None) -> dict[str, bytes]:
        known = self._digests if known is None else known
        found = {}
        for name, ended in self._ended.items():
            sketch = self._known[name].sketch
            if sketch is None or name in known or ended.state not in _DONE:
                continue
            try:
                found[name] = (self._root / sketch).read_bytes()
            except OSError as error:
                log.warning("%s is not in the extrema: %s", name, error)
        return found

    def _key(self, readers: Sequence[str], digests: Mapping[str, str] | None = None) -> str:
        known = self._digests if digests is None else digests
        text = json.dumps([asdict(self._rules), self._floor, sorted((n, known[n]) for n in readers if n in known)])
        return _digest(text.encode())

    def _stands(self) -> bool:
        """Whether the file of extrema comes from just these sketches and rules: then none has to be merged again."""
        path = self._files["extrema"]
        if path is None or not path.exists():
            return False
        content = read_object(path)
        digests = self._digests | {name: _digest(each) for name, each in self._fresh_sketches().items()}
        for instrument, readers in self._readers().items():
            key = self._key(readers, digests)
            for scales in self._scales:
                said = content.get(f"{instrument}_{'_'.join(scales)}_extrema_progress")
                whole = {"processed_index": len(readers), "total": len(readers), "complete": True, "key": key}
                if said != whole:
                    return False
        return True


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
