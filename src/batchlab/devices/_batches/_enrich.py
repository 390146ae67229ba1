"""The batch that joins histories with the light of their runs and with metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from batchlab.devices._batches._report import report_job
from batchlab.devices._batches._words import DERIVE, TOGETHER, chips_in
from batchlab.devices._chips import chosen_chips
from batchlab.devices._history import HISTORY, file_of, names_of
from batchlab.devices._layout import ENRICHED, Layout
from batchlab.devices._model import Chip
from batchlab.devices._workers import choose_workers
from batchlab.engine import Batch, Conflict, From, Input, Job, Settings
from batchlab.errors import Category, DataError

__all__ = ["enrich_batch", "enrich_jobs"]

_ENRICH_S = 0.02  # CPU seconds of one history


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
    from batchlab.devices._store import Store

    there = {path.name: path for path in sorted(layout.histories.glob(f"*{HISTORY}"))}
    called = names_of(chips_in(Store(layout.store)))
    names = {file_of(called.get(chip, chip.name)): chip for chip in sorted(chips)}
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
    jobs.append(report_job(layout, merged=False))
    settings = Settings(workers=number, conflict=Conflict.OVERWRITE, flush_batch_size=TOGETHER, shared_output=True)
    return Batch(name=DERIVE, output=layout.derived, jobs=tuple(jobs), settings=settings, source=source), why
