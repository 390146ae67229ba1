"""Derived metrics: from runs to values with errors, confidences and reasons where there is none."""

from batchlab.devices.metrics._corrected_response import corrected_response
from batchlab.devices.metrics._dirac_point import DiracPoint, maximum_resistance, parabola, robust_fit
from batchlab.devices.metrics._extract import Extraction, context_of, coverage_of, extract, extract_run
from batchlab.devices.metrics._extractor import ExtractionContext, Extractor, Reason, Row, Skip, Skipped
from batchlab.devices.metrics._geometry import Dielectric, Geometry
from batchlab.devices.metrics._legs import Leg, Sweep, split_legs, sweep_of
from batchlab.devices.metrics._mobility import Mobility, mobility
from batchlab.devices.metrics._pairing import Pair, PairingRules, find_pairs
from batchlab.devices.metrics._pairs import NAMES as PAIR_NAMES
from batchlab.devices.metrics._pairs import LegDifference, extract_pairs, leg_difference, pair_metrics
from batchlab.devices.metrics._phases import Baseline, Phases, baseline_of, phases_of
from batchlab.devices.metrics._power import (
    Age,
    Calibration,
    IrradiatedPower,
    calibration_of,
    irradiated_power,
    link_calibration,
    power_at,
)
from batchlab.devices.metrics._power_law import PowerLaw, extract_power_laws, power_law
from batchlab.devices.metrics._registry import ENTRY_POINTS, extractors, extractors_of
from batchlab.devices.metrics._relaxation import Relaxation, fit_relaxations
from batchlab.devices.metrics._responsivity import external_quantum_efficiency
from batchlab.devices.metrics._rise_fall import Crossing, crossing_time
from batchlab.devices.metrics._savgol import slopes
from batchlab.devices.metrics._series import span_of_each
from batchlab.devices.metrics._table import (
    KEY,
    Coverage,
    Upserted,
    Wide,
    add_history,
    metrics_frame,
    upsert,
    wide,
)
from batchlab.devices.metrics._threshold import constant_current, linear_extrapolation, subthreshold_swing
from batchlab.devices.metrics._trace import Level, Stretch, Trace, trace_of

__all__ = [
    "Age",
    "Baseline",
    "Calibration",
    "Coverage",
    "Crossing",
    "Dielectric",
    "DiracPoint",
    "ENTRY_POINTS",
    "Extraction",
    "ExtractionContext",
    "Extractor",
    "Geometry",
    "IrradiatedPower",
    "KEY",
    "Leg",
    "LegDifference",
    "Level",
    "Mobility",
    "PAIR_NAMES",
    "Pair",
    "PairingRules",
    "Phases",
    "PowerLaw",
    "Reason",
    "Relaxation",
    "Row",
    "Skip",
    "Skipped",
    "Stretch",
    "Sweep",
    "Trace",
    "Upserted",
    "Wide",
    "add_history",
    "baseline_of",
    "calibration_of",
    "constant_current",
    "context_of",
    "corrected_response",
    "coverage_of",
    "crossing_time",
    "external_quantum_efficiency",
    "extract",
    "extract_pairs",
    "extract_power_laws",
    "extract_run",
    "extractors",
    "extractors_of",
    "find_pairs",
    "fit_relaxations",
    "irradiated_power",
    "leg_difference",
    "linear_extrapolation",
    "link_calibration",
    "maximum_resistance",
    "metrics_frame",
    "mobility",
    "pair_metrics",
    "parabola",
    "phases_of",
    "power_at",
    "power_law",
    "robust_fit",
    "slopes",
    "span_of_each",
    "split_legs",
    "subthreshold_swing",
    "sweep_of",
    "trace_of",
    "upsert",
    "wide",
]
