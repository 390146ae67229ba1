"""The command line of an earlier program: its commands here, and those that declared modules register.

What this package does not know itself, it hands over to the program ``batchlab devices``, which knows all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import click

from batchlab.compat.devices.plugin_system import load_commands, registered
from batchlab.errors import BatchlabError

__all__ = ["MODULES", "call", "main"]

MODULES = "BATCHLAB_DEVICES_COMMANDS"  # names of modules with commands, with commas between
_LIST = "list-plugins"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code.

    Parameters
    ----------
    argv
        Words after the program's name; by default those of this process. ``--plugin MODULE`` before the command names
        a module that registers commands.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    modules = [name.strip() for name in os.environ.get(MODULES, "").split(",") if name.strip()]
    while len(words) > 1 and words[0] == "--plugin":
        modules.append(words[1])
        words = words[2:]
    try:
        load_commands(modules)
        if words[:1] == [_LIST]:
            return _list()
        if words and words[0] in registered():
            command = registered()[words[0]].command
            answer = command.main(words[1:], prog_name=f"{_name()} {words[0]}", standalone_mode=False)
            return answer if isinstance(answer, int) and not isinstance(answer, bool) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except BatchlabError as error:
        click.echo(f"error: {error}", err=True)
        return 1
    return _hand_over(words)


def _list() -> int:
    """Print a line for each command: its name, its group, and what it does."""
    from batchlab.devices.cli import devices

    context = click.Context(devices)
    lines = {name: ("plotting" if "plot" in name else "data", "") for name in devices.list_commands(context)}
    lines |= {name: (each.group, each.description.partition("\n")[0]) for name, each in registered().items()}
    width = max(map(len, lines))
    for name, (group, what) in sorted(lines.items()):
        click.echo(f"{name:<{width}}  {group}  {what}".rstrip())
    return 0


def call(words: Sequence[str]) -> int:
    """Run ``batchlab devices`` with these words; its exit code."""
    return subprocess.call(_command(words))


def _hand_over(words: Sequence[str]) -> int:
    """Become the program ``batchlab devices``; a system that cannot do that waits for it."""
    command = _command(words)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    return subprocess.call(command)


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-m", "batchlab.cli", "devices", *(words or ["--help"])]


def _name() -> str:
    return os.path.basename(sys.argv[0])
