"""The numbers behind the pictures, for other programs: NetCDF or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from batchlab.particles._model import Spectrogram

__all__ = ["export"]

_FILL = np.float32(9.96921e36)  # the usual fill value of float in NetCDF


def export(spectrogram: Spectrogram, path: Path, provenance: Mapping[str, str]) -> None:
    """Write a spectrogram's numbers, with how they came about.

    NetCDF (classic, 64-bit offsets) holds ``intensity(category, time, channel)``, ``time_start``, ``time_end``, the
    ``mode`` of each record and the tables ``energy(mode, channel)``, ``energy_low`` and ``energy_high``; CSV a row per
    record, category and channel that was measured, with provenance in lines that begin with ``#``.

    Parameters
    ----------
    spectrogram
        What to write.
    path
        Ends in ``.nc`` or ``.csv``.
    provenance
        Names and texts.

    Raises
    ------
    ConfigError
        If the path ends in anything else.
    """
    if path.suffix == ".nc":
        _netcdf(spectrogram, path, provenance)
    elif path.suffix == ".csv":
        _csv(spectrogram, path, provenance)
    else:
        raise ConfigError(f"{path.name}: numbers are written as .nc or .csv")


def _netcdf(spectrogram: Spectrogram, path: Path, provenance: Mapping[str, str]) -> None:
    from scipy.io import netcdf_file

    categories, records, channels = spectrogram.values.shape
    names = np.array([name.encode() for name in spectrogram.categories])
    with netcdf_file(path, "w", version=2) as file:
        for name, value in _about(spectrogram, provenance).items():
            setattr(file, name, value.encode())
        file.createDimension("category", categories)
        file.createDimension("time", records)
        file.createDimension("mode", len(spectrogram.energies_ev))
        file.createDimension("channel", channels)
        file.createDimension("letters", max(names.dtype.itemsize, 1))
        _variable(file, "category_name", "c", ("category", "letters"), names.view("S1").reshape(categories, -1))
        for name, column in (("time_start", 0), ("time_end", 1)):
            times = spectrogram.times_s[:, column]
            _variable(
                file, name, "d", ("time",), times, units="seconds since 1970-01-01T00:00:00Z", calendar="standard"
            )
        _variable(file, "mode", "i", ("time",), spectrogram.mode.astype(np.int32))
        tables = {
            "energy": spectrogram.energies_ev,
            "energy_low": tuple(edges[:-1] for edges in spectrogram.energy_edges_ev),
            "energy_high": tuple(edges[1:] for edges in spectrogram.energy_edges_ev),
        }
        for name, rows in tables.items():
            padded = np.full((len(rows), channels), _FILL, np.float32)
            for row, table in zip(padded, rows, strict=True):
                row[: len(table)] = table
            _variable(file, name, "f", ("mode", "channel"), padded, units="eV", _FillValue=_FILL)
        values = np.where(np.isfinite(spectrogram.values), spectrogram.values, _FILL)
        _variable(
            file,
            "intensity",
            "f",
            ("category", "time", "channel"),
            values,
            units=spectrogram.unit or "1",
            long_name=spectrogram.quantity,
            _FillValue=_FILL,
        )


def _variable(file: Any, name: str, kind: str, dimensions: tuple[str, ...], values: Any, **attributes: Any) -> None:
    variable = file.createVariable(name, kind, dimensions)
    variable[:] = values
    for key, value in attributes.items():
        setattr(variable, key, value.encode() if isinstance(value, str) else value)


def _csv(spectrogram: Spectrogram, path: Path, provenance: Mapping[str, str]) -> None:
    unit = f" ({spectrogram.unit})" if spectrogram.unit else ""
    with path.open("w", newline="", encoding="utf-8") as file:
        for name, value in _about(spectrogram, provenance).items():
            file.write(f"# {name}: {value}\n")
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["start_utc", "end_utc", "category", "energy_ev", "low_ev", "high_ev", f"{spectrogram.quantity}{unit}"]
        )
        for record, (start_s, end_s) in enumerate(spectrogram.times_s):
            mode = spectrogram.mode[record]
            edges = spectrogram.energy_edges_ev[mode].tolist()
            energies = spectrogram.energies_ev[mode].tolist()
            start, end = _iso(float(start_s)), _iso(float(end_s))
            for category, values in zip(spectrogram.categories, spectrogram.values[:, record], strict=True):
                table.writerows(
                    [start, end, category, f"{energy:.7g}", f"{edges[at]:.7g}", f"{edges[at + 1]:.7g}", f"{value:.7g}"]
                    for at, (energy, value) in enumerate(zip(energies, values[: len(energies)].tolist(), strict=True))
                    if value == value  # not NaN
                )


def _about(spectrogram: Spectrogram, provenance: Mapping[str, str]) -> dict[str, str]:
    return {
        "title": f"{spectrogram.name}: {spectrogram.quantity}",
        "history": json.dumps(dict(provenance), sort_keys=True),
        "notes": " ".join(spectrogram.notes),
    }


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
