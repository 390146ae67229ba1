"""What a run writes into the ledger, row by row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from batchlab.engine._digest import stat_of
from batchlab.engine._events import Stat
from batchlab.engine._ledger import Ledger, dumps, storable
from batchlab.engine._memory import remember_files
from batchlab.engine._model import (
    Batch,
    BatchState,
    Failure,
    From,
    Gather,
    Item,
    Job,
    Json,
    Limits,
    Outcome,
    Settings,
    Status,
)
from batchlab.engine._place import relative_to
from batchlab.engine._promote import Move, Mover, is_whole
from batchlab.errors import BatchlabError, Category, JobError


def now_utc() -> str:
    """The wall clock, for show alone."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Pending:
    """Rows that wait for the next commit."""

    starts: list[tuple[Any, ...]] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)  # of jobs without a result yet
    attempts: list[tuple[Any, ...]] = field(default_factory=list)
    jobs: list[tuple[Any, ...]] = field(default_factory=list)
    clears: list[tuple[int]] = field(default_factory=list)  # jobs whose items are told anew
    replaced: list[tuple[int]] = field(default_factory=list)  # jobs whose outputs are
    moves: list[tuple[Any, ...]] = field(default_factory=list)
    placed: list[tuple[Any, ...]] = field(default_factory=list)
    confirms: list[tuple[str, int]] = field(default_factory=list)
    unplaced: list[tuple[int, Move]] = field(default_factory=list)
    items: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    files: dict[str, tuple[Stat, str]] = field(default_factory=dict)

    def any(self) -> bool:
        """Whether anything waits."""
        return bool(
            self.starts or self.states or self.attempts or self.jobs or self.confirms or self.unplaced or self.events
        )

    def storable(self) -> Pending:
        """The same with texts that can be stored, whatever bytes file names are made of."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _NOT_TEXT}
        clean: dict[str, Any] = {name: [tuple(map(_storable, row)) for row in rows] for name, rows in told.items()}
        return replace(self, **clean)


_NOT_TEXT = {"states", "unplaced", "files"}


def _storable(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


_UPDATE_JOB = """UPDATE job SET state=?, promoting=?, key=?, fields=?, category=?, reason=?, message=?, detail=?,
metrics=?, warnings=?, stages=?, attempts=?, elapsed_s=?, cpu_s=?, peak_bytes=?, thumbnail=?, log=?, ended_at=?,
deaths=0 WHERE id=?"""


class Records:
    """The runner's pen.

    Parameters
    ----------
    ledger
        Opened by this run, which holds its lease.
    root
        The output root.
    """

    def __init__(self, ledger: Ledger, root: str) -> None:
        self._ledger = ledger
        self._root = root
        self._relative = relative_to(root)
        self.run = 0
        self.pending = Pending()
        self._now = now_utc()  # read once a commit: it is for show

    # the beginning

    def recover(self, mover: Mover) -> tuple[int, int]:
        """Finish what a killed run had begun: its promotions, then its running jobs.

        Returns
        -------
        finished, interrupted : int
            Jobs whose outputs were put in place now, and jobs that must run again.
        """
        rows = self._ledger.execute(
            "SELECT job, name, path, target, digest, bytes, scratch, own FROM output WHERE scratch IS NOT NULL"
        ).fetchall()
        by_job: dict[int, list[Move]] = {}
        for job, name, path, target, digest, size, scratch, own in rows:
            move = Move(
                name=name,
                path=path,
                target=target,
                digest=digest,
                bytes=size,
                scratch=os.path.join(self._root, scratch),
                own=bool(own),
            )
            by_job.setdefault(job, []).append(move)
        finished: dict[int, tuple[Move, ...]] = {}
        for job, moves in by_job.items():
            placed = self._finish(mover, moves)
            if placed is not None:
                finished[job] = placed
        mover.sync()
        with self._ledger.writing():
            for job, placed in finished.items():
                self._ledger.executemany(_PLACED, _placed_rows(job, placed))
                self._ledger.execute("UPDATE job SET state='done', promoting=0, deaths=0 WHERE id=?", (job,))
            for job in by_job.keys() - finished.keys():
                self._disown(job, by_job[job])
            self._ledger.execute(
                "UPDATE attempt SET status='interrupted' WHERE status='running' AND job NOT IN "
                "(SELECT id FROM job WHERE state='done')"
            )
            interrupted = self._ledger.execute(
                "UPDATE job SET state='interrupted', promoting=0, key=NULL, deaths=deaths+1, attempts=MAX(attempts, "
                "(SELECT COALESCE(MAX(number), 0) FROM attempt WHERE attempt.job=job.id)) WHERE state='running'"
            ).rowcount
            self._ledger.execute("UPDATE run SET state='interrupted', ended_at=? WHERE state='running'", (now_utc(),))
        return len(finished), interrupted

    def _finish(self, mover: Mover, moves: Sequence[Move]) -> tuple[Move, ...] | None:
        placed: list[Move] = []
        for move in moves:
            if os.path.lexists(move.scratch):
                try:
                    found = mover.place([move])
                except BatchlabError:
                    return None
                if found is None:
                    return None
                placed += found
            elif is_whole(self._root, move.path, move.digest):
                placed.append(replace(move, stat=stat_of(os.path.join(self._root, move.path))))
            else:
                return None
        return tuple(placed)

    def _disown(self, job: int, moves: Sequence[Move]) -> None:
        """Not all outputs of a job could be put in place: keep those paths that are ours to write again."""
        for move in moves:
            ours = move.own or is_whole(self._root, move.path, move.digest)
            self._ledger.execute(_DISOWN[ours], (job, move.name))

    def begin(
        self,
        batch: Batch,
        *,
        to_run: Iterable[str],
        found_done: Iterable[str],
        files: Mapping[str, tuple[Stat, str]],
        workers: int,
        environment: Mapping[str, str],
        source: str | None,
    ) -> dict[str, int]:
        """Record a new run, every job of the batch, and the `files` read to plan it; answers the jobs' ids."""
        ledger = self._ledger
        with ledger.writing():
            ledger.execute("INSERT OR REPLACE INTO meta VALUES ('batch', ?)", (batch.name,))
            self.run = 1 + (ledger.execute("SELECT MAX(number) FROM run").fetchone()[0] or 0)
            ledger.execute(
                "INSERT INTO run (number, state, started_at, workers, environment, settings, source) "
                "VALUES (?, 'running', ?, ?, ?, ?, ?)",
                (self.run, now_utc(), workers, dumps(dict(environment)), dumps(settings_json(batch.settings)), source),
            )
            ledger.execute("UPDATE job SET current = 0")
            ledger.executemany(
                "INSERT INTO job (name, position, task, spec, state) VALUES (?, ?, ?, ?, 'pending') "
                "ON CONFLICT (name) DO UPDATE SET position=excluded.position, current=1, task=excluded.task, "
                "spec=excluded.spec",
                ((job.name, at, self._task(job.task), dumps(self.spec(job))) for at, job in enumerate(batch.jobs)),
            )
            ledger.executemany("UPDATE job SET state='pending' WHERE name=?", ((name,) for name in to_run))
            ledger.executemany("UPDATE job SET state='done' WHERE name=?", ((name,) for name in found_done))
            ledger.executemany(_REMEMBER, remember_files(files, self._root))
            return dict(ledger.execute("SELECT name, id FROM job WHERE current = 1"))

    def _task(self, task: str) -> str:
        return self._relative(task) if ":" in task else task

    def spec(self, job: Job) -> dict[str, Json]:
        """A job as JSON, with paths relative to the root; `job_of` reads it back."""
        spec: dict[str, Json] = {
            "params": dict(job.params),
            "inputs": {name: self._input(value) for name, value in job.inputs.items()},
            "outputs": dict(job.outputs),
        }
        if job.needs:
            spec["needs"] = job.needs
        if job.priority:
            spec["priority"] = job.priority
        limits = limits_json(job.limits)
        if limits:
            spec["limits"] = limits
        if job.group is not None:
            spec["group"] = job.group
        if job.affinity is not None:
            spec["affinity"] = job.affinity
        if job.metadata:
            spec["metadata"] = dict(job.metadata)
        return spec

    def _input(self, value: Any) -> Json:
        if isinstance(value, str):
            return self._relative(value)
        if isinstance(value, From):
            found: dict[str, Json] = {"from": list(value.jobs)}
            if value.output is not None:
                found["output"] = value.output
            if value.gather is not None:
                found["gather"] = str(value.gather)
            return found
        return [self._relative(path) for path in value]

    # during the run

    def start(self, job: int, number: int) -> None:
        """An attempt begins."""
        self.pending.starts.append((job, number, self.run, self._now))
        self.pending.states[job] = str(Status.RUNNING)

    def state(self, job: int, status: Status) -> None:
        """A job waits for its next attempt, or was found done."""
        self.pending.states[job] = str(status)

    def attempt(
        self, job: int, number: int, status: Status, elapsed_s: float | None, peak: int | None, failure: Failure | None
    ) -> None:
        """An attempt ended."""
        f = failure
        told = (f.category and str(f.category), f.reason, f.signal, f.message) if f else (None,) * 4
        self.pending.attempts.append((str(status), elapsed_s, *told, peak, job, number))

    def result(
        self,
        job: int,
        outcome: Outcome,
        *,
        key: str | None = None,
        fields: str | None = None,
        cpu_s: float | None = None,
        thumbnail: str | None = None,
        log: str | None = None,
        moves: Sequence[Move] = (),
        note: str | None = None,
    ) -> None:
        """A job ended; with `moves`, it is done only once they are confirmed. A `note` says why it never ran."""
        p = self.pending
        p.states.pop(job, None)
        f = outcome.failure
        promoting = bool(moves)
        p.jobs.append(
            (
                "running" if promoting else str(outcome.status),
                int(promoting),
                key,
                fields,
                f and str(f.category),
                f.reason if f else note,
                f.message if f else note,
                dumps({"signal": f.signal, "stage": f.stage, "traceback": f.traceback}) if f else None,
                dumps(dict(outcome.metrics)) if outcome.metrics else "{}",
                dumps(list(outcome.warnings)) if outcome.warnings else None,
                dumps(dict(outcome.stages)) if outcome.stages else None,
                outcome.attempts,
                outcome.elapsed_s,
                cpu_s,
                outcome.peak_memory_bytes,
                thumbnail,
                log,
                self._now,
                job,
            )
        )
        p.clears.append((job,))
        if outcome.status is Status.DONE:
            p.replaced.append((job,))
        for move in moves:
            scratch = os.path.relpath(move.scratch, self._root)
            p.moves.append((job, move.name, move.path, move.target, move.digest, move.bytes, scratch, int(move.own)))
        p.items += [
            (job, i.name, str(i.status), i.category and str(i.category), i.reason, i.message) for i in outcome.items
        ]

    def confirm(self, job: int, placed: Sequence[Move], status: Status = Status.DONE) -> None:
        """A job's outputs are in place."""
        self.pending.placed += _placed_rows(job, placed)
        self.pending.confirms.append((str(status), job))

    def unplaced(self, job: int, moves: Sequence[Move]) -> None:
        """A job's outputs could not be put in place, and are not on their way any more."""
        self.pending.unplaced += [(job, move) for move in moves]

    def event(self, kind: str, job: str | None = None, detail: str | None = None) -> None:
        """Something worth telling later."""
        self.pending.events.append((self._now, self.run, kind, job, detail))

    def commit(self, beat: Any = None) -> None:
        """Write all that waits, in one transaction.

        Raises
        ------
        JobError
            Of category output, if the ledger is no longer where it was.
        """
        self._now = now_utc()
        if not self._ledger.in_place():
            raise JobError(
                f"{self._ledger.path} is gone: the output folder was removed or replaced while the batch ran; "
                "what was done since then must be done again",
                category=Category.OUTPUT,
                reason="ledger-gone",
            )
        try:
            self._write(self.pending, beat)
        except UnicodeEncodeError:
            self._write(self.pending.storable(), beat)
        self.pending = Pending()

    def _write(self, p: Pending, beat: Any) -> None:
        ledger = self._ledger
        with ledger.writing():
            if beat is not None:
                beat()
            if p.confirms:
                ledger.executemany(_PLACED, p.placed)
                ledger.executemany("UPDATE job SET state=?, promoting=0 WHERE id=?", p.confirms)
            # Before their ends: an attempt may start and end within one commit.
            if p.starts:
                ledger.executemany(
                    "INSERT OR REPLACE INTO attempt (job, number, run, status, started_at) "
                    "VALUES (?, ?, ?, 'running', ?)",
                    p.starts,
                )
            if p.attempts:
                ledger.executemany(
                    "UPDATE attempt SET status=?, elapsed_s=?, category=?, reason=?, signal=?, message=?, "
                    "peak_bytes=? WHERE job=? AND number=?",
                    p.attempts,
                )
            if p.jobs:
                ledger.executemany(_UPDATE_JOB, p.jobs)
                ledger.executemany("DELETE FROM item WHERE job=?", p.clears)
                ledger.executemany("DELETE FROM output WHERE job=?", p.replaced)
                if p.moves:
                    ledger.executemany(
                        "INSERT INTO output (job, name, path, target, digest, bytes, scratch, own) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        p.moves,
                    )
            for job, move in p.unplaced:
                ledger.execute(_DISOWN[move.own], (job, move.name))
            if p.items:
                ledger.executemany("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?)", p.items)
            if p.states:
                rows = [(state, job) for job, state in p.states.items()]
                ledger.executemany("UPDATE job SET state=? WHERE id=?", rows)
                waiting = [(job,) for job, state in p.states.items() if state == Status.PENDING]
                ledger.executemany(_COUNT_ATTEMPTS, waiting)
            if p.files:
                ledger.executemany(_REMEMBER, remember_files(p.files, self._root))
            if p.events:
                ledger.executemany("INSERT INTO event (at, run, kind, job, detail) VALUES (?, ?, ?, ?, ?)", p.events)

    def items_failed(self) -> dict[int, int]:
        """How many items failed in each job that has any."""
        return dict(self._ledger.execute("SELECT job, COUNT(*) FROM item WHERE status = 'failed' GROUP BY job"))

    def end(self, state: BatchState, elapsed_s: float, reason: str | None, cache: Mapping[str, int]) -> None:
        """The run is over."""
        with self._ledger.writing():
            self._ledger.execute(
                "UPDATE run SET state=?, ended_at=?, elapsed_s=?, reason=?, cache=? WHERE number=?",
                (str(state), now_utc(), elapsed_s, reason, dumps(dict(cache)), self.run),
            )


