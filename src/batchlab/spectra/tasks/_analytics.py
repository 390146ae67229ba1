"""The job that looks at a whole batch of spectra."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind
from batchlab.spectra._words import agreed
from batchlab.spectra.tasks._collecting import Gathered, Gathering, gather
from batchlab.spectra.tasks._drawing import PICTURES, save_picture
from batchlab.spectra.tasks._params import LIBRARIES, Length, Limits
from batchlab.spectra.tasks._pinned import pinned

if TYPE_CHECKING:
    from batchlab.spectra._analytics import Analysis

__all__ = ["AnalyticsParams", "analytics"]

_MOST_EXPLAINED = 3


class AnalyticsParams(Gathering):
    """How files are read and prepared, what groups them, and how strictly they are judged."""

    normal: str | None = Field(None, description="the group that defines what is normal, if one does")
    time_by: str | None = Field(None, description="key of the files' metadata that says when: ISO 8601 or a number")
    components: int | None = Field(None, ge=1, le=50, description="of the model; found by itself by default")
    masks: tuple[Limits, ...] = Field((), description="[low, high] to leave out, besides the masks of comparisons")
    level: float = Field(0.99, ge=0.5, lt=1, description="probability that a batch of good spectra has no outlier")
    dpi: float = Field(150.0, ge=10, le=2400)
    size_in: tuple[Length, Length] = Field((14.0, 10.0), description="width and height of the picture in inches")


@task(
    name="spectra.analytics",
    version="4",
    params=AnalyticsParams,
    optional_inputs=("comparisons", "samples", "reference"),
    outputs={"table": "{job}.csv", "loadings": "{job}_loadings.csv", "figure": "{job}.png", "precision": None},
    formats={"figure": PICTURES, **dict.fromkeys(("table", "loadings", "precision"), (".csv",))},
    libraries=(*LIBRARIES, "matplotlib"),
    preload=("batchlab.spectra._read", "batchlab.spectra._analytics"),
    surroundings=pinned,
)
def analytics(ctx: JobContext, params: AnalyticsParams) -> Mapping[str, Scalar]:
    """Model a batch of spectra, and say which stand out and why, what clusters, drifts and repeats in it.

    Takes the tables of comparisons (``comparisons: {from: compare, gather: done}``), or raw files (``samples``, with
    or without a ``reference`` whose points they are brought to; else those of the first). Each is an item. Points
    under a mask, of the comparisons or of the params, have no part in it. The spectra lie on disk meanwhile, so that
    memory does not grow with their number.
    """
    from batchlab.spectra._analytics import analyse
    from batchlab.spectra._analytics._collect import Collection

    ctx.stage("load")
    with Collection(ctx.scratch / "spectra.bin") as collection:
        keys = () if params.time_by is None else (params.time_by,)
        gathered = gather(ctx, params, collection, keys, params.masks)
        ctx.stage("analyse")
        axis, matrix, columns, told = collection.finish()
        normal = None
        if params.normal is not None:
            normal = [group == params.normal for group in gathered.groups]
            if not any(normal):
                known = ", ".join(sorted({group for group in gathered.groups if group is not None})) or "no groups"
                raise DataError(
                    f"no spectrum is of the normal group {params.normal!r}; there are {known}",
                    reason="no-such-group",
                )
        analysis = analyse(
            axis,
            matrix,
            collection.names,
            groups=gathered.groups if gathered.grouped else None,
            times=_times(ctx, params, gathered),
            components=params.components,
            level=params.level,
            reference=None if gathered.reference is None else gathered.reference[columns],
            normal=normal,
            axis_unit=gathered.axis_unit,
            unit=gathered.signal_unit,
        )
    for text in (*told, *analysis.warnings):
        ctx.warn(text)
    _write(ctx, params, analysis, gathered)
    return _metrics(analysis)


def _times(ctx: JobContext, params: AnalyticsParams, gathered: Gathered) -> list[float] | None:
    if params.time_by is None:
        return None
    times, silent = gathered.times(params.time_by)
    if times is None:
        ctx.warn(
            f"{silent} of {len(gathered.said)} spectra {agreed(silent, 'does', 'do')} not say when, under "
            f"{params.time_by!r}; "
            "charts and drift go by the order of the files"
        )
        return None
    first = min(times, default=0.0)
    return [when - first for when in times]


def _write(ctx: JobContext, params: AnalyticsParams, analysis: Analysis, gathered: Gathered) -> None:
    from batchlab.spectra._analytics._table import format_loadings, format_precision, format_rows
    from batchlab.spectra._write import put

    ctx.stage("table")
    for name, text_of in (("table", format_rows), ("loadings", format_loadings), ("precision", format_precision)):
        if ctx.wanted(name):
            put(ctx.output(name), text_of(analysis, ctx.provenance).encode("utf-8", "backslashreplace"))
    if ctx.wanted("figure"):
        from batchlab.figures import Picture
        from batchlab.spectra._analytics._pictures import batch_sheet

        ctx.stage("draw")
        sheet = batch_sheet(
            analysis,
            title=f"{len(analysis.names)} spectra",
            axis_label=gathered.axis_label,
            intensity_label=gathered.intensity_label,
            falling=gathered.axis_kind is AxisKind.WAVENUMBER,
            size_in=params.size_in,
            dpi=params.dpi,
        )
        save_picture(ctx, "figure", Picture(sheet))


def _metrics(analysis: Analysis) -> dict[str, Scalar]:
    counts = Counter(verdict.value for verdict in analysis.verdicts)
    outlying = analysis.outlying
    metrics: dict[str, Any] = {
        "n": len(analysis.names),
        "judged": analysis.limits is not None,
        "n_outliers": counts["outlier"],
        "n_watch": counts["watch"],
        "n_clusters": analysis.n_clusters,
        "components": int(analysis.loadings.shape[0]),
    }
    for at, share in enumerate(analysis.explained[:_MOST_EXPLAINED].tolist(), start=1):
        metrics[f"explained_{at}"] = share
    if outlying:
        metrics["worst"], metrics["worst_reason"] = outlying[0].name, outlying[0].reason
    for name, drift in analysis.drifts.items():
        metrics[f"drift_p_{name.replace(' ', '_')}"] = drift.p
    if analysis.precision is not None:
        metrics["repeatability_percent"] = analysis.precision.typical_relative
    if analysis.separation is not None:
        metrics["nearest_own_group"] = analysis.separation.share
    return metrics
