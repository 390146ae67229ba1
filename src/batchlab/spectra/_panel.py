"""What this domain adds to the report: the samples least like the reference, or, of a demo, truth beside finding."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.errors import BatchlabError
from batchlab.reports import Panel, Table

if TYPE_CHECKING:
    from batchlab.spectra._synthetic import Truth

__all__ = ["panel", "truths_of"]

_TASK = "spectra.compare"
_MOST = 10
_UNLIKE = 0.7  # correlation below which the demo calls a sample another substance
_BAND = 0.1  # of the sample's height: a residual this high is a band of its own


def panel(view: BatchView) -> Panel | None:
    """The panel of a batch with comparisons; None for one without."""
    jobs = [job for job in view.jobs if job.task == _TASK]
    if not jobs:
        return None
    truths = truths_of(view)
    return _deviating(jobs) if truths is None else _demo(view, jobs, truths)


def truths_of(view: BatchView) -> dict[str, Truth] | None:
    """What is true of each job's sample, by the job's name; None where no ``truth.csv`` is beside the reference."""
    from batchlab.spectra._synthetic import Role, Truth

    jobs = [job for job in view.jobs if job.task == _TASK]
    reference = _input(view, jobs[0], "reference") if jobs else None
    table = reference.parent / "truth.csv" if reference is not None else None
    if table is None or not table.is_file():
        return None
    try:
        with table.open(encoding="utf-8", newline="") as file:
            by_file = {
                row["file"]: Truth(
                    file=row["file"],
                    role=Role(row["role"]),
                    scale=float(row["scale"]),
                    shift=float(row["shift"]),
                    noise=float(row["noise"]),
                    extra_band=float(row["extra_band"]) if row["extra_band"] else None,
                    area_ratio=float(row["area_ratio"]) if row["area_ratio"] else None,
                    layout=row["layout"],
                )
                for row in csv.DictReader(file)
            }
    except (KeyError, ValueError, OSError):  # somebody's own truth.csv
        return None
    named = {job.name: sample.name for job in jobs if (sample := _input(view, job, "sample")) is not None}
    found = {job: by_file[file] for job, file in named.items() if file in by_file}
    return found or None


def _deviating(jobs: list[JobView]) -> Panel:
    done = [job for job in jobs if job.state is Status.DONE]
    done.sort(key=lambda job: (_number(job, "pearson_r"), job.name))
    columns = ("pearson_r", "spectral_angle_deg", "rmse", "max_deviation", "max_deviation_at", "area_ratio", "coverage")
    shown = done[:_MOST]
    units = {str(job.metrics.get("axis_unit")) for job in shown}
    at = units.pop() if len(units) == 1 else None
    return Panel(
        title="Spectra: least like the reference",
        text=f"The {len(shown)} of {len(done)} compared samples that correlate least with the reference.",
        tables=(
            Table(
                columns=("sample", *columns),
                units=(None, None, "°", None, None, at, None, None),
                rows=tuple((job.name, *(job.metrics.get(name) for name in columns)) for job in shown),
            ),
        ),
        pictures=tuple(output.path for job in shown for output in job.outputs if output.name == "figure"),
    )


def _demo(view: BatchView, jobs: list[JobView], truths: dict[str, Truth]) -> Panel:
    rows = [(*_true(truths[job.name]), *_found(view, job)) for job in jobs if job.name in truths]
    return Panel(
        title="Spectra: what is true, and what was found",
        text=(
            "The samples are made from the reference: scaled, shifted along the axis, with noise, every fifth with an "
            "extra band. One is another substance, and one file is cut off on purpose. Scale, shift and band are "
            "found by fitting the reference to each sample; the area ratio is the one of the comparison."
        ),
        tables=(
            Table(
                columns=(
                    "file", "what it is", "scale, true", "shift, true", "band, true", "area ratio, true",
                    "scale", "shift", "band", "area ratio", "pearson_r", "taken for",
                ),
                units=(None, None, None, "cm⁻¹", "cm⁻¹", None, None, "cm⁻¹", "cm⁻¹", None, None, None),
                rows=tuple(rows),
            ),
        ),
    )  # fmt: skip


def _true(truth: Truth) -> tuple[Scalar, ...]:
    what = {"good": "sample", "outlier": "another substance", "broken": "cut off"}[truth.role.value]
    ratio = None if truth.area_ratio is None else round(truth.area_ratio, 4)
    return truth.file, what, truth.scale, truth.shift, truth.extra_band, ratio


def _found(view: BatchView, job: JobView) -> tuple[Scalar, ...]:
    """Scale, shift, extra band, area ratio, correlation, and what the sample is taken for."""
    if job.state is not Status.DONE:
        return None, None, None, None, None, f"{job.state}: {job.reason or job.category or 'not run'}"
    ratio, likeness = round(_number(job, "area_ratio"), 4), round(_number(job, "pearson_r"), 4)
    if likeness < _UNLIKE:
        return None, None, None, ratio, likeness, "another substance"
    scale, shift, band = _fitted(view, job)
    return scale, shift, band, ratio, likeness, "sample" if band is None else "sample with a band of its own"


def _fitted(view: BatchView, job: JobView) -> tuple[float | None, float | None, float | None]:
    import numpy as np

    from batchlab.spectra._alignment import align
    from batchlab.spectra._common_axis import common_axis
    from batchlab.spectra._read import read_text

    reference, sample = _input(view, job, "reference"), _input(view, job, "sample")
    reading = {name: job.params.get(name) for name in ("axis", "column", "axis_kind", "axis_unit", "quantity", "unit")}
    if reference is None or sample is None:
        return None, None, None
    try:
        both = common_axis(read_text(reference, **reading), read_text(sample, **reading))
    except BatchlabError:  # the files may have been moved or changed since
        return None, None, None
    fit = align(both.axis, both.reference, both.sample)
    # A mean over some points: noise is not to be taken for a band.
    smooth = np.convolve(fit.residual, np.ones(9) / 9, mode="same")
    highest = int(np.argmax(smooth))
    is_band = smooth[highest] > _BAND * float(both.sample.max())
    return round(fit.scale, 3), round(fit.shift, 2) + 0.0, round(float(both.axis[highest]), 1) if is_band else None


def _input(view: BatchView, job: JobView, name: str) -> Path | None:
    value = job.inputs.get(name)
    return Path(os.path.normpath(Path(view.root) / value)) if isinstance(value, str) else None


def _number(job: JobView, name: str) -> float:
    value = job.metrics.get(name)
    return float(value) if isinstance(value, int | float) else math.nan
