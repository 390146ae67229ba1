"""Putting a new state of the store in place: its data files beside the old ones, the manifest in one last step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices._durable import sync_folder, write_whole
from batchlab.devices._manifest import MANIFEST, ORDER, REJECTS, RUNS, Manifest, Status
from batchlab.devices._procedures import Schema
from batchlab.devices._stage._previous import Previous
from batchlab.devices._stage._rows import run_columns
from batchlab.devices._stage._tables import gather_runs, write_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["copy_store", "sweep", "write_manifest", "write_rejects", "write_runs"]


def write_runs(
    table: pl.DataFrame,
    before: Previous | None,
    frames: Mapping[str, Sequence[pl.DataFrame]],
    schema: Schema,
    target: Path,
    made: str,
    timezone: str,
) -> Manifest:
    """Write the rows of every procedure whose runs are others than last time; take over the other files."""
    import polars as pl

    runs = table.filter(pl.col("status") == Status.OK).sort(ORDER)
    before = before if before is not None and before.usable else None
    old = _runs_by_procedure(before.table) if before is not None else {}
    places: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for procedure, part in _runs_by_procedure(runs).items():
        wanted = dict(zip(part["run_id"], part["rows"], strict=True))
        last = old.get(procedure)
        if before is not None and last is not None and last["run_id"].equals(part["run_id"]):
            name = last["data_file"][0]
            if not (target / name).exists():
                _copy_file(before.root / name, target / name)
            places[procedure], sizes[name] = name, before.manifest.files[name]
            continue
        sources = [(frame, _begins(frame)) for frame in frames.get(procedure, ())]
        if before is not None and last is not None:
            begins = dict(zip(last["run_id"], last["offset"], strict=True))
            sources.append((pl.read_parquet(before.root / last["data_file"][0]), begins))
        described = [column.name for column in schema.procedures[procedure].columns]
        data = gather_runs(wanted, run_columns(part, described), sources)
        name, size = write_table(procedure, data, target)
        places[procedure], sizes[name] = name, size
    sync_folder(target / RUNS)
    names = pl.DataFrame(
        {"proc": list(places), "name": list(places.values())}, schema={"proc": pl.String, "name": pl.String}
    )
    located = (
        table.join(names, on="proc", how="left", maintain_order="left")
        .with_columns(data_file=pl.when(pl.col("status") == Status.OK).then("name"))
        .select(table.columns)
    )
    return Manifest(located, made, timezone, dict(sorted(sizes.items())))


def _runs_by_procedure(table: pl.DataFrame) -> dict[str, pl.DataFrame]:
    import polars as pl

    runs = table.filter(pl.col("status") == Status.OK).sort(ORDER)
    return {part["proc"][0]: part for part in runs.partition_by("proc", maintain_order=True)}


def _begins(frame: pl.DataFrame) -> dict[str, int]:
    """Place of the first row of each run."""
    import polars as pl

    starts = frame["row"].eq(0).arg_true()
    return dict(zip(frame["run_id"].gather(starts).cast(pl.String), starts, strict=True))


def write_manifest(manifest: Manifest, target: Path) -> None:
    """The step that makes the new state the state."""
    write_whole(
        target / MANIFEST,
        lambda path: manifest.table.write_parquet(
            path, compression="zstd", compression_level=1, metadata=manifest.notes()
        ),
    )
    sync_folder(target)


def write_rejects(target: Path, table: pl.DataFrame) -> None:
    """What the manifest says of rejects, for people and other programs."""
    import polars as pl

    columns = ("source_file", "category", "reason", "message", "size")
    rejects = table.filter(pl.col("status") == Status.REJECT).select(columns).to_dicts()
    raw = (json.dumps(rejects, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    path = target / REJECTS
    if not path.exists() or path.read_bytes() != raw:
        write_whole(path, raw)


def sweep(target: Path, manifest: Manifest) -> None:
    """Remove files of rows that no longer belong to the store, and what killed runs left."""
    for path in (target / RUNS).iterdir():
        if f"{RUNS}/{path.name}" not in manifest.files and (path.suffix == ".parquet" or path.suffix == ".tmp"):
            path.unlink(missing_ok=True)
    for path in target.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def copy_store(before: Previous, target: Path) -> None:
    for name in before.manifest.files:
        _copy_file(before.root / name, target / name)
    _copy_file(before.root / MANIFEST, target / MANIFEST)


def _copy_file(source: Path, to: Path) -> None:
    def fill(path: Path) -> None:
        shutil.copyfile(source, path)

    write_whole(to, fill)
