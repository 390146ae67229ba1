"""The limits that all pictures of a batch share: settled from every sample, before the first is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batchlab.spectra._model import Spectrum
from batchlab.spectra._similarity import Comparison

__all__ = ["Pair", "PlotLimits", "Reach", "beyond", "hull", "plot_limits", "reach", "span"]

Pair = tuple[float, float]

_MARGIN = 0.05  # of the span, on either side
_FENCE = 3.0  # quartile distances
_GRAINS = 40  # in the span, or somewhat more: limits are round numbers, so that one more sample seldom moves them


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the curves of one comparison reach, in the compared signals' unit.

    Attributes
    ----------
    overlay
        Lowest and highest value of sample and reference.
    difference
        Lowest and highest value of their difference.
    """

    overlay: Pair
    difference: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotLimits:
    """Ends of the axes of a comparison's picture; low before high.

    Attributes
    ----------
    axis
        The range of the reference, in its axis unit.
    overlay, difference
        Of the two panels, in the compared signals' unit.
    """

    axis: Pair
    overlay: Pair
    difference: Pair


def reach(comparison: Comparison) -> Reach:
    """How far the curves of a comparison reach."""
    alone = (signal for _, signal in (*comparison.reference_alone, *comparison.sample_alone))
    signals = [each for each in (comparison.reference, comparison.sample, *alone) if each.size]
    # A ratio has none where the reference is zero.
    told = comparison.difference[np.isfinite(comparison.difference)]
    return Reach(
        overlay=(min(float(each.min()) for each in signals), max(float(each.max()) for each in signals)),
        difference=(float(told.min()), float(told.max())) if told.size else (0.0, 0.0),
    )


def plot_limits(reference: Spectrum, reaches: Sequence[Reach]) -> PlotLimits:
    """Settle the limits of a batch.

    They hold every sample but those that lie far out: beyond the outer quartile by more than three times the
    distance of the quartiles and a typical sample's own span. So one spike or one forgotten attenuator does not
    flatten all other pictures; its own picture is cut. A margin of 5 % is added, the difference's limits hold
    zero, and all end in round numbers.

    Parameters
    ----------
    reference
        The reference as measured; its range is the x axis.
    reaches
        Of every sample that could be compared, one or more.
    """
    return PlotLimits(
        axis=span(reference),
        overlay=hull([each.overlay for each in reaches]),
        difference=hull([each.difference for each in reaches], zero=True),
    )


def span(reference: Spectrum) -> Pair:
    """Lowest and highest position of a spectrum: the x axis of all pictures that show it as the reference."""
    return float(reference.axis.min()), float(reference.axis.max())


def beyond(found: Reach, limits: PlotLimits) -> str | None:
    """A sentence about curves that leave their panel; None if all is in sight."""
    out = [
        f"the {what} reaches from {low:.4g} to {high:.4g}, its panel from {bottom:.4g} to {top:.4g}"
        for what, (low, high), (bottom, top) in (
            ("overlay", found.overlay, limits.overlay),
            ("difference", found.difference, limits.difference),
        )
        if low < bottom or high > top
    ]
    return f"the picture is cut: {'; '.join(out)}" if out else None


def hull(pairs: Sequence[Pair], *, zero: bool = False) -> Pair:
    """Limits that hold all ordinary ones of some ranges, and zero on wish: with a margin, in round numbers."""
    lows, highs = np.array(pairs).T
    typical = float(np.median(highs - lows))
    low, high = -_outermost(-lows, typical), _outermost(highs, typical)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        # A sample that is its own reference differs nowhere; an axis must span something.
        half = 0.5 * max(abs(low), abs(high)) or 1.0
        low, high = low - half, high + half
    margin = _MARGIN * (high - low)
    grain = _round_step((high - low) / _GRAINS)
    return _rounded(math.floor((low - margin) / grain), grain), _rounded(math.ceil((high + margin) / grain), grain)


def _outermost(values: np.ndarray, typical: float) -> float:
    """The largest value that is not far out."""
    lower, upper = np.quantile(values, (0.25, 0.75))
    return float(values[values <= upper + _FENCE * (upper - lower) + typical].max())


def _round_step(size: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above a size."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(step * power for step in (5, 2, 1) if step == 1 or step * power <= size)


def _rounded(count: int, grain: float) -> float:
    """A number of grains without the dust of binary fractions."""
    return float(f"{count * grain:.12g}")
