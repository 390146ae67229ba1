"""All metrics of all runs and of consecutive sweeps, from the tables of `stage`."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks._devices_by_hand.pool import processes
from benchmarks._devices_by_hand.sweeps import Row, pair_of, row, sweep_metrics
from benchmarks._devices_by_hand.traces import trace_metrics

_SWEEPS, _TRACES = ("IVg", "VVg"), ("It", "It2", "ITt", "Vt")


def metrics(folder: str, output: str, workers: int, *, fresh: bool = False) -> Any:
    """Derive everything; returns the table that goes to ``metrics.parquet`` in `output`."""
    import lmfit.models  # noqa: F401  before the pool forks
    import numpy as np
    import pandas as pd
    import pyarrow.parquet  # noqa: F401
    import scipy.signal
    import scipy.stats  # noqa: F401

    runs = known_runs(folder)
    with processes(workers, fresh=fresh) as mapped:
        rows = [one for part in mapped(partial(run_metrics, folder=folder), runs) for one in part]
        points: dict[str, dict[str, float]] = defaultdict(dict)
        for one in rows:
            if one["extraction_method"] == "robust" and one["metric_name"] in ("cnp_forward", "cnp_backward"):
                points[one["run_id"]][one["metric_name"]] = one["value_float"]
        pairs = list(consecutive(runs, points))
        rows += [one for part in mapped(partial(pair_of, folder=folder), pairs) for one in part]
    by_id = {run["run_id"]: run for run in runs}
    series = defaultdict(list)
    for one in rows:
        if one["metric_name"] in ("delta_i_corrected", "delta_v_corrected"):
            run = by_id[one["run_id"]]
            names = ("chip_group", "chip_number", "proc", "wavelength_nm", "vg_fixed_v", "vds_v", "sample")
            series[tuple(str(run[name]) for name in names)].append((run, abs(one["value_float"])))
    for members in series.values():
        powers = np.array([run["power_w"] or 0.0 for run, _ in members])
        if np.unique(powers[powers > 0]).size >= 3:
            values = np.array([value for _, value in members])
            exponent = np.polyfit(np.log(powers), np.log(values), 1)[0]
            rows.append(row(members[-1][0], "power_law_exponent", exponent, "1", "log-log"))
    table = pd.DataFrame(rows)
    table.to_parquet(Path(output, "metrics.parquet"))
    table.pivot_table(
        index="run_id", columns=["metric_name", "extraction_method"], values="value_float", aggfunc="last"
    ).to_csv(Path(output, "wide.csv"))
    return table


def run_metrics(run: Row, folder: str) -> list[Row]:
    """Metrics of one run, from its table."""
    import pandas as pd

    if run["proc"] in _SWEEPS and not run["quality_flags"]:
        return sweep_metrics(run, pd.read_parquet(Path(folder, f"{run['run_id']}.parquet")))
    if run["proc"] in _TRACES:
        return trace_metrics(run, pd.read_parquet(Path(folder, f"{run['run_id']}.parquet")))
    return []


def known_runs(folder: str) -> list[Row]:
    """All runs in the order of time, each with its irradiated power in W, or none; seq counts those of a chip."""
    import numpy as np
    import pandas as pd

    manifest = pd.read_parquet(Path(folder, "manifest.parquet")).sort_values("start_time_utc")
    manifest["seq"] = manifest.groupby(["chip_group", "chip_number"]).cumcount() + 1
    manifest = manifest.astype(object).where(manifest.notna(), None)
    runs: list[Row] = manifest.to_dict("records")
    calibrations = {
        run["wavelength_nm"]: pd.read_parquet(Path(folder, f"{run['run_id']}.parquet"))
        for run in runs
        if run["proc"] == "LaserCalibration"
    }
    for run in runs:
        curve = calibrations.get(run["wavelength_nm"]) if run["has_light"] else None
        run["power_w"] = (
            None if curve is None else float(np.interp(run["laser_voltage_v"], curve["VL (V)"], curve["Power (W)"]))
        )
    return runs


def consecutive(
    runs: list[Row], points: dict[str, dict[str, float]]
) -> list[tuple[Row, Row, list[Row], dict[str, dict[str, float]]]]:
    """Neighbouring sweeps of one chip that were measured alike, with the runs between them."""
    chips = defaultdict(list)
    for run in runs:
        chips[run["chip_group"], run["chip_number"]].append(run)
    found = []
    for (_, number), history in chips.items():
        for procedure in _SWEEPS if number is not None else ():
            places = [at for at, run in enumerate(history) if run["proc"] == procedure]
            for a, b in pairwise(places):
                earlier, later = history[a], history[b]
                if _condition(earlier) == _condition(later):
                    near = {run["run_id"]: points[run["run_id"]] for run in (earlier, later)}
                    between = [{**run, "power_w": run["power_w"] or 0.0} for run in history[a + 1 : b]]
                    found.append((earlier, later, between, near))
    return found


def _condition(run: Row) -> tuple[Any, ...]:
    light = (run["wavelength_nm"], run["laser_voltage_v"]) if run["has_light"] else None
    return run["vds_v"], run["ids_a"], run["sample"], light
