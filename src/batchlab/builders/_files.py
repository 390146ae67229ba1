"""Batches of files: one job per file, from a list, a folder or named groups."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchlab.builders._entry import Each, Entry, Finding, InputSpec, Many, problems_of, read_input
from batchlab.builders._expand import expand_or_raise
from batchlab.builders._match import match
from batchlab.builders._own import match_foreign
from batchlab.builders._paths import last_word
from batchlab.engine import Batch, Job, Json, Limits, Scalar, Settings
from batchlab.engine._model import EMPTY, NO_LIMITS
from batchlab.errors import ConfigError

_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGroup:
    """Files whose names agree in the fields of a pattern."""

    fields: Mapping[str, str]  # field name, or the wildcard's number, to its text
    files: tuple[str, ...]  # absolute, sorted

    @property
    def name(self) -> str:
        """The fields' texts, joined: ``A/2`` of subject A, session 2; none of them holds a slash."""
        return "/".join(self.fields.values())


def from_files(
    task: str,
    files: Iterable[str | os.PathLike[str]],
    *,
    output: str | os.PathLike[str],
    input: str = "sample",
    name: str | None = None,
    inputs: Mapping[str, object] = EMPTY,
    params: Mapping[str, Json] = EMPTY,
    sweep: Mapping[str, Sequence[Json]] = EMPTY,
    outputs: Mapping[str, str | None] = EMPTY,
    limits: Limits = NO_LIMITS,
    priority: int = 0,
    group: str | None = None,
    metadata: Mapping[str, Scalar] = EMPTY,
    settings: Settings | None = None,
) -> Batch:
    """A batch with one job per file.

    Parameters
    ----------
    task
        ``spectra.compare`` or ``file.py:function``.
    files
        Paths, relative ones to the current folder; a repeated one counts once. One that is missing fails its
        own job.
    output
        The output root.
    input
        The task's input that receives the file.
    name
        The batch's name; the task's last word if not given.
    inputs
        The other inputs, the same for every job: a path or a list of paths each.
    params, sweep, outputs, limits, priority, group, metadata
        As in a batch file; `sweep` maps dotted paths to lists, as in ``{"params.window": [5, 11]}``.
    settings
        How the batch is run.

    Returns
    -------
    Batch
        Its jobs are named as in a batch file: ``compare/leaf_1/window=5``.

    Raises
    ------
    ConfigError
        With every problem: an unknown task, a wrong param, a missing input.
    """
    paths = tuple(dict.fromkeys(os.path.abspath(os.fspath(file)) for file in files))
    if not paths:
        raise ConfigError("there are no files to make a batch of")
    entry = Entry(
        id=last_word(task),
        task=task,
        inputs={**_shared(inputs), input: Each(patterns=paths, literal=True)},
        params=params,
        sweep=sweep,
        outputs=outputs,
        limits=limits,
        priority=priority,
        group=group,
        metadata=metadata,
    )
    return _batch(name or entry.id, output, (entry,), settings)


def from_directory(
    task: str,
    folder: str | os.PathLike[str],
    pattern: str = "*",
    recursive: bool = False,
    *,
    output: str | os.PathLike[str],
    input: str = "sample",
    name: str | None = None,
    inputs: Mapping[str, object] = EMPTY,
    params: Mapping[str, Json] = EMPTY,
    sweep: Mapping[str, Sequence[Json]] = EMPTY,
    outputs: Mapping[str, str | None] = EMPTY,
    limits: Limits = NO_LIMITS,
    priority: int = 0,
    group: str | None = None,
    metadata: Mapping[str, Scalar] = EMPTY,
    settings: Settings | None = None,
) -> Batch:
    """A batch with one job per file of a folder; see `from_files` for what else may be given.

    Parameters
    ----------
    task, output, input, name, inputs, params, sweep, outputs, limits, priority, group, metadata, settings
        As for `from_files`.
    folder
        Where the files are.
    pattern
        Names to take, with ``*`` and ``?``; hidden files are left out.
    recursive
        Whether to look in subfolders too. Each file counts once, whatever links lead to it.

    Raises
    ------
    ConfigError
        If no file matches, or for what `from_files` refuses.
    """
    below = ("**", pattern) if recursive else (pattern,)
    files = _matched(folder, os.path.join(*below), output)
    return from_files(
        task,
        files,
        output=output,
        input=input,
        name=name,
        inputs=inputs,
        params=params,
        sweep=sweep,
        outputs=outputs,
        limits=limits,
        priority=priority,
        group=group,
        metadata=metadata,
        settings=settings,
    )


