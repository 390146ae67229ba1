"""Batches of plots, run and told of."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from batchlab.devices.cli._plot_lines import Ticks, Voice, summary_lines

if TYPE_CHECKING:
    from batchlab.devices._plot_batch import PlotBatch
    from batchlab.engine import BatchView, Plan, RunResult

__all__ = ["choose_workers", "draw_all", "plan_all", "workers_for"]

START_S = 0.3  # what a worker costs before its first plot: the store opened, fonts found
PLOT_S = 0.12  # a plot where nothing is known of earlier ones


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
    from batchlab.engine import Verdict, plan, read_view, run

    plots.settle()
    planned = plan(plots.batch, fresh=fresh, only=only)
    to_run = sum(each.verdict is not Verdict.SKIP for each in planned.jobs)
    if workers is None:
        workers = workers_for(to_run)
    workers = max(1, min(workers, to_run))
    voice.say(f"Execution mode: {'Parallel' if workers > 1 else 'Sequential'}")
    voice.say(f"Workers: {workers}")
    voice.say("Caching: Enabled (automatic)\n")
    ticks = Ticks(plots.plots, voice, bar=workers > 1 and not voice.verbose and not voice.quiet and _is_lively())
    batch = replace(plots.batch, settings=replace(plots.batch.settings, workers=workers))
    try:
        result = run(batch, listeners=[ticks], fresh=fresh, only=only, verbose=voice.verbose)
    finally:
        ticks.close()
    view = read_view(result.root)
    for line in summary_lines(result, view, ticks.took_s, workers):
        voice.say(line)
    if report:
        _report(view, voice)
    return result


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
