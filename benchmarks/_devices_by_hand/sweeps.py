"""Metrics of gate sweeps, and how consecutive ones differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Legs = dict[str, tuple[Array, Array]]

Row = dict[str, Any]
_WINDOW, _MODULATION, _RISE = 0.10, 2.0, 1.3


def legs_of(table: Any, column: str) -> Legs:
    """The whole way up and the whole way down of a sweep: (v, y), v ascending."""
    import numpy as np

    v, y = table["Vg (V)"].to_numpy(), table[column].to_numpy()
    turns = np.flatnonzero(np.diff(np.sign(np.diff(v)))) + 1
    legs: Legs = {}
    for part in np.split(np.arange(v.size), turns + 1):
        if v[part[-1]] > v[part[0]]:
            name, order = "forward", part
        else:
            name, order = "backward", part[::-1]
        if name not in legs or part.size > legs[name][0].size:
            legs[name] = (v[order], y[order])
    return legs


def dirac_points(legs: Legs, column: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Dirac point and standard error by method and leg."""
    import numpy as np

    found = {}
    for name, (v, y) in legs.items():
        size = np.abs(y)
        g = size.min() / size if column == "VDS (V)" else size / size.max()
        at = int(np.argmin(g))
        if at in (0, g.size - 1):
            continue
        if g.max() / g[at] >= _MODULATION:
            found["maximum-resistance", name] = (float(v[at]), float(v[at + 1] - v[at]) / 12**0.5)
        found["parabola", name] = _parabola(v, g, float(v[at]))
        found["robust", name] = _robust(v, g, at)
    return found


def _parabola(v: Array, g: Array, start: float) -> tuple[float, float]:
    import numpy as np
    from lmfit.models import QuadraticModel

    near = np.abs(v - start) <= _WINDOW * (v[-1] - v[0]) / 2
    x, y = v[near] - start, g[near]
    model = QuadraticModel()
    fit = model.fit(y, model.guess(y, x=x), x=x)
    a, b = fit.params["a"], fit.params["b"]
    return start - b.value / (2 * a.value), (b.stderr or 0.0) / (2 * a.value)


def _robust(v: Array, g: Array, at: int) -> tuple[float, float]:
    """Squared conductance about its minimum, either side with its own curvature, large residuals counting less."""
    import numpy as np
    from lmfit import Model

    above = g > _RISE * g[at]
    left = int(np.flatnonzero(above[:at])[-1]) + 1 if above[:at].any() else 0
    right = at + int(np.argmax(above[at:])) if above[at:].any() else g.size
    x, y = v[left:right], (g[left:right] / g[at]) ** 2
    model = Model(valley)
    params = model.make_params(c=1.0, a=0.3, s={"value": 0.0, "min": -0.9, "max": 0.9}, v0=v[at])
    fit = model.fit(y, params, v=x, method="least_squares", fit_kws={"loss": "huber", "f_scale": 0.01})
    return fit.params["v0"].value, fit.params["v0"].stderr or 0.0


def valley(v: Array, c: float, a: float, s: float, v0: float) -> Array:
    """A parabola with another curvature on either side of its vertex."""
    import numpy as np

    return c + a * (v - v0) ** 2 * (1 + s * np.sign(v - v0))


