"""The picture of a comparison: sample over reference, and below it what differs."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from batchlab.figures import Band, Canvas, FigureKind, Line, Panel, Role, Slot, canvas_for
from batchlab.spectra._difference import difference_label
from batchlab.spectra._kinds import AxisKind, Quantity
from batchlab.spectra._limits import Pair, PlotLimits, hull
from batchlab.spectra._measures import Difference
from batchlab.spectra._model import Array, axis_label, intensity_label
from batchlab.spectra._signal import join_gaps
from batchlab.spectra._similarity import Comparison

__all__ = ["Look", "draw_comparison", "figure_kind", "judged_part", "look_for", "look_of"]

_MEMORY_KEY = "batchlab.spectra.settled"
_KEPT = 4
_OVERLAY_HEIGHT = 2.0  # times that of the difference
_MASK = "#808080"

Curve = tuple[Array, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the pictures of one batch share, but for the reference's curve."""

    x_label: str
    overlay_label: str
    difference_label: str
    x_limits: Pair  # left, right
    overlay_limits: Pair
    difference_limits: Pair
    level: float = 0.0  # of a difference where there is none; a ratio's is 1
    size_in: Pair = (10.0, 6.0)
    dpi: float = 300.0


def look_of(comparison: Comparison, limits: PlotLimits, *, size_in: Pair = (10.0, 6.0), dpi: float = 300.0) -> Look:
    """How a comparison is to be shown.

    A wavenumber axis runs down from left to right, as infrared spectra are printed; a Raman shift, a wavelength
    and all else run up, whichever way the files run.

    Parameters
    ----------
    comparison
        Its labels are used.
    limits
        Of the batch, or of this comparison alone.
    size_in, dpi
        Width and height in inches, and pixels per inch.
    """
    return Look(
        x_label=comparison.axis_label,
        overlay_label=comparison.intensity_label,
        # Without the factor of a scaled difference, which is the sample's own: pictures of one look share a canvas.
        difference_label=difference_label(
            comparison.difference_kind, comparison.quantity, comparison.unit, comparison.treatment
        ),
        x_limits=_directed(limits.axis, comparison.axis_kind),
        overlay_limits=limits.overlay,
        difference_limits=limits.difference,
        level=1.0 if comparison.difference_kind is Difference.RATIO else 0.0,
        size_in=size_in,
        dpi=dpi,
    )


def look_for(
    axis: Array,
    rows: Array,
    *,
    axis_kind: AxisKind = AxisKind.UNKNOWN,
    axis_unit: str | None = None,
    quantity: Quantity = Quantity.UNKNOWN,
    unit: str | None = None,
    treatment: str = "",
    size_in: Pair = (10.0, 6.0),
    dpi: float = 300.0,
) -> Look:
    """How a batch of spectra is to be shown that lie on one axis.

    Parameters
    ----------
    axis : (n,) array
        In `axis_unit`.
    rows : (m, n) array
        The spectra; a NaN is a gap.
    axis_kind, axis_unit, quantity, unit
        What they are, for labels and direction.
    treatment
        What made another quantity of the signals, such as ``snv``.
    size_in, dpi
        Width and height in inches, and pixels per inch.
    """
    rows = np.asarray(rows, dtype=np.float64)
    label = f"{intensity_label(quantity, '1')} ({treatment})" if treatment else intensity_label(quantity, unit)
    finite = rows[np.isfinite(rows)]
    ends = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return Look(
        x_label=axis_label(axis_kind, axis_unit),
        overlay_label=label,
        difference_label=f"Difference of {label[:1].lower()}{label[1:]}",
        x_limits=_directed((float(np.min(axis)), float(np.max(axis))), axis_kind),
        overlay_limits=hull([ends]),
        difference_limits=hull([(ends[0] - ends[1], ends[1] - ends[0])], zero=True),
        size_in=size_in,
        dpi=dpi,
    )


def figure_kind(
    look: Look,
    reference: Curve | None = None,
    *,
    bands: Sequence[Band] = (),
    masks: Sequence[Pair] = (),
    peaks: bool = False,
) -> FigureKind:
    """The kind of figure of a look.

    Parameters
    ----------
    look
        What the pictures share.
    reference
        Axis and signal of the reference, (n,) each, where all pictures share them too; else each picture brings
        its own, ahead of the sample's.
    bands
        Behind the curves of the overlay, such as a tolerance.
    masks
        Ranges of the axis that no number knows of; shaded.
    peaks
        Whether each picture brings peaks too, behind the sample.
    """
    overlay = Panel(
        y_label=look.overlay_label,
        y_limits=look.overlay_limits,
        lines=() if reference is None else (Line(x=reference[0], y=reference[1], label="reference"),),
        slots=(
            *(() if reference is not None else (Slot(label="reference", role=Role.REFERENCE),)),
            Slot(label="sample"),
            *((Slot(label="peaks", role=Role.PEAK, labelled=True),) if peaks else ()),
        ),
        bands=(*_shaded(masks, look.overlay_limits, "masked"), *bands),
        height=_OVERLAY_HEIGHT,
        legend=True,
    )
    level = np.full(2, look.level)
    at_level = Line(x=np.array(look.x_limits), y=level, colour="#808080", width_pt=0.8)
    difference = Panel(
        y_label=look.difference_label,
        y_limits=look.difference_limits,
        lines=(at_level,) if look.level else (),
        slots=(Slot(label="ratio" if look.level else "difference", role=Role.DIFFERENCE),),
        bands=_shaded(masks, look.difference_limits),
        zero_line=not look.level,
    )
    return FigureKind(
        panels=(overlay, difference),
        x_label=look.x_label,
        x_limits=look.x_limits,
        size_in=look.size_in,
        dpi=look.dpi,
    )


