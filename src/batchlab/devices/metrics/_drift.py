"""Straight drift in the dark."""

from __future__ import annotations

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._phases import settled
from batchlab.devices.metrics._trace import line, trace_of

__all__ = ["DriftExtractor"]


class DriftExtractor:
    """Slope of the first dark stretch once it has settled; the whole run where it was dark throughout."""

    name = "drift"
    metrics: tuple[str, ...] = ("linear_drift",)
    category = Category.STABILITY
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "2"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row; a drift that is small against its error is a result and not a failure."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        if trace.stretches[0].lit:
            return Skip(Reason.PRECONDITION_FAILED, "the run begins in the light")
        window = settled(trace, k.SETTLE_FRACTION)
        t, y = trace.t[window], trace.y[window]
        if t.size < k.MIN_DRIFT_FIT_POINTS or t[-1] - t[0] < k.MIN_DRIFT_FIT_S:
            return Skip(Reason.DATA_QUALITY, f"{t.size} dark samples are too few for a drift")
        slope, value, error, r_squared = line(t, y)
        relative = slope / abs(value) if value else 0.0
        checks: dict[str, float] = {}
        notes = ["RISING" if slope > 0 else "FALLING"]
        if abs(relative) > k.LARGE_DRIFT_PER_S:
            notes.append("LARGE_DRIFT")
        if abs(slope) < 2 * error:
            notes.append("NEGLIGIBLE_DRIFT")
        elif r_squared < k.MIN_DRIFT_R_SQUARED:
            checks["LOW_R_SQUARED"] = 0.7
        json = {
            "r_squared": r_squared,
            "relative_per_s": relative,
            "window_s": [float(t[0]), float(t[-1])],
            "residual": float(np.std(y - value - slope * (t - t.mean()))),
        }
        unit = f"{trace.unit}/s"
        row = Row(self, run)
        return [row("linear_drift", slope, unit, "least-squares", error=error, checks=checks, notes=notes, json=json)]

    def validate(self, metric: DerivedMetric) -> bool:
        """A number."""
        return metric.value_float is not None and bool(np.isfinite(metric.value_float))
