"""What a plan may do to the numbers of a spectrum on their way in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from batchlab.spectra._joins import Join, kept_points
from batchlab.spectra._model import Array
from batchlab.spectra._plan import Op
from batchlab.spectra._read._columns import steps_back

__all__ = ["apply_ops"]

_SCALES = {Op.SCALE_0_01: 0.01, Op.SCALE_100: 100.0, Op.SCALE_0_001: 0.001, Op.SCALE_1000: 1000.0}


def apply_ops(axis: Array, intensity: Array, unit: str | None, ops: Iterable[Op]) -> tuple[Array, Array, str | None]:
    """Apply operations in their order.

    Parameters
    ----------
    axis, intensity : (n,) arrays
        Finite values.
    unit
        Of the intensity.
    ops
        Scales act on the intensity. Points without an axis value were left out before.

    Returns
    -------
    axis, intensity : (m,) arrays
        Fewer than before where detectors overlapped.
    unit
        ``1`` where a percentage was made a fraction.
    """
    for op in ops:
        if op is Op.SORT:
            order = np.argsort(axis, kind="stable")
            axis, intensity = axis[order], intensity[order]
        elif op is Op.SPLIT_OVERLAP:
            axis, intensity = _split_overlap(axis, intensity)
        elif op is Op.PERCENT_TO_FRACTION:
            intensity, unit = intensity / 100.0, "1"
        elif op in _SCALES:
            intensity = intensity * _SCALES[op]
    return axis, intensity, unit


def _split_overlap(axis: Array, intensity: Array) -> tuple[Array, Array]:
    """Cut detectors that overlap at the middle of what both saw."""
    descending = axis[-1] < axis[0]
    if descending:
        axis, intensity = axis[::-1], intensity[::-1]
    edges = [0, *steps_back(axis)[0].tolist(), axis.size]
    joins = [
        Join(first, float(axis[first:end].min()), float(axis[begin:first].max()))
        for begin, first, end in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    keep = kept_points(axis, joins, [join.middle for join in joins])
    axis, intensity = axis[keep], intensity[keep]
    order = np.argsort(axis, kind="stable")
    axis, intensity = axis[order], intensity[order]
    return (axis[::-1], intensity[::-1]) if descending else (axis, intensity)