# What becomes of an output that was not put in place, by whether a file of ours lies at its path.
_DISOWN = {
    True: "UPDATE output SET scratch=NULL, own=1, digest='' WHERE job=? AND name=?",
    False: "DELETE FROM output WHERE job=? AND name=? AND scratch IS NOT NULL",
}

_REMEMBER = "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?)"

_COUNT_ATTEMPTS = (
    "UPDATE job SET attempts=(SELECT COALESCE(MAX(number), 0) FROM attempt WHERE attempt.job=job.id) WHERE id=?"
)

_PLACED = (
    "INSERT OR REPLACE INTO output (job, name, path, target, digest, bytes, mtime_ns, inode, scratch, own) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 1)"
)


def _placed_rows(job: int, placed: Sequence[Move]) -> list[tuple[Any, ...]]:
    return [(job, m.name, m.path, m.target, m.digest, m.bytes, m.stat[1], m.stat[2]) for m in placed]


def settings_json(settings: Settings) -> dict[str, Json]:
    """Settings as JSON."""
    return {name: getattr(settings, name) for name in Settings.__dataclass_fields__}


def limits_json(limits: Limits) -> dict[str, Json]:
    """The limits that are set, as JSON."""
    found: dict[str, Json] = {}
    for name in ("timeout_s", "memory_bytes", "group_timeout_s"):
        if getattr(limits, name) is not None:
            found[name] = getattr(limits, name)
    if limits.stages:
        found["stages"] = dict(limits.stages)
    return found


def job_of(name: str, task: str, spec: Mapping[str, Json], root: str) -> Job:
    """The job that `Records.spec` wrote."""

    def path(value: str) -> str:
        return os.path.normpath(os.path.join(root, value))

    def read(value: Json) -> Any:
        if isinstance(value, str):
            return path(value)
        if isinstance(value, Mapping):
            gather = value.get("gather")
            jobs = tuple(value["from"])
            return From(jobs=jobs, output=value.get("output"), gather=Gather(gather) if gather else None)
        return tuple(path(each) for each in value)

    return Job(
        name=name,
        task=path(task) if ":" in task else task,
        params=spec["params"],
        inputs={key: read(value) for key, value in spec["inputs"].items()},
        outputs=spec["outputs"],
        needs=tuple(spec.get("needs", ())),
        priority=spec.get("priority", 0),
        limits=Limits(**spec.get("limits", {})),
        group=spec.get("group"),
        affinity=spec.get("affinity"),
        metadata=spec.get("metadata", {}),
    )


def item_of(row: Sequence[Any]) -> Item:
    """An item from its row."""
    name, status, category, reason, message = row
    return Item(
        name=name,
        status=Status(status),
        category=Category(category) if category else None,
        reason=reason,
        message=message,
    )
