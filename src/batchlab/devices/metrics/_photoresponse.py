"""Change of current or voltage by light, cycle by cycle, as it was recorded."""

from __future__ import annotations

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._phases import baseline_of, edge_levels, settled
from batchlab.devices.metrics._trace import line, noise_of, trace_of

__all__ = ["PhotoresponseExtractor", "reasonable"]


class PhotoresponseExtractor:
    """Level at the end of the light less the level right before it, the mean over cycles."""

    name = "photoresponse"
    metrics: tuple[str, ...] = ("delta_current", "delta_voltage")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "3"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row: levels are fitted beside the edges, so that one noisy sample decides nothing."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        pulses = [i for i in trace.pulses if trace.stretches[i].rows >= k.MIN_SAMPLES_PER_STATE]
        if not pulses:
            return Skip(Reason.PRECONDITION_FAILED, "the light never went on after a dark stretch")
        levels = [edge_levels(trace, i, k) for i in pulses]
        deltas = np.array([on.value - off.value for off, on in levels])
        errors = np.array([np.hypot(on.error, off.error) for off, on in levels])
        delta = float(deltas.mean())
        noise_error = float(np.sqrt(np.sum(errors**2))) / deltas.size
        # Drift is in the value, as it was recorded: what it may be of it is an error of the response to light.
        baseline = baseline_of(trace, k) if trace.stretches[0].duration_s >= k.MIN_DRIFT_FIT_S else None
        drift = drift_error = 0.0
        if baseline is not None:
            drifts = [baseline.change(trace.stretches[i].start_s, trace.stretches[i].end_s) for i in pulses]
            drift = float(np.mean([each.value for each in drifts]))
            drift_error = float(np.mean([each.error for each in drifts]))
        error = float(np.linalg.norm([noise_error, drift, drift_error]))
        quiet = settled(trace, k.SETTLE_FRACTION)
        t, y = trace.t[quiet], trace.y[quiet]
        noise = noise_of(trace.y)
        if t.size >= k.MIN_SAMPLES_PER_STATE:
            slope, value, *_ = line(t, y)
            noise = float(np.std(y - value - slope * (t - t.mean())))
        snr = abs(delta) / noise if noise > 0 else float("inf")
        spread = float(deltas.std(ddof=1) / abs(delta)) if deltas.size > 1 and delta else 0.0
        checks: dict[str, float] = {}
        if abs(delta) < 2 * noise_error:
            checks["NO_RESPONSE"] = 0.2
        elif abs(delta) < 2 * error:
            checks["DRIFT_IN_RESPONSE"] = 0.7
        if snr < k.MIN_SNR_GOOD:
            checks["LOW_SNR"] = 0.5
        elif snr * k.MAX_GOOD_NOISE_RATIO < 1:
            checks["NOISY"] = 0.8
        if spread > k.MIN_CYCLE_AGREEMENT:
            checks["INCONSISTENT_CYCLES"] = 0.7
        name = "delta_voltage" if trace.unit == "V" else "delta_current"
        if not reasonable(delta, trace.unit, k):
            checks["UNREASONABLE_DELTA"] = 0.3
        json = {
            "cycles": deltas.size,
            "deltas": deltas.tolist(),
            "dark_levels": [off.value for off, _ in levels],
            "light_levels": [on.value for _, on in levels],
            "on_s": [trace.stretches[i].start_s for i in pulses],
            "off_s": [trace.stretches[i].end_s for i in pulses],
            "noise": noise,
            "noise_error": noise_error,
            "drift_change": None if baseline is None else drift,
            "snr": snr if np.isfinite(snr) else None,
            "ratio": levels[0][1].value / levels[0][0].value if levels[0][0].value else None,
        }
        return [Row(self, run)(name, delta, trace.unit, "edge-levels", error=error, checks=checks, json=json)]

    def validate(self, metric: DerivedMetric) -> bool:
        """Not larger than a device can give."""
        return metric.value_float is not None and reasonable(metric.value_float, metric.unit, _constants)


def reasonable(delta: float, unit: str, constants: object) -> bool:
    """Whether a change by light is one that a device of this kind can give."""
    limit = "MAX_REASONABLE_DELTA_VOLTAGE_V" if unit == "V" else "MAX_REASONABLE_DELTA_CURRENT_A"
    return bool(abs(delta) <= getattr(constants, limit))
