"""Options of the commands that make and show data, and how they run a batch."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchlab.options import WorkersType, command_line, with_options

if TYPE_CHECKING:
    from batchlab.devices._layout import Layout
    from batchlab.engine import Batch

__all__ = [
    "DayType",
    "base_option",
    "chip_options",
    "command_line",
    "json_option",
    "laid_out",
    "run_options",
    "running",
    "told_of_run",
    "with_options",
]

F = TypeVar("F", bound=Callable[..., Any])

log = logging.getLogger("batchlab.devices")


def base_option(command: F) -> F:
    """``--base-dir``, and the folders below it where they lie elsewhere."""
    options = (
        click.option("--base-dir", default="data", show_default=True, metavar="DIR", help="The data folder."),
        click.option("-r", "--raw-root", metavar="DIR", help="The raw files.  [default: BASE/01_raw]"),
        click.option("-s", "--stage-root", metavar="DIR", help="Staged runs, histories.  [default: BASE/02_stage]"),
        click.option("--derived-root", metavar="DIR", help="Metrics, enriched histories.  [default: BASE/03_derived]"),
    )
    return with_options(command, options)


def run_options(command: F) -> F:
    """How a batch is run and told of."""
    options = (
        click.option("-w", "--workers", type=WorkersType(), default="auto", help="Processes; auto is by cost."),
        click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
        click.option("--json", "json_lines", is_flag=True, help="One JSON object per line, the last the status."),
        click.option("-q", "--quiet", is_flag=True, help="Tell errors alone."),
        click.option("-v", "--verbose", is_flag=True, help="Tell of each job, and what is logged, too."),
    )
    return with_options(command, options)


def chip_options(command: F) -> F:
    """Which chips and procedures."""
    options = (
        click.option(
            "-c", "--chip", "chips", multiple=True, metavar="CHIPS", help="67 or 67,81 or 67-75 or Alisson67; else all."
        ),
        click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]"),
        click.option(
            "-p", "--procedures", multiple=True, metavar="NAMES", help="As in IVg,VVg; else all that have metrics."
        ),
    )
    return with_options(command, options)


class DayType(click.ParamType):  # type: ignore[type-arg]
    """A day, as in ``2025-09-04``."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The day as histories write it."""
        from datetime import date

        try:
            day = date.fromisoformat(value).isoformat()
        except ValueError:
            day = ""
        if not day or day != value:
            self.fail(f"{str(value)[:40]!r} is no day; write it as in 2025-09-04", param, ctx)
        return day


def json_option(command: F) -> F:
    """``--json`` of commands that show something."""
    return click.option("--json", "as_json", is_flag=True, help="For machines.")(command)


def laid_out(given: dict[str, Any]) -> Layout:
    """The folders that the options of `base_option` name; takes them out of what was given."""
    from batchlab.devices._layout import Layout

    return Layout.below(
        given.pop("base_dir"),
        raw=given.pop("raw_root"),
        stage=given.pop("stage_root"),
        derived=given.pop("derived_root"),
    )


def running(
    ctx: click.Context,
    batch: Batch,
    *,
    fresh: bool = False,
    dry_run: bool,
    json_lines: bool,
    quiet: bool,
    verbose: bool,
    say: Sequence[str] = (),
) -> int:
    """Run a batch with progress, summary and report; returns the exit code.

    Parameters
    ----------
    say
        Lines about the choices made, for those who ask for more.
    """
    if verbose:
        for line in say:
            click.echo(line, err=True)
    code: int = ctx.obj.run_batch(
        batch,
        dry_run=dry_run,
        fresh=fresh,
        json_lines=json_lines,
        quiet=quiet,
        verbose=verbose,
        report=None,
    )
    return code


def told_of_run(batch: Batch, began: float, tasks: Sequence[str], sought: str) -> Iterator[str]:
    """Lines of the logs that jobs of some tasks have written since a time, those that hold a text."""
    from batchlab.engine import read_view

    view = read_view(batch.output)
    for job in view.jobs:
        if job.task in tasks and job.log is not None:
            path = os.path.join(view.root, job.log)
            try:
                if os.stat(path).st_mtime < began:
                    continue
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield from (line.rstrip("\n").partition(": ")[2] for line in file if sought in line)
            except OSError as error:
                log.warning("%s: cannot be read (%s)", path, error)
