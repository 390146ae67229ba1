"""The batches of a laboratory's data: staging with histories, and all that is derived."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.devices._chips import chosen_chips, chosen_words
from batchlab.devices._geometries import read_geometries
from batchlab.devices._history import HISTORY, file_of
from batchlab.devices._layout import ENRICHED, HISTORIES, METRICS, Layout
from batchlab.devices._manifest import MANIFEST, REJECTS, RUNS
from batchlab.devices._model import Chip
from batchlab.devices._workers import choose_workers, estimated_s
from batchlab.engine import Batch, Conflict, From, Gather, Input, Job, Json, Settings
from batchlab.errors import Category, ConfigError, DataError

if TYPE_CHECKING:
    from batchlab.devices._store import Store

__all__ = [
    "DERIVE",
    "STAGE",
    "Metrics",
    "chips_in",
    "enrich_batch",
    "enrich_jobs",
    "metrics_batch",
    "stage_batch",
    "swept",
]

log = logging.getLogger(__name__)

STAGE, DERIVE = "devices-stage", "devices-metrics"
PAIRED = ("IVg", "VVg")
FITTING = ("dark_relaxation", "drift", "three_phases")

_NONE: Mapping[str, Json] = {}
# Metrics are many small jobs: their ends are put down together.
_TOGETHER = 32
_ENRICH_S = 0.02  # CPU seconds of one history


def stage_batch(
    layout: Layout,
    *,
    timezone: str | None = None,
    procedures: str | os.PathLike[str] | None = None,
    strict: bool = False,
    force: bool = False,
    suffixes: Sequence[str] = (".csv",),
    stage: bool = True,
    histories: bool = True,
    group: str | None = None,
    minimum: int = 1,
    settings: Settings | None = None,
    source: str | None = None,
) -> Batch:
    """A batch that stages the raw files and builds the histories of chips.

    Parameters
    ----------
    layout
        Where all lies.
    timezone, strict, force, suffixes
        As `stage` has them.
    procedures
        A file that describes further procedures.
    stage, histories
        Which of both.
    group, minimum
        Which chips have a history: of a group, with at least as many runs.
    settings
        How the batch is run.
    source
        What the report shows as its origin: the command.

    Raises
    ------
    DataError
        If there are no raw files.
    """
    from batchlab.devices._read import ZONE, discover

    jobs: list[Job] = []
    if stage:
        files = tuple(str(path) for path in discover(layout.raw, suffixes)) if layout.raw.is_dir() else ()
        if not files:
            raise DataError(
                f"{layout.raw}: no raw files ({', '.join(suffixes)}) are there; name the folder that holds them with "
                "--raw-root, or the data folder with --base-dir",
                category=Category.MISSING_INPUT,
                reason="no-raw-files",
            )
        inputs: dict[str, Input] = {"raw": files}
        if procedures is not None:
            inputs["procedures"] = str(Path(procedures).resolve())
        params: dict[str, Json] = {
            "raw_root": str(layout.raw),
            "previous": str(layout.store),
            "timezone": timezone or ZONE,
            "strict": strict,
            "force": force,
            "suffixes": list(suffixes),
        }
        outputs = {"manifest": MANIFEST, "rejects": REJECTS, "runs": f"{RUNS}/"}
        jobs.append(Job(name="stage", task="devices.stage", params=params, inputs=inputs, outputs=outputs))
    if histories:
        manifest: Input = From(jobs=("stage",), output="manifest") if stage else str(layout.store / MANIFEST)
        jobs.append(
            Job(
                name="histories",
                task="devices.histories",
                params={"group": group, "minimum": minimum},
                inputs={"manifest": manifest},
                outputs={"histories": f"{HISTORIES}/"},
            )
        )
    return Batch(
        name=STAGE,
        output=layout.stage,
        jobs=tuple(jobs),
        # One pass over the files, and then one over the runs: there is nothing for a second worker.
        settings=replace(settings or Settings(), workers=1, conflict=Conflict.OVERWRITE),
        source=source,
    )


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
    """

    batch: Batch
    chips: tuple[Chip, ...]
    procedures: tuple[str, ...]
    runs: int
    pairs: int
    workers: str
    complete: bool


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
    workers
        How many; chosen by cost unless given.
    settings
        How the batch is run otherwise.
    source
        What the report shows as its origin.

    Raises
    ------
    ConfigError
        If a chip, procedure or method is not there.
    DataError
        If nothing is staged.
    """
    from batchlab.devices._store import Store

    store = Store(layout.store)
    methods = _methods(modules, extractors)
    counts = _counts(store)
    chosen = chosen_chips(chips, chips_in(store), group=group)
    wanted = chosen_words(procedures, {key[2] for key in counts}, "procedure")
    takes = {procedure for method in methods for procedure in method.procedures} if singles else set()
    filtered = bool(chips or group or procedures)
    if geometries is None and layout.chips is not None and layout.chips.is_file():
        geometries = layout.chips
    if geometries is not None:
        read_geometries(geometries)  # all that is wrong in it, before anything starts
    shared: dict[str, Json] = {"store": str(layout.store), "powers": powers, "constants": dict(constants)}
    jobs = [
        _extract_job(key, shared, extractors, modules, geometries, threshold_current_a)
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
            f"{layout.store}: nothing is to be derived of {', '.join(wanted) or 'no procedure'}; "
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
    log.info("%s", why)
    settings = replace(settings or Settings(), workers=number, conflict=Conflict.OVERWRITE, flush_batch_size=_TOGETHER)
    batch = Batch(name=DERIVE, output=layout.derived, jobs=tuple(jobs), settings=settings, source=source)
    return Metrics(
        batch=batch,
        chips=chosen,
        procedures=wanted,
        runs=sum(runs.values()),
        pairs=pair_count,
        workers=why,
        complete=complete,
    )


def _methods(modules: Sequence[str], names: Collection[str] | None) -> list[Any]:
    from batchlab.devices.metrics import extractors

    there = {each.name: each for each in extractors(modules)}
    return [there[name] for name in chosen_words(names or (), there, "method")]


def _counts(store: Store) -> dict[tuple[str | None, int | None, str], tuple[int, int]]:
    """Runs, and rows of all of them, by chip and procedure."""
    import polars as pl

    runs = store.table.filter(pl.col("proc") != "LaserCalibration")
    grouped = runs.group_by("chip_group", "chip_number", "proc").agg(pl.len(), pl.col("rows").sum())
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in grouped.iter_rows()}


def _job(name: str, task: str, params: Mapping[str, Json], inputs: Mapping[str, Input], **more: Any) -> Job:
    outputs = {"part": f"{METRICS}/parts/{_safe(name)}.parquet"}
    return Job(name=name, task=task, params=params, inputs=inputs, outputs=outputs, **more)


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "+.-_" else "_" for sign in name).lstrip(".")


def _extract_job(
    key: tuple[str | None, int | None, str],
    shared: Mapping[str, Json],
    extractors: Collection[str] | None,
    modules: Sequence[str],
    geometries: str | os.PathLike[str] | None,
    threshold_current_a: float | None,
) -> Job:
    group, number, procedure = key
    chip = f"{group}{number}" if group is not None else "no_chip"
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
    return _job(f"{verb}/{chip}/{procedure}", "devices.extract", params, inputs)


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


def enrich_jobs(
    layout: Layout,
    chips: Collection[Chip],
    *,
    whole: bool = False,
    strict: bool = True,
    calibrations: bool = True,
    metrics: bool | str = True,
    only: Collection[str] | None = None,
    stale_h: float = 24.0,
) -> list[Job]:
    """Jobs that join histories with calibrations and metrics.

    Parameters
    ----------
    layout
        Where all lies.
    chips
        Whose histories.
    whole
        Take histories of runs without a chip, too.
    strict
        Whether each of the chips must have a history; else those without are left out.
    calibrations
        Whether the light is joined.
    metrics
        True if a job ``merge`` of the same batch makes the table; ``"as-is"`` for the table that is there; False for
        none.
    only
        Metrics to take, by the beginnings of their names.
    stale_h
        Age in hours from which a calibration is stale.

    Raises
    ------
    DataError
        If a chip has no history.
    """
    there = {path.name: path for path in sorted(layout.histories.glob(f"*{HISTORY}"))}
    names = {file_of(chip.name): chip for chip in sorted(chips)}
    missing = [chip.name for file, chip in names.items() if file not in there] if strict else []
    if missing or not there:
        raise DataError(
            f"{layout.histories}: no history of {', '.join(missing) or 'any chip'}; build-all-histories makes them",
            category=Category.MISSING_INPUT,
            reason="no-history",
        )
    jobs = []
    for file, path in there.items():
        chip = names.get(file)
        if chip is None and not whole:
            continue
        inputs: dict[str, Input] = {"history": str(path)}
        if metrics is True:
            inputs["metrics"] = From(jobs=("merge",), output="wide")
        elif metrics and layout.wide.is_file():
            inputs["metrics"] = str(layout.wide)
        jobs.append(
            Job(
                name=f"enrich/{file.removesuffix(HISTORY)}",
                task="devices.enrich",
                params={
                    "store": str(layout.store),
                    "chip_group": None if chip is None else chip.group,
                    "chip_number": None if chip is None else chip.number,
                    "calibrations": calibrations,
                    "stale_h": stale_h,
                    "only": None if only is None else sorted(only),
                },
                inputs=inputs,
                outputs={"enriched": f"{ENRICHED}/{file}"},
            )
        )
    return jobs


def enrich_batch(
    layout: Layout,
    *,
    chips: Sequence[str] = (),
    group: str | None = None,
    calibrations: bool = True,
    metrics: bool = True,
    only: Collection[str] | None = None,
    stale_h: float = 24.0,
    workers: int | None = None,
    source: str | None = None,
) -> tuple[Batch, str]:
    """A batch that joins histories with calibrations, and with the metrics that are there; and why so many workers.

    Parameters
    ----------
    chips, group
        Whose histories.
    calibrations, metrics
        Whether they are joined.
    only, stale_h
        As `enrich_jobs` has them.
    workers
        How many; chosen by cost unless given.
    source
        What the report shows as its origin.
    """
    from batchlab.devices._store import Store

    jobs = enrich_jobs(
        layout,
        chosen_chips(chips, chips_in(Store(layout.store)), group=group),
        whole=not (chips or group),
        strict=bool(chips),
        calibrations=calibrations,
        metrics="as-is" if metrics else False,
        only=only,
        stale_h=stale_h,
    )
    number, why = choose_workers(_ENRICH_S * len(jobs), len(jobs), workers)
    settings = Settings(workers=number, conflict=Conflict.OVERWRITE, flush_batch_size=_TOGETHER)
    return Batch(name=DERIVE, output=layout.derived, jobs=tuple(jobs), settings=settings, source=source), why


def chips_in(store: Store) -> tuple[Chip, ...]:
    """The chips that have staged runs, sorted."""
    rows = store.table.select("chip_group", "chip_number").drop_nulls().unique().iter_rows()
    return tuple(sorted(Chip(group, number) for group, number in rows))


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
