"""The jobs that derive metrics: of the runs of a chip and procedure, and of all pairs of sweeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from batchlab.devices.tasks._full_path import FullPath, ModuleName
from batchlab.devices.tasks._known import extract_state, pairs_state
from batchlab.devices.tasks._opened import calibrations_in, changed_constants, files_of, opened
from batchlab.devices.tasks._part import PartWriter, Settles, write_part
from batchlab.engine import JobContext, Scalar, task

if TYPE_CHECKING:
    from batchlab.devices._model import DerivedMetric, Run
    from batchlab.devices._store import Store
    from batchlab.devices.metrics import Pair, Skipped

__all__ = ["ExtractParams", "PairsParams", "extract", "pairs"]

_LIBRARIES = ("numpy", "polars")
_PAIRS_TOGETHER = 64  # pairs read at once
# What every worker needs: read once, before the first of them is forked.
_PRELOAD = (
    "numpy.ma",  # a median asks for it
    "polars",
    "batchlab.devices._calibration",
    "batchlab.devices._geometries",
    "batchlab.devices._store",
    "batchlab.devices.metrics",
)


class Deriving(BaseModel):
    """Where the runs lie, and which thresholds hold."""

    model_config = ConfigDict(extra="forbid")

    store: FullPath | None = Field(
        None, description="the folder of the staged store, unless an earlier job hands it over"
    )
    constants: dict[str, float | int | tuple[float, float]] = Field(
        default_factory=dict, description="thresholds that are others than usual, by their names"
    )
    powers: bool = Field(True, description="find the light of each run from calibrations")

    @field_validator("constants")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            changed_constants(value)
        except AttributeError as error:
            raise ValueError(str(error)) from error
        return value


class ExtractParams(Deriving):
    """Which runs, and which methods."""

    chip_group: str | None = Field(None, description="of the chip; null for runs without one")
    chip_number: int | None = Field(None, description="of the chip; null for runs without one")
    procedure: str = Field(description="of the runs")
    extractors: tuple[str, ...] | None = Field(None, description="names of the methods to use; all if not given")
    modules: tuple[ModuleName, ...] = Field((), description="modules, or .py files, with further methods")
    threshold_current_a: float | None = Field(None, gt=0, description="for threshold voltages by constant current")


@task(
    name="devices.extract",
    version="1",
    params=ExtractParams,
    optional_inputs=("manifest", "geometries"),
    outputs={"part": "_metrics/parts/{job}.parquet"},
    libraries=_LIBRARIES,
    preload=_PRELOAD,
    surroundings=extract_state,
)
def extract(ctx: JobContext, params: ExtractParams) -> Mapping[str, Scalar]:
    """Derive all metrics of the runs of a chip and procedure, each run an item."""
    from batchlab.devices._geometries import read_geometries
    from batchlab.devices.metrics import context_of, extract_power_laws, extract_run, extractors
    from batchlab.devices.metrics._extract import together

    ctx.stage("load")
    store = opened(ctx, params.store)
    files = files_of(ctx, store)
    constants = changed_constants(params.constants)
    geometries = read_geometries(ctx.input("geometries")) if ctx.given("geometries") else {}
    calibrations = calibrations_in(ctx, store) if params.powers else []
    wanted = None if params.extractors is None else set(params.extractors)
    methods = tuple(each for each in extractors(params.modules) if wanted is None or each.name in wanted)
    group = (params.chip_group, params.chip_number, params.procedure)
    metrics: list[DerivedMetric] = []
    skips: list[Skipped] = []
    seen: list[Run] = []
    ctx.stage("extract")
    runs = store.runs(run_ids=[each for each in files.groups.get(group, ()) if not ctx.left_out(files.named[each])])
    for run in together(runs, methods, constants):
        if ctx.cancelled:
            break
        with ctx.item(files.named[run.run_id]):
            context = context_of(
                run,
                geometries=geometries,
                calibrations=calibrations,
                constants=constants,
                threshold_current_a=params.threshold_current_a,
            )
            found = extract_run(run, context, methods)
            metrics += found.metrics
            skips += found.skips
        seen.append(replace(run, columns={}))  # a series needs what was set, not what was recorded
    names = None
    if wanted is None:
        laws, without = extract_power_laws(seen, metrics, constants=constants)
        metrics += laws
        skips += without
    else:
        names = tuple(sorted(name for each in methods for name in each.metrics))
    rows = write_part(ctx.output("part"), metrics, Settles(groups=(group,), names=names))
    return {"runs": len(seen), "metrics": rows, **_reasons(skips)}


def _reasons(skips: Iterable[Skipped]) -> dict[str, Scalar]:
    """How often which reason stood against a metric."""
    counts = Counter(f"without_{skip.reason.value.lower()}" for skip in skips)
    return dict(sorted(counts.items()))


class PairsParams(Deriving):
    """Which sweeps make a pair."""

    chips: tuple[tuple[str, int], ...] | None = Field(None, description="groups and numbers; all chips if not given")
    procedures: tuple[str, ...] = Field(("IVg", "VVg"), description="of sweeps")
    same: tuple[str, ...] = Field(
        ("vds_v", "ids_a", "light", "sample"), description="what both sweeps of a pair must have alike"
    )
    skip_over: bool = Field(False, description="compare a sweep with the last one like it, over others between them")


@task(
    name="devices.pairs",
    version="1",
    params=PairsParams,
    optional_inputs=("manifest",),
    outputs={"part": "_metrics/parts/{job}.parquet"},
    libraries=_LIBRARIES,
    preload=_PRELOAD,
    surroundings=pairs_state,
)
def pairs(ctx: JobContext, params: PairsParams) -> Mapping[str, Scalar]:
    """Compare sweeps that follow each other: all pairs of all chips are collected first, and each is an item.

    The data are read a batch of pairs at a time, so that memory does not grow with the laboratory.
    """
    from batchlab.devices._model import Chip
    from batchlab.devices.metrics import PAIR_NAMES, PairingRules, context_of, extract_pairs

    ctx.stage("load")
    store = opened(ctx, params.store)
    files = files_of(ctx, store)
    constants = changed_constants(params.constants)
    calibrations = calibrations_in(ctx, store) if params.powers else []
    chips = None if params.chips is None else [Chip(group, number) for group, number in params.chips]
    runs = list(store.runs(chips=chips, columns=()))
    powers: dict[str, float] = {}
    for run in runs if calibrations else ():
        power = context_of(run, calibrations=calibrations, constants=constants).power
        if power is not None:
            powers[run.run_id] = power.power_w
    rules = PairingRules(procedures=frozenset(params.procedures), same=params.same, skip_over=params.skip_over)
    ctx.stage("extract")
    part = PartWriter(ctx.output("part"), ctx.scratch)
    compared: set[str] = set()

    def take(rows: list[DerivedMetric]) -> None:
        compared.update(metric.run_id for metric in rows)
        part.take(rows)

    _, skips = extract_pairs(
        runs,
        rules=rules,
        constants=constants,
        power_w=powers,
        load=lambda batch: _with_data(store, batch),
        take=take,
        item=lambda pair: ctx.item(f"{files.named[pair.earlier.run_id]} to {files.named[pair.later.run_id]}"),
    )
    groups = {
        (run.chip.group, run.chip.number, run.procedure)
        for run in runs
        if run.chip is not None and run.procedure in rules.procedures
    }
    rows = part.save(Settles(groups=tuple(sorted(groups)), names=PAIR_NAMES))
    return {"pairs": len(compared), "metrics": rows, **_reasons(skips)}


def _with_data(store: Store, batch: Sequence[Pair]) -> Iterator[Pair]:
    """Pairs with what was recorded, some read at once."""
    for at in range(0, len(batch), _PAIRS_TOGETHER):
        yield from _loaded(store, batch[at : at + _PAIRS_TOGETHER])


def _loaded(store: Store, batch: Sequence[Pair]) -> list[Pair]:
    """Pairs with what was recorded: of sweeps their curves, of other runs only when the light was on."""
    sweeps = store.with_columns(
        (run for pair in batch for run in (pair.earlier, pair.later)), ("Vg (V)", "I (A)", "VDS (V)")
    )
    light = store.with_columns((run for pair in batch for run in pair.between), ("t (s)", "VL (V)"))
    return [
        replace(
            pair,
            earlier=sweeps[pair.earlier.run_id],
            later=sweeps[pair.later.run_id],
            between=tuple(light[run.run_id] for run in pair.between),
        )
        for pair in batch
    ]
