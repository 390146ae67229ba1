"""The response of runs to light, against what was set: groups of points, and the power law through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from batchlab.devices._model import Run
from batchlab.devices.metrics import PowerLaw, power_law, span_of_each
from batchlab.devices.metrics._constants import SAME_GATE_V
from batchlab.devices.plots._axes import date_label, dates_along, limits_of, text_of
from batchlab.devices.plots._light import light_windows
from batchlab.devices.plots._look import Look
from batchlab.devices.plots._model import Drawn, Facts, Table
from batchlab.devices.plots._options import ResponseOptions
from batchlab.devices.plots._traces import Quantity
from batchlab.devices.plots._transforms import Shown
from batchlab.devices.plots._units import unit_for
from batchlab.errors import DataError
from batchlab.figures import SYMBOLS, Line, Plot, Points

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = ["Response", "draw_response", "law_of", "measured_response", "responses"]

_LAST_SHARE = 0.1  # of the time of light, whose mean is the response
_LABELS = {
    "power": ("irradiated power", "W"),
    "wavelength": ("wavelength (nm)", ""),
    "gate_voltage": ("Vg (V)", ""),
    "time": ("date and time", ""),
}
_PADDING = 0.06  # the least, so that no point is cut
_SAME_NM = 0.5
_SAME_V = 0.05
_SET_ALIKE_V = 1e-3
_NONE = -math.inf
_MOST_INSIDE = 4  # groups whose names may lie on the axes; more would hide points
_HOLLOW, _GREY = "hollow: doubtful", "#8C8C8C"
_FEWEST = 3  # points that a law goes through


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A run's response: what it is shown against, its value in the plain unit, and whence that is."""

    run: Run
    x: float
    value: float
    group: str
    source: str


def law_of(power_w: Array, response: Array) -> PowerLaw | None:
    """The power law of the metrics, all points counting alike; None with fewer than three powers or with both signs.

    Parameters
    ----------
    power_w, response : (n,) array
        Powers in W; responses of either sign, whose magnitudes count.
    """
    if np.unique(power_w[power_w > 0]).size < _FEWEST or mixed(response):
        return None
    law = power_law(power_w, response, np.zeros(response.size))
    return law if isinstance(law, PowerLaw) else None


def mixed(response: Array) -> bool:
    """Whether responses have both signs: no power has that, and their magnitudes have none in common."""
    return bool((response > 0).any() and (response < 0).any())


def measured_response(run: Run, values: Array) -> float:
    """How far a run went while it was lit: mean of the last tenth of its first light, less that of as long before it.

    Parameters
    ----------
    values : (n,) array
        Of the run's rows.

    Returns
    -------
    float
        NaN for a run without light, or without a time before it.
    """
    windows = light_windows(run)
    if not windows:
        return math.nan
    t = run.columns["t (s)"]
    good = np.isfinite(t) & np.isfinite(values)
    first, last = windows[0]
    length = _LAST_SHARE * (last - first)
    late, before = good & (t <= last) & (t >= last - length), good & (t < first) & (t >= first - length)
    return float(values[late].mean() - values[before].mean()) if late.any() and before.any() else math.nan


def responses(
    runs: Sequence[Run], options: ResponseOptions, facts: Facts, metric: str, quantity: Quantity | None
) -> tuple[list[Response], Shown | None]:
    """What is to be shown, in the order of x.

    Parameters
    ----------
    metric
        The derived value that a response is.
    quantity
        What to measure where a run has no such value; None leaves that run out.
    """
    found: list[tuple[Run, float, float, str]] = []
    shown = None
    for run in runs:
        if not _passes(run, options, facts):
            continue
        value, source = facts.of(run).metrics.get(metric, math.nan), metric
        if quantity is not None:
            values, shown = quantity(run)
            value, source = measured_response(run, values), "end of light less the dark before"
        x = _x_of(run, options.photoresponse_x, facts)
        if math.isfinite(value) and math.isfinite(x):
            found.append((run, x, value, source))
    settings = _settings([run for run, *_ in found], options.photoresponse_x)
    ordered = sorted(zip(settings, found, strict=True), key=lambda each: (each[0], each[1][1]))
    return [
        Response(run=run, x=x, value=value, group=_group(*setting), source=source)
        for setting, (run, x, value, source) in ordered
    ], shown


