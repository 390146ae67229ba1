"""What the page says in words and small tables: pure functions of the view, told for someone in a hurry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batchlab.engine import BatchState, BatchView, Status
from batchlab.reports._failures import FailureGroup, failed_jobs, failures
from batchlab.reports._files import encode_path, log_tail
from batchlab.reports._shortened import shortened
from batchlab.reports._statistics import as_number, by_task, describe_metric, numeric_metrics
from batchlab.reports._warnings import warning_groups
from batchlab.reports._words import counted, flat, grouped, number, visible

_STATISTICS = ("mean", "std", "min", "median", "max")
# Endings of metrics' names that are units for certain; a lone letter may be anything.
_UNITS: Mapping[str, str] = {
    "mm": "mm",
    "um": "µm",
    "nm": "nm",
    "px": "px",
    "deg": "°",
    "hz": "Hz",
    "ms": "ms",
    "ev": "eV",
    "kev": "keV",
    "mv": "mV",
    "percent": "%",
}
SIGNS: Mapping[str, str] = {
    "done": "✓",
    "failed": "×",
    "blocked": "■",
    "interrupted": "‖",
    "cancelled": "–",
    "skipped": "»",
    "running": "▸",
    "pending": "○",
}
HINTS: Mapping[str, str] = {
    "invalid-input": "The file is not what the task expects. It is not tried again: mend it or take it out.",
    "missing-input": "A file that the batch names is not there.",
    "numerical": "The calculation has no answer for this input.",
    "plotting": "The picture could not be drawn.",
    "timeout": "Stopped at its time limit. If the work is sound, raise limits.timeout.",
    "memory": "Stopped at its memory limit. Raise limits.memory, or use fewer workers.",
    "crash": "The process died. It was tried once more, alone.",
    "disk": "The disk is full or refuses to write. Make room, then run again.",
    "output": "An output could not be written under its name.",
    "service": "A service did not answer, though asked several times. Run again later.",
    "generic": "An error in the task itself: the end of its log says where.",
}
_TAILS = 100  # log tails in the whole page
_SHOWN = 8  # failures of a group open to view at once
GROUPS = 60  # kinds of failure told in full; never more than _TAILS
_WARNING_GROUPS = 40
_BINS = 28


def verdict(view: BatchView) -> dict[str, str]:
    """How it went and what to do, in a sentence each."""
    count = {state: view.counts.get(state, 0) for state in Status}
    total, done, failed = len(view.jobs), count[Status.DONE], count[Status.FAILED]
    items = sum(item.status is Status.FAILED for job in view.jobs for item in job.items)
    left = total - done - failed - count[Status.SKIPPED]
    again = "Run the same command again: what is done is kept, only the rest is done."
    mend = "Mend what failed, then run the same command again: what is done is kept."
    if not total:
        return {"tone": "calm", "headline": "No jobs in this batch.", "advice": ""}
    so_far = f"{grouped(done)} of {counted(total, 'job')} done"
    trouble = f", {grouped(failed)} failed" if failed else ""
    if view.state is BatchState.RUNNING:
        headline = f"Still running when this was written: {so_far}{trouble}."
        return {"tone": "running", "headline": headline, "advice": f"{counted(left, 'job')} to go."}
    if view.state in (BatchState.INTERRUPTED, BatchState.CANCELLED):
        word = "Interrupted" if view.state is BatchState.INTERRUPTED else "Cancelled"
        return {"tone": "stopped", "headline": f"{word}: {so_far}{trouble}.", "advice": again}
    if failed == total:
        return {"tone": "bad", "headline": f"All {counted(total, 'job')} failed.", "advice": _common(view)}
    if failed or left:
        parts = [f"{counted(failed, 'job')} failed"] if failed else []
        parts += [f"{counted(left, 'job')} not run"] if left else []
        headline = f"{' and '.join(parts)}; {grouped(done)} of {grouped(total)} done."
        return {"tone": "bad", "headline": headline[0].upper() + headline[1:], "advice": mend}
    if items:
        headline = f"All {counted(total, 'job')} done, but {counted(items, 'item')} failed in them."
        return {"tone": "bad", "headline": headline, "advice": mend}
    skipped = f", {count[Status.SKIPPED]} skipped" if count[Status.SKIPPED] else ""
    headline = f"All {counted(total, 'job')} done." if not skipped else f"{so_far}{skipped}."
    return {"tone": "good", "headline": headline, "advice": ""}


def _common(view: BatchView) -> str:
    groups = failures(view)
    if len(groups) == 1:
        reason = f", {groups[0].reason}" if groups[0].reason else ""
        return f"All for the same cause ({groups[0].category}{reason}): look at the first."
    return "Nothing got through: look at the largest group first."


def strip(view: BatchView) -> list[dict[str, Any]]:
    """The states that occur, in a fixed order, with their place in a bar that is 1000 wide."""
    counts = [(s, view.counts.get(s, 0)) for s in SIGNS]
    total = sum(n for _, n in counts) or 1
    cells, at = [], 0.0
    for state, n in counts:
        if n or state in ("done", "failed"):
            width = 1000 * n / total
            cells.append({"state": state, "n": n, "x": round(at, 2), "width": round(width, 2)})
            at += width
    return cells


def failure_stories(view: BatchView, root: Path, prefix: str) -> list[dict[str, Any]]:
    """Every group of failures with a hint and its jobs; log tails shared out fairly among the groups."""
    groups = failures(view)[:GROUPS]
    budget = _TAILS
    share: dict[FailureGroup, int] = {}
    for group in sorted(groups, key=lambda g: g.count):
        share[group] = min(group.count, budget // (len(groups) - len(share)))
        budget -= share[group]
    return [_failure_story(view, group, share[group], root, prefix) for group in groups]


def _failure_story(view: BatchView, group: FailureGroup, n: int, root: Path, prefix: str) -> dict[str, Any]:
    members = failed_jobs(view, group)
    shown = []
    for i, job in members[:n]:
        bad = [
            item
            for item in job.items
            if item.status is Status.FAILED
            and (str(item.category or "generic"), item.reason) == (group.category, group.reason)
        ]
        shown.append(
            {
                "index": i,
                "name": job.name,
                "message": job.message if group.kind == "job" else None,
                "items": bad[:_SHOWN] if group.kind == "item" else [],
                "more_items": max(0, len(bad) - _SHOWN) if group.kind == "item" else 0,
                "attempts": job.attempts,
                "elapsed_s": job.elapsed_s,
                "log": prefix + encode_path(job.log) if job.log else None,
                "tail": log_tail(root, job.log) if group.kind == "job" else None,
            }
        )
    return {
        "category": group.category,
        "reason": group.reason,
        "kind": group.kind,
        "count": group.count,
        "what": counted(group.count, group.kind),
        "hint": HINTS.get(group.category, ""),
        "message": group.message,
        "first": shown[:_SHOWN],
        "rest": shown[_SHOWN:],
        "unshown": len(members) - len(shown),
    }


def unfinished(view: BatchView) -> list[dict[str, Any]]:
    """Jobs that neither succeeded nor failed, by state and reason; those that run or wait are told by the strip."""
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for i, job in enumerate(view.jobs):
        if job.state in (Status.BLOCKED, Status.CANCELLED, Status.INTERRUPTED, Status.SKIPPED):
            groups.setdefault((str(job.state), job.message or job.reason or ""), []).append((i, job.name))
    ordered = sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [
        {"state": state, "why": why, "what": counted(len(jobs), "job"), "jobs": jobs[:_SHOWN], "n": len(jobs)}
        for (state, why), jobs in ordered[:_WARNING_GROUPS]
    ]


def warnings(view: BatchView) -> dict[str, Any]:
    """What was warned of, the most frequent first."""
    groups = warning_groups(view)
    return {
        "n": sum(group.count for group in groups),
        "jobs": sum(bool(job.warnings) for job in view.jobs),
        "unshown": max(0, len(groups) - _WARNING_GROUPS),
        "groups": [
            {"text": shortened(group.text, 500), "n": group.count, "jobs": group.examples, "n_jobs": group.jobs}
            for group in groups[:_WARNING_GROUPS]
        ],
    }


def measured(view: BatchView) -> list[dict[str, Any]]:
    """For each task its numeric metrics: statistics, a histogram, the jobs at both ends.

    Constant ones, and those of a single job, stand apart in a line of text.
    """
    tables = []
    for task, jobs in by_task(view.jobs).items():
        rows, same, once = [], [], []
        for name, values in numeric_metrics(jobs).items():
            facts = describe_metric(name, values)
            if len(jobs) == 1:
                once.append(f"{visible(name)} = {_close(values[0], None)}")
            elif facts["n"] > 1 and facts["min"] == facts["max"] and not facts["nonfinite"]:
                same.append(f"{visible(name)} = {_close(facts['min'], None)}")
            else:
                told = {key: _close(facts[key], _apart(facts)) for key in _STATISTICS}
                rows.append(
                    {
                        "name": name,
                        "unit": _unit(name),
                        **facts,
                        "told": told,
                        **_ends(view, task, name),
                        "path": histogram(values),
                    }
                )
        if rows or same or once:
            tables.append({"task": task, "rows": rows, "same": ", ".join(same), "once": ", ".join(once)})
    return tables


def _apart(facts: Mapping[str, Any]) -> float | None:
    """How far values of a metric are apart; None where that is not known."""
    if facts["std"] is not None:
        return float(facts["std"])
    return None if facts["min"] is None else float(facts["max"] - facts["min"])


def _close(value: float | None, apart: float | None) -> str:
    """A value to three digits of how far such values are apart, three to six of its own; to four where none is told."""
    if value is None or not math.isfinite(value) or value == 0 or float(value).is_integer():
        return number(value)
    digits = 4
    if apart is not None and 0 < apart < math.inf:
        digits = min(6, max(3, math.floor(math.log10(abs(value))) - math.floor(math.log10(apart)) + 3))
    return number(float(f"{value:.{digits}g}"))


def _unit(name: str) -> str:
    """The unit that a metric's name ends in, before the region that it may be of."""
    return _UNITS.get(name.partition("[")[0].rpartition("_")[2], "")


