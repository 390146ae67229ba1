"""From a batch to its end: the display beside it, the summary and the reports after it."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import click

from batchlab.cli._errors import CANCELLED, DONE, ToConsole, masked
from batchlab.cli._progress_lines import JsonLines, PlainLines, dumps
from batchlab.cli._screen import console, is_lively
from batchlab.cli._summary import show_summary
from batchlab.engine import Batch, BatchView, Notice, Status, plan, read_view, run, status_json
from batchlab.errors import BatchlabError

log = logging.getLogger(__name__)


class Display(Protocol):
    """A listener that ends when the run does."""

    def __call__(self, notice: Notice) -> None:
        """Take in what happened."""

    def close(self) -> None:
        """Show nothing more."""


def run_batch(
    batch: Batch,
    *,
    dry_run: bool = False,
    fresh: bool = False,
    only: str | None = None,
    json_lines: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    report: bool = True,
) -> int:
    """Run a batch with all that surrounds a run; see `Face.run_batch`."""
    if dry_run:
        from batchlab.cli._plan_text import show_plan

        show_plan(plan(batch, fresh=fresh, only=only), json_lines=json_lines)
        return DONE
    with _display(json_lines=json_lines, quiet=quiet, verbose=verbose) as display:
        try:
            result = run(
                batch,
                listeners=() if display is None else (display,),
                fresh=fresh,
                only=only,
                verbose=verbose,
            )
        finally:
            if display is not None:
                display.close()
        view = read_view(result.root)
        html = _write_reports(view) if report else None
    if isinstance(display, JsonLines):
        display.finish(status_json(view))
    elif not quiet:
        show_summary(result, view, html)
    elif result.exit_code not in (DONE, CANCELLED):
        click.echo(
            f"{batch.name}: {result.counts.get(Status.FAILED, 0)} failed; batchlab status {result.root}", err=True
        )
    return result.exit_code


def _write_reports(view: BatchView) -> Path | None:
    """Write the reports; a run whose report cannot be written is no worse a run."""
    from batchlab.reports import find_panels, write_reports

    try:
        return write_reports(view, panels=find_panels(view)).html
    except BatchlabError as error:
        log.warning("no report: %s; `batchlab report %s --output FOLDER` writes it elsewhere", error, view.root)
    return None


@contextlib.contextmanager
def _display(*, json_lines: bool, quiet: bool, verbose: bool) -> Iterator[Display | None]:
    """Whatever shows the run, with the engine's log beside it."""
    display: Display | None = None
    write: Callable[[str], None] = _write_stderr
    if json_lines:
        display = JsonLines(sys.stdout)
    elif not quiet and is_lively():
        from batchlab.cli._progress_bar import LiveBar

        screen = console()
        display = LiveBar(screen)

        def write(text: str) -> None:
            screen.print(text, soft_wrap=True)

    elif not quiet:
        display = PlainLines(lambda text: _write_stderr(masked(text)))
    level = logging.INFO if verbose else logging.ERROR if quiet else logging.WARNING
    handler = ToConsole(write, level)
    logger = logging.getLogger("batchlab")
    before = logger.level
    if not logger.isEnabledFor(level):
        logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield display
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _write_stderr(text: str) -> None:
    click.echo(text, err=True)


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(dumps(value, indent=2))
