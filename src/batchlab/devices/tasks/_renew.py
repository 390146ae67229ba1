"""The table of metrics renewed from parts, some chips at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices.tasks._pieces import PIECE_ROWS

if TYPE_CHECKING:
    import polars as pl

    from batchlab.devices._store import Store
    from batchlab.devices.metrics import Upserted
    from batchlab.devices.tasks._part import Part

__all__ = ["Renewal", "batches", "numbered", "numbers_of", "renew", "staged_groups", "without_curves"]

_GROUP = ("chip_group", "chip_number", "procedure")
_CHIP = ("chip_group", "chip_number")
_TOGETHER = 2 * PIECE_ROWS

Chips = frozenset[tuple[str | None, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Renewal:
    """Rows of some chips as they are now, those that they supersede, and how many came, changed and went."""

    table: pl.DataFrame
    superseded: pl.DataFrame
    added: int
    changed: int
    removed: int


def batches(old: Path | None, parts: Sequence[Part]) -> list[Chips | None]:
    """Chips in the order of the table, so many at a time as have a few thousand rows.

    None stands for all chips: there are none, or a run has left one chip for another.
    """
    import polars as pl

    tables = [[part.path for part in parts]] if parts else []
    tables += [] if old is None else [[old]]
    found = [pl.scan_parquet(paths, glob=False).select("run_id", *_CHIP).collect() for paths in tables]
    if not any(table.height for table in found):
        return [None]
    runs = pl.concat([table.unique() for table in found]).unique()
    if runs["run_id"].is_duplicated().any():
        return [None]
    # The larger of both, so that a table is cut in the same places when it is made again.
    counts = pl.concat([table.group_by(_CHIP).len() for table in found]).group_by(_CHIP).agg(pl.col("len").max())
    made: list[Chips | None] = []
    some: list[tuple[str | None, int | None]] = []
    rows = 0
    for group, number, count in counts.sort(_CHIP, nulls_last=True).iter_rows():
        if some and rows + count > _TOGETHER:
            made.append(frozenset(some))
            some, rows = [], 0
        some.append((group, number))
        rows += count
    return [*made, frozenset(some)]


def renew(
    chips: Chips | None,
    old: Path | None,
    parts: Sequence[Part],
    *,
    staged: Collection[tuple[object, ...]] | None,
    now: datetime,
) -> Renewal:
    """Put the rows of parts in the place of old ones, for some chips.

    Parameters
    ----------
    chips
        None for all.
    old
        The table as it is.
    staged
        Chips and procedures that there are; rows of others go. None to leave them.
    now
        The time that new rows note.
    """
    import polars as pl

    from batchlab.devices.metrics import metrics_frame

    table = metrics_frame((), timestamp=now)
    if old is not None:
        table = pl.concat([table, _of(chips, pl.scan_parquet(old, glob=False)).select(table.columns).collect()])
    superseded = [table.clear()]
    added = changed = removed = 0
    for names, some in _alike(parts):
        here = [part for part in some if chips is None or not chips.isdisjoint(_chips_of(part))]
        if not here and staged is None:
            continue
        done = _put(table, _rows(here, chips, now), here, names, staged)
        table = done.table
        superseded.append(done.superseded)
        added, changed, removed = added + done.added, changed + done.changed, removed + done.removed
    return Renewal(table=table, superseded=pl.concat(superseded), added=added, changed=changed, removed=removed)


def _of(chips: Chips | None, table: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of some chips."""
    import polars as pl

    if chips is None:
        return table
    return table.filter(
        pl.any_horizontal(
            pl.col("chip_group").eq_missing(pl.lit(group, dtype=pl.String))
            & pl.col("chip_number").eq_missing(pl.lit(number, dtype=pl.Int64))
            for group, number in sorted(chips, key=repr)
        )
    )


def _chips_of(part: Part) -> set[tuple[str | None, int | None]]:
    return {(group, number) for group, number, _ in part.settles.groups}


def _alike(parts: Sequence[Part]) -> Iterator[tuple[tuple[str, ...] | None, list[Part]]]:
    """Parts that settle equal names, together."""
    found: dict[tuple[str, ...] | None, list[Part]] = {}
    for part in parts:
        found.setdefault(part.settles.names, []).append(part)
    yield from found.items()


def _rows(parts: Sequence[Part], chips: Chips | None, now: datetime) -> pl.DataFrame:
    """New rows of some chips, with their time."""
    import polars as pl

    from batchlab.devices.metrics import metrics_frame

    whole = [part.path for part in parts if chips is None or _chips_of(part) <= chips]
    mixed = [part.path for part in parts if part.path not in whole]
    tables = [pl.scan_parquet(whole, glob=False)] if whole else []
    tables += [_of(chips, pl.scan_parquet(mixed, glob=False))] if mixed else []
    if not tables:
        return metrics_frame((), timestamp=now)
    stamp = pl.lit(now, dtype=pl.Datetime("us", "UTC")).alias("extraction_timestamp")
    return pl.concat(tables).with_columns(stamp).collect()


def _put(
    table: pl.DataFrame,
    new: pl.DataFrame,
    parts: Sequence[Part],
    names: tuple[str, ...] | None,
    staged: Collection[tuple[object, ...]] | None,
) -> Upserted:
    """Put rows into the table, with what else their parts settle; drop those of what is no longer staged."""
    from batchlab.devices.metrics import PAIR_NAMES, Coverage, upsert

    groups = {group for part in parts for group in part.settles.groups}
    runs, known = set(new["run_id"]), {*new["metric_name"].unique(), *table["metric_name"].unique()}
    for *group, run_id in table.select(*_GROUP, "run_id").unique().iter_rows():
        if tuple(group) in groups or (staged is not None and tuple(group) not in staged):
            runs.add(run_id)
    settled = frozenset(known - set(PAIR_NAMES) if names is None else names)
    return upsert(table, new, Coverage(run_ids=frozenset(runs), metric_names=settled))


def staged_groups(store: Store) -> set[tuple[object, ...]]:
    """Chips and procedures that are staged."""
    return set(store.table.select("chip_group", "chip_number", "proc").unique().iter_rows())


def numbers_of(store: Store) -> Mapping[str, int]:
    """The number of each run in the history of its chip, as it is now."""
    from batchlab.devices._history import histories, seqs_of

    return seqs_of(histories(store.table, timezone=store.timezone))


def numbered(table: pl.DataFrame, numbers: Mapping[str, int]) -> pl.DataFrame:
    """The table with the numbers that runs have now, in its order; an older file may have shifted them."""
    import polars as pl

    now = pl.col("run_id").replace_strict(dict(numbers), default=None, return_dtype=pl.Int64)
    order: tuple[Any, ...] = (*_GROUP, "seq_num", "run_id", "metric_name", "extraction_method")
    return table.with_columns(seq_num=pl.coalesce(now, "seq_num")).sort(order, nulls_last=True)


def without_curves(table: pl.DataFrame) -> pl.DataFrame:
    """What the wide view needs: without the JSON of metrics that have a number or a text, as it shows that of them."""
    import polars as pl

    from batchlab.devices.metrics._table import WIDE_FROM

    plain = pl.col("value_float").is_not_null() | pl.col("value_str").is_not_null()
    return table.select(WIDE_FROM).with_columns(value_json=pl.when(plain).then(None).otherwise("value_json"))
