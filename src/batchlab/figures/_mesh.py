"""Meshes, brought to the pixels of their axes: true edges on any scale, and blank gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from batchlab.figures._decimate import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

    from batchlab.figures._sheet import Mesh


def colours(mesh: Mesh) -> ScalarMappable:
    """How values of a mesh become colours."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    low, high = mesh.limits or (0.0, 1.0)  # a mesh has settled them
    norm = LogNorm(low, high) if mesh.log else Normalize(low, high)
    # Both can be told apart by every kind of colour vision.
    return ScalarMappable(norm, mpl.colormaps["RdBu_r" if mesh.diverging else "viridis"])


def pixels_of(mesh: Mesh, axes: Axes) -> NDArray[np.uint8]:
    """The mesh as (height, width, 4) pixels that fill the axes, the first row on top."""
    width, height = (max(1, round(side)) for side in (axes.bbox.width, axes.bbox.height))
    # Where the pixels' edges lie in the plot's units.
    across = np.column_stack((np.linspace(0, 1, width + 1), np.zeros(width + 1)))
    up = np.column_stack((np.zeros(height + 1), np.linspace(1, 0, height + 1)))
    to_data = axes.transAxes + axes.transData.inverted()
    values = np.where(np.isfinite(mesh.values), mesh.values, np.nan)
    if mesh.log:
        values = np.log10(np.where(values > 0, values, np.nan))
    values = sampled(values, mesh.x_edges, to_data.transform(across)[:, 0])
    values = sampled(values.T, mesh.y_edges, to_data.transform(up)[:, 1]).T
    shown = np.ma.masked_invalid(10**values if mesh.log else values)
    return np.asarray(colours(mesh).to_rgba(shown, bytes=True), dtype=np.uint8)


def sampled(values: Floats, edges: Floats, at: Floats) -> Floats:
    """Bring columns to pixels.

    Parameters
    ----------
    values
        (m, n) array; a NaN is a gap.
    edges
        (n + 1,) array: ends of the columns, running up or down.
    at
        (p + 1,) array: ends of the pixels, running up or down.

    Returns
    -------
    (m, p) array
        The column in which a pixel's middle lies, or the mean of the columns within it where there are several;
        NaN where there is none.
    """
    if edges[0] > edges[-1]:
        edges, values = edges[::-1], values[:, ::-1]
    if at[0] > at[-1]:
        return sampled(values, edges, at[::-1])[:, ::-1]
    middle = (at[:-1] + at[1:]) / 2
    outside = (middle < edges[0]) | (middle >= edges[-1])
    first = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, edges.size - 2)
    # Whole columns between the pixel's ends.
    centres = (edges[:-1] + edges[1:]) / 2
    start, stop = np.searchsorted(centres, at[:-1]), np.searchsorted(centres, at[1:])
    if (stop - start).max(initial=0) <= 1:
        found = values[:, first]
    else:
        there = np.isfinite(values)
        total = _running(np.where(there, values, 0.0))
        count = _running(there.astype(np.float64))
        several = stop > start
        number = count[:, stop] - count[:, start]
        with np.errstate(invalid="ignore"):
            means = np.where(number > 0, (total[:, stop] - total[:, start]) / number, np.nan)
        found = np.where(several, means, values[:, first])
    return np.where(outside, np.nan, found)


def _running(values: Floats) -> Floats:
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
