"""What the jobs warned of, grouped: what differs in its numbers or in the name it begins with counts as one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batchlab.engine import BatchView, JobView

_NUMBER = re.compile(r"\d+(\.\d+)?")
_LOOKED_AT = 500  # characters of a warning that tell its kind
_NAME = 300  # characters that a name at the beginning may have
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningGroup:
    """Warnings of one kind."""

    text: str  # the first of them, without the name of a file or a sample that it begins with
    count: int
    jobs: int  # how many jobs gave it
    examples: tuple[tuple[int, str], ...]  # the first of those: place in the view, name


@dataclass(frozen=True, slots=True)
class _Told:
    """One warning of a job, parted at the name it begins with."""

    place: int
    job: str
    text: str
    name: str
    rest: str


def warning_groups(view: BatchView) -> tuple[WarningGroup, ...]:
    """Group all warnings of a batch.

    A warning often begins with a name, as in ``leaf_1: the axis steps back``. The name is left out where it is one of
    the job's files, items, params or metadata, or its own; or where one job alone begins so, and another job says
    the same after another name.

    Parameters
    ----------
    view
        The batch as recorded.

    Returns
    -------
    tuple of WarningGroup
        The most frequent first; equal ones in the order in which they were first told.
    """
    told = list(_told(view))
    owners: dict[str, set[int]] = {}
    followers: dict[str, set[str]] = {}
    for each in told:
        if each.name:
            owners.setdefault(each.name, set()).add(each.place)
            followers.setdefault(_kind(each.rest), set()).add(each.name)
    names = {each.job: _names(each.job, view.jobs[each.place]) for each in told}
    groups: dict[str, list[tuple[_Told, str]]] = {}
    for each in told:
        alike = len(owners.get(each.name, ())) == 1 and len(followers.get(_kind(each.rest), ())) > 1
        text = each.rest if each.name and alike else _without_name(each.text, names[each.job])
        groups.setdefault(_kind(text), []).append((each, text))
    return tuple(_group(members) for members in sorted(groups.values(), key=len, reverse=True))


def _told(view: BatchView) -> Iterator[_Told]:
    for place, job in enumerate(view.jobs):
        for text in job.warnings:
            name, colon, rest = text[:_NAME].partition(": ")
            rest = text[len(name) + len(colon) :]
            yield _Told(place, job.name, text, *((name, rest) if colon else ("", text)))


def _group(members: list[tuple[_Told, str]]) -> WarningGroup:
    jobs = {each.place: each.job for each, _ in members}
    return WarningGroup(
        text=members[0][1],
        count=len(members),
        jobs=len(jobs),
        examples=tuple(jobs.items())[:_EXAMPLES],
    )


def _kind(text: str) -> str:
    return _NUMBER.sub("#", text[:_LOOKED_AT])


def _without_name(text: str, names: frozenset[str]) -> str:
    """The text after the longest of the names that it begins with."""
    at = text.rfind(": ", 0, _NAME)
    while at > 0:
        if text[:at] in names:
            return text[at + 2 :]
        at = text.rfind(": ", 0, at)
    return text


def _names(name: str, job: JobView) -> frozenset[str]:
    """What a job's files, items, metadata and params are called, with and without folder and extension; and itself."""
    found = {name, name.partition("/")[2], *(item.name for item in job.items)}
    for part in (job.inputs, job.metadata, job.params):
        found.update(_texts(part))
    for path in tuple(found):
        file = os.path.basename(path)
        found.update((file, os.path.splitext(file)[0], path.partition("/")[2]))
    return frozenset(found - {""})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
