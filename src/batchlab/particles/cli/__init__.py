"""What this domain offers to the command line; a command is imported when it is used, not when it is listed."""

from __future__ import annotations

from collections.abc import Mapping

import click

from batchlab.options import LazyCommands

__all__ = ["particles"]

_CLI = "batchlab.particles.cli"

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "plot": (f"{_CLI}._plot:plot", "Draw the spectrograms of every orbit."),
    "orbit": (f"{_CLI}._plot:orbit", "Draw the spectrograms of one orbit."),
    "extrema": (f"{_CLI}._extrema:extrema", "Settle the limits that all orbits share."),
    "list": (f"{_CLI}._list:list_files", "Show which files there are, by orbit."),
}


@click.group(cls=LazyCommands, where=_COMMANDS)
def particles() -> None:
    """Spacecraft particle instruments: spectrograms of every orbit, with limits that all share."""
