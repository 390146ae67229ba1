"""The nouns of the table (row, side, goal), and the loop that measures a row."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks._findings import Findings, findings_of
from benchmarks._measure import MeasureError, Usage, measure
from benchmarks._statistics import Spread, per_job, ratios, spread

__all__ = [
    "AtMost",
    "Beyond",
    "Goal",
    "Measured",
    "RatioTo",
    "Row",
    "RowResult",
    "Side",
    "Verdict",
    "measure_row",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One way to do the work of a row."""

    name: str
    case: str  # module:function, called with n=jobs and the arguments
    jobs: int
    arguments: Mapping[str, object] = field(default_factory=dict)
    startup_jobs: int | None = None  # None: nothing is taken off, the whole run is the figure
    wants_folder: bool = False  # a fresh folder on the benchmark's disk, as the argument `folder`
    prepare: str | None = None  # module:function(n, folder): run once, unmeasured; implies a folder that is kept
    watch_s: float = 0.0  # how often the memory of all its processes is added up


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTo:
    """`side` takes at most `factor` of what `against` takes: per job, or memory in all."""

    side: str
    against: str
    factor: float
    figure: Literal["per_job_s", "peak_rss_mb", "peak_tree_mb"] = "per_job_s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """`side` takes at most `seconds` more than `against`, per job."""

    side: str
    against: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """One figure of `side` is limited: seconds per job or in all, MB of its largest process or of all together."""

    side: str
    limit: float
    figure: Literal["per_job_s", "cpu_s", "wall_s", "peak_rss_mb", "peak_tree_mb"] = "per_job_s"


Goal = RatioTo | Beyond | AtMost


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: some sides, what is measured, what is to be reached."""

    name: str
    title: str
    basis: Literal["cpu", "wall"]
    rounds: int
    sides: tuple[Side, ...]
    goals: tuple[Goal, ...] = ()
    asks: str | None = None  # module:function(quick): run once, unmeasured; what it found is told below the figures
    quick: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All rounds of one side; `failure` is the reason if it could not be measured."""

    side: Side
    per_job_s: tuple[float, ...] = ()
    full: tuple[Usage, ...] = ()
    startup: tuple[Usage, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a goal; `met` is None where a side could not be measured."""

    text: str
    value: Spread | None
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """A measured row, with the load before and after."""

    row: Row
    measured: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...]
    findings: Findings | None = None
    load_before: tuple[float, float, float]
    load_after: tuple[float, float, float]


def measure_row(row: Row, folder: Path, *, tell: Callable[[str], None] = lambda text: None) -> RowResult:
    """Measure the sides of `row` in turns.

    A side that fails is told with its reason and left out of the later rounds; the others go on.
    """
    before = os.getloadavg()
    usages: dict[str, list[tuple[Usage | None, Usage]]] = {side.name: [] for side in row.sides}
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix=f"{row.name}-", dir=folder) as scratch:
        prepared = _prepare(row, Path(scratch), failures, tell)
        for number in range(1, row.rounds + 1):
            for side in row.sides:
                if side.name in failures:
                    continue
                tell(f"{row.name}: round {number} of {row.rounds}, {side.name}")
                try:
                    usages[side.name].append(_measure_side(side, Path(scratch), prepared))
                except MeasureError as error:
                    failures[side.name] = str(error)
    measured = tuple(_measured(side, usages[side.name], row.basis, failures.get(side.name)) for side in row.sides)
    by_name = {one.side.name: one for one in measured}
    verdicts = tuple(_verdict(goal, by_name, row.basis) for goal in row.goals)
    findings = None
    if row.asks is not None:
        tell(f"{row.name}: looking at results")
        findings = findings_of(row.asks, row.quick)
        verdicts += tuple(Verdict(text=check.text, value=None, met=check.met) for check in findings.checks)
    return RowResult(
        row=row,
        measured=measured,
        verdicts=verdicts,
        findings=findings,
        load_before=before,
        load_after=os.getloadavg(),
    )


def _prepare(
    row: Row, scratch: Path, failures: dict[str, str], tell: Callable[[str], None]
) -> dict[tuple[str, int], Path]:
    """Make what sides need before they can be measured; sides that prepare the same share it."""
    prepared: dict[tuple[str, int], Path] = {}
    failed: dict[tuple[str, int], str] = {}
    for side in row.sides:
        if side.prepare is None:
            continue
        if (side.prepare, side.jobs) in failed:
            failures[side.name] = failed[side.prepare, side.jobs]
            continue
        if (side.prepare, side.jobs) in prepared:
            continue
        target = scratch / f"prepared-{len(prepared)}"
        target.mkdir()
        tell(f"{row.name}: preparing {side.jobs:,} jobs")
        try:
            measure(side.prepare, {"n": side.jobs, "folder": str(target)}, timeout_s=3600)
        except MeasureError as error:
            failures[side.name] = failed[side.prepare, side.jobs] = str(error)
            continue
        prepared[side.prepare, side.jobs] = target
    return prepared


