"""``batchlab schema``."""

from __future__ import annotations

import click

from batchlab.batchfile import schema as batch_file_schema
from batchlab.cli._errors import DONE
from batchlab.cli._running import print_json


@click.command()
def schema() -> int:
    """Print the JSON Schema of batch files, for an editor that checks while one writes."""
    print_json(batch_file_schema())
    return DONE
