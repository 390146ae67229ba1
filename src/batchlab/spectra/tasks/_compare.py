"""The job that compares one sample with the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.spectra.tasks._drawing import check_picture, draw
from batchlab.spectra.tasks._params import LIBRARIES, Length, Limits, Reading
from batchlab.spectra.tasks._telling import tell

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["CompareParams", "compare"]


class CompareParams(Reading):
    """The same, and how the picture is drawn."""

    overlay_limits: Limits | None = Field(None, description="y limits of the upper panel, for all pictures")
    difference_limits: Limits | None = Field(
        None, description="y limits of the lower panel; with overlay_limits, half their span either way by default"
    )
    dpi: float = Field(300.0, ge=10, le=2400)
    size_in: tuple[Length, Length] = Field((10.0, 6.0), description="width and height of the picture in inches")


@task(
    name="spectra.compare",
    version="1",
    params=CompareParams,
    inputs=("reference", "sample"),
    optional_inputs=("limits",),
    outputs={"figure": "{sample}_vs_{reference}.png", "table": "{sample}_vs_{reference}.csv"},
    libraries=(*LIBRARIES, "matplotlib"),
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
        check_picture(ctx.output("figure").name)  # before any work is done for it
    ctx.stage("load")
    reference: Spectrum = worker_cache(ctx.cache).load(ctx.input("reference"), read_text, **params.reading)
    sample = read_text(ctx.input("sample"), **params.reading)
    if not ctx.given("limits"):  # else they are told there, once for the batch
        tell(ctx, reference)
    tell(ctx, sample)
    ctx.stage("compare")
    comparison = compare_spectra(reference, sample, params.normalization, least_coverage=params.least_coverage)
    for text in comparison.warnings:
        ctx.warn(text)
    if ctx.wanted("figure"):
        ctx.stage("draw")
        draw(ctx, params, reference, comparison)
    if ctx.wanted("table"):
        ctx.stage("table")
        write_comparison(ctx.output("table"), comparison, ctx.provenance)
    return comparison.metrics
