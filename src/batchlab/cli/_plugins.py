"""``batchlab list-plugins``: what is installed, each loaded once to see whether it works."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click

from batchlab.cli._demo import DEMO_GROUP
from batchlab.cli._errors import DONE
from batchlab.cli._lazy import COMMAND_GROUP
from batchlab.cli._options import json_option
from batchlab.cli._running import print_json
from batchlab.cli._screen import coloured
from batchlab.cli._words import one_line
from batchlab.engine import find_task
from batchlab.reports import PANEL_GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One entry of an entry point group."""

    name: str
    value: str  # module:attribute
    distribution: str | None
    version: str | None
    summary: str
    error: str | None  # why it cannot be used


def _task(entry: importlib.metadata.EntryPoint) -> str:
    return find_task(entry.name).summary


def _command(entry: importlib.metadata.EntryPoint) -> str:
    command = entry.load()
    if not isinstance(command, click.Command):
        raise TypeError(f"{entry.value} is a {type(command).__name__}, not a click command")
    return command.get_short_help_str(80)


def _demo(entry: importlib.metadata.EntryPoint) -> str:
    module = entry.load()
    for name in ("make_demo", "expected"):
        if not callable(getattr(module, name, None)):
            raise TypeError(f"{entry.value} has no function {name}")
    return _first_line(module)


def _panel(entry: importlib.metadata.EntryPoint) -> str:
    panel = entry.load()
    if not callable(panel):
        raise TypeError(f"{entry.value} is a {type(panel).__name__}, not a function")
    return _first_line(panel)


def _first_line(documented: Any) -> str:
    return (documented.__doc__ or "").strip().split("\n")[0]


GROUPS: Mapping[str, tuple[str, Callable[[importlib.metadata.EntryPoint], str]]] = {
    "tasks": ("batchlab.tasks", _task),
    "commands": (COMMAND_GROUP, _command),
    "demos": (DEMO_GROUP, _demo),
    "panels": (PANEL_GROUP, _panel),
}


@click.command("list-plugins")
@click.option("--group", type=click.Choice(list(GROUPS)), help="Only this group.")
@json_option
def list_plugins(group: str | None, as_json: bool) -> int:
    """List what is installed: tasks, commands, demos and report panels, broken ones with their error."""
    found = {name: plugins(name) for name in GROUPS if group in (None, name)}
    if as_json:
        print_json({name: [asdict(each) for each in each_group] for name, each_group in found.items()})
        return DONE
    for name, each_group in found.items():
        click.echo(click.style(name, bold=True) + ("" if each_group else "  none"))
        width = max((len(each.name) for each in each_group), default=0)
        for each in each_group:
            origin = f"{each.distribution} {each.version}" if each.distribution else "unknown origin"
            told = coloured(f"broken: {one_line(each.error)}", "trouble") if each.error else one_line(each.summary)
            click.echo(f"  {one_line(each.name):<{width}}  {coloured(origin, 'quiet')}  {told}".rstrip())
    return DONE


def plugins(group: str) -> list[Plugin]:
    """The plugins of one of our groups, by name."""
    entry_group, load = GROUPS[group]
    entries = importlib.metadata.entry_points(group=entry_group)
    return [_plugin(entry, load) for entry in sorted(entries, key=lambda entry: (entry.name, entry.value))]


def _plugin(entry: importlib.metadata.EntryPoint, load: Callable[[importlib.metadata.EntryPoint], str]) -> Plugin:
    summary, error = "", None
    try:
        summary = load(entry)
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - a plugin may do anything when it is imported
        error = one_line(f"{type(raised).__name__}: {raised}")
    return Plugin(
        name=entry.name,
        value=entry.value,
        distribution=entry.dist.name if entry.dist is not None else None,
        version=entry.dist.version if entry.dist is not None else None,
        summary=summary,
        error=error,
    )
