"""The results as text for people and as JSON for machines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from benchmarks._findings import findings_text
from benchmarks._row import Measured, RowResult
from benchmarks._statistics import Spread, spread

__all__ = ["as_json", "as_text"]


def as_text(result: RowResult) -> str:
    """One row as a small table: a line per side, a line per goal."""
    row = result.row
    head = ("", f"{row.basis} per job", "min - max", "start-up", "whole run", "wall", "largest process")
    lines = [head, *(_cells(one, row.basis) for one in result.measured)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = [
        f"{row.name}: {row.title}",
        f"  rounds {row.rounds}, load {result.load_before[0]:.2f} before, {result.load_after[0]:.2f} after",
    ]
    for line, one in zip(lines, (None, *result.measured), strict=True):
        cells = "  ".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        shown = cells if one is None or one.failure is None else one.failure
        text.append(f"  {line[0].ljust(widths[0])}  {shown}")
    for one in result.measured:
        left = sum(usage.left_behind for usage in (*one.full, *one.startup))
        if left:
            text.append(f"  {one.side.name} left {left} processes behind; they were killed")
    for verdict in result.verdicts:
        mark = {True: "reached", False: "MISSED", None: "not measured"}[verdict.met]
        value = verdict.value
        found = "" if value is None else f": {value.median:.3g} ({value.low:.3g} - {value.high:.3g})"
        text.append(f"  {mark:>12}  {verdict.text}{found}")
    if result.findings is not None:
        text += [f"  {line}".rstrip() for line in findings_text(result.findings)]
    return "\n".join(text)


def as_json(result: RowResult) -> dict[str, object]:
    """The same with every round."""
    return {
        "name": result.row.name,
        "title": result.row.title,
        "basis": result.row.basis,
        "load_before": result.load_before,
        "load_after": result.load_after,
        "sides": [_side_json(one) for one in result.measured],
        "goals": [dataclasses.asdict(verdict) for verdict in result.verdicts],
        "findings": None if result.findings is None else dataclasses.asdict(result.findings),
    }


def _side_json(one: Measured) -> dict[str, object]:
    return {
        "name": one.side.name,
        "jobs": one.side.jobs,
        "startup_jobs": one.side.startup_jobs,
        "failure": one.failure,
        "per_job_s": dataclasses.asdict(spread(one.per_job_s)) if one.per_job_s else None,
        "rounds": [dataclasses.asdict(usage) for usage in one.full],
        "startup_rounds": [dataclasses.asdict(usage) for usage in one.startup],
    }


def _cells(one: Measured, basis: str) -> tuple[str, ...]:
    if one.failure is not None:
        return (one.side.name, "", "", "", "", "", "")
    cost = spread(one.per_job_s)
    walls = spread([usage.wall_s for usage in one.full])
    costs = spread([usage.cpu_s if basis == "cpu" else usage.wall_s for usage in one.full])
    return (
        f"{one.side.name} ({one.side.jobs:,})",
        _seconds(cost.median),
        _range(cost),
        _startup([usage.cpu_s if basis == "cpu" else usage.wall_s for usage in one.startup]),
        _seconds(costs.median),
        _seconds(walls.median),
        _memory(one),
    )


def _memory(one: Measured) -> str:
    largest = f"{max(usage.peak_rss_mb for usage in one.full):.0f} MB"
    together = [usage.peak_tree_mb for usage in one.full if usage.peak_tree_mb is not None]
    return f"{largest}, all {max(together):.0f} MB" if together else largest


def _startup(values: Sequence[float]) -> str:
    return _seconds(spread(values).median) if values else "-"


def _range(value: Spread) -> str:
    return f"{_seconds(value.low)} - {_seconds(value.high)}"


def _seconds(value: float) -> str:
    if value >= 1:
        return f"{value:.2f} s"
    if value >= 1e-3:
        return f"{value * 1e3:.3g} ms"
    return f"{value * 1e6:.3g} us"
