"""The job that draws one plot of staged runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, ConfigError, DataError, PlotError

if TYPE_CHECKING:
    from batchlab.devices._store import Store
    from batchlab.devices.plots import Drawn, Facts, Look, PlotType
    from batchlab.figures import Picture, Sheet

__all__ = ["MOST_PICTURES", "PICTURES", "PlotParams", "RunParam", "outputs_of", "plot"]

PICTURES = (".pdf", ".png", ".svg", ".jpg")
MOST_PICTURES = 9  # of one plot
_STORE_FORM = 1
_GROWTH = 1.25
_GROWTHS = 4  # to two and a half times the sides of the theme


class RunParam(BaseModel):
    """A run, and what the store knows of it beside its data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    seq: int | None = Field(None, description="its number in the history of its chip")
    file_number: int | None = Field(None, description="the number that ends its file's name")
    power_w: FiniteFloat | None = Field(None, description="irradiated power by the calibration, in W")
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict, description="derived values, in V, A and s")
    doubts: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="derived values of little confidence, with the flags that say why"
    )


def _run(value: Any) -> Any:
    return {"run_id": value} if isinstance(value, str) else value


class PlotParams(BaseModel):
    """What is drawn, of which runs, and how it looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(description="plot-its, plot-ivg, ...")
    runs: tuple[Annotated[RunParam, BeforeValidator(_run)], ...] = Field(
        description="in their order; ids of runs, or mappings that say more of each"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="of the plot")
    style: dict[str, Any] = Field(default_factory=dict, description="theme, palette, dpi, ...")
    between: dict[int, str] = Field(
        default_factory=dict, description="procedures of other runs, by their numbers, that lie between these"
    )
    time_zone: str = Field("America/Santiago", description="of dates in pictures")
    plugins: tuple[str, ...] = Field(
        (), description="modules that register plots; names of .py files are those of the input plugins"
    )
    notes: tuple[str, ...] = Field((), description="what to warn of")
    refused: str | None = Field(None, description="why there is nothing to draw")

    @model_validator(mode="after")
    def _known(self) -> PlotParams:
        """Options and style are checked where the plot is known by now; those of plugins are when they are loaded."""
        from batchlab.devices.plots import Look, plot_type, plot_types

        Look.model_validate(self.style)
        if self.type in plot_types():
            plot_type(self.type).options.model_validate(self.options)
        elif not self.plugins:
            plot_type(self.type)  # names the nearest
        return self


def outputs_of(pictures: int, *, data: bool) -> tuple[str, ...]:
    """Names of a plot's outputs: ``figure, figure_2, ...``, and ``data, data_2, ...`` where numbers are wanted."""
    words = ("figure", "data") if data else ("figure",)
    return tuple(word if number == 1 else f"{word}_{number}" for word in words for number in range(1, pictures + 1))


