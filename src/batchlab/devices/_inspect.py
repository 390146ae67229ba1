"""Looking at a store: whether it is whole, what is in it, and how its files came out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from batchlab.devices._manifest import Manifest, Status, columns_of, names_of, read_manifest
from batchlab.errors import DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["inspect_manifest", "staging_stats", "validate_manifest"]

_SHOWN = (
    "source_file",
    "status",
    "proc",
    "chip_name",
    "date_local",
    "has_light",
    "rows",
    "quality_flags",
    "reason",
    "run_id",
)


def validate_manifest(store: str | os.PathLike[str], *, raw_root: str | os.PathLike[str] | None = None) -> list[str]:
    """What is wrong with a store, a line each; nothing if it is whole.

    Parameters
    ----------
    store
        Its folder.
    raw_root
        The raw files, if they are to be compared too.
    """
    root = Path(store)
    try:
        manifest = read_manifest(root)
    except DataError as error:
        return [str(error)]
    wrong = _wrong_columns(manifest.table)
    if wrong:
        return wrong
    wrong = [*_wrong_rows(manifest.table), *_wrong_files(root, manifest)]
    if raw_root is not None:
        wrong += _wrong_raw(Path(raw_root), manifest.table)
    return wrong


def _wrong_columns(table: pl.DataFrame) -> list[str]:
    wrong = []
    for name, kind in columns_of().items():
        if name not in table.columns:
            wrong.append(f"column {name} is missing; stage again")
        elif table.schema[name] != kind:
            wrong.append(f"column {name} is {table.schema[name]}, not {kind}; stage again")
    return wrong


def _wrong_rows(table: pl.DataFrame) -> list[str]:
    import polars as pl

    wrong = []

    def check(bad: pl.Expr, said: str) -> None:
        rows = table.filter(bad)
        if rows.height:
            first = rows["source_file"][0]
            wrong.append(f"{first}{f' and {rows.height - 1} more' if rows.height > 1 else ''}: {said}; stage again")

    run = pl.col("status") == Status.OK
    check(~pl.col("status").is_in([each.value for each in Status]).fill_null(False), "status is none that there is")
    check(pl.col("source_file").is_duplicated(), "stands there more than once")
    check(
        pl.col("source_file").str.starts_with("/") | pl.col("source_file").str.contains(r"(^|/)\.\.(/|$)|^[A-Za-z]:"),
        "is not relative to the folder of raw files",
    )
    needed = (
        "run_id",
        "proc",
        "start_time_utc",
        "date_local",
        "rows",
        "data_file",
        "offset",
        "data_columns",
        "settings",
    )
    check(run & pl.any_horizontal(pl.col(name).is_null() for name in needed), "is a run, but what it is is missing")
    check(run & (run.sum().over("run_id") > 1), "has the id of another run")
    check(run & ~pl.col("run_id").str.contains(r"^[0-9a-f]{16}$"), "has no proper id")
    check(run & (pl.col("rows") < 1), "has no rows")
    check((pl.col("status") == Status.REJECT) & pl.col("reason").is_null(), "is rejected without a reason")
    return wrong


def _wrong_files(root: Path, manifest: Manifest) -> list[str]:
    import polars as pl

    wrong: list[str] = []
    runs = manifest.table.filter(pl.col("status") == Status.OK)
    unlisted = sorted(set(runs["data_file"].drop_nulls()) - manifest.files.keys())
    wrong += [f"{name}: holds runs, but the manifest does not list it; stage again" for name in unlisted]
    for name in manifest.files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            wrong.append(f"{name}: does not lie in the store; stage again")
            continue
        path = root / name
        try:
            content = path.read_bytes()
        except OSError as error:
            wrong.append(f"{path}: cannot be read ({error.strerror or error}); stage again")
            continue
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        if digest[:12] != path.stem.rpartition("-")[2]:
            wrong.append(f"{path}: was changed or damaged since it was written; stage again with force")
            continue
        part = runs.filter(pl.col("data_file") == name).sort("run_id")
        wrong += _wrong_table(path, part)
    return wrong


def _wrong_table(path: Path, runs: pl.DataFrame) -> list[str]:
    import polars as pl

    stored = pl.scan_parquet(path, glob=False)
    columns = set(stored.collect_schema().names())
    found = (
        stored.select("run_id")
        .with_row_index("at")
        .group_by("run_id")
        .agg(first=pl.col("at").min(), last=pl.col("at").max(), count=pl.len())
        .collect()
    )
    places = {row["run_id"]: row for row in found.to_dicts()}
    wrong = []
    for row in runs.iter_rows(named=True):
        at = places.pop(row["run_id"], None)
        end = row["offset"] + row["rows"]
        if at is None or (at["first"], at["last"] + 1, at["count"]) != (row["offset"], end, row["rows"]):
            wrong.append(f"{path}: run {row['run_id']} does not lie where the manifest says; stage again with force")
        missing = [name for name in names_of(row["data_columns"]) if name not in columns]
        if missing:
            wrong.append(f"{path}: column {missing[0]!r} of run {row['run_id']} is missing; stage again with force")
    wrong += [f"{path}: run {name} is not in the manifest; stage again with force" for name in sorted(places)]
    return wrong


def _wrong_raw(root: Path, table: pl.DataFrame) -> list[str]:
    wrong = []
    for name, size, mtime_ns, reason in table.select("source_file", "size", "mtime_ns", "reason").iter_rows():
        try:
            about = (root / name).stat()
        except OSError:
            wrong.append(f"{name}: is no longer there; stage again")
            continue
        if (about.st_size, about.st_mtime_ns) != (size, mtime_ns) and reason != "unreadable":
            wrong.append(f"{name}: was changed since it was staged; stage again")
    return wrong


def inspect_manifest(
    manifest: pl.DataFrame,
    *,
    proc: str | Collection[str] | None = None,
    chip: str | Collection[str] | None = None,
    group: str | None = None,
    light: bool | None = None,
    status: str | None = None,
    date: str | None = None,
    flagged: bool | None = None,
    warned: bool | None = None,
    columns: tuple[str, ...] | None = None,
) -> pl.DataFrame:
    """Rows of a manifest that are asked for, with the columns that people look at first.

    Parameters
    ----------
    proc, group, light, status, date, flagged
        What they say; `date` is a local day as in ``2025-09-04``.
    chip
        Its name, or its number in any group; or names of several.
    warned
        Whether something was told of the file when it was read.
    columns
        Others than those.
    """
    import polars as pl

    conditions: list[pl.Expr] = []
    if proc is not None:
        conditions.append(pl.col("proc").is_in([proc] if isinstance(proc, str) else sorted(proc)))
    for name, value in (("chip_group", group), ("status", status), ("has_light", light)):
        if value is not None:
            conditions.append(pl.col(name) == value)
    if chip is not None and not isinstance(chip, str):
        conditions.append(pl.col("chip_name").is_in(sorted(chip)))
    elif chip is not None:
        by_number = chip.isascii() and chip.isdigit()
        conditions.append(pl.col("chip_number") == int(chip) if by_number else pl.col("chip_name") == chip)
    if date is not None:
        conditions.append(pl.col("date_local").cast(pl.String) == date)
    if flagged is not None:
        conditions.append(pl.col("quality_flags").is_not_null() == flagged)
    if warned is not None:
        conditions.append(pl.col("warnings").is_not_null() == warned)
    chosen = manifest.filter(conditions) if conditions else manifest
    return chosen.select(columns or _SHOWN)


def staging_stats(manifest: pl.DataFrame) -> dict[str, Any]:
    """Counts of a manifest: of files by status, of runs by procedure, chip and day, of reasons, flags and warnings."""
    import polars as pl

    runs = manifest.filter(pl.col("status") == Status.OK)

    def counts(column: pl.Series) -> dict[str, int]:
        tally = column.drop_nulls().cast(pl.String).value_counts().sort(column.name)
        return {str(value): int(count) for value, count in tally.iter_rows()}

    return {
        "files": manifest.height,
        "raw_bytes": int(manifest["size"].sum()),
        "by_status": counts(manifest["status"]),
        "rows": int(runs["rows"].sum()),
        "by_procedure": counts(runs["proc"]),
        "by_chip": counts(runs["chip_name"]),
        "by_day": counts(runs["date_local"]),
        "by_date_origin": counts(runs["date_origin"]),
        "by_light": counts(
            runs.select(
                light=pl.when("has_light")
                .then(pl.lit("light"))
                .when(~pl.col("has_light"))
                .then(pl.lit("dark"))
                .otherwise(pl.lit("unknown"))
            )["light"]
        ),
        "reject_reasons": counts(manifest.filter(pl.col("status") == Status.REJECT)["reason"]),
        "quality_flags": counts(runs["quality_flags"].str.split(",").explode(empty_as_null=True).rename("flag")),
        "with_warnings": int(runs["warnings"].is_not_null().sum()),
        "first_utc": _iso(runs["start_time_utc"].min()),
        "last_utc": _iso(runs["start_time_utc"].max()),
    }


def _iso(time: Any) -> str | None:
    return None if time is None else str(time.isoformat())
