"""The jobs after extraction: one table of all metrics, and histories that know them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from batchlab.devices.tasks._full_path import FullPath
from batchlab.devices.tasks._known import light_state, merge_state
from batchlab.devices.tasks._opened import calibrations_in, opened
from batchlab.devices.tasks._pieces import Pieces
from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EnrichParams", "MergeParams", "enrich", "merge"]

_LIBRARIES = ("polars",)


class MergeParams(BaseModel):
    """Where the table of metrics lies, and whether the parts are all there are."""

    model_config = ConfigDict(extra="forbid")

    store: FullPath | None = Field(
        None, description="the folder of the staged store, unless an earlier job hands it over"
    )
    table: FullPath | None = Field(None, description="the table as it is; rows that do not change keep their times")
    versions: FullPath | None = Field(
        None, description="rows that are no longer in the table, as they are noted by now"
    )
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
    preload=_LIBRARIES,
    surroundings=merge_state,
)
def merge(ctx: JobContext, params: MergeParams) -> Mapping[str, Scalar]:
    """Put the parts that jobs derived into the table of metrics: only what they settle changes.

    Writes the table, the same with a row for each run, and the rows that it no longer has.
    """
    import polars as pl

    from batchlab.devices._enrich import KEY
    from batchlab.devices.metrics import add_history, wide
    from batchlab.devices.tasks._part import read_part
    from batchlab.devices.tasks._renew import batches, numbered, numbers_of, renew, staged_groups, without_curves

    ctx.stage("load")
    store = opened(ctx, params.store)
    parts = [read_part(path) for member in ctx.gathered("parts") for path in map(Path, member.outputs.values())]
    old, versions = _there(params.table), _there(params.versions)
    now = datetime.now(UTC)
    staged = staged_groups(store) if params.complete else None
    numbers = numbers_of(store)
    table, gone = Pieces(ctx.scratch / "table"), Pieces(ctx.scratch / "gone")
    if versions is not None:
        gone.take(versions)
    slim: list[pl.DataFrame] = []
    added = changed = removed = 0
    ctx.stage("merge")
    try:
        # In the order of the table: all its curves together are never in memory.
        for chips in batches(old, parts):
            done = renew(chips, old, parts, staged=staged, now=now)
            added, changed, removed = added + done.added, changed + done.changed, removed + done.removed
            piece = numbered(done.table, numbers)
            slim.append(without_curves(piece))
            table.add(piece)
            gone.add(add_history(None, done.superseded, timestamp=now))
        ctx.stage("write")
        table.save(ctx.output("metrics"))
        gone.save(ctx.output("versions"))
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{params.table or 'the parts'}: cannot be merged ({error}); remove the table, and derive all metrics "
            "again with --force",
            reason="broken-table",
        ) from error
    whole = pl.concat(slim)
    spread = wide(whole, quality=True)
    units = json.dumps(dict(spread.units), sort_keys=True, ensure_ascii=False)
    spread.frame.write_parquet(ctx.output("wide"), compression="zstd", compression_level=1, metadata={KEY: units})
    ctx.log.info("%d rows: %d new, %d changed, %d removed", whole.height, added, changed, removed)
    # Nothing here tells how often it was merged: jobs after this one would take it for a change.
    return {"metrics": whole.height, "runs": spread.frame.height, "kinds": whole["metric_name"].n_unique()}


def _there(path: str | None) -> Path | None:
    """A table that is there and can be read."""
    import polars as pl

    if path is None or not Path(path).is_file():
        return None
    try:
        pl.read_parquet_schema(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); remove it and derive all metrics again", reason="broken-table"
        ) from error
    return Path(path)


class EnrichParams(BaseModel):
    """What a history is joined with."""

    model_config = ConfigDict(extra="forbid")

    store: FullPath | None = Field(
        None, description="the folder of the staged store, unless an earlier job hands it over"
    )
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
    preload=_LIBRARIES,
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
