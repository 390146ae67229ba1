"""The table of metrics: one row per run, metric and method; renewed key by key, spread wide, with its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batchlab.devices._model import DerivedMetric
from batchlab.devices.metrics._dirac_point import METHODS as DIRAC_METHODS
from batchlab.devices.metrics._json import texts

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KEY", "WIDE_FROM", "Coverage", "Upserted", "Wide", "add_history", "metrics_frame", "upsert", "wide"]

KEY = ("run_id", "metric_name", "extraction_method")
# Where a run has a metric by several methods, the first of these speaks for it.
_PREFERRED = (*DIRAC_METHODS, "linear-extrapolation", "constant-current")
_ORDER = ("chip_group", "chip_number", "procedure", "seq_num", "run_id", "metric_name", "extraction_method")
# Says when and where in the history, not what: two rows that differ in these alone are one.
_OUTSIDE = ("extraction_timestamp", "seq_num")
# Of what is measured in amperes or in volts: their columns name the unit even where a laboratory has but one of them.
_OF_SEVERAL_UNITS = frozenset(
    (
        "consecutive_sweep_difference",
        "linear_drift",
        "noise_density",
        "responsivity",
        "sweep_difference_mean",
        "sweep_difference_std",
    )
)
_RUN = ("run_id", "chip_group", "chip_number", "procedure", "seq_num")
WIDE_FROM = (
    *(*_RUN, "metric_name", "unit", "extraction_method"),
    *("value_float", "value_str", "value_json", "confidence", "flags"),
)
"""Columns that `wide` looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What an extraction looked at: every metric of these names of these runs is settled by its outcome.

    None stands for all.
    """

    run_ids: frozenset[str] | None = None
    metric_names: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Upserted:
    """A table after an upsert, the old rows that it replaced or removed, and how many rows came, changed and went."""

    table: pl.DataFrame
    superseded: pl.DataFrame
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """One row per run and one column per metric; the unit of each column."""

    frame: pl.DataFrame
    units: Mapping[str, str]


def schema() -> dict[str, Any]:
    """Columns of the table with their types."""
    import polars as pl

    return {
        "run_id": pl.String,
        "chip_number": pl.Int64,
        "chip_group": pl.String,
        "procedure": pl.String,
        "seq_num": pl.Int64,
        "metric_name": pl.String,
        "metric_category": pl.String,
        "value_float": pl.Float64,
        "value_str": pl.String,
        "value_json": pl.String,
        "unit": pl.String,
        "standard_error": pl.Float64,
        "extraction_method": pl.String,
        "extraction_version": pl.String,
        "extraction_timestamp": pl.Datetime("us", "UTC"),
        "confidence": pl.Float64,
        "flags": pl.String,
    }


def metrics_frame(
    metrics: Iterable[DerivedMetric], *, timestamp: datetime, seq: Mapping[str, int] = MappingProxyType({})
) -> pl.DataFrame:
    """Rows of metrics in the table's order.

    Parameters
    ----------
    timestamp
        When they were derived, aware.
    seq
        Number of each run in its chip's history.

    Raises
    ------
    ValueError
        If two metrics have one key.
    """
    import polars as pl

    rows = sorted(metrics, key=lambda m: _place(m, seq))
    keys = Counter((m.run_id, m.metric_name, m.extraction_method) for m in rows)
    for (run, name, method), count in keys.items() if len(keys) < len(rows) else ():
        if count > 1:
            raise ValueError(
                f"{name} of {run} by {method} was derived twice; two extractors give one metric by one method"
            )
    columns: dict[str, list[Any]] = {
        "run_id": [m.run_id for m in rows],
        "chip_number": [m.chip.number if m.chip else None for m in rows],
        "chip_group": [m.chip.group if m.chip else None for m in rows],
        "procedure": [m.procedure for m in rows],
        "seq_num": [seq.get(m.run_id) for m in rows],
        "metric_name": [m.metric_name for m in rows],
        "metric_category": [m.metric_category.value for m in rows],
        "value_float": [m.value_float for m in rows],
        "value_str": [m.value_str for m in rows],
        "value_json": texts([m.value_json for m in rows]),
        "unit": [m.unit for m in rows],
        "standard_error": [m.standard_error for m in rows],
        "extraction_method": [m.extraction_method for m in rows],
        "extraction_version": [m.extraction_version for m in rows],
        "extraction_timestamp": [timestamp] * len(rows),
        "confidence": [m.confidence for m in rows],
        "flags": [",".join(m.flags) for m in rows],
    }
    return pl.DataFrame(columns, schema=schema())


def _place(metric: DerivedMetric, seq: Mapping[str, int]) -> tuple[object, ...]:
    """Its place in the table's order; what is not known comes last."""
    chip, number = metric.chip, seq.get(metric.run_id)
    return (
        (chip is None, chip.group if chip else "", chip.number if chip else 0),
        metric.procedure,
        (number is None, number or 0),
        metric.run_id,
        metric.metric_name,
        metric.extraction_method,
    )


