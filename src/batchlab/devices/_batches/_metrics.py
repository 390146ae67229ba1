"""The batch that derives metrics of staged runs and puts them into one table."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._batches._enrich import enrich_jobs
from batchlab.devices._batches._report import report_job
from batchlab.devices._batches._words import DERIVE, TOGETHER, chips_in
from batchlab.devices._chips import chosen_chips, chosen_words
from batchlab.devices._geometries import read_geometries
from batchlab.devices._history import HISTORY, names_of
from batchlab.devices._layout import ENRICHED, METRICS, Layout
from batchlab.devices._model import Chip
from batchlab.devices._workers import choose_workers, estimated_s
from batchlab.engine import Batch, Conflict, From, Gather, Input, Job, Json, Settings, collision_key
from batchlab.errors import ConfigError

if TYPE_CHECKING:
    from batchlab.devices._store import Store

__all__ = ["FITTING", "PAIRED", "Metrics", "metrics_batch", "swept"]

log = logging.getLogger(__name__)

PAIRED = ("IVg", "VVg")
FITTING = ("dark_relaxation", "drift", "three_phases")

_MOST_NAMES = 6
_NONE: Mapping[str, Json] = {}
_Key = tuple[str | None, int | None, str]  # group, number, procedure


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """A batch that derives metrics, and what it is about.

    Attributes
    ----------
    batch
        The batch.
    chips, procedures
        Those that it covers.
    runs, pairs
        How many runs, and neighbouring sweeps at most.
    workers
        Why as many workers as there are.
    complete
        Whether it covers all that is staged, and all methods.
    warnings
        What is likely to be a slip.
    """

    batch: Batch
    chips: tuple[Chip, ...]
    procedures: tuple[str, ...]
    runs: int
    pairs: int
    workers: str
    complete: bool
    warnings: tuple[str, ...] = ()


def metrics_batch(
    layout: Layout,
    *,
    chips: Sequence[str] = (),
    group: str | None = None,
    procedures: Sequence[str] = (),
    singles: bool = True,
    pairs: bool = True,
    extractors: Collection[str] | None = None,
    modules: Sequence[str] = (),
    geometries: str | os.PathLike[str] | None = None,
    powers: bool = True,
    constants: Mapping[str, Json] = _NONE,
    threshold_current_a: float | None = None,
    pairing: Mapping[str, Json] = _NONE,
    enrich: bool = False,
    pages: bool = False,
    workers: int | None = None,
    settings: Settings | None = None,
    source: str | None = None,
) -> Metrics:
    """A batch that derives metrics of staged runs and puts them into the table.

    Parameters
    ----------
    layout
        Where all lies.
    chips, group, procedures
        What to derive metrics of; what they leave out keeps the rows that it has.
    singles, pairs
        Whether metrics of single runs and series are derived, and differences of pairs.
    extractors
        Names of the methods to use for single runs; all unless given.
    modules
        Modules or .py files with further methods.
    geometries
        A YAML file with the geometry of chips, for mobilities; by default ``chips.yaml`` in the data folder, if it is
        there.
    powers
        Whether the light of runs is found from calibrations.
    constants
        Thresholds that are others than usual.
    threshold_current_a
        For threshold voltages by constant current.
    pairing
        Params of `devices.pairs`: ``same``, ``skip_over``.
    enrich
        Whether the histories of these chips are joined with calibrations and metrics afterwards.
    pages
        Whether the pages of chips are written afterwards.
    workers
        How many; chosen by cost unless given.
    settings
        How the batch is run otherwise.
    source
        What the report shows as its origin.

    Raises
    ------
    ConfigError
        If a chip or method is not there, or a procedure is neither staged nor of any method.
    DataError
        If nothing is staged.
    """
    from batchlab.devices._store import Store

    store = Store(layout.store)
    methods = _methods(modules, extractors)
    counts = _counts(store)
    chosen = chosen_chips(chips, chips_in(store), group=group)
    staged = {key[2] for key in counts}
    known = staged.union(PAIRED, *(method.procedures for method in methods))
    asked = chosen_words(procedures, known if procedures else staged, "procedure")
    wanted = tuple(each for each in asked if each in staged)
    takes = {procedure for method in methods for procedure in method.procedures} if singles else set()
    filtered = bool(chips or group or procedures)
    warnings = tuple(f"{layout.store}: no {each} is staged" for each in asked if each not in staged)
    if geometries is None and layout.chips is not None and layout.chips.is_file():
        geometries = layout.chips
    if geometries is not None:
        described = read_geometries(geometries)  # all that is wrong in it, before anything starts
        warnings += _unused(geometries, described, chips_in(store))
    shared: dict[str, Json] = {"store": str(layout.store), "powers": powers, "constants": dict(constants)}
    words = _words_of(counts)
    jobs = [
        _extract_job(key, words[key], shared, extractors, modules, geometries, threshold_current_a)
        for key in sorted(counts, key=repr)
        if key[2] in takes
        and key[2] in wanted
        and (Chip(key[0], key[1] or 0) in chosen if key[0] is not None else not (chips or group))
    ]
    # Only procedures of sweeps make pairs, and only of chips.
    swept_procedures = tuple(each for each in PAIRED if each in wanted)
    pair_count = sum(
        max(count - 1, 0)
        for (name, number, procedure), (count, _) in counts.items()
        if name is not None and procedure in swept_procedures and Chip(name, number or 0) in chosen
    )
    if pairs and swept_procedures:
        some = [[chip.group, chip.number] for chip in chosen] if chips or group else None
        params = {**shared, "chips": some, "procedures": list(swept_procedures), **pairing}
        jobs.append(_job("pairs", "devices.pairs", params, {}))
    if not jobs:
        raise ConfigError(
            f"{layout.store}: nothing is to be derived of {', '.join(asked) or 'no procedure'}; "
            "other procedures or chips may have metrics, see inspect-manifest"
        )
    runs = {job.params["procedure"]: 0 for job in jobs if job.task == "devices.extract"}
    rows = 0
    for job in jobs:
        if job.task == "devices.extract":
            count, recorded = counts[job.params["chip_group"], job.params["chip_number"], job.params["procedure"]]
            runs[job.params["procedure"]] += count
            rows += recorded
    if not (pairs and swept_procedures):
        pair_count = 0
    complete = singles and pairs and extractors is None and not filtered
    jobs.append(_merge_job(layout, tuple(job.name for job in jobs), complete))
    if enrich:
        jobs += enrich_jobs(layout, chosen, whole=not (chips or group), strict=bool(chips))
    number, why = choose_workers(estimated_s(runs, rows, pair_count), len(jobs) - 1, workers)
    if pages:
        jobs.append(report_job(layout, merged=True))
    log.info("%s", why)
    settings = replace(
        settings or Settings(),
        workers=number,
        conflict=Conflict.OVERWRITE,
        flush_batch_size=TOGETHER,
        shared_output=True,
    )
    batch = Batch(name=DERIVE, output=layout.derived, jobs=tuple(jobs), settings=settings, source=source)
    return Metrics(
        batch=batch,
        chips=chosen,
        procedures=wanted,
        runs=sum(runs.values()),
        pairs=pair_count,
        workers=why,
        complete=complete,
        warnings=warnings,
    )


def _unused(path: str | os.PathLike[str], described: Collection[Chip], staged: Collection[Chip]) -> tuple[str, ...]:
    """What tells of a chip that is mistyped in the file of geometries; nothing where all in it are staged."""
    unused = [chip.name for chip in sorted(set(described) - set(staged))]
    if not unused:
        return ()
    without = [chip.name for chip in sorted(set(staged) - set(described))]
    lacking = f"; {_several(without)} no geometry, so no mobility is derived" if without else ""
    return (f"{path}: {', '.join(unused)} {'is' if len(unused) == 1 else 'are'} not staged{lacking}",)


def _several(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    return f"{shown} {'has' if len(names) == 1 else 'have'}"


def _methods(modules: Sequence[str], names: Collection[str] | None) -> list[Any]:
    from batchlab.devices.metrics import extractors

    there = {each.name: each for each in extractors(modules)}
    return [there[name] for name in chosen_words(names or (), there, "method")]


def _counts(store: Store) -> dict[_Key, tuple[int, int]]:
    """Runs, and rows of all of them, by chip and procedure."""
    import polars as pl

    runs = store.table.filter(pl.col("proc") != "LaserCalibration")
    grouped = runs.group_by("chip_group", "chip_number", "proc").agg(pl.len(), pl.col("rows").sum())
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in grouped.iter_rows()}


def _words_of(keys: Iterable[_Key]) -> dict[_Key, str]:
    """``Alisson67/IVg`` for each chip and procedure; no two would write the same file."""
    ordered = sorted(keys, key=repr)
    chips = names_of(Chip(group, number or 0) for group, number, _ in ordered if group is not None)
    found: dict[_Key, str] = {}
    taken: set[str] = set()
    for key in ordered:
        group, number, procedure = key
        plain = f"{'no_chip' if group is None else chips[Chip(group, number or 0)]}/{procedure}"
        words = itertools.chain((plain,), (f"{plain}-{k}" for k in itertools.count(2)))
        found[key] = next(word for word in words if collision_key(_safe(word)) not in taken)
        taken.add(collision_key(_safe(found[key])))
    return found


def _job(name: str, task: str, params: Mapping[str, Json], inputs: Mapping[str, Input], **more: Any) -> Job:
    outputs = {"part": f"{METRICS}/parts/{_safe(name)}.parquet"}
    return Job(name=name, task=task, params=params, inputs=inputs, outputs=outputs, **more)


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "+.-_" else "_" for sign in name).lstrip(".")


def _extract_job(
    key: _Key,
    word: str,
    shared: Mapping[str, Json],
    extractors: Collection[str] | None,
    modules: Sequence[str],
    geometries: str | os.PathLike[str] | None,
    threshold_current_a: float | None,
) -> Job:
    group, number, procedure = key
    params = {
        **shared,
        "chip_group": group,
        "chip_number": number,
        "procedure": procedure,
        "extractors": None if extractors is None else sorted(extractors),
        "modules": [str(Path(each).resolve()) if each.endswith(".py") else each for each in modules],
        "threshold_current_a": threshold_current_a,
    }
    inputs: dict[str, Input] = {} if geometries is None else {"geometries": str(Path(geometries).resolve())}
    # Some methods alone are a job of their own: it does not stand for all.
    verb = "extract" if extractors is None else "extract-" + "+".join(sorted(extractors))
    return _job(f"{verb}/{word}", "devices.extract", params, inputs)


def _merge_job(layout: Layout, parts: tuple[str, ...], complete: bool) -> Job:
    return Job(
        name="merge",
        task="devices.merge",
        params={
            "store": str(layout.store),
            "table": str(layout.metrics),
            "versions": str(layout.versions),
            "complete": complete,
        },
        inputs={"parts": From(jobs=parts, gather=Gather.DONE)},
        outputs={
            "metrics": f"{METRICS}/{layout.metrics.name}",
            "wide": f"{METRICS}/{layout.wide.name}",
            "versions": f"{METRICS}/{layout.versions.name}",
        },
    )


def swept(layout: Layout, batch: Batch) -> tuple[str, ...]:
    """Remove what earlier batches derived of chips and procedures that are no longer staged; returns the names.

    For use after a batch over everything.
    """
    parts = f"{METRICS}/parts"
    kept = {path for job in batch.jobs for path in job.outputs.values()}
    kept |= {f"{ENRICHED}/{path.name}" for path in layout.histories.glob(f"*{HISTORY}")}
    gone = []
    for folder in (ENRICHED, parts):
        for path in sorted((layout.derived / folder).glob("*.parquet")):
            name = f"{folder}/{path.name}"
            # Parts of some methods alone belong to other batches.
            if name not in kept and not name.startswith(f"{parts}/extract-"):
                path.unlink(missing_ok=True)
                gone.append(name)
    return tuple(gone)
