"""The plan: each job of a batch with what would happen to it, and why. Nothing is run to make it."""

from __future__ import annotations

import os
import re
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from batchlab.engine._describe import TaskCard, resolve
from batchlab.engine._digest import canonical
from batchlab.engine._key import Around, Recipe, Recipes, difference, inputs_text, make_key, same_files
from batchlab.engine._ledger import ledger_version, open_reader
from batchlab.engine._memory import Memory, Remembered, recall
from batchlab.engine._model import Batch, Conflict, From, Gather, Job, Json, Status
from batchlab.engine._names import collision_key
from batchlab.engine._place import FOLDER, Place
from batchlab.engine._task import suggestion
from batchlab.errors import ConfigError, Problem

_NO_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # in no file's name that we write


class Verdict(StrEnum):
    """What would happen to a job."""

    RUN = "run"
    SKIP = "skip"
    STALE = "stale"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """One job, what would happen to it, and why."""

    job: Job
    verdict: Verdict
    reason: str
    outputs: Mapping[str, str]  # where they will lie, conflicts settled
    bytes: int = 0  # of its input files
    skipped: bool = False  # its output belongs to somebody else, and conflict is skip
    conflict: str | None = None  # a foreign file in its way, and conflict is fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `run` would do."""

    batch: Batch  # params resolved
    jobs: tuple[PlannedJob, ...]
    cards: Mapping[str, TaskCard]  # by the task name that jobs use
    recipes: Recipes
    around: Around

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs of each verdict."""
        counted = Counter(str(planned.verdict) for planned in self.jobs)
        return {str(verdict): counted[str(verdict)] for verdict in Verdict}

    def as_json(self) -> dict[str, Json]:
        """The shape that `plan --json` prints."""
        return {
            "batch": self.batch.name,
            "counts": self.counts,
            "jobs": [
                {
                    "name": planned.job.name,
                    "task": planned.job.task,
                    "state": str(planned.verdict),
                    "reason": planned.reason,
                }
                for planned in self.jobs
            ],
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch with nothing wrong in it that can be told without looking at any earlier run."""

    batch: Batch  # params resolved
    cards: Mapping[str, TaskCard]


def plan(batch: Batch | Checked, *, fresh: bool = False, only: str | None = None, memory: Memory | None = None) -> Plan:
    """Say for every job of a batch whether it would run, and why.

    Parameters
    ----------
    batch
        Any batch, from a builder or a batch file; or one that `check` has passed.
    fresh
        Plan as if nothing had been done before.
    only
        Plan only the jobs whose names match this pattern, and what they need.
    memory
        What the ledger remembers; read from the batch's output folder if it is not given.

    Raises
    ------
    ConfigError
        If a task or a param is wrong, two jobs write one file, or needs go in a circle: all that is wrong.
    StartError
        If the ledger cannot be read.
    """
    checked = batch if isinstance(batch, Checked) else check(batch)
    batch, cards = checked.batch, checked.cards
    if memory is None:
        memory = _recall(batch)
    planner = _Planner(batch, cards, memory, fresh=fresh)
    planned = [planner.judge(job) for job in in_order(batch.jobs)]
    position = {job.name: at for at, job in enumerate(batch.jobs)}
    planned.sort(key=lambda each: position[each.job.name])
    planned = _settle(batch, planned, memory)
    if only is not None:
        planned = _select(planned, only)
    return Plan(batch=batch, jobs=tuple(planned), cards=cards, recipes=planner.recipes, around=planner.around)


def _recall(batch: Batch) -> Memory:
    root = str(batch.output.resolve())
    ledger = Place(batch.output).ledger
    if not ledger.exists() or (os.access(ledger.parent, os.W_OK) and ledger_version(ledger) == 0):
        return Memory(root=root)
    reader = open_reader(ledger)
    memory = recall(root, reader.db.execute)
    weakref.finalize(memory, reader.close)  # it is asked for more while the plan is made
    return memory


# checking


