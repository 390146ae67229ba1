"""The job that looks at a whole batch of spectra."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import Category, DataError, JobError
from batchlab.spectra.tasks._params import LIBRARIES, Length, Preparation

if TYPE_CHECKING:
    from batchlab.spectra._analytics import Analysis
    from batchlab.spectra._analytics._collect import Collection
    from batchlab.spectra._kinds import AxisKind, Quantity
    from batchlab.spectra._model import Array, Spectrum

__all__ = ["AnalyticsParams", "analytics"]

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".pdf", ".svg")
_SECONDS_A_DAY = 86_400.0
_MOST_EXPLAINED = 3


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


_Pattern = Annotated[str, AfterValidator(_pattern)]


class AnalyticsParams(Preparation):
    """How files are read and prepared, what groups them, and how strictly they are judged."""

    group_by: str | None = Field(None, description="key of the files' metadata whose value is the group")
    group_pattern: _Pattern | None = Field(
        None, description="regular expression for names; what its first parentheses match is the group"
    )
    normal: str | None = Field(None, description="the group that defines what is normal, if one does")
    time_by: str | None = Field(None, description="key of the files' metadata that says when: ISO 8601 or a number")
    components: int | None = Field(None, ge=1, le=50, description="of the model; found by itself by default")
    level: float = Field(0.99, ge=0.5, lt=1, description="probability that a batch of good spectra has no outlier")
    dpi: float = Field(150.0, ge=10, le=2400)
    size_in: tuple[Length, Length] = Field((14.0, 10.0), description="width and height of the picture in inches")


class _Facts:
    """What is gathered beside the numbers."""

    def __init__(self) -> None:
        self.groups: list[str | None] = []
        self.times: list[float | None] = []
        self.reference: Array | None = None
        self.axis_label = self.intensity_label = ""
        self.axis_unit: str | None = None
        self.unit: str | None = None
        self.falling = False


@task(
    name="spectra.analytics",
    version="1",
    params=AnalyticsParams,
    optional_inputs=("comparisons", "samples", "reference"),
    outputs={"table": "{job}.csv", "loadings": "{job}_loadings.csv", "figure": "{job}.png", "precision": None},
    formats={"figure": _PICTURES},
    libraries=(*LIBRARIES, "matplotlib"),
    preload=("batchlab.spectra._read", "batchlab.spectra._analytics"),
)
def analytics(ctx: JobContext, params: AnalyticsParams) -> Mapping[str, Scalar]:
    """Model a batch of spectra, and say which stand out and why, what clusters, drifts and repeats in it.

    Takes the tables of comparisons (``comparisons: {from: compare, gather: done}``), or raw files (``samples``, with
    or without a ``reference`` whose points they are brought to; else those of the first). Each is an item. The
    spectra lie on disk meanwhile, so that memory does not grow with their number.
    """
    from batchlab.spectra._analytics import analyse
    from batchlab.spectra._analytics._collect import Collection

    given = [name for name in ("comparisons", "samples") if ctx.given(name)]
    if len(given) != 1:
        raise JobError(
            f"inputs {' and '.join(given) or 'without spectra'}: give either comparisons, such as "
            "{from: compare, gather: done}, or samples, the files themselves",
            category=Category.INVALID_INPUT,
            reason="no-such-input",
        )
    ctx.stage("load")
    facts = _Facts()
    with Collection(ctx.scratch / "spectra.bin") as collection:
        if given == ["comparisons"]:
            _from_comparisons(ctx, params, collection, facts)
        else:
            _from_samples(ctx, params, collection, facts)
        ctx.stage("analyse")
        axis, matrix, columns, told = collection.finish()
        normal = None
        if params.normal is not None:
            normal = [group == params.normal for group in facts.groups]
            if not any(normal):
                known = ", ".join(sorted({group for group in facts.groups if group is not None})) or "no groups"
                raise DataError(
                    f"no spectrum is of the normal group {params.normal!r}; there are {known}",
                    reason="no-such-group",
                )
        analysis = analyse(
            axis,
            matrix,
            collection.names,
            groups=facts.groups if any(group is not None for group in facts.groups) else None,
            times=_times(ctx, params, facts),
            components=params.components,
            level=params.level,
            reference=None if facts.reference is None else facts.reference[columns],
            normal=normal,
            axis_unit=facts.axis_unit,
            unit=facts.unit,
        )
    for text in (*told, *analysis.warnings):
        ctx.warn(text)
    _write(ctx, params, analysis, facts)
    return _metrics(analysis)


def _from_comparisons(ctx: JobContext, params: AnalyticsParams, collection: Collection, facts: _Facts) -> None:
    from batchlab.spectra._read import read_comparison

    members = [member for member in ctx.gathered("comparisons") if not ctx.left_out(member.job)]
    tables = [(member.job, member.outputs.get("table")) for member in members]
    if not members:
        tables = [(path.stem, str(path)) for path in ctx.inputs("comparisons")]
    for name, table in tables:
        if ctx.cancelled:
            return
        with ctx.item(name):
            if table is None:
                raise DataError(
                    f"{name} wrote no table; leave the output table in the jobs that are gathered", reason="no-table"
                )
            comparison, _ = read_comparison(table)
            called = comparison.sample_name or name
            _describe(facts, comparison.axis_kind, comparison.axis_unit, comparison.quantity, comparison.unit)
            collection.add(comparison.axis, comparison.sample, called)
            if facts.reference is None:
                facts.reference = comparison.reference
                facts.intensity_label = comparison.intensity_label
                facts.unit = comparison.unit if comparison.normalization.value == "none" else "1"
            facts.groups.append(_group(params, called, {}))
            facts.times.append(None)


def _from_samples(ctx: JobContext, params: AnalyticsParams, collection: Collection, facts: _Facts) -> None:
    from batchlab.spectra._recipe import prepare

    recipe = params.recipe.normalized(params.normalization)
    first: Spectrum | None = None
    if ctx.given("reference"):
        first = _spectra(ctx.input("reference"), params)[0]
    files = ctx.inputs("samples")
    times, stems = Counter(file.name for file in files), Counter(file.stem for file in files)
    for file in files:
        if ctx.cancelled:
            return
        with ctx.item(file.name if times[file.name] == 1 else str(file)):
            spectra = _spectra(file, params)
            stem = file.stem if stems[file.stem] == 1 else f"{file.parent.name}/{file.name}"
            for spectrum in spectra:
                called = _called(stem, spectrum, len(spectra), len(files))
                for text in spectrum.warnings:
                    ctx.warn(f"{called}: {text}")
                both = prepare(first or spectrum, spectrum, recipe, ctx.cache)
                _describe(facts, both.axis_kind, both.axis_unit, both.quantity, both.unit)
                collection.add(both.axis, both.sample, called)
                first = first or spectrum
                if not facts.intensity_label:
                    changed = bool(recipe.steps)
                    facts.intensity_label = _signal_label(both.quantity, both.unit, changed)
                    facts.unit = "1" if changed else both.unit
                    facts.reference = both.reference if ctx.given("reference") else None
                facts.groups.append(_group(params, called, spectrum.metadata))
                facts.times.append(_time(params, spectrum.metadata))


def _spectra(file: Path, params: AnalyticsParams) -> tuple[Spectrum, ...]:
    """The samples of a file: its only one, or all that it holds."""
    from batchlab.spectra._kinds import SpectrumRole
    from batchlab.spectra._read import read_spectra, read_spectrum

    stated = {name: value for name, value in params.reading.items() if value is not None}
    if {"spectrum", "axis", "column"} & stated.keys():
        return (read_spectrum(file, **params.reading),)
    samples = tuple(each for each in read_spectra(file) if each.role is SpectrumRole.SAMPLE)
    if not samples:
        raise DataError(f"{file}: it holds references and darks, but no sample", reason="no-sample")
    # One is read again, so that its reader knows what is stated, and does not warn that it is not.
    return (read_spectrum(file, **params.reading),) if len(samples) == 1 and stated else _stated(samples, stated)


def _called(stem: str, spectrum: Spectrum, of_file: int, files: int) -> str:
    """The file's stem; of a file of many, what the file calls it, and of many such files both."""
    if of_file == 1 or not spectrum.name:
        return stem
    return spectrum.name if files == 1 else f"{stem}: {spectrum.name}"