def group_files(
    folder: str | os.PathLike[str], pattern: str, *, by: Sequence[str] | None = None
) -> tuple[FileGroup, ...]:
    """Group a folder's files by what their names have in the places of a pattern.

    Parameters
    ----------
    folder
        Where the files are.
    pattern
        Named fields, as in ``subject_{subject}_session_{session}.csv``, or plain wildcards, as in
        ``subject_*/trial.csv``; their fields are called 1, 2, and so on. Next to named fields, wildcards
        match but do not part. A field never spans folders; one that stands twice must agree.
    by
        Fields that part the groups; all of them if not given.

    Returns
    -------
    tuple of FileGroup
        Sorted by their fields.

    Raises
    ------
    ConfigError
        If the pattern is broken, `by` names an unknown field, or no file matches.
    """
    root = os.path.abspath(os.fspath(folder))
    expression, names = _group_pattern(pattern)
    chosen = tuple(names if by is None else by)
    unknown = [field for field in chosen if field not in names]
    if unknown or not chosen:
        raise ConfigError(
            f"pattern {pattern!r} has no field {unknown[0]!r}; its fields are {', '.join(names)}"
            if unknown
            else f"pattern {pattern!r} has no field; write one, as in subject_{{subject}}.csv"
        )
    found: dict[tuple[str, ...], list[str]] = {}
    for path in match(os.path.join(root, _FIELD.sub("*", pattern))):
        matched = expression.fullmatch(os.path.relpath(path, root))
        if matched is not None:
            found.setdefault(tuple(matched[f"f{names.index(field)}"] for field in chosen), []).append(path)
    if not found:
        raise ConfigError(f"no file in {root} matches {pattern!r}")
    return tuple(
        FileGroup(fields=dict(zip(chosen, key, strict=True)), files=tuple(files))
        for key, files in sorted(found.items())
    )


def groups(
    task: str,
    folder: str | os.PathLike[str],
    pattern: str,
    *,
    output: str | os.PathLike[str],
    by: Sequence[str] | None = None,
    input: str = "samples",
    name: str | None = None,
    inputs: Mapping[str, object] = EMPTY,
    params: Mapping[str, Json] = EMPTY,
    outputs: Mapping[str, str | None] = EMPTY,
    limits: Limits = NO_LIMITS,
    settings: Settings | None = None,
) -> Batch:
    """A batch with one job per group of files, which receives all of them in one input.

    Parameters
    ----------
    task, output, name, inputs, params, outputs, limits, settings
        As for `from_files`. Templates may use the pattern's fields.
    folder, pattern, by
        As for `group_files`.
    input
        The task's input that receives a group's files.

    Returns
    -------
    Batch
        Each job is named after its fields and has them as metadata.

    Raises
    ------
    ConfigError
        For what `group_files` and `from_files` refuse.
    """
    word = last_word(task)
    entries = []
    for group in group_files(folder, pattern, by=by):
        fields = {(f"field_{key}" if key.isdigit() else key): value for key, value in group.fields.items()}
        entries.append(
            Entry(
                id=f"{word}/{group.name}",
                task=task,
                inputs={**_shared(inputs), input: Many(patterns=group.files, literal=True)},
                params=params,
                outputs=outputs,
                limits=limits,
                metadata=fields,
            )
        )
    return _batch(name or word, output, tuple(entries), settings)


def _batch(name: str, output: str | os.PathLike[str], entries: tuple[Entry, ...], settings: Settings | None) -> Batch:
    root = os.path.abspath(os.fspath(output))
    jobs: tuple[Job, ...] = expand_or_raise(entries, batch=name, base=os.getcwd(), output=root)
    return Batch(name=name, output=Path(root), jobs=jobs, settings=settings or Settings())


def _shared(inputs: Mapping[str, object]) -> dict[str, InputSpec]:
    findings: list[Finding] = []
    specs: dict[str, InputSpec] = {}
    for name, value in inputs.items():
        plain = os.fspath(value) if isinstance(value, os.PathLike) else value
        spec = read_input(plain, ("inputs", name), findings)
        if spec is not None:
            specs[name] = spec
    if findings:
        raise ConfigError.of(problems_of(findings))
    return specs


def _matched(folder: str | os.PathLike[str], pattern: str, output: str | os.PathLike[str]) -> list[str]:
    root = os.path.abspath(os.fspath(folder))
    try:
        found = match_foreign(os.path.join(root, pattern), os.path.abspath(os.fspath(output)))
    except OSError as error:
        raise ConfigError(f"{root} cannot be searched: {error}") from error
    if not found:
        why = "" if os.path.isdir(root) else "; there is no such folder"
        raise ConfigError(f"no file in {root} matches {pattern!r}{why}")
    return found


def _group_pattern(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    """A pattern as a regular expression whose groups f0, f1, ... are the fields named."""
    parts = _FIELD.split(pattern)
    named = len(parts) > 1
    names: list[str] = []
    text = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            if "{" in part or "}" in part:
                raise ConfigError(f"pattern {pattern!r} has a single brace; write fields as {{subject}}")
            text += _wild(part, names, named)
        elif not part.isidentifier():
            raise ConfigError(f"pattern {pattern!r}: {{{part}}} is not a name; write one as in {{subject}}")
        elif part in names:
            text += f"(?P=f{names.index(part)})"
        else:
            text += f"(?P<f{len(names)}>[^/]+?)"
            names.append(part)
    return re.compile(text, re.DOTALL), names


def _wild(text: str, names: list[str], named: bool) -> str:
    """Plain text and wildcards of a pattern; wildcards are fields where none has a name."""
    made = ""
    for part in re.findall(r"\*\*/|\*+|\?|[^*?]+", text):
        if part[0] not in "*?":
            made += re.escape(part)
        elif part == "**/":
            made += "(?:.*/)?"
        elif named:
            made += "[^/]*" if part[0] == "*" else "[^/]"
        else:
            made += f"(?P<f{len(names)}>{'[^/]*' if part[0] == '*' else '[^/]'})"
            names.append(str(len(names) + 1))
    return made