def check(batch: Batch) -> Checked:
    """The batch with all params resolved, and the card of every task; or all that is wrong with it."""
    problems: list[str] = []
    names = Counter(job.name for job in batch.jobs)
    problems += [f"{count} jobs are called {name!r}" for name, count in names.items() if count > 1]
    for job in batch.jobs:
        for other in job.upstream:
            if other not in names:
                problems.append(f"{job.name} needs {other!r}, which is no job{suggestion(other, list(names))}")
    by_task: dict[str, list[Mapping[str, Json]]] = {}
    for job in batch.jobs:
        by_task.setdefault(job.task, []).append(job.params)
    resolved = resolve(by_task)
    cards: dict[str, TaskCard] = {}
    for name, found in resolved.items():
        if found.card is None:
            problems.append(found.error or f"task {name} is not known")
        else:
            cards[name] = found.card
            told = {problem.message: None for checked in found.params for problem in checked.problems}
            problems += list(told)[:20]
    if problems:
        raise ConfigError.of([Problem(message=text) for text in problems])
    checked_params = {name: iter(found.params) for name, found in resolved.items()}
    jobs: list[Job] = []
    shared: dict[tuple[str, int], Mapping[str, Json]] = {}
    for job in batch.jobs:
        checked = next(checked_params[job.task])
        params = shared.get((job.task, id(checked)))
        if params is None:
            resolved_params = checked.resolved or {}
            # Told apart by their text, for 5 == 5.0 == True would give one job several keys.
            same = canonical(dict(job.params)) == canonical(dict(resolved_params))
            params = job.params if same else resolved_params
            shared[(job.task, id(checked))] = params
        jobs.append(job if job.params is params else replace(job, params=params))
        problems += _io_problems(job, cards[job.task])
    problems += _handing_problems(batch.jobs)
    if problems:
        raise ConfigError.of([Problem(message=text) for text in dict.fromkeys(problems)])
    return Checked(replace(batch, jobs=tuple(jobs)), cards)


def _io_problems(job: Job, card: TaskCard) -> Iterator[str]:
    if card.any_io:
        return
    for name in card.inputs:
        if name not in job.inputs:
            yield f"{job.name}: {card.name} needs the input {name!r}"
    for kind, given, known in (
        ("input", job.inputs, card.inputs + card.optional_inputs),
        ("output", job.outputs, tuple(card.outputs)),
    ):
        for name in given:
            if name not in known:
                yield f"{job.name}: {card.name} has no {kind} {name!r}{suggestion(name, known)}"


def _handing_problems(jobs: Sequence[Job]) -> Iterator[str]:
    """What is wrong with inputs that earlier jobs make, and with the places of outputs."""
    by_name = {job.name: job for job in jobs}
    for job in jobs:
        for name, value in job.inputs.items():
            if isinstance(value, From) and value.gather is None:
                yield from _single_problems(job.name, name, value, by_name)
        for name, target in job.outputs.items():
            if _leads_astray(target):
                yield f"{job.name}: output {name!r} cannot be {target!r}; give a path below the output folder"


def _single_problems(job: str, name: str, value: From, by_name: Mapping[str, Job]) -> Iterator[str]:
    if len(value.jobs) != 1:
        yield f"{job}: input {name!r} comes from {len(value.jobs)} jobs; name one, or gather them"
        return
    made = by_name[value.jobs[0]].outputs
    target = made.get(value.output or "")
    if target is None:
        near = suggestion(value.output or "", list(made))
        yield f"{job}: input {name!r} wants the output {value.output!r}, which {value.jobs[0]} does not make{near}"
    elif target.endswith("/"):
        yield f"{job}: input {name!r} wants the output {value.output!r} of {value.jobs[0]}, a folder; gather it instead"


