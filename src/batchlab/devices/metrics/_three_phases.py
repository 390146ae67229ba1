"""Relaxations before, in and after the longest pulse of light."""

from __future__ import annotations

from typing import Any

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._phases import phases_of, quality
from batchlab.devices.metrics._tau_dark import described, drift_check
from batchlab.devices.metrics._trace import trace_of

__all__ = ["ThreePhasesExtractor"]


class ThreePhasesExtractor:
    """Time constant in the light, where all three phases are long enough; all three fits stand in the JSON."""

    name = "three_phases"
    metrics: tuple[str, ...] = ("its_three_phase_relaxation",)
    category = Category.PHOTORESPONSE
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "2"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row: the value is that of the light."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        if trace.main is None or trace.main + 1 >= len(trace.stretches):
            return Skip(Reason.PRECONDITION_FAILED, "no light between two dark stretches")
        around = trace.stretches[trace.main - 1 : trace.main + 2]
        least = k.MIN_PHASE_S * (1 - k.PHASE_TOLERANCE)
        if min(s.duration_s for s in around) < least:
            lengths = ", ".join(f"{s.duration_s:.3g} s" for s in around)
            return Skip(Reason.PRECONDITION_FAILED, f"phases last {lengths}; each needs {k.MIN_PHASE_S:g} s")
        phases = phases_of(trace, k)
        fits = {"pre_dark": phases.before, "light": phases.light, "post_dark": phases.after}
        present = {name: fit for name, fit in fits.items() if fit is not None and fit.converged}
        if len(present) < 3:
            return Skip(Reason.ALGORITHM_FAILURE, f"no fit of {', '.join(sorted(set(fits) - set(present)))}")
        light = present["light"]
        if light.bounded:
            return Skip(Reason.QUALITY_FAILURE, "the time constant lies outside what the record can show")
        if light.r_squared < k.MIN_R_SQUARED_FIT:
            return Skip(Reason.QUALITY_FAILURE, f"the fit in the light explains {light.r_squared:.0%} of the variance")
        checks, notes = quality(light, around[1].duration_s, k)
        # A flat dark phase is nothing bad: it has no relaxation to be fitted.
        notes += [
            f"{name.upper()}_NOT_RELAXING"
            for name, fit in present.items()
            if name != "light" and (fit.bounded or fit.r_squared < k.MIN_R_SQUARED_FIT)
        ]
        shifts = {"light": phases.shifts.get("light"), "post_dark": phases.shifts.get("after")}
        checks |= drift_check(shifts["light"])
        json: dict[str, Any] = {name: described(fit, trace.unit, shifts.get(name)) for name, fit in present.items()}
        return [
            Row(self, run)(
                "its_three_phase_relaxation",
                light.tau_s,
                "s",
                "stretched-exponential",
                error=json["light"]["tau_error_s"],
                checks=checks,
                notes=notes,
                json=json,
            )
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """A time constant that a run can show."""
        return within(metric, *_constants.TAU_RANGE_S)
