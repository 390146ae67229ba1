"""The relaxations of one trace, fitted together: before the light, in it and after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices.metrics._relaxation import Relaxation, fit_relaxations
from batchlab.devices.metrics._trace import Level, Stretch, Trace, correlation_factor, level_at, line

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Baseline", "Phases", "baseline_of", "phases_of", "quality"]

_PLAIN_EVIDENCE = 10.0  # by which Akaike's criterion must favour a curve over a line


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """Fits around the longest pulse, each since its own start; None where a stretch is absent or too short.

    Attributes
    ----------
    before, light, after
        Dark stretch before the longest pulse, the pulse, the dark stretch after it.
    dark
        Longest dark stretch after any light, and its fit.
    drift
        Settled part of the dark before the first light, and its fit.
    """

    before: Relaxation | None
    light: Relaxation | None
    after: Relaxation | None
    dark: Relaxation | None
    dark_stretch: Stretch | None
    drift: Relaxation | None
    drift_window: slice | None


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What the quantity would have been without light, from the dark before it.

    Attributes
    ----------
    method
        ``line`` or ``stretched-exponential``.
    start_s
        Time its window begins.
    r_squared
        Of the fit on the window.
    noise
        Standard deviation of the residuals.
    slope, middle, value
        Of the line: slope, time and value at the middle of the window.
    slope_error, value_error
        Their standard errors.
    curve
        Of the stretched exponential, in seconds since `start_s`.
    spread
        By how much alike neighbours widen the curve's errors.
    """

    method: str
    start_s: float
    rows: int
    r_squared: float
    noise: float
    slope: float = 0.0
    middle: float = 0.0
    value: float = 0.0
    slope_error: float = 0.0
    value_error: float = 0.0
    curve: Relaxation | None = None
    spread: float = 1.0

    def __call__(self, t: Array) -> Array:
        """Its values at times in s of the trace."""
        if self.curve is not None:
            return self.curve(t - self.start_s)
        return self.value + self.slope * (t - self.middle)

    def change(self, begin_s: float, end_s: float) -> Level:
        """By how much it goes on between two times, with the error of going on."""
        if self.curve is None:
            return Level(self.slope * (end_s - begin_s), self.slope_error * (end_s - begin_s))
        by = self.curve.gradient(end_s - self.start_s) - self.curve.gradient(begin_s - self.start_s)
        variance = float(by @ np.array(self.curve.covariance) @ by)
        begin, end = self(np.array([begin_s, end_s]))
        return Level(float(end - begin), float(np.sqrt(max(variance, 0.0))) * self.spread)


def phases_of(trace: Trace, constants: Any) -> Phases:
    """All fits of a trace in one go."""
    k = constants
    return _phases_of(
        trace,
        k.MIN_RELAXATION_S,
        k.MIN_RELAXATION_POINTS,
        k.SETTLE_FRACTION,
        k.MIN_DRIFT_FIT_POINTS,
        k.STRETCHED_EXP_MAX_ITERATIONS,
        k.STRETCHED_EXP_TOLERANCE,
        tuple(k.BETA_RANGE),
    )


@lru_cache(maxsize=2)
def _phases_of(
    trace: Trace,
    min_s: float,
    min_points: int,
    settle: float,
    min_drift_points: int,
    max_iterations: int,
    tolerance: float,
    beta_range: tuple[float, float],
) -> Phases:
    """As `phases_of`; the extractors of one run follow each other and share the fits."""
    stretches = trace.stretches
    windows: dict[tuple[int, int], tuple[Array, Array]] = {}
    edges: dict[tuple[int, int], float] = {}

    def ask(stretch: Stretch | None) -> tuple[int, int] | None:
        """Put a stretch on the list, without its first sample, and say where."""
        if stretch is None or stretch.duration_s < min_s or stretch.rows < min_points:
            return None
        key = (stretch.start + 1, stretch.stop)
        windows.setdefault(key, (trace.t[slice(*key)] - stretch.start_s, trace.y[slice(*key)]))
        edges.setdefault(key, stretch.edge_error_s)
        return key

    main = trace.main
    around = [stretches[i] if main is not None and i < len(stretches) else None for i in _around(main)]
    keys = [ask(s) for s in around]
    darks = [s for i, s in enumerate(stretches) if i and not s.lit]
    dark = max(darks, key=lambda s: s.duration_s, default=None)
    dark_key = ask(dark)
    window = drift_key = None
    if trace.pulses:
        window = settled(trace, settle)
        drift_key = (window.start + 1, window.stop)
        if window.stop - window.start > min_drift_points:
            t = trace.t[window]
            windows.setdefault(drift_key, (t[1:] - t[0], trace.y[window][1:]))
    fits = fit_relaxations(
        list(windows.values()),
        edge_errors_s=[edges.get(key, 0.0) for key in windows],
        max_iterations=max_iterations,
        tolerance=tolerance,
        beta_range=beta_range,
    )
    by_key = dict(zip(windows, fits, strict=True))
    before, light, after = (by_key.get(key) if key else None for key in keys)
    return Phases(
        before=before,
        light=light,
        after=after,
        dark=by_key.get(dark_key) if dark_key else None,
        dark_stretch=dark,
        drift=by_key.get(drift_key) if drift_key else None,
        drift_window=window,
    )


