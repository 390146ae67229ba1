"""Current over time, runs laid over each other."""

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
from batchlab.devices.plots._transforms import Shown, current_as

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["PROCEDURES", "ItsOptions", "draw_its", "its_quantity"]

PROCEDURES = ("It",)


class ItsOptions(TimeOptions):
    """Of currents over time.

    Attributes
    ----------
    conductance
        Whether currents are divided by their drain voltage.
    """

    conductance: bool = False


def names(options: ItsOptions) -> tuple[Name, ...]:
    """``It_<tag>_raw_G``."""
    chosen = with_suffixes(raw=options.baseline == "none", G=options.conductance)
    return (Name(procedure="It", kind="It", suffixes=chosen),)


@plot("plot-its", procedures=PROCEDURES, options=ItsOptions, names=names, uses=power_of)
def draw_its(runs: Sequence[Run], options: ItsOptions, look: Look, facts: Facts) -> Drawn:
    """Current over time: runs laid over each other from a common baseline, the light shaded."""
    return overlay(only(runs, PROCEDURES, "plot-its"), options, look, facts, its_quantity(options), "It")


def its_quantity(options: ItsOptions) -> Quantity:
    """What is shown of a run."""

    def of(run: Run) -> tuple[Array, Shown]:
        return current_as(run, column(run, "I (A)"), conductance=options.conductance)

    return of
