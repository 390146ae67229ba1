"""The samples least like their reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

from batchlab.engine import BatchView, JobView
from batchlab.reports import Panel, Table
from batchlab.spectra._measures import METRICS
from batchlab.spectra._panel._jobs import COMPARE, done, jobs_of, number_of, output_of, told, unit_of
from batchlab.spectra._panel._numbers import legend, pretty_unit, treatment

__all__ = ["least_alike", "likeness_panel"]

_MOST = 10
# What samples are ordered by, the first that all have: and whether a high one means alike.
_ORDERING = {
    "pearson_r": True, "cosine": True, "derivative_r": True, "hqi": True, "spectral_angle_deg": False, "sid": False,
    "relative_rmse": False, "rmse": False, "mae": False, "euclid": False,
}  # fmt: skip
_SHOWN = (*METRICS, "axis_shift", "factor", "coverage")
_FEW = ("pearson_r", "spectral_angle_deg", "rmse", "max_deviation", "max_deviation_at", "area_ratio", "coverage")
_OF_THE_AXIS = ("max_deviation_at", "axis_shift")


def least_alike(view: BatchView) -> tuple[list[JobView], str | None]:
    """The jobs whose samples are least like their reference, those first, and the number that says so."""
    compared = done(jobs_of(view, COMPARE))
    by = next((name for name in _ORDERING if any(name in job.metrics for job in compared)), None)
    if by is not None:
        compared.sort(key=lambda job: (_unlikeness(job, by), job.name))
    return compared[:_MOST], by


def likeness_panel(view: BatchView) -> Panel | None:
    """The samples least like their reference, with what each number is; None without comparisons."""
    jobs = jobs_of(view, COMPARE)
    if not jobs:
        return None
    shown, by = least_alike(view)
    columns = _columns(shown)
    at = pretty_unit(unit_of(shown, "axis_unit"))
    units = [at if name in _OF_THE_AXIS else "°" if name == "spectral_angle_deg" else None for name in columns]
    text = f"No sample of {len(jobs)} could be compared."
    if shown:
        order = f"least like the reference by {by}" if by is not None else "first in the batch"
        number = len(done(jobs))
        of = f"The {len(shown)} of {number} compared samples" if number > 1 else "The only sample"
        text = f"{of} {order}. {treatment(shown)}".rstrip()
    return Panel(
        title="Spectra: least like the reference",
        text=text,
        tables=(
            Table(
                columns=("sample", *columns, "from", "to"),
                units=(None, *units, at, at),
                rows=tuple(
                    (job.name, *(told(job, name) for name in (*columns, "axis_first", "axis_last"))) for job in shown
                ),
            ),
            legend(columns),
        )
        if shown
        else (),
        pictures=tuple(path for job in shown if (path := output_of(job, "figure")) is not None),
    )


def _columns(jobs: Sequence[JobView]) -> tuple[str, ...]:
    """A few that say most; where not all of them were asked for, what was."""
    there = {name for job in jobs for name in job.metrics}
    few = [name for name in _FEW if name in there]
    return tuple(few) if len(few) == len(_FEW) else tuple(name for name in _SHOWN if name in there)


def _unlikeness(job: JobView, by: str) -> float:
    value = number_of(job, by)
    if math.isnan(value):
        return -math.inf
    return value if _ORDERING[by] else -value