def draw_comparison(
    comparison: Comparison,
    look: Look,
    memory: MutableMapping[str, Any] | None = None,
    *,
    bands: Sequence[Band] = (),
    peaks: tuple[ArrayLike, ArrayLike] | None = None,
) -> Canvas:
    """Draw a comparison; the pixels do not depend on what was drawn before.

    Nothing is drawn across the comparison's gaps; its masks are shaded, and bands left out of both; runs that one of
    the two has alone are shown. Where a curve leaves its panel the picture says so.

    Parameters
    ----------
    comparison
        What to draw.
    look
        How.
    memory
        Where canvases are kept for the next comparison, such as ``ctx.cache``; None keeps nothing.
    bands
        Behind the curves, such as ``Band(x=axis, low=lower, high=upper, label="tolerance")``, or a mean with its
        spread (``role=Role.REFERENCE``). The same for all comparisons of a batch, or each costs a whole drawing.
    peaks
        Positions and heights of the sample's peaks, (k,) each, in the overlay's units; the most prominent first.
        They are marked, and their positions written as far as there is room. Of a batch: for all or for none.

    Returns
    -------
    Canvas
        With the picture on it.
    """
    reference = _curve(comparison, comparison.reference, comparison.reference_alone)
    sample = _curve(comparison, comparison.sample, comparison.sample_alone)
    difference = _curve(comparison, comparison.difference)
    title: tuple[str, ...] = (comparison.sample_name, " vs ", comparison.reference_name)
    if comparison.difference_kind is Difference.SCALED and isinstance(comparison.metrics.get("factor"), float):
        title += (f" × {comparison.metrics['factor']:.4g}",)
    shown = judged_part(bands, comparison)
    more: dict[str, Any] = {"bands": shown, "masks": comparison.masks, "peaks": peaks is not None}
    marked = [] if peaks is None else [peaks]
    settled = None if memory is None else _settled(look, figure_kind(look, reference, **more), memory)
    if memory is not None and settled is not None:
        canvas = canvas_for(settled, memory)
        canvas.draw([[sample, *marked], [difference]], title)
    else:
        kind = figure_kind(look, **more)
        canvas = Canvas(kind) if memory is None else canvas_for(kind, memory)
        canvas.draw([[reference, sample, *marked], [difference]], title)
    return canvas


def judged_part(bands: Sequence[Band], comparison: Comparison) -> tuple[Band, ...]:
    """Bands as far as a comparison is judged by them: not under its masks, and not in its gaps."""
    holes = join_gaps(tuple((min(ends), max(ends)) for ends in (*comparison.masks, *comparison.gaps)))
    return tuple(part for band in bands if (part := _holed(band, holes)) is not None) if holes else tuple(bands)


def _holed(band: Band, holes: Sequence[Pair]) -> Band | None:
    """A band that ends where a hole begins; None if nothing is left. An axis that does not run upwards is turned."""
    turn = -1 if band.x[0] > band.x[-1] else 1
    x, low, high = band.x[::turn], band.low[::turn], band.high[::turn]
    for first, last in holes:
        before, after = np.searchsorted(x, first, side="left"), np.searchsorted(x, last, side="right")
        inner = np.array([first, (first + last) / 2, last])
        known = np.isfinite(low)
        ends = [np.interp(inner, x[known], y[known], left=np.nan, right=np.nan) for y in (low, high)]
        for y in ends:
            y[1] = np.nan
        x, low, high = (
            np.concatenate((whole[:before], part, whole[after:]))
            for whole, part in ((x, inner), (low, ends[0]), (high, ends[1]))
        )
    if np.count_nonzero(np.isfinite(low)) < 2:
        return None
    return replace(band, x=x, low=low, high=high)


def _settled(look: Look, kind: FigureKind, memory: MutableMapping[str, Any]) -> FigureKind | None:
    """The kind whose reference lies on its background, if this comparison's is that one.

    The first comparison of a look settles it. A sample that covers less leaves another piece of the reference,
    which is then drawn anew: a background of its own would cost ten times as much.
    """
    known: dict[Look, FigureKind] = memory.setdefault(_MEMORY_KEY, {})
    if look not in known:
        known[look] = kind
        while len(known) > _KEPT:
            del known[next(iter(known))]
    return known[look] if known[look] == kind else None


def _curve(comparison: Comparison, signal: Array, alone: Sequence[Curve] = ()) -> Curve:
    """A signal as one curve: broken at the gaps, followed by the runs that the other does not reach."""
    axis = comparison.axis
    if comparison.gaps:
        low, high = np.minimum(axis[:-1], axis[1:]), np.maximum(axis[:-1], axis[1:])
        broken = np.zeros(low.size, dtype=bool)
        for ends in comparison.gaps:
            broken |= (low <= max(ends)) & (high >= min(ends)) & (low <= min(ends)) & (high >= max(ends))
        at = np.flatnonzero(broken) + 1
        axis, signal = np.insert(axis, at, np.nan), np.insert(signal, at, np.nan)
    for run in alone:
        axis, signal = (np.concatenate((before, [np.nan], more)) for before, more in ((axis, run[0]), (signal, run[1])))
    return axis, signal


def _shaded(masks: Sequence[Pair], limits: Pair, label: str = "") -> tuple[Band, ...]:
    return tuple(
        Band(
            x=np.array(ends, dtype=float),
            low=np.full(2, limits[0]),
            high=np.full(2, limits[1]),
            label=label if at == 0 else "",
            colour=_MASK,
            opacity=0.15,
        )
        for at, ends in enumerate(masks)
    )


def _directed(ends: Pair, kind: AxisKind) -> Pair:
    low, high = ends
    return (high, low) if kind is AxisKind.WAVENUMBER else (low, high)
