"""``batchlab cancel``, ``pause`` and ``resume``: what is asked of a run from another process."""

from __future__ import annotations

from pathlib import Path

import click

from batchlab.cli._errors import DONE
from batchlab.cli._options import FOLDER
from batchlab.cli._words import one_line
from batchlab.engine import Ask, BatchState, Command, Place, drop_command, find_job, read_view
from batchlab.errors import StartError

_folder = click.argument("folder", metavar="DIR", type=FOLDER)


def is_running(folder: Path) -> bool:
    """Whether somebody runs the batch of this folder."""
    return read_view(folder).state is BatchState.RUNNING


def ask(folder: Path, what: Ask, told: str, *, jobs: tuple[str, ...] = (), now: bool = False) -> int:
    """Leave a request for the run in this folder; without a run there is nobody to ask."""
    view = read_view(folder)
    names = tuple(find_job(view, job).name for job in jobs)
    if view.state is not BatchState.RUNNING:
        # A request left now would be taken up by the next run.
        click.echo(f"{one_line(folder)}: nothing runs there ({view.state})")
        return DONE
    try:
        drop_command(Place(folder.resolve()).commands, Command(what, names, now))
    except OSError as error:
        raise StartError(f"{folder}: cannot leave a request there ({error.strerror or error})") from error
    click.echo(f"{one_line(view.batch)}: {told}")
    return DONE


@click.command()
@_folder
@click.argument("jobs", metavar="[JOB]...", nargs=-1)
@click.option("--now", is_flag=True, help="Kill what runs at once, without the grace time.")
def cancel(folder: Path, jobs: tuple[str, ...], now: bool) -> int:
    """Stop the batch that runs in DIR, or only the named jobs of it."""
    return ask(folder, Ask.CANCEL, "asked to stop" if not jobs else "asked to stop those jobs", jobs=jobs, now=now)


@click.command()
@_folder
def pause(folder: Path) -> int:
    """Let the batch that runs in DIR start nothing more for now."""
    return ask(folder, Ask.PAUSE, "asked to pause; what runs goes on to its end")


@click.command()
@_folder
def resume(folder: Path) -> int:
    """Let the paused batch in DIR go on."""
    return ask(folder, Ask.RESUME, "asked to go on")
