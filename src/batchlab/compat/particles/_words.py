"""What calls of an earlier program say, in the words of this one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchlab.errors import ConfigError
from batchlab.particles._files import Found, find_files
from batchlab.particles._model import Collapse, Quantity, Scale

__all__ = [
    "COUNTS",
    "FILES",
    "either",
    "found_files",
    "instruments_of",
    "limit_params",
    "row_params",
    "row_wishes",
    "scales_of",
]

FILES = "./FAST_data/"
COUNTS: Mapping[str, Any] = {"quantity": Quantity.COUNTS.value, "collapse": Collapse.SUM.value}
"""How files are read: counts recovered from the flux, those of all directions added up."""

_ROW = ("y_min", "y_max", "z_min", "z_max", "label", "y_label", "z_label")
_UNUSED = ("x_label", "x_min", "x_max")  # time runs in UTC over the data


def either(default: str, **named: str | os.PathLike[str] | None) -> Path:
    """The path of an argument that has several names.

    Raises
    ------
    ConfigError
        If two of them say different things.
    """
    given = {name: Path(value) for name, value in named.items() if value is not None}
    if len(set(given.values())) > 1:
        told = " and ".join(f"{name}={str(value)!r}" for name, value in given.items())
        raise ConfigError(f"{told} are the same argument; give one of them")
    return next(iter(given.values()), Path(default))


def scales_of(y_scale: str, z_scale: str) -> tuple[Scale, Scale]:
    """Of energy and of colour."""
    found = []
    for name, value in (("y_scale", y_scale), ("z_scale", z_scale)):
        try:
            found.append(Scale(value))
        except ValueError:
            raise ConfigError(f"{name} is {value!r}; choose linear or log") from None
    return found[0], found[1]


def instruments_of(names: Sequence[str]) -> tuple[str, ...]:
    """Names in small letters."""
    return tuple(name.lower() for name in ((names,) if isinstance(names, str) else names))


def found_files(directory: str | os.PathLike[str], order: Sequence[str]) -> Found:
    """Files of some instruments, those of an orbit in the order of the instruments.

    Raises
    ------
    ConfigError
        If the folder is not there, or holds none.
    """
    names = instruments_of(order)
    found = find_files(Path(directory), instruments=names)
    if not found.files:
        raise ConfigError(f"{directory}: no file such as fa_esa_l2_ees_20000119030405_13519_v02.cdf is there")
    ranked = sorted(found.files, key=lambda each: (each.orbit or 0, names.index(each.instrument), str(each.path)))
    return replace(found, files=tuple(ranked))


def limit_params(max_percentile: float, *, compute_mins: bool, energy_cap_ev: float | None) -> dict[str, Any]:
    """Params of `particles.limits`: percentile and coverage as there, upper limits whole."""
    return {
        "percentile": max_percentile,
        "percentile_min": 1.0 if compute_mins else None,
        "coverage": 0.99,
        "energy_cap_ev": energy_cap_ev,
        "whole": True,
    }


def row_wishes(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a dataset, or an override, says of its row; ``vmin`` and ``vmax`` where ``z_min`` and ``z_max`` do not."""
    said = {name: row[name] for name in _ROW if row.get(name) is not None}
    for name, other in (("z_min", "vmin"), ("z_max", "vmax")):
        if row.get(other) is not None:
            said.setdefault(name, row[other])
    return {name: str(value) if name.endswith("label") else float(value) for name, value in said.items()}


def row_params(overrides: Mapping[str, Mapping[str, Any]] | None) -> dict[str, dict[str, Any]]:
    """Params of rows, by instrument or category.

    Raises
    ------
    ConfigError
        If a row is asked for something that rows do not have.
    """
    known = {*_ROW, "vmin", "vmax", *_UNUSED}
    for name, row in (overrides or {}).items():
        strange = sorted(set(row) - known)
        if strange:
            raise ConfigError(
                f"row_overrides[{name!r}]: {strange[0]!r} is nothing that a row has; it has {sorted(known)}"
            )
    return {name: row_wishes(row) for name, row in (overrides or {}).items()}