def _measure_side(side: Side, scratch: Path, prepared: Mapping[tuple[str, int], Path]) -> tuple[Usage | None, Usage]:
    startup = None if side.startup_jobs is None else _run(side, side.startup_jobs, scratch, prepared)
    return startup, _run(side, side.jobs, scratch, prepared)


def _run(side: Side, jobs: int, scratch: Path, prepared: Mapping[tuple[str, int], Path]) -> Usage:
    arguments: dict[str, object] = {"n": jobs, **side.arguments}
    if side.prepare is not None:
        arguments["folder"] = str(prepared[side.prepare, side.jobs])
    if not side.wants_folder:
        return measure(side.case, arguments, watch_s=side.watch_s)
    output = Path(tempfile.mkdtemp(dir=scratch))
    try:
        name = "output" if side.prepare is not None else "folder"
        return measure(side.case, {**arguments, name: str(output)}, watch_s=side.watch_s)
    finally:
        shutil.rmtree(output)


def _measured(
    side: Side, usages: list[tuple[Usage | None, Usage]], basis: Literal["cpu", "wall"], failure: str | None
) -> Measured:
    if failure is not None:
        return Measured(side=side, failure=failure)
    costs = []
    for startup, full in usages:
        first = 0.0 if startup is None else _cost(startup, basis)
        costs.append(per_job(_cost(full, basis), side.jobs, first, side.startup_jobs or 0))
    return Measured(
        side=side,
        per_job_s=tuple(costs),
        full=tuple(full for _, full in usages),
        startup=tuple(startup for startup, _ in usages if startup is not None),
    )


def _cost(usage: Usage, basis: Literal["cpu", "wall"]) -> float:
    return usage.cpu_s if basis == "cpu" else usage.wall_s


def _verdict(goal: Goal, measured: Mapping[str, Measured], basis: str) -> Verdict:
    """Judge by the median; the range is told beside it."""
    ours = measured[goal.side]
    match goal:
        case RatioTo(against=against, factor=limit, figure="peak_rss_mb"):
            text = f"{goal.side}: largest process at most {limit:.3g} x that of {against}"
        case RatioTo(against=against, factor=limit, figure="peak_tree_mb"):
            text = f"{goal.side}: all processes together at most {limit:.3g} x those of {against}"
        case RatioTo(against=against, factor=limit):
            text = f"{goal.side}: {basis} at most {limit:.3g} x {against}"
        case Beyond(against=against, seconds=limit):
            text = f"{goal.side}: at most {limit * 1e3:g} ms above {against} per job, in ms"
            limit *= 1e3
        case AtMost(limit=limit, figure="peak_rss_mb"):
            text = f"{goal.side}: largest process under {limit:g} MB"
        case AtMost(limit=limit, figure="peak_tree_mb"):
            text = f"{goal.side}: all processes together under {limit:g} MB"
        case AtMost(limit=limit, figure="cpu_s"):
            text = f"{goal.side}: cpu under {limit:g} s in all, in s"
        case AtMost(limit=limit, figure="wall_s"):
            text = f"{goal.side}: under {limit:g} s in all, in s"
        case AtMost(limit=limit):
            text = f"{goal.side}: {basis} at most {limit * 1e3:g} ms per job, in ms"
            limit *= 1e3
    values: list[float]
    if ours.failure is not None:
        return Verdict(text=text, value=None, met=None)
    if isinstance(goal, AtMost):
        if goal.figure == "per_job_s":
            values = [cost * 1e3 for cost in ours.per_job_s]
        else:
            values = [getattr(usage, goal.figure) for usage in ours.full]
    else:
        theirs = measured[goal.against]
        if theirs.failure is not None:
            return Verdict(text=text, value=None, met=None)
        if isinstance(goal, RatioTo) and goal.figure != "per_job_s":
            values = ratios(*([getattr(usage, goal.figure) for usage in one.full] for one in (ours, theirs)))
        elif isinstance(goal, RatioTo):
            # A run too small to tell costs nothing per job: no ratio to it can be formed.
            if min(theirs.per_job_s) <= 0:
                return Verdict(text=text, value=None, met=None)
            values = ratios(ours.per_job_s, theirs.per_job_s)
        else:
            values = [(a - b) * 1e3 for a, b in zip(ours.per_job_s, theirs.per_job_s, strict=True)]
    value = spread(values)
    return Verdict(text=text, value=value, met=value.median <= limit)
