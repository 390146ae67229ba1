"""A job's key: what its result depends on, as one digest, and the words for what differs.

The key has two halves. The first covers what the batch says (task, version, params, libraries), the second what the
inputs hold. A changed parameter is therefore noticed without reading a single input.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from batchlab.engine._describe import TaskCard
from batchlab.engine._digest import canonical, text_digest
from batchlab.engine._execute import library_versions
from batchlab.engine._model import EMPTY, From, Job, Json

_AROUND = "(surroundings)"  # no input's name


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a batch says of a job, its inputs' content left aside."""

    text: str  # canonical JSON of task, version, params and libraries
    digest: str


@dataclass(frozen=True, slots=True)
class Handed:
    """What an upstream job hands over: digests of its outputs, and of its metrics."""

    outputs: Mapping[str, str]
    metrics: str


class Around:
    """What the results of jobs depend on beside params and inputs, as it was when they were planned."""

    def __init__(self) -> None:
        self._found: dict[str, Mapping[str, str]] = {}  # of jobs that depend on anything

    def of(self, job: Job, card: TaskCard) -> Mapping[str, str]:
        """The job's, asked for once, so that what changes while it runs makes it stale afterwards."""
        if card.surroundings is None:
            return EMPTY
        known = self._found.get(job.name)
        if known is None:
            files = {
                name: (value,) if isinstance(value, str) else tuple(value)
                for name, value in job.inputs.items()
                if not isinstance(value, From)
            }
            known = self._found[job.name] = dict(card.surroundings(job.params, files)) or EMPTY
        return known


class Recipes:
    """Makes recipes, one for all jobs that share their params object."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], tuple[Recipe, Any]] = {}

    def of(self, job: Job, card: TaskCard) -> Recipe:
        """The job's recipe; its params must be resolved."""
        found = self._made.get((job.task, id(job.params)))
        if found is not None:
            return found[0]
        text = canonical(
            {
                "task": card.name,
                "version": card.version,
                "params": dict(job.params),
                "libraries": library_versions(card.libraries),
            }
        )
        recipe = Recipe(text, text_digest(text))
        self._made[(job.task, id(job.params))] = recipe, job.params  # the object is kept, so its id stays its own
        return recipe


def inputs_text(
    job: Job,
    digest_of: Callable[[str], str],
    handed: Callable[[str], Handed | None],
    around: Mapping[str, str] = EMPTY,
) -> str:
    """Canonical JSON of what the inputs hold: file names and digests; folders do not count.

    Parameters
    ----------
    digest_of
        Digest of the file at a path.
    handed
        What an upstream job hands over; None of a member that a gathering job goes without.
    around
        What else the job depends on.
    """
    found: dict[str, Json] = {}
    for name in sorted(job.inputs):
        value = job.inputs[name]
        if isinstance(value, str):
            found[name] = [os.path.basename(value), digest_of(value)]
        elif isinstance(value, From):
            members = {job_name: given for job_name in value.jobs if (given := handed(job_name)) is not None}
            if value.gather is None:
                (given,) = members.values()
                found[name] = given.outputs[value.output or ""]
            else:
                found[name] = {
                    job_name: [given.metrics, dict(sorted(given.outputs.items()))]
                    for job_name, given in sorted(members.items())
                }
        else:
            found[name] = [[os.path.basename(path), digest_of(path)] for path in value]
    if around:
        found[_AROUND] = dict(sorted(around.items()))
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def make_key(recipe: Recipe, inputs: str) -> str:
    """The key: both halves."""
    return f"{recipe.digest}-{text_digest(inputs)}"


def same_files(before: str | None, now: str) -> bool:
    """Whether inputs differ only in who gives them: a file that a job handed over then, and that is named now.

    A batch may take from a job what another takes as it lies there. Names of files that are handed over do not count.

    Parameters
    ----------
    before, now
        Of `inputs_text`.
    """
    old, new = json.loads(before or "{}"), json.loads(now)
    if old.keys() != new.keys():
        return False
    return all(
        old[name] == new[name]
        or (isinstance(old[name], str) is not isinstance(new[name], str) and _alone(old[name]) == _alone(new[name]))
        for name in new
    )


def _alone(given: Json) -> Json:
    """The digest of an input that is one file; of any other the input."""
    return given[1] if isinstance(given, list) and len(given) == 2 and isinstance(given[0], str) else given


def difference(recipe_before: str, recipe_now: str, inputs_before: str | None, inputs_now: str | None) -> str:
    """The first field that differs, in words."""
    before, now = json.loads(recipe_before), json.loads(recipe_now)
    if before["task"] != now["task"]:
        return f"task: {before['task']} -> {now['task']}"
    if before["version"] != now["version"]:
        return f"task version: {before['version']} -> {now['version']}"
    for group in ("params", "libraries"):
        change = _first_change(before[group], now[group])
        if change is not None:
            return f"{group}.{change}"
    old, new = json.loads(inputs_before or "{}"), json.loads(inputs_now or "{}")
    for name in [*new, *(n for n in old if n not in new)]:
        if old.get(name) != new.get(name):
            if name == _AROUND:
                return _around_change(old.get(name) or {}, new.get(name) or {})
            return f"input {name}: {_input_change(old.get(name), new.get(name))}"
    return "key: made by another version of batchlab"


def _first_change(before: Json, now: Json) -> str | None:
    for name in [*now, *(n for n in before if n not in now)]:
        old, new = before.get(name), now.get(name)
        # Compared as the key sees them: 5 and 5.0 are two texts, and NaN is one.
        if canonical([before[name]] if name in before else []) == canonical([now[name]] if name in now else []):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            return f"{name}.{_first_change(old, new)}"
        return f"{name}: {_shown(before, name)} -> {_shown(now, name)}"
    return None


def _shown(values: Mapping[str, Json], name: str) -> str:
    if name not in values:
        return "not given"
    text = canonical(values[name])
    return text if len(text) <= 40 else text[:37] + "..."


def _around_change(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    name = next(name for name in [*new, *old] if old.get(name) != new.get(name))
    return f"{name} {'is new' if name not in old else 'is gone' if name not in new else 'has changed'}"


def _input_change(old: Json, new: Json) -> str:
    if old is None:
        return "added"
    if new is None:
        return "no longer given"
    if isinstance(old, list) and isinstance(new, list) and len(old) == 2 and isinstance(old[0], str):
        if isinstance(new[0], str) and old[0] != new[0]:
            return f"{old[0]} -> {new[0]}"
        return f"{new[0]} has changed"
    if isinstance(old, list) and isinstance(new, list):
        before, now = dict(map(tuple, old)), dict(map(tuple, new))
        for name in now:
            if name not in before:
                return f"{name} added"
            if before[name] != now[name]:
                return f"{name} has changed"
        gone = [name for name in before if name not in now]
        return f"{gone[0]} removed" if gone else "order has changed"
    if isinstance(old, dict) and isinstance(new, dict):
        for job in [*new, *(n for n in old if n not in new)]:
            if old.get(job) != new.get(job):
                how = "is new" if job not in old else "is gone" if job not in new else "gave another result"
                return f"{job} {how}"
    return "made anew, with another content"
