"""Every threshold of the metrics, by name; extractors read them when they are called, never when imported."""

from __future__ import annotations

from types import SimpleNamespace

# Quality thresholds
MIN_RESISTANCE_MODULATION = 2.0  # R_max/R_min a leg needs for a Dirac point at its maximum resistance
MIN_SNR_GOOD = 3.0
MIN_R_SQUARED_FIT = 0.5

# Validation limits
MAX_REASONABLE_DELTA_CURRENT_A = 1e-3
MAX_REASONABLE_DELTA_VOLTAGE_V = 1.0
CNP_VOLTAGE_RANGE = (-15.0, 15.0)  # V; a sweep that goes further widens it, see `_dirac_point`

# Fitting parameters
STRETCHED_EXP_MAX_ITERATIONS = 100
STRETCHED_EXP_TOLERANCE = 1e-8

# Pairs
PAIRWISE_PROGRESS_INTERVAL = 10
BATCH_SIZE = 500
MIN_PAIR_OVERLAP_V = 1.0

# Sweeps
MIN_LEG_COVERAGE = 0.95  # of the swept range, for a leg to speak for its direction
MAX_GOOD_HYSTERESIS_V = 1.0
MIN_GOOD_MODULATION = 0.5  # (max - min)/max of the measured quantity
PARABOLA_WINDOW = 0.10  # of the leg's range
MAX_METHOD_SPREAD = 0.03  # of the swept range, between Dirac points of one run by different methods
MAX_GOOD_ASYMMETRY = 0.8  # difference over sum of a valley's two curvatures: mobilities a factor of three apart
MIN_ON_OFF_FOR_THRESHOLD = 100.0  # below it a channel never turns off and has no threshold; graphene reaches ten
MAX_DRAIN_OVER_OVERDRIVE = 0.5  # drain over gate voltage beyond the threshold, for a channel that is linear
MIN_SUBTHRESHOLD_DECADES = 1.0
SWEEP_END = 0.05  # of the swept range: a Dirac point this near to its end may as well lie beyond
MIN_JUMP = 0.2  # of the largest value, between two gate voltages: a contact or a gate broke down
SATURATED_WITHIN = 0.01  # of the maximum: a clipped meter
GM_WINDOW_POINTS = 9
GM_ORDER = 3
MAX_MOBILITY_SPREAD = 0.2  # of the mean, between both legs
MOBILITY_RANGE_CM2 = (10.0, 1e5)
Y_WINDOW_START = 0.3  # of a branch and of its current: nearer to the Dirac point, residual carriers bend the Y function
Y_SMOOTHING = 0.1  # of a leg, smoothed for its transconductance
MIN_Y_POINTS = 12
MIN_Y_R_SQUARED = 0.98

# Time traces
LIGHT_ON_VOLTAGE_V = 0.1
MIN_SAMPLES_PER_STATE = 5
SETTLE_FRACTION = 1 / 3  # of the first dark stretch, left out of a drift: 20 s of the usual 60 s
LEVEL_FRACTION = 0.10  # of a stretch, over which its level at an edge is taken
DARK_LEVEL_FRACTION = 0.20
MIN_CYCLE_AGREEMENT = 0.2
MAX_GOOD_NOISE_RATIO = 0.1
MIN_DRIFT_FIT_POINTS = 10
MIN_DRIFT_FIT_S = 10.0
MIN_DRIFT_R_SQUARED = 0.7
LARGE_DRIFT_PER_S = 0.01  # of the first value
MIN_NOISE_POINTS = 64
MIN_RECOVERY = 0.1  # of the rise, for a fall to be timed
CROSSINGS = (0.1, 0.9)
MAX_GAP_STEPS = 5.0  # usual times between samples: more about a crossing is a gap in the record
MIN_RELAXATION_S = 10.0
MIN_RELAXATION_POINTS = 50
MIN_PHASE_S = 60.0
PHASE_TOLERANCE = 0.02  # a phase of 60 s is recorded as 59.9 s
LOW_R_SQUARED = 0.8
TAU_RANGE_S = (0.01, 1e5)
BETA_RANGE = (0.05, 1.0)

# Light
CALIBRATION_STALE_H = 24.0
WAVELENGTH_TOLERANCE_NM = 1.0
MIN_POWER_LAW_POINTS = 3
SAME_GATE_V = 0.1  # gates set from the last Dirac point differ by what that moved, and are one series

_NAMES = tuple(name for name in list(globals()) if name.isupper() and not name.startswith("_"))


def changed(**changes: object) -> SimpleNamespace:
    """All constants with some changed, for an `ExtractionContext`.

    Raises
    ------
    AttributeError
        If a name is not one of the constants.
    """
    unknown = sorted(set(changes) - set(_NAMES))
    if unknown:
        raise AttributeError(f"no constant {', '.join(unknown)}; the constants are {', '.join(_NAMES)}")
    return SimpleNamespace(**{name: globals()[name] for name in _NAMES} | changes)
