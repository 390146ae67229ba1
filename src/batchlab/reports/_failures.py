"""What went wrong, grouped so that ten thousand failures of one kind read as one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from batchlab.engine import BatchView, JobView, Status
from batchlab.errors import Category

_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """All failures of one category and reason."""

    category: str
    reason: str | None
    count: int
    examples: tuple[str, ...]  # the first few names, in plan order; "job: item" for items
    message: str | None  # of the first that has one
    kind: str = "job"  # or "item"


def failures(view: BatchView) -> tuple[FailureGroup, ...]:
    """Group failed jobs, then failed items, by category and reason.

    Parameters
    ----------
    view
        The batch as recorded.

    Returns
    -------
    tuple of FailureGroup
        Jobs before items, the largest group first; equal ones by category and reason.
    """
    jobs = [(job.category, job.reason, job.name, job.message) for job in view.jobs if job.state is Status.FAILED]
    items = [
        (item.category, item.reason, f"{job.name}: {item.name}", item.message)
        for job in view.jobs
        for item in job.items
        if item.status is Status.FAILED
    ]
    return (*_grouped(jobs, "job"), *_grouped(items, "item"))


def failed_jobs(view: BatchView, group: FailureGroup) -> list[tuple[int, JobView]]:
    """The jobs of a group, or those that hold its items, each with its place in the view."""
    wanted = (group.category, group.reason)
    if group.kind == "job":
        return [
            (i, job)
            for i, job in enumerate(view.jobs)
            if job.state is Status.FAILED and _key(job.category, job.reason) == wanted
        ]
    return [
        (i, job)
        for i, job in enumerate(view.jobs)
        if any(item.status is Status.FAILED and _key(item.category, item.reason) == wanted for item in job.items)
    ]


def _key(category: str | None, reason: str | None) -> tuple[str, str | None]:
    return str(category or Category.GENERIC), reason


def _grouped(found: Iterable[tuple[str | None, str | None, str, str | None]], kind: str) -> list[FailureGroup]:
    groups: dict[tuple[str, str | None], list[tuple[str, str | None]]] = {}
    for category, reason, name, message in found:
        groups.setdefault(_key(category, reason), []).append((name, message))
    return [
        FailureGroup(
            category=category,
            reason=reason,
            count=len(members),
            examples=tuple(name for name, _ in members[:_EXAMPLES]),
            message=next((message for _, message in members if message), None),
            kind=kind,
        )
        for (category, reason), members in sorted(
            groups.items(), key=lambda entry: (-len(entry[1]), entry[0][0], entry[0][1] or "")
        )
    ]
