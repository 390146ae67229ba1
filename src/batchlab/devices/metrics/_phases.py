"""The relaxations of one trace, fitted together: before the light, in it and after it; and the drift under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from batchlab.devices.metrics._relaxation import Relaxation, fit_sets
from batchlab.devices.metrics._trace import (
    TOGETHER,
    Level,
    Line,
    Stretch,
    Trace,
    correlation_factor,
    fitted_line,
    level_at,
    line,
)

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Baseline", "Phases", "Shift", "baseline_of", "known", "phases_of", "phases_of_each", "quality"]

T = TypeVar("T")

_PLAIN_EVIDENCE = 10.0  # by which Akaike's criterion must favour a curve over a line
_CURVE_DOUBT = 0.4  # of what a curve goes on to change: by so much other curves of relaxation differ
_NOTICED = 2e-3  # of a window's range: a smaller drift moves no time constant
_KNOWN = 0.2  # of a change that a drift leaves: the most that the drift may be unsure of it


@dataclass(frozen=True, slots=True)
class Shift:
    """What the drift of the dark before the light does to a fitted relaxation.

    Attributes
    ----------
    drift
        Its change over the stretch.
    taken
        Whether it was taken away before the fit: it is plain, and leaves the change well known.
    plain
        Whether it is beyond two of its standard errors.
    tau_error_s, beta_error
        What the parameters owe to not knowing it better.
    """

    drift: Level
    taken: bool
    plain: bool
    tau_error_s: float
    beta_error: float


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """Fits around the longest pulse, each since its own start; None where a stretch is absent or too short.

    Attributes
    ----------
    before, light, after
        Dark stretch before the longest pulse, the pulse, the dark stretch after it.
    dark
        Longest dark stretch after any light, and its fit.
    shifts
        Of `light`, `after` and `dark`, by these names: what the drift does to them; missing where it does nothing.
    """

    before: Relaxation | None
    light: Relaxation | None
    after: Relaxation | None
    dark: Relaxation | None
    dark_stretch: Stretch | None
    shifts: Mapping[str, Shift]


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
    slope_doubt
        Of the line: half of what its two halves differ in slope beyond the noise.
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
    slope_doubt: float = 0.0
    curve: Relaxation | None = None
    spread: float = 1.0

    def __call__(self, t: Array) -> Array:
        """Its values at times in s of the trace."""
        if self.curve is not None:
            return self.curve(t - self.start_s)
        return self.value + self.slope * (t - self.middle)

    def change(self, begin_s: float, end_s: float) -> Level:
        """By how much it goes on between two times, with the error of going on: that of the fit, and of its form."""
        if self.curve is None:
            long = end_s - begin_s
            return Level(self.slope * long, float(np.hypot(self.slope_error, self.slope_doubt)) * abs(long))
        by = self.curve.gradient(end_s - self.start_s) - self.curve.gradient(begin_s - self.start_s)
        variance = float(by @ np.array(self.curve.covariance) @ by)
        begin, end = self(np.array([begin_s, end_s]))
        error = float(np.sqrt(max(variance, 0.0))) * self.spread
        return Level(float(end - begin), float(np.hypot(error, _CURVE_DOUBT * (end - begin))))


def known(drift: Level, change: float) -> bool:
    """Whether a drift is plain, and known well against the recorded change and against what it leaves of that.

    A guessed one bends a response, or makes one.
    """
    least = min(abs(change), abs(change - drift.value))
    return bool(abs(drift.value) > 2 * drift.error and drift.error < _KNOWN * least)


def phases_of(trace: Trace, constants: Any) -> Phases:
    """All fits around the light in one go, less the drift of the dark before it."""
    return phases_of_each([trace], constants)[0]


def phases_of_each(traces: Sequence[Trace], constants: Any) -> list[Phases]:
    """`phases_of` each, fitted together; those of the last `TOGETHER` traces are known from then on."""
    k = constants
    search = _search_of(k)
    baselines = _baselines_of(traces, k)
    keys = [
        (trace, baseline, k.MIN_RELAXATION_S, k.MIN_RELAXATION_POINTS, search, k.LEVEL_FRACTION)
        for trace, baseline in zip(traces, baselines, strict=True)
    ]

    def work(missing: Sequence[tuple[Any, ...]]) -> list[Phases]:
        asked = [_asked(trace, baseline, least_s, least, part) for trace, baseline, least_s, least, _, part in missing]
        fits = fit_sets([(list(each.windows.values()), each.edges) for each in asked], **_words(search))
        return [_phases(each, found) for each, found in zip(asked, fits, strict=True)]

    return _each(_PHASES, keys, work)


# The extractors of one run follow each other and share its fits.
_BASELINES: dict[tuple[Any, ...], Baseline | None] = {}
_PHASES: dict[tuple[Any, ...], Phases] = {}


def _each(
    known: dict[tuple[Any, ...], T],
    keys: Sequence[tuple[Any, ...]],
    work: Callable[[Sequence[tuple[Any, ...]]], Sequence[T]],
) -> list[T]:
    """What is known of keys; what is not is worked out together, and the last is kept."""
    found = {key: known[key] for key in keys if key in known}
    missing = [key for key in keys if key not in found]
    for key, value in zip(missing, work(missing) if missing else (), strict=True):
        found[key] = known[key] = value
        if len(known) > TOGETHER:
            del known[next(iter(known))]
    return [found[key] for key in keys]


def _search_of(k: Any) -> tuple[int, float, tuple[float, float]]:
    """How relaxations are searched."""
    return k.STRETCHED_EXP_MAX_ITERATIONS, k.STRETCHED_EXP_TOLERANCE, tuple(k.BETA_RANGE)


def _words(search: tuple[int, float, tuple[float, float]]) -> dict[str, Any]:
    """The same as keywords."""
    return dict(zip(("max_iterations", "tolerance", "beta_range"), search, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The windows of a trace that are to be fitted, the errors of their starts, and what the drift does to each."""

    windows: dict[tuple[int, int], tuple[Array, Array]]
    edges: list[float]
    drifts: dict[tuple[int, int], tuple[Level, bool, bool, Array]]
    before: tuple[int, int] | None
    keys: dict[str, tuple[int, int] | None]
    dark: Stretch | None


