"""Intensity by record, direction and energy, handed on in blocks: a file before its directions collapse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._model import Dropped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float, Float32

__all__ = ["Block", "Distribution", "EnergyTable", "Tally", "energy_table", "in_order"]

_ABUTS = 0.02  # of a channel's width: how far stated edges may be off their neighbour's


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergyTable:
    """Energies of a mode.

    Attributes
    ----------
    channels
        (E,) places in the file's order, by ascending energy; of several at one energy the first.
    repeats
        Pairs of a place in the table and all the file's channels at that energy, where there are several: they are
        measured one after the other, and averaged.
    energies_ev, edges_ev
        (E,) and (E + 1,), ascending.
    """

    channels: NDArray[np.intp]
    energies_ev: Float
    edges_ev: Float
    repeats: tuple[tuple[int, NDArray[np.intp]], ...] = ()

    def gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """(..., E) by ascending energy out of the file's order; channels at one energy averaged."""
        found: NDArray[Any] = values[..., self.channels]
        for place, channels in self.repeats:
            part = values[..., channels]
            known = np.isfinite(part)
            with np.errstate(divide="ignore", invalid="ignore"):
                found[..., place] = np.where(known, part, 0).sum(axis=-1) / known.sum(axis=-1)
        return found

    @property
    def widths_ev(self) -> Float:
        """(E,) from edge to edge."""
        return np.diff(self.edges_ev)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Some records of one mode.

    Attributes
    ----------
    rows
        (n,) their places among the records that are kept.
    mode
        Index of their energy table.
    values
        (n, A, E) with 0 where `good` is False; E in the file's order.
    good
        (n, A, E), or None where all was measured.
    pitch_deg
        (n, A, E), (n, A, 1) or (1, A, 1) from 0 to 360, NaN where unknown; None where the file tells no directions.
    solid_angle_sr
        (A, E) or (A, 1), zero where a direction is not to be used.
    """

    rows: NDArray[np.intp]
    mode: int
    values: Float32
    good: NDArray[np.bool_] | None
    pitch_deg: NDArray[Any] | None
    solid_angle_sr: NDArray[Any]


@dataclass(slots=True)
class Tally:
    """What was left out, counted as blocks are read."""

    cells: int = 0
    fill: int = 0
    out_of_range: int = 0
    records: int = 0
    invalid: int = 0
    low_quality: int = 0
    out_of_order: int = 0

    def frozen(self) -> Dropped:
        """The count so far."""
        return Dropped(
            cells=self.cells,
            fill=self.fill,
            out_of_range=self.out_of_range,
            records=self.records,
            invalid=self.invalid,
            low_quality=self.low_quality,
            out_of_order=self.out_of_order,
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Distribution:
    """A file's records before directions collapse.

    Attributes
    ----------
    name, quantity, unit
        As of a `Spectrogram`.
    times_s
        (N, 2) of the kept records, starts ascending.
    mode
        (N,) index into `tables`.
    tables
        The energies of each mode.
    blocks
        To be gone through once; the file must be open meanwhile.
    scales
        A factor by mode and ascending channel that turns what the blocks hold into the quantity; empty for 1.
    full_circle
        Whether pitch angles run to 360 degrees (they tell both sides of the field) or to 180.
    has_pitch
        Whether the file tells directions.
    pitch_edges_deg
        (A + 1,) where the file's own bins of pitch angle meet; None where angles differ by record or energy.
    tally
        What was left out; whole once the blocks are gone through.
    notes
        For the report.
    """

    name: str
    quantity: str
    unit: str
    times_s: Float
    mode: NDArray[np.uint8]
    tables: tuple[EnergyTable, ...]
    blocks: Iterator[Block]
    scales: tuple[Float, ...] = ()
    full_circle: bool = True
    has_pitch: bool = True
    pitch_edges_deg: Float | None = None
    tally: Tally = field(default_factory=Tally)
    notes: tuple[str, ...] = ()


def in_order(times_s: Float, keep: NDArray[np.bool_], tally: Tally) -> NDArray[np.intp]:
    """(N,) the place of each record among the kept ones in order of time, -1 for those left out.

    Parameters
    ----------
    times_s
        (N, 2) start and end of each record.
    keep
        (N,) which are kept.
    tally
        Takes down how many come after a later one.
    """
    rows = np.flatnonzero(keep)
    starts = times_s[rows, 0]
    tally.out_of_order = int(np.count_nonzero(starts < np.maximum.accumulate(starts)))
    places = np.full(len(times_s), -1, np.intp)
    places[rows[np.argsort(starts, kind="stable")]] = np.arange(len(rows))
    return places


def energy_table(
    energies_ev: NDArray[Any],
    *,
    lower_ev: NDArray[Any] | None = None,
    upper_ev: NDArray[Any] | None = None,
) -> tuple[EnergyTable, int]:
    """Order the channels of a mode and find their edges.

    Stated edges are taken where neighbours share them; others lie at the geometric mean of the two energies (at the
    arithmetic one where an energy is not positive). Channels without an energy are left out, and so are channels of no
    width at the energy, or at an edge, of one that has a width: the instrument waits there.

    Parameters
    ----------
    energies_ev
        (E,) in the file's order, ascending, descending or neither; NaN where a channel is not used.
    lower_ev, upper_ev
        (E,) edges as the file states them.

    Returns
    -------
    tuple
        The table, and how many channels with an energy were left out.
    """
    energies = np.asarray(energies_ev, np.float64)
    low = energies if lower_ev is None else np.asarray(lower_ev, np.float64)
    high = energies if upper_ev is None else np.asarray(upper_ev, np.float64)
    stated = np.isfinite(low) & np.isfinite(high) & (high > low)
    used = np.isfinite(energies)
    kept: list[int] = []
    several: list[list[int]] = []
    ranked = np.lexsort((np.arange(len(energies)), ~stated, energies))
    for at in ranked[used[ranked]]:
        if not stated[at] and np.any(stated & (low <= energies[at] * (1 + 1e-6)) & (energies[at] <= high)):
            continue
        if kept and energies[kept[-1]] == energies[at]:
            several[-1].append(int(at))
        else:
            kept.append(int(at))
            several.append([int(at)])
    channels = np.array(kept, np.intp)
    centres, low, high, stated = energies[channels], low[channels], high[channels], stated[channels]
    edges = _between(centres)
    width = np.where(stated, high - low, np.inf)
    for k in range(len(centres) + 1):
        below, above = k - 1, k
        has_below, has_above = below >= 0 and stated[below], above < len(centres) and stated[above]
        if has_below and has_above:
            if abs(high[below] - low[above]) <= _ABUTS * min(width[below], width[above]):
                edges[k] = 0.5 * (high[below] + low[above])
        elif has_below:
            edges[k] = high[below]
        elif has_above:
            edges[k] = low[above]
    if len(centres) > 1:  # an end channel without a width reaches as far beyond its energy as it does before it
        if not stated[0] and stated[1]:
            edges[0] = max(2 * centres[0] - edges[1], 0.5 * centres[0])
        if not stated[-1] and stated[-2]:
            edges[-1] = 2 * centres[-1] - edges[-2]
    if np.any(np.diff(edges) <= 0):
        edges = _between(centres)
    repeats = tuple((place, np.array(at, np.intp)) for place, at in enumerate(several) if len(at) > 1)
    table = EnergyTable(channels=channels, energies_ev=centres, edges_ev=edges, repeats=repeats)
    return table, int(used.sum()) - sum(map(len, several))


def _between(centres: Float) -> Float:
    """Edges half-way between ascending centres: by ratio where all are positive, else by difference."""
    if len(centres) < 2:
        return np.array([centres[0] / 2**0.5, centres[0] * 2**0.5]) if len(centres) else np.empty(0)
    positive = centres[0] > 0
    x = np.log(centres) if positive else centres
    middle = 0.5 * (x[1:] + x[:-1])
    edges = np.concatenate([[1.5 * x[0] - 0.5 * x[1]], middle, [1.5 * x[-1] - 0.5 * x[-2]]])
    found: Float = np.exp(edges) if positive else edges
    return np.maximum(found, 0.0) if found[1] > 0 else found