def _stated(samples: tuple[Spectrum, ...], stated: Mapping[str, Any]) -> tuple[Spectrum, ...]:
    return tuple(replace(each, **stated) for each in samples) if stated else samples


def _describe(facts: _Facts, kind: AxisKind, unit: str | None, quantity: Quantity, signal_unit: str | None) -> None:
    """Take over what the axis is, and refuse spectra on another."""
    from batchlab.spectra._kinds import AxisKind
    from batchlab.spectra._model import axis_label

    label = axis_label(kind, unit)
    if facts.axis_label and facts.axis_label != label:
        raise DataError(
            f"its axis is {label}, that of the first spectrum {facts.axis_label}; bring all to one with a recipe, or "
            "look at them apart",
            reason="unit-mismatch",
        )
    facts.axis_label, facts.axis_unit = label, unit
    facts.falling = kind is AxisKind.WAVENUMBER


def _signal_label(quantity: Quantity, unit: str | None, changed: bool) -> str:
    from batchlab.spectra._model import intensity_label

    return f"{intensity_label(quantity, '1')} (prepared)" if changed else intensity_label(quantity, unit)


def _group(params: AnalyticsParams, name: str, metadata: Mapping[str, str]) -> str | None:
    if params.group_by is not None and params.group_by in metadata:
        return str(metadata[params.group_by])
    if params.group_pattern is not None:
        found = re.search(params.group_pattern, name)
        if found is not None:
            return next((part for part in found.groups() if part is not None), found.group())
    return None