def sweep_metrics(run: Row, table: Any) -> list[Row]:
    """All metrics of one sweep."""
    import numpy as np
    from scipy.signal import savgol_filter

    column = "VDS (V)" if run["proc"] == "VVg" else "I (A)"
    legs = legs_of(table, column)
    rows = []
    if run["power_w"] is not None:
        rows.append(row(run, "irradiated_power", run["power_w"], "W", "calibration"))
    points = dirac_points(legs, column)
    for method in ("robust", "parabola", "maximum-resistance"):
        both = {name: points[method, name] for name in legs if (method, name) in points}
        if not both:
            continue
        for name, (value, error) in both.items():
            rows.append(row(run, f"cnp_{name}", value, "V", method, error))
        error = float(np.sqrt(sum(error**2 for _, error in both.values()))) / len(both)
        rows.append(row(run, "cnp_voltage", float(np.mean([v for v, _ in both.values()])), "V", method, error))
        if len(both) == 2:
            lag = both["backward"][0] - both["forward"][0]
            rows.append(row(run, "cnp_hysteresis", lag, "V", method, 2 * error))
    if column != "I (A)":
        return rows
    on = max(np.abs(y).max() for _, y in legs.values())
    off = min(np.abs(y).min() for _, y in legs.values())
    rows += [row(run, "on_off_ratio", on / off, "1", "extremes"), row(run, "off_current", off, "A", "extremes")]
    thresholds, swings = {}, []
    for name, (v, y) in legs.items():
        size, step = np.abs(y), float(np.median(np.diff(v)))
        if size.max() < 100 * size.min():
            continue
        gm = savgol_filter(size, 9, 3, deriv=1, delta=step)
        at = int(np.argmax(np.abs(gm)))
        thresholds[name] = v[at] - size[at] / gm[at] - run["vds_v"] / 2
        swings.append(1e3 / np.abs(savgol_filter(np.log10(size), 9, 3, deriv=1, delta=step)).max())
    if thresholds:
        rows += [row(run, f"v_th_{name}", v, "V", "linear-extrapolation") for name, v in thresholds.items()]
        rows.append(row(run, "v_th", float(np.mean(list(thresholds.values()))), "V", "linear-extrapolation"))
        rows.append(row(run, "subthreshold_swing", min(swings), "mV/decade", "savgol"))
    return rows


def pair_of(pair: tuple[Row, Row, list[Row], dict[str, dict[str, float]]], folder: str) -> list[Row]:
    """What changed from one sweep to the next, leg by leg, and the light between them."""
    import numpy as np
    import pandas as pd

    earlier, later, between, points = pair
    column = "VDS (V)" if later["proc"] == "VVg" else "I (A)"
    one, two = (legs_of(pd.read_parquet(Path(folder, f"{run['run_id']}.parquet")), column) for run in (earlier, later))
    deltas, resistances, told = [], [], {}
    for name, (v, y) in two.items():
        before = np.interp(v, *one[name])
        if column == "VDS (V)":
            resistance = y / later["ids_a"] - before / earlier["ids_a"]
        else:
            with np.errstate(divide="ignore"):
                resistance = later["vds_v"] / y - earlier["vds_v"] / before
        deltas.append(y - before)
        resistances.append(resistance)
        told[name] = {"vg": v.tolist(), "delta": (y - before).tolist(), "delta_resistance": resistance.tolist()}
    lit_s, dose_j = 0.0, 0.0
    for run in between:
        if run["proc"] in ("It", "It2", "ITt", "Vt"):
            light = pd.read_parquet(Path(folder, f"{run['run_id']}.parquet"), columns=["t (s)", "VL (V)"])
            on = (light["VL (V)"] > 0.1).to_numpy()[:-1]
            seconds = float(np.diff(light["t (s)"].to_numpy())[on].sum())
            lit_s += seconds
            dose_j += seconds * run["power_w"] if seconds else 0.0
    delta, change = np.concatenate(deltas), np.abs(np.concatenate(resistances))
    change = change[np.isfinite(change)]
    unit = "V" if column == "VDS (V)" else "A"
    first, second = points.get(earlier["run_id"], {}), points.get(later["run_id"], {})
    shift = [second[name] - first[name] for name in second if name in first]
    more = json.dumps({"legs": told, "light_between_s": lit_s, "light_dose_between_j": dose_j})
    rows = [
        {**row(later, "consecutive_sweep_difference", np.abs(delta).max(), unit, "leg-by-leg"), "value_json": more},
        row(later, "sweep_difference_mean", delta.mean(), unit, "leg-by-leg"),
        row(later, "sweep_difference_std", delta.std(), unit, "leg-by-leg"),
        row(later, "sweep_resistance_difference", change.max(), "ohm", "leg-by-leg"),
    ]
    if shift:
        rows.append(row(later, "delta_cnp", float(np.mean(shift)), "V", "leg-by-leg"))
    return rows


def row(run: Row, name: str, value: float, unit: str, method: str, error: float | None = None) -> Row:
    """One row of the table of metrics."""
    return {
        "run_id": run["run_id"],
        "chip_group": run["chip_group"],
        "chip_number": run["chip_number"],
        "procedure": run["proc"],
        "source_file": run["source_file"],
        "metric_name": name,
        "value_float": float(value),
        "value_json": None,
        "error": error,
        "unit": unit,
        "extraction_method": method,
    }
