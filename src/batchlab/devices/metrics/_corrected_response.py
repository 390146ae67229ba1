"""Change by light with the drift of the dark before it taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._phases import Baseline, baseline_of, edge_levels
from batchlab.devices.metrics._photoresponse import reasonable
from batchlab.devices.metrics._trace import Level, Trace, trace_of

__all__ = ["Corrected", "CorrectedResponseExtractor", "corrected_response", "drift_doubts"]


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Change by light less the drift.

    Attributes
    ----------
    delta
        Mean over all pulses.
    deltas
        Of each pulse.
    raw, drift
        Means of what was recorded, and of what the drift foretold.
    baseline
        The drift.
    """

    delta: Level
    deltas: tuple[float, ...]
    raw: float
    drift: Level
    baseline: Baseline


def corrected_response(trace: Trace, constants: Any) -> Corrected | Skip:
    """Change by each pulse beyond the drift that the dark before the first foretells, and the mean.

    The windows come from the recorded light: the drift is fitted on the first dark stretch after it has settled, the
    change is that from edge to edge.
    """
    pulses = [i for i in trace.pulses if trace.stretches[i].rows >= constants.MIN_SAMPLES_PER_STATE]
    if not pulses:
        return Skip(Reason.PRECONDITION_FAILED, "the light never went on after a dark stretch")
    first = trace.stretches[0]
    baseline = baseline_of(trace, constants)
    if baseline is None or first.duration_s < constants.MIN_DRIFT_FIT_S:
        return Skip(
            Reason.DATA_QUALITY, f"the dark before the light ({first.duration_s:.3g} s) is too short for a drift"
        )
    levels = [edge_levels(trace, i, constants) for i in pulses]
    drifts = [baseline.change(trace.stretches[i].start_s, trace.stretches[i].end_s) for i in pulses]
    raw = np.array([on.value - off.value for off, on in levels])
    drift = np.array([each.value for each in drifts])
    # Levels are measured anew in each pulse; the drift is one, and wrong in all of them alike.
    shared = float(np.mean([each.error for each in drifts]))
    own = float(np.sqrt(sum(off.error**2 + on.error**2 for off, on in levels))) / len(pulses)
    deltas = raw - drift
    return Corrected(
        Level(float(deltas.mean()), float(np.hypot(own, shared))),
        tuple(deltas.tolist()),
        float(raw.mean()),
        Level(float(drift.mean()), shared),
        baseline,
    )


def drift_doubts(found: Corrected) -> dict[str, float]:
    """Failed checks that concern the response against its own error and the drift, with their penalties."""
    checks: dict[str, float] = {}
    if abs(found.delta.value) < 2 * found.delta.error:
        checks["NO_RESPONSE"] = 0.2
    if abs(found.drift.value) > abs(found.raw):
        checks["DRIFT_DOMINATES"] = 0.5  # the value is the drift that was foretold more than what was recorded
    return checks


class CorrectedResponseExtractor:
    """Change by light, drift taken away."""

    name = "corrected_response"
    metrics: tuple[str, ...] = ("delta_i_corrected", "delta_v_corrected")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "2"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row, with the drift's own fit beside it."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        found = corrected_response(trace, k)
        if isinstance(found, Skip):
            return found
        delta, drift = found.delta, found.baseline
        checks = drift_doubts(found)
        if abs(delta.value) < k.MIN_SNR_GOOD * drift.noise:
            checks["LOW_SNR"] = 0.5
        if delta.error > 0.2 * abs(delta.value):
            checks["DRIFT_UNCERTAIN"] = 0.7
        if len(found.deltas) > 1 and np.std(found.deltas, ddof=1) > k.MIN_CYCLE_AGREEMENT * abs(delta.value):
            checks["INCONSISTENT_CYCLES"] = 0.7
        if not reasonable(delta.value, trace.unit, k):
            checks["UNREASONABLE_DELTA"] = 0.3
        json = {
            "cycles": len(found.deltas),
            "deltas": list(found.deltas),
            "raw": found.raw,
            "drift": drift.method,
            "drift_change": found.drift.value,
            "drift_change_error": found.drift.error,
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
