"""How long a batch will take."""

from __future__ import annotations

import heapq
import os

from batchlab.compat.motion._jobs import BatchConfig
from batchlab.engine import read_history
from batchlab.errors import ConfigError

__all__ = ["estimate_batch_time"]


def estimate_batch_time(batch_config: BatchConfig, time_per_job_seconds: float | None = None) -> dict[str, float]:
    """Estimate the time that a batch takes, by one worker and by all.

    Parameters
    ----------
    batch_config
        Of `create_batch_from_files` and the like.
    time_per_job_seconds
        By default what earlier fits on this machine took, by the sizes of their files.

    Returns
    -------
    dict
        ``n_jobs``, ``n_workers``, ``sequential_time_seconds``, ``parallel_time_seconds``, both also as ``_minutes`` and
        ``_hours``, ``speedup``, and ``time_saved_minutes``. In parallel, jobs go to the next free worker.

    Raises
    ------
    ConfigError
        If no time is given and nothing was fitted here before.
    """
    if time_per_job_seconds is not None:
        times = [time_per_job_seconds] * batch_config.n_jobs
    else:
        past = read_history().get("motion.fit")
        if past is None or not past.observed.n:
            raise ConfigError("no fit was run on this machine yet; say time_per_job_seconds")
        least, per_byte, _ = past.observed.fit()
        times = [least + per_byte * sum(map(_size, job.files)) for job in batch_config.sorted_jobs]
    workers = min(batch_config.n_workers, max(batch_config.n_jobs, 1))
    free = [0.0] * workers
    for each in times:
        heapq.heapreplace(free, free[0] + each)
    alone, together = sum(times), max(free)
    told = {"n_jobs": float(batch_config.n_jobs), "n_workers": float(workers)}
    for word, seconds in (("sequential", alone), ("parallel", together)):
        for unit, length in (("seconds", 1.0), ("minutes", 60.0), ("hours", 3600.0)):
            told[f"{word}_time_{unit}"] = seconds / length
    told["speedup"] = alone / together if together else 1.0
    told["time_saved_minutes"] = (alone - together) / 60.0
    return told


def _size(path: os.PathLike[str]) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
