"""The relaxation of a current after the light went off, its fit, and what the fit leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.metrics import Relaxation, fit_relaxations
from batchlab.devices.plots._axes import limits_of, shaded, text_of
from batchlab.devices.plots._legends import LegendBy, LegendWord, labels_of
from batchlab.devices.plots._light import light_windows
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table, column, only
from batchlab.devices.plots._options import PlotOptions, power_of
from batchlab.devices.plots._places import Name
from batchlab.devices.plots._registry import plot
from batchlab.devices.plots._units import Unit, unit_for
from batchlab.errors import DataError
from batchlab.figures import Legend, Line, Plot, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.devices._model import Array

__all__ = ["RelaxationOptions", "SingleOptions", "draw_relaxation", "draw_relaxations"]

_PROCEDURES = ("It",)
_FEWEST, _SHORTEST_S = 50, 10.0
_MOST_IN_GRID = 24
_FIT = "#D55E00"
_SAME = "#303030"  # fits of many
_RESIDUAL_HEIGHT = 0.4


class RelaxationOptions(PlotOptions):
    """Of relaxations.

    Attributes
    ----------
    phase
        ``dark`` fits the time after the light, ``light`` the time of it.
    legend_by
        What tells the runs apart.
    layout
        ``grid`` has a plot for each run; ``overlay`` lays runs over each other, from the switch on, less the level
        they end at and over the span of their fits, so that 1 falls to 0.
    """

    phase: Literal["dark", "light"] = "dark"
    legend_by: LegendWord = LegendBy.POWER
    layout: Literal["grid", "overlay"] = "grid"


class SingleOptions(PlotOptions):
    """Of relaxations with a picture each.

    Attributes
    ----------
    phase
        ``dark`` fits the time after the light, ``light`` the time of it.
    """

    phase: Literal["dark", "light"] = "dark"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fitted:
    run: Run
    t: Array
    y: Array
    start_s: float
    inside: NDArray[np.bool_]  # which points were fitted
    fit: Relaxation

    @property
    def told(self) -> str:
        """What came of it, as a legend says it: on two lines, which fit beside other names."""
        tau = f"τ = {_number(self.fit.tau_s)}{_error(self.fit.tau_error_s)} s{self._beyond}"
        beta = f"β = {self.fit.beta:.2f}{_error(self.fit.beta_error)}"
        return f"{tau}\n{beta}, R² = {self.fit.r_squared:.3f}"

    @property
    def briefly(self) -> str:
        """As the legend of a plot among many says it."""
        tau = f"τ = {_number(self.fit.tau_s)} s{self._beyond}"
        return f"{tau}\nβ = {self.fit.beta:.2f}, R² = {self.fit.r_squared:.2f}"

    @property
    def _beyond(self) -> str:
        """A time constant longer than what was seen of it is a guess."""
        seen_s = float(np.ptp(self.t[self.inside]))
        return " (beyond sight)" if self.fit.tau_s > seen_s else ""


def names(options: RelaxationOptions) -> tuple[Name, ...]:
    """``It_relaxation_<phase>_<tag>``, of one run or of a grid."""
    folder = "overlays" if options.layout == "overlay" else "relaxation_fits"
    return (Name(procedure="It", kind=f"It_relaxation_{options.phase}", folder=folder),)


def single_names(options: SingleOptions) -> tuple[Name, ...]:
    """``It_relaxation_<phase>_<tag>``, of one run."""
    return (Name(procedure="It", kind=f"It_relaxation_{options.phase}", folder="individual_fits"),)


def no_values(options: PlotOptions) -> tuple[str, ...]:
    """It is all in the run."""
    return ()


@plot("plot-its-relaxation", procedures=_PROCEDURES, options=RelaxationOptions, names=names, uses=power_of, version="2")
def draw_relaxation(runs: Sequence[Run], options: RelaxationOptions, look: Look, facts: Facts) -> Drawn:
    """Stretched-exponential fit with its residual, of one run; of several, a grid of fits."""
    chosen = only(runs, _PROCEDURES, "plot-its-relaxation")
    fits, warnings = _fit_all(chosen, options, facts)
    if not fits:
        raise DataError(
            f"no run has a {options.phase} phase that can be fitted: {warnings[0]}", reason="nothing-to-fit"
        )
    laid_over = options.layout == "overlay"
    if len(fits) > _MOST_IN_GRID and not laid_over:
        warnings.append(f"the first {_MOST_IN_GRID} of {len(fits)} fits are shown; the table has all")
    unit = unit_for((each.y for each in fits), "A")
    if laid_over:
        plots, columns = _overlay(fits, options, look, facts), 1
    elif len(fits) == 1:
        plots, columns = _single(fits[0], options, look, unit), 1
    else:
        _, labels = labels_of([each.run for each in fits], options.legend_by, facts)
        shown = list(zip(fits, labels, strict=True))[:_MOST_IN_GRID]
        plots = tuple(_small(each, label, options, look, unit) for each, label in shown)
        columns = min(3, math.ceil(math.sqrt(len(plots))))
    sheet = look.sheet(plots, f"{text_of(chosen)} – relaxation ({options.phase})", columns=columns)
    return Drawn(sheets=(sheet,), tables=(_table(fits, facts),), warnings=tuple(warnings))


@plot(
    "plot-its-relaxation-batch",
    procedures=_PROCEDURES,
    options=SingleOptions,
    names=single_names,
    uses=no_values,
    version="2",
    each=True,
)
def draw_relaxations(runs: Sequence[Run], options: SingleOptions, look: Look, facts: Facts) -> Drawn:
    """Stretched-exponential fits with their residuals, a picture for every run."""
    told = RelaxationOptions(phase=options.phase, padding=options.padding)
    return draw_relaxation(only(runs, _PROCEDURES, "plot-its-relaxation-batch"), told, look, facts)


def _fit_all(runs: Sequence[Run], options: RelaxationOptions, facts: Facts) -> tuple[list[_Fitted], list[str]]:
    parts, warnings = [], []
    for run in runs:
        t, y = column(run, "t (s)"), column(run, "I (A)")
        good = np.isfinite(t) & np.isfinite(y)
        t, y = t[good], y[good]
        phase = _phase(run, options.phase, t)
        # The first point lies on the edge.
        inside = np.zeros(t.size, dtype=bool) if phase is None else (t > phase[0]) & (t <= phase[1])
        if phase is None or np.count_nonzero(inside) < _FEWEST or phase[1] - phase[0] < _SHORTEST_S:
            warnings.append(f"run {facts.name(run)} has no {options.phase} phase of {_SHORTEST_S:g} s after a switch")
            continue
        parts.append((run, t, y, phase[0], inside))
    fits = fit_relaxations([(t[inside] - start, y[inside]) for _, t, y, start, inside in parts])
    made = []
    for (run, t, y, start, inside), fit in zip(parts, fits, strict=True):
        if fit is None:
            warnings.append(f"run {facts.name(run)} does not vary in its {options.phase} phase")
        else:
            made.append(_Fitted(run=run, t=t, y=y, start_s=start, inside=inside, fit=fit))
    return made, warnings


def _phase(run: Run, phase: str, t: Array) -> tuple[float, float] | None:
    """The longest stretch of one light that began with a switch, in s."""
    windows = light_windows(run)
    if phase == "light":
        return max(windows, key=lambda ends: ends[1] - ends[0], default=None)
    ends = [*(start for start, _ in windows[1:]), float(t[-1]) if t.size else 0.0]
    after = [(last, end) for (_, last), end in zip(windows, ends, strict=False)]
    return max(after, key=lambda each: each[1] - each[0], default=None)


def _single(one: _Fitted, options: RelaxationOptions, look: Look, unit: Unit) -> tuple[Plot, ...]:
    model = one.fit(one.t[one.inside] - one.start_s)
    rest = one.y[one.inside] - model
    x_limits = (float(one.t[0]), float(one.t[-1]))
    y_limits = limits_of([(one.t, unit.of(one.y))], max(options.padding, 0.02), within=x_limits)
    rest_unit = unit_for([rest], "A")
    windows = shaded(light_windows(one.run), y_limits)
    above = Plot(
        marks=(
            *windows,
            Line(x=one.t, y=unit.of(one.y), label="measured", colour=look.colours(1)[0], width_pt=look.width_pt),
            Line(x=one.t[one.inside], y=unit.of(model), label=one.told, colour=_FIT, width_pt=1.3 * look.width_pt),
        ),
        x_limits=x_limits,
        y_limits=y_limits,
        y_label=f"I_ds ({unit.symbol})",
        legend=_above(look),
        grid=look.grid,
    )
    below = Plot(
        marks=(
            Rule(at=0.0, colour="#A0A0A0"),
            Line(x=one.t[one.inside], y=rest_unit.of(rest), colour=look.colours(1)[0], width_pt=0.8 * look.width_pt),
        ),
        x_limits=x_limits,
        y_limits=limits_of([(one.t[one.inside], rest_unit.of(rest))], 0.05),
        x_label="t (s)",
        y_label=f"residual ({rest_unit.symbol})",
        height=_RESIDUAL_HEIGHT,
        grid=look.grid,
    )
    return above, below


def _small(one: _Fitted, label: str, options: RelaxationOptions, look: Look, unit: Unit) -> Plot:
    x = one.t[one.inside]
    measured, model = unit.of(one.y[one.inside]), unit.of(one.fit(x - one.start_s))
    return Plot(
        marks=(
            Line(x=x, y=measured, colour=look.colours(1)[0], width_pt=look.width_pt),
            Line(x=x, y=model, label=one.briefly, colour=_FIT, width_pt=1.3 * look.width_pt),
        ),
        x_limits=(float(x[0]), float(x[-1])),
        y_limits=limits_of([(x, measured), (x, model)], max(options.padding, 0.02)),
        x_label="t (s)",
        y_label=f"I_ds ({unit.symbol})",
        title=label,
        legend=replace(look.legend(), place=look.legend_place or "best", scale=0.8 * look.legend_scale),
        grid=look.grid,
    )


def _overlay(fits: Sequence[_Fitted], options: RelaxationOptions, look: Look, facts: Facts) -> tuple[Plot, ...]:
    """Each run from its switch on, as a share of what its fit relaxes by; the fits on top, dark."""
    title, labels = labels_of([each.run for each in fits], options.legend_by, facts)
    measured, models = [], []
    for each, label, colour in zip(fits, labels, look.colours(len(fits)), strict=True):
        since = each.t[each.inside] - each.start_s
        told = f"{label}: τ = {_number(each.fit.tau_s)} s"
        shares = [(values - each.fit.offset) / each.fit.amplitude for values in (each.y[each.inside], each.fit(since))]
        measured.append(Line(x=since, y=shares[0], label=told, colour=colour, width_pt=0.7 * look.width_pt))
        models.append(Line(x=since, y=shares[1], colour=_SAME, width_pt=1.3 * look.width_pt))
    limits = limits_of([(line.x, line.y) for line in models], 0.25)
    span = (min(float(line.x[0]) for line in measured), max(float(line.x[-1]) for line in measured))
    return (
        Plot(
            marks=(Rule(at=0.0, colour="#A0A0A0"), *measured, *models),
            x_limits=span,
            y_limits=limits,
            x_label="t since the switch (s)",
            y_label="(I_ds − I_∞) / A of the fit",
            legend=look.legend(title),
            x_log=span[0] > 0,
            grid=look.grid,
        ),
    )


def _above(look: Look) -> Legend:
    return replace(look.legend(), place="above" if look.legend_place is None else look.legend_place)


def _table(fits: Sequence[_Fitted], facts: Facts) -> Table:
    return Table(
        columns={
            "run_id": [each.run.run_id for each in fits],
            "seq": [facts.of(each.run).seq for each in fits],
            "start (s)": [each.start_s for each in fits],
            "tau (s)": [each.fit.tau_s for each in fits],
            "tau error (s)": [each.fit.tau_error_s for each in fits],
            "beta": [each.fit.beta for each in fits],
            "beta error": [each.fit.beta_error for each in fits],
            "amplitude (A)": [each.fit.amplitude for each in fits],
            "offset (A)": [each.fit.offset for each in fits],
            "r_squared": [each.fit.r_squared for each in fits],
        }
    )


def _number(value: float, digits: int = 3) -> str:
    """So many digits that count, without a power of ten up to a million."""
    return f"{float(f'{value:.{digits}g}'):.10g}" if abs(value) < 1e6 else f"{value:.{digits}g}"


def _error(value: float) -> str:
    return f" ± {_number(value, 2)}" if math.isfinite(value) and value > 0 else ""
