"""Ranges of an axis, as numbers or by the name of what disturbs there."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, FiniteFloat

__all__ = ["REGIONS", "Region"]


def _upwards(pair: tuple[float, float]) -> tuple[float, float]:
    low, high = sorted(pair)
    if low == high:
        raise ValueError(f"write two positions that differ, not [{pair[0]:g}, {pair[1]:g}]")
    return low, high


Region = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_upwards)]
"""Low and high in the axis unit; either may be written first, as people do on a falling axis."""

REGIONS: dict[str, tuple[tuple[float, float, str], ...]] = {
    # The stretching and the bending band of carbon dioxide in air, with their rotational wings.
    "co2": ((2280.0, 2400.0, "cm-1"), (648.0, 690.0, "cm-1")),
    # Lines of water vapour: bending, stretching, and the two bands that take the sun's light from field spectra.
    "h2o": ((1340.0, 1900.0, "cm-1"), (3550.0, 3950.0, "cm-1"), (1340.0, 1460.0, "nm"), (1790.0, 1960.0, "nm")),
    # What a notch or edge filter lets through of the laser, on either side of it.
    "laser": ((-50.0, 50.0, "shift"),),
    # The same, and the far side of the line, which an edge filter darkens.
    "anti-stokes": ((-5000.0, 50.0, "shift"),),
}
"""Named regions: low, high and the unit that they are known in. Bands as in Herzberg, *Infrared and Raman Spectra of
Polyatomic Molecules*, 1945 (vapours), and Gao and Goetz, *J. Geophys. Res.* 95 (1990) 3549-3564 (sunlight)."""
