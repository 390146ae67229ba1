"""What a person writes for one kind of job, before it is expanded: an entry and where its inputs are from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from batchlab.builders._match import is_pattern
from batchlab.engine import Gather, Json, Limits, Scalar
from batchlab.engine._model import EMPTY, NO_LIMITS
from batchlab.engine._task import suggestion
from batchlab.errors import Problem

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the document down: where a finding belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong, and where in what was written."""

    path: Path
    message: str
    key: bool = False  # the key itself is meant, and not its value


class Findings(list[Finding]):
    """Findings as they come up, and ids of the entries that were given up for them."""

    def __init__(self, given_up: Iterable[str] = ()) -> None:
        super().__init__()
        self.given_up = set(given_up)

    def tell(self, path: Path, message: str, *, key: bool = False) -> None:
        """Add one."""
        self.append(Finding(path=path, message=message, key=key))


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One file, the same for every job of the entry."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A job for each file."""

    patterns: tuple[str, ...]
    literal: bool = False  # names of files, whatever characters they hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """All files in one job."""

    patterns: tuple[str, ...]
    literal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FromEntry:
    """What the jobs of other entries make."""

    entries: tuple[str, ...]
    output: str | None = None
    gather: Gather | None = None


InputSpec: TypeAlias = One | Each | Many | FromEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of ``jobs:``, or what a builder makes of its arguments."""

    id: str
    task: str
    inputs: Mapping[str, InputSpec] = field(default_factory=lambda: EMPTY)
    params: Mapping[str, Json] = field(default_factory=lambda: EMPTY)
    sweep: Mapping[str, Sequence[Json]] = field(default_factory=lambda: EMPTY)  # dotted path -> values
    outputs: Mapping[str, str | None] = field(default_factory=lambda: EMPTY)  # None switches one off
    needs: tuple[str, ...] = ()  # entries to wait for
    priority: int = 0
    limits: Limits = NO_LIMITS
    group: str | None = None  # a label, may hold fields
    affinity: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=lambda: EMPTY)
    unread: frozenset[str] = frozenset()  # inputs that were given but make no sense; told already
    pair: bool = False  # two inputs fan out together, joined by stem
    path: Path = ()  # where it stands in what was written


INPUT_KEYS = ("all", "from", "gather", "output")


def read_input(value: object, at: Path, findings: list[Finding]) -> InputSpec | None:
    """An input as people write it: a path, a pattern, a list, ``{all: ...}`` or ``{from: ...}``.

    Parameters
    ----------
    value
        Plain data.
    at
        Where it stands.
    findings
        Receives what is wrong; None is returned then.
    """
    before = len(findings)
    found = _read_input(value, at, findings)
    return found if len(findings) == before else None


def _read_input(value: object, at: Path, findings: list[Finding]) -> InputSpec | None:
    name = at[-1] if at else "input"
    if isinstance(value, str):
        _check_path(value, at, findings)
        return Each(patterns=(value,)) if is_pattern(value) else One(path=value)
    if isinstance(value, list | tuple):
        return Many(patterns=_texts(value, at, "a path or a pattern", findings))
    if not isinstance(value, Mapping):
        findings.append(
            Finding(path=at, message=f"input {name!r}: write a path, a pattern, a list of them, or {{from: ...}}")
        )
        return None
    for key in value:
        if key not in INPUT_KEYS:
            message = f"input {name!r} has an unknown key {key!r}{suggestion(str(key), INPUT_KEYS)}"
            findings.append(Finding(path=(*at, key), message=message, key=True))
    if ("all" in value) == ("from" in value) or ("all" in value and len(value) > 1):
        if not any(key not in INPUT_KEYS for key in value):
            findings.append(
                Finding(path=at, message=f"input {name!r}: write either {{all: PATTERN}} or {{from: ENTRY, ...}}")
            )
        return None
    if "all" in value:
        return Many(patterns=_texts(value["all"], (*at, "all"), "a path or a pattern", findings))
    return _read_from(value, at, findings)


def _read_from(value: Mapping[str, object], at: Path, findings: list[Finding]) -> FromEntry:
    entries = _texts(value["from"], (*at, "from"), "the id of an entry", findings)
    output, gather = value.get("output"), value.get("gather")
    if output is not None and not isinstance(output, str):
        findings.append(Finding(path=(*at, "output"), message="output: write the name of an output"))
    if gather is not None and gather not in tuple(Gather):
        findings.append(Finding(path=(*at, "gather"), message=f"gather: write 'done' or 'all', not {gather!r:.40}"))
        gather = None
    elif gather is None and len(entries) > 1:
        findings.append(Finding(path=at, message="several entries are handed over with gather: done or all"))
    return FromEntry(
        entries=entries,
        output=output if isinstance(output, str) else None,
        gather=None if gather is None else Gather(str(gather)),
    )


def _texts(value: object, at: Path, what: str, findings: list[Finding]) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        findings.append(Finding(path=at, message="the list is empty"))
    for i, each in enumerate(values):
        here = (*at, i) if isinstance(value, list | tuple) else at
        if isinstance(each, str):
            _check_path(each, here, findings)
        else:
            findings.append(Finding(path=here, message=f"write {what} as text, not {each!r:.40}"))
    return tuple(each for each in values if isinstance(each, str))


def _check_path(path: str, at: Path, findings: list[Finding]) -> None:
    if not path.strip() or "\0" in path:
        findings.append(Finding(path=at, message="the path is empty" if not path.strip() else "NUL in a path"))


def problems_of(findings: Sequence[Finding]) -> list[Problem]:
    """Findings as problems of a call, which has no file and no lines."""
    problems: dict[Problem, None] = {}  # what several entries share is told once
    for finding in findings:
        words = [part for part in finding.path if isinstance(part, str)]
        # What is wrong with a param says by itself which.
        where = "" if words[:1] in (["params"], ["sweep"]) else ".".join(words)
        problems[Problem(message=f"{where}: {finding.message}" if where else finding.message)] = None
    return list(problems)
