"""Markers that jump: measured far from where the body puts them, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._judge._scale import FAR, residual_lengths, runs

if TYPE_CHECKING:
    from batchlab.motion._model import Bool, Fit

__all__ = ["OutlierRun", "far_off", "outlier_runs"]

_GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierRun:
    """A marker far from the body in frames from `start` up to, not including, `stop`; `largest_m` at the most."""

    marker: str
    start: int
    stop: int
    frames: int
    largest_m: float


def far_off(fit: Fit, unit_m: float, units_m: dict[str, float] | None = None) -> Bool:
    """(F, M) whether a marker is far from the body, by its own noise where `units_m` says that it has more."""
    limits = np.array([max(unit_m, (units_m or {}).get(name, unit_m)) for name in fit.body.markers])
    with np.errstate(invalid="ignore"):
        out: Bool = residual_lengths(fit) > FAR * limits
    return out


def outlier_runs(fit: Fit, far: Bool) -> tuple[OutlierRun, ...]:
    """Stretches of `far` (F, M), in order of time, joined over short breaks."""
    lengths = residual_lengths(fit)
    found = [
        OutlierRun(
            marker=name,
            start=start,
            stop=stop,
            frames=int(far[start:stop, number].sum()),
            largest_m=float(np.nanmax(lengths[start:stop, number])),
        )
        for number, name in enumerate(fit.body.markers)
        for start, stop in runs(far[:, number], gap=_GAP)
    ]
    return tuple(sorted(found, key=lambda run: (run.start, run.marker)))
