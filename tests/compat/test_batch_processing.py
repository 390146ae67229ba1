"""The batch processor, call by call: what it promises and what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from batchlab.compat.spectra import BatchConfig, BatchProcessor, BatchProcessResult, OutputSettings, ProcessingProgress

Files = tuple[Path, list[Path]]


def process(
    baseline: Path,
    samples: list[Path],
    out: Path,
    *,
    config: BatchConfig | None = None,
    callback: Callable[[ProcessingProgress], object] | None = None,
    **settings: object,
) -> BatchProcessResult:
    output = OutputSettings(output_dir=str(out), **{"dpi": 50, **settings})  # type: ignore[arg-type]
    return asyncio.run(BatchProcessor().process_spectral_batch(str(baseline), samples, output, callback, config))


def test_a_batch_compares_each_sample_with_the_baseline(files: Files, tmp_path: Path):
    told: list[ProcessingProgress] = []
    result = process(*files, tmp_path / "out", callback=told.append)
    for t in told: print(t)
    print(result)
    assert (result.total_files, result.successful, result.failed) == (3, 3, 0)
    assert [Path(p).name for p in result.output_files] == [f"sample{i}_vs_baseline.png" for i in (1, 2, 3)]
