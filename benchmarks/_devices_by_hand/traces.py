"""Metrics of currents and voltages over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks._devices_by_hand.sweeps import Row, row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LIGHT_ON_V, _SETTLED = 0.1, 1 / 3
_DARK_LEVEL, _LIT_LEVEL = 0.20, 0.10
_HC_OVER_Q = 1.239841984e-6  # V m


def trace_metrics(run: Row, table: Any) -> list[Row]:
    """All metrics of one record over time, dark, lit, dark."""
    import numpy as np
    from scipy.stats import linregress

    column, unit = ("VDS (V)", "V") if run["proc"] == "Vt" else ("I (A)", "A")
    t, y = table["t (s)"].to_numpy(), table[column].to_numpy()
    lit = np.flatnonzero(table["VL (V)"].to_numpy() > _LIGHT_ON_V)
    dark_end = int(lit[0]) if lit.size else t.size
    settled = slice(int(np.searchsorted(t, _SETTLED * t[dark_end - 1])), dark_end)
    drift = linregress(t[settled], y[settled])
    rows = [row(run, "linear_drift", drift.slope, f"{unit}/s", "least-squares", drift.stderr)]
    if run["power_w"] is not None:
        rows.append(row(run, "irradiated_power", run["power_w"], "W", "calibration"))
    if not lit.size:
        return rows
    on, off = int(lit[0]), int(lit[-1]) + 1
    on_s, off_s = (t[on - 1] + t[on]) / 2, (t[off - 1] + t[off]) / 2
    # Millionths of an ampere, millivolts: a fit in amperes would end where it begins.
    scale = 1e6 if unit == "A" else 1e3
    before, light, after, quiet = (
        relaxation(t[part] - start, y[part] * scale)
        for part, start in (
            (slice(1, on), t[0]),
            (slice(on + 1, off), on_s),
            (slice(off + 1, None), off_s),
            (slice(settled.start + 1, settled.stop), t[settled.start]),
        )
    )
    low = _level(t[: on - 1], y[: on - 1], _DARK_LEVEL, on_s)
    high = _level(t[on:off], y[on:off], _LIT_LEVEL, off_s)
    delta = high - low
    drifted = drift.slope * (off_s - on_s)
    if quiet["aic"] < quiet["aic_single"] - 10 and quiet["tau"] < 10 * (t[dark_end - 1] - t[settled.start]):
        ends = stretched(np.array([on_s, off_s]) - t[settled.start], *(quiet[k] for k in ("b", "a", "tau", "beta")))
        drifted = float(ends[1] - ends[0]) / scale
    corrected = delta - drifted
    kind, short = ("voltage", "v") if unit == "V" else ("current", "i")
    rows += [
        row(run, f"delta_{kind}", delta, unit, "edge-levels"),
        row(run, f"delta_{short}_corrected", corrected, unit, "dark-drift"),
        row(run, "tau_dark", after["tau"], "s", "stretched-exponential", after["tau_error"]),
        row(run, "beta_dark", after["beta"], "1", "stretched-exponential", after["beta_error"]),
        {
            **row(run, "its_three_phase_relaxation", light["tau"], "s", "stretched-exponential", light["tau_error"]),
            "value_json": json.dumps({"pre_dark": before, "light": light, "post_dark": after}),
        },
    ]
    rows.append(row(run, "t_rise", _time(t[on:off] - on_s, y[on:off] - low), "s", "crossing"))
    rows.append(row(run, "t_fall", _time(t[off:] - off_s, y[off:] - high), "s", "crossing"))
    if run["power_w"]:
        rows.append(row(run, "responsivity", corrected / run["power_w"], f"{unit}/W", "dark-drift"))
        if unit == "A":
            photons = abs(corrected) / run["power_w"] * _HC_OVER_Q / (run["wavelength_nm"] * 1e-9)
            rows.append(row(run, "external_quantum_efficiency", photons, "1", "dark-drift"))
    return rows


def stretched(t: Array, b: float, a: float, tau: float, beta: float) -> Array:
    """A stretched exponential."""
    import numpy as np

    return b + a * np.exp(-((t / tau) ** beta))


def relaxation(t: Array, y: Array) -> dict[str, float]:
    """A stretched and a single exponential through a phase, with errors and Akaike's criterion of both."""
    from lmfit import Model

    model = Model(stretched)
    end = float(y[-len(y) // 5 :].mean())
    params = model.make_params(
        b=end,
        a=float(y[:3].mean()) - end,
        tau={"value": float(t[-1]) / 8, "min": float(t[-1]) * 1e-4, "max": float(t[-1]) * 30},
        beta={"value": 0.7, "min": 0.05, "max": 1.0},
    )
    fit = model.fit(y, params, t=t)
    params["beta"].set(value=1.0, vary=False)
    single = model.fit(y, params, t=t)
    found = {name: fit.params[name].value for name in ("b", "a", "tau", "beta")}
    errors = {f"{name}_error": fit.params[name].stderr or 0.0 for name in ("b", "a", "tau", "beta")}
    return {
        **found,
        **errors,
        "r_squared": fit.rsquared,
        "aic": fit.aic,
        "aic_single": single.aic,
        "tau_single": single.params["tau"].value,
    }


def _level(t: Array, y: Array, share: float, at: float) -> float:
    """Value at the end of a phase, by a line through its last part."""
    import numpy as np

    last = max(round(len(t) * share), 5)
    return float(np.polyval(np.polyfit(t[-last:] - at, y[-last:], 1), 0.0))


def _time(s: Array, y: Array) -> float:
    """From 10 to 90 % of a change, by first crossings of a running mean."""
    import numpy as np

    change = y[-max(len(y) // 10, 5) :].mean()
    part = np.convolve(y / change, np.ones(5) / 5, mode="same")
    low, high = (float(s[int(np.argmax(part >= share))]) for share in (0.1, 0.9))
    return high - low
