"""A batch over a grid of params: every job once for each combination."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import overload

from batchlab.builders._entry import Entry, Finding, problems_of
from batchlab.builders._labels import sweep_name
from batchlab.builders._variants import MAX_JOBS, Variant, param_finding, variants
from batchlab.engine import Batch, From, Input, Job, Json, render_template, resolve
from batchlab.errors import ConfigError


@overload
def grid(base: Batch, axes: Mapping[str, Sequence[Json]]) -> Batch: ...


@overload
def grid(base: Job, axes: Mapping[str, Sequence[Json]]) -> tuple[Job, ...]: ...


def grid(base: Batch | Job, axes: Mapping[str, Sequence[Json]]) -> Batch | tuple[Job, ...]:
    """Run every job once for each combination of values.

    Parameters
    ----------
    base
        A batch, or one job.
    axes
        Dotted path to values, as in ``{"params.window": [5, 11], "params.baseline.order": [1, 2]}``; all
        paths and values are checked against the tasks here.

    Returns
    -------
    Batch or tuple of Job
        What `base` was, multiplied. ``/window=5`` is added to each name and ``_window=5`` to each output.
        A job that follows another of the batch follows the one of its own combination.

    Raises
    ------
    ConfigError
        With every path and value that does not fit.
    """
    jobs = base.jobs if isinstance(base, Batch) else (base,)
    if not axes:
        raise ConfigError("a grid needs at least one path with values, as in {'params.window': [5, 11]}")
    findings: list[Finding] = []
    entries: dict[tuple[str, int], Entry] = {}
    combinations: dict[tuple[str, int], list[Variant]] = {}
    for job in jobs:
        key = (job.task, id(job.params))
        if key not in entries:
            entries[key] = Entry(id=job.name, task=job.task, params=job.params, sweep=axes)
            combinations[key] = variants(entries[key], findings)
    if not findings:
        _check(entries, combinations, findings)
    if findings:
        raise ConfigError.of(problems_of(list(dict.fromkeys(findings))))
    if sum(len(combinations[job.task, id(job.params)]) for job in jobs) > MAX_JOBS:
        raise ConfigError(f"the grid makes more than {MAX_JOBS:,} jobs; part it")
    names = {job.name for job in jobs}
    made = tuple(_variant(job, variant, names) for job in jobs for variant in combinations[job.task, id(job.params)])
    return dataclasses.replace(base, jobs=made) if isinstance(base, Batch) else made


def _check(
    entries: Mapping[tuple[str, int], Entry],
    combinations: Mapping[tuple[str, int], list[Variant]],
    findings: list[Finding],
) -> None:
    asked: dict[str, list[Mapping[str, Json]]] = {}
    owners: dict[str, list[tuple[Entry, Variant]]] = {}
    for key, entry in entries.items():
        for variant in combinations[key]:
            asked.setdefault(entry.task, []).append(variant.params)
            owners.setdefault(entry.task, []).append((entry, variant))
    for task, answer in resolve(asked).items():
        if answer.card is None:
            findings.append(Finding(path=("task",), message=answer.error or f"no task is called {task!r}"))
            continue
        for (entry, variant), checked in zip(owners[task], answer.params, strict=True):
            findings.extend(param_finding(entry, variant, problem) for problem in checked.problems)


def _variant(job: Job, variant: Variant, names: set[str]) -> Job:
    added = sweep_name(variant.swept)

    def renamed(name: str) -> str:
        return name + added if name in names else name

    return dataclasses.replace(
        job,
        name=job.name + added,
        params=variant.params,
        inputs={key: _follow(value, renamed) for key, value in job.inputs.items()},
        outputs={key: _apart(path, variant) for key, path in job.outputs.items()},
        needs=tuple(map(renamed, job.needs)),
    )


def _follow(value: Input, renamed: Callable[[str], str]) -> Input:
    return dataclasses.replace(value, jobs=tuple(map(renamed, value.jobs))) if isinstance(value, From) else value


def _apart(path: str, variant: Variant) -> str:
    """An output's path with the combination in it, ahead of the extension."""
    fields = {f"f{i}": value for i, value in enumerate(variant.swept.values())}
    names = zip(variant.swept, fields, strict=True)
    added = render_template("".join(f"_{label}={{{name}}}" for label, name in names), fields)
    folder, slash, name = path.rstrip("/").rpartition("/")
    if path.endswith("/"):
        return f"{folder}{slash}{name}{added}/"
    stem, dot, extension = name.rpartition(".")
    return f"{folder}{slash}{stem}{added}.{extension}" if dot and stem else f"{folder}{slash}{name}{added}"