def _ends(view: BatchView, task: str, name: str) -> dict[str, Any]:
    """The jobs with the lowest and the highest value, as (index, name)."""
    known = [
        (value, i, job.name)
        for i, job in enumerate(view.jobs)
        if job.task == task and (value := as_number(job.metrics.get(name))) is not None and math.isfinite(value)
    ]
    if len(known) < 2:
        return {"lowest": None, "highest": None}
    low, high = min(known, key=lambda k: k[0]), max(known, key=lambda k: k[0])
    return {"lowest": low[1:], "highest": high[1:]} if low[0] < high[0] else {"lowest": None, "highest": None}


def histogram(values: list[float]) -> str | None:
    """An SVG path of the finite values' histogram, 112 wide and 22 high; None where all are the same."""
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    if not high / 2 - low / 2 > 0:
        return None
    bins = [0] * _BINS
    for v in finite:
        bins[min(_BINS - 1, int((v / 2 - low / 2) / (high / 2 - low / 2) * _BINS))] += 1
    step, top = 112 / _BINS, max(bins)
    # A single job far out must still be seen beside a thousand in the middle.
    heights = [0 if not n else max(2.0, 22 * n / top) for n in bins]
    return "".join(
        f"M{k * step:g} 22v-{height:.3g}h{step - 0.8:g}v{height:.3g}z" for k, height in enumerate(heights) if height
    )


