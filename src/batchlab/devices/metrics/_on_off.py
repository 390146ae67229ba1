"""Ratio of largest to least current of a gate sweep, the least current itself, and what leaks through the gate."""

from __future__ import annotations

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._legs import jumps, sweep_of
from batchlab.devices.metrics._trace import noise_of

__all__ = ["GateLeakageExtractor", "OnOffExtractor"]

_GATE_CURRENTS = ("Ig (A)", "IG (A)", "Ig(A)")


class OnOffExtractor:
    """On/off ratio and off current, over both legs."""

    name = "on_off"
    metrics: tuple[str, ...] = ("on_off_ratio", "off_current")
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "IVgT"})
    version = "2"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Two rows, from medians of three neighbours: one bad reading makes no ratio."""
        k = context.constants
        sweep = sweep_of(run, k.MIN_LEG_COVERAGE)
        if isinstance(sweep, Skip):
            return sweep
        on, off, noise = 0.0, np.inf, 0.0
        for leg in sweep.full:
            size = np.abs(leg.y)
            middle = np.median(np.lib.stride_tricks.sliding_window_view(size, 3), axis=1)
            on, off = max(on, float(middle.max())), min(off, float(middle.min()))
            noise = max(noise, noise_of(leg.y))
        if off == 0.0 or on == 0.0:
            return Skip(Reason.DATA_QUALITY, "the current is 0 somewhere: its ratio says nothing")
        ratio = on / off
        checks: dict[str, float] = {}
        if off < k.MIN_SNR_GOOD * noise:
            checks["OFF_CURRENT_IN_NOISE"] = 0.5  # the true ratio is larger
        if any(np.mean(np.abs(leg.y) >= (1 - k.SATURATED_WITHIN) * on) >= 0.1 for leg in sweep.full):
            checks["SATURATED"] = 0.6
        if any(jumps(leg.y, k.MIN_JUMP) for leg in sweep.full):
            checks["JUMP"] = 0.3  # of two states of the device, and of no gate
        error = ratio * noise * float(np.hypot(1 / on, 1 / off))
        row = Row(self, run)
        return [
            row("on_off_ratio", ratio, "1", "extremes", error=error, checks=checks, json={"on_a": on, "off_a": off}),
            row("off_current", off, "A", "extremes", error=noise, checks=checks),
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """Positive; a ratio is at least 1."""
        value = metric.value_float
        return value is not None and bool(np.isfinite(value)) and value >= (1 if metric.unit == "1" else 0)


class GateLeakageExtractor:
    """Largest current through the gate, where the instrument recorded one."""

    name = "gate_leakage"
    metrics: tuple[str, ...] = ("gate_leakage",)
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "IVgT", "VVg"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """One row."""
        column = next((run.columns[name] for name in _GATE_CURRENTS if name in run.columns), None)
        if column is None or not np.isfinite(column).any():
            return Skip(Reason.MISSING_COLUMN, _GATE_CURRENTS[0])
        size = np.abs(column[np.isfinite(column)])
        drain = run.columns.get("I (A)")
        checks: dict[str, float] = {}
        if drain is not None and np.isfinite(drain).any() and size.max() > 0.1 * float(np.nanmin(np.abs(drain))):
            checks["LEAKAGE_NEAR_DRAIN_CURRENT"] = 0.5
        return [Row(self, run)("gate_leakage", float(size.max()), "A", "maximum", checks=checks)]

    def validate(self, metric: DerivedMetric) -> bool:
        """Not negative."""
        return metric.value_float is not None and metric.value_float >= 0
