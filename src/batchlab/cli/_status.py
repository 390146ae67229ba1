"""``batchlab status``."""

from __future__ import annotations

from pathlib import Path

import click

from batchlab.cli._errors import DONE
from batchlab.cli._options import FOLDER, json_option
from batchlab.cli._screen import coloured
from batchlab.cli._words import counted, duration, moment, number, one_line
from batchlab.engine import BatchView, JobView, Status, read_view, status_json

SHOWN_RUNNING = 20

KINDS = {
    Status.DONE: "done",
    Status.RUNNING: "done",
    Status.PENDING: "quiet",
    Status.SKIPPED: "quiet",
}


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--jobs", is_flag=True, help="List every job.")
@json_option
def status(folder: Path, jobs: bool, as_json: bool) -> int:
    """Show where the batch in DIR stands: counts, what runs, what failed.

    Works while it runs, after a crash, and where DIR may only be read.
    """
    view = read_view(folder)
    if as_json:
        from batchlab.cli._running import print_json

        print_json(status_json(view))
        return DONE
    click.echo(f"{one_line(view.batch)}  {_coloured_state(view)}{_last_run(view)}")
    for state, count in view.counts.items():
        if count:
            click.echo(f"  {number(count):>7}  {coloured(state, KINDS.get(Status(state), 'trouble'))}")
    failed_items = sum(item.status is Status.FAILED for job in view.jobs for item in job.items)
    if failed_items:
        word = "item failed" if failed_items == 1 else "items failed"
        click.echo(f"  {number(failed_items):>7}  {coloured(word, 'trouble')}")
    running = [job for job in view.jobs if job.state is Status.RUNNING]
    for job in [] if jobs else running[:SHOWN_RUNNING]:
        click.echo(f"  running  {one_line(job.name)}")
    if jobs:
        width = max((len(one_line(job.name)) for job in view.jobs), default=0)
        for job in view.jobs:
            click.echo(f"  {_line(job, min(width, 60))}")
    if view.left:
        from batchlab.reports import left_over

        click.echo(f"  {one_line(left_over(view))}")
    _show_failures(view)
    return DONE


def _coloured_state(view: BatchView) -> str:
    return coloured(str(view.state), "done" if view.state in ("done", "running") else "trouble")


def _last_run(view: BatchView) -> str:
    if not view.runs:
        return ""
    last = view.runs[-1]
    took = f", {duration(last.elapsed_s)}" if last.elapsed_s is not None else ""
    word = "since" if last.ended_at is None else "of"
    why = f": {one_line(last.reason)}" if last.reason else ""
    return f"  (run {last.number}, {word} {moment(last.started_at)}{took}, {counted(last.workers, 'worker')}){why}"


def _line(job: JobView, width: int) -> str:
    state = coloured(f"{job.state:<11}", KINDS.get(job.state, "trouble"))
    why = "" if job.category is None else f"  {job.category}" + (f" ({one_line(job.reason)})" if job.reason else "")
    return f"{state}  {one_line(job.name):<{width}}  {duration(job.elapsed_s):>10}{why}".rstrip()


def _show_failures(view: BatchView) -> None:
    from batchlab.reports import failures

    groups = failures(view)
    if not groups:
        return
    from batchlab.cli._screen import console, show
    from batchlab.cli._summary import failure_table

    click.echo()
    show(console(stderr=False), failure_table(groups))
