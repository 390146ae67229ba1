"""Why a job stands as it does: everything known of it in one answer."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchlab.engine._events import Stat
from batchlab.engine._ledger import open_reader
from batchlab.engine._memory import Memory, Remembered, recall
from batchlab.engine._model import EMPTY, Batch, From, Item, Job, Json, Scalar, Status
from batchlab.engine._place import Place
from batchlab.engine._plan import Plan, plan
from batchlab.engine._run import load_batch
from batchlab.engine._status import finite, recorded_job, traceback_of
from batchlab.engine._view import AttemptView, BatchView, JobView
from batchlab.errors import BatchlabError, Category

LOG_LINES = 20
_LOG_BYTES = 16_384

AS_IT_WAS, CHANGED, GONE, NEVER_READ = "as it was", "changed", "gone", "never read"
NOT_NOTED = "read, its content not noted"  # by an attempt that died


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file that a job read or made: as recorded, and as it is now."""

    name: str  # of the input or output
    path: str  # relative to the output root, or the job that makes it
    recorded: str | None  # digest
    now: str | None  # digest; of an output only where it differs
    state: str  # as it was, changed, gone, never read, or: read, its content not noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """The earlier job that keeps this one from running."""

    job: str
    state: Status
    category: str | None
    reason: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer."""

    job: str
    task: str
    root: str
    state: Status
    category: str | None
    reason: str | None
    message: str | None
    next: str | None  # run, skip, stale or blocked; None where that cannot be said
    next_reason: str  # why, or why it cannot be said
    culprit: Culprit | None
    version: str | None  # of the task, when the job was last done, else now
    libraries: Mapping[str, str]
    params: Mapping[str, Json]
    key: str | None
    inputs: tuple[FileState, ...]
    outputs: tuple[FileState, ...]
    metrics: Mapping[str, Scalar]
    items: tuple[Item, ...]
    warnings: tuple[str, ...]
    attempts: tuple[AttemptView, ...]
    log: str | None
    log_tail: tuple[str, ...]
    traceback: str | None

    @property
    def debug(self) -> str:
        """The command that runs this job alone, under the debugger."""
        return shlex.join(["batchlab", "debug", self.root, self.job])

    def as_json(self) -> dict[str, Json]:
        """The same for a machine; NaN and infinities are null."""
        return {
            "job": self.job,
            "task": self.task,
            "root": self.root,
            "state": str(self.state),
            "category": self.category,
            "reason": self.reason,
            "message": self.message,
            "next": self.next,
            "next_reason": self.next_reason,
            "culprit": _plain(self.culprit),
            "version": self.version,
            "libraries": dict(self.libraries),
            "params": dict(self.params),
            "key": self.key,
            "inputs": [_plain(each) for each in self.inputs],
            "outputs": [_plain(each) for each in self.outputs],
            "metrics": {name: finite(value) for name, value in self.metrics.items()},
            "items": [_plain(each) for each in self.items],
            "warnings": list(self.warnings),
            "attempts": [_plain(each) for each in self.attempts],
            "log": self.log,
            "log_tail": list(self.log_tail),
            "traceback": self.traceback,
            "debug": self.debug,
        }


def _plain(value: object) -> Json:
    if value is None:
        return None
    return {name: _text(getattr(value, name)) for name in type(value).__dataclass_fields__}  # type: ignore[attr-defined]


def _text(value: Json) -> Json:
    return str(value) if isinstance(value, str) else finite(value)


def why(root: Path, name: str) -> Why:
    """Answer for the job of this name in an output root; nothing is run and nothing is written.

    Raises
    ------
    ConfigError
        If there is no such job.
    StartError
        If no batch was run there.
    """
    root = root.resolve()
    view, job = recorded_job(root, name)
    batch = load_batch(root, earlier=True)
    upstream = list(_with_upstream(batch, job.name))
    reader = open_reader(Place(root).ledger)
    try:
        memory = recall(str(root), reader.db.execute)
        files = dict(memory.files)  # planning digests anew what has changed
        made: Plan | None = None
        trouble = ""
        try:
            made = plan(replace(batch, jobs=tuple(upstream)), memory=memory)
        except BatchlabError as error:
            trouble = f"cannot be planned: {error}"
        return explain(
            view,
            job,
            upstream,
            plan=made,
            trouble=trouble,
            memory=memory,
            files=files,
            log_tail=_tail(root / job.log) if job.log else (),
            traceback=traceback_of(root, job.name) if job.state is Status.FAILED else None,
        )
    finally:
        reader.close()


def explain(
    view: BatchView,
    job: JobView,
    upstream: Sequence[Job],
    *,
    plan: Plan | None,
    memory: Memory,
    files: Mapping[str, tuple[Stat, str]],
    trouble: str = "",
    log_tail: Sequence[str] = (),
    traceback: str | None = None,
) -> Why:
    """Put together what is known of a job.

    Parameters
    ----------
    view
        The batch as recorded.
    job
        One of its jobs.
    upstream
        The job as the batch has it, and all it waits for, itself among them.
    plan
        What a run would do now with `upstream`; None if that cannot be said, for the reason in `trouble`.
    memory
        What the ledger remembers.
    files
        Stat and digest of every file as it was when it was last read, by absolute path.
    log_tail
        The last lines of its log.
    traceback
        Of its last failure.
    """
    given = next(each for each in upstream if each.name == job.name)
    remembered = memory.jobs.get(job.name)
    recorded = memory.fields_of(remembered.id) if remembered is not None else None
    recipe: dict[str, Json] = json.loads(recorded[0]) if recorded else {}
    planned = next((each for each in plan.jobs if each.job.name == job.name), None) if plan else None
    card = plan.cards.get(given.task) if plan else None
    verdict, reason = (str(planned.verdict), planned.reason) if planned else (None, trouble)
    if job.state is Status.RUNNING:
        verdict, reason = None, "it runs right now"
    return Why(
        job=job.name,
        task=job.task,
        root=view.root,
        state=job.state,
        category=job.category,
        reason=job.reason,
        message=job.message,
        next=verdict,
        next_reason=reason,
        culprit=_culprit(view, upstream, job),
        version=recipe.get("version") or (card.version if card else None),
        libraries=recipe.get("libraries", EMPTY),
        params=job.params,
        key=job.key,
        inputs=tuple(_inputs(given, job, json.loads(recorded[1]) if recorded else {}, files, memory)),
        outputs=tuple(_outputs(remembered, memory)) if remembered is not None and job.outputs else (),
        metrics=job.metrics,
        items=job.items,
        warnings=job.warnings,
        attempts=job.history,
        log=job.log,
        log_tail=tuple(log_tail),
        traceback=traceback,
    )


def _with_upstream(batch: Batch, name: str) -> Iterator[Job]:
    """The job and all it waits for, in the batch's order."""
    by_name = {job.name: job for job in batch.jobs}
    wanted, waiting = {name}, [name]
    while waiting:
        for other in by_name[waiting.pop()].upstream:
            if other in by_name and other not in wanted:
                wanted.add(other)
                waiting.append(other)
    return (job for job in batch.jobs if job.name in wanted)


