"""Three pictures of one series: laid over each other, one after the other, and its response."""

from __future__ import annotations

from collections.abc import Sequence

from batchlab.devices._model import Run
from batchlab.devices.plots._its import PROCEDURES as CURRENTS
from batchlab.devices.plots._its import ItsOptions, its_quantity
from batchlab.devices.plots._legends import LegendBy
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, only
from batchlab.devices.plots._options import ResponseOptions, TimeOptions, power_of
from batchlab.devices.plots._places import Name, with_suffixes
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._response import draw_response, responses
from batchlab.devices.plots._sequential import SequentialOptions, sequence
from batchlab.devices.plots._traces import Quantity, overlay
from batchlab.devices.plots._transforms import Shown
from batchlab.devices.plots._vt import PROCEDURES as VOLTAGES
from batchlab.devices.plots._vt import VtOptions, vt_quantity

__all__ = ["ItsSuiteOptions", "VtsSuiteOptions", "draw_its_suite", "draw_vts_suite"]


class ItsSuiteOptions(ItsOptions, ResponseOptions):
    """Of currents over time, and of their response."""


class VtsSuiteOptions(VtOptions, ResponseOptions):
    """Of voltages over time, and of their response."""


def its_names(options: ItsSuiteOptions) -> tuple[Name, ...]:
    """Overlay, sequential, response."""
    made = with_suffixes(G=options.conductance)
    raw = with_suffixes(raw=options.baseline == "none")
    return _names("It", (*raw, *made), made, options)


def vts_names(options: VtsSuiteOptions) -> tuple[Name, ...]:
    """Overlay, sequential, response."""
    made = with_suffixes(R=options.resistance)
    raw = with_suffixes(raw=options.baseline == "none")
    return _names("Vt", (*raw, *made), made, options)


def its_values(options: ItsSuiteOptions) -> tuple[str, ...]:
    """What its response looks at."""
    return (*(() if options.conductance else ("delta_current",)), *power_of(options))


def vts_values(options: VtsSuiteOptions) -> tuple[str, ...]:
    """What its response looks at."""
    return (*(() if options.resistance else ("delta_voltage",)), *power_of(options))


@plot(
    "plot-its-suite",
    procedures=CURRENTS,
    options=ItsSuiteOptions,
    names=its_names,
    unbroken=True,
    uses=its_values,
    version="2",
)
def draw_its_suite(runs: Sequence[Run], options: ItsSuiteOptions, look: Look, facts: Facts) -> Drawn:
    """Currents of a series: overlay, sequence, and response against power, wavelength, gate voltage or time."""
    chosen = only(runs, CURRENTS, "plot-its-suite")
    metric = "" if options.conductance else "delta_current"
    return _suite(chosen, options, options, look, facts, its_quantity(options), "It", metric)


@plot(
    "plot-vts-suite",
    procedures=VOLTAGES,
    options=VtsSuiteOptions,
    names=vts_names,
    unbroken=True,
    uses=vts_values,
    version="2",
)
def draw_vts_suite(runs: Sequence[Run], options: VtsSuiteOptions, look: Look, facts: Facts) -> Drawn:
    """Drain voltages of a series: overlay, sequence, and response against power, wavelength, gate voltage or time."""
    chosen = only(runs, VOLTAGES, "plot-vts-suite")
    metric = "" if options.resistance else "delta_voltage"
    return _suite(chosen, options, options, look, facts, vt_quantity(options), "Vt", metric)


def _suite(
    runs: Sequence[Run],
    over_time: TimeOptions,
    response: ResponseOptions,
    look: Look,
    facts: Facts,
    quantity: Quantity,
    what: str,
    metric: str,
) -> Drawn:
    laid_over = overlay(runs, over_time, look, facts, quantity, what)
    one_by_one = SequentialOptions(
        legend_by=LegendBy(over_time.legend_by),
        start=over_time.start,
        absolute=over_time.absolute,
        padding=over_time.padding,
    )
    in_turn = sequence(runs, one_by_one, look, facts, quantity, f"{what} sequence")
    # Derived values of all runs, or measurements of all: points of one picture mean the same.
    derived = bool(metric) and all(metric in facts.of(run).metrics for run in runs if run.has_light)
    found, shown = responses(runs, response, facts, metric, None if derived else quantity)
    symbol = shown or (Shown("V_ds", "V") if metric == "delta_voltage" else Shown("I_ds", "A"))
    answered = draw_response(found, response, look, facts, symbol, "response to light")
    parts = (laid_over, in_turn, answered)
    return Drawn(
        sheets=tuple(sheet for part in parts for sheet in part.sheets),
        tables=tuple(table for part in parts for table in part.tables),
        warnings=tuple(dict.fromkeys(text for part in parts for text in part.warnings)),
    )


def _names(
    procedure: str, overlay: tuple[str, ...], others: tuple[str, ...], options: ResponseOptions
) -> tuple[Name, ...]:
    return (
        Name(procedure=procedure, kind=procedure, suffixes=overlay),
        Name(procedure=procedure, kind=f"{procedure}_sequential", suffixes=others),
        Name(procedure=procedure, kind=f"{procedure}_response_{options.photoresponse_x}", suffixes=others),
    )
