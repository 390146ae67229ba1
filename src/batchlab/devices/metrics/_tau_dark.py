"""Relaxation in the dark after light."""

from __future__ import annotations

from typing import Any

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._phases import phases_of, quality
from batchlab.devices.metrics._relaxation import Relaxation
from batchlab.devices.metrics._trace import trace_of

__all__ = ["DarkRelaxationExtractor", "described"]


class DarkRelaxationExtractor:
    """Time constant and exponent of the longest dark stretch after light."""

    name = "dark_relaxation"
    metrics: tuple[str, ...] = ("tau_dark", "beta_dark")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "1"

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
        row, json = Row(self, run), described(fit, trace.unit)
        more: dict[str, Any] = {"checks": checks, "notes": notes}
        return [
            row(
                "tau_dark",
                fit.tau_s,
                "s",
                "stretched-exponential",
                error=fit.tau_error_s * fit.correlation,
                json=json,
                **more,
            ),
            row("beta_dark", fit.beta, "1", "stretched-exponential", error=fit.beta_error * fit.correlation, **more),
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """A time constant that a run can show; an exponent above 0 and up to 1."""
        return within(metric, *(_constants.TAU_RANGE_S if metric.unit == "s" else (0.0, 1.0)))


def described(fit: Relaxation, unit: str) -> dict[str, Any]:
    """A fit as JSON."""
    return {
        "tau_s": fit.tau_s,
        "tau_error_s": fit.tau_error_s,
        "beta": fit.beta,
        "beta_error": fit.beta_error,
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