def draw_response(
    found: Sequence[Response], options: ResponseOptions, look: Look, facts: Facts, shown: Shown, what: str
) -> Drawn:
    """Points of each group, and with a power in x the power law of each.

    Raises
    ------
    DataError
        Reason ``nothing-to-show``: there is no response, or none that a logarithm can show.
    """
    if not found:
        raise DataError(
            f"no lit run has both a response and a {options.photoresponse_x.replace('_', ' ')} "
            "that is known and asked for; "
            "choose other runs or filters, or link calibrations: `batchlab devices link-calibrations`",
            reason="nothing-to-show",
        )
    x_log, y_log = options.axtype in ("semilogx", "loglog"), options.axtype in ("semilogy", "loglog")
    values = np.array([each.value for each in found])
    xs = np.array([each.x for each in found])
    signed = np.abs(values) if y_log else values
    if (x_log and not (xs > 0).any()) or (y_log and not (signed > 0).any()):
        raise DataError(
            f"nothing is above 0, as {options.axtype} axes need; make them linear", reason="nothing-to-show"
        )
    label, plain = _LABELS[options.photoresponse_x]
    x_unit = unit_for([xs], plain) if plain else None
    unit = unit_for([values], shown.unit)
    px = xs if x_unit is None else x_unit.of(xs)
    py = unit.of(signed)
    groups = list(dict.fromkeys(each.group for each in found))
    member = np.array([groups.index(each.group) for each in found])
    told = [(facts.of(each.run).doubts, each) for each in found]
    doubtful = np.array([each.source in doubts for doubts, each in told])
    marks: list[Line | Points] = []
    for at, (group, colour) in enumerate(zip(groups, look.colours(len(groups)), strict=True)):
        chosen = (member == at) & ((px > 0) | (not x_log)) & ((py > 0) | (not y_log))
        if not chosen.any():
            continue
        against_power = options.photoresponse_x == "power"
        law = law_of(xs[chosen], values[chosen]) if against_power else None
        said = "" if law is None else f"γ = {law.exponent:.2f} ± {law.error:.2f}"
        if against_power and mixed(values[chosen]):
            said = "no power law, the sign changes"
        name = ": ".join(filter(None, (group, said)))
        name = name.replace("= -", "= \N{MINUS SIGN}")
        for part in filter(np.any, (chosen & ~doubtful, chosen & doubtful)):
            hollow = bool(doubtful[part].any())
            marks.append(
                Points(
                    x=px[part],
                    y=py[part],
                    label=name if not hollow or doubtful[chosen].all() else "",
                    colour=colour,
                    symbol=SYMBOLS[at % len(SYMBOLS)],
                    size_pt=look.mark_pt,
                    hollow=hollow,
                )
            )
        if law is not None:
            sign = 1.0 if y_log else float(np.sign(np.median(values[chosen])))
            along = np.geomspace(xs[chosen][xs[chosen] > 0].min(), xs[chosen].max(), 60)
            curve = unit.of(sign * law.prefactor * along**law.exponent)
            line_x = along if x_unit is None else x_unit.of(along)
            marks.append(Line(x=line_x, y=curve, colour=colour, width_pt=0.7 * look.width_pt))
    if doubtful.any():
        nowhere = np.full(1, np.nan)
        marks.append(
            Points(x=nowhere, y=nowhere, label=_HOLLOW, colour=_GREY, symbol="o", size_pt=look.mark_pt, hollow=True)
        )
    dates = options.photoresponse_x == "time"
    place = "best" if len(groups) <= _MOST_INSIDE else "right"
    x_limits = _limits(px, x_log, options.padding)
    y_label = f"{'|Δ' if y_log else 'Δ'}{shown.symbol}{'|' if y_log else ''} ({unit.symbol})"
    x_label = f"{label} ({x_unit.symbol})" if x_unit is not None else label
    plot_of = Plot(
        marks=tuple(marks),
        x_limits=x_limits,
        y_limits=_limits(py, y_log, options.padding),
        x_log=x_log,
        y_log=y_log,
        x_label=date_label(x_limits, facts.time_zone) if dates else x_label,
        y_label=y_label,
        x_names=dates_along(x_limits, facts.time_zone, most=7 if place == "best" else 4) if dates else (),
        legend=replace(look.legend(), place=look.legend_place or place) if any(groups) or doubtful.any() else False,
        grid=look.grid,
    )
    table = Table(
        columns={
            "run_id": [each.run.run_id for each in found],
            "seq": [facts.of(each.run).seq for each in found],
            "group": [each.group for each in found],
            x_label: px.tolist(),
            y_label: py.tolist(),
            "source": [each.source for each in found],
            **({"doubts": [" ".join(doubts.get(each.source, ())) for doubts, each in told]} if doubtful.any() else {}),
        }
    )
    title = f"{text_of([each.run for each in found])} – {what}"
    return Drawn(sheets=(look.sheet((plot_of,), title),), tables=(table,))


