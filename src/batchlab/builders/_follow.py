"""Jobs that follow others: which earlier job, or jobs, an input is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from batchlab.builders._entry import Entry, Findings, FromEntry, InputSpec
from batchlab.engine import Input, Json
from batchlab.engine._names import text_of
from batchlab.engine._task import suggestion


@dataclass(slots=True)
class Draft:
    """A job but for its affinity, which is known when all are."""

    name: str
    label: str | None  # the fanned-out part of the name
    swept: Mapping[str, Json]
    params: Mapping[str, Json]
    inputs: dict[str, Input]
    outputs: dict[str, str]
    group: str | None


@dataclass(slots=True)
class Made:
    """An expanded entry, as others refer to it."""

    drafts: list[Draft]
    outputs: tuple[str, ...]
    names: tuple[str, ...]  # shared by all jobs that gather it
    by_label: dict[tuple[object, ...], Draft] = field(default_factory=dict)


def is_followed(spec: InputSpec) -> bool:
    """Whether an input is one output of one earlier job."""
    return isinstance(spec, FromEntry) and spec.gather is None


def in_order(entries: Mapping[str, Entry], findings: Findings) -> list[str]:
    """Ids so that each comes after those it refers to; empty, and told, if they refer to each other in a loop."""
    after = {
        id: [*entry.needs, *(e for spec in entry.inputs.values() if isinstance(spec, FromEntry) for e in spec.entries)]
        for id, entry in entries.items()
    }
    try:
        return [id for id in TopologicalSorter(after).static_order() if id in entries]
    except CycleError as error:
        loop = list(reversed(error.args[1]))
        findings.tell((*entries[loop[0]].path, "inputs"), f"entries wait for each other: {' -> '.join(loop)}")
        return []


def find_source(
    entry: Entry, name: str, made: Mapping[str, Made], entries: Mapping[str, Entry], findings: Findings
) -> Made | None:
    """The entry that an input is from, the last of several; None if that was told to be wrong, here or before."""
    spec = entry.inputs[name]
    assert isinstance(spec, FromEntry)
    at = (*entry.path, "inputs", name)
    found = None
    for id in spec.entries:
        found = made.get(id)
        if found is None:
            check_reference(id, (*at, "from"), entries, findings)
            return None
        if spec.output is not None and spec.output not in found.outputs:
            near = suggestion(spec.output, list(found.outputs))
            findings.tell((*at, "output"), f"entry {id!r} makes no output {spec.output!r}{near}")
            return None
        if spec.output is None and spec.gather is None and len(found.outputs) != 1:
            what = ", ".join(found.outputs) or "none"
            findings.tell(at, f"say which output of {id!r} is meant, with output: NAME; it makes {what}")
            return None
    return found


def check_reference(id: str, at: tuple[str | int, ...], entries: Mapping[str, Entry], findings: Findings) -> None:
    """Tell an id that no entry has; one that was given up is known to `findings` already."""
    if id not in entries and id not in findings.given_up:
        findings.tell(at, f"no entry has the id {id!r}{suggestion(id, list(entries))}")


def followed_job(
    entry: Entry, name: str, source: Made, label: str | None, swept: Mapping[str, Json], findings: Findings
) -> Draft:
    """The one job of `source` that a job follows: the only one, or that of the same stem and sweep.

    Where there is none, a finding says so once, and the first stands in.
    """
    first = source.drafts[0]
    if len(source.drafts) == 1:
        return first
    if not source.by_label:
        source.by_label = {_key(draft.label, draft.swept): draft for draft in source.drafts}
    wanted = {key: swept[key] for key in first.swept if key in swept}
    found = source.by_label.get(_key(None if first.label is None else label, wanted))
    if found is not None:
        return found
    spec = entry.inputs[name]
    assert isinstance(spec, FromEntry)
    at = (*entry.path, "inputs", name)
    if not any(finding.path == at for finding in findings):
        which = f"for {label!r}" if label else "that it could be"
        findings.tell(
            at,
            f"entry {spec.entries[0]!r} has {len(source.drafts)} jobs and none {which}; "
            "hand all of them over with gather: done",
        )
    return first


def _key(label: str | None, swept: Mapping[str, Json]) -> tuple[object, ...]:
    return (label, *sorted((key, text_of(value)) for key, value in swept.items()))
