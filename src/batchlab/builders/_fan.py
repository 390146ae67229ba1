"""The files of an entry: those that all its jobs share, and those that each job has for itself."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from batchlab.builders._entry import Each, Entry, Findings, Many
from batchlab.builders._labels import labels, stem
from batchlab.builders._match import folder_of, is_pattern
from batchlab.builders._own import match_foreign
from batchlab.builders._paths import absolute
from batchlab.engine import Json
from batchlab.engine._model import EMPTY
from batchlab.engine._names import readable


@dataclass(frozen=True, slots=True)
class Row:
    """One member of an entry's fan-out, before its sweep."""

    label: str | None  # what it adds to a job's name
    files: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # input -> path
    stems: Mapping[str, str] = field(default_factory=lambda: EMPTY)  # input -> its field in a template
    swept: Mapping[str, Json] = field(default_factory=lambda: EMPTY)  # handed on by the entry it follows


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are looked for, and where not."""

    base: str  # relative paths start here
    output: str  # patterns do not lead in here


def fan_out(entry: Entry, place: Place, findings: Findings) -> list[Row] | None:
    """A row for each file of the input that has a pattern; None if no input has one.

    An empty list stands for what a finding has told.
    """
    fanned = {name: spec for name, spec in entry.inputs.items() if isinstance(spec, Each)}
    if entry.pair and len(fanned) != 2:
        what = ", ".join(map(repr, fanned)) or "none"
        findings.tell((*entry.path, "pair"), f"pair: stem joins two inputs with patterns; here are {what}")
        return []
    if len(fanned) > 1 and not entry.pair:
        what = " and ".join(map(repr, fanned))
        message = f"inputs {what} both have a pattern; write pair: stem to join them, or {{all: ...}}"
        findings.tell((*entry.path, "inputs"), message, key=True)
        return []
    found = {name: files_of(entry, name, spec, place, findings) for name, spec in fanned.items()}
    if any(not paths for paths in found.values()):
        return []
    if entry.pair:
        return _pairs(entry, found, findings)
    for name, paths in found.items():
        return [Row(label, {name: path}, {name: label}) for label, path in zip(labels(paths), paths, strict=True)]
    return None


def files_of(entry: Entry, name: str, spec: Each | Many, place: Place, findings: Findings) -> list[str]:
    """Files of an input, each once, in the order of its patterns.

    A named file that is missing is left to its job; a pattern without a match is told here.
    """
    at = (*entry.path, "inputs", name)
    found: dict[str, None] = {}
    for pattern in spec.patterns:
        path = absolute(pattern, place.base)
        if spec.literal or not is_pattern(pattern):
            found[path] = None
            continue
        try:
            matched = match_foreign(path, place.output)
        except (OSError, ValueError) as error:
            findings.tell(at, f"{path} cannot be searched: {error}")
            continue
        if not matched:
            folder = folder_of(path)
            findings.tell(
                at,
                f"no file matches {pattern!r}" + ("" if os.path.isdir(folder) else f"; there is no folder {folder}"),
            )
        found.update(dict.fromkeys(matched))
    return list(found)


def _pairs(entry: Entry, found: Mapping[str, list[str]], findings: Findings) -> list[Row]:
    by_stem: dict[str, dict[str, str]] = {}
    for name, paths in found.items():
        double = sorted(text for text, count in Counter(map(stem, paths)).items() if count > 1)
        if double:
            message = f"input {name!r} matches several files with the stem {some(double)}; pairs cannot be told"
            findings.tell((*entry.path, "inputs", name), message)
        by_stem[name] = {stem(path): path for path in paths}
    (first, left), (second, right) = by_stem.items()
    for full, here, short, other in ((first, left, second, right), (second, right, first, left)):
        alone = sorted(here.keys() - other.keys())
        if alone:
            findings.tell(
                (*entry.path, "inputs", short),
                f"pair: stem: no file of input {short!r} belongs to {some(alone)} of input {full!r}; "
                "add the missing files or narrow the pattern",
            )
    return [
        Row(readable(common), {first: left[common], second: right[common]}, {first: common, second: common})
        for common in left
        if common in right
    ]


def some(names: Sequence[str]) -> str:
    """At most five names, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more
