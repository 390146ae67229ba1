"""A body's geometry as a table: a marker a row, written by one fit and read by another that shares the body."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._write._rows import cell

if TYPE_CHECKING:
    from batchlab.motion._model import Body, Fit, Float
    from batchlab.motion._quality import MarkerQuality

__all__ = ["geometry_for", "read_geometry", "write_geometry"]

_PLACE = ("x_mm", "y_mm", "z_mm")
_HEADER = ("marker", *_PLACE, "rms_mm", "median_mm", "missing_share", "inlier_share")


def write_geometry(path: Path, fit: Fit, qualities: Sequence[MarkerQuality]) -> None:
    """Markers in body axes in mm, each with how well it was seen and fitted; empty where a place is unknown."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_HEADER) + "\n")
        for place, each in zip(fit.geometry_m, qualities, strict=True):
            numbers = [*(f"{value * 1e3 + 0.0:.6f}" for value in place)]
            numbers += [f"{each.rms_m * 1e3:.4f}", f"{each.median_m * 1e3:.4f}"]
            numbers += [f"{each.missing_share:.5f}", f"{each.inlier_share:.5f}"]
            file.write(",".join([cell(each.marker), *("" if text == "nan" else text for text in numbers)]) + "\n")


def read_geometry(path: Path) -> tuple[tuple[str, ...], Float]:
    """Names of markers, and their places (M, 3) in body axes in m.

    Raises
    ------
    DataError
        If it is no such table, or a place in it is not known.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no geometry can be read from it ({error})", reason="not-a-geometry") from error
    if not lines or not {"marker", *_PLACE} <= set(lines[0]):
        raise DataError(
            f"{path}: a geometry has the columns marker, {', '.join(_PLACE)}, and a row for each marker, as "
            "geometry.csv of a fit has",
            reason="not-a-geometry",
        )
    names, places = [], []
    for number, line in enumerate(lines, 2):
        try:
            place = [float(line[name]) for name in _PLACE]
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{path}, line {number}: the place of {line['marker']!r} is not known; leave the marker out",
                reason="not-a-geometry",
            ) from error
        names.append(line["marker"])
        places.append(place)
    found = np.array(places) * 1e-3
    if not np.isfinite(found).all() or len(set(names)) < len(names):
        raise DataError(f"{path}: each marker stands once, with finite places", reason="not-a-geometry")
    return tuple(names), found


def geometry_for(path: Path, body: Body) -> Float:
    """Places (M, 3) of a body's markers in m, in their order; the file may hold more.

    Raises
    ------
    DataError
        If it is no geometry, or lacks a marker.
    """
    names, places = read_geometry(path)
    lacking = [name for name in body.markers if name not in names]
    if lacking:
        raise DataError(
            f"{path}: it has no place for {', '.join(lacking)} of {body.name}; it has {', '.join(names)}",
            reason="not-a-geometry",
        )
    chosen: Float = np.ascontiguousarray(places[[names.index(name) for name in body.markers]])
    return chosen
