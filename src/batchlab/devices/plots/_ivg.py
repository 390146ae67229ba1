"""Current over gate voltage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchlab.devices._model import Run
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, column, only
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._sweeps import Quantity, SweepOptions, dirac_points_of, sweeps
from batchlab.devices.plots._transforms import Shown, current_as

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["PROCEDURES", "IvgOptions", "draw_ivg", "ivg_quantity"]

PROCEDURES = ("IVg",)


class IvgOptions(SweepOptions):
    """Of currents over gate voltage.

    Attributes
    ----------
    conductance
        Whether currents are divided by their drain voltage; with ``inverse`` the inverse of that is shown.
    """

    conductance: bool = False


def names(options: IvgOptions) -> tuple[Name, ...]:
    """``IVg_<tag>_G`` or ``IVg_<tag>_invG``."""
    chosen = with_suffixes(G=options.conductance and not options.inverse, invG=options.inverse)
    return (Name(procedure="IVg", kind="IVg", suffixes=chosen),)


@plot("plot-ivg", procedures=PROCEDURES, options=IvgOptions, names=names, uses=dirac_points_of)
def draw_ivg(runs: Sequence[Run], options: IvgOptions, look: Look, facts: Facts) -> Drawn:
    """Drain current over gate voltage, or conductance, or its inverse."""
    return sweeps(only(runs, PROCEDURES, "plot-ivg"), options, look, facts, ivg_quantity(options), "IVg")


def ivg_quantity(options: IvgOptions) -> Quantity:
    """What is shown of a run."""
    chosen = {"conductance": options.conductance, "inverse": options.inverse, "absolute": options.absolute}

    def of(run: Run) -> tuple[Array, Shown]:
        return current_as(run, column(run, "I (A)"), **chosen)

    return of