def settled(trace: Trace, settle: float) -> slice:
    """Samples of the first dark stretch without its first part, in which the device settles."""
    first = trace.stretches[0]
    begin = first.start_s + settle * first.duration_s
    start = int(np.searchsorted(trace.t[first.samples], begin)) + first.start
    return slice(start, first.stop)


def baseline_of(trace: Trace, constants: Any) -> Baseline | None:
    """The drift of the dark before the first light: a line, or a relaxation where the evidence is plain.

    None if there are too few samples or no light.
    """
    phases = phases_of(trace, constants)
    window = phases.drift_window
    if window is None or window.stop - window.start < constants.MIN_DRIFT_FIT_POINTS:
        return None
    t, y = trace.t[window], trace.y[window]
    slope, value, slope_error, r_squared = line(t, y)
    residual = y - value - slope * (t - t.mean())
    sse = float(residual @ residual)
    factor = correlation_factor(residual)
    fit = phases.drift
    if fit is not None and fit.converged and not fit.bounded:
        curve = fit(t[1:] - t[0])
        curved = y[1:] - curve
        # Samples that are alike are fewer than they seem: the evidence shrinks with them.
        straight = float(residual[1:] @ residual[1:])
        evidence = (t.size - 1) * np.log(max(straight, 1e-300) / max(float(curved @ curved), 1e-300)) / factor**2 - 4
        if evidence > _PLAIN_EVIDENCE and fit.tau_s < 10 * (t[-1] - t[0]):
            noise = float(np.sqrt(curved @ curved / max(t.size - 5, 1)))
            return Baseline(
                "stretched-exponential", float(t[0]), t.size, fit.r_squared, noise, curve=fit, spread=fit.correlation
            )
    noise = float(np.sqrt(sse / max(t.size - 2, 1)))
    return Baseline(
        "line",
        float(t[0]),
        t.size,
        r_squared,
        noise,
        slope=slope,
        middle=float(t.mean()),
        value=value,
        slope_error=slope_error,
        value_error=noise * factor / np.sqrt(t.size),
    )


def edge_levels(trace: Trace, pulse: int, constants: Any) -> tuple[Level, Level]:
    """Levels right before a pulse and at its end."""
    dark, lit = trace.stretches[pulse - 1], trace.stretches[pulse]
    return (
        _level(trace, dark, constants.DARK_LEVEL_FRACTION, constants.MIN_SAMPLES_PER_STATE),
        _level(trace, lit, constants.LEVEL_FRACTION, constants.MIN_SAMPLES_PER_STATE),
    )


def _level(trace: Trace, stretch: Stretch, part: float, least: int) -> Level:
    """Level at the end of a stretch from its last `part`."""
    rows = min(max(round(stretch.rows * part), least), stretch.rows)
    near = slice(stretch.stop - rows, stretch.stop)
    return level_at(trace.t[near], trace.y[near], stretch.end_s)


def quality(fit: Relaxation, duration_s: float, constants: Any) -> tuple[dict[str, float], list[str]]:
    """Failed checks with their penalties, and notes, of a fitted relaxation."""
    checks: dict[str, float] = {}
    notes: list[str] = []
    if not fit.converged:
        checks["FIT_NOT_CONVERGED"] = 0.5
    r2 = fit.r_squared
    if r2 < constants.LOW_R_SQUARED:
        checks["LOW_R_SQUARED"] = 0.5 * 0.7 * 0.8
    elif r2 < 0.9:
        checks["FAIR_R_SQUARED"] = 0.7 * 0.8
    elif r2 < 0.95:
        checks["FAIR_R_SQUARED"] = 0.8
    if fit.iterations > 0.8 * constants.STRETCHED_EXP_MAX_ITERATIONS:
        checks["MANY_ITERATIONS"] = 0.9
    if fit.tau_s > duration_s:
        checks["TAU_BEYOND_WINDOW"] = 0.5  # the data end before the relaxation does
    elif not fit.tau_error_s < 0.5 * fit.tau_s:
        checks["TAU_UNCERTAIN"] = 0.5
    if fit.tau_s < 1.0:
        notes.append("VERY_FAST")
    if fit.tau_s > 5e4:
        notes.append("EXTREMELY_SLOW")
    elif fit.tau_s > 1e4:
        notes.append("VERY_SLOW")
    if fit.beta < 0.3:
        notes.append("HIGHLY_STRETCHED")
    if fit.beta > 0.95:
        notes.append("NEAR_EXPONENTIAL")
    return checks, notes


def _around(main: int | None) -> tuple[int, int, int]:
    """Positions before, of and after the longest pulse."""
    return (0, 0, 0) if main is None else (main - 1, main, main + 1)
