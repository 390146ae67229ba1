"""The plots of a batch file, each a figure of pyplot."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._devices_by_hand.metrics import known_runs
from benchmarks._devices_by_hand.pool import processes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Run = dict[str, Any]
Entry = dict[str, Any]
# Of a plot's type: which runs it takes, what it shows of them, with its label and factor.
_SHOWN = {
    "plot-its": ("It", "I (A)", "I (uA)", 1e6),
    "plot-its-sequential": ("It", "I (A)", "I (uA)", 1e6),
    "plot-vt": ("Vt", "VDS (V)", "V (mV)", 1e3),
    "plot-ivg": ("IVg", "I (A)", "I (uA)", 1e6),
    "plot-vvg": ("VVg", "VDS (V)", "V (mV)", 1e3),
    "plot-transconductance": ("IVg", "I (A)", "gm (uS)", 1e6),
}
_PRESETS = {
    "dark": {"baseline": "none", "start": 1.0, "legend_by": "vg"},
    "light_spectral": {"legend_by": "wavelength"},
}


def plots(config: str, folder: str, output: str, workers: int, *, fresh: bool = False) -> list[str]:
    """Draw every plot of `config` from the tables of `stage`; returns the files."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: F401  before the pool forks
    import scipy.signal  # noqa: F401
    import yaml

    told = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
    runs = known_runs(folder)
    chip = {
        run["seq"]: run for run in runs if (run["chip_group"], run["chip_number"]) == (told["chip_group"], told["chip"])
    }
    entries = [
        {**told.get("defaults", {}), **_PRESETS.get(entry.get("preset"), {}), **entry} for entry in told["plots"]
    ]
    work = [(number, entry, [chip[seq] for seq in seqs_of(entry["seq"])]) for number, entry in enumerate(entries)]
    with processes(workers, fresh=fresh) as mapped:
        return list(mapped(partial(draw, folder=folder, output=output), work))


def seqs_of(told: int | str | list[int]) -> list[int]:
    """Numbers of runs as a batch file has them: 52, "52-58", [52, 57], "89-92,95"."""
    if isinstance(told, list):
        return sorted(set(told))
    seqs: set[int] = set()
    for part in str(told).split(","):
        first, _, last = part.partition("-")
        seqs.update(range(int(first), int(last or first) + 1))
    return sorted(seqs)


def draw(work: tuple[int, Entry, list[Run]], folder: str, output: str) -> str:
    """Draw one plot."""
    import matplotlib.pyplot as plt
    import pandas as pd

    number, entry, chosen = work
    procedure, column, label, factor = _SHOWN[entry["type"]]
    runs = [run for run in chosen if run["proc"] == procedure]
    tables = [pd.read_parquet(Path(folder, f"{run['run_id']}.parquet")) for run in runs]
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    colours = plt.get_cmap("viridis")([k / max(len(runs) - 1, 1) for k in range(len(runs))])
    start, windows = float(entry.get("start", 20.0)), []
    for run, table, colour in zip(runs, tables, colours, strict=True):
        y = table[column].to_numpy()
        if entry.get("conductance") or entry.get("resistance"):
            y, label = y / run["vds_v" if column == "I (A)" else "ids_a"], "G (uS)" if column == "I (A)" else "R (kOhm)"
            factor = 1e6 if column == "I (A)" else 1e-3
        elif entry.get("inverse"):
            y, label, factor = run["vds_v"] / y, "1/G (kOhm)", 1e-3
        name = _name(run, entry.get("legend_by"))
        if entry["type"] == "plot-transconductance":
            axes.axhline(0.0, color="0.6", linewidth=0.8)
            for k, (v, raw, smooth) in enumerate(_derivatives(table["Vg (V)"].to_numpy(), y, entry)):
                if smooth is not None:
                    axes.plot(v, factor * raw, color=colour, alpha=0.35, linewidth=0.7)
                shown = raw if smooth is None else smooth
                axes.plot(v, factor * shown, color=colour, label=None if k else name)
        elif procedure in ("IVg", "VVg"):
            axes.plot(table["Vg (V)"], factor * y, color=colour, label=name)
        else:
            t, offset = table["t (s)"].to_numpy(), 0.0
            if entry["type"] == "plot-its-sequential":
                offset = (run["start_time_utc"] - runs[0]["start_time_utc"]).total_seconds()
                axes.axvline(offset + start, color="0.6", linestyle="--", linewidth=0.8)
            elif entry.get("baseline") != "none":
                y = y - y[(abs(t - 60.0)).argmin()]
            lit = t[table["VL (V)"].to_numpy() > 0]
            if lit.size:
                windows.append((lit[0] + offset, lit[-1] + offset))
            seen = t >= start
            axes.plot(t[seen] + offset, factor * y[seen], color=colour, label=name)
    _finish(axes, entry, runs, label, windows)
    figure.tight_layout()
    name = f"{number:02d}_{entry['type']}_{entry.get('tag', 'seq')}"
    target = Path(output, f"{name}.{entry.get('style', {}).get('format', 'pdf')}")
    figure.savefig(target, dpi=300)
    plt.close(figure)
    return str(target)


def _finish(axes: Any, entry: Entry, runs: list[Run], label: str, windows: list[tuple[float, float]]) -> None:
    """Light, labels, legend."""
    if entry["type"] in ("plot-its", "plot-vt") and windows:
        windows = windows[:1]
    for first, last in windows:
        axes.axvspan(first, last, color="tab:orange", alpha=0.15)
    over_time = runs[0]["proc"] in ("It", "Vt")
    axes.set_xlabel("t (s)" if over_time else "Vg (V)")
    axes.set_ylabel(label)
    axes.set_title(f"{runs[0]['chip_group']}{runs[0]['chip_number']} - {runs[0]['proc']}")
    axes.margins(x=0.0)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _name(run: Run, by: str | None) -> str:
    if by == "vg" and run["vg_fixed_v"] is not None:
        return f"{run['vg_fixed_v']:g} V"
    if by == "wavelength" and run["wavelength_nm"]:
        return f"{run['wavelength_nm']:g} nm"
    if by == "led_voltage" and run["laser_voltage_v"]:
        return f"{run['laser_voltage_v']:g} V"
    if by == "datetime":
        return f"{run['start_time_utc']:%Y-%m-%d %H:%M}"
    if by == "irradiated_power" and run["power_w"]:
        return f"{run['power_w'] * 1e6:.2f} uW"
    return f"#{run['seq']} {'light' if run['has_light'] else 'dark'}"


def _derivatives(v: Array, i: Array, entry: Entry) -> list[tuple[Array, Array, Array | None]]:
    """Gate voltage, differences and smoothed derivative of each leg of a sweep."""
    import numpy as np
    from scipy.signal import savgol_filter

    way = np.sign(np.diff(v))
    ends = np.cumsum([len(list(part)) for _, part in groupby(way)])
    legs = []
    for leg in np.split(np.arange(v.size), ends[:-1] + 1):
        raw, smooth = np.gradient(i[leg], v[leg]), None
        if entry.get("method", "savgol") == "savgol":
            step = float(np.median(np.diff(v[leg])))
            window = min(int(entry.get("window", 21)), leg.size - 1 + leg.size % 2)
            smooth = savgol_filter(i[leg], window, int(entry.get("polyorder", 7)), deriv=1, delta=step)
        legs.append((v[leg], raw, smooth))
    return legs
