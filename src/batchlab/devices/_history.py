"""The history of a chip: its runs in the order of time, numbered over all procedures."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from batchlab.devices._durable import sync_folder, write_whole
from batchlab.devices._manifest import Status
from batchlab.devices._model import Chip
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "HISTORY",
    "file_of",
    "histories",
    "history_of",
    "names_of",
    "read_histories",
    "read_history",
    "remove_others",
    "seqs_of",
    "write_histories",
]

HISTORY = "_history.parquet"

# Of the manifest, in the order of a history.
_SETTINGS = (
    "laser_voltage_v",
    "wavelength_nm",
    "vds_v",
    "ids_a",
    "vg_fixed_v",
    "vg_start_v",
    "vg_end_v",
    "vg_step_v",
    "laser_period_s",
)
_REST = (
    "chip_number",
    "chip_group",
    "chip_name",
    "run_id",
    "rows",
    "file_idx",
    "date_local",
    "day_folder",
    "start_time",
    "start_time_utc",
    "ingested_at_utc",
    "date_origin",
    "duration_s",
    "quality_flags",
    "sample",
    "information",
)
_LIGHT = {True: "light", False: "dark", None: "light?"}


def histories(
    manifest: pl.DataFrame, *, timezone: str, group: str | None = None, minimum: int = 1
) -> dict[str, pl.DataFrame]:
    """The histories of all chips, by name.

    Parameters
    ----------
    manifest
        Of a store.
    timezone
        Of the laboratory.
    group
        Only chips of this group.
    minimum
        Only chips with at least as many runs.

    Returns
    -------
    dict
        Sorted. Chips are their group and number (``Alisson67``), or what `names_of` makes of it; runs without a chip
        stand under what their information says, calibrations of light in none.
    """
    import polars as pl

    runs = manifest.filter(pl.col("status") == Status.OK)
    stem = pl.col("information").str.replace_all(r"[^\w.-]+", "_").str.strip_chars("_").str.head(80)
    named = runs.with_columns(
        chip_name=pl.when(pl.col("chip_name").is_not_null())
        .then("chip_name")
        .when(pl.col("proc") != "LaserCalibration")
        .then(pl.when(stem.str.len_chars() > 0).then(stem).otherwise(pl.lit("no_chip")))
    ).filter(pl.col("chip_name").is_not_null())
    found = _called(named.partition_by("chip_name", "chip_group", "chip_number"))
    return {
        name: _numbered(part, timezone)
        for name, part in sorted(found.items())
        if part.height >= minimum and group in (None, part["chip_group"][0])
    }


def history_of(manifest: pl.DataFrame, chip: Chip, *, timezone: str) -> pl.DataFrame:
    """The history of one chip.

    Raises
    ------
    DataError
        If it has no runs; names the nearest chip.
    """
    import polars as pl

    runs = manifest.filter(pl.col("status") == Status.OK)
    part = runs.filter(pl.col("chip_group") == chip.group, pl.col("chip_number") == chip.number)
    if part.is_empty():
        raise _no_chip(chip.name, sorted(runs["chip_name"].drop_nulls().unique()))
    return _numbered(part, timezone)


def seqs_of(found: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """The number of each run in the history of its chip, by run_id."""
    return {run_id: seq for table in found.values() for run_id, seq in table.select("run_id", "seq").iter_rows()}


def names_of(chips: Iterable[Chip]) -> dict[Chip, str]:
    """What chips are called where each needs a name, and a file, of its own.

    Chip 2 of group A1 and chip 12 of group A are called alike, and files of ``Al isson67`` and ``Al_isson67`` would be:
    one of them is told apart by a hyphen, and if need be by a number.

    Parameters
    ----------
    chips
        All that there are: what one is called depends on the others.
    """
    taken: set[str] = set()
    return {
        chip: _unused((chip.name, f"{chip.group}-{chip.number}"), taken)
        for chip in sorted(set(chips), key=lambda chip: (chip.name, chip))
    }


def _called(parts: Iterable[pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Runs of each chip, or of what stands for one, by a name of its own."""
    chips: dict[Chip, pl.DataFrame] = {}
    others: dict[str, pl.DataFrame] = {}
    for part in parts:
        group, number, name = (part[column][0] for column in ("chip_group", "chip_number", "chip_name"))
        if group is None:
            others[name] = part
        else:
            chips[Chip(group, number)] = part
    found = {name: chips[chip] for chip, name in names_of(chips).items()}
    taken = set(map(_key, found))
    return found | {_unused((name,), taken): others[name] for name in sorted(others)}


def _unused(names: Sequence[str], taken: set[str]) -> str:
    """The first of some names that no file has yet, on disks that tell no capitals apart, too; takes it."""
    numbered = (f"{names[-1]}-{k}" for k in count(2))
    name = next(name for name in chain(names, numbered) if _key(name) not in taken)
    taken.add(_key(name))
    return name


def _key(name: str) -> str:
    return normalize("NFC", file_of(name).casefold())


