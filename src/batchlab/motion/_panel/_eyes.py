"""What the report of a batch tells of eyes: how each came out, those that are odd first."""

from __future__ import annotations

import math
from pathlib import Path

from batchlab.engine import BatchView, JobView, Scalar, Status
from batchlab.reports import Panel, Table

__all__ = ["eyes_panel"]

_MOST_ROWS, _MOST_PAGES = 40, 8


def eyes_panel(view: BatchView) -> Panel | None:
    """A row for each eye that was fitted, or whose gaze was told; None where there is none."""
    jobs = [job for job in view.jobs if job.task == "motion.eye" and job.state is Status.DONE]
    if not jobs:
        return None
    shown = jobs if len(jobs) <= _MOST_ROWS else sorted(jobs, key=_oddness)[:_MOST_ROWS]
    pages = [page for job in sorted(shown, key=_oddness) if (page := _page_of(job))]
    more = f" {len(jobs) - len(shown)} more are in the table of jobs." if len(shown) < len(jobs) else ""
    return Panel(
        title="Motion: eyes",
        headline=_headline(jobs),
        text=(
            "Distances are those of measured points from the fitted pupil; the error of gaze is the median of its "
            "standard errors; reduced chi² is about 1 where noise_px tells the noise. Each eye has a page with gaze "
            f"over time; it leads to the view that plays it.{more}"
        ),
        tables=(
            Table(
                columns=(
                    "job", "status", "frames", "rms", "reduced chi²", "error of gaze", "azimuths", "elevations",
                    "before the camera", "±", "not seen", "inferred", "warnings",
                ),
                units=(None, None, None, "px", None, "°", "°", "°", "mm", "mm", "%", "frames", None),
                rows=tuple(_row(job) for job in shown),
            ),
        ),
        pictures=tuple(pages[:_MOST_PAGES]),
    )  # fmt: skip


def _row(job: JobView) -> tuple[Scalar, ...]:
    missing = _number(job, "missing_share")
    fitted = job.metrics.get("points") != 0
    near = [_near(job, f"center_{part}z_mm") if fitted else None for part in ("", "sd_")]
    return (
        job.name, job.metrics.get("status"), job.metrics.get("frames"), _near(job, "rms_px"),
        _near(job, "chi2_reduced"), _near(job, "gaze_sd_deg"), _near(job, "azimuth_range_deg"),
        _near(job, "elevation_range_deg"), *near, None if missing is None else round(100.0 * missing, 2),
        job.metrics.get("frames_inferred"), len(job.warnings),
    )  # fmt: skip


def _headline(jobs: list[JobView]) -> str:
    """Eyes whose distance is not known; else how sure gazes are."""
    unsure = [_of(job) for job in jobs if job.metrics.get("status") == "degenerate"]
    if unsure:
        more = f" and {len(unsure) - 4} more" if len(unsure) > 4 else ""
        return f"nothing tells how far the eye is: {', '.join(unsure[:4])}{more}; give depth_mm"
    errors = [value for job in jobs if (value := _number(job, "gaze_sd_deg")) is not None]
    return f"gaze is known to {min(errors):.2g} to {max(errors):.2g}°" if errors else ""


def _of(job: JobView) -> str:
    recording = job.inputs.get("recording")
    return Path(recording).stem if isinstance(recording, str) else job.name


def _oddness(job: JobView) -> tuple[bool, int, float]:
    """Odd ones first."""
    return job.metrics.get("status") == "converged", -len(job.warnings), -(_number(job, "rms_px") or 0.0)


def _page_of(job: JobView) -> str | None:
    return next((output.path for output in job.outputs if output.name == "page"), None)


def _near(job: JobView, name: str) -> float | None:
    value = _number(job, name)
    return None if value is None else float(f"{value:.4g}")


def _number(job: JobView, name: str) -> float | None:
    value = job.metrics.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
