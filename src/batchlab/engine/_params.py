"""Parameters: checked against a task's model before anything runs, made into the model again in the worker.

A secret (a pydantic ``SecretStr``) is never written down. A batch gives it as ``env:NAME``, the name of an
environment variable; that text is what the key, the ledger, the log and the report hold. `load_params`,
which only a worker calls, reads the variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from batchlab.engine._model import Json
from batchlab.engine._task import Task, suggestion
from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel

_SECRET = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_QUOTED = re.compile(r"'([^']*)'")
_SECRET_TYPES = ("SecretStr", "SecretBytes", "Secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamProblem:
    """One thing wrong with a params set."""

    path: tuple[str | int, ...]  # keys and indices from the params down
    message: str
    key: bool = False  # the key itself is wrong, and not its value


def check_params(task: Task, params: Mapping[str, Json]) -> tuple[dict[str, Json] | None, tuple[ParamProblem, ...]]:
    """Check params against the task's model and fill the defaults in.

    Parameters
    ----------
    task
        The task; one without a model takes no params.
    params
        What was written, JSON-able.

    Returns
    -------
    resolved : dict or None
        The params with every default, JSON-able and without secrets, fit for a key;
        None if there are problems.
    problems : tuple of ParamProblem
        All of them, an unknown key with the nearest right one.
    """
    from pydantic import ValidationError

    if task.params is None:
        extra = tuple(
            ParamProblem(path=(str(key),), message=f"{_shown(task)} takes no params; remove {str(key)!r}", key=True)
            for key in params
        )
        return (None, extra) if extra else ({}, ())
    problems = list(_unknown(task, params))
    secret = _bears_secret(task.params)
    try:
        model = task.params.model_validate(dict(params))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=not secret)
        problems.extend(_worth_telling([(detail["type"], _problem(task, detail, params)) for detail in details]))
        problems.extend(_clear_secrets(task.params, params, ()))
        return None, tuple(problems)
    except Exception as error:  # noqa: BLE001 - a model's own validator may raise anything
        what = f"{_shown(task)}: its params model failed: {type(error).__name__}"
        return None, (*problems, ParamProblem(path=(), message=what if secret else f"{what}: {error}"))
    resolved = model.model_dump(mode="json", by_alias=True, round_trip=True)
    if secret:
        _keep_references(model.model_dump(by_alias=True, round_trip=True), resolved, params, (), problems)
    return (None, tuple(problems)) if problems else (resolved, ())


def load_params(task: Task, params: Mapping[str, Json]) -> BaseModel | None:
    """The model that a task's function is called with; secrets are read from the environment here.

    Raises
    ------
    ConfigError
        If the params do not fit, or a secret's environment variable is not set.
    """
    if task.params is None:
        if params:
            raise ConfigError(f"{_shown(task)} takes no params")
        return None
    if not _bears_secret(task.params):
        try:
            return task.params.model_validate(dict(params))
        except ValueError as error:  # a pydantic ValidationError; planning has told it better
            raise ConfigError(f"{_shown(task)}: its params do not fit: {error}") from error
    resolved, problems = check_params(task, params)
    if problems or resolved is None:
        raise ConfigError("; ".join(problem.message for problem in problems))
    plain = task.params.model_validate(resolved).model_dump(by_alias=True, round_trip=True)
    return task.params.model_validate(_with_secrets(plain, resolved))


def _shown(task: Task) -> str:
    return task.name.rpartition("/")[2]


def _unknown(task: Task, params: Mapping[str, Json]) -> Iterator[ParamProblem]:
    """Keys that a model would drop in silence because it does not say what to do with extra ones."""
    assert task.params is not None
    if task.params.model_config.get("extra") is not None:
        return
    known = _keys(task.params)
    for key in params:
        if key not in known:
            yield ParamProblem(
                path=(str(key),),
                message=f"{_shown(task)} has no param {str(key)!r}{_nearest(task.params, (str(key),), known)}",
                key=True,
            )


def _worth_telling(found: list[tuple[str, ParamProblem]]) -> list[ParamProblem]:
    """Each problem once; where a check of ours speaks of a value, not what else the library has to say of that."""
    ours = {problem.path for kind, problem in found if kind == "value_error" and problem.path}
    kept = [problem for kind, problem in found if kind == "value_error" or problem.path not in ours]
    return list(dict.fromkeys(kept))


def _as_written(path: tuple[str | int, ...], params: Any, *, absent: bool) -> tuple[str | int, ...]:
    """The part of a path that leads through what was written, without names of the model's own choices.

    With `absent`, its end stands for something that is not there, or must not be.
    """
    written: list[str | int] = []
    here = params
    for at, part in enumerate(path):
        if _holds(here, part):
            written.append(part)
            here = here[part]
        elif absent and at == len(path) - 1:
            written.append(part)
    return tuple(written)


def _holds(value: Any, key: str | int) -> bool:
    if isinstance(value, Mapping):
        return key in value
    return isinstance(value, list | tuple) and isinstance(key, int) and key < len(value)


def _problem(task: Task, detail: Mapping[str, Any], params: Mapping[str, Json]) -> ParamProblem:
    given_path = tuple(detail["loc"])
    path = _as_written(given_path, params, absent=detail["type"] in ("missing", "extra_forbidden"))
    dotted = ".".join(map(str, path))
    if detail["type"] == "extra_forbidden":
        known = [key for model in _models_at(task.params, given_path[:-1]) for key in _keys(model)]
        below = _alone(detail.get("input"))
        hint = _nearest(task.params, path, known, below)
        return ParamProblem(path=path, message=f"{_shown(task)} has no param {dotted + below!r}{hint}", key=True)
    if detail["type"] == "missing" and path and isinstance(path[-1], int):
        whole = ".".join(map(str, path[:-1]))
        return ParamProblem(path=path[:-1], message=f"{whole}: too few values; value {path[-1] + 1} is missing")
    if detail["type"] == "missing":
        return ParamProblem(path=path, message=f"{_shown(task)} needs the param {dotted!r}")
    text = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text
    given = detail.get("input")
    if detail["type"] in ("enum", "literal_error") and isinstance(given, str):
        near = get_close_matches(given.lower(), _QUOTED.findall(text), n=1)
        words = text.removeprefix("input should be ")
        told = f"is unknown, did you mean {near[0]!r}? There are {words}" if near else f"is unknown; write {words}"
        return ParamProblem(path=path, message=f"{dotted}: {given!r:.60} {told}")
    plain = isinstance(given, str | int | float | None) and "input" in detail
    shown = f", not {given!r:.60}" if plain and repr(given) not in text else ""
    where = dotted or ("" if detail["type"] == "value_error" else _shown(task))
    return ParamProblem(path=path, message=f"{where}: {text}{shown}" if where else text)


def _alone(value: Any) -> str:
    """``.rotation`` of ``{"rotation": 1.0}``: the rest of a dotted name, if the value holds one alone."""
    below = ""
    while isinstance(value, Mapping) and len(value) == 1:
        key, value = next(iter(value.items()))
        below += f".{key}"
    return below


def _nearest(model: type[BaseModel] | None, path: tuple[str | int, ...], beside: list[str], below: str = "") -> str:
    """A hint with the full dotted name: of those `beside` a wrong key, or of one that stands elsewhere."""
    last, above = str(path[-1]), "".join(f"{part}." for part in path[:-1])
    full = list(_dotted(model))
    near = get_close_matches(last, beside, n=1)
    if below and near and (whole := get_close_matches(above + near[0] + below, full, n=1, cutoff=0.8)):
        return f"; did you mean {whole[0]!r}?"
    hint = suggestion(last, beside, above)
    if hint.startswith("; did you mean"):
        return hint
    elsewhere = {name.rpartition(".")[2]: name for name in full if "." in name}
    far = get_close_matches(last, elsewhere, n=1, cutoff=0.8)
    return f"; did you mean {elsewhere[far[0]]!r}?" if far else hint


def _dotted(model: type[BaseModel] | None, above: str = "", within: tuple[type[BaseModel], ...] = ()) -> Iterator[str]:
    """Full names of all params, those of models in models too."""
    if model is None or model in within:
        return
    for name, field in model.model_fields.items():
        full = above + (field.alias or name)
        yield full
        for nested in _models_in(field.annotation):
            yield from _dotted(nested, f"{full}.", (*within, model))


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_at(model: type[BaseModel] | None, path: tuple[str | int, ...]) -> list[type[BaseModel]]:
    """Models that may stand at `path`; indices and the tags of unions are walked over."""
    here = [model] if model is not None else []
    for part in path:
        below = [
            nested
            for each in here
            for name, field in each.model_fields.items()
            if part in (name, field.alias)
            for nested in _models_in(field.annotation)
        ]
        tagged = [
            each
            for each in here
            if isinstance(part, str) and any(field.default == part for field in each.model_fields.values())
        ]
        here = below or tagged or here
    return here


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


@cache
def _bears_secret(model: type[BaseModel], above: tuple[type[BaseModel], ...] = ()) -> bool:
    """Whether a secret is anywhere in the model: its values are then never shown in a message."""
    if model in above:
        return False
    return any(
        any(word in repr(field.annotation) for word in _SECRET_TYPES)
        or any(_bears_secret(nested, (*above, model)) for nested in _models_in(field.annotation))
        for field in model.model_fields.values()
    )


def _keep_references(
    dumped: Any, resolved: Any, given: Any, path: tuple[str | int, ...], problems: list[ParamProblem]
) -> None:
    """Put ``env:NAME`` in the place of each masked secret; drop those that are the model's own defaults."""
    for key, value in _entries(dumped):
        at = (*path, key)
        written = _at(given, key)
        if not hasattr(value, "get_secret_value"):
            _keep_references(value, _at(resolved, key), written, at, problems)
            continue
        text = value.get_secret_value()
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        if _SECRET.fullmatch(text):
            resolved[key] = text
        elif written is None and isinstance(resolved, dict):
            del resolved[key]
        else:
            problems.append(_must_not_stand(at))