def _surroundings(params: Mapping[str, Any], inputs: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """The version of the plot: the same runs may look otherwise in another."""
    name = str(params["type"])
    return {f"the plot {name}": _kind(name, tuple(params.get("plugins", ())), inputs.get("plugins", ())).version}


def _kind(name: str, modules: tuple[str, ...], files: tuple[str, ...]) -> PlotType:
    from batchlab.devices.plots import declare, plot_type

    for each in (*(module for module in modules if not module.endswith(".py")), *files):
        declare(each)
    return plot_type(name)


@task(
    name="devices.plot",
    version="1",
    params=PlotParams,
    inputs=("store",),
    optional_inputs=("plugins",),
    outputs={"figure": "{job}.pdf", **dict.fromkeys(outputs_of(MOST_PICTURES, data=True)[1:])},
    formats={
        name: PICTURES if name.startswith("figure") else (".csv",) for name in outputs_of(MOST_PICTURES, data=True)
    },
    libraries=("numpy", "scipy", "matplotlib"),
    preload=(
        "batchlab.cache",
        "batchlab.devices._store",
        "batchlab.devices.plots",
        "batchlab.figures._picture",
        "matplotlib.backends.backend_agg",
        "matplotlib.backends.backend_pdf",
        "polars",
    ),
    surroundings=_surroundings,
)
def plot(ctx: JobContext, params: PlotParams) -> Mapping[str, Scalar]:
    """Draw a plot of staged runs: its pictures, and the numbers behind them.

    The input ``store`` is the manifest of a store, or a file that names one (`point_to_store`): a batch of many plots
    takes the latter, so that runs staged later make none of them stale. Ids of runs are digests of their data.
    """
    if params.refused is not None:
        raise DataError(params.refused, category=Category.MISSING_INPUT, reason="no-runs")
    for note in params.notes:
        ctx.warn(note)
    files = tuple(map(str, ctx.inputs("plugins"))) if ctx.given("plugins") else ()
    kind = _kind(params.type, params.plugins, files)
    options = kind.options.model_validate(params.options)
    ctx.stage("load")
    store = _opened(ctx)
    runs = store.read_runs(each.run_id for each in params.runs)
    ctx.stage("draw")
    drawn = kind.draw(runs, options, _look(ctx, params), _facts(params))
    for text in drawn.warnings:
        ctx.warn(text)
    _save(ctx, drawn, grows=params.style.get("size_in") is None)
    return {"runs": len(runs), "pictures": len(drawn.sheets)}


def _opened(ctx: JobContext) -> Store:
    from batchlab.cache import worker_cache

    manifest = manifest_of(ctx.input("store"))
    return worker_cache(ctx.cache).load(manifest, _open_store)


def _open_store(manifest: Path) -> Store:
    from batchlab.devices._store import Store

    return Store(manifest.parent)


def manifest_of(file: Path) -> Path:
    """The manifest that a store's input means: itself, or the one that it names.

    Raises
    ------
    DataError
        If it names none.
    """
    from batchlab.devices._manifest import MANIFEST

    if file.suffix != ".json":
        return file
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["form"] != _STORE_FORM:
            raise ValueError(f"it has form {told['form']}")
        return (file.parent / str(told["store"])).resolve() / MANIFEST
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: names no store ({error}); run the command that wrote it again") from error


def point_to_store(store: Path, beside: Path) -> str:
    """What a file says that names a store: from the file's folder on, so that both can be moved together."""
    return json.dumps({"form": _STORE_FORM, "store": Path(os.path.relpath(store, beside)).as_posix()}) + "\n"


def _look(ctx: JobContext, params: PlotParams) -> Look:
    """The look in the format that the picture's name ends in."""
    return _look_of(ctx.output("figure").suffix.removeprefix("."), json.dumps(params.style, sort_keys=True))


@cache
def _look_of(format: str, style: str) -> Look:
    from batchlab.devices.plots import Look

    return Look.model_validate({**json.loads(style), "format": format})


def _facts(params: PlotParams) -> Facts:
    from batchlab.devices.plots import Facts, RunFacts

    known = {
        each.run_id: RunFacts(
            seq=each.seq,
            file_number=each.file_number,
            power_w=each.power_w,
            metrics=dict(each.metrics),
            doubts=dict(each.doubts),
        )
        for each in params.runs
    }
    return Facts(runs=known, history=dict(params.between), time_zone=params.time_zone)


def _picture(sheet: Sheet, *, grows: bool) -> Picture:
    """The picture of a sheet; one that `grows` is made as large as its labels need."""
    from batchlab.figures import Picture

    for _ in range(_GROWTHS if grows else 0):
        try:
            return Picture(sheet)
        except PlotError:
            width, height = sheet.size_in
            sheet = replace(sheet, size_in=(width * _GROWTH, height * _GROWTH))
    try:
        return Picture(sheet)
    except PlotError as error:
        raise PlotError(
            f"{error}: --style size_in=12,8 or legend_place=best, or the same words under style: in a batch file"
        ) from error


def _save(ctx: JobContext, drawn: Drawn, *, grows: bool) -> None:
    """Write every picture and table that is wanted; look at each picture's file."""
    from batchlab.figures import check_picture

    pictures = outputs_of(len(drawn.sheets), data=False)
    if len(pictures) > MOST_PICTURES or not pictures:
        raise ConfigError(f"the plot drew {len(pictures)} pictures; a plot draws 1 to {MOST_PICTURES}")
    extra = next(
        (name for name in outputs_of(MOST_PICTURES, data=False) if ctx.wanted(name) and name not in pictures), None
    )
    if extra is not None:
        raise ConfigError(f"the plot draws {len(pictures)} pictures, no {extra!r}; leave that output out")
    provenance = dict(ctx.provenance)
    for name, sheet in zip(pictures, drawn.sheets, strict=True):
        if not ctx.wanted(name):
            continue
        path = ctx.output(name)
        picture = _picture(sheet, grows=grows)
        picture.save(path, provenance)
        check_picture(path)
        place = ctx.thumbnail() if name == "figure" else None
        if place is not None:
            place.write_bytes(picture.thumbnail())
    for name, table in zip((each.replace("figure", "data") for each in pictures), drawn.tables, strict=True):
        if ctx.wanted(name):
            ctx.output(name).write_text(table.csv(), encoding="utf-8", newline="")
