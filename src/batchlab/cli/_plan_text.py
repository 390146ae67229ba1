"""A plan on the terminal: a line a job, and the counts."""

from __future__ import annotations

import click

from batchlab.cli._progress_lines import dumps, relative_task
from batchlab.cli._screen import coloured
from batchlab.cli._words import counted, one_line
from batchlab.engine import Plan, Verdict

_KINDS = {Verdict.RUN: "done", Verdict.STALE: "done", Verdict.SKIP: "quiet", Verdict.BLOCKED: "trouble"}
_WIDEST = 60


def show_plan(made: Plan, *, json_lines: bool) -> None:
    """Print it to stdout."""
    if json_lines:
        told = made.as_json()
        told["jobs"] = [{**job, "task": relative_task(job["task"], made.batch.output)} for job in told["jobs"]]
        click.echo(dumps(told, indent=2))
        return
    names = [one_line(each.job.name) for each in made.jobs]
    width = min(max(map(len, names), default=0), _WIDEST)
    for name, each in zip(names, made.jobs, strict=True):
        verdict = coloured(f"{each.verdict:<7}", _KINDS[each.verdict])
        click.echo(f"{verdict}  {name:<{width}}  {one_line(each.reason)}")
    words = [f"{count} {verdict}" for verdict, count in made.counts.items() if count]
    click.echo(f"{one_line(made.batch.name)}: {counted(len(made.jobs), 'job')}: {', '.join(words) or 'nothing'}")
