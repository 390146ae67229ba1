"""An undecorated function in a user's file, made into a task: its keyword arguments are its params."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine._task import Task
from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel


def task_of_function(name: str, path: Path, function: Callable[..., Any]) -> Task:
    """Declare a plain function by what it shows.

    Parameters
    ----------
    name
        ``/folder/file.py:function``.
    path
        The file; the digest of its bytes is the task's version.
    function
        A first parameter that can be given by position and has no default receives the job's context. All
        others are params, with the types of their annotations, or of their defaults where there are none.

    Returns
    -------
    Task
        Without declared inputs and outputs: a job names those it likes. Its function is called like that
        of a declared task, with a context and a params model.

    Raises
    ------
    ConfigError
        If a parameter cannot be given by name, or an annotation cannot be read.
    """
    takes_context, parameters = _split(name, function)
    model, fields = _params_model(name, function, parameters)

    def call(ctx: Any, params: BaseModel) -> Any:
        keywords = {argument: getattr(params, field) for argument, field in fields.items()}
        return function(ctx, **keywords) if takes_context else function(**keywords)

    return Task(
        name=name,
        function=call,
        version=file_version(path),
        params=model,
        inputs=(),
        outputs={},
        libraries=(),
        preload=(),
        summary=(inspect.getdoc(function) or "").split("\n")[0],
    )


def file_version(path: Path) -> str:
    """The version of a file's functions: ``file-`` and 16 digits of the digest of its bytes."""
    return f"file-{blake2b(path.read_bytes(), digest_size=8).hexdigest()}"


def _split(name: str, function: Callable[..., Any]) -> tuple[bool, list[inspect.Parameter]]:
    """Whether the function takes a context, and its params."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name}: its arguments cannot be read: {error}") from error
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    takes_context = bool(
        parameters and parameters[0].kind in by_position and parameters[0].default is inspect.Parameter.empty
    )
    params = parameters[1:] if takes_context else parameters
    for parameter in params:
        if parameter.kind not in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        ):
            raise ConfigError(
                f"{name}: {str(parameter)!r} cannot be a param; give each param a name of its own, "
                "as in def measure(ctx, *, window=5)"
            )
    return takes_context, params


def _params_model(
    name: str, function: Callable[..., Any], parameters: list[inspect.Parameter]
) -> tuple[type[BaseModel], Mapping[str, str]]:
    """The params model, and argument name to field name."""
    from pydantic import BaseModel, ConfigDict, Field, create_model
    from pydantic.errors import PydanticUserError

    class Base(BaseModel):
        model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)

    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # annotations are the user's own expressions
        raise ConfigError(f"{name}: an annotation cannot be read: {type(error).__name__}: {error}") from error
    # Aliases, so that an argument may be called `copy`, `schema` or `_window` like any other.
    fields = {parameter.name: f"argument_{parameter.name}" for parameter in parameters}
    definitions: dict[str, Any] = {}
    for parameter in parameters:
        required = parameter.default is inspect.Parameter.empty
        annotation = hints.get(parameter.name, Any if required else _type_of(parameter.default))
        default = Field(alias=parameter.name) if required else Field(parameter.default, alias=parameter.name)
        definitions[fields[parameter.name]] = (annotation, default)
    try:
        model = create_model(function.__name__, __base__=Base, **definitions)
    except PydanticUserError as error:
        first = str(error).split("\n")[0]
        raise ConfigError(f"{name}: a param's type cannot be checked: {first}") from error
    return model, fields


def _type_of(default: object) -> Any:
    """The type that an unannotated argument's default stands for."""
    if isinstance(default, bool):
        return bool
    if isinstance(default, int | float):
        return int | float
    return str if isinstance(default, str) else Any