def upsert(table: pl.DataFrame | None, new: pl.DataFrame, covers: Coverage) -> Upserted:
    """Put new rows into a table, changing only what the extraction covered.

    A row that comes out as it was keeps its timestamp (and takes a new number in the history), so that a repeated run
    leaves the same bytes. What was covered
    and did not come again goes; what was not covered stays, whatever it is.
    """
    import polars as pl

    key = list(KEY)
    old = new.clear() if table is None else table.select(list(schema())).cast(pl.Schema(schema()))
    covered = pl.lit(True)
    if covers.run_ids is not None:
        covered = covered & pl.col("run_id").is_in(sorted(covers.run_ids))
    if covers.metric_names is not None:
        covered = covered & pl.col("metric_name").is_in(sorted(covers.metric_names))
    kept = old.filter(~covered).join(new, on=key, how="anti")
    before = old.join(kept, on=key, how="anti")
    content = [name for name in schema() if name not in (*KEY, *_OUTSIDE)]
    both = new.join(before, on=key, how="inner", suffix="_before")
    same_keys = both.filter(
        pl.all_horizontal([pl.col(name).eq_missing(pl.col(f"{name}_before")) for name in content])
    ).select(key)
    stamps = before.select(*key, pl.col("extraction_timestamp").alias("_stamp"))
    same = (
        new.join(same_keys, on=key, how="semi")
        .join(stamps, on=key, how="left")
        .with_columns(extraction_timestamp=pl.col("_stamp"))
        .drop("_stamp")
    )
    fresh = new.join(same_keys, on=key, how="anti")
    superseded = before.join(same_keys, on=key, how="anti")
    changed = superseded.join(new, on=key, how="semi").height
    return Upserted(
        _sorted(pl.concat([kept, same, fresh])),
        _sorted(superseded),
        added=fresh.height - changed,
        changed=changed,
        removed=superseded.height - changed,
    )


def add_history(history: pl.DataFrame | None, superseded: pl.DataFrame, *, timestamp: datetime) -> pl.DataFrame:
    """The history of a table, grown by rows that are no longer in it.

    Parameters
    ----------
    history
        What `add_history` gave before.
    superseded
        Of an upsert.
    timestamp
        When they were superseded, aware.
    """
    import polars as pl

    stamp = pl.lit(timestamp, dtype=pl.Datetime("us", "UTC")).alias("superseded_timestamp")
    grown = superseded.with_columns(stamp)
    return grown if history is None else pl.concat([history, grown])


def wide(
    table: pl.DataFrame,
    *,
    preferred: Sequence[str] = _PREFERRED,
    quality: bool = False,
) -> Wide:
    """One row per run, one typed column per metric and unit.

    Parameters
    ----------
    preferred
        Methods in order. Where runs have a metric by several methods, its column holds the first of these, and each
        method has a column of its own called ``metric (method)``.
    quality
        Whether each metric's confidence and flags stand beside it, as ``metric.confidence`` and ``metric.flags``, and
        where runs have it by several methods, that of each value as ``metric.method``.

    Notes
    -----
    No column mixes units: a metric that comes in several has a column for each, called ``metric [unit]``. Those that
    do by their nature are always called so, whatever a laboratory has measured.

    Returns
    -------
    Wide
        Numbers are Float64, texts String; a metric of neither is its JSON.
    """
    import polars as pl

    run = list(_RUN)
    base = (
        table.select(run)
        .unique(subset=["run_id"], keep="first", maintain_order=True)
        .sort("chip_group", "chip_number", "seq_num", "procedure", "run_id", nulls_last=True)
    )
    rank = {method: i for i, method in enumerate(preferred)}
    ordered = table.with_columns(
        pl.col("extraction_method").replace_strict(rank, default=len(rank), return_dtype=pl.Int64).alias("_rank")
    ).sort("metric_name", "_rank", "extraction_method", "run_id")
    # In one pass: every (metric, unit, method) is a stretch of the sorted rows.
    stretches: dict[str, dict[str, dict[str, pl.DataFrame]]] = {}
    for part in ordered.partition_by("metric_name", "unit", "extraction_method", maintain_order=True):
        name, unit, method = part["metric_name"][0], part["unit"][0], part["extraction_method"][0]
        stretches.setdefault(name, {}).setdefault(unit, {})[method] = part
    place = {run_id: i for i, run_id in enumerate(base["run_id"])}
    columns: list[pl.Series] = []
    units: dict[str, str] = {}
    for name, by_unit in stretches.items():
        several = len(by_unit) > 1 or name in _OF_SEVERAL_UNITS
        for unit in sorted(by_unit):
            methods = by_unit[unit]
            whole = f"{name} [{unit}]" if several else name
            first = pl.concat(methods.values()).unique(subset=["run_id"], keep="first", maintain_order=True)
            shown = {whole: first}
            if len(methods) > 1:
                shown |= {f"{whole} ({method})": part for method, part in methods.items()}
            units |= dict.fromkeys(shown, unit)
            columns += [_spread(label, part, place) for label, part in shown.items()]
            if quality and len(methods) > 1:
                columns.append(_spread(f"{whole}.method", first, place, "extraction_method"))
            if quality:
                columns += [_spread(f"{whole}.{word}", first, place, word) for word in ("confidence", "flags")]
    return Wide(base.with_columns(columns), MappingProxyType(units))


def _spread(name: str, part: pl.DataFrame, place: Mapping[str, int], column: str | None = None) -> pl.Series:
    """One column over all runs."""
    import polars as pl

    if column is None:
        column = next((c for c in ("value_float", "value_str") if part[c].null_count() < part.height), "value_json")
    values: list[Any] = [None] * len(place)
    for run_id, value in zip(part["run_id"], part[column], strict=True):
        values[place[run_id]] = value
    return pl.Series(name, values, dtype=part.schema[column])


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """In the table's order."""
    return frame.select(list(schema())).sort(_ORDER, nulls_last=True)
