"""The jobs after extraction: one table of all metrics, and histories that know them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from batchlab.devices.tasks._known import light_state, merge_state
from batchlab.devices.tasks._opened import calibrations_in, opened
from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._store import Store
    from batchlab.devices.metrics import Upserted
    from batchlab.devices.tasks._part import Part

__all__ = ["EnrichParams", "MergeParams", "enrich", "merge"]

_LIBRARIES = ("polars",)
_GROUP = ("chip_group", "chip_number", "procedure")


class MergeParams(BaseModel):
    """Where the table of metrics lies, and whether the parts are all there are."""

    model_config = ConfigDict(extra="forbid")

    store: str | None = Field(None, description="the folder of the staged store, unless an earlier job hands it over")
    table: str | None = Field(None, description="the table as it is; rows that do not change keep their times")
    versions: str | None = Field(None, description="rows that are no longer in the table, as they are noted by now")
    complete: bool = Field(
        False, description="drop the rows of chips and procedures that are no longer staged: the parts are not filtered"
    )


@task(
    name="devices.merge",
    version="1",
    params=MergeParams,
    inputs=("parts",),
    optional_inputs=("manifest",),
    outputs={
        "metrics": "_metrics/metrics.parquet",
        "wide": "_metrics/metrics_wide.parquet",
        "versions": "_metrics/metrics_versions.parquet",
    },
    libraries=_LIBRARIES,
    surroundings=merge_state,
)
def merge(ctx: JobContext, params: MergeParams) -> Mapping[str, Scalar]:
    """Put the parts that jobs derived into the table of metrics: only what they settle changes.

    Writes the table, the same with a row for each run, and the rows that it no longer has.
    """
    from batchlab.devices._enrich import KEY
    from batchlab.devices.metrics import add_history, wide
    from batchlab.devices.tasks._part import read_part

    ctx.stage("load")
    store = opened(ctx, params.store)
    parts = [read_part(path) for member in ctx.gathered("parts") for path in map(Path, member.outputs.values())]
    now = datetime.now(UTC)
    table, versions = _read(params.table), _read(params.versions)
    before = 0 if table is None else table.height
    ctx.stage("merge")
    added = changed = removed = 0
    for names, some in _alike(parts):
        done = _put(table, some, names, store if params.complete else None, now)
        table = done.table
        versions = add_history(versions, done.superseded, timestamp=now)
        added, changed, removed = added + done.added, changed + done.changed, removed + done.removed
    if table is None or versions is None:
        from batchlab.devices.metrics import metrics_frame

        table = metrics_frame((), timestamp=now) if table is None else table
        versions = add_history(versions, table.clear(), timestamp=now)
    table = _numbered(table, store)
    ctx.stage("write")
    _write(table, ctx.output("metrics"))
    spread = wide(table, quality=True)
    units = json.dumps(dict(spread.units), sort_keys=True, ensure_ascii=False)
    _write(spread.frame, ctx.output("wide"), {KEY: units})
    _write(versions, ctx.output("versions"))
    ctx.log.info("%d rows, %d before: %d new, %d changed, %d removed", table.height, before, added, changed, removed)
    # Nothing here tells how often it was merged: jobs after this one would take it for a change.
    return {"metrics": table.height, "runs": spread.frame.height, "kinds": table["metric_name"].n_unique()}


def _read(path: str | None) -> pl.DataFrame | None:
    import polars as pl

    if path is None or not Path(path).is_file():
        return None
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); remove it and derive all metrics again", reason="broken-table"
        ) from error


def _write(table: pl.DataFrame, path: Path, notes: dict[str, str] | None = None) -> None:
    table.write_parquet(path, compression="zstd", compression_level=1, metadata=notes)


def _alike(parts: Sequence[Part]) -> list[tuple[tuple[str, ...] | None, list[Part]]]:
    """Parts that settle equal names, together."""
    found: dict[tuple[str, ...] | None, list[Part]] = {}
    for part in parts:
        found.setdefault(part.settles.names, []).append(part)
    return list(found.items())


def _put(
    table: pl.DataFrame | None,
    parts: Sequence[Part],
    names: tuple[str, ...] | None,
    complete: Store | None,
    now: datetime,
) -> Upserted:
    """Put rows into the table; with the complete store, drop those of chips and procedures that it no longer has."""
    import polars as pl

    from batchlab.devices.metrics import Coverage, upsert
    from batchlab.devices.metrics._pairs import NAMES

    stamp = pl.lit(now, dtype=pl.Datetime("us", "UTC")).alias("extraction_timestamp")
    new = pl.concat([part.table for part in parts]).with_columns(stamp)
    groups = {group for part in parts for group in part.settles.groups}
    runs, known = set(new["run_id"]), set(new["metric_name"])
    if table is not None:
        staged = None if complete is None else _groups(complete)
        for *group, run_id in table.select(*_GROUP, "run_id").unique().iter_rows():
            if tuple(group) in groups or (staged is not None and tuple(group) not in staged):
                runs.add(run_id)
        known |= set(table["metric_name"])
    settled = frozenset(known - set(NAMES) if names is None else names)
    return upsert(table, new, Coverage(run_ids=frozenset(runs), metric_names=settled))


def _groups(store: Store) -> set[tuple[object, ...]]:
    return set(store.table.select("chip_group", "chip_number", "proc").unique().iter_rows())


def _numbered(table: pl.DataFrame, store: Store) -> pl.DataFrame:
    """The table with the numbers that runs have now; an older file may have shifted them."""
    import polars as pl

    from batchlab.devices._history import histories, seqs_of

    seqs = seqs_of(histories(store.table, timezone=store.timezone))
    now = pl.col("run_id").replace_strict(seqs, default=None, return_dtype=pl.Int64)
    order = (*_GROUP, "seq_num", "run_id", "metric_name", "extraction_method")
    return table.with_columns(seq_num=pl.coalesce(now, "seq_num")).sort(order, nulls_last=True)


class EnrichParams(BaseModel):
    """What a history is joined with."""

    model_config = ConfigDict(extra="forbid")

    store: str | None = Field(None, description="the folder of the staged store, unless an earlier job hands it over")
    chip: str | None = Field(None, description="whose history, where the input gathers those of all chips")
    chip_group: str | None = Field(None, description="of the history's chip; null for runs without one")
    chip_number: int | None = Field(None, description="of the history's chip; null for runs without one")
    calibrations: bool = Field(True, description="join the calibration and power of each run's light")
    stale_h: float = Field(24.0, gt=0, description="age in hours from which a calibration is stale")
    only: tuple[str, ...] | None = Field(None, description="metrics to join, by the beginnings of their names")


@task(
    name="devices.enrich",
    version="1",
    params=EnrichParams,
    inputs=("history",),
    optional_inputs=("metrics", "manifest"),
    outputs={"enriched": "chip_histories_enriched/{history}.parquet"},
    libraries=_LIBRARIES,
    surroundings=light_state,
)
def enrich(ctx: JobContext, params: EnrichParams) -> Mapping[str, Scalar]:
    """Join the history of a chip with the light of its runs, and with their metrics.

    Takes its file, or all histories that a job makes (``history: {from: histories, gather: all}``) with the param chip.
    """
    import polars as pl

    from batchlab.devices._calibration import link_calibrations
    from batchlab.devices._enrich import enrich as enriched_of
    from batchlab.devices._enrich import units_of, write_enriched_file

    history = pl.read_parquet(_history_of(ctx, params.chip), glob=False)
    links = None
    if params.calibrations:
        store = opened(ctx, params.store)
        runs = store.runs(run_ids=set(history["run_id"]), columns=())
        links = link_calibrations(runs, calibrations_in(ctx, store), stale_h=params.stale_h)
    metrics, units = None, {}
    if ctx.given("metrics"):
        metrics = pl.read_parquet(ctx.input("metrics"), glob=False)
        units = units_of(ctx.input("metrics"))
    found = enriched_of(history, links=links, metrics=metrics, units=units, only=params.only)
    write_enriched_file(ctx.output("enriched"), found)
    linked = 0 if links is None else links["calibration_run_id"].drop_nulls().len()
    return {"runs": found.table.height, "columns": found.table.width, "calibrated": linked}


def _history_of(ctx: JobContext, chip: str | None) -> Path:
    """The file of a history, given alone or among all."""
    from batchlab.devices._history import file_of

    gathered = ctx.gathered("history")
    if not gathered:
        return ctx.input("history")
    names = {Path(path).name: Path(path) for member in gathered for path in member.outputs.values()}
    if chip is None or file_of(chip) not in names:
        there = ", ".join(sorted(names)) or "none"
        raise DataError(
            f"no history of {chip or 'no chip'} was handed over; name one in the param chip: {there}",
            category=Category.MISSING_INPUT,
            reason="no-history",
        )
    return names[file_of(chip)]