def _asked(trace: Trace, baseline: Baseline | None, min_s: float, min_points: int, level_part: float) -> _Asked:
    """What is to be fitted of a trace."""
    stretches = trace.stretches
    windows: dict[tuple[int, int], tuple[Array, Array]] = {}
    edges: list[float] = []
    drifts: dict[tuple[int, int], tuple[Level, bool, bool, Array]] = {}

    def ask(stretch: Stretch | None, *, drifting: bool = True) -> tuple[int, int] | None:
        """Put a stretch on the list, without its first sample and less its drift where that is known; say where."""
        if stretch is None or stretch.duration_s < min_s or stretch.rows < min_points:
            return None
        key = (stretch.start + 1, stretch.stop)
        if key in windows:
            return key
        t, y = trace.t[slice(*key)], trace.y[slice(*key)]
        if drifting and baseline is not None:
            drift = baseline.change(stretch.start_s, stretch.end_s)
            if abs(drift.value) + drift.error > _NOTICED * float(np.ptp(y)):
                rows = max(round(y.size * level_part), 1)
                plain = abs(drift.value) > 2 * drift.error
                taken = known(drift, float(y[-rows:].mean() - y[0]))
                # What is not taken away stays open in its own shape; of the rest only how well it is known.
                shape = baseline(t) - baseline(t[:1])
                if taken:
                    y = y - shape
                left = shape if plain and not taken else drift.error * (t - t[0]) / stretch.duration_s
                drifts[key] = drift, taken, plain, left
        windows[key] = (t - stretch.start_s, y)
        edges.append(stretch.edge_error_s)
        return key

    main = trace.main
    around = [stretches[i] if main is not None and i < len(stretches) else None for i in _around(main)]
    darks = [s for i, s in enumerate(stretches) if i and not s.lit]
    dark = max(darks, key=lambda s: s.duration_s, default=None)
    before = ask(around[0], drifting=False)
    keys = {"light": ask(around[1]), "after": ask(around[2]), "dark": ask(dark)}
    return _Asked(windows, edges, drifts, before, keys, dark)


