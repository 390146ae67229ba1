"""``batchlab devices report``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchlab.devices.cli._data_options import base_option, json_option, laid_out

if TYPE_CHECKING:
    from batchlab.devices._layout import Layout

__all__ = ["report", "tell_pages", "tell_stale_pages"]


@click.command("report")
@base_option
@click.option(
    "-c", "--chip", "chips", multiple=True, metavar="CHIPS", help="67 or 67,81 or 67-75 or Alisson67; else all."
)
@click.option("-g", "--group", metavar="GROUP", help="Only chips of this group.  [default: all]")
@click.option("-o", "--output", metavar="DIR", help="Write the pages there.  [default: DERIVED/reports]")
@json_option
def report(chips: tuple[str, ...], group: str | None, output: str | None, as_json: bool, **given: Any) -> None:
    """Write a page for each chip, and one over all: timeline, Dirac points, responses to light, quality flags.

    full-pipeline, update and derive-all-metrics write them, too; here from what is staged and derived by now. With
    --chip or --group only pages of those chips are written.
    """
    import polars as pl

    from batchlab.devices._batches import chips_in
    from batchlab.devices._chips import chosen_chips
    from batchlab.devices._durable import writing_into
    from batchlab.devices._history import names_of
    from batchlab.devices._panel import write_pages
    from batchlab.devices._store import Store

    layout = laid_out(given)
    store = Store(layout.store)
    metrics = pl.read_parquet(layout.metrics, glob=False) if layout.metrics.is_file() else None
    there = chips_in(store)
    called = names_of(there)
    some = [called[chip] for chip in chosen_chips(chips, there, group=group)] if chips or group else None
    folder = layout.pages if output is None else Path(output)
    with writing_into(folder):
        pages = write_pages(store, metrics, folder, chips=some)
    if as_json:
        from batchlab.devices.cli._tables import print_json

        print_json({"pages": [str(page) for page in pages], "metrics": None if metrics is None else metrics.height})
        return
    for page in pages if some is not None else pages[:1]:
        click.echo(_relative(page))
    if metrics is None:
        click.echo("no metrics are derived yet: the pages tell of the runs alone; derive-all-metrics does it", err=True)


def tell_pages(layout: Layout) -> None:
    """Where the page over all chips lies."""
    from batchlab.devices._panel._names import INDEX

    if (layout.pages / INDEX).is_file():
        click.echo(f"pages of chips: {_relative(layout.pages / INDEX)}")


def tell_stale_pages(layout: Layout) -> None:
    """Say that there are pages of chips, and that they tell of other metrics than there are by now."""
    from batchlab.devices._batches import pages_batch
    from batchlab.devices._panel._names import INDEX
    from batchlab.engine import Verdict, plan

    try:
        older = (layout.pages / INDEX).stat().st_mtime_ns < layout.metrics.stat().st_mtime_ns
    except OSError:
        return
    # Metrics that were written anew as they were make no page stale.
    if older and plan(pages_batch(layout)).jobs[0].verdict is not Verdict.SKIP:
        click.echo(
            f"pages of chips: {_relative(layout.pages / INDEX)} tells of earlier metrics; batchlab devices report, "
            "or --pages, renews them"
        )


def _relative(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
