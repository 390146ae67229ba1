"""``batchlab run``, ``plan`` and ``retry``."""

from __future__ import annotations

from pathlib import Path

import click

from batchlab.cli._face import Face
from batchlab.cli._options import FOLDER, batch_file, json_option, load_file, talk_options, with_workers, workers_option

_only = click.option("--only", metavar="GLOB", help="Only jobs whose names match, and what they need.")
_fresh = click.option("--fresh", is_flag=True, help="Do everything anew.")


@click.command()
@batch_file
@workers_option
@click.option("-n", "--dry-run", is_flag=True, help="Say what would run, and run nothing.")
@_fresh
@_only
@talk_options
@click.pass_obj
def run(
    face: Face,
    file: Path,
    output: Path | None,
    settings: tuple[tuple[str, str], ...],
    workers: int | str | None,
    dry_run: bool,
    fresh: bool,
    only: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    no_report: bool,
) -> int:
    """Run what the batch file FILE has left to do.

    Ctrl-C stops in good order, twice at once; the same command goes on from there. Exit code: 0 all done, 1 some jobs
    failed, 2 the batch file or the call is wrong, 3 it could not start, 130 stopped.
    """
    return face.run_batch(
        with_workers(load_file(file, output, settings), workers),
        dry_run=dry_run,
        fresh=fresh,
        only=only,
        json_lines=as_json,
        quiet=quiet,
        verbose=verbose,
        report=not no_report,
    )


@click.command()
@batch_file
@_fresh
@_only
@json_option
@click.pass_obj
def plan(
    face: Face,
    file: Path,
    output: Path | None,
    settings: tuple[tuple[str, str], ...],
    fresh: bool,
    only: str | None,
    as_json: bool,
) -> int:
    """Say for every job of the batch file FILE whether it would run, and why."""
    batch = load_file(file, output, settings)
    return face.run_batch(batch, dry_run=True, fresh=fresh, only=only, json_lines=as_json)


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@workers_option
@talk_options
@click.pass_obj
def retry(
    face: Face,
    folder: Path,
    workers: int | str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    no_report: bool,
) -> int:
    """Run again what failed, or was not done, in the output folder DIR.

    The batch comes from DIR itself, as it was run last. While a run is going on there, it is asked to take up its
    failed jobs again.
    """
    from batchlab.cli._asks import ask, is_running
    from batchlab.engine import Ask, load_batch

    if is_running(folder):
        return ask(folder, Ask.RETRY, "asked to try its failed jobs again")
    return face.run_batch(
        with_workers(load_batch(folder), workers),
        json_lines=as_json,
        quiet=quiet,
        verbose=verbose,
        report=not no_report,
    )
