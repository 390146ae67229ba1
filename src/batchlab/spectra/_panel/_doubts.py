"""The files whose layout was not sure."""

from __future__ import annotations

import re

from batchlab.engine import BatchView
from batchlab.reports import Panel, Table

__all__ = ["doubts_panel"]

_DOMAIN = "spectra."
_MOST = 30
# As the reader of files warns.
_DOUBT = re.compile(r"(?:(?P<name>.+): )?its layout is not sure \((?P<confidence>\d\.\d+)\): (?P<reason>.*)", re.S)
_ADVICE = re.compile(r"; state what you know, or a plan$")


def doubts_panel(view: BatchView) -> Panel | None:
    """The files that were read with doubt, the least sure first; None if all were sure."""
    doubts: dict[tuple[str, str], tuple[float, str]] = {}
    for job in view.jobs:
        if not job.task.startswith(_DOMAIN):
            continue
        for text in job.warnings:
            found = _DOUBT.fullmatch(text)
            if found is not None:
                key = found["name"] or job.name, _ADVICE.sub("", found["reason"])
                doubts.setdefault(key, (float(found["confidence"]), job.name))
    if not doubts:
        return None
    rows = sorted((confidence, name, reason, job) for (name, reason), (confidence, job) in doubts.items())
    reasons = {reason for _, _, reason, _ in rows}
    same = " All for one reason, so perhaps all of one layout." if len(reasons) == 1 and len(rows) > 1 else ""
    return Panel(
        title="Spectra: read with doubt",
        headline=f"{len(rows)} {'spectrum was' if len(rows) == 1 else 'spectra were'} read with doubt",
        text=(
            f"{len(rows)} {'file was' if len(rows) == 1 else 'files were'} read by a layout that is not sure, below a "
            f"confidence of 0.8.{same} Look at them with batchlab spectra inspect, and state what you know, or a plan."
        ),
        tables=(
            Table(
                columns=("spectrum", "confidence", "why", "job"),
                rows=tuple((name, confidence, reason, job) for confidence, name, reason, job in rows[:_MOST]),
            ),
        ),
    )
