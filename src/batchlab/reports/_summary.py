"""The table of jobs for a spreadsheet or a script: ``batch_summary.csv``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from batchlab.engine import BatchView, JobView, Status
from batchlab.reports._statistics import finite_only

_FIRST = ("name", "task", "state", "attempts", "category", "reason", "elapsed_s", "peak_memory_mb")
_LAST = ("outputs", "warnings")
_ITEMS = ("items_done", "items_failed")
_RESERVED = frozenset((*_FIRST, *_LAST, *_ITEMS))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def summary_csv(view: BatchView) -> str:
    """A header and a row for each job, in plan order.

    Columns: name, task, state, attempts, category, reason, elapsed_s, peak_memory_mb; every metric under its
    own name (``metric.NAME`` where it would repeat another column's); ``params.NAME`` for each plain
    parameter that differs between jobs; items_done and items_failed where jobs have items; outputs (paths relative
    to the output root) and warnings, joined by line feeds.

    Numbers are written with the fewest digits that read back exactly, infinities as ``inf`` and ``-inf``; truth values
    as ``true`` and ``false``; what is not known is empty, and so is what is not a number (NaN).

    This is the file people open in a spreadsheet, so a text that one would take for a formula (it starts with
    ``= + - @``, tab or a line end, and is not just a number) gets a ``'`` before it. The raw texts are in
    ``batch_statistics.json``, in the HTML report and in ``batchlab status DIR --json``.
    """
    metrics = _names(job.metrics for job in view.jobs)
    params = _varying_params(view.jobs)
    with_items = any(job.items for job in view.jobs)
    headings = [f"metric.{n}" if n in _RESERVED or n.startswith("params.") else n for n in metrics]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        [
            *_FIRST,
            *(_cell(h) for h in headings),
            *(_cell(f"params.{n}") for n in params),
            *(_ITEMS if with_items else ()),
            *_LAST,
        ]
    )
    for job in view.jobs:
        row: list[Any] = [getattr(job, name) for name in _FIRST]
        row += [job.metrics.get(name) for name in metrics]
        row += [job.params.get(name) for name in params]
        if with_items:
            row += [sum(i.status is status for i in job.items) for status in (Status.DONE, Status.FAILED)]
        row += ["\n".join(output.path for output in job.outputs), "\n".join(job.warnings)]
        writer.writerow([_cell(value) for value in row])
    return buffer.getvalue()


def _cell(value: object) -> str:
    """One cell's text."""
    if value is None or value != value:  # NaN alone is not itself
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _names(mappings: Iterable[Any]) -> list[str]:
    """Keys of all mappings, in the order they first occur."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _varying_params(jobs: Sequence[JobView]) -> list[str]:
    """Names of plain params that are not the same in all jobs."""
    varying = []
    for name in _names(job.params for job in jobs):
        values = [job.params.get(name) for job in jobs]
        if all(v is None or isinstance(v, str | int | float) for v in values) and (
            len({repr(finite_only(v)) for v in values}) > 1
        ):
            varying.append(name)
    return varying
