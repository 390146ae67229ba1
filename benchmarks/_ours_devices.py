"""Our side of the rows of devices: commands as they are typed, each in the measured process, and their laboratories."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FEW_CHIPS, FEW_RUNS = 2, 12
CHIP = ("Alisson", 67)
# The examples' own batch file, but for the suites, which draw three pictures each.
_EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "config" / "batch_plots" / "alisson67_plots.yaml"


def write_lab(n: int, folder: str) -> None:
    """604 raw files, 25 MB, in ``data/01_raw``; staged in ``data/02_stage``, and by hand in ``by_hand``."""
    _write_lab(folder)


def write_small_lab(n: int, folder: str) -> None:
    """The same with a few files."""
    _write_lab(folder, chips=FEW_CHIPS, runs=FEW_RUNS, documented=False)


def write_chips(n: int, folder: str) -> None:
    """The staged runs of `n` chips, 60 of each."""
    _write_lab(folder, chips=n, documented=False, by_hand=False)


def write_small_chips(n: int, folder: str) -> None:
    """The same with a few runs of each."""
    _write_lab(folder, chips=n, runs=FEW_RUNS, documented=False, by_hand=False)


def write_plots(n: int, folder: str) -> None:
    """The staged runs of ten chips with the powers of their light, and batch files of 1 to `n` plots."""
    _write_plots(n, folder)


def write_small_plots(n: int, folder: str) -> None:
    """The same with one chip."""
    _write_plots(n, folder, chips=1)


def stage(n: int, folder: str, output: str) -> None:
    """Stage all raw files of a laboratory into an empty folder."""
    batchlab("stage-all", "--raw-root", f"{folder}/data/01_raw", "--stage-root", output, "--quiet")


def stage_again(n: int, folder: str) -> None:
    """Stage a laboratory in which nothing is new."""
    manifest = Path(folder, "data", "02_stage", "manifest.parquet")
    before = manifest.stat().st_mtime_ns
    batchlab("stage-all", *_base(folder), "--quiet")
    if manifest.stat().st_mtime_ns != before:
        raise SystemExit("something was new")


def derive(n: int, folder: str, output: str) -> None:
    """Derive all metrics of all chips."""
    batchlab("derive-all-metrics", *_base(folder), "--derived-root", output, "--quiet")


def derive_chips(n: int, folder: str, output: str, of: int, workers: int) -> None:
    """Derive all metrics of the first `n` chips of `of`."""
    from batchlab.devices._synthetic._script import chips

    some = () if n == of else ("--chip", ",".join(chip.name for chip in chips(of)[:n]))
    where = (*_base(folder), "--derived-root", output)
    batchlab("derive-all-metrics", *where, *some, "--workers", str(workers), "--quiet")


def derive_pairs(n: int, folder: str, output: str) -> None:
    """Compare all consecutive sweeps by the command."""
    batchlab("derive-consecutive-sweeps", *_base(folder), "--derived-root", output, "--quiet")


def pairs(n: int, folder: str) -> None:
    """Read and compare all consecutive sweeps, `n` times."""
    from batchlab.devices._store import Store
    from batchlab.devices.metrics import extract_pairs
    from batchlab.devices.tasks._extract import _with_data

    for _ in range(n):
        store = Store(Path(folder, "data", "02_stage"))
        found, _ = extract_pairs(store.runs(columns=()), load=lambda batch, store=store: _with_data(store, batch))
        if not found:
            raise SystemExit("no pairs")


def draw(n: int, folder: str, output: str, workers: int, format: str) -> None:
    """Draw the first `n` plots of the batch file."""
    config = f"{folder}/{format}-{n}.yaml"
    batchlab("batch-plot", config, "--base-dir", f"{folder}/data", "-o", output, "--parallel", str(workers), "--quiet")


def show_help(n: int) -> None:
    """What a user sees first."""
    batchlab("--help")


def one_pool(n: int, folder: str, workers: int) -> None:
    """Compare all consecutive sweeps of all chips in one pool of processes."""
    _pooled(folder, workers, per_chip=False)


def pool_per_chip(n: int, folder: str, workers: int) -> None:
    """The same, a chip after the other, each in a pool of its own."""
    _pooled(folder, workers, per_chip=True)


def batchlab(*words: str) -> None:
    """Run ``batchlab devices`` in this process, as its console script does."""
    from batchlab.cli import main

    sys.argv = ["batchlab", "devices", *words]
    try:
        main()
    except SystemExit as ended:
        if ended.code:  # what it last said is the reason
            raise


def _base(folder: str) -> tuple[str, str]:
    return "--base-dir", f"{folder}/data"


def _write_lab(folder: str, *, by_hand: bool = True, **size: Any) -> None:
    from batchlab.devices._synthetic import write_lab
    from benchmarks._devices_by_hand.stage import stage as stage_by_hand

    write_lab(folder, **size)
    batchlab("stage-all", *_base(folder), "--quiet")
    if by_hand:
        Path(folder, "by_hand").mkdir()
        stage_by_hand(f"{folder}/data/01_raw", f"{folder}/by_hand", 2)


def _write_plots(n: int, folder: str, **size: Any) -> None:
    import yaml

    _write_lab(folder, **size)
    batchlab("update", *_base(folder), "--quiet")
    told: Mapping[str, Any] = yaml.safe_load(_EXAMPLES.read_text(encoding="utf-8"))
    entries = [entry for entry in told["plots"] if not entry["type"].endswith("-suite")]
    if len(entries) < n:
        raise SystemExit(f"{_EXAMPLES} has only {len(entries)} single plots")
    for format in ("pdf", "png"):
        defaults = {**told["defaults"], "style": {"format": format}}
        for count in range(1, n + 1):
            text = yaml.safe_dump({**told, "defaults": defaults, "plots": entries[:count]}, sort_keys=False)
            Path(folder, f"{format}-{count}.yaml").write_text(text, encoding="utf-8")


def _pooled(folder: str, workers: int, *, per_chip: bool) -> None:
    import polars as pl

    from batchlab.compat.devices.metric_pipeline import MetricPipeline

    pipeline = MetricPipeline(folder, max_workers=workers)
    manifest = pl.read_parquet(pipeline.stage_dir / "manifest.parquet").filter(pl.col("chip_number").is_not_null())
    parts = manifest.partition_by("chip_group", "chip_number") if per_chip else [manifest]
    found = [metric for part in parts for metric in pipeline._extract_pairwise_metrics(part)]
    pairs = sum(metric.metric_name == "consecutive_sweep_difference" for metric in found)
    if pairs < len(manifest.select("chip_group", "chip_number").unique()):
        raise SystemExit(f"only {pairs} pairs")
