r"""Responsivity and external quantum efficiency of a device under calibrated light."""

from __future__ import annotations

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._corrected_response import corrected_response, drift_doubts
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._power import doubts
from batchlab.devices.metrics._trace import trace_of

__all__ = ["ResponsivityExtractor", "external_quantum_efficiency"]

PLANCK = 6.62607015e-34  # J s
LIGHT_SPEED = 299792458.0  # m/s
ELEMENTARY_CHARGE = 1.602176634e-19  # C


def external_quantum_efficiency(responsivity_a_w: float, wavelength_nm: float) -> float:
    r"""Electrons per photon, :math:`R\,h c/(q\lambda)`; above 1 where the device has gain."""
    return responsivity_a_w * PLANCK * LIGHT_SPEED / (ELEMENTARY_CHARGE * wavelength_nm * 1e-9)


class ResponsivityExtractor:
    """Drift-corrected change per irradiated power, and electrons per photon."""

    name = "responsivity"
    metrics: tuple[str, ...] = ("responsivity", "external_quantum_efficiency")
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "2"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """A responsivity, signed as the change; an efficiency of currents."""
        k = context.constants
        power = context.power
        if power is None or power.power_w <= 0:
            return Skip(Reason.MISSING_METADATA, "no irradiated power: dark, or no calibration of its wavelength")
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        found = corrected_response(trace, k)
        if isinstance(found, Skip):
            return found
        delta = found.delta
        checks = doubts(power) | drift_doubts(found)
        value, error = delta.value / power.power_w, delta.error / power.power_w
        row = Row(self, run)
        json = {"delta": delta.value, "power_w": power.power_w}
        unit = f"{trace.unit}/W"
        rows = [row("responsivity", value, unit, "dark-drift", error=error, checks=checks, json=json)]
        wavelength = run.number("wavelength_nm")
        if trace.unit == "A" and wavelength > 0:
            factor = external_quantum_efficiency(1.0, wavelength)
            rows.append(
                row(
                    "external_quantum_efficiency",
                    abs(value) * factor,
                    "1",
                    "dark-drift",
                    error=error * factor,
                    checks=checks,
                )
            )
        return rows

    def validate(self, metric: DerivedMetric) -> bool:
        """A number."""
        return metric.value_float is not None and bool(np.isfinite(metric.value_float))
