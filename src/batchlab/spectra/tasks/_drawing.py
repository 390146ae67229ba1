"""How a job draws the picture of its comparison, and with which limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchlab.engine import JobContext
from batchlab.figures import FORMATS

if TYPE_CHECKING:
    from batchlab.figures import Canvas, Picture
    from batchlab.spectra._comparison import Comparison
    from batchlab.spectra._conformity import Band
    from batchlab.spectra._limits import PlotLimits, Reach
    from batchlab.spectra._model import Array
    from batchlab.spectra._peaks import PeakMatch
    from batchlab.spectra.tasks._against import Against, Judged
    from batchlab.spectra.tasks._compare import CompareParams

__all__ = ["PICTURES", "draw", "save_picture", "shown_bands"]

PICTURES = FORMATS


def draw(
    ctx: JobContext,
    params: CompareParams,
    against: Against,
    judged: Judged,
    match: PeakMatch | None,
    band: Band | None,
) -> None:
    """Draw a comparison into the output ``figure``, its peaks marked and its band behind it."""
    from batchlab.spectra._figure import draw_comparison, look_of
    from batchlab.spectra._limits import beyond, reach

    comparison = judged.comparison
    found = reach(comparison)
    settled, shared = _settled_limits(ctx, params, against, comparison, found)
    cut = beyond(found, settled)
    if cut is not None:
        ctx.warn(cut)
    look = look_of(comparison, settled, size_in=params.size_in, dpi=params.dpi)
    canvas = draw_comparison(
        comparison,
        look,
        ctx.cache if shared else None,
        bands=shown_bands(band),
        peaks=_marks(params, comparison, match),
    )
    save_picture(ctx, "figure", canvas)


def save_picture(ctx: JobContext, output: str, drawn: Canvas | Picture, *, thumbnail: bool = True) -> None:
    """Write a picture and perhaps its thumbnail, and look at the file: it opens, is as large as drawn, is not blank.

    Raises
    ------
    PlotError
        Of category output: those of `check_picture`.
    """
    from batchlab.figures import check_picture

    path = ctx.output(output)
    drawn.save(path, ctx.provenance)
    pixels = drawn.rgba
    # Some whole rows: rows lie together in memory, columns would fetch nearly all of it.
    some = pixels[:: max(1, len(pixels) // 32)].view("u4")
    seen = bool((some != some[0, 0]).any())
    check_picture(path, pixels=(pixels.shape[1], pixels.shape[0]), seen=seen)
    place = ctx.thumbnail() if thumbnail else None
    if place is not None:
        place.write_bytes(drawn.thumbnail())


def shown_bands(band: Band | None) -> tuple[Any, ...]:
    """A band of tolerance as pictures show it; none, if there is none."""
    from batchlab.figures import Band as Shown

    if band is None:
        return ()
    return (Shown(x=band.axis, low=band.lower, high=band.upper, label="tolerance"),)


def _marks(params: CompareParams, comparison: Comparison, match: PeakMatch | None) -> tuple[Array, Array] | None:
    """The summits of the sample's peaks on its curve, the most prominent first."""
    import numpy as np

    if match is None or not params.peaks:
        return None
    own = [*(pair.sample for pair in match.pairs), *match.only_sample]
    own.sort(key=lambda peak: -peak.prominence)
    at = np.array([peak.position for peak in own])
    turn = -1 if comparison.axis[0] > comparison.axis[-1] else 1
    return at, np.interp(at, comparison.axis[::turn], comparison.sample[::turn])


def _settled_limits(
    ctx: JobContext, params: CompareParams, against: Against, comparison: Comparison, found: Reach
) -> tuple[PlotLimits, bool]:
    """The limits of a picture, and whether other pictures have the same."""
    from batchlab.cache import worker_cache
    from batchlab.spectra._limits import PlotLimits, plot_limits
    from batchlab.spectra._read import read_limits
    from batchlab.spectra.tasks._against import span_of

    overlay, difference = params.overlay_limits, params.difference_limits
    if overlay is not None and difference is None and not ctx.given("limits"):
        half = (overlay[1] - overlay[0]) / 2
        difference = (-half, half)
    if overlay is not None and difference is not None:
        return PlotLimits(axis=against.span, overlay=overlay, difference=difference), True
    if ctx.given("limits"):
        path: Path = ctx.input("limits")
        settled = worker_cache(ctx.cache).load(path, read_limits, normalization=params.normalization)
    else:
        (low, high), (lowest, highest) = against.span, span_of(comparison)
        settled = replace(plot_limits(against.first, [found]), axis=(min(low, lowest), max(high, highest)))
    limits = replace(settled, overlay=overlay or settled.overlay, difference=difference or settled.difference)
    return limits, ctx.given("limits")
