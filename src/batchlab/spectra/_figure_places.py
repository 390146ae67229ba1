"""Where things go in pictures of many spectra: names that are not to lie on each other, offsets, ticks, columns."""

from __future__ import annotations

import math

import numpy as np

from batchlab.figures import Name
from batchlab.spectra._figure import Look
from batchlab.spectra._model import Array

__all__ = ["apart", "behind", "columns_of", "hidden_shares", "near_end", "step_of", "ticks"]

_OVERLAP = 0.55  # of a typical spectrum's span, from one to the next
_NAME_LINE_PT = 10.8
_LOOKED_AT = 2_000  # places across a waterfall


def columns_of(count: int, shape: float) -> int:
    """How many plots stand in a row: nearly as wide as high again by half, with few places empty."""
    ideal = math.sqrt(count * shape / 1.6)
    choices = range(max(1, math.floor(ideal * 0.75)), max(1, math.ceil(ideal * 1.25)) + 1)
    return min(choices, key=lambda columns: (-count % columns / count + 0.3 * abs(math.log(columns / ideal)), columns))


def step_of(rows: Array) -> float:
    """A round share of a typical spectrum's span."""
    spans = np.nanmax(rows, axis=1) - np.nanmin(rows, axis=1)
    step = _OVERLAP * float(np.median(spans)) or 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return min((factor * power for factor in (1, 2, 5, 10)), key=lambda each: abs(math.log(each / step)))


def behind(rows: Array, look: Look) -> tuple[float, float]:
    """How far to the side, and how far up, each spectrum of a waterfall stands from the one in front of it."""
    count = len(rows)
    height = float(np.nanmax(rows) - np.nanmin(rows)) or 1.0
    left, right = look.x_limits
    return 0.22 * (right - left) / max(1, count - 1), min(0.18, 1.6 / count) * height


def hidden_shares(axis: Array, rows: Array, look: Look) -> Array:
    """The share of each spectrum's length that those in front of it hide in a waterfall.

    Parameters
    ----------
    axis : (n,) array
        In the look's units, strictly monotone.
    rows : (m, n) array
        The spectra, the first in front; a NaN is a gap.
    look
        Of the picture.

    Returns
    -------
    (m,) array
        From 0 to 1.
    """
    aside, up = behind(rows, look)
    upwards = np.argsort(axis)
    far = aside * (len(rows) - 1)
    places = np.linspace(float(axis.min()) + min(far, 0.0), float(axis.max()) + max(far, 0.0), _LOOKED_AT)
    ceiling = np.full(places.size, -np.inf)
    shares = np.zeros(len(rows))
    for at, row in enumerate(rows):
        drawn = np.interp(places, axis[upwards] + at * aside, row[upwards] + at * up, left=np.nan, right=np.nan)
        shares[at] = (drawn < ceiling).sum() / max(1, np.isfinite(drawn).sum())
        ceiling = np.fmax(ceiling, drawn)
    return shares


def near_end(rows: Array, end: int) -> Array:
    """A typical value of each spectrum near one end."""
    few = max(1, rows.shape[1] // 50)
    first = max(0, min(end - few // 2, rows.shape[1] - few))
    window = rows[:, first : first + few]
    there = np.isfinite(window)
    count = there.sum(axis=1)
    means = np.where(there, window, 0.0).sum(axis=1) / np.maximum(count, 1)
    levels: Array = np.where(count > 0, means, np.nanmean(rows, axis=1))
    return levels


def apart(at: Array, low: float, high: float, look: Look) -> list[float]:
    """Places of names: as near to where they belong as can be, none on another, all between two ends."""
    room_pt = look.size_in[1] * 72 * 0.8
    least = min(_NAME_LINE_PT / room_pt, 1 / max(1, at.size)) * (high - low)
    order = np.argsort(at, kind="stable")
    # What is left of each place when all names below it stand at their least distance must not fall: neighbours
    # for which it would are given their mean, which is the nearest placing by least squares.
    blocks: list[list[float]] = []  # mean, count
    for place, wanted in enumerate(at[order].tolist()):
        blocks.append([wanted - place * least, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, few), (other, more) = blocks[-2:]
            blocks[-2:] = [[(one * few + other * more) / (few + more), few + more]]
    left = np.concatenate([np.full(int(count), mean) for mean, count in blocks])
    left = np.clip(left, low, max(low, high - (at.size - 1) * least))
    placed = np.empty(at.size)
    placed[order] = left + least * np.arange(at.size)
    return [float(each) for each in placed]


def ticks(low: float, high: float) -> tuple[Name, ...]:
    """Round numbers within a range, for an axis that is longer than what it says."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    counts = range(math.ceil(low / step), math.floor(high / step) + 1)
    return tuple(Name(at=count * step, text=f"{count * step:.10g}") for count in counts)