def _culprit(view: BatchView, upstream: Sequence[Job], job: JobView) -> Culprit | None:
    """The first job above a blocked one that failed by itself."""
    if job.state is not Status.BLOCKED:
        return None
    names = {each.name for each in upstream}
    bad = (Status.FAILED, Status.CANCELLED, Status.INTERRUPTED, Status.SKIPPED)
    for other in view.jobs:
        if other.name in names and other.name != job.name and other.state in bad:
            return Culprit(
                job=other.name,
                state=other.state,
                category=other.category,
                reason=other.reason,
                message=other.message,
            )
    return None


def _inputs(
    given: Job, job: JobView, recorded: Mapping[str, Json], files: Mapping[str, tuple[Stat, str]], memory: Memory
) -> Iterator[FileState]:
    for name, value in given.inputs.items():
        if isinstance(value, From):
            yield _handed(name, value, recorded.get(name), memory)
            continue
        shown = job.inputs.get(name)
        many = not isinstance(value, str)
        paths = (value,) if isinstance(value, str) else value
        told = shown if isinstance(shown, list) else [shown] * len(paths)
        before = recorded.get(name) or []
        for at, path in enumerate(paths):
            row = before[at] if many and at < len(before) else None if many else before
            digest = row[1] if row else files[path][1] if path in files else None
            yield _input(name, str(told[at]), path, digest, memory, unread=NOT_NOTED if _was_read(job) else NEVER_READ)


def _was_read(job: JobView) -> bool:
    """Whether an attempt came as far as its inputs; one that dies takes the digests of what it read with it."""
    return any(each.status is Status.FAILED and each.category != Category.MISSING_INPUT for each in job.history)


def _input(name: str, shown: str, path: str, recorded: str | None, memory: Memory, *, unread: str) -> FileState:
    try:
        now = memory.digest(path) if os.path.isfile(path) else None
    except OSError:
        now = None
    if now is None:
        state = GONE
    elif recorded is None:
        state = unread
    else:
        state = AS_IT_WAS if now == recorded else CHANGED
    return FileState(name=name, path=shown, recorded=recorded, now=now, state=state)


def _handed(name: str, value: From, recorded: Json, memory: Memory) -> FileState:
    """An input that earlier jobs make."""
    if value.gather is not None:
        present = sum((m := memory.jobs.get(job)) is not None and m.done for job in value.jobs)
        path = f"{present} of {len(value.jobs)} jobs, from {value.jobs[0]} on" if value.jobs else "no jobs"
        return FileState(name=name, path=path, recorded=None, now=None, state=AS_IT_WAS if recorded else NEVER_READ)
    handed = memory.handed(value.jobs[0])
    now = handed.outputs.get(value.output or "") if handed is not None else None
    before = recorded if isinstance(recorded, str) else None
    state = GONE if now is None else NEVER_READ if before is None else AS_IT_WAS if before == now else CHANGED
    return FileState(name=name, path=f"{value.output} of {value.jobs[0]}", recorded=before, now=now, state=state)


def _outputs(remembered: Remembered, memory: Memory) -> Iterator[FileState]:
    for made in remembered.outputs:
        if not os.path.lexists(os.path.join(memory.root, made.path)):
            state = GONE
        else:
            state = CHANGED if memory.whole(replace(remembered, outputs=(made,))) else AS_IT_WAS
        yield FileState(name=made.name, path=made.path, recorded=made.digest, now=None, state=state)


def _tail(path: Path) -> tuple[str, ...]:
    """The last lines of a log, or none where it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_BYTES))
            text = file.read(_LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-LOG_LINES:])
