"""One table of a chip: its history, its light, and its metrics."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from batchlab.devices._durable import sync_folder, write_whole
from batchlab.devices._history import file_of, remove_others

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Enriched", "enrich", "read_enriched", "units_of", "write_enriched", "write_enriched_file"]

KEY = "batchlab.units"

_UNITS = MappingProxyType(
    {
        "laser_voltage_v": "V",
        "wavelength_nm": "nm",
        "vds_v": "V",
        "ids_a": "A",
        "vg_fixed_v": "V",
        "vg_start_v": "V",
        "vg_end_v": "V",
        "vg_step_v": "V",
        "laser_period_s": "s",
        "start_time": "s",
        "duration_s": "s",
        "calibration_age_h": "h",
        "irradiated_power_w": "W",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Enriched:
    """A history with calibrations and metrics: one row for each run, units of its numbers by column."""

    table: pl.DataFrame
    units: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<Enriched: {self.table.height} runs, {self.table.width} columns, {len(self.units)} with a unit>"

    def _repr_html_(self) -> str:
        """The table, units in the names of its columns, as a notebook shows it."""
        named = {name: f"{name} ({unit})" for name, unit in self.units.items() if unit != "1"}
        return self.table.rename(named)._repr_html_()


def enrich(
    history: pl.DataFrame,
    *,
    links: pl.DataFrame | None = None,
    metrics: pl.DataFrame | None = None,
    units: Mapping[str, str] = MappingProxyType({}),
    only: Collection[str] | None = None,
) -> Enriched:
    """Join what is known of a chip's runs.

    Parameters
    ----------
    history
        Of the chip.
    links
        Of `link_calibrations`.
    metrics
        The wide table of metrics: one row for each run, one column for each metric; those that no run of the chip has
        are left out.
    units
        Of the metrics' columns.
    only
        Metrics to take, by their names or the beginnings of them; all unless given.

    Returns
    -------
    Enriched
        Rows and their order are those of the history. Numbers stay numbers. A metric that is called as a column of the
        history is called ``metric_...``.

    Raises
    ------
    ValueError
        If a table has more than one row of a run.
    """
    table = history
    known = dict(_UNITS)
    if links is not None:
        table = _join(table, links, "calibrations")
    if metrics is not None:
        of_chip = metrics.join(history.select("run_id"), on="run_id", how="semi")
        names = [
            name
            for name in of_chip.columns
            if name not in _KEY and of_chip[name].null_count() < of_chip.height and _wanted(name, only)
        ]
        renamed = {name: f"metric_{name}" for name in names if name in table.columns}
        table = _join(table, of_chip.select("run_id", *names).rename(renamed), "metrics")
        known |= {renamed.get(name, name): units[name] for name in names if name in units}
    return Enriched(table=table, units={name: known[name] for name in table.columns if name in known})


# What a wide table says of a run, beside metrics.
_KEY = ("run_id", "chip_group", "chip_number", "procedure", "seq_num")


def _wanted(name: str, only: Collection[str] | None) -> bool:
    return only is None or name.startswith(tuple(only))


def _join(table: pl.DataFrame, other: pl.DataFrame, what: str) -> pl.DataFrame:
    if other["run_id"].is_duplicated().any():
        twice = other["run_id"].filter(other["run_id"].is_duplicated())[0]
        raise ValueError(f"the table of {what} has more than one row of run {twice}; it needs one for each")
    return table.join(other, on="run_id", how="left", maintain_order="left")


def write_enriched(found: Mapping[str, Enriched], folder: str | os.PathLike[str], *, sweep: bool = False) -> None:
    """Write each to ``<chip>_history.parquet``, its units in the file's own notes.

    Parameters
    ----------
    found
        By the chips' names.
    folder
        Usually ``data/03_derived/chip_histories_enriched``.
    sweep
        Whether to remove those of other chips.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, enriched in found.items():
        write_enriched_file(folder / file_of(name), enriched)
    if sweep:
        remove_others(folder, found)
    sync_folder(folder)


def write_enriched_file(path: Path, enriched: Enriched) -> None:
    """Write one, its units in the file's own notes."""
    notes = {KEY: json.dumps(dict(enriched.units), sort_keys=True, ensure_ascii=False)}

    def fill(beside: Path) -> None:
        enriched.table.write_parquet(beside, compression="zstd", compression_level=1, metadata=notes)

    write_whole(path, fill)


def read_enriched(folder: str | os.PathLike[str], chip: str) -> Enriched:
    """What was written.

    Raises
    ------
    DataError
        If there is none of that chip.
    """
    from batchlab.devices._history import read_history

    return Enriched(table=read_history(folder, chip), units=units_of(Path(folder) / file_of(chip)))


def units_of(path: Path) -> dict[str, str]:
    """Units that a parquet file notes for its columns; empty if it notes none."""
    import polars as pl

    noted: dict[str, str] = json.loads(pl.read_parquet_metadata(path).get(KEY, "{}"))
    return noted
