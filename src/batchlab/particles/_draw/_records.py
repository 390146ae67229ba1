"""A row's records, whichever kind of spectrogram they are of, and what of them a row shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import PlotError
from batchlab.particles._draw._model import Row, names_of
from batchlab.particles._model import Limits, Scale, Spectrogram

if TYPE_CHECKING:
    from batchlab.particles._model import Float, Float32, Index

__all__ = ["Filled", "Records", "Shown", "records_of", "shown_by"]

_PERCENTILES = (1.0, 99.0)
_LEAST_POSITIVE = 1e-30  # phase-space densities are as small as 1e-20
_MOST_DECADES = 8.0  # of a logarithmic axis whose end is not given


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """One category: (N, 2) times, (N,) mode, edges by mode, (N, E) values."""

    times_s: Float
    mode: Index
    edges: Sequence[Float]
    values: Float32
    quantity: str
    unit: str
    by_angle: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Limits as they are drawn, and whether values lie beyond those of the colours."""

    y: tuple[float, float]
    z: tuple[float, float]
    below: bool
    above: bool
    fill: bool
    zero: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filled:
    """A row with its data and limits."""

    row: Row
    records: Records | None
    shown: Shown | None

    @property
    def log_y(self) -> bool:
        return self.row.y_scale is Scale.LOG and not (self.records is not None and self.records.by_angle)

    @property
    def log_z(self) -> bool:
        return self.row.z_scale is Scale.LOG


def records_of(row: Row, bridge_s: float = 0.0) -> Records | None:
    """What a row shows, records reaching on to the next where it begins so soon; None if it is empty."""
    shown = row.spectrogram
    if shown is None or not len(shown.times_s):
        return None
    at = names_of(shown).index(row.category)
    if isinstance(shown, Spectrogram):
        mode, edges = shown.mode, shown.energy_edges_ev
    else:
        mode, edges = np.zeros(len(shown.times_s), np.uint8), (shown.pitch_edges_deg,)
    return Records(
        times_s=_bridged(shown.times_s, bridge_s),
        mode=mode,
        edges=edges,
        values=shown.values[at],
        quantity=shown.quantity,
        unit=shown.unit,
        by_angle=not isinstance(shown, Spectrogram),
    )


def _bridged(times_s: Float, bridge_s: float) -> Float:
    if bridge_s <= 0:
        return times_s
    gap = times_s[1:, 0] - times_s[:-1, 1]
    ends = np.where((gap > 0) & (gap <= bridge_s), times_s[1:, 0], times_s[:-1, 1])
    return np.column_stack((times_s[:, 0], np.append(ends, times_s[-1, 1])))


def shown_by(row: Row, records: Records) -> Shown:
    """Settle limits: those given, else from the data.

    Raises
    ------
    PlotError
        If the end of a logarithmic scale is given and not positive.
    """
    log_y, log_z = row.y_scale is Scale.LOG and not records.by_angle, row.z_scale is Scale.LOG
    for name, high, log in (("energies", row.limits.y_max, log_y), ("colours", row.limits.z_max, log_z)):
        if log and high is not None and high <= 0:
            raise PlotError(f"{name} end at {high:g}, which has no logarithm; give a positive limit, or a linear scale")
    y = _y_limits(row.limits, records, log=log_y)
    values = _within(records, y)
    known = values[np.isfinite(values)]
    low, high = _z_limits(row.limits, known, log=log_z)
    positive = known[known > 0] if log_z else known
    return Shown(
        y=y,
        z=(low, high),
        below=bool(positive.size and positive.min() < low),
        above=bool(positive.size and positive.max() > high),
        fill=bool(known.size < values.size),
        zero=bool(log_z and positive.size < known.size),
    )


def _y_limits(limits: Limits, records: Records, *, log: bool) -> tuple[float, float]:
    if records.by_angle:
        edges = records.edges[0]
        return _ends(limits.y_min, limits.y_max, float(edges[0]), float(edges[-1]))
    used = [_known_edges(records, mode) for mode in np.unique(records.mode).tolist()]
    top = max(float(edges[-1]) for edges in used)
    bottom = 0.0
    if log:
        bottom = min(float(edges[edges > 0].min(initial=top)) for edges in used)
        bottom = bottom if bottom < top else top / 10.0
    least = limits.y_min if limits.y_min is not None and (not log or limits.y_min > 0) else None
    return _ends(least, limits.y_max, bottom, top)


def _known_edges(records: Records, mode: int) -> Float:
    """Edges from the first to the last channel that ever has a value; all where none has."""
    edges = records.edges[mode]
    known = np.flatnonzero(np.isfinite(records.values[records.mode == mode, : len(edges) - 1]).any(axis=0))
    return edges[known[0] : known[-1] + 2] if known.size else edges


def _ends(low: float | None, high: float | None, bottom: float, top: float) -> tuple[float, float]:
    """Given ends, else those of the data; where both do not go together, the one that was given stays."""
    first, last = bottom if low is None else low, top if high is None else high
    if first < last:
        return first, last
    if high is None:
        return first, first * 10.0 if first > 0 else first + 1.0
    return last / 10.0 if last > 0 else last - 1.0, last


def _within(records: Records, y: tuple[float, float]) -> Float32:
    """Values of the channels that reach into the axis."""
    parts = []
    for mode in np.unique(records.mode).tolist():
        edges = records.edges[mode]
        seen = np.flatnonzero((edges[1:] > y[0]) & (edges[:-1] < y[1]))
        if seen.size:
            parts.append(records.values[records.mode == mode, seen[0] : seen[-1] + 1].ravel())
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _z_limits(limits: Limits, known: Float32, *, log: bool) -> tuple[float, float]:
    positive = known[known > 0] if log else known
    if known.size:
        low, high = (float(end) for end in np.percentile(known, _PERCENTILES))
    else:
        low, high = (1.0, 10.0) if log else (0.0, 1.0)
    if log:
        least = float(positive.min()) if positive.size else 1.0
        low = max(low, least, _LEAST_POSITIVE)
        high = high if high > 0 else float(positive.max(initial=10.0 * low))
        if limits.z_max is not None:
            low = max(low, limits.z_max / 10.0**_MOST_DECADES)
    given = limits.z_min if limits.z_min is not None and (not log or limits.z_min > 0) else None
    return _ends(given, limits.z_max, low, high)
