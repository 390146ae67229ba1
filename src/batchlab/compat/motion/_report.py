"""The reports of a batch: a table of jobs, numbers, and a page."""

from __future__ import annotations

import json
import math
import os
import statistics as stats
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from batchlab.compat.motion._results import BatchResult, told_of_costs
from batchlab.compat.motion._table import Table
from batchlab.reports import Reports, find_panels, statistics, write_reports
from batchlab.reports._panel import panel_data

__all__ = ["BatchReportGenerator", "job_table"]

_COLUMNS = ("job_id", "job_name", "success", "status", "held_out_mm", "held_out_se_mm", "rms_mm", "final_cost",
            "initial_cost", "cost_reduction_pct", "iterations", "duration_s", "error")  # fmt: skip


class BatchReportGenerator:
    """Reports of what a batch came to; one without a successful job has them, too.

    Parameters
    ----------
    batch_result
        Of `BatchProcessor.run`.
    """

    def __init__(self, batch_result: BatchResult) -> None:
        self.batch_result = batch_result

    def generate_summary_table(self) -> Table:
        """A row for each job: ``param_*`` are the parameters that differ between jobs, ``meta_*`` other metadata."""
        return job_table(self.batch_result)

    def compute_statistics(self) -> dict[str, Any]:
        """All that ``batch_statistics.json`` holds.

        ``success_rate``, ``held_out_mm``, ``iterations``, ``duration``, ``cost_reduction`` and so on are over
        successful jobs: mean, std, min, max and median. ``final_cost`` is there for jobs of equal weights alone; where
        they differ, ``final_cost_note`` says why it is not. Beside them is what the engine tells of any batch.
        """
        result = self.batch_result
        done = [job for job in result.job_results if job.success]
        told = told_of_costs(done)
        return {
            **statistics(result.view),
            "panels": panel_data(find_panels(result.view)),
            "batch_name": result.batch_name,
            "metadata": dict(result.metadata),
            "total_jobs": result.total_jobs,
            "successful_jobs": result.successful_jobs,
            "failed_jobs": result.failed_jobs,
            "success_rate": result.success_rate,
            "total_duration": result.total_duration,
            "average_duration": result.average_duration,
            "held_out_mm": _spread(job.metric("held_out_mm") for job in done),
            "rms_mm": _spread(job.metric("rms_mm") for job in done),
            "final_cost": None if told else _spread(job.metric("cost") for job in done),
            "final_cost_note": told,
            "cost_reduction": _spread(job.cost_reduction_percent for job in done),
            "iterations": _spread(job.metric("iterations") for job in done),
            "duration": _spread(job.duration for job in done),
            "job_results": list(job_table(result)),
        }

    def save_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the table."""
        target = _made(Path(path))
        self.generate_summary_table().write_csv(target)
        return target

    def save_json(self, path: str | os.PathLike[str]) -> Path:
        """Write the statistics."""
        target = _made(Path(path))
        text = json.dumps(_plain(self.compute_statistics()), indent=2, ensure_ascii=False, allow_nan=False)
        target.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
        return target

    def save_all_reports(self, output_dir: str | os.PathLike[str]) -> Reports:
        """Write ``batch_summary.csv``, ``batch_statistics.json`` and ``batch_report.html``, one file that needs no net.

        Returns
        -------
        Reports
            The three paths.
        """
        panels = find_panels(self.batch_result.view)
        reports = write_reports(self.batch_result.view, Path(output_dir).absolute(), panels=panels)
        # In the columns and keys that callers know; the page is the engine's.
        self.save_csv(reports.summary)
        self.save_json(reports.statistics)
        return reports


def job_table(result: BatchResult) -> Table:
    """A row for each job."""
    rows = []
    for job in result.job_results:
        solved = job.optimization_result
        row: dict[str, Any] = {
            "job_id": job.job_id,
            "job_name": job.job_name,
            "success": job.success,
            "status": job.status,
            "error": job.error,
            "duration_s": job.duration,
            "cost_reduction_pct": job.cost_reduction_percent,
        }
        if solved is not None:
            row |= {"held_out_mm": solved.held_out_mm, "held_out_se_mm": solved.held_out_se_mm,
                    "rms_mm": solved.rms_mm, "final_cost": solved.final_cost, "initial_cost": solved.initial_cost,
                    "iterations": solved.iterations}  # fmt: skip
        row |= {f"param_{name}": value for name, value in job.parameters.items()}
        row |= {f"meta_{name}": value for name, value in job.metadata.items() if name not in job.parameters}
        rows.append(row)
    more = dict.fromkeys(name for row in rows for name in row if name not in _COLUMNS)
    return Table([*_COLUMNS, *more], rows)


def _spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    found = [value for value in values if value is not None and math.isfinite(value)]
    if not found:
        return {"n": 0, "mean": None, "std": None, "min": None, "max": None, "median": None}
    return {
        "n": len(found),
        "mean": stats.fmean(found),
        "std": stats.stdev(found) if len(found) > 1 else None,
        "min": min(found),
        "max": max(found),
        "median": stats.median(found),
    }


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _plain(value: Any) -> Any:
    """As JSON has it: null for what is no finite number, text for what it has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)
