"""Commands from functions: a decorator, and the commands that modules have registered by it when they were imported."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from batchlab.errors import ConfigError

__all__ = ["Registered", "cli_command", "load_commands", "registered"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A command that a module offers."""

    name: str
    group: str
    description: str
    function: Callable[..., Any]

    @property
    def command(self) -> click.Command:
        """For the command line: what has no default is an argument, what is a bool is a flag, the rest are options."""
        return click.Command(
            self.name, callback=self.function, params=_params(self.function), help=self.description, short_help=""
        )


_registered: dict[str, Registered] = {}


def cli_command(name: str, group: str = "general", description: str = "") -> Callable[[F], F]:
    """Register a function as a command; of two that are called alike the later one holds.

    Parameters
    ----------
    name
        Of the command.
    group
        What it is listed under.
    description
        Its help; by default the function's docstring.
    """

    def register(function: F) -> F:
        help_text = description or inspect.getdoc(function) or ""
        _registered[name] = Registered(name=name, group=group, description=help_text, function=function)
        return function

    return register


def registered() -> Mapping[str, Registered]:
    """All registered commands by name."""
    return types.MappingProxyType(_registered)


def load_commands(modules: Iterable[str]) -> None:
    """Import modules, which register their commands by that.

    Raises
    ------
    ConfigError
        If one cannot be imported.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ConfigError(
                f"the module {module} of commands does not load: {error}; name one on the path"
            ) from error


def _params(function: Callable[..., Any]) -> list[click.Parameter]:
    # Annotations may be text, and name what only the function's own module knows.
    hints = typing.get_type_hints(function)
    made: list[click.Parameter] = []
    for each in inspect.signature(function).parameters.values():
        kind = _type(hints.get(each.name, str))
        if each.default is inspect.Parameter.empty:
            made.append(click.Argument([each.name], type=kind))
        elif kind is bool:
            made.append(click.Option([f"--{each.name.replace('_', '-')}"], is_flag=True, default=each.default))
        else:
            word = f"--{each.name.replace('_', '-')}"
            made.append(click.Option([word], type=kind, default=each.default, show_default=each.default is not None))
    return made


def _type(hint: Any) -> Any:
    """What click makes of an annotation; ``Optional[int]`` is an int."""
    members = [one for one in typing.get_args(hint) if one is not type(None)]
    hint = members[0] if typing.get_origin(hint) in (typing.Union, types.UnionType) and members else hint
    if hint is Path:
        return click.Path(path_type=Path)
    return hint if hint in (int, float, str, bool) else str
