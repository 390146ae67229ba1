"""Options of the command line made from the options of a plot."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

__all__ = ["DURATION", "Words", "options_of", "style_of", "told_of"]

_SHORT = {"legend_by": ("--legend", "--legend-by")}


class Words(click.ParamType):  # type: ignore[type-arg]
    """A number, a word, or several with commas between; the plot itself says what fits."""

    name = "value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Numbers as such, several as a list."""
        if not isinstance(value, str):
            return value
        parts = [_number(part.strip()) for part in value.split(",")]
        return parts[0] if len(parts) == 1 else parts


class _Duration(click.ParamType):  # type: ignore[type-arg]
    """``90``, ``60 s``, ``2 min``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        from batchlab.batchfile._units import duration_s

        if value is None or isinstance(value, float):
            return value
        text = str(value)
        try:
            found = float(duration_s(f"{text} s" if text.replace(".", "", 1).isdigit() else text))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found <= 0:
            self.fail(f"{text!r}: a plot needs more time than that", param, ctx)
        return found


DURATION = _Duration()


def style_of(words: Iterable[str]) -> dict[str, Any]:
    """What ``legend_place=best`` and the like say of the look.

    Raises
    ------
    UsageError
        If one has no ``=``.
    """
    told: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not value.strip():
            raise click.UsageError(f"--style {word!r}: write a name and a value, as in legend_place=best")
        text = value.strip()
        plain = {"yes": True, "true": True, "no": False, "false": False}
        told[name.strip()] = plain[text.lower()] if text.lower() in plain else Words().convert(text, None, None)
    return told


def options_of(model: type[BaseModel], taken: Iterable[str]) -> list[click.Option]:
    """One option for each field of a plot's options, with what its docstring says of it.

    Parameters
    ----------
    model
        The plot's options.
    taken
        Options that the command has besides: a field of such a name is called ``--plot-...``.
    """
    used, told = set(taken), _descriptions(model)
    made = []
    for name, field in model.model_fields.items():
        names = [*_SHORT.get(name, (f"--{name.replace('_', '-')}",))]
        names = [f"--plot-{each[2:]}" if each in used else each for each in names]
        made.append(_option(name, names, field, told.get(name, "")))
    return made


def told_of(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, by the plot's own names."""
    return {name: given[name] for name in model.model_fields if given.get(name) is not None}


def _option(name: str, names: list[str], field: FieldInfo, help: str) -> click.Option:
    default = getattr(field.default, "value", field.default)
    if field.annotation is bool:
        shown = f"{help} [default: {'yes' if default else 'no'}]".strip()
        both = [f"{each}/--no-{each[2:]}" for each in names]
        return click.Option([name, *both], default=None, help=shown)
    shown = help if default is None else f"{help} [default: {default}]".strip()
    choices = _choices(field.annotation)
    kind: Any = click.Choice(choices) if choices else Words()
    return click.Option([name, *names], type=kind, default=None, metavar=None if choices else "VALUE", help=shown)


def _choices(annotation: Any) -> list[str]:
    """The words of a Literal, or of one that may be left out; none where anything else fits, too."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return _choices(parts[0]) if len(parts) == 1 and get_origin(parts[0]) is Literal else []


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What the docstrings of a model and those above it say of its attributes."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        text = inspect.cleandoc(each.__doc__ or "") if "model_fields" in dir(each) else ""
        _, _, section = text.partition("Attributes\n----------\n")
        for match in re.finditer(r"^(\w[\w, ]*)\n((?:    .*\n?|\n)+)", section, re.MULTILINE):
            words = " ".join(match[2].split()).replace("``", "").rstrip(".")
            found |= {name.strip(): f"{words[:1].upper()}{words[1:]}." for name in match[1].split(",")}
    return found
