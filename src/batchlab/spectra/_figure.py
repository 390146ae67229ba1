"""The picture of a comparison: sample over reference, and below it what differs."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from batchlab.figures import Canvas, FigureKind, Line, Panel, Role, Slot, canvas_for
from batchlab.spectra._kinds import AxisKind, Normalization
from batchlab.spectra._limits import Pair, PlotLimits
from batchlab.spectra._model import Array, intensity_label
from batchlab.spectra._similarity import Comparison

__all__ = ["Look", "draw_comparison", "figure_kind", "look_of"]

_MEMORY_KEY = "batchlab.spectra.settled"
_KEPT = 4
_OVERLAY_HEIGHT = 2.0  # times that of the difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the pictures of one batch share, but for the reference's curve."""

    x_label: str
    overlay_label: str
    difference_label: str
    x_limits: Pair  # left, right
    overlay_limits: Pair
    difference_limits: Pair
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
    low, high = limits.axis
    if comparison.normalization is Normalization.NONE:
        _, slash, unit = intensity_label(comparison.quantity, comparison.unit).partition(" / ")
        difference = f"Difference{slash}{unit}"
    else:
        difference = f"Difference ({comparison.normalization.value})"
    return Look(
        x_label=comparison.axis_label,
        overlay_label=comparison.intensity_label,
        difference_label=difference,
        x_limits=(high, low) if comparison.axis_kind is AxisKind.WAVENUMBER else (low, high),
        overlay_limits=limits.overlay,
        difference_limits=limits.difference,
        size_in=size_in,
        dpi=dpi,
    )


def figure_kind(look: Look, reference: tuple[Array, Array] | None = None) -> FigureKind:
    """The kind of figure of a look.

    Parameters
    ----------
    look
        What the pictures share.
    reference
        Axis and signal of the reference, (n,) each, where all pictures share them too; else each picture brings
        its own, ahead of the sample's.
    """
    sample = Slot(label="sample")
    overlay = Panel(
        y_label=look.overlay_label,
        y_limits=look.overlay_limits,
        lines=() if reference is None else (Line(x=reference[0], y=reference[1], label="reference"),),
        slots=(Slot(label="reference", role=Role.REFERENCE), sample) if reference is None else (sample,),
        height=_OVERLAY_HEIGHT,
        legend=True,
    )
    difference = Panel(
        y_label=look.difference_label,
        y_limits=look.difference_limits,
        slots=(Slot(label="sample − reference", role=Role.DIFFERENCE),),
        zero_line=True,
    )
    return FigureKind(
        panels=(overlay, difference),
        x_label=look.x_label,
        x_limits=look.x_limits,
        size_in=look.size_in,
        dpi=look.dpi,
    )


def draw_comparison(comparison: Comparison, look: Look, memory: MutableMapping[str, Any] | None = None) -> Canvas:
    """Draw a comparison; the pixels do not depend on what was drawn before.

    Parameters
    ----------
    comparison
        What to draw.
    look
        How.
    memory
        Where canvases are kept for the next comparison, such as ``ctx.cache``; None keeps nothing.

    Returns
    -------
    Canvas
        With the picture on it.
    """
    reference = (comparison.axis, comparison.reference)
    sample, difference = (comparison.axis, comparison.sample), (comparison.axis, comparison.difference)
    title = f"{comparison.sample_name} vs {comparison.reference_name}"
    settled = None if memory is None else _settled(look, reference, memory)
    if memory is not None and settled is not None:
        canvas = canvas_for(settled, memory)
        canvas.draw([[sample], [difference]], title)
    else:
        kind = figure_kind(look)
        canvas = Canvas(kind) if memory is None else canvas_for(kind, memory)
        canvas.draw([[reference, sample], [difference]], title)
    return canvas


def _settled(look: Look, reference: tuple[Array, Array], memory: MutableMapping[str, Any]) -> FigureKind | None:
    """The kind whose reference lies on its background, if this comparison's reference is that one.

    The first comparison of a look settles it. A sample that covers less leaves another piece of the reference,
    which is then drawn anew: a background of its own would cost ten times as much.
    """
    known: dict[Look, tuple[tuple[Array, Array], FigureKind]] = memory.setdefault(_MEMORY_KEY, {})
    if look not in known:
        known[look] = (reference, figure_kind(look, reference))
        while len(known) > _KEPT:
            del known[next(iter(known))]
    (axis, signal), kind = known[look]
    same = np.array_equal(axis, reference[0]) and np.array_equal(signal, reference[1])
    return kind if same else None
