"""``batchlab demo``: every domain on made-up data, its findings held against the truth."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Protocol

import click

from batchlab.cli._errors import CANCELLED, DONE, TROUBLE
from batchlab.cli._face import Face
from batchlab.cli._options import FOLDER
from batchlab.cli._summary import shown_path
from batchlab.cli._words import one_line, plain
from batchlab.engine import Batch, BatchView, read_view
from batchlab.errors import ConfigError

DEMO_GROUP = "batchlab.demos"


class Demo(Protocol):
    """What a domain's demo module offers; its docstring's first line says what it shows."""

    __doc__: str | None

    def make_demo(self, folder: Path) -> Batch:
        """Write the data into a folder, and make the batch over them."""

    def expected(self, view: BatchView) -> str | None:
        """None if the finished batch found what the data were made with; else what it missed."""

    # A demo may also offer on_purpose(view) -> str | None: what failed because it was made to fail.


def find_demos() -> dict[str, importlib.metadata.EntryPoint]:
    """Demos by domain."""
    entries = importlib.metadata.entry_points(group=DEMO_GROUP)
    return {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}


@click.command()
@click.option("--output", type=FOLDER, default=Path("batchlab-demo"), metavar="DIR", show_default=True)
@click.option("--domain", metavar="NAME", help="Only this domain's.")
@click.option("-q", "--quiet", is_flag=True, help="Tell errors alone.")
@click.pass_obj
def demo(face: Face, output: Path, domain: str | None, quiet: bool) -> int:
    """Make data with a known truth, run a batch over them, and check what it found.

    Run again, it finds its work done.
    """
    demos = find_demos()
    if domain is not None and domain not in demos:
        raise ConfigError(f"no demo of {domain!r} is installed; there are {', '.join(demos) or 'none'}")
    if not demos:
        raise ConfigError("no domain with a demo is installed; install one, as in pip install 'batchlab[spectra]'")
    code = DONE
    for name, entry in demos.items():
        if domain in (None, name):
            ended = _run_one(face, name, entry, output, quiet=quiet)
            if ended == CANCELLED:
                return CANCELLED
            code = max(code, ended)
    return code


def _run_one(face: Face, name: str, entry: importlib.metadata.EntryPoint, output: Path, *, quiet: bool) -> int:
    try:
        module: Demo = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken domain harms no other
        click.echo(f"{name}: its demo cannot be loaded: {one_line(f'{type(error).__name__}: {error}')}", err=True)
        return TROUBLE
    what = (module.__doc__ or "").strip().split("\n")[0]
    if not quiet:
        click.echo(f"{click.style(name, bold=True)}  {one_line(what)}")
    batch = module.make_demo(output / name)
    ended = _run_quietly(batch) if quiet else face.run_batch(batch)
    if ended == CANCELLED:
        return CANCELLED
    view = read_view(batch.output)
    missed = module.expected(view)
    if missed is not None:
        click.echo(f"{name}: not as expected: {plain(missed)}", err=True)
        return TROUBLE
    if quiet:
        return DONE
    on_purpose = getattr(module, "on_purpose", None)
    told = on_purpose(view) if on_purpose is not None else None
    if told is not None:
        click.echo(f"{name}: {plain(told)}")
    click.echo(f"{name}: found what the data were made with; open {shown_path(batch.output / 'batch_report.html')}")
    return DONE


def _run_quietly(batch: Batch) -> int:
    """Without a word of the batch's own failures: some are made on purpose, and the check tells of the others."""
    from batchlab.cli._running import run_batch

    return run_batch(batch, quiet=True, tell_failures=False)
