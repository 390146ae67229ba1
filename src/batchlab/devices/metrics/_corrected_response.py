"""Change by light with the drift of the dark before it taken away."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._phases import Baseline, baseline_of, edge_levels
from batchlab.devices.metrics._photoresponse import reasonable
from batchlab.devices.metrics._trace import Level, Trace, trace_of

__all__ = ["CorrectedResponseExtractor", "corrected_response"]


def corrected_response(trace: Trace, constants: Any) -> tuple[Level, Baseline] | Skip:
    """Change by the longest pulse beyond the drift that the dark before it foretells.

    The windows come from the recorded light: the drift is fitted on the first dark stretch after it has settled, the
    change is that from edge to edge.
    """
    if not trace.pulses or trace.main is None:
        return Skip(Reason.PRECONDITION_FAILED, "the light never went on after a dark stretch")
    first = trace.stretches[0]
    baseline = baseline_of(trace, constants)
    if baseline is None or first.duration_s < constants.MIN_DRIFT_FIT_S:
        return Skip(
            Reason.DATA_QUALITY, f"the dark before the light ({first.duration_s:.3g} s) is too short for a drift"
        )
    lit = trace.stretches[trace.main]
    off, on = edge_levels(trace, trace.main, constants)
    drift = baseline.change(lit.start_s, lit.end_s)
    error = float(np.sqrt(on.error**2 + off.error**2 + drift.error**2))
    return Level(on.value - off.value - drift.value, error), baseline


class CorrectedResponseExtractor:
    """Change by light, drift taken away."""

    name = "corrected_response"
    metrics: tuple[str, ...] = ("delta_i_corrected", "delta_v_corrected")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row, with the drift's own fit beside it."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        found = corrected_response(trace, k)
        if isinstance(found, Skip):
            return found
        delta, drift = found
        checks: dict[str, float] = {}
        if abs(delta.value) < 2 * delta.error:
            checks["NO_RESPONSE"] = 0.2
        if abs(delta.value) < k.MIN_SNR_GOOD * drift.noise:
            checks["LOW_SNR"] = 0.5
        if delta.error > 0.2 * abs(delta.value):
            checks["DRIFT_UNCERTAIN"] = 0.7
        if not reasonable(delta.value, trace.unit, k):
            checks["UNREASONABLE_DELTA"] = 0.3
        json = {
            "drift": drift.method,
            "drift_window_s": [drift.start_s, trace.stretches[0].end_s],
            "drift_r_squared": drift.r_squared,
            "drift_slope": drift.slope if drift.curve is None else None,
            "noise": drift.noise,
        }
        name = "delta_v_corrected" if trace.unit == "V" else "delta_i_corrected"
        return [
            Row(self, run)(name, delta.value, trace.unit, "dark-drift", error=delta.error, checks=checks, json=json)
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """Not larger than a device can give."""
        return metric.value_float is not None and reasonable(metric.value_float, metric.unit, _constants)
