"""Commands that are imported when they are used, not when they are listed."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from io import TextIOWrapper
from typing import Any

import click

from batchlab.cli._errors import guarded
from batchlab.cli._words import one_line
from batchlab.options import LazyCommands

COMMAND_GROUP = "batchlab.commands"


@cache
def command_entries() -> Mapping[str, importlib.metadata.EntryPoint]:
    """Commands that domains offer, by name."""
    found = importlib.metadata.entry_points(group=COMMAND_GROUP)
    return {entry.name: entry for entry in sorted(found, key=lambda entry: (entry.name, entry.value), reverse=True)}


class Broken(click.Command):
    """Stands for a command whose module cannot be loaded: says so when it is called, and harms nothing else."""

    def __init__(self, name: str, value: str, error: BaseException) -> None:
        self.trouble = one_line(f"{type(error).__name__}: {error}")
        super().__init__(
            name,
            callback=self._refuse,
            params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
            short_help=f"(broken) {self.trouble}",
            help=f"{value} cannot be loaded: {self.trouble}",
            context_settings={"ignore_unknown_options": True},
        )
        self._value = value

    def _refuse(self, words: Sequence[str]) -> None:
        raise click.ClickException(
            f"the command {self.name} is installed but cannot be loaded: {self.trouble} (from {self._value}); "
            "install what it lacks or remove it"
        )


class LazyGroup(LazyCommands):
    """The program's own commands, and those that domains bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the program's own commands, then those of domains."""
        return [*self._where, *sorted(set(command_entries()) - set(self._where))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; a domain's may be broken."""
        if cmd_name in self._where:
            own = super().get_command(ctx, cmd_name)
            return None if own is None else _with_traceback(own)
        entry = command_entries().get(cmd_name)
        if entry is None:
            return None
        try:
            loaded = entry.load()
            if not isinstance(loaded, click.Command):
                raise TypeError(f"{entry.value} is a {type(loaded).__name__}, not a click command")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a domain's module may do anything
            return Broken(cmd_name, entry.value, error)
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands without importing the program's own."""
        super().format_commands(ctx, formatter)
        names = [name for name in self.list_commands(ctx) if name not in self._where]
        domains = [(name, command) for name in names if (command := self.get_command(ctx, name)) is not None]
        if domains:
            with formatter.section("Domains"):
                formatter.write_dl([(name, command.get_short_help_str(100)) for name, command in domains])

    def main(self, args: Sequence[str] | None = None, *rest: Any, standalone_mode: bool = True, **more: Any) -> Any:
        """Run a command line; standing alone, end the process with the exit code of the contract."""
        call: Callable[..., object] = super().main
        if not standalone_mode:
            return call(args, *rest, standalone_mode=False, **more)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # a name may hold what the terminal's encoding cannot say
                stream.reconfigure(errors="backslashreplace")
        argv = list(sys.argv[1:] if args is None else args)
        sys.exit(guarded(lambda: call(argv, *rest, standalone_mode=False, **more), argv))


def _with_traceback(command: click.Command) -> click.Command:
    """Let --traceback stand behind the command's name, too; who runs the command line looks for it there."""
    if not any(parameter.name == "traceback" for parameter in command.params):
        command.params.append(
            click.Option(["--traceback"], is_flag=True, expose_value=False, help="Show the traceback of an error.")
        )
    return command
