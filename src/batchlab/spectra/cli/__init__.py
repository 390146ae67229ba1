"""What this domain offers to the command line. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import click

from batchlab.spectra._cli_plans import plans
from batchlab.spectra.cli._compare import compare
from batchlab.spectra.cli._inspect import inspect


@click.group()
def spectra() -> None:
    """Optical spectra: Raman, infrared, UV-Vis, fluorescence."""


spectra.add_command(compare)
spectra.add_command(inspect)
spectra.add_command(plans)
