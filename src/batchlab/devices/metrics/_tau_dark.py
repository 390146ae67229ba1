"""Relaxation in the dark after light."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._phases import Shift, phases_of, phases_of_each, quality
from batchlab.devices.metrics._relaxation import Relaxation
from batchlab.devices.metrics._trace import Trace, trace_of

__all__ = ["DarkRelaxationExtractor", "described", "drift_check"]


class DarkRelaxationExtractor:
    """Time constant and exponent of the longest dark stretch after light."""

    name = "dark_relaxation"
    metrics: tuple[str, ...] = ("tau_dark", "beta_dark")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "2"

    def ahead(self, runs: Sequence[Run], constants: Any) -> None:
        """Fit the relaxations of several runs together."""
        k = constants
        traces = [trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE) for run in runs]
        phases_of_each([trace for trace in traces if isinstance(trace, Trace)], k)

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Two rows; the single exponential stands in the JSON for comparison."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        phases = phases_of(trace, k)
        fit, stretch = phases.dark, phases.dark_stretch
        if stretch is None:
            return Skip(Reason.PRECONDITION_FAILED, "no dark stretch after light")
        if fit is None:
            return Skip(
                Reason.DATA_QUALITY,
                f"{stretch.rows} samples over {stretch.duration_s:.3g} s; a relaxation needs "
                f"{k.MIN_RELAXATION_POINTS} over {k.MIN_RELAXATION_S:g} s that vary",
            )
        if not fit.converged:
            return Skip(Reason.ALGORITHM_FAILURE, f"the fit did not converge in {fit.iterations} steps")
        if fit.bounded:
            return Skip(Reason.QUALITY_FAILURE, "the time constant lies outside what the record can show")
        if fit.r_squared < k.MIN_R_SQUARED_FIT:
            return Skip(Reason.QUALITY_FAILURE, f"the fit explains {fit.r_squared:.0%} of the variance")
        checks, notes = quality(fit, stretch.duration_s, k)
        shift = phases.shifts.get("dark")
        row, json = Row(self, run), described(fit, trace.unit, shift)
        checks |= drift_check(shift)
        more: dict[str, Any] = {"checks": checks, "notes": notes}
        return [
            row(
                "tau_dark",
                fit.tau_s,
                "s",
                "stretched-exponential",
                error=json["tau_error_s"],
                json=json,
                **more,
            ),
            row("beta_dark", fit.beta, "1", "stretched-exponential", error=json["beta_error"], **more),
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """A time constant that a run can show; an exponent above 0 and up to 1."""
        return within(metric, *(_constants.TAU_RANGE_S if metric.unit == "s" else (0.0, 1.0)))


def drift_check(shift: Shift | None) -> dict[str, float]:
    """A failed check where a plain drift went into a fit because what it leaves is not known well enough."""
    return {"DRIFT_IN_WINDOW": 0.7} if shift is not None and shift.plain and not shift.taken else {}


def described(fit: Relaxation, unit: str, shift: Shift | None = None) -> dict[str, Any]:
    """A fit as JSON; its errors count samples that are alike, and what the drift leaves open."""
    tau_doubt, beta_doubt = (shift.tau_error_s, shift.beta_error) if shift is not None else (0.0, 0.0)
    return {
        "drift_taken": shift.drift.value if shift is not None and shift.taken else 0.0,
        "tau_s": fit.tau_s,
        "tau_error_s": math.hypot(fit.tau_error_s * fit.correlation, tau_doubt),
        "beta": fit.beta,
        "beta_error": math.hypot(fit.beta_error * fit.correlation, beta_doubt),
        "amplitude": fit.amplitude,
        "amplitude_error": fit.amplitude_error,
        "offset": fit.offset,
        "offset_error": fit.offset_error,
        "unit": unit,
        "r_squared": fit.r_squared,
        "iterations": fit.iterations,
        "converged": fit.converged,
        "rows": fit.rows,
        "tau_single_s": fit.tau_single_s,
        "aic_stretched_less_single": fit.aic - fit.aic_single,
        "better": "stretched" if fit.aic < fit.aic_single else "single",
    }
