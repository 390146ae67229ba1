"""How the Dirac point of a chip moved from sweep to sweep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.plots._axes import date_label, dates_along, limits_of, text_of
from batchlab.devices.plots._legends import light_word
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table, only
from batchlab.devices.plots._options import PlotOptions
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.errors import DataError
from batchlab.figures import Line, Plot, Points

__all__ = ["CnpOptions", "draw_cnp_time"]

_PROCEDURES = ("IVg", "VVg")
_MARKS = {"dark": ("#000000", "o"), "light": ("#E69F00", "D"), "": ("#8C8C8C", "s")}
_SPAN = "#B0B0B0"
_MOST_SPAN = 3.0  # how much further than the others doubtful values may reach and still be in sight


class CnpOptions(PlotOptions):
    """Of Dirac points over time.

    Attributes
    ----------
    show_hysteresis
        Whether a line joins the Dirac points of both ways of a loop.
    """

    show_hysteresis: bool = True


def names(options: CnpOptions) -> tuple[Name, ...]:
    """``CNP_<tag>``."""
    return (Name(procedure="CNP", kind="CNP"),)


def values_of(options: CnpOptions) -> tuple[str, ...]:
    """Of both ways of a loop."""
    return ("cnp_voltage", "cnp_forward", "cnp_backward")


@plot(
    "plot-cnp-time",
    procedures=_PROCEDURES,
    options=CnpOptions,
    names=names,
    needs=("cnp_voltage",),
    uses=values_of,
    version="2",
)
def draw_cnp_time(runs: Sequence[Run], options: CnpOptions, look: Look, facts: Facts) -> Drawn:
    """Dirac point over date and time, dark and lit sweeps told apart, those of little confidence hollow."""
    known = [
        (run, facts.of(run).metrics["cnp_voltage"], moment)
        for run in sorted(only(runs, _PROCEDURES, "plot-cnp-time"), key=_began)
        if "cnp_voltage" in facts.of(run).metrics and (moment := facts.local(run)) is not None
    ]
    if not known:
        raise DataError(
            "no Dirac point of these sweeps is known; "
            "run `batchlab devices derive-all-metrics --procedures IVg,VVg --enrich` first",
            reason="no-metrics",
        )
    x = np.array([moment.timestamp() for _, _, moment in known])
    y = np.array([volt for _, volt, _ in known])
    loops: list[Line] = []
    if options.show_hysteresis:
        for (run, _, _), at in zip(known, x.tolist(), strict=True):
            ends = [facts.of(run).metrics.get(f"cnp_{way}") for way in ("forward", "backward")]
            if None not in ends and "cnp_voltage" not in facts.of(run).doubts:
                label = "" if loops else "forward to backward"
                volts = np.array(ends, dtype=np.float64)
                loops.append(Line(x=np.full(2, at), y=volts, label=label, colour=_SPAN, width_pt=look.width_pt))
    doubtful = np.array(["cnp_voltage" in facts.of(run).doubts for run, _, _ in known])
    heights = [(line.x, line.y) for line in loops]
    y_limits = limits_of([(x[~doubtful], y[~doubtful]), *heights], max(options.padding, 0.06))
    everything = limits_of([(x, y), *heights], max(options.padding, 0.06))
    # One doubtful value far away would press the others flat.
    if doubtful.all() or np.ptp(everything) <= _MOST_SPAN * np.ptp(y_limits):
        y_limits = everything
    beyond = doubtful & ((y < y_limits[0]) | (y > y_limits[1]))
    points = []
    for word, (colour, symbol) in _MARKS.items():
        of_light = np.array([light_word(run) == word for run, _, _ in known])
        for hollow in (False, True):
            chosen = of_light & (doubtful == hollow)
            if chosen.any():
                label = word or "light not known"
                if hollow:
                    out = np.count_nonzero(chosen & beyond)
                    label += f", doubtful{f' ({out} out of sight)' if out else ''}"
                points.append(
                    Points(
                        x=x[chosen],
                        y=np.where(beyond, np.nan, y)[chosen],
                        label=label,
                        colour=colour,
                        symbol=symbol,
                        size_pt=look.mark_pt,
                        hollow=hollow,
                    )
                )
    span_s = max(float(x[-1] - x[0]), 60.0)
    x_limits = (float(x[0]) - 0.03 * span_s, float(x[-1]) + 0.03 * span_s)
    plot_of = Plot(
        marks=(*loops, *points),
        x_limits=x_limits,
        y_limits=y_limits,
        x_label=date_label(x_limits, facts.time_zone),
        y_label="Dirac point (V)",
        x_names=dates_along(x_limits, facts.time_zone),
        legend=look.legend(),
        grid=look.grid,
    )
    left = len(only(runs, _PROCEDURES, "plot-cnp-time")) - len(known)
    warnings = [f"{left} sweeps without a Dirac point are left out"] if left else []
    warnings += [
        f"the Dirac point of {facts.name(run)}, {volt:.3g} V, is doubtful: "
        f"{', '.join(facts.of(run).doubts['cnp_voltage']) or 'little confidence'}{'; it is out of sight' * bool(out)}"
        for (run, volt, _), out in zip(known, beyond.tolist(), strict=True)
        if "cnp_voltage" in facts.of(run).doubts
    ]
    return Drawn(
        sheets=(look.sheet((plot_of,), f"{text_of([run for run, _, _ in known])} – Dirac point"),),
        tables=(
            Table(
                columns={
                    "run_id": [run.run_id for run, _, _ in known],
                    "seq": [facts.of(run).seq for run, _, _ in known],
                    "date and time": [moment.isoformat() for _, _, moment in known],
                    "light": [light_word(run) for run, _, _ in known],
                    "CNP (V)": y.tolist(),
                    "CNP forward (V)": [facts.of(run).metrics.get("cnp_forward") for run, _, _ in known],
                    "CNP backward (V)": [facts.of(run).metrics.get("cnp_backward") for run, _, _ in known],
                    "doubts": [" ".join(facts.of(run).doubts.get("cnp_voltage", ())) for run, _, _ in known],
                }
            ),
        ),
        warnings=tuple(warnings),
    )


def _began(run: Run) -> str:
    return "" if run.start_utc is None else run.start_utc.isoformat()
