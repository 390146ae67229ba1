"""Which parameters are best, and how results depend on one of them."""

from __future__ import annotations

import logging
import warnings
from difflib import get_close_matches
from typing import Any, Literal

from batchlab.builders import compare
from batchlab.compat.motion._config import INERT
from batchlab.compat.motion._paths import is_path
from batchlab.compat.motion._results import BatchJobResult, BatchResult, metric_of
from batchlab.compat.motion._table import Table
from batchlab.errors import ConfigError
from batchlab.motion._best import HELD_OUT, TRAINING, find_best
from batchlab.motion._candidate import end_note

__all__ = ["compare_parameter_sweep_results", "find_best_parameters"]

log = logging.getLogger(__name__)

_COLUMNS = ("parameter_value", "final_cost", "cost_reduction_pct", "iterations", "duration_s", "held_out_mm",
            "held_out_se_mm", "rms_mm", "job_name")  # fmt: skip
_MEANS = ("held_out_mm", "rms_mm", "iterations")


def compare_parameter_sweep_results(batch_result: BatchResult, parameter_name: str, means: bool = False) -> Table:
    """Results by the value of one parameter.

    Parameters
    ----------
    batch_result
        Of a sweep.
    parameter_name
        Its dotted path, as in ``weights.lambda_rigid``, or a key of the jobs' metadata.
    means
        Whether there is a row for each value, with means over all else that differs, instead of one for each job.

    Returns
    -------
    Table
        In ascending order of the value. For each job ``parameter_value``, ``final_cost``, ``cost_reduction_pct`` in %,
        ``iterations``, ``duration_s`` in s, the held-out score ``held_out_mm``, which alone compares jobs of different
        weights, with its standard error ``held_out_se_mm``, ``rms_mm`` and ``job_name``. For each value, with `means`,
        ``parameter_value``, how many ``jobs``, and means of ``held_out_mm``, ``rms_mm`` and ``iterations`` with their
        standard errors, as in ``held_out_mm_se``.

    Raises
    ------
    ConfigError
        If no job has the parameter, with the nearest that jobs have.
    """
    jobs = [job for job in batch_result.job_results if parameter_name in _told(job)]
    if not jobs:
        names = sorted({name for job in batch_result.job_results for name in _told(job)})
        near = get_close_matches(parameter_name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names) or 'none'}"
        raise ConfigError(f"no job has the parameter {parameter_name!r}; {hint}")
    if means:
        return _means(batch_result, parameter_name)
    rows = []
    for job in sorted(jobs, key=lambda each: _order(_told(each)[parameter_name])):
        row: dict[str, Any] = {
            "parameter_value": _told(job)[parameter_name],
            "cost_reduction_pct": job.cost_reduction_percent,
            "duration_s": job.duration,
            "job_name": job.job_name,
            "final_cost": job.metric("cost"),
        }
        row |= {name: job.metric(name) for name in ("held_out_mm", "held_out_se_mm", "rms_mm")}
        row["iterations"] = None if job.optimization_result is None else job.optimization_result.iterations
        rows.append(row)
    return Table(_COLUMNS, rows)


def find_best_parameters(
    batch_result: BatchResult,
    metric: str = "held-out",
    mode: Literal["min", "max"] = "min",
    one_standard_error: bool = True,
) -> dict[str, Any]:
    """The parameters that do best, by dotted path.

    Parameters
    ----------
    batch_result
        Of a sweep, or of any batch whose jobs differ in something.
    metric
        By default the held-out score: how far markers that were hidden from a fit lie from where it puts them.
        ``final_cost`` and any metric of the jobs can be asked for.
    mode
        Whether the least or the largest is best.
    one_standard_error
        Whether the smoothest is taken of all that do as well as the best to within one standard error.

    Returns
    -------
    dict
        For `apply_parameters`.

    Raises
    ------
    ConfigError
        If no job that is done has the metric, or jobs differ in nothing.

    Warns
    -----
    UserWarning
        If costs or residuals of jobs with different weights are compared: the unit of a cost is its weight, so the
        lowest cost is that of the lowest weight, and residuals are least where nothing is smoothed.

    Notes
    -----
    Where the best lies at the end of the values tried, this is logged as a warning.
    """
    if not any(name for job in batch_result.job_results for name in _parameters(job)):
        raise ConfigError("the jobs of this batch differ in no parameter; there is nothing to choose from")
    name = metric_of(metric)
    if name == HELD_OUT and not any(job.metric(HELD_OUT) is not None for job in batch_result.job_results):
        raise ConfigError(
            "no job that is done has a held-out score: set score='held-out' in its configuration and run it again; "
            "costs and residuals do not tell which weights are best"
        )
    over = {key for job in batch_result.job_results for key in job.metadata if not is_path(key)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        choice = find_best(batch_result.view, name, mode, over=over, one_standard_error=one_standard_error)
    for each in caught:
        warnings.warn(each.message, each.category, stacklevel=2)
    chosen = next(job for job in batch_result.job_results if job.job_name == choice.jobs[0])
    if name not in TRAINING:
        note = end_note(_weighing(chosen), [_weighing(job) for job in batch_result.job_results if job.success])
        if note is not None:
            log.warning("%s", note)
    return dict(_parameters(chosen))


def _weighing(job: BatchJobResult) -> dict[str, Any]:
    """Parameters that change something."""
    return {name: value for name, value in _parameters(job).items() if name not in INERT}


def _parameters(job: BatchJobResult) -> dict[str, Any]:
    """What jobs differ in: dotted paths, in order of the sweep."""
    swept = {name: value for name, value in job.metadata.items() if is_path(name)}
    return {**swept, **job.parameters}


def _told(job: BatchJobResult) -> dict[str, Any]:
    return {**job.metadata, **job.parameters}


def _means(batch_result: BatchResult, parameter_name: str) -> Table:
    rows = []
    for each in compare(batch_result.view, parameter_name):
        row: dict[str, Any] = {"parameter_value": each.value, "jobs": len(each.jobs)}
        for name in _MEANS:
            spread = each.metrics.get(name)
            if spread is not None and spread.count:
                row |= {name: spread.mean, f"{name}_se": spread.standard_error}
        rows.append(row)
    columns = ["parameter_value", "jobs", *(f"{name}{after}" for name in _MEANS for after in ("", "_se"))]
    return Table(columns, rows)


def _order(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0, float(value), ""
    return 1, 0.0, str(value)