def _time(params: AnalyticsParams, metadata: Mapping[str, str]) -> float | None:
    """Days, or the number that is written; a date without a zone is not that of this machine's zone."""
    text = str(metadata.get(params.time_by, "")).strip() if params.time_by is not None else ""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp() / _SECONDS_A_DAY


def _times(ctx: JobContext, params: AnalyticsParams, facts: _Facts) -> list[float] | None:
    if params.time_by is None:
        return None
    known = [when for when in facts.times if when is not None]
    if len(known) < len(facts.times):
        ctx.warn(
            f"{len(facts.times) - len(known)} of {len(facts.times)} spectra do not say when, under {params.time_by!r}; "
            "charts and drift go by the order of the files"
        )
        return None
    first = min(known, default=0.0)
    return [when - first for when in known]


def _write(ctx: JobContext, params: AnalyticsParams, analysis: Analysis, facts: _Facts) -> None:
    from batchlab.spectra._analytics._table import format_loadings, format_precision, format_rows

    ctx.stage("table")
    for name, text_of in (("table", format_rows), ("loadings", format_loadings), ("precision", format_precision)):
        if ctx.wanted(name):
            ctx.output(name).write_bytes(text_of(analysis, ctx.provenance).encode("utf-8", "backslashreplace"))
    if ctx.wanted("figure"):
        from batchlab.figures import Picture
        from batchlab.spectra._analytics._pictures import batch_sheet

        ctx.stage("draw")
        sheet = batch_sheet(
            analysis,
            title=f"{len(analysis.names)} spectra",
            axis_label=facts.axis_label,
            intensity_label=facts.intensity_label,
            falling=facts.falling,
            size_in=params.size_in,
            dpi=params.dpi,
        )
        picture = Picture(sheet)
        picture.save(ctx.output("figure"), ctx.provenance)
        thumbnail = ctx.thumbnail()
        if thumbnail is not None:
            thumbnail.write_bytes(picture.thumbnail())


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
