"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from batchlab.engine import Batch

F = TypeVar("F", bound=Callable[..., Any])

FOLDER = click.Path(path_type=Path)


class Workers(click.ParamType):  # type: ignore[type-arg]
    """A number of processes, or ``auto``."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """A count from 1 on; ``auto`` as it is."""
        if value == "auto":
            return "auto"
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{str(value)[:40]!r} is no number of workers; write 1, 2, ... or auto", param, ctx)
        return number


class Setting(click.ParamType):  # type: ignore[type-arg]
    """``name=value``. No message repeats the value: it may be a secret."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The two parts."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.isidentifier():
            self.fail("write name=value, the name in letters, digits and _", param, ctx)
        return name, text


def workers_option(function: F) -> F:
    """``--workers N|auto``."""
    return click.option("--workers", type=Workers(), help="Processes at work; auto: one per core.")(function)


def batch_file(function: F) -> F:
    """``FILE --output DIR --set name=value``."""
    function = click.option(
        "--set", "settings", type=Setting(), multiple=True, help="A value for ${name}; may be given repeatedly."
    )(function)
    function = click.option("--output", type=FOLDER, metavar="DIR", help="The output root, in place of the file's.")(
        function
    )
    return click.argument("file", type=FOLDER)(function)


def talk_options(function: F) -> F:
    """``--json -v -q --no-report``."""
    function = click.option("--no-report", is_flag=True, help="Write no reports afterwards.")(function)
    function = click.option("-q", "--quiet", is_flag=True, help="Tell errors alone.")(function)
    function = click.option("-v", "--verbose", is_flag=True, help="Tell of each job, and what the engine logs, too.")(
        function
    )
    return json_option(function)


def json_option(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")(function)


def load_file(file: Path, output: Path | None, settings: tuple[tuple[str, str], ...]) -> Batch:
    """The batch of a batch file."""
    from batchlab.batchfile import load

    return load(os.fspath(file), output=output, set=dict(settings))


def with_workers(batch: Batch, workers: int | str | None) -> Batch:
    """The batch with another number of workers, if one is given."""
    if workers is None:
        return batch
    count = workers if isinstance(workers, int) else None
    return replace(batch, settings=replace(batch.settings, workers=count))
