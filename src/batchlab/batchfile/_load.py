"""Batch files to batches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from batchlab.batchfile._document import read_document
from batchlab.batchfile._variables import Variables
from batchlab.batchfile._yaml import MAX_BYTES, Node, read_yaml
from batchlab.builders import Finding, absolute, expand
from batchlab.engine import Batch
from batchlab.engine._model import EMPTY
from batchlab.errors import ConfigError, Problem


def load(
    path: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    set: Mapping[str, str] = EMPTY,
    environ: Mapping[str, str] | None = None,
) -> Batch:
    """Read a batch file, YAML or JSON, and make its jobs.

    Parameters
    ----------
    path
        The file. Paths in it are relative to its folder.
    output
        The output root, relative to the current folder, in place of the file's own.
    set
        Values for ``${name}``; each must be used by the file.
    environ
        Where ``BATCHLAB_name`` is looked up for a ``${name}`` that `set` does not give; the process's
        environment if None.

    Returns
    -------
    Batch
        Its `source` is the file's text with every ``${name}`` as it stands there.

    Raises
    ------
    ConfigError
        With every problem found, each with file, line, column and the mend.
    """
    file = os.path.abspath(os.fspath(path))
    shown = os.fspath(path)
    raw = _read(file, shown)
    variables = Variables(set, os.environ if environ is None else environ, shown)
    problems: list[Problem] = []
    try:
        document = read_yaml(raw, shown, variables.replace, problems)
    except ConfigError as error:
        raise ConfigError.of([*variables.problems, *error.problems]) from error.__cause__
    _refuse_plots(document, shown)
    # Links to a batch file are followed for its folder alone: the file's neighbours are those it is seen with.
    base = os.path.realpath(os.path.dirname(file))
    findings: list[Finding] = []
    content = read_document(document.plain(), findings)
    if content.output is None and output is None and not _misspelt(findings, "output"):
        findings.append(Finding(path=(), message="'output' is missing: write output: FOLDER, or give --output"))
    root = os.path.abspath(os.fspath(output)) if output is not None else absolute(content.output or ".", base)
    jobs, more = expand(content.entries, batch=content.name, base=base, output=root, given_up=content.given_up)
    problems += variables.problems
    problems += _placed([*findings, *more], document, shown, variables)
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    problems += variables.unused()
    if problems:
        raise ConfigError.of(list(dict.fromkeys(problems)))
    return Batch(
        name=content.name,
        output=Path(root),
        jobs=jobs,
        settings=content.settings,
        source=raw.decode("utf-8-sig", "replace"),
    )


def _read(file: str, shown: str) -> bytes:
    try:
        if os.path.exists(file) and not os.path.isfile(file):
            raise ConfigError.of([Problem(message="is no file; name the batch file itself", file=shown)])
        with open(file, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError.of([Problem(message=f"cannot be read: {reason}", file=shown)]) from error


def _refuse_plots(document: Node, shown: str) -> None:
    """A file of plots of devices is told for what it is, rather than for all that it lacks."""
    top = document.value
    if isinstance(top, dict) and "plots" in top and not {"jobs", "batch"} & top.keys():
        line, column = document.locate(("plots",), key=True)
        message = f"is a file of plots, not of jobs; run `batchlab devices batch-plot {shown}`"
        raise ConfigError.of([Problem(message=message, file=shown, line=line, column=column)])


def _misspelt(findings: list[Finding], key: str) -> bool:
    return any(len(finding.path) == 1 and f"did you mean {key!r}" in finding.message for finding in findings)


def _placed(findings: list[Finding], document: Node, shown: str, variables: Variables) -> list[Problem]:
    """Findings with line and column; nothing is told twice of one value."""
    # A text whose ${name} has no value is wrong for that reason alone.
    hollow = {(problem.line, problem.column) for problem in variables.problems}
    problems = []
    for finding in findings:
        line, column = document.locate(finding.path, key=finding.key)
        if document.locate(finding.path) not in hollow:
            problems.append(Problem(message=finding.message, file=shown, line=line, column=column))
    return problems