def environment_changes(view: BatchView) -> list[dict[str, Any]]:
    """What differed between a run and the one before it."""
    changes = []
    for before, after in zip(view.runs, view.runs[1:], strict=False):
        names = sorted({*before.environment, *after.environment})
        for name in names:
            old, new = before.environment.get(name), after.environment.get(name)
            if old != new:
                changes.append({"run": after.number, "name": name, "old": old, "new": new})
    return changes


def sources(view: BatchView) -> list[dict[str, Any]]:
    """Each batch text once, newest first, with the runs that used it."""
    found: dict[str, list[int]] = {}
    for run in reversed(view.runs):
        if run.source:
            found.setdefault(run.source, []).append(run.number)
    return [
        {"text": text, "runs": ", ".join(map(str, sorted(numbers))), "one": len(numbers) == 1}
        for text, numbers in found.items()
    ]


def param_tables(view: BatchView) -> list[dict[str, Any]]:
    """For each task its params: the value where all jobs agree, otherwise the values that occur."""
    tables = []
    for task, jobs in by_task(view.jobs).items():
        values: dict[str, dict[str, None]] = {}
        for job in jobs:
            for name, text in flat(job.params):
                values.setdefault(name, {})[text] = None
        if values:
            rows = [(name, list(texts)[:12], len(texts)) for name, texts in values.items()]
            tables.append({"task": task, "what": counted(len(jobs), "job"), "rows": rows})
    return tables
