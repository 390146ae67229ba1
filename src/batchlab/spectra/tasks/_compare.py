"""The job that compares one sample with its reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field, FiniteFloat, ValidationInfo, field_validator

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import ConfigError
from batchlab.spectra._rules import parse_rule, why_not_computed
from batchlab.spectra.tasks._against import Against, Judged, Judging, span_of
from batchlab.spectra.tasks._conforming import Tolerance, conforming
from batchlab.spectra.tasks._drawing import PICTURES, draw, shown_bands
from batchlab.spectra.tasks._params import LIBRARIES, TABLES, Length, Limits
from batchlab.spectra.tasks._pinned import pinned
from batchlab.spectra.tasks._reading import kept, read, read_one_of, tell

if TYPE_CHECKING:
    from batchlab.spectra._conformity import Band
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._peaks import PeakMatch

__all__ = ["CompareParams", "compare"]

_TABLES = ("table", "peaks", "ranking", "normalized", "page")


class CompareParams(Judging):
    """The same, what more is asked of a comparison, and how the picture is drawn."""

    sample_spectrum: int | str | None = Field(
        None, description="which of the sample file's spectra, by name or number from 0; as spectrum says by default"
    )
    peaks: bool = Field(False, description="find the peaks of both, match them, and mark them in the picture")
    peak_tolerance: FiniteFloat | None = Field(
        None,
        gt=0,
        description="how far apart two peaks are the same, in the axis unit; half a typical width by default",
    )
    least_prominence: FiniteFloat | None = Field(
        None, gt=0, description="how far a peak stands out, in the compared signals' unit; by the noise by default"
    )
    dips: bool | None = Field(None, description="whether peaks point down; by default those of a transmittance do")
    tolerance: Tolerance | None = Field(None, description="what a sample has to keep to conform")
    overlay_limits: Limits | None = Field(None, description="y limits of the upper panel, for all pictures")
    difference_limits: Limits | None = Field(
        None, description="y limits of the lower panel; with overlay_limits, half their span either way by default"
    )
    dpi: float = Field(300.0, ge=10, le=2400)
    size_in: tuple[Length, Length] = Field((10.0, 6.0), description="width and height of the picture in inches")

    @field_validator("tolerance")
    @classmethod
    def _can_be_judged(cls, tolerance: Tolerance | None, info: ValidationInfo) -> Tolerance | None:
        asked = {name: info.data[name] for name in ("metrics", "regions", "difference", "shift") if name in info.data}
        if tolerance is None or len(asked) < 4:  # what is wrong there is told
            return tolerance
        wrong = list(filter(None, (why_not_computed(rule, **asked) for rule in map(parse_rule, tolerance.rules))))
        if wrong:
            raise ValueError("; ".join(wrong))
        return tolerance


@task(
    name="spectra.compare",
    version="4",
    params=CompareParams,
    inputs=("reference", "sample"),
    optional_inputs=("limits", "band", "replicates"),
    outputs={
        "figure": "{sample}_vs_{reference}.png",
        "table": "{sample}_vs_{reference}.csv",
        "peaks": None,
        "ranking": None,
        "normalized": None,
        "page": None,
    },
    formats={
        "figure": PICTURES,
        "table": TABLES,
        "peaks": TABLES,
        "ranking": TABLES,
        "normalized": (*TABLES, ".parquet", ".jdx", ".dx", ".jdx.gz", ".jdx.zst"),
        "page": (".html",),
    },
    libraries=(*LIBRARIES, "matplotlib"),
    preload=("batchlab.spectra._read", "batchlab.spectra._figure", "matplotlib.backends.backend_agg"),
    surroundings=pinned,
)
def compare(ctx: JobContext, params: CompareParams) -> Mapping[str, Scalar]:
    """Compare a sample with a reference: how alike they are, in numbers, in a picture and in a table.

    The limits of the picture are, for each panel, those of the params, else those of the input ``limits``, else those
    that this one comparison needs; the last take several times as long, since nothing of a picture can be shared.
    With several references one is chosen, or their mean is taken, as ``references`` says. A band of tolerance is that
    of the input ``band``, a file; else of the files ``replicates``; else of the spread of the references that are
    averaged; else ``tolerance: {within: ...}``.
    """
    ctx.stage("load")
    keep = partial(kept, ctx, params=params)
    against = Against(ctx, params, keep)
    sample = _sample(ctx, params)
    told_there = ctx.given("limits")  # what is odd about the references, once for the batch
    if not told_there:
        against.tell()
    tell(ctx, sample)
    ctx.stage("compare")
    judged = against.compare(sample, ctx.input("sample"))
    comparison = judged.comparison
    for text in (*judged.warnings, *(comparison.own_warnings if told_there else comparison.warnings)):
        ctx.warn(text)
    match = _matched(params, judged) if params.peaks or ctx.wanted("peaks") else None
    verdict, band = conforming(ctx, params, params.tolerance, against, judged, keep)
    if ctx.wanted("figure"):
        ctx.stage("draw")
        draw(ctx, params, against, judged, match, band)
    if any(ctx.wanted(name) for name in _TABLES):
        ctx.stage("table")
        _write(ctx, judged, match, sample, band)
    return {
        **comparison.metrics,
        **judged.metrics,
        **({} if match is None else match.metrics),
        **verdict,
    }


def _sample(ctx: JobContext, params: CompareParams) -> Spectrum:
    if params.sample_spectrum is None:
        return read(ctx, ctx.input("sample"), params)
    if params.column is not None or params.axis is not None:
        raise ConfigError("sample_spectrum and a column both say which spectrum of the sample is meant; give one")
    return read_one_of(ctx, ctx.input("sample"), params, params.sample_spectrum)


def _matched(params: CompareParams, judged: Judged) -> PeakMatch:
    from batchlab.spectra._peaks import compare_peaks

    return compare_peaks(
        judged.comparison,
        tolerance=params.peak_tolerance,
        least_prominence=params.least_prominence,
        downwards=params.dips,
    )


def _write(ctx: JobContext, judged: Judged, match: PeakMatch | None, sample: Any, band: Band | None) -> None:
    from batchlab.spectra._read import write_comparison

    comparison = judged.comparison
    if ctx.wanted("table"):
        write_comparison(ctx.output("table"), comparison, ctx.provenance)
    if match is not None and ctx.wanted("peaks"):
        from batchlab.spectra._write import write_rows

        units = {"position": comparison.axis_unit, "fwhm": comparison.axis_unit, "shift": comparison.axis_unit}
        write_rows(ctx.output("peaks"), match.rows(), units=units, provenance=ctx.provenance)
    if ctx.wanted("ranking"):
        from batchlab.spectra._write import write_rows

        hits = (comparison,) if judged.ranking is None else judged.ranking.hits
        rows = [{"reference": hit.reference_name, **hit.metrics} for hit in hits]
        write_rows(ctx.output("ranking"), rows, provenance=ctx.provenance)
    if ctx.wanted("normalized"):
        from batchlab.spectra._write import write_spectrum

        write_spectrum(ctx.output("normalized"), sample, provenance=ctx.provenance)
    if ctx.wanted("page"):
        from batchlab.spectra._figure import look_of
        from batchlab.spectra._limits import plot_limits, reach
        from batchlab.spectra._page import comparison_page
        from batchlab.spectra._write import put

        look = look_of(
            comparison, replace(plot_limits(judged.reference, [reach(comparison)]), axis=span_of(comparison))
        )
        page = comparison_page(comparison, look, bands=shown_bands(band), provenance=ctx.provenance)
        put(ctx.output("page"), page.encode("utf-8", "backslashreplace"))
