"""Where the time went: the small tables and bars of run times, stages and runs."""

from __future__ import annotations

from typing import Any

from batchlab.engine import BatchView
from batchlab.reports._statistics import by_task, cache_facts, slowest, stage_times, timing

_STAGES = 7  # of a task with a colour of their own
_LEAST = 0.005  # share of time outside of the stages shown that is told
_WIDTH = 300  # of the bar of stages


def timings(view: BatchView) -> list[dict[str, Any]]:
    """A row a task, and one for all where there are several."""
    timed = [job for job in view.jobs if job.elapsed_s is not None]
    rows = [{"task": task, **timing(jobs)} for task, jobs in by_task(timed).items()]
    return [*rows, {"task": "all", **timing(timed)}] if len(rows) > 1 else rows


def stage_bars(view: BatchView) -> list[dict[str, Any]]:
    """For each task its stages in the order they are entered, as parts of a bar that is 300 wide.

    Small stages beyond `_STAGES` and the time outside of all stages are one part, the last.
    """
    bars = []
    for task, stages in stage_times(view).items():
        largest = sorted(stages, key=lambda name: -stages[name]["share"])[:_STAGES]
        shown = [(name, stages[name]["share"], stages[name]["mean_s"]) for name in stages if name in largest]
        rest = 1.0 - sum(share for _, share, _ in shown)
        if rest > _LEAST:
            # A stage's mean time is its share of a whole job's.
            whole_s = stages[largest[0]]["mean_s"] / stages[largest[0]]["share"]
            shown.append(("rest", rest, rest * whole_s))
        parts, at = [], 0.0
        for place, (name, share, mean_s) in enumerate(shown):
            parts.append(
                {
                    "colour": _STAGES if place == len(largest) else place,
                    "name": name,
                    "percent": f"{100 * share:.1f}",
                    "mean_s": mean_s,
                    "x": round(at, 2),
                    "width": round(_WIDTH * share, 2),
                }
            )
            at += _WIDTH * share
        bars.append({"task": task, "parts": parts})
    return bars


def slowest_bars(view: BatchView) -> list[dict[str, Any]]:
    """The slowest jobs with bars that are at most 100 wide."""
    jobs = slowest(view)
    place = {job.name: i for i, job in enumerate(view.jobs)}
    most = (jobs[0].elapsed_s if jobs else None) or 1.0
    return [
        {
            "index": place[job.name],
            "name": job.name,
            "elapsed_s": job.elapsed_s,
            "state": str(job.state),
            "width": max(0.5, round(100 * (job.elapsed_s or 0.0) / most, 1)),
        }
        for job in jobs
    ]


def run_rows(view: BatchView) -> list[dict[str, Any]]:
    """The runs, each with what its workers' caches spared."""
    return [{"run": run, "cache": cache_facts(run)} for run in view.runs]
