"""``batchlab report``."""

from __future__ import annotations

from pathlib import Path

import click

from batchlab.cli._errors import DONE
from batchlab.cli._options import FOLDER, json_option
from batchlab.cli._words import plain
from batchlab.engine import read_view
from batchlab.reports import find_panels, write_reports


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--output", type=FOLDER, metavar="FOLDER", help="Write them there, not into DIR.")
@json_option
def report(folder: Path, output: Path | None, as_json: bool) -> int:
    """Write batch_report.html, batch_summary.csv and batch_statistics.json of the batch in DIR.

    Works for a batch that runs, has crashed, or was run long ago. A DIR that may only be read needs --output.
    """
    view = read_view(folder)
    written = write_reports(view, output, panels=find_panels(view))
    if as_json:
        from batchlab.cli._running import print_json

        print_json({"html": str(written.html), "csv": str(written.summary), "json": str(written.statistics)})
    else:
        for path in (written.html, written.summary, written.statistics):
            click.echo(plain(path))
    return DONE
