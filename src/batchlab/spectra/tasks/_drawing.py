"""How a job draws the picture of its comparison, and with which limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.engine import JobContext
from batchlab.errors import Category, JobError

if TYPE_CHECKING:
    from batchlab.spectra._limits import PlotLimits, Reach
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._similarity import Comparison
    from batchlab.spectra.tasks._compare import CompareParams

__all__ = ["check_picture", "draw"]

_PICTURES = ".png"


def check_picture(name: str) -> None:
    if not name.lower().endswith(_PICTURES):
        raise JobError(
            f"{name}: pictures are written as {_PICTURES}; let the template of outputs: figure end so",
            category=Category.OUTPUT,
            reason="unknown-format",
        )


def draw(ctx: JobContext, params: CompareParams, reference: Spectrum, comparison: Comparison) -> None:
    from batchlab.spectra._figure import draw_comparison, look_of
    from batchlab.spectra._limits import beyond, reach

    found = reach(comparison)
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
