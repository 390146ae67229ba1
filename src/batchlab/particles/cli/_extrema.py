"""``batchlab particles extrema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from batchlab.errors import ConfigError
from batchlab.options import DurationType, SizeType, command_line, run_options
from batchlab.particles.cli._asked import (
    chosen_files,
    file_options,
    limit_options,
    reading_asked,
    reading_options,
    tell_notes,
)

__all__ = ["extrema"]


@click.command("extrema")
@click.argument("places", nargs=-1, required=True, metavar="DIR...")
@click.option("-o", "--output", default="particles-plots", metavar="DIR", show_default=True, help="For the results.")
@file_options
@reading_options
@limit_options
@click.option("--instrument-timeout", type=DurationType(), default="2 min", show_default=True, help="To read a file.")
@click.option("--memory", type=SizeType(), help="What a job may take.  [default: no limit]")
@run_options
@click.pass_context
def extrema(ctx: click.Context, /, places: tuple[str, ...], **given: Any) -> None:
    """Settle the limits that the pictures of all orbits in DIR share, and draw nothing.

    They lie in the folder _limits of the results, one file for each instrument; plot with the same output and options
    takes them from there.
    """
    from batchlab.engine import Conflict, Settings
    from batchlab.particles._batch import GIVEN, Pictures, plot_batch

    found = chosen_files(places, given)
    output = Path(given.pop("output"))
    try:
        batch = plot_batch(
            found,
            output,
            pictures=Pictures(variants=(GIVEN,)),
            reading=reading_asked(given),
            instrument_timeout_s=given.pop("instrument_timeout"),
            memory_bytes=given.pop("memory"),
            settings=Settings(workers=given.pop("workers"), retries=1, conflict=Conflict.OVERWRITE, shared_output=True),
            source=command_line(),
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if not given["quiet"]:
        tell_notes(found)
    code: int = ctx.obj.run_batch(batch, only="limits/*", report=False, **given)
    if not (given["dry_run"] or given["quiet"] or given["json_lines"]):
        _show(output / "_limits")
    ctx.exit(code)


def _show(folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("instrument", "category", "energies up to / eV", "colours from", "to", "unit"):
        table.add_column(name, justify="left" if name in ("instrument", "category", "unit") else "right")
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        for category, limits in content["limits"].items():
            cells = ("" if limits[key] is None else f"{limits[key]:.6g}" for key in ("y_max", "z_min", "z_max"))
            table.add_row(content["instrument"], category, *cells, content["unit"])
    Console().print(table)
    click.echo(f"limits in {folder}")
