"""Configurations that are checked when they are made and when a field is assigned, and say in words what is wrong."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from batchlab.engine._task import suggestion
from batchlab.errors import ConfigError, Problem

__all__ = ["Checked"]


class Checked(BaseModel):
    """Fields by name and no others; a wrong one is refused with the nearest right name."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise _refused(type(self), error) from error

    def __setattr__(self, name: str, value: Any) -> None:
        known = type(self).model_fields
        if name not in known and not name.startswith("_"):
            raise ConfigError(f"{type(self).__name__} has no {name!r}{suggestion(name, list(known))}")
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise _refused(type(self), error) from error


def _refused(model: type[BaseModel], error: ValidationError) -> ConfigError:
    problems = []
    for detail in error.errors(include_url=False, include_context=False):
        path, told = ".".join(map(str, detail["loc"])), detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            message = f"{model.__name__} has no {path!r}{suggestion(path, list(model.model_fields))}"
        elif detail["type"] == "missing":
            message = f"{model.__name__} needs {path}"
        elif not path:
            message = f"{model.__name__}: {told}"
        else:
            message = f"{model.__name__}: {path} is {detail['input']!r}; {told[0].lower()}{told[1:]}"
        problems.append(Problem(message=message))
    return ConfigError.of(problems)
