"""The geometry of chips, described in YAML: what mobilities are derived from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._model import Chip
from batchlab.errors import Category, ConfigError, DataError, Problem

if TYPE_CHECKING:
    from batchlab.batchfile._yaml import Node
    from batchlab.devices.metrics import Geometry

__all__ = ["read_geometries"]

_LAYER = ("material", "thickness_nm", "permittivity")
_CHIP = ("layers", "length_over_width")


def read_geometries(path: str | os.PathLike[str]) -> dict[Chip, Geometry]:
    """The geometries in a file.

    It looks so::

        Alisson67:
          length_over_width: [3, 4]        # a range, or one number
          layers:
            - {material: hBN, thickness_nm: 20}
            - {material: biotite, thickness_nm: 8, permittivity: [5, 6]}

    Raises
    ------
    DataError
        If the file cannot be read.
    ConfigError
        With everything that is wrong in it, each with file, line and column.
    """
    from batchlab.batchfile._yaml import read_yaml

    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); it describes the geometry of chips",
            category=Category.MISSING_INPUT,
            reason="no-geometries",
        ) from error
    root = read_yaml(raw, str(path))
    problems: list[Problem] = []
    found: dict[Chip, Geometry] = {}
    if not isinstance(root.value, dict):
        raise ConfigError(f"{path}: write a mapping from chips, such as Alisson67, to their layers")
    for name, node in root.value.items():
        try:
            found[Chip.named(name)] = _geometry(node)
        except (TypeError, ValueError) as error:
            problems.append(Problem(message=f"{name}: {error}", file=str(path), line=node.line, column=node.column))
    if problems:
        raise ConfigError.of(problems)
    return found


def _geometry(node: Node) -> Geometry:
    from batchlab.devices.metrics import Geometry

    said = _mapping(node.plain(), _CHIP)
    layers = said.get("layers")
    if not isinstance(layers, list) or not layers:
        raise ValueError("layers must be a list of what lies between gate and channel")
    made = tuple(_layer(layer) for layer in layers)
    if "length_over_width" in said:
        return Geometry(layers=made, length_over_width=_range(said["length_over_width"], "length_over_width"))
    return Geometry(layers=made)


def _layer(layer: Any) -> Any:
    from batchlab.devices.metrics import Dielectric

    said = _mapping(layer, _LAYER)
    if "thickness_nm" not in said:
        raise ValueError("a layer needs thickness_nm")
    thickness, _ = _range(said["thickness_nm"], "thickness_nm")
    material = str(said.get("material", ""))
    if "permittivity" in said:
        return Dielectric(
            material=material,
            thickness_nm=thickness,
            permittivity=_range(said["permittivity"], "permittivity"),
        )
    return Dielectric.of(material, thickness)


def _mapping(value: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    from difflib import get_close_matches

    if not isinstance(value, dict):
        raise ValueError(f"write a mapping with {', '.join(known)}")
    for key in value:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            raise ValueError(f"nothing is called {key!r}; {f'did you mean {near[0]!r}?' if near else ', '.join(known)}")
    return value


def _range(value: Any, name: str) -> tuple[float, float]:
    numbers = value if isinstance(value, list) else [value, value]
    if len(numbers) != 2 or any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
        raise ValueError(f"{name} must be a number, or two for a range, and is {value!r}")
    return float(numbers[0]), float(numbers[1])
