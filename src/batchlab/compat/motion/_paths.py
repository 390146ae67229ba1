"""Dotted names of the fields of a configuration: ``weights.lambda_rigid``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from batchlab.compat.motion._checked import Checked
from batchlab.compat.motion._config import RigidBodyConfig
from batchlab.errors import ConfigError, Problem

__all__ = ["apply_parameters", "check_paths", "differing_parameters", "is_path", "set_paths"]

_OWN = ("input_path", "output_dir")


def apply_parameters(config: RigidBodyConfig, parameters: Mapping[str, Any]) -> RigidBodyConfig:
    """A copy of a configuration with other values at dotted paths, such as those that `find_best_parameters` found.

    Raises
    ------
    ConfigError
        If there is no such path, or a value does not fit.
    """
    check_paths(parameters)
    made = config.model_copy(deep=True)
    for path, value in parameters.items():
        *above, last = path.split(".")
        section: Any = made
        for name in above:
            section = getattr(section, name)
        setattr(section, last, value)
    return made


def check_paths(paths: Sequence[str] | Mapping[str, Any]) -> None:
    """Refuse paths that lead to no field, with the nearest that does.

    Raises
    ------
    ConfigError
        With all of them.
    """
    known = list(_known(RigidBodyConfig))
    wrong = [path for path in paths if path not in known]
    if wrong:
        raise ConfigError.of([Problem(message=f"{path!r} is no path of RigidBodyConfig{_near(path, known)}")
                              for path in wrong])  # fmt: skip


def is_path(name: str) -> bool:
    """Whether a name is a dotted path of a configuration."""
    return name in set(_known(RigidBodyConfig))


def differing_parameters(configs: Sequence[RigidBodyConfig]) -> list[dict[str, Any]]:
    """Values of each configuration at the paths whose values differ between them."""
    flat = [dict(_leaves(config)) for config in configs]
    names = [name for name in (flat[0] if flat else ()) if name not in _OWN]
    told = [name for name in names if len({repr(each[name]) for each in flat}) > 1]
    return [{name: each[name] for name in told} for each in flat]


def set_paths(config: Checked, above: str = "") -> Iterator[str]:
    """Dotted paths whose values somebody has given, other than the usual ones."""
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Checked):
            yield from set_paths(value, f"{above}{name}.")
        elif name in config.model_fields_set and value != field.get_default(call_default_factory=True):
            yield above + name


def _leaves(section: Checked, above: str = "") -> Iterator[tuple[str, Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Checked):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, str(value) if isinstance(value, Path) else value


def _known(model: type[Checked], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield above + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Checked):
            yield from _known(field.annotation, f"{above}{name}.")


def _near(path: str, known: Sequence[str]) -> str:
    last = path.rpartition(".")[2]
    near = [name for name in known if name.rpartition(".")[2] == last] or get_close_matches(path, known, 1)
    near = near or [name for word in get_close_matches(last, [name.rpartition(".")[2] for name in known], 1)
                    for name in known if name.rpartition(".")[2] == word]  # fmt: skip
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
