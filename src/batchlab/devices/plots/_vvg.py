"""Drain voltage over gate voltage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchlab.devices._model import Run
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, column, only
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._sweeps import SweepOptions, dirac_points_of, sweeps
from batchlab.devices.plots._transforms import Shown, voltage_as

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["VvgOptions", "draw_vvg"]

_PROCEDURES = ("VVg",)


class VvgOptions(SweepOptions):
    """Of voltages over gate voltage.

    Attributes
    ----------
    resistance
        Whether voltages are divided by their drain current; with ``inverse`` the inverse of that is shown.
    """

    resistance: bool = False


def names(options: VvgOptions) -> tuple[Name, ...]:
    """``VVg_<tag>_R`` or ``VVg_<tag>_invR``."""
    chosen = with_suffixes(R=options.resistance and not options.inverse, invR=options.inverse)
    return (Name(procedure="VVg", kind="VVg", suffixes=chosen),)


@plot("plot-vvg", procedures=_PROCEDURES, options=VvgOptions, names=names, uses=dirac_points_of)
def draw_vvg(runs: Sequence[Run], options: VvgOptions, look: Look, facts: Facts) -> Drawn:
    """Drain voltage over gate voltage, or resistance, or its inverse."""

    def quantity(run: Run) -> tuple[Array, Shown]:
        chosen = {"resistance": options.resistance, "inverse": options.inverse, "absolute": options.absolute}
        return voltage_as(run, column(run, "VDS (V)"), **chosen)

    return sweeps(only(runs, _PROCEDURES, "plot-vvg"), options, look, facts, quantity, "VVg")