def _leads_astray(target: str) -> bool:
    """Whether an output's path is none, or leads out of the output root or into the engine's own folder."""
    parts = target.removesuffix("/").split("/")
    unsafe = any(part in ("", ".", "..") for part in parts) or _NO_NAME.search(target) is not None
    return unsafe or parts[0].rstrip(". ").casefold() == FOLDER


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Jobs so that each comes after those it needs, else in the order given.

    Raises
    ------
    ConfigError
        If needs go in a circle.
    """
    if not any(job.upstream for job in jobs):
        return list(jobs)
    by_name = {job.name: job for job in jobs}
    ordered: dict[str, Job] = {}
    for first in jobs:
        path: dict[str, Iterator[str]] = {}
        name: str | None = first.name
        while name is not None:
            if name in ordered:
                path.pop(name, None)
                name = next(reversed(path), None)
                continue
            above = path.setdefault(name, iter(by_name[name].upstream))
            waiting = next((other for other in above if other not in ordered), None)
            if waiting is None:
                ordered[name] = by_name[name]
            elif waiting in path:
                circle = [*list(path)[list(path).index(waiting) :], waiting]
                raise ConfigError(f"jobs need each other in a circle: {' -> '.join(circle)}")
            else:
                name = waiting
    return list(ordered.values())


# judging


class _Planner:
    """Judges jobs in the order of their needs."""

    def __init__(self, batch: Batch, cards: Mapping[str, TaskCard], memory: Memory, *, fresh: bool) -> None:
        self._cards = cards
        self._memory = memory
        self._fresh = fresh
        self._verdicts: dict[str, Verdict] = {}
        self._keep = {name for job in batch.jobs for name in job.upstream}
        self._sizes: dict[str, int | None] = {}
        self.recipes = Recipes()
        self.around = Around()

    def judge(self, job: Job) -> PlannedJob:
        """What would happen to this job, given what would happen to those before it."""
        size, missing = self._input_bytes(job)
        if missing is None:
            self.around.of(job, self._cards[job.task])
        verdict, reason = self._verdict(job, missing)
        if job.name in self._keep:
            self._verdicts[job.name] = verdict
        return PlannedJob(job=job, verdict=verdict, reason=reason, outputs=job.outputs, bytes=size)

    def _verdict(self, job: Job, missing: str | None) -> tuple[Verdict, str]:
        waits: list[str] = []
        for name in job.upstream:
            verdict = self._verdicts[name]
            if verdict is Verdict.BLOCKED and not _gathers_done(job, name):
                return Verdict.BLOCKED, f"blocked by {name}"
            if verdict in (Verdict.RUN, Verdict.STALE):
                waits.append(name)
        if missing is not None:
            return Verdict.BLOCKED, missing
        remembered = self._memory.jobs.get(job.name)
        if self._fresh:
            return Verdict.RUN, "asked for anew"
        if waits:
            others = f" and {len(waits) - 1} others" if len(waits) > 1 else ""
            return Verdict.RUN, f"waits for {waits[0]}{others}"
        if remembered is None:
            return Verdict.RUN, "new"
        if not remembered.done:
            return Verdict.RUN, _not_done(remembered)
        card = self._cards[job.task]
        change = changed(job, self.recipes.of(job, card), self.around.of(job, card), remembered, self._memory)
        return (Verdict.SKIP, "done before, nothing changed") if change is None else (Verdict.STALE, change)

    def _input_bytes(self, job: Job) -> tuple[int, str | None]:
        """Bytes of its input files, and what is missing."""
        total = 0
        for name, value in job.inputs.items():
            if isinstance(value, From):
                continue
            for path in (value,) if isinstance(value, str) else value:
                size = self._size(path)
                if size is None and isinstance(value, str):
                    hint = "; [ ] is no pattern: write * for any text, ? for one sign" if "[" in path else ""
                    return total, f"input {name} is missing: {path}{hint}"
                total += size or 0  # one of many that is missing costs its item, not the job
        return total, None

    def _size(self, path: str) -> int | None:
        try:
            return os.stat(path).st_size
        except OSError:
            return None


def _gathers_done(job: Job, name: str) -> bool:
    return any(
        isinstance(value, From) and value.gather is Gather.DONE and name in value.jobs for value in job.inputs.values()
    )


def _not_done(remembered: Remembered) -> str:
    if remembered.state is Status.FAILED:
        words = remembered.category or "generic"
        return f"failed before: {words}" + (f" ({remembered.reason})" if remembered.reason else "")
    if remembered.state is Status.PENDING:
        return "not done yet" if remembered.attempts else "new"
    if remembered.state is Status.RUNNING:
        return "interrupted before"
    if remembered.state is Status.SKIPPED:
        return "skipped before"
    return f"{remembered.state} before"


def changed(job: Job, recipe: Recipe, around: Mapping[str, str], remembered: Remembered, memory: Memory) -> str | None:
    """None if a done job needs no new run; else the first reason why it does."""
    if remembered.key is None:
        return "key: not recorded"
    if not remembered.key.startswith(recipe.digest):
        before = memory.fields_of(remembered.id)
        return difference(before[0], recipe.text, None, None) if before else "key: not recorded"
    try:
        inputs = inputs_text(job, memory.digest, memory.handed, around)
    except OSError as error:
        return f"input cannot be read: {error}"
    if make_key(recipe, inputs) != remembered.key:
        before = memory.fields_of(remembered.id)
        if not before:
            return "key: not recorded"
        if not same_files(before[1], inputs):
            return difference(before[0], recipe.text, before[1], inputs)
    targets = {made.name.split("/", 1)[0]: made for made in remembered.outputs}
    for name, target in job.outputs.items():
        made = targets.get(name)
        if made is None and not target.endswith("/"):
            return f"output {name} was not made"
        if made is not None and made.target != target:
            return f"output {name}: {made.target} -> {target}"
    return memory.whole(remembered)


# outputs: equal names, foreign files


def _settle(batch: Batch, planned: list[PlannedJob], memory: Memory) -> list[PlannedJob]:
    """Give every output its final path, in job order; refuse two jobs that would write one file."""
    conflict = batch.settings.conflict
    stamp = f"_{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    taken: dict[str, str] = {}
    problems: list[str] = []
    settled: list[PlannedJob] = []
    root = memory.root
    for each in planned:
        paths: dict[str, str] | None = None
        skipped, blocked = False, None
        for name, target in each.job.outputs.items():
            path = target
            remembered = memory.jobs.get(each.job.name)
            if conflict in (Conflict.AUTO_INCREMENT, Conflict.TIMESTAMP) and remembered is not None:
                path = next(_places_before(remembered, name, target), path)
            known = collision_key(path)
            other = taken.get(known)
            if other is not None and conflict is not Conflict.AUTO_INCREMENT:
                problems.append(f"{each.job.name} and {other} would both write {path}")
            foreign = path not in memory.owners and not path.endswith("/") and os.path.lexists(f"{root}/{path}")
            if foreign and conflict is Conflict.FAIL:
                blocked = (
                    f"{path} is there already and was not made by this batch; move it, choose another output folder, "
                    "or write settings: {conflict: overwrite} in a batch file"
                )
            elif foreign and conflict is Conflict.SKIP:
                skipped = True
            elif foreign and conflict is Conflict.TIMESTAMP:
                path = _with_suffix(path, stamp)
            if conflict is Conflict.AUTO_INCREMENT and (foreign or other is not None):
                path = _free_name(path, taken, root)
            known = collision_key(path)
            taken[known] = each.job.name
            if path != target:
                paths = {**(paths or each.job.outputs), name: path}
        settled.append(_with_settled(each, paths, skipped=skipped, blocked=blocked))
    problems += _inside_others(taken)
    if problems:
        raise ConfigError.of([Problem(message=text) for text in problems])
    return settled


def _places_before(remembered: Remembered, name: str, target: str) -> Iterator[str]:
    """Where an output, or the folder of one, was put when its name was taken."""
    for made in remembered.outputs:
        base, _, inner = made.name.partition("/")
        if base == name and made.target == target:
            yield made.path.removesuffix(inner)


def _with_settled(
    each: PlannedJob, paths: Mapping[str, str] | None, *, skipped: bool, blocked: str | None
) -> PlannedJob:
    if paths is None and not skipped and blocked is None:
        return each
    changes = replace(each, outputs=paths or each.outputs)
    if each.verdict is Verdict.SKIP:
        return changes
    if blocked is not None:
        return replace(changes, verdict=Verdict.BLOCKED, reason=blocked, conflict=blocked)
    if skipped:
        return replace(changes, verdict=Verdict.SKIP, reason="its output is there already", skipped=True)
    return changes


def _inside_others(taken: Mapping[str, str]) -> Iterator[str]:
    """A file cannot be a folder as well, and a folder of one job is no place for another's files."""
    whole = {path.removesuffix("/"): owner for path, owner in taken.items()}
    if len(whole) < len(taken):
        for path in taken:
            if path.endswith("/") and path[:-1] in taken:
                yield f"{taken[path]} would make the folder {path} where {taken[path[:-1]]} writes a file"
    for path, job in taken.items():
        above = path.removesuffix("/").rpartition("/")[0]
        while above:
            owner = whole.get(above)
            if owner is not None:
                yield f"{job} would write {path} into {above}, which {owner} makes"
            above = above.rpartition("/")[0]


def _with_suffix(path: str, suffix: str) -> str:
    if path.endswith("/"):
        return f"{path[:-1]}{suffix}/"
    head, dot, tail = path.rpartition(".")
    return f"{head}{suffix}.{tail}" if dot and "/" not in tail and head else path + suffix


def _free_name(path: str, taken: Mapping[str, str], root: str) -> str:
    for number in range(1, 1_000_000):
        candidate = _with_suffix(path, f"_{number:03d}")
        if collision_key(candidate) not in taken and not os.path.lexists(f"{root}/{candidate}"):
            return candidate
    raise ConfigError(f"{path}: a million files of that name are there already")


def _select(planned: list[PlannedJob], only: str) -> list[PlannedJob]:
    chosen = {each.job.name for each in planned if fnmatchcase(each.job.name, only)}
    if not chosen:
        names = [each.job.name for each in planned]
        raise ConfigError(f"--only {only}: no job's name matches{suggestion(only, names)}")
    by_name = {each.job.name: each for each in planned}
    waiting = list(chosen)
    while waiting:
        for name in by_name[waiting.pop()].job.upstream:
            if name not in chosen:
                chosen.add(name)
                waiting.append(name)
    return [each for each in planned if each.job.name in chosen]
