"""What pydantic finds wrong with what a caller wrote, in words of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from batchlab.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

__all__ = ["config_error"]


def config_error(error: ValidationError, model: type[BaseModel], name: str) -> ConfigError:
    """All of it as one error, the nearest right word beside each wrong one.

    Parameters
    ----------
    error
        What was found.
    model
        By which model.
    name
        What the model is called in a message: ``recipe``.
    """
    return ConfigError.of([_problem(each, model, name) for each in error.errors(include_url=False)])


def _problem(detail: Mapping[str, Any], model: type[BaseModel], name: str) -> Problem:
    path = tuple(detail["loc"])
    where, text = ".".join(map(str, path)), str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        known = [key for each in _models_at(model, path[:-1]) for key in each.model_fields]
        near = [key for key in known if key.startswith(f"{path[-1]}_")] or get_close_matches(str(path[-1]), known, n=1)
        told = f"; did you mean {' or '.join(near)}?" if near else "."
        text = f"there is no such word{told} There are {', '.join(known)}" if known else "there is no such word"
    elif detail["type"] == "missing":
        text = "is needed"
    elif detail["type"] in ("enum", "literal_error"):
        known = re.findall("'([^']*)'", text)
        near = get_close_matches(str(detail["input"]).lower(), known, n=1)
        told = f"; did you mean {near[0]}?" if near else "."
        text = f"{detail['input']!r:.60} is none of its words{told} There are {', '.join(known)}"
    return Problem(message=f"{name}, {where}: {text}" if where else f"{name}: {text}")


def _models_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[type[BaseModel]]:
    """Models that may stand at a path; an index, or the name of one in a list, is walked over."""
    here = [model]
    for part in path:
        if not isinstance(part, str):
            continue
        below = [
            each for one in here if part in one.model_fields for each in _models_in(one.model_fields[part].annotation)
        ]
        named = [each for each in here if any(field.default == part for field in each.model_fields.values())]
        here = below or named or here
    return here


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
