"""What was found out about a batch as a whole: what stands out of it and why, what it varies by, drift, precision."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchlab.engine import BatchView, JobView, Scalar
from batchlab.reports import Panel, Table
from batchlab.spectra._panel._jobs import ANALYTICS, done, jobs_of, number_of, output_of
from batchlab.spectra._words import listed

__all__ = ["analytics_panel"]

_MOST, _MOST_NAMED = 25, 3
_TOLD = {"outlier": 0, "watch": 1}  # worth a row
_MEANT = {
    "level": "mean intensity",
    "correlation": "correlation with the reference, or else the mean",
    "score 1": "first component",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """The table that a job wrote: facts of the batch, and a row a spectrum."""

    facts: Mapping[str, Any]
    rows: Sequence[Mapping[str, str]]


def analytics_panel(view: BatchView) -> Panel | None:
    """Which spectra stand out and why, and what was found of all of them; None where no batch was analysed."""
    jobs = done(jobs_of(view, ANALYTICS))
    if not jobs:
        return None
    tables: list[Table] = []
    texts, headlines = [], []
    for job in jobs:
        found = _read(view, job)
        called = f"{job.name}: " if len(jobs) > 1 else ""
        texts.append(called + _text(job))
        if number_of(job, "n_outliers") > 0:
            headlines.append(called + _headline(job, found))
        outlying = _outlying(job, found)
        if outlying is not None:
            tables.append(Table(title=f"{called}spectra that stand out", **outlying))
        tables.append(
            Table(title=f"{called}the batch as a whole", columns=("what", "value", "meaning"), rows=_whole(job, found))
        )
    return Panel(
        title="Spectra: the batch, and what stands out of it",
        headline="; ".join(headlines),
        text="\n".join(texts),
        tables=tuple(tables),
        pictures=tuple(path for job in jobs if (path := output_of(job, "figure")) is not None),
    )


def _text(job: JobView) -> str:
    number = job.metrics.get("n", 0)
    if job.metrics.get("judged") is not True:
        return f"{number} spectra: too few to judge by their own spread which stand out."
    out, watch = int(number_of(job, "n_outliers")), int(number_of(job, "n_watch"))
    text = f"{number} spectra: {out or 'none'} {'stands' if out < 2 else 'stand'} out"
    if out:
        text += f", the most {job.metrics.get('worst')}"
    if watch:
        text += f"; {watch} {'is' if watch == 1 else 'are'} to be watched, as a few of many good ones are"
    return f"{text}."


def _headline(job: JobView, found: _Found | None) -> str:
    out = int(number_of(job, "n_outliers"))
    text = f"{out} of {job.metrics.get('n', 0)} spectra {'stands' if out == 1 else 'stand'} out"
    rows = [] if found is None else _told(found)
    names = [row["name"] for row in rows if row["verdict"] == "outlier"] or [str(job.metrics.get("worst", ""))]
    return f"{text}: {listed(names, _MOST_NAMED)}"


def _told(found: _Found) -> list[Mapping[str, str]]:
    """Rows worth a word, the furthest first."""
    told = [row for row in found.rows if row.get("verdict") in _TOLD]
    return sorted(told, key=lambda row: (_TOLD[row["verdict"]], -_beyond(row), row.get("name", "")))


def _outlying(job: JobView, found: _Found | None) -> dict[str, Any] | None:
    """Columns and rows of what stands out, the furthest first; what the metrics know where there is no table."""
    if found is None:
        if "worst" not in job.metrics:
            return None
        return {
            "columns": ("spectrum", "verdict", "why"),
            "rows": ((job.metrics["worst"], "outlier", job.metrics.get("worst_reason")),),
        }
    told = _told(found)
    if not told:
        return None
    # Without clusters all are of cluster 1, or of none.
    clustered = number_of(job, "n_clusters") > 1
    grouped = any(row.get("group") for row in told)
    columns = ["spectrum", *(["group"] if grouped else []), "verdict", "why", "T² over limit", "Q over limit"]
    columns += [*(["cluster"] if clustered else []), "correlation"]
    keys = ["name", *(["group"] if grouped else []), "verdict", "reason"]
    numbers = ["T2 of limit", "Q of limit", *(["cluster"] if clustered else []), "correlation"]
    rows = tuple((*(row.get(key) or None for key in keys), *(_number(row, key) for key in numbers)) for row in told)
    shown: dict[str, Any] = {"columns": tuple(columns), "rows": rows[:_MOST]}
    return shown


def _whole(job: JobView, found: _Found | None) -> tuple[tuple[Scalar, ...], ...]:
    """Rows of what was found, with what it means."""
    facts = found.facts if found is not None else {}
    rows: list[tuple[Scalar, ...]] = []
    explained = [float(share) for share in facts.get("explained", ())] or [
        number_of(job, name) for name in ("explained_1", "explained_2", "explained_3") if name in job.metrics
    ]
    for at, share in enumerate(explained, start=1):
        rows.append((f"component {at}", f"{100 * share:.3g} %", "share of the model's variance that it explains"))
    if "spectra_in_model" in facts:
        rows.append(("in the model", str(facts["spectra_in_model"]), "spectra that define what is normal"))
    if facts.get("level") is not None and job.metrics.get("judged") is True:
        level = float(facts["level"])
        rows.append(("level", f"{level:g}", "probability that a batch of good spectra has no outlier"))
    count = number_of(job, "n_clusters")
    if count >= 1:
        kept = facts.get("silhouette")
        apart = f"how far apart, as silhouette from -1 to 1: {float(kept):.2g}" if kept is not None else "one kind"
        rows.append(("clusters", f"{count:g}", f"groups that the spectra fall into by themselves; {apart}"))
    for name, what in _MEANT.items():
        p = number_of(job, f"drift_p_{name.replace(' ', '_')}")
        if not math.isnan(p):
            rows.append((f"drift of {name}", f"p = {p:.2g}", f"{what}: chance of such a trend if there is no drift"))
    if not math.isnan(percent := number_of(job, "repeatability_percent")):
        rows.append(("repeatability", f"{percent:.3g} %", "median deviation of replicates in a group, of the mean"))
    if not math.isnan(share := number_of(job, "nearest_own_group")):
        rows.append(("nearest own group", f"{100 * share:.3g} %", "spectra that are nearest to their own group"))
    return tuple(rows)


def _read(view: BatchView, job: JobView) -> _Found | None:
    """The job's table, if it is there and as it was written."""
    path = output_of(job, "table")
    if path is None:
        return None
    facts: dict[str, Any] = {}
    try:
        with (Path(view.root) / path).open(encoding="utf-8", newline="") as file:
            lines = iter(file)
            for line in lines:
                if not line.startswith("# "):
                    break
                key, colon, value = line[2:].partition(": ")
                if colon:
                    facts[key] = json.loads(value)
            else:
                return None
            header = next(csv.reader([line]))
            return _Found(facts, list(csv.DictReader(lines, fieldnames=header)))
    except (OSError, ValueError, csv.Error):  # moved, cut or edited since
        return None


def _number(row: Mapping[str, str], key: str) -> Scalar:
    try:
        value = float(row.get(key) or "nan")
    except ValueError:
        return None
    return None if math.isnan(value) else int(value) if key == "cluster" else value


def _beyond(row: Mapping[str, str]) -> float:
    beyond = (_number(row, name) for name in ("T2 of limit", "Q of limit"))
    return max((float(value) for value in beyond if isinstance(value, int | float)), default=0.0)
