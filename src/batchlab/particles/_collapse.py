"""Directions become categories: the mean over solid angle, the plain mean or the sum, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.particles._model import Collapse, MissingVariable, PitchCategory, Spectrogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._distribution import Block, Distribution

__all__ = ["arcs", "collapse", "within"]

Arc = tuple[float, float]


def collapse(
    distribution: Distribution,
    categories: Sequence[PitchCategory],
    *,
    how: Collapse = Collapse.SOLID_ANGLE_MEAN,
    south: NDArray[np.bool_] | None = None,
) -> Spectrogram:
    """Collapse the directions of every record into categories.

    Parameters
    ----------
    distribution
        Of an open file; its blocks are used up.
    categories
        Which directions belong together. Where the file tells no directions only those that hold all of them remain.
    how
        The mean weighted by solid angle, the plain mean over the directions that were measured, or their sum.
    south
        (N,) whether a record was taken where the field points up; there, categories that flip are turned
        by 180 degrees.

    Returns
    -------
    Spectrogram
        NaN where no direction of a category was measured.

    Raises
    ------
    MissingVariable
        If the file tells no directions and no category holds all of them.
    """
    how, chosen, notes = Collapse(how), list(categories), list(distribution.notes)
    if not distribution.has_pitch:
        chosen = [category for category in chosen if arcs(category.ranges_deg) is None]
        if not chosen:
            raise MissingVariable(f"{distribution.name} tells no pitch angles; ask for a category of 0 to 360 degrees")
        if len(chosen) < len(categories):
            notes.append("No pitch angles: only the category of all directions is shown.")
    widest = max((len(table.channels) for table in distribution.tables), default=0)
    values = np.full((len(chosen), len(distribution.times_s), widest), np.nan, np.float32)
    straight = [arcs(category.ranges_deg) for category in chosen]
    turned = [arcs(category.ranges_deg, 180.0 if category.flips else 0.0) for category in chosen]
    for block in distribution.blocks:
        table = distribution.tables[block.mode]
        below = np.zeros(len(block.rows), bool) if south is None else south[block.rows]
        for side, ranges in ((~below, straight), (below, turned)):
            if not side.any():
                continue
            part = slice(None) if side.all() else side
            found = table.gather(_collapse_block(block, part, ranges, how))
            if distribution.scales:
                found *= distribution.scales[block.mode].astype(np.float32)
            values[:, block.rows[part], : len(table.channels)] = found
    return Spectrogram(
        name=distribution.name,
        quantity=distribution.quantity,
        unit=distribution.unit,
        categories=tuple(category.name for category in chosen),
        times_s=distribution.times_s,
        mode=distribution.mode,
        energy_edges_ev=tuple(table.edges_ev for table in distribution.tables),
        energies_ev=tuple(table.energies_ev for table in distribution.tables),
        values=values,
        dropped=distribution.tally.frozen(),
        notes=tuple(notes),
    )


def arcs(ranges_deg: Sequence[Arc], turn_deg: float = 0.0) -> list[Arc] | None:
    """Ranges of pitch angles as pieces of 0 to 360 degrees, both ends inclusive.

    Parameters
    ----------
    ranges_deg
        Pairs of a first and a last angle; a first above its last goes through 360.
    turn_deg
        Added to both.

    Returns
    -------
    list or None
        None where a single range holds every direction.
    """
    pieces: list[Arc] = []
    for first, last in ranges_deg:
        if last - first >= 360.0:
            return None
        low, high = (first + turn_deg) % 360.0, (last + turn_deg) % 360.0
        if high == 0.0 and last > first:
            high = 360.0
        pieces += [(low, high)] if low <= high else [(low, 360.0), (0.0, high)]
    # 360 degrees is 0 degrees: a range up to the one takes in the other.
    if any(high == 360.0 for _, high in pieces) and not any(low == 0.0 for low, _ in pieces):
        pieces.append((0.0, 0.0))
    if any(low == 0.0 for low, _ in pieces) and not any(high == 360.0 for _, high in pieces):
        pieces.append((360.0, 360.0))
    return _joined(pieces)


def _joined(pieces: list[Arc]) -> list[Arc]:
    """Pieces that overlap become one, for speed."""
    joined: list[Arc] = []
    for low, high in sorted(pieces):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def within(pitch_deg: NDArray[Any], pieces: Sequence[Arc]) -> NDArray[np.bool_]:
    """Whether each angle, from 0 to 360, lies in one of the pieces; NaN lies in none."""
    inside = np.zeros(pitch_deg.shape, bool)
    for low, high in pieces:
        one = pitch_deg >= pitch_deg.dtype.type(low)
        one &= pitch_deg <= pitch_deg.dtype.type(high)
        inside |= one
    return inside


def _collapse_block(
    block: Block, part: slice | NDArray[np.bool_], ranges: Sequence[list[Arc] | None], how: Collapse
) -> NDArray[np.float32]:
    """(C, n, E) of some records of a block."""
    values = block.values[part]
    good = None if block.good is None else block.good[part]
    pitch = block.pitch_deg
    if pitch is not None and len(pitch) > 1:
        pitch = pitch[part]
    usable = (block.solid_angle_sr > 0).astype(np.float32)
    weight = block.solid_angle_sr.astype(np.float32) if how is Collapse.SOLID_ANGLE_MEAN else usable
    weight = np.broadcast_to(weight, values.shape[1:])
    found = np.empty((len(ranges), len(values), values.shape[2]), np.float32)
    for row, pieces in zip(found, ranges, strict=True):
        taken = good if pieces is None or pitch is None else within(pitch, pieces)
        if taken is not good and taken is not None and good is not None:
            taken = taken & good
        if taken is None:
            total = np.einsum("nae,ae->ne", values, weight)
            weights = np.broadcast_to(weight.sum(axis=0), total.shape)
        else:
            shares = np.multiply(taken, weight)
            total = np.einsum("nae,nae->ne", values, shares)
            weights = np.broadcast_to(shares.sum(axis=1), total.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            row[:] = total if how is Collapse.SUM else total / weights
        row[weights <= 0] = np.nan
    return found