def _limits(values: Array, log: bool, padding: float) -> tuple[float, float]:
    if not log:
        return limits_of([(values, values)], max(padding, _PADDING))
    good = values[values > 0]
    low, high = float(good.min()), float(good.max())
    beyond = max(1.3, (high / low) ** padding)
    return low / beyond, high * beyond


def _x_of(run: Run, against: str, facts: Facts) -> float:
    if against == "power":
        power = facts.of(run).power_w
        return math.nan if power is None else power
    if against == "time":
        return math.nan if run.start_utc is None else run.start_utc.timestamp()
    return run.number("wavelength_nm" if against == "wavelength" else "vg_fixed_v")


def _group(nm: float, gate: tuple[float, float]) -> str:
    """What else was set: wavelength and gate voltage, but for what x is."""
    parts = [f"{nm:g} nm" if nm > 0 else ""]
    if gate[0] > _NONE:
        volts = f"{gate[0]:.4g}" + (f" to {gate[1]:.4g}" if gate[1] - gate[0] > _SET_ALIKE_V else "")
        parts.append(f"Vg = {volts} V".replace("-", "\N{MINUS SIGN}"))
    return ", ".join(filter(None, parts))


def _settings(runs: Sequence[Run], against: str) -> list[tuple[float, tuple[float, float]]]:
    """Wavelength in nm and gate voltages in V of each run's group, by which groups are ordered; what has none is first.

    Gates are often held at so many volts from the last Dirac point: those that a power law counts as one are one.
    """
    plain = [run.number("wavelength_nm") for run in runs]
    nms = [nm if against != "wavelength" and nm > 0 else _NONE for nm in plain]
    gates = [run.number("vg_fixed_v") if against != "gate_voltage" else math.nan for run in runs]
    spans = {
        nm: span_of_each((vg for vg, other in zip(gates, nms, strict=True) if vg == vg and other == nm), SAME_GATE_V)
        for nm in set(nms)
    }
    return [(nm, spans[nm].get(vg, (_NONE, _NONE))) for nm, vg in zip(nms, gates, strict=True)]


def _passes(run: Run, options: ResponseOptions, facts: Facts) -> bool:
    if not run.has_light:
        return False
    wanted = ((options.filter_wavelength, "wavelength_nm", _SAME_NM), (options.filter_vg, "vg_fixed_v", _SAME_V))
    if any(value is not None and not abs(run.number(name) - value) <= slack for value, name, slack in wanted):
        return False
    if options.filter_power_range is None:
        return True
    low, high = sorted(options.filter_power_range)
    power = facts.of(run).power_w
    return power is not None and low <= power <= high
