"""Drain voltage over time, runs laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchlab.devices._model import Run
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, column, only
from batchlab.devices.plots._options import TimeOptions, power_of
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._traces import Quantity, overlay
from batchlab.devices.plots._transforms import Shown, voltage_as

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["PROCEDURES", "VtOptions", "draw_vt", "vt_quantity"]

PROCEDURES = ("Vt",)


class VtOptions(TimeOptions):
    """Of voltages over time.

    Attributes
    ----------
    resistance
        Whether voltages are divided by their drain current.
    """

    resistance: bool = False


def names(options: VtOptions) -> tuple[Name, ...]:
    """``Vt_<tag>_raw_R``."""
    chosen = with_suffixes(raw=options.baseline == "none", R=options.resistance)
    return (Name(procedure="Vt", kind="Vt", suffixes=chosen),)


@plot("plot-vt", procedures=PROCEDURES, options=VtOptions, names=names, uses=power_of)
def draw_vt(runs: Sequence[Run], options: VtOptions, look: Look, facts: Facts) -> Drawn:
    """Drain voltage over time: runs laid over each other from a common baseline, the light shaded."""
    return overlay(only(runs, PROCEDURES, "plot-vt"), options, look, facts, vt_quantity(options), "Vt")


def vt_quantity(options: VtOptions) -> Quantity:
    """What is shown of a run."""

    def of(run: Run) -> tuple[Array, Shown]:
        return voltage_as(run, column(run, "VDS (V)"), resistance=options.resistance)

    return of