def _phases(asked: _Asked, fits: Sequence[Relaxation | None]) -> Phases:
    """The fits of a trace, each at its place."""
    by_key = dict(zip(asked.windows, fits, strict=True))
    shifts: dict[str, Shift] = {}
    for name, key in asked.keys.items():
        fit = by_key.get(key) if key else None
        if key and fit is not None and key in asked.drifts:
            drift, taken, plain, left = asked.drifts[key]
            shifts[name] = Shift(drift, taken, plain, *fit.moved_by(asked.windows[key][0], left))
    light, after, dark_fit = (by_key.get(key) if key else None for key in asked.keys.values())
    return Phases(
        before=by_key.get(asked.before) if asked.before else None,
        light=light,
        after=after,
        dark=dark_fit,
        dark_stretch=asked.dark,
        shifts=shifts,
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
    return _baselines_of([trace], constants)[0]


def _baselines_of(traces: Sequence[Trace], constants: Any) -> list[Baseline | None]:
    """`baseline_of` each, fitted together."""
    k = constants
    search = _search_of(k)

    def work(missing: Sequence[tuple[Any, ...]]) -> list[Baseline | None]:
        lines = [_straight(trace, settle, least) for trace, settle, least, _ in missing]
        bent = [each for each in lines if each is not None and each.bent > 0]
        fits = fit_sets([([(each.t[1:] - each.t[0], each.y[1:])], ()) for each in bent], **_words(search))
        curves = {id(each): fit for each, (fit,) in zip(bent, fits, strict=True)}
        return [None if each is None else _baseline(each, curves.get(id(each))) for each in lines]

    return _each(_BASELINES, [(trace, k.SETTLE_FRACTION, k.MIN_DRIFT_FIT_POINTS, search) for trace in traces], work)


@dataclass(frozen=True, slots=True, eq=False)
class _Straight:
    """The settled dark before the light with its line; square of what its halves differ in slope beyond the noise."""

    t: Array
    y: Array
    line: Line
    bent: float


def _straight(trace: Trace, settle: float, min_points: int) -> _Straight | None:
    """None without light, or where too few samples came before it."""
    if not trace.pulses:
        return None
    window = settled(trace, settle)
    if window.stop - window.start < min_points:
        return None
    t, y = trace.t[window], trace.y[window]
    half = t.size // 2
    (first, *_, first_error, _), (last, *_, last_error, _) = line(t[:half], y[:half]), line(t[half:], y[half:])
    # Where the halves differ beyond the noise the drift is no line, and goes on as neither of them.
    return _Straight(t, y, fitted_line(t, y), (last - first) ** 2 - first_error**2 - last_error**2)


def _baseline(before: _Straight, fit: Relaxation | None) -> Baseline:
    """The curve where the evidence for it is plain, else the line."""
    t, y, bent = before.t, before.y, before.bent
    slope, value, slope_error, r_squared, residual, sse, straight_alike = before.line
    if fit is not None and fit.converged and not fit.bounded:
        curve = fit(t[1:] - t[0])
        curved = y[1:] - curve
        # Samples that are alike are fewer than they seem: the evidence shrinks with them. What the better curve leaves
        # tells how alike they are; what the line leaves is the curve itself.
        alike = correlation_factor(curved)
        straight = float(residual[1:] @ residual[1:])
        evidence = (t.size - 1) * np.log(max(straight, 1e-300) / max(float(curved @ curved), 1e-300)) / alike**2 - 4
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
        value_error=noise * straight_alike / np.sqrt(t.size),
        slope_doubt=float(np.sqrt(max(bent, 0.0))) / 2,
    )


def edge_levels(trace: Trace, pulse: int, constants: Any) -> tuple[Level, Level]:
    """Levels right before a pulse and at its end."""
    dark, lit = trace.stretches[pulse - 1], trace.stretches[pulse]
    return (
        _level(trace, dark, constants.DARK_LEVEL_FRACTION, constants.MIN_SAMPLES_PER_STATE),
        _level(trace, lit, constants.LEVEL_FRACTION, constants.MIN_SAMPLES_PER_STATE),
    )


@lru_cache(maxsize=16)
def _level(trace: Trace, stretch: Stretch, part: float, least: int) -> Level:
    """Level at the end of a stretch from its last `part`; the extractors of one run share it."""
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
    elif not fit.tau_error_s * fit.correlation < 0.5 * fit.tau_s:
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
