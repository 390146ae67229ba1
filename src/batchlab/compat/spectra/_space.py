"""What a batch needs: files that can be read, a folder that can be written, time, memory, room."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchlab.compat.spectra._jobs import COMPARE, NORMALIZE, places
from batchlab.compat.spectra._results import ProcessingEstimate
from batchlab.compat.spectra._settings import BatchConfig
from batchlab.engine import read_history

__all__ = ["estimate", "output_problem", "size_of"]

_NORMALIZE_S = (0.05, 0.5)  # a file, and a MB more, where nothing is known yet
_COMPARE_S = (0.4, 0.3)
_BESIDE_PICTURES = 2.5  # MB: records, the ledger's log, reserves
_TEXT_GROWS = 2.5  # a normalised copy beside its file
_FREE_SHARE = 1.2  # room that must be there for each MB expected


@dataclass(frozen=True, slots=True)
class _Time:
    seconds: float
    known: bool


def size_of(path: str | os.PathLike[str]) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def estimate(
    baseline: str | os.PathLike[str], samples: Sequence[str | os.PathLike[str]], config: BatchConfig, dpi: int = 300
) -> ProcessingEstimate:
    """What comparing samples with a baseline should take; nothing is read."""
    sizes = [size_of(each) for each in samples]
    total = sum(sizes) + size_of(baseline)
    workers = max(1, min(places(config, dpi), len(sizes)))
    normalizing = _time_of(NORMALIZE, len(sizes) + 1, total, _NORMALIZE_S)
    comparing = _time_of(COMPARE, len(sizes), _TEXT_GROWS * sum(sizes), _COMPARE_S)
    picture_mb = 0.1 + 0.4 * (dpi / 300) ** 2
    return ProcessingEstimate(
        estimated_time_minutes=(normalizing.seconds + comparing.seconds) / workers / 60,
        estimated_memory_mb=workers * config.memory_limit_mb / places(config, dpi),
        estimated_output_mb=_BESIDE_PICTURES + picture_mb * len(sizes) + _TEXT_GROWS * total / 1e6,
        total_size_mb=total / 1e6,
        files=len(sizes),
        from_history=normalizing.known and comparing.known,
    )


def output_problem(folder: str | os.PathLike[str], needed_mb: float) -> str | None:
    """Why nothing can be written there; None if all is well."""
    path = Path(os.path.abspath(os.fspath(folder)))
    there = path
    while not os.path.lexists(there):
        there = there.parent
    if not stat.S_ISDIR(os.stat(there).st_mode):
        return f"{there} is a file, not a folder; choose another output_dir"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} may not be written; ask for the right to, or choose another output_dir"
    free = shutil.disk_usage(there).free / 1e6
    if free < _FREE_SHARE * needed_mb:
        return f"{there} has {free:.1f} MB free where about {needed_mb:.0f} MB are needed; make room"
    return None


def _time_of(task: str, jobs: int, size: float, otherwise: tuple[float, float]) -> _Time:
    """Seconds that jobs of a task should take, one after the other."""
    past = read_history().get(task)
    if past is None or past.observed.n < 1:
        return _Time(jobs * otherwise[0] + size / 1e6 * otherwise[1], known=False)
    base, slope, _ = past.observed.fit()
    return _Time(jobs * base + slope * size, known=True)
