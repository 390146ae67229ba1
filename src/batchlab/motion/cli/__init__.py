"""What this domain offers to the command line; a command is imported when it is used, not when it is listed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

__all__ = ["motion"]

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "fit": ("_fit:fit", "Fit a rigid body to each recording: poses, markers, geometry."),
    "sweep": ("_fit:sweep", "Fit with every combination of options, and choose by what each foretells."),
    "cross-validate": ("_fit:cross_validate", "Hold recordings out, and see how well the others foretell them."),
    "view": ("_view:view", "Write a page that plays a recording and the bodies fitted to it."),
    "inspect": ("_inspect:inspect", "Tell what is in a recording: markers, rate, gaps."),
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
def motion() -> None:
    """Motion capture: rigid bodies fitted to markers, with options chosen by evidence."""
