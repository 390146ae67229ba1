"""What this domain offers to the engine: settle the limits of a batch, and compare a sample with the reference."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import BatchlabError, Category, JobError
from batchlab.spectra._kinds import AxisKind, Normalization, Quantity

if TYPE_CHECKING:
    from batchlab.spectra._limits import PlotLimits, Reach
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._similarity import Comparison

_LIBRARIES = ("numpy",)
_MOST_NAMED = 5
_PICTURES = ".png"


def _running_up(pair: tuple[float, float]) -> tuple[float, float]:
    if not (math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[0] < pair[1]):
        raise ValueError(f"write [LOW, HIGH], two numbers that run upwards, not [{pair[0]:g}, {pair[1]:g}]")
    return pair


_Limits = Annotated[tuple[float, float], AfterValidator(_running_up)]
_Length = Annotated[float, Field(gt=0, le=100)]


class LimitsParams(BaseModel):
    """How the files are read, and how their signals are made comparable."""

    model_config = ConfigDict(extra="forbid")

    normalization: Normalization = Normalization.NONE
    least_coverage: float = Field(0.1, ge=0, le=1, description="least share of the reference's range to be covered")
    axis: int | str | None = Field(None, description="axis column, by name or number from 0")
    column: int | str | None = Field(None, description="intensity column, by name or number from 0")
    axis_kind: AxisKind | None = Field(None, description="what the axis is, where the files do not say")
    axis_unit: str | None = None
    quantity: Quantity | None = Field(None, description="what the signal is, where the files do not say")
    unit: str | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """Options of `read_text`."""
        return self.model_dump(include={"axis", "column", "axis_kind", "axis_unit", "quantity", "unit"})


class CompareParams(LimitsParams):
    """The same, and how the picture is drawn."""

    overlay_limits: _Limits | None = Field(None, description="y limits of the upper panel, for all pictures")
    difference_limits: _Limits | None = Field(
        None, description="y limits of the lower panel; with overlay_limits, half their span either way by default"
    )
    dpi: float = Field(300.0, ge=10, le=2400)
    size_in: tuple[_Length, _Length] = Field((10.0, 6.0), description="width and height of the picture in inches")


@task(
    name="spectra.limits",
    version="1",
    params=LimitsParams,
    inputs=("reference", "samples"),
    outputs={"limits": "{job}.json"},
    libraries=_LIBRARIES,
    preload=("batchlab.spectra._read", "batchlab.spectra._similarity"),
)
def limits(ctx: JobContext, params: LimitsParams) -> Mapping[str, Scalar]:
    """Settle the limits of all pictures of a batch from its samples.

    Each sample is an item, so that one that kills its process is left out of a second try. One that merely cannot be
    compared is left out with a warning and is no failed item: its own comparison fails, and tells why. Without
    limits nothing could be drawn at all, so this job fails only where the reference does.
    """
    from batchlab.spectra._limits import plot_limits
    from batchlab.spectra._read import read_text, write_limits
    from batchlab.spectra._similarity import compare as compare_spectra

    ctx.stage("load")
    reference = read_text(ctx.input("reference"), **params.reading)
    _tell(ctx, reference)
    ctx.stage("compare")
    # The reference reaches where it reaches, whatever the samples do; it also is all there is if none can be read.
    reaches = [_reach(compare_spectra(reference, reference, params.normalization))]
    left_out = []
    files = ctx.inputs("samples")
    times = Counter(file.name for file in files)
    for file in files:
        if ctx.cancelled:
            break
        with ctx.item(file.name if times[file.name] == 1 else str(file)):
            try:
                sample = read_text(file, **params.reading)
                comparison = compare_spectra(
                    reference, sample, params.normalization, least_coverage=params.least_coverage
                )
            except BatchlabError as error:
                ctx.log.info("left out: %s", error)
                left_out.append(f"{file.name} ({error.reason or error.category})")
            else:
                reaches.append(_reach(comparison))
    if left_out:
        more = f" and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        ctx.warn(f"left out of the limits: {', '.join(left_out[:_MOST_NAMED])}{more}")
    # Its own difference is zero everywhere, which would make a batch of differences look half as far spread.
    settled = plot_limits(reference, reaches[1:] or reaches)
    if ctx.wanted("limits"):
        ctx.stage("table")
        write_limits(ctx.output("limits"), settled, params.normalization)
    return {
        "n_samples": len(reaches) - 1,
        "left_out": len(left_out),
        "overlay_low": settled.overlay[0],
        "overlay_high": settled.overlay[1],
        "difference_low": settled.difference[0],
        "difference_high": settled.difference[1],
    }


@task(
    name="spectra.compare",
    version="1",
    params=CompareParams,
    inputs=("reference", "sample"),
    optional_inputs=("limits",),
    outputs={"figure": "{sample}_vs_{reference}.png", "table": "{sample}_vs_{reference}.csv"},
    libraries=(*_LIBRARIES, "matplotlib"),
    preload=("batchlab.spectra._read", "batchlab.spectra._figure", "matplotlib.backends.backend_agg"),
)
def compare(ctx: JobContext, params: CompareParams) -> Mapping[str, Scalar]:
    """Compare a sample with a reference: how alike they are, in numbers, in a picture and in a table.

    The limits of the picture are, for each panel, those of the params, else those of the input ``limits``, else those
    that this one comparison needs; the last take several times as long, since nothing of a picture can be shared.
    """
    from batchlab.cache import worker_cache
    from batchlab.spectra._read import read_text, write_comparison
    from batchlab.spectra._similarity import compare as compare_spectra

    if ctx.wanted("figure"):
        _check_picture(ctx.output("figure").name)  # before any work is done for it
    ctx.stage("load")
    reference: Spectrum = worker_cache(ctx.cache).load(ctx.input("reference"), read_text, **params.reading)
    sample = read_text(ctx.input("sample"), **params.reading)
    if not ctx.given("limits"):  # else they are told there, once for the batch
        _tell(ctx, reference)
    _tell(ctx, sample)
    ctx.stage("compare")
    comparison = compare_spectra(reference, sample, params.normalization, least_coverage=params.least_coverage)
    for text in comparison.warnings:
        ctx.warn(text)
    if ctx.wanted("figure"):
        ctx.stage("draw")
        _draw(ctx, params, reference, comparison)
    if ctx.wanted("table"):
        ctx.stage("table")
        write_comparison(ctx.output("table"), comparison, ctx.provenance)
    return comparison.metrics


def _check_picture(name: str) -> None:
    if not name.lower().endswith(_PICTURES):
        raise JobError(
            f"{name}: pictures are written as {_PICTURES}; let the template of outputs: figure end so",
            category=Category.OUTPUT,
            reason="unknown-format",
        )


def _draw(ctx: JobContext, params: CompareParams, reference: Spectrum, comparison: Comparison) -> None:
    from batchlab.spectra._figure import draw_comparison, look_of
    from batchlab.spectra._limits import beyond

    found = _reach(comparison)
    settled, shared = _settled_limits(ctx, params, reference, found)
    cut = beyond(found, settled)
    if cut is not None:
        ctx.warn(cut)
    look = look_of(comparison, settled, size_in=params.size_in, dpi=params.dpi)
    canvas = draw_comparison(comparison, look, ctx.cache if shared else None)
    canvas.save(ctx.output("figure"), ctx.provenance)
    thumbnail = ctx.thumbnail()
    if thumbnail is not None:
        thumbnail.write_bytes(canvas.thumbnail())


def _settled_limits(
    ctx: JobContext, params: CompareParams, reference: Spectrum, found: Reach
) -> tuple[PlotLimits, bool]:
    """The limits of a picture, and whether other pictures have the same."""
    from batchlab.cache import worker_cache
    from batchlab.spectra._limits import PlotLimits, plot_limits, span
    from batchlab.spectra._read import read_limits

    overlay, difference = params.overlay_limits, params.difference_limits
    if overlay is not None and difference is None and not ctx.given("limits"):
        half = (overlay[1] - overlay[0]) / 2
        difference = (-half, half)
    if overlay is not None and difference is not None:
        return PlotLimits(axis=span(reference), overlay=overlay, difference=difference), True
    if ctx.given("limits"):
        path: Path = ctx.input("limits")
        settled = worker_cache(ctx.cache).load(path, read_limits, normalization=params.normalization)
    else:
        settled = plot_limits(reference, [found])
    limits = replace(settled, overlay=overlay or settled.overlay, difference=difference or settled.difference)
    return limits, ctx.given("limits")


def _reach(comparison: Comparison) -> Reach:
    from batchlab.spectra._limits import reach

    return reach(comparison)


def _tell(ctx: JobContext, spectrum: Spectrum) -> None:
    for text in spectrum.warnings:
        ctx.warn(f"{spectrum.name}: {text}" if spectrum.name else text)
