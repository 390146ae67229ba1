"""Response to light against power, wavelength, gate voltage or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from batchlab.devices._model import Run
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, only
from batchlab.devices.plots._options import ResponseOptions, power_of
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._response import draw_response, responses
from batchlab.devices.plots._transforms import Shown
from batchlab.errors import DataError

__all__ = ["PhotoresponseOptions", "draw_photoresponse"]

_CURRENTS, _VOLTAGES = ("It", "ITt"), ("Vt",)
_SHOWN = {"delta_voltage": Shown("V_ds", "V")}


class PhotoresponseOptions(ResponseOptions):
    """Of responses.

    Attributes
    ----------
    metric
        ``auto`` takes delta_current of currents and delta_voltage of voltages; delta_i_corrected is free of drift.
    """

    metric: Literal["auto", "delta_current", "delta_voltage", "delta_i_corrected"] = "auto"


def names(options: PhotoresponseOptions) -> tuple[Name, ...]:
    """``photoresponse_<x>_<tag>``."""
    return (Name(procedure="Photoresponse", kind=f"photoresponse_{options.photoresponse_x}"),)


def values_of(options: PhotoresponseOptions) -> tuple[str, ...]:
    """The metric, or those that ``auto`` chooses from."""
    metrics = ("delta_current", "delta_voltage") if options.metric == "auto" else (options.metric,)
    return (*metrics, *power_of(options))


@plot(
    "plot-photoresponse",
    procedures=(*_CURRENTS, *_VOLTAGES),
    options=PhotoresponseOptions,
    names=names,
    needs=("delta_current", "delta_voltage"),
    uses=values_of,
    version="3",
)
def draw_photoresponse(runs: Sequence[Run], options: PhotoresponseOptions, look: Look, facts: Facts) -> Drawn:
    """Response to light against power, wavelength, gate voltage or time, with its power law."""
    return _draw(only(runs, (*_CURRENTS, *_VOLTAGES), "plot-photoresponse"), options, look, facts)


@plot(
    "plot-its-photoresponse",
    procedures=_CURRENTS,
    options=PhotoresponseOptions,
    names=names,
    needs=("delta_current",),
    uses=values_of,
    version="3",
)
def draw_its_photoresponse(runs: Sequence[Run], options: PhotoresponseOptions, look: Look, facts: Facts) -> Drawn:
    """Response of the current to light; as plot-photoresponse, of It alone."""
    return _draw(only(runs, _CURRENTS, "plot-its-photoresponse"), options, look, facts)


def _draw(runs: Sequence[Run], options: PhotoresponseOptions, look: Look, facts: Facts) -> Drawn:
    metric = options.metric
    if metric == "auto":
        metric = "delta_voltage" if all(run.procedure in _VOLTAGES for run in runs) else "delta_current"
    if not any(metric in facts.of(run).metrics for run in runs):
        raise DataError(
            f"{metric} of these runs is not known; "
            "run `batchlab devices derive-all-metrics --procedures It,Vt --enrich` first",
            reason="no-metrics",
        )
    found, _ = responses(runs, options, facts, metric, None)
    drawn = draw_response(found, options, look, facts, _SHOWN.get(metric, Shown("I_ds", "A")), "photoresponse")
    without = sum(metric not in facts.of(run).metrics for run in runs)
    return replace(drawn, warnings=(f"{without} runs without {metric} are left out",)) if without else drawn
