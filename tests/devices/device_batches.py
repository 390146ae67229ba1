"""Staging and deriving of a laboratory through real runs of the engine, for tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl

from batchlab.devices._batches import metrics_batch, reading_all, stage_batch
from batchlab.devices._layout import Layout
from batchlab.engine import RunResult, run

KEY = ["run_id", "metric_name", "extraction_method"]


def copied(raw_root: Path, folder: Path, *, fewer: int | None = None) -> Layout:
    """A data folder with raw files of one's own; of each chip's day and procedure only the first ones, if asked for."""
    layout = Layout.below(folder / "data")
    shutil.copytree(raw_root, layout.raw)
    if fewer is not None:
        kept: dict[str, int] = {}
        for path in sorted(layout.raw.rglob("*.csv")):
            chip = next((line for line in path.read_text().splitlines()[:40] if "Chip number" in line), "none")
            stem = f"{chip}{path.stem.rstrip('0123456789')}"
            kept[stem] = kept.get(stem, 0) + 1
            if kept[stem] > fewer:
                path.unlink()
    return layout


def staged(layout: Layout, *, force: bool = False, **how) -> RunResult:
    with reading_all(force):
        return run(stage_batch(layout, **how), fresh=force)


def derived(layout: Layout, *, fresh: bool = False, **how) -> RunResult:
    return run(metrics_batch(layout, **how).batch, fresh=fresh)


def content(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, but for what the engine keeps there and reports."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".batchlab" not in path.parts and not path.name.startswith("batch_")
    }


def table(layout: Layout) -> pl.DataFrame:
    return pl.read_parquet(layout.metrics)


def values(frame: pl.DataFrame) -> pl.DataFrame:
    """All that a table says, without when."""
    return frame.drop("extraction_timestamp").sort(KEY)


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))
