"""What the report of a batch tells of chips: where their pages lie, and what stands on top of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from batchlab.devices._panel._names import INDEX, OVERVIEW
from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.reports import Panel, Table

__all__ = ["chips_panel", "demo_panel"]

_REPORT = "devices.report"
_NAMED = 4  # chips in a headline


def chips_panel(view: BatchView) -> Panel | None:
    """A row for each chip, with links to their pages; None where none were written."""
    for job in view.jobs:
        folder = _pages(view, job)
        if folder is not None:
            found = _overview(Path(view.root) / folder / OVERVIEW)
            if found:
                return _panel(folder, found)
    return None


def _pages(view: BatchView, job: JobView) -> str | None:
    """The folder of pages that a job wrote, relative to the output root."""
    if job.task != _REPORT or job.state is not Status.DONE:
        return None
    paths = [Path(output.path) for output in job.outputs]
    return next((path.parent.as_posix() for path in paths if path.name == OVERVIEW), None)


def _overview(path: Path) -> list[dict[str, Any]]:
    try:
        chips: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["chips"]
    except (OSError, ValueError, KeyError):  # moved or edited since
        return []
    return chips


def _panel(folder: str, chips: list[dict[str, Any]]) -> Panel:
    flagged = {each["chip"]: len(each["flagged"]) for each in chips if each["flagged"]}
    headline = ""
    if flagged:
        named = ", ".join(list(flagged)[:_NAMED]) + (", ..." if len(flagged) > _NAMED else "")
        runs = sum(flagged.values())
        headline = f"the data of {runs} {'run is' if runs == 1 else 'runs are'} flagged: {named}"
    columns: tuple[tuple[str, str | None], ...] = (
        ("chip", None), ("runs", None), ("first", None), ("last", None), ("Dirac point", "V"), ("by run", None),
        ("moved by", "V"), ("mobility of holes", "cm²/(V s)"), ("by run", None), ("response", None), ("in", None),
        ("by run", None), ("flagged runs", None),
    )  # fmt: skip
    return Panel(
        title="Devices: chips",
        headline=headline,
        text=(
            "Dirac point and mobility are those of the last dark sweep, the response that of the last trace, that is "
            f"not flagged and of fair confidence. {folder}/{INDEX} shows all chips, and a page for each its timeline, "
            "trends and flags; every number there leads to its run. The pages are below."
        ),
        tables=(
            Table(
                columns=tuple(name for name, _ in columns),
                units=tuple(unit for _, unit in columns),
                rows=tuple(_row(each) for each in chips),
            ),
        ),
        pictures=(f"{folder}/{INDEX}", *(f"{folder}/{each['page']}" for each in chips)),
    )


def _row(chip: Mapping[str, Any]) -> tuple[Scalar, ...]:
    dirac, mobility, response = (chip.get(name, {}) for name in ("dirac_point", "mobility_of_holes", "response"))
    return (
        chip["chip"], chip["runs"], chip["first"], chip["last"],
        dirac.get("value"), _run(dirac), dirac.get("since_first"),
        mobility.get("value"), _run(mobility),
        response.get("value"), response.get("unit"), _run(response),
        len(chip["flagged"]),
    )  # fmt: skip


def _run(point: Mapping[str, Any]) -> str | None:
    return f"#{point['seq']} {point['run_id']}" if point else None


def demo_panel(view: BatchView) -> Panel | None:
    """Of a demo: how far what was found is from what is true; None for other batches."""
    if view.batch != "demo-devices":
        return None
    from batchlab.devices._demo import PROMISES, errors_of, truths_of

    truths = truths_of(view)
    if truths is None:
        return None
    rows = tuple(_truth_row(errors_of(view, truths), PROMISES))
    if not rows:
        return None
    right = sum(row[-1] is True for row in rows)
    return Panel(
        title="Devices: what is true, and what was found",
        text=(
            f"{right} of {len(rows)} metrics are as near to the truth as promised. The chips are made up: Dirac "
            "points, mobilities, responses and time constants were known before the raw files were written, and no "
            "number of it is read from them. An error is that of the median run; of it means a share of the true value."
        ),
        tables=(
            Table(
                columns=("metric", "method", "truth", "runs", "median error", "largest", "promised", "in", "kept"),
                rows=rows,
            ),
        ),
    )


def _truth_row(
    errors: Mapping[tuple[str, str], list[float]], promises: Mapping[tuple[str, str], tuple[str, bool, float]]
) -> Iterator[tuple[Scalar, ...]]:
    from statistics import median

    for (metric, method), found in errors.items():
        truth, relative, most = promises[metric, method]
        if found:
            off = median(found)
            unit = "of it" if relative else "its unit"
            yield metric, method, truth, len(found), off, max(found), most, unit, off <= most
