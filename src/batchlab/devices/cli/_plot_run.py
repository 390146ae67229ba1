"""Batches of plots, run and told of."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from batchlab.devices.cli._plot_lines import Ticks, Voice, summary_lines

if TYPE_CHECKING:
    from batchlab.devices._plot_batch import PlotBatch
    from batchlab.engine import Batch, BatchView, Plan, RunResult

__all__ = ["choose_workers", "draw_all", "draw_for_machines", "plan_all", "plan_for_machines", "workers_for"]

START_S = 0.3  # what a worker costs before its first plot: the store opened, fonts found
PLOT_S = 0.03  # a plot where nothing is known of earlier ones


def choose_workers(plots: int, plot_s: float | None, cores: int) -> int:
    """How many workers so many plots are worth: each further one has twice its start's time of work.

    Parameters
    ----------
    plots
        To be drawn.
    plot_s
        What one took so far, in s; None where it is not known.
    cores
        There are.
    """
    work_s = plots * (PLOT_S if plot_s is None else plot_s)
    return max(1, min(cores, plots, int(work_s / (2 * START_S))))


def workers_for(plots: int) -> int:
    """How many workers so many plots are worth here, by what plots took so far."""
    return choose_workers(plots, _plot_s_so_far(), _cores())


def _cores() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _plot_s_so_far() -> float | None:
    """Mean time of plots in earlier runs, in s."""
    from batchlab.engine import read_history

    past = read_history().get("devices.plot")
    return None if past is None or past.observed.n < 1 else past.observed.y / past.observed.n


def plan_all(plots: PlotBatch, *, fresh: bool = False, only: str | None = None) -> Plan | None:
    """What a run would do; None where none was yet, so that all is new. Writes nothing."""
    from batchlab.engine import plan

    return plan(plots.batch, fresh=fresh, only=only) if plots.settled else None


def draw_all(
    plots: PlotBatch,
    voice: Voice,
    *,
    workers: int | None = None,
    only: str | None = None,
    fresh: bool = False,
    report: bool = True,
) -> RunResult:
    """Run a batch of plots: mode, a line for each plot, and a summary.

    Parameters
    ----------
    workers
        How many; None chooses by the work there is.
    only
        Only plots whose jobs' names match.
    fresh
        Do everything anew.
    report
        Whether to write the reports into the folder of figures.
    """
    from batchlab.engine import plan, read_view, run

    plots.settle()
    planned = plan(plots.batch, fresh=fresh, only=only)
    workers = _workers_of(planned, workers)
    voice.say(f"Execution mode: {'Parallel' if workers > 1 else 'Sequential'}")
    voice.say(f"Workers: {workers}")
    voice.say("Caching: Enabled (automatic)\n")
    ticks = Ticks(plots.plots, voice, bar=workers > 1 and not voice.verbose and not voice.quiet and _is_lively())
    try:
        result = run(
            _with_workers(plots.batch, workers), listeners=[ticks], fresh=fresh, only=only, verbose=voice.verbose
        )
    finally:
        ticks.close()
    view = read_view(result.root)
    for line in summary_lines(result, view, ticks.took_s, workers):
        voice.say(line)
    if report:
        _report(view, voice)
    return result


def draw_for_machines(
    plots: PlotBatch,
    face: Any,
    *,
    workers: int | None = None,
    only: str | None = None,
    fresh: bool = False,
    report: bool = True,
    verbose: bool = False,
) -> int:
    """Run a batch of plots and print an object a line, the last the status; the exit code.

    As `draw_all` otherwise; `face` is the command line's, which runs batches and tells of them.
    """
    from batchlab.engine import plan

    plots.settle()
    chosen = _workers_of(plan(plots.batch, fresh=fresh, only=only), workers)
    code: int = face.run_batch(
        _with_workers(plots.batch, chosen), fresh=fresh, only=only, json_lines=True, verbose=verbose, report=report
    )
    return code


def plan_for_machines(plots: PlotBatch, *, fresh: bool = False, only: str | None = None) -> dict[str, Any]:
    """What a run would do, as ``plan --json`` tells it, and of each plot which runs it shows and what it makes.

    Writes nothing.
    """
    from batchlab.devices.cli._plot_lines import matching, reasons_of
    from batchlab.engine import Verdict

    planned = plan_all(plots, fresh=fresh)
    reasons = reasons_of(plots, planned)
    jobs = []
    for at in matching([each.job.name for each in plots.plots], only):
        plot = plots.plots[at]
        verdict = Verdict.RUN if planned is None else planned.jobs[at].verdict
        jobs.append(
            {
                "name": plot.job.name,
                "task": plot.job.task,
                "state": str(verdict),
                "reason": reasons[at].removeprefix(f"{verdict}: "),
                "chips": [chip.name for chip in plot.spec.chips],
                "runs": [row["run_id"] for row in plot.rows],
                "tag": plot.spec.tag,
                "outputs": dict(plot.job.outputs),
            }
        )
    counts = {str(verdict): sum(job["state"] == verdict for job in jobs) for verdict in Verdict}
    return {"batch": plots.batch.name, "counts": counts, "jobs": jobs}


def _workers_of(planned: Plan, workers: int | None) -> int:
    """As many as asked for, or worth it; never more than there are plots to draw."""
    from batchlab.engine import Verdict

    to_run = sum(each.verdict is not Verdict.SKIP for each in planned.jobs)
    return max(1, min(workers_for(to_run) if workers is None else workers, to_run))


def _with_workers(batch: Batch, workers: int) -> Batch:
    return replace(batch, settings=replace(batch.settings, workers=workers))


def _report(view: BatchView, voice: Voice) -> None:
    """Write the reports; a run whose report cannot be written is no worse a run."""
    from batchlab.errors import BatchlabError
    from batchlab.reports import find_panels, write_reports

    try:
        voice.say(f"Report: {os.path.relpath(write_reports(view, panels=find_panels(view)).html)}")
    except BatchlabError as error:
        voice.trouble(f"no report: {error}")


def _is_lively() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")
