"""Commands that are imported when they are used, not when they are listed."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from io import TextIOWrapper
from typing import Any

import click

from batchlab.cli._errors import guarded
from batchlab.cli._words import one_line

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


class LazyGroup(click.Group):
    """A group whose commands are named by module, and whose help is written down here.

    Parameters
    ----------
    lazy
        Command name to where it lies (``module:attribute``) and its line in the help.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the program's own commands, then those of domains."""
        return [*self.lazy, *sorted(set(command_entries()) - set(self.lazy))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; a domain's may be broken."""
        if cmd_name in self.lazy:
            module, _, attribute = self.lazy[cmd_name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return _with_traceback(command)
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, or name the nearest."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = get_close_matches(name, self.list_commands(ctx), n=1)
            mend = f"did you mean {near[0]!r}?" if near else "see `batchlab --help`"
            raise click.UsageError(f"there is no command {one_line(name, 60)!r}; {mend}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List all commands without importing the program's own."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.lazy.items()])
        names = [name for name in self.list_commands(ctx) if name not in self.lazy]
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
