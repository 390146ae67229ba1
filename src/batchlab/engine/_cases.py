"""One job's way through a run: what the runner keeps of it, and the attempt it makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from batchlab.engine._events import Attempt, Member, ResolvedInput, Result, Stat
from batchlab.engine._history import Past
from batchlab.engine._memory import Made, Memory
from batchlab.engine._model import BatchState, From, Item, Job, Json, Outcome, Status
from batchlab.engine._plan import PlannedJob
from batchlab.engine._progress import Observed
from batchlab.engine._promote import Move
from batchlab.engine._redact import Redactor


@dataclass(slots=True, eq=False, kw_only=True)
class Case:
    """One job of a run, as it goes along."""

    planned: PlannedJob
    id: int  # in the ledger
    number: int = 0  # attempts so far, those of earlier runs among them
    attempts: int = 0  # of this run
    strikes: int = 0
    lost: int = 0
    deaths: int = 0  # how often it ran when a runner died
    found: bool = False  # done before, as it turned out when those it waited for were done
    ended: Outcome | None = None  # as it was announced
    skip_items: frozenset[str] = frozenset()
    blamed: tuple[Item, ...] = ()
    warnings: tuple[str, ...] = ()
    note: str | None = None
    log: str | None = None
    attempt: Attempt | None = None

    @property
    def job(self) -> Job:
        """The job."""
        return self.planned.job


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    counts: dict[Status, int] = field(default_factory=dict)
    found_done: int = 0
    items_failed: int = 0
    cache: dict[str, int] = field(default_factory=dict)
    seen: dict[str, Past] = field(default_factory=dict)
    priors: dict[str, Json] = field(default_factory=dict)
    reason: str | None = None
    state: BatchState = BatchState.RUNNING
    elapsed_s: float = 0.0

    def count(self, outcome: Outcome) -> None:
        """One more job is over."""
        self.counts[outcome.status] = self.counts.get(outcome.status, 0) + 1
        self.items_failed += sum(item.status is Status.FAILED for item in outcome.items)

    def take_back(self, outcome: Outcome) -> None:
        """A job that was over is to run once more."""
        self.counts[outcome.status] -= 1
        self.items_failed -= sum(item.status is Status.FAILED for item in outcome.items)

    def see(self, task: str, size: int, result: Result) -> None:
        """What an attempt took, for later estimates."""
        past = self.seen.get(task) or Past(Observed(), 0)
        peak = max(past.peak_bytes, result.peak_memory_bytes or 0)
        self.seen[task] = Past(past.observed.add(float(size), result.elapsed_s), peak)

    @property
    def troubled(self) -> bool:
        """Whether any job or item is not as it should be."""
        bad = (Status.FAILED, Status.BLOCKED, Status.CANCELLED, Status.INTERRUPTED)
        return self.items_failed > 0 or any(self.counts.get(status) for status in bad)


def attempt_for(
    case: Case,
    number: int,
    memory: Memory,
    *,
    scratch: str,
    durable: bool,
    provenance: Mapping[str, str],
    group_left_s: float | None,
) -> Attempt:
    """The next attempt at a job."""
    job = case.job
    limits = job.limits
    if group_left_s is not None and (limits.timeout_s is None or group_left_s < limits.timeout_s):
        limits = replace(limits, timeout_s=group_left_s)
    inputs = resolve_inputs(job, memory)
    return Attempt(
        id=number,
        job=job.name,
        number=case.number,
        task=job.task,
        params=job.params,
        inputs=inputs,
        outputs=case.planned.outputs,
        scratch=f"{scratch}/{number}",
        limits=limits,
        affinity=job.affinity,
        digests=_known_digests(job, memory),
        skip_items=case.skip_items,
        durable=durable,
        provenance=provenance,
    )


def resolve_inputs(job: Job, memory: Memory) -> dict[str, ResolvedInput]:
    """Inputs as files: those of earlier jobs are looked up."""
    found: dict[str, ResolvedInput] = {}
    for name, value in job.inputs.items():
        if not isinstance(value, From):
            found[name] = value
        elif value.gather is None:
            outputs = _outputs(value.jobs[0], memory)
            found[name] = outputs[value.output or ""]
        else:
            found[name] = tuple(
                Member(
                    job=member,
                    outputs=_outputs(member, memory),
                    metrics=json.loads(memory.metrics_of(memory.jobs[member].id)),
                )
                for member in value.jobs
                if member in memory.jobs and memory.jobs[member].done
            )
    return found


def _outputs(job: str, memory: Memory) -> dict[str, str]:
    return {made.name: f"{memory.root}/{made.path}" for made in memory.jobs[job].outputs}


def _known_digests(job: Job, memory: Memory) -> dict[str, tuple[Stat, str]]:
    known: dict[str, tuple[Stat, str]] = {}
    for value in job.inputs.values():
        if isinstance(value, From):
            for member in value.jobs:
                remembered = memory.jobs.get(member)
                for made in remembered.outputs if remembered is not None else ():
                    known[f"{memory.root}/{made.path}"] = (made.stat, made.digest)
        else:
            for path in (value,) if isinstance(value, str) else value:
                if path in memory.files:
                    known[path] = memory.files[path]
    return known


def made_of(move: Move) -> Made:
    """A moved output, as the memory keeps it."""
    return Made(move.name, move.path, move.target, move.digest, move.stat)


def redacted(result: Result, redactor: Redactor) -> Result:
    """A result without secrets in its texts."""
    if result.log is None and not result.warnings and not result.items:
        return result
    return replace(
        result,
        log=redactor.maybe(result.log),
        warnings=tuple(map(redactor.text, result.warnings)),
        items=tuple(replace(item, message=redactor.maybe(item.message)) for item in result.items),
    )


def worth_telling(items: Iterable[Item]) -> tuple[Item, ...]:
    """Items by name, a failure outweighing what else is said of the same one."""
    found: dict[str, Item] = {}
    for item in items:
        if item.name not in found or item.status is Status.FAILED:
            found[item.name] = item
    return tuple(found.values())