def _clear_secrets(
    model: type[BaseModel], given: Mapping[str, Json], path: tuple[str | int, ...]
) -> Iterator[ParamProblem]:
    """Secrets written down in params that do not fit for another reason too."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        value = given.get(key)
        if any(word in repr(field.annotation) for word in _SECRET_TYPES):
            if isinstance(value, str) and not _SECRET.fullmatch(value):
                yield _must_not_stand((*path, key))
        elif isinstance(value, Mapping):
            for nested in _models_in(field.annotation):
                yield from _clear_secrets(nested, value, (*path, key))


def _must_not_stand(path: tuple[str | int, ...]) -> ParamProblem:
    return ParamProblem(
        path=path,
        message=f"{'.'.join(map(str, path))} is a secret and must not be written down; write env:NAME, and set "
        "the environment variable NAME where the jobs run",
    )


def _with_secrets(plain: Any, resolved: Any) -> Any:
    """Params with each ``env:NAME`` of a secret replaced by what the environment holds."""
    if hasattr(plain, "get_secret_value"):
        reference = _SECRET.fullmatch(resolved) if isinstance(resolved, str) else None
        if reference is None:
            return plain
        if reference[1] not in os.environ:
            raise ConfigError(f"the environment variable {reference[1]} is not set; a param asks for it")
        return os.environ[reference[1]]
    if isinstance(resolved, dict):
        return {key: _with_secrets(_at(plain, key), value) for key, value in resolved.items()}
    if isinstance(resolved, list):
        return [_with_secrets(_at(plain, i), value) for i, value in enumerate(resolved)]
    return resolved


def _entries(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list | tuple) else []


def _at(value: Any, key: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple) and isinstance(key, int) and key < len(value):
        return value[key]
    return None
