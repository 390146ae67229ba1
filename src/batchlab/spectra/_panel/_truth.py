"""Of a demo: what is true beside what was found."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.errors import BatchlabError
from batchlab.reports import Panel, Table
from batchlab.spectra._panel._jobs import COMPARE, input_of, jobs_of, number_of

if TYPE_CHECKING:
    from batchlab.spectra._synthetic import Truth

__all__ = ["demo_panel", "truths_of"]

_UNLIKE = 0.7  # correlation below which the demo calls a sample another substance
_BAND = 0.1  # of the sample's height: a residual this high is a band of its own


def demo_panel(view: BatchView, truths: dict[str, Truth]) -> Panel:
    """What is true of each sample of a demo, and what was found."""
    jobs = jobs_of(view, COMPARE)
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


def truths_of(view: BatchView) -> dict[str, Truth] | None:
    """What is true of each job's sample, by the job's name; None where no ``truth.csv`` is beside the reference."""
    jobs = jobs_of(view, COMPARE)
    reference = input_of(view, jobs[0], "reference") if jobs else None
    table = reference.parent / "truth.csv" if reference is not None else None
    if table is None or not table.is_file():
        return None
    from batchlab.spectra._synthetic import Role, Truth

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
    named = {job.name: sample.name for job in jobs if (sample := input_of(view, job, "sample")) is not None}
    found = {job: by_file[file] for job, file in named.items() if file in by_file}
    return found or None


def _true(truth: Truth) -> tuple[Scalar, ...]:
    what = {"good": "sample", "outlier": "another substance", "broken": "cut off"}[truth.role.value]
    ratio = None if truth.area_ratio is None else round(truth.area_ratio, 4)
    return truth.file, what, truth.scale, truth.shift, truth.extra_band, ratio


def _found(view: BatchView, job: JobView) -> tuple[Scalar, ...]:
    """Scale, shift, extra band, area ratio, correlation, and what the sample is taken for."""
    if job.state is not Status.DONE:
        return None, None, None, None, None, f"{job.state}: {job.reason or job.category or 'not run'}"
    ratio, likeness = round(number_of(job, "area_ratio"), 4), round(number_of(job, "pearson_r"), 4)
    if likeness < _UNLIKE:
        return None, None, None, ratio, likeness, "another substance"
    scale, shift, band = _fitted(view, job)
    return scale, shift, band, ratio, likeness, "sample" if band is None else "sample with a band of its own"


def _fitted(view: BatchView, job: JobView) -> tuple[float | None, float | None, float | None]:
    import numpy as np

    from batchlab.spectra._alignment import align
    from batchlab.spectra._common_axis import common_axis
    from batchlab.spectra._read import read_text

    reference, sample = input_of(view, job, "reference"), input_of(view, job, "sample")
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
