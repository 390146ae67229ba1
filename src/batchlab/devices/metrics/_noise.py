r"""Noise of the dark current: its spectral density at 1 Hz, and how it falls with frequency."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip
from batchlab.devices.metrics._phases import settled
from batchlab.devices.metrics._trace import median, trace_of

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["NoiseExtractor", "Spectrum", "noise_spectrum"]

_LOG_MEAN = -0.5772156649015329  # of the logarithm of an exponential variable of mean 1
_LOG_VARIANCE = math.pi**2 / 6
_LOWEST = 3  # first frequency that taking a line away leaves alone, counted in turns of the record
_ALIKE = 1.9  # by how much Hann's window widens variances: neighbouring frequencies are alike


@dataclass(frozen=True, slots=True)
class Spectrum:
    r"""A power law :math:`S(f) = S_1 f^{-\gamma}` through a periodogram.

    Attributes
    ----------
    density, density_error
        Root of the spectral density at 1 Hz, in the unit of the record per root of Hz.
    exponent, exponent_error
        Gamma: 0 of white noise, 1 of flicker noise, 2 of a random walk.
    low_hz, high_hz
        Frequencies under the law.
    """

    density: float
    density_error: float
    exponent: float
    exponent_error: float
    low_hz: float
    high_hz: float


def noise_spectrum(y: Array, step_s: float) -> Spectrum | None:
    r"""Fit a power law to the logarithm of a record's periodogram.

    Parameters
    ----------
    y : (n,) array
        Values at equal steps; a line is taken away first.
    step_s
        Time between them in s.

    Returns
    -------
    Spectrum or None
        None of a record without noise, or of fewer than 16 values.

    References
    ----------
    .. [1] Geweke and Porter-Hudak, J. Time Ser. Anal. 4, 221 (1983).
    """
    if y.size < 16:
        return None
    window, x, f = _grid(y.size)
    rest = y - y.mean()
    rest = rest - (x @ rest) / (x @ x) * x
    power = np.abs(np.fft.rfft(rest * window)[_LOWEST : _LOWEST + f.size]) ** 2
    if power.min() <= 0.0:
        return None
    # One-sided, in squares of the unit per Hz.
    log_s = np.log(power) + math.log(2 * step_s / float(window @ window)) - _LOG_MEAN
    log_f = f - math.log(step_s)
    mean = float(log_f.mean())
    away = log_f - mean
    sxx = float(away @ away)
    slope = float(away @ log_s) / sxx
    error = math.sqrt(_ALIKE * _LOG_VARIANCE / sxx)
    at_one = float(log_s.mean()) - slope * mean
    at_one_error = math.hypot(math.sqrt(_ALIKE * _LOG_VARIANCE / f.size), mean * error)
    density = math.exp(at_one / 2)
    return Spectrum(
        density=density,
        density_error=density * at_one_error / 2,
        exponent=-slope,
        exponent_error=error,
        low_hz=math.exp(float(log_f[0])),
        high_hz=math.exp(float(log_f[-1])),
    )


class NoiseExtractor:
    """Noise of the settled dark before the light; of the whole run where it was dark throughout."""

    name = "noise"
    metrics: tuple[str, ...] = ("noise_density", "noise_exponent")
    category = Category.STABILITY
    procedures = frozenset({"It", "It2", "ITt", "Vt"})
    version = "1"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Two rows."""
        k = context.constants
        trace = trace_of(run, k.LIGHT_ON_VOLTAGE_V, k.MIN_SAMPLES_PER_STATE)
        if isinstance(trace, Skip):
            return trace
        if trace.stretches[0].lit:
            return Skip(Reason.PRECONDITION_FAILED, "the run begins in the light")
        window = settled(trace, k.SETTLE_FRACTION)
        t, y = trace.t[window], trace.y[window]
        if t.size < k.MIN_NOISE_POINTS:
            return Skip(Reason.DATA_QUALITY, f"{t.size} dark samples are too few for a spectrum")
        steps = np.diff(t)
        if float(steps.max()) > k.MAX_GAP_STEPS * median(steps):
            return Skip(Reason.DATA_QUALITY, "the dark has a gap, and a spectrum needs equal steps")
        found = noise_spectrum(y, float(t[-1] - t[0]) / (t.size - 1))
        if found is None:
            return Skip(Reason.DATA_QUALITY, "the record has no noise: its meter's steps are coarser")
        checks = {} if found.low_hz <= 1.0 <= found.high_hz else {"OUTSIDE_BAND": 0.5}
        json = {"band_hz": [found.low_hz, found.high_hz]}
        row = Row(self, run)
        return [
            row(
                "noise_density",
                found.density,
                f"{trace.unit}/Hz^0.5",
                "periodogram",
                error=found.density_error,
                checks=checks,
                json=json,
            ),
            row("noise_exponent", found.exponent, "1", "periodogram", error=found.exponent_error, json=json),
        ]

    def validate(self, metric: DerivedMetric) -> bool:
        """A number; no noise has a density of zero."""
        value = metric.value_float
        return value is not None and math.isfinite(value) and (metric.metric_name == "noise_exponent" or value > 0)


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[Array, Array, Array]:
    """Hann's window, places about the middle, and the logarithms of frequencies in turns per step."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
    x: Array = np.arange(size, dtype=np.float64) - (size - 1) / 2
    # The highest frequency of an even number is one real value, of another distribution.
    log_turns: Array = np.log(np.arange(_LOWEST, (size + 1) // 2) / size)
    return window, x, log_turns
