"""Take out of a spectrum what tells nothing of its shape: offset and scale."""

from __future__ import annotations

import numpy as np

from batchlab.errors import Category, ConfigError, DataError
from batchlab.spectra._kinds import Normalization
from batchlab.spectra._model import Array

__all__ = ["Normalization", "area", "normalize"]

# A spread below this share of the values is what rounding leaves of a constant.
_ROUNDING = 64 * np.finfo(np.float64).eps


def normalize(axis: Array, intensity: Array, method: Normalization | str) -> Array:
    """Scale a spectrum.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone, in any unit; AREA alone needs it.
    intensity : (n,) array
        Signal in any unit.
    method
        NONE leaves it. SNV (standard normal variate) subtracts the mean and divides by the standard
        deviation with n - 1 in its denominator [1]_. MIN_MAX maps it to 0..1. AREA divides by the area under
        it. The others are steps of a recipe.

    Returns
    -------
    (n,) array
        The scaled signal: without unit, for AREA in one over the axis unit.

    Raises
    ------
    DataError
        Category numerical, reason ``degenerate-spectrum``: a constant has no shape (SNV, MIN_MAX); an area
        that is zero or negative scales nothing (AREA).

    References
    ----------
    .. [1] Barnes, Dhanoa and Lister, *Applied Spectroscopy* 43 (1989) 772-777.
    """
    method = Normalization.named(method)
    if method is Normalization.NONE:
        return intensity
    if method is Normalization.AREA:
        whole = area(axis, intensity)
        if whole <= _ROUNDING * area(axis, np.abs(intensity)):
            raise degenerate(
                f"the area under the spectrum is {whole:g}, so it cannot be divided by it; subtract the baseline "
                "first, or use snv"
            )
        return intensity / whole
    if method not in (Normalization.MIN_MAX, Normalization.SNV):
        raise ConfigError(f"{method.value} is a step of a recipe: write it among its steps")
    refuse_constant(intensity, method.value)
    if method is Normalization.MIN_MAX:
        low, high = intensity.min(), intensity.max()
        # Halved, so that the span of the largest floats is one too.
        unit_span: Array = np.clip((intensity / 2 - low / 2) / (high / 2 - low / 2), 0.0, 1.0)
        return unit_span
    scale = np.abs(intensity).max()
    centred: Array = intensity / scale - np.mean(intensity / scale)
    return centred / float(np.std(centred, ddof=1))


def area(axis: Array, intensity: Array) -> float:
    """Area under a spectrum by the trapezoidal rule, the same in either direction of the axis.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone.
    intensity : (n,) array
        Signal.

    Returns
    -------
    float
        In the signal's unit times the axis unit.
    """
    widths = np.abs(np.diff(axis))
    return float(np.dot(widths, (intensity[1:] + intensity[:-1]) / 2))


def refuse_constant(intensity: Array, what: str) -> None:
    """Raise `degenerate-spectrum` for a signal that is the same everywhere."""
    low, high = float(intensity.min()), float(intensity.max())
    if high / 2 - low / 2 <= _ROUNDING * max(abs(low), abs(high)):
        raise degenerate(f"the intensity is {low:g} everywhere: {what} needs a spectrum that varies")


def degenerate(message: str) -> DataError:
    """The error for a spectrum that a formula cannot be applied to."""
    return DataError(message, category=Category.NUMERICAL, reason="degenerate-spectrum")
