"""What steps of preparation work on: a spectrum in ascending order, with the ranges that were taken out of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from batchlab.spectra._joins import splice
from batchlab.spectra._kinds import Joins
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum

__all__ = ["Gap", "Signal", "ascending", "join_gaps", "pieces", "signal_of"]

Gap = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signal:
    """A spectrum on its way to a comparison.

    Attributes
    ----------
    axis : (n,) array
        Strictly ascending, in `axis_unit`.
    intensity : (n,) array
        The signal there.
    gaps
        Ranges that were taken out, apart from each other and ascending; no point lies inside one, and nothing is
        ever computed across one.
    axis_kind, axis_unit, quantity, unit
        What the axis and the signal are.
    laser_nm
        The line that a Raman shift counts from, if it is known.
    falls
        Whether the axis was descending before it was sorted.
    name
        What to call it in a message: ``the sample 'a'``.
    warnings
        What was odd on the way.
    spliced
        Where its detectors were cut, in words; empty where they were not.
    """

    axis: Array
    intensity: Array
    gaps: tuple[Gap, ...] = ()
    axis_kind: AxisKind = AxisKind.UNKNOWN
    axis_unit: str | None = None
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None
    laser_nm: float | None = None
    falls: bool = False
    name: str = "the spectrum"
    warnings: tuple[str, ...] = ()
    spliced: str = ""

    @property
    def pieces(self) -> tuple[slice, ...]:
        """The runs of points that no gap parts."""
        return pieces(self.axis, self.gaps)

    def having(self, intensity: Array, warning: str | None = None) -> Signal:
        """The same axis with another signal."""
        return replace(self, intensity=intensity, warnings=self._with(warning))

    def without(self, low: float, high: float) -> Signal:
        """The same without the points from `low` to `high`, both included."""
        first, after = np.searchsorted(self.axis, low, side="left"), np.searchsorted(self.axis, high, side="right")
        left = np.r_[0:first, after : self.axis.size]
        return replace(
            self,
            axis=self.axis[left],
            intensity=self.intensity[left],
            gaps=join_gaps((*self.gaps, (low, high))),
        )

    def kept(self, runs: tuple[slice, ...], intensity: Array | None = None, warning: str | None = None) -> Signal:
        """Only these runs of points, each in one piece; what lies between them is a gap."""
        where = np.r_[tuple(runs)]
        between = [(float(self.axis[a.stop - 1]), float(self.axis[b.start])) for a, b in itertools.pairwise(runs)]
        inner = [(float(np.nextafter(low, high)), float(np.nextafter(high, low))) for low, high in between]
        return replace(
            self,
            axis=self.axis[where],
            intensity=(self.intensity if intensity is None else intensity)[where],
            gaps=join_gaps((*self.gaps, *inner)),
            warnings=self._with(warning),
        )

    def _with(self, warning: str | None) -> tuple[str, ...]:
        return self.warnings if warning is None else (*self.warnings, warning)


def signal_of(
    spectrum: Spectrum,
    role: str,
    laser_nm: float | None = None,
    joins: Joins | Sequence[float] = Joins.MIDDLE,
) -> Signal:
    """Splice the detectors of a spectrum, sort it by position, average what stands at one position."""
    spectrum, spliced, warning = splice(spectrum, joins)
    axis, intensity = ascending(spectrum.axis, spectrum.intensity)
    name = f"{role} {spectrum.name!r}" if spectrum.name else role
    return Signal(
        axis=axis,
        intensity=intensity,
        axis_kind=spectrum.axis_kind,
        axis_unit=spectrum.axis_unit,
        quantity=spectrum.quantity,
        unit=spectrum.unit,
        laser_nm=laser_nm,
        falls=bool(spectrum.axis[0] > spectrum.axis[-1]),
        name=name,
        warnings=() if warning is None else (f"{name}: {warning}",),
        spliced=spliced,
    )


def ascending(x: Array, y: Array) -> tuple[Array, Array]:
    """Sort by position and average what stands at one position."""
    steps = np.diff(x)
    if (steps > 0).all():
        return x, y
    if (steps < 0).all():
        return x[::-1], y[::-1]
    order = np.argsort(x, kind="stable")
    position, where, times = np.unique(x[order], return_inverse=True, return_counts=True)
    return position, np.bincount(where, weights=y[order]) / times


def pieces(axis: Array, gaps: tuple[Gap, ...]) -> tuple[slice, ...]:
    """The runs of points that no gap parts.

    Parameters
    ----------
    axis : (n,) array
        Strictly monotone, in either direction; no point lies inside a gap.
    gaps
        Pairs of low and high, ascending.

    Returns
    -------
    tuple of slice
        In the order of the axis; none is empty.
    """
    if not gaps:
        return (slice(0, axis.size),)
    falling = axis.size > 1 and bool(axis[0] > axis[-1])
    cuts = np.searchsorted(axis[::-1] if falling else axis, [(low + high) / 2 for low, high in gaps])
    if falling:
        cuts = axis.size - cuts[::-1]
    edges = [0, *(int(cut) for cut in cuts), axis.size]
    return tuple(slice(a, b) for a, b in itertools.pairwise(edges) if b > a)


def join_gaps(gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Sort gaps and make one of those that meet."""
    joined: list[Gap] = []
    for low, high in sorted(gaps):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)
