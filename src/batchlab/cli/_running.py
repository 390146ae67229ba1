"""From a batch to its end: the display beside it, the summary and the reports after it."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from batchlab.cli._errors import CANCELLED, DONE, ToConsole, masked
from batchlab.cli._progress_lines import JsonLines, PlainLines, dumps
from batchlab.cli._screen import console, is_lively
from batchlab.cli._words import number, one_line, plain
from batchlab.engine import Batch, BatchView, Listener, Notice, RunResult, Status, plan, read_view, run, status_json
from batchlab.errors import BatchlabError

if TYPE_CHECKING:
    from batchlab.reports import Panel

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
    report: bool | None = True,
    tell_failures: bool = True,
    listeners: Sequence[Listener] = (),
) -> int:
    """Run a batch with all that surrounds a run; see `Face.run_batch`.

    With `quiet`, `tell_failures` says whether the run's own failures are told in a line.
    """
    if dry_run:
        from batchlab.cli._plan_text import show_plan

        show_plan(plan(batch, fresh=fresh, only=only), json_lines=json_lines)
        return DONE
    with _display(batch.output, json_lines=json_lines, quiet=quiet, verbose=verbose) as display:
        heard: list[Listener] = [*listeners] if display is None else [*listeners, display]
        if verbose:
            from batchlab.cli._narration import narrate, narrate_plan

            narrate_plan(plan(batch, fresh=fresh, only=only))
            heard.append(narrate)
        try:
            result = run(
                batch,
                listeners=heard,
                fresh=fresh,
                only=only,
                verbose=verbose,
            )
        finally:
            if display is not None:
                display.close()
        if report is None:
            report = bool(result.counts) or not (batch.output / "batch_report.html").is_file()
        if quiet and not (report or json_lines) and result.exit_code == DONE:
            return result.exit_code
        view = read_view(result.root)
        panels: tuple[Panel, ...] = ()
        if report or not quiet:
            from batchlab.reports import find_panels

            panels = find_panels(view)
        html = _write_reports(view, panels) if report else None
    headlines = [panel.headline for panel in panels if panel.headline]
    if isinstance(display, JsonLines):
        display.finish({**status_json(view), **({"headlines": headlines} if headlines else {})})
    elif not quiet:
        from batchlab.cli._summary import show_summary

        show_summary(result, view, html, headlines=headlines)
    elif tell_failures and result.exit_code not in (DONE, CANCELLED):
        click.echo(f"{one_line(batch.name)}: {_trouble(result)}; batchlab status {plain(result.root)}", err=True)
    return result.exit_code


def _trouble(result: RunResult) -> str:
    """``1 failed, 2 blocked``."""
    cancelled = result.counts.get(Status.CANCELLED, 0) + result.counts.get(Status.INTERRUPTED, 0)
    words = (
        (result.counts.get(Status.FAILED, 0), "failed"),
        (result.items_failed, "item failed" if result.items_failed == 1 else "items failed"),
        (result.counts.get(Status.BLOCKED, 0), "blocked"),
        (cancelled, "cancelled"),
    )
    return ", ".join(f"{number(count)} {word}" for count, word in words if count) or "not all is done"


def _write_reports(view: BatchView, panels: tuple[Panel, ...]) -> Path | None:
    """Write the reports; a run whose report cannot be written is no worse a run."""
    from batchlab.reports import write_reports

    try:
        return write_reports(view, panels=panels).html
    except BatchlabError as error:
        log.warning("no report: %s; `batchlab report %s --output FOLDER` writes it elsewhere", error, view.root)
    return None


@contextlib.contextmanager
def _display(root: Path, *, json_lines: bool, quiet: bool, verbose: bool) -> Iterator[Display | None]:
    """Whatever shows the run, with the engine's log beside it."""
    display: Display | None = None
    write: Callable[[str], None] = _write_stderr
    if json_lines:
        display = JsonLines(sys.stdout, root)
    elif not quiet and is_lively():
        from batchlab.cli._progress_bar import LiveBar

        screen = console()
        display = LiveBar(screen)

        def write(text: str) -> None:
            screen.print(text, soft_wrap=True)

    elif not quiet:
        display = PlainLines(lambda text: _write_stderr(masked(text)))
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
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
