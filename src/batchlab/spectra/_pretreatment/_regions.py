"""Keep regions of a spectrum, or take them out."""

from __future__ import annotations

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import AxisKind
from batchlab.spectra._pretreatment import _steps
from batchlab.spectra._pretreatment._region import REGIONS
from batchlab.spectra._signal import Gap, Signal, join_gaps
from batchlab.spectra._units import axis_values

__all__ = ["cut", "mask", "named_region"]


def cut(step: _steps.Cut, signal: Signal) -> Signal:
    """Keep the points in these regions; between two of them is a gap."""
    kept = signal
    runs = []
    for low, high in join_gaps(step.regions):
        first, after = np.searchsorted(kept.axis, low, side="left"), np.searchsorted(kept.axis, high, side="right")
        if first < after:
            runs.append(slice(int(first), int(after)))
    if not runs:
        raise DataError(
            f"nothing was measured there, it spans {signal.axis[0]:g} to {signal.axis[-1]:g}", reason="too-few-points"
        )
    return kept.kept(tuple(runs))


def mask(step: _steps.Mask, signal: Signal) -> Signal:
    """Take the points in these regions out."""
    for region in step.regions:
        for low, high in named_region(region, signal) if isinstance(region, str) else [region]:
            signal = signal.without(low, high)
    return signal


def named_region(name: str, signal: Signal) -> list[Gap]:
    """A named region in the unit of a signal's axis.

    Raises
    ------
    DataError
        Reason ``no-laser-line`` or ``no-such-conversion``: the axis is none that the region could be found on.
    """
    found = []
    for low, high, unit in REGIONS[name]:
        kind = {"cm-1": AxisKind.WAVENUMBER, "nm": AxisKind.WAVELENGTH, "shift": AxisKind.RAMAN_SHIFT}[unit]
        given = (kind, "cm-1" if unit == "shift" else unit)
        wanted = (signal.axis_kind, signal.axis_unit)
        ends = np.array([low, high])
        if given != wanted:
            if signal.axis_kind is AxisKind.UNKNOWN:
                raise DataError(
                    f"the axis does not say what it is, so {name} cannot be found on it; state it, such as --axis-kind "
                    f"{str(kind).replace(' ', '-')} --axis-unit {given[1]} (axis_kind and axis_unit in a batch file)",
                    reason="no-such-conversion",
                )
            ends = axis_values(ends, given, wanted, laser_nm=signal.laser_nm, called=f"the region {name}")
        found.append((float(ends.min()), float(ends.max())))
    return found
