"""Options that commands of several domains share, so that they read and mean the same everywhere."""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

import click

__all__ = ["DurationType", "LazyCommands", "SizeType", "WorkersType", "command_line", "run_options", "with_options"]

F = TypeVar("F", bound=Callable[..., Any])


class WorkersType(click.ParamType):  # type: ignore[type-arg]
    """A number of processes, or ``auto``."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """None for ``auto``."""
        if value is None or value == "auto":
            return None
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{str(value)[:40]!r}: write auto, or a number from 1", param, ctx)
        return number


class DurationType(click.ParamType):  # type: ignore[type-arg]
    """A duration as in a batch file, such as ``30 s``; a bare number is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Seconds; None for ``none``."""
        if value is None or value == "none":
            return None
        return _positive(self, value, "s", "30 s, 2 min", param, ctx)


class SizeType(click.ParamType):  # type: ignore[type-arg]
    """A size as in a batch file, such as ``500 MB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Bytes; None for ``none``."""
        if value is None or value == "none":
            return None
        return int(_positive(self, value, "", "500 MB, 2 GB", param, ctx))


def _positive(
    kind: click.ParamType,  # type: ignore[type-arg]
    value: Any,
    bare: str,
    such_as: str,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> float:
    from batchlab.batchfile import duration_s, size_bytes

    if isinstance(value, (int, float)):
        return value
    text = str(value).strip()
    if bare and text.replace(".", "", 1).isdecimal():
        text = f"{text} {bare}"
    try:
        number = duration_s(text) if bare else size_bytes(text)
    except ValueError as error:
        kind.fail(f"{text[:40]!r}: {error}", param, ctx)
    if number <= 0:
        kind.fail(f"{text[:40]!r}: write something above zero, such as {such_as}, or none", param, ctx)
    return number


class LazyCommands(click.Group):
    """Commands that are imported when they are used, not when they are listed.

    Parameters
    ----------
    where
        Name of a command to ``module:attribute`` and its line in the help.
    """

    def __init__(self, *args: Any, where: Mapping[str, tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self._where = where

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order given."""
        return list(self._where)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command, imported by now; None where there is none of this name."""
        if name not in self._where:
            return None
        module, _, attribute = self._where[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; names the nearest where there is none of this name."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            near = get_close_matches(args[0], names, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"see `{ctx.command_path} --help`"
            raise click.UsageError(f"there is no command {args[0]!r:.60}; {mend}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list, without an import."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._where.items()])


def run_options(command: F) -> F:
    """How a batch is run and told of: ``workers``, ``dry_run``, ``fresh``, ``json_lines``, ``quiet``, ``verbose``."""
    options = (
        click.option("-w", "--workers", type=WorkersType(), default="auto", help="Processes; auto is one per core."),
        click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
        click.option("--fresh", is_flag=True, help="Do everything anew."),
        click.option("--json", "json_lines", is_flag=True, help="One JSON object per line, the last the status."),
        click.option("-q", "--quiet", is_flag=True, help="Tell errors alone."),
        click.option("-v", "--verbose", is_flag=True, help="Tell of each job, and what is logged, too."),
    )
    return with_options(command, options)


def with_options(command: F, options: Sequence[Callable[[F], F]]) -> F:
    """A command with these options, in this order in its help."""
    for option in reversed(options):
        command = option(command)
    return command


def command_line() -> str:
    """What the report shows as a batch's origin."""
    return shlex.join(["batchlab", *sys.argv[1:]])
