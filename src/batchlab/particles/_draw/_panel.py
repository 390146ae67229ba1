"""A row as pixels of colour numbers: every cell within its true edges of time and energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from batchlab.figures import TABLE, Ink, place_cells
from batchlab.particles._draw._layout import Area
from batchlab.particles._draw._records import Records, Shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float, Float32, Index

__all__ = ["Panel", "panel_codes", "pixels_along"]

_LAST = 255


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A panel: what it shows, and how data become pixels."""

    area: Area
    span: tuple[float, float]
    y: tuple[float, float]
    log_y: bool


def pixels_along(values: Float, limits: tuple[float, float], count: int, *, log: bool) -> Float:
    """Where values lie along an axis, in pixels from its lower end; what has no logarithm is infinitely far below."""
    low, high = limits
    if not log:
        return np.asarray((values - low) * (count / (high - low)))
    with np.errstate(divide="ignore"):
        above = np.log10(np.maximum(values, 0.0) / low)
    return np.asarray(above * float(count / np.log10(high / low)))


def panel_codes(
    records: Records, shown: Shown, span: tuple[float, float], size: tuple[int, int], *, log_y: bool, log_z: bool
) -> Index:
    """Numbers of colours.

    Parameters
    ----------
    records, shown
        What is drawn, and between which limits.
    span
        Of time, in seconds since 1970.
    size
        Width and height in pixels.

    Returns
    -------
    (height, width) array
        The first row on top: white where there is no record or channel, grey where one has no value, dark where zero
        was measured that a logarithm cannot show.
    """
    width, height = size
    starts, ends = (pixels_along(records.times_s[:, end], span, width, log=False) for end in (0, 1))
    columns = place_cells(starts, ends, width)
    # A column of several modes is averaged where it is drawn: their channels differ.
    by_mode = np.zeros((len(records.edges), width), np.int64)
    np.add.at(by_mode, (records.mode[columns.cells], columns.pixels), 1)
    mixed = (by_mode > 0).sum(axis=0) > 1
    codes = np.full((width, height), Ink.WHITE, np.uint8)
    total, weight = np.zeros((width, height)), np.zeros((width, height))
    for mode in np.flatnonzero(by_mode.any(axis=1)).tolist():
        at, values = columns.chosen(records.mode == mode).means(records.values)
        edges = pixels_along(records.edges[mode], shown.y, height, log=log_y)
        channels = place_cells(edges[:-1], edges[1:], height)
        rows, means = channels.means(np.ascontiguousarray(values[:, : len(edges) - 1].T))
        alone = ~mixed[at]
        codes[np.ix_(at[alone], rows)] = _codes(means, shown, log=log_z).T[alone]
        if not alone.all():
            _add(total, weight, at[~alone], rows, means.T[~alone], by_mode[mode])
    if mixed.any():
        _put_mixed(codes, total, weight, mixed, shown, log=log_z)
    return np.ascontiguousarray(codes.T[::-1])


def _codes(values: Float32, shown: Shown, *, log: bool) -> Index:
    low, high = shown.z
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.log10(values / np.float32(low)) / np.float32(np.log10(high / low))
    else:
        share = (values - np.float32(low)) / np.float32(high - low)
    scaled = np.clip(np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    codes = (TABLE + np.minimum(scaled * (_LAST + 1 - TABLE), _LAST - TABLE)).astype(np.uint8)
    codes[np.isnan(values)] = Ink.GREY
    if log:
        codes[values <= 0] = Ink.DARK
    return np.asarray(codes)


def _add(
    total: Float,
    weight: Float,
    at: NDArray[np.intp],
    rows: NDArray[np.intp],
    values: Float32,
    number: NDArray[np.int64],
) -> None:
    known = np.isfinite(values)
    share = np.where(known, number[at][:, None], 0)
    total[np.ix_(at, rows)] += np.where(known, values, 0.0) * share
    # A channel without a value counts next to nothing: it is grey where no other has one.
    weight[np.ix_(at, rows)] += np.maximum(share, np.finfo(np.float64).tiny)


def _put_mixed(codes: Index, total: Float, weight: Float, mixed: NDArray[np.bool_], shown: Shown, *, log: bool) -> None:
    known = weight[mixed] >= 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(known, total[mixed] / weight[mixed], np.nan).astype(np.float32)
    codes[mixed] = np.where(weight[mixed] > 0, _codes(means, shown, log=log), np.uint8(Ink.WHITE))
