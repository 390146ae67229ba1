"""Whether batchlab and the script by hand derive the same: sampled values of the row `metrics` side by side."""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

# By metric and method: how far the two may lie apart at the median, and whether that is a share of the value.
ALIKE = {
    ("cnp_voltage", "maximum-resistance"): (1e-9, False),
    ("cnp_voltage", "parabola"): (5e-3, False),
    ("cnp_voltage", "robust"): (5e-3, False),
    ("tau_dark", "stretched-exponential"): (1e-3, True),
    ("beta_dark", "stretched-exponential"): (1e-3, True),
    ("its_three_phase_relaxation", "stretched-exponential"): (1e-3, True),
    ("delta_current", "edge-levels"): (0.01, True),
    ("delta_i_corrected", "dark-drift"): (0.1, True),
    ("linear_drift", "least-squares"): (1e-6, True),
    ("responsivity", "dark-drift"): (0.1, True),
    ("consecutive_sweep_difference", "leg-by-leg"): (1e-6, True),
    ("sweep_difference_std", "leg-by-leg"): (1e-6, True),
}
_MISSING = 0.02  # of the values that one has and the other has not

Values = dict[tuple[str, str], dict[str, float]]


def results(quick: bool) -> dict[str, object]:
    """A table of how far values lie apart, and what is to hold of it."""
    from benchmarks._devices_by_hand.metrics import metrics
    from benchmarks._ours_devices import derive, write_small_lab

    with tempfile.TemporaryDirectory(prefix="batchlab-bench-") as folder:
        output, by_hand = Path(folder, "ours"), Path(folder, "theirs")
        by_hand.mkdir()
        write_small_lab(1, folder)
        derive(1, folder, str(output))
        theirs = _by_hand(metrics(f"{folder}/by_hand", str(by_hand), 2))
        ours = _ours(output, Path(folder, "data", "02_stage", "manifest.parquet"))
    rows, checks = [], []
    for key, (limit, relative) in ALIKE.items():
        both = ours[key].keys() & theirs[key].keys()
        either = ours[key].keys() | theirs[key].keys()
        apart = [
            abs(ours[key][name] - theirs[key][name]) / (abs(ours[key][name]) if relative else 1.0) for name in both
        ]
        middle = statistics.median(apart) if apart else float("inf")
        rows.append([*key, str(len(both)), f"{middle:.2g}", "of the value" if relative else "V"])
        met = middle <= limit and len(either) - len(both) <= _MISSING * len(either)
        checks.append({"text": f"{key[0]} by {key[1]} is that of the script by hand", "met": met})
    columns = ["metric", "method", "runs", "apart at the median", "as"]
    return {
        "tables": [{"title": "the same results", "columns": columns, "rows": rows, "reason": None}],
        "checks": checks,
    }


def _ours(output: Path, manifest: Path) -> Values:
    import polars as pl

    files = dict(pl.read_parquet(manifest).select("run_id", "source_file").iter_rows())
    table = pl.read_parquet(output / "_metrics" / "metrics.parquet")
    found: Values = defaultdict(dict)
    for run_id, name, method, value in table.select(
        "run_id", "metric_name", "extraction_method", "value_float"
    ).iter_rows():
        found[name, method][Path(files[run_id]).name] = value
    return found


def _by_hand(table: object) -> Values:
    found: Values = defaultdict(dict)
    for row in table.to_dict("records"):  # type: ignore[attr-defined]
        found[row["metric_name"], row["extraction_method"]][row["source_file"]] = row["value_float"]
    return found
