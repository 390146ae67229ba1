"""How many processes are worth starting: several only where the work pays for their start."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["START_S", "choose_workers", "estimated_s"]

START_S = 0.25  # CPU seconds that one more worker costs: a fork of what is loaded by then, and its own first of all
_RUN_S = {"IVg": 2.2e-3, "VVg": 1.3e-3, "It": 3.8e-3, "It2": 4.0e-3, "ITt": 4.4e-3, "Vt": 4.2e-3}
_OTHER_RUN_S = 1e-3
_ROW_S = 5e-7
_PAIR_S = 1.0e-3


def estimated_s(runs: Mapping[str, int], rows: int, pairs: int) -> float:
    """CPU seconds of deriving all metrics, as measured on a usual laboratory.

    Parameters
    ----------
    runs
        Their number by procedure.
    rows
        Recorded rows of all of them.
    pairs
        Sweeps to be compared.
    """
    single = sum(count * _RUN_S.get(procedure, _OTHER_RUN_S) for procedure, count in runs.items())
    return single + rows * _ROW_S + pairs * _PAIR_S


def choose_workers(work_s: float, jobs: int, asked: int | None = None, *, cores: int | None = None) -> tuple[int, str]:
    """How many workers, and why in a line.

    Parameters
    ----------
    work_s
        Estimated CPU seconds of all jobs.
    jobs
        Their number: more workers would have nothing to do.
    asked
        What somebody asked for, which holds.
    """
    if asked is not None:
        return asked, f"{asked} {_workers(asked)}, as asked for"
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = max(1, min(cores, jobs))
    # A worker has to bring in twice what its start costs.
    count = max(1, min(most, int(work_s / (2 * START_S))))
    why = f"about {work_s:.1f} s of work in {jobs} {'job' if jobs == 1 else 'jobs'}, {START_S:g} s for a worker's start"
    return count, f"{count} {_workers(count)} of {cores} possible: {why}; --workers N decides otherwise"


def _workers(count: int) -> str:
    return "worker" if count == 1 else "workers"
