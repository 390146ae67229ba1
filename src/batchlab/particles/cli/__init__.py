"""What this domain offers to the command line; a command is imported when it is used, not when it is listed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

__all__ = ["particles"]

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "plot": ("_plot:plot", "Draw the spectrograms of every orbit."),
    "orbit": ("_plot:orbit", "Draw the spectrograms of one orbit."),
    "extrema": ("_extrema:extrema", "Settle the limits that all orbits share."),
    "list": ("_list:list_files", "Show which files there are, by orbit."),
}


class _Commands(click.Group):
    """Our commands, each with its line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Commands)
def particles() -> None:
    """Spacecraft particle instruments: spectrograms of every orbit, with limits that all share."""
