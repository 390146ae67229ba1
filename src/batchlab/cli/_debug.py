"""``batchlab debug``."""

from __future__ import annotations

import contextlib
import pdb  # noqa: T100 - this command is the debugger
import tempfile
import traceback
from pathlib import Path
from types import TracebackType

import click

import batchlab.cli
import batchlab.engine
from batchlab.cli._errors import DONE, TROUBLE, masked
from batchlab.cli._options import FOLDER
from batchlab.cli._words import one_line, plain, value
from batchlab.engine import recorded_job, rehearse
from batchlab.errors import ConfigError, StartError

_OURS = frozenset(Path(str(each.__file__)).parent for each in (batchlab.cli, batchlab.engine))


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("job")
@click.option("--no-pdb", is_flag=True, help="Show the traceback and open no debugger.")
@click.option(
    "--output", type=FOLDER, metavar="FOLDER", help="Where its outputs go; by default a new temporary folder."
)
def debug(folder: Path, job: str, no_pdb: bool, output: Path | None) -> int:
    """Call one job of DIR in this process, and open the debugger where it fails.

    A rehearsal: nothing is recorded, nothing in DIR changes, limits do not apply. A `breakpoint()` in the task works.
    """
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    name = recorded_job(folder, job)[1].name
    scratch = output or Path(tempfile.mkdtemp(prefix="batchlab-debug-"))
    try:
        return _rehearse(folder, name, scratch.resolve(), no_pdb=no_pdb)
    finally:
        if output is None:
            with contextlib.suppress(OSError):  # what it wrote is kept to be looked at
                scratch.rmdir()


def _rehearse(folder: Path, job: str, scratch: Path, *, no_pdb: bool) -> int:
    try:
        done = rehearse(folder, job, scratch, tell=_tell)
    except (ConfigError, StartError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the task raises is what is looked for
        error.__traceback__ = _below_ours(error.__traceback__)
        click.echo(masked(plain("".join(traceback.format_exception(error)))), err=True)
        click.echo(f"{one_line(job)} failed: {masked(one_line(f'{type(error).__name__}: {error}'))}", err=True)
        if not no_pdb:
            pdb.post_mortem(error.__traceback__)
        return TROUBLE
    click.echo(f"{one_line(done.job)} came to its end; nothing was recorded")
    for name, metric in done.metrics.items():
        click.echo(f"  {one_line(name)} = {value(metric)}")
    for name, path in done.outputs.items():
        click.echo(f"  {one_line(name)}: {plain(path)}")
    for name in done.missing:
        click.echo(f"  {one_line(name)}: was not written, so in a run the job would fail", err=True)
    return TROUBLE if done.missing else DONE


def _below_ours(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the task on; whole where the task was never reached."""
    at = trace
    while at is not None and Path(at.tb_frame.f_code.co_filename).parent in _OURS:
        at = at.tb_next
    return at or trace


def _tell(kind: str, text: str) -> None:
    if text:
        click.echo(f"{kind}: {masked(one_line(text))}", err=True)
