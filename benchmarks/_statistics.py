"""Medians with their range, and ratios formed round by round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Spread", "per_job", "ratios", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some measurements, and how far they lie apart."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Reduce the rounds of one measurement; raises ``ValueError`` if there is none."""
    if not values:
        raise ValueError("a spread needs at least one round")
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide round by round: what ran side by side is compared, under the same load.

    Raises
    ------
    ValueError
        If the two have a different number of rounds.
    """
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def per_job(full: float, jobs: int, startup: float, startup_jobs: int) -> float:
    """Cost of one further job: what the full run took beyond the start-up run, over its further jobs.

    Never below zero: a start-up that took longer than the whole run says that the run was too small to tell.
    """
    if jobs <= startup_jobs:
        raise ValueError(f"{jobs} jobs tell nothing beyond the {startup_jobs} of the start-up")
    return max(full - startup, 0.0) / (jobs - startup_jobs)