def _numbered(runs: pl.DataFrame, timezone: str) -> pl.DataFrame:
    import polars as pl

    start = pl.col("start_time_utc")
    ordered = runs.sort("start_time_utc", "proc", "file_idx", "run_id", nulls_last=True)
    settings = [pl.col(name) if name in runs.columns else pl.lit(None).alias(name) for name in _SETTINGS]
    full = ordered.with_columns(
        start.dt.strftime("%Y-%m-%d").alias("date"),
        start.dt.strftime("%H:%M:%S").alias("time_hms"),
        start.dt.convert_time_zone(timezone).alias("datetime_local"),
        pl.col("data_file").alias("parquet_path"),
        pl.col("source_file").str.split("/").list.get(-2, null_on_oob=True).alias("day_folder"),
        (start.dt.timestamp("us") / 1e6).alias("start_time"),
        pl.Series("summary", [_summary(row) for row in ordered.iter_rows(named=True)], dtype=pl.String),
        *settings,
    ).with_row_index("seq", offset=1)
    columns = (
        *("seq", "date", "time_hms", "datetime_local", "proc", "summary", "has_light"),
        *_SETTINGS,
        *("parquet_path", "source_file"),
        *_REST,
    )
    return full.select(columns).with_columns(pl.col("seq").cast(pl.Int64))


def _summary(row: Mapping[str, Any]) -> str:
    """A run in a line: ``light It Alisson67, VDS 0.1 V, VG -2.5 V, VL 3 V, 455 nm, #12``."""
    get = row.get
    parts = [f"{_LIGHT[row['has_light']]} {row['proc']} {row['chip_name'] or ''}".rstrip()]
    if get("vds_v") is not None:
        parts.append(f"VDS {row['vds_v']:g} V")
    if get("ids_a") is not None:
        parts.append(f"IDS {row['ids_a']:g} A")
    if get("vg_start_v") is not None and get("vg_end_v") is not None:
        step = f" by {row['vg_step_v']:g} V" if get("vg_step_v") is not None else ""
        parts.append(f"VG {row['vg_start_v']:g} to {row['vg_end_v']:g} V{step}")
    elif get("vg_fixed_v") is not None:
        parts.append(f"VG {row['vg_fixed_v']:g} V")
    if row["has_light"] is not False:
        if get("laser_voltage_v") is not None:
            parts.append(f"VL {row['laser_voltage_v']:g} V")
        if get("wavelength_nm"):
            parts.append(f"{row['wavelength_nm']:g} nm")
    if get("file_idx") is not None:
        parts.append(f"#{row['file_idx']}")
    return ", ".join(parts)


def write_histories(found: Mapping[str, pl.DataFrame], folder: str | os.PathLike[str], *, sweep: bool = True) -> None:
    """Write each history to ``<chip>_history.parquet``.

    Parameters
    ----------
    found
        By the chips' names.
    folder
        Usually ``data/02_stage/chip_histories``.
    sweep
        Whether to remove histories of other chips: of ones that are no longer in the store.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in found.items():

        def fill(path: Path, table: pl.DataFrame = table) -> None:
            table.write_parquet(path, compression="zstd", compression_level=1)

        write_whole(folder / file_of(name), fill)
    if sweep:
        remove_others(folder, found)
    sync_folder(folder)


def remove_others(folder: Path, chips: Iterable[str]) -> None:
    """Remove the histories in a folder that are of none of these chips."""
    kept = {file_of(name) for name in chips}
    for path in folder.glob(f"*{HISTORY}"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def file_of(chip: str) -> str:
    """Name of a chip's file; what names of groups may hold and those of files may not is replaced."""
    return re.sub(r"[^\w.+-]", "_", chip).lstrip(".") + HISTORY


def read_history(folder: str | os.PathLike[str], chip: str) -> pl.DataFrame:
    """A history that was written.

    Parameters
    ----------
    folder
        Of histories.
    chip
        Its name.

    Raises
    ------
    DataError
        If there is none; names the nearest chip.
    """
    import polars as pl

    path = Path(folder) / file_of(chip)
    if not path.is_file():
        raise _no_chip(chip, sorted(name.name.removesuffix(HISTORY) for name in Path(folder).glob(f"*{HISTORY}")))
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); build the histories again", reason="broken-store"
        ) from error


def read_histories(folder: str | os.PathLike[str]) -> dict[str, pl.DataFrame]:
    """All histories in a folder, by the chips' names."""
    names = sorted(path.name.removesuffix(HISTORY) for path in Path(folder).glob(f"*{HISTORY}"))
    return {name: read_history(folder, name) for name in names}


def _no_chip(name: str, there: Collection[str]) -> DataError:
    from difflib import get_close_matches

    number = re.sub(r"\D", "", name)
    same = [other for other in there if number and re.sub(r"\D", "", other) == number]
    near = same or get_close_matches(name, there, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(there) or 'none'}"
    return DataError(f"no runs of chip {name}; {hint}", category=Category.MISSING_INPUT, reason="no-such-chip")
