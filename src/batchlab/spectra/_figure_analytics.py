"""Pictures of a batch's analysis: scores, T2 against Q, control charts, loadings. Nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from batchlab.errors import PlotError
from batchlab.figures import (
    CYCLE,
    SYMBOLS,
    Line,
    Name,
    Picture,
    Plot,
    Points,
    Role,
    Rule,
    Sheet,
    ellipse,
)
from batchlab.spectra._figure import Look
from batchlab.spectra._model import Array

__all__ = ["draw_control_chart", "draw_loadings", "draw_scores", "draw_t2_q"]

_OUTLIER = "#D55E00"
_MOST_NAMES = 40  # beside points that are no outliers
_FAR = 30.0  # limits away, beyond which an axis is logarithmic

Pair = tuple[float, float]


def draw_scores(
    scores: ArrayLike,
    names: Sequence[str],
    groups: Sequence[str | None] | None = None,
    *,
    ellipse_axes: Pair | None = None,
    outliers: Sequence[bool] | None = None,
    labels: tuple[str, str] = ("Score 1", "Score 2"),
    level: float = 0.95,
    title: str = "Scores",
    size_in: Pair = (8.0, 6.0),
    dpi: float = 300.0,
) -> Picture:
    """Spectra in the plane of two components.

    Parameters
    ----------
    scores : (n, 2) array
        Of the two components; further columns are not used.
    names
        Of the spectra; outliers are named first, others as far as there is room and they are few.
    groups
        Each gets a colour and a symbol; None for a spectrum of no group.
    ellipse_axes
        Half the width and half the height of the limit around zero, in scores.
    outliers
        Which spectra are ringed.
    labels
        Of the axes, such as ``"Score 1 (63 % of the variance)"``.
    level
        Of the limit, for its label.
    title, size_in, dpi
        Of the picture.

    Raises
    ------
    PlotError
        If there are no two columns, or not one name for each row.
    """
    at = np.asarray(scores, dtype=np.float64)
    if at.ndim != 2 or at.shape[1] < 2 or at.shape[0] != len(names):
        raise PlotError(f"scores have shape {at.shape} and there are {len(names)} names; give a row of two for each")
    x, y = at[:, 0], at[:, 1]
    marks: list[Line | Points | Rule] = [
        Rule(at=0.0, colour="#b0b0b0"),
        Rule(at=0.0, upright=True, colour="#b0b0b0"),
    ]
    reach = [x, y]
    if ellipse_axes is not None:
        marks.append(ellipse((0.0, 0.0), ellipse_axes, label=f"{100 * level:g} % limit"))
        reach = [np.append(x, [ellipse_axes[0], -ellipse_axes[0]]), np.append(y, [ellipse_axes[1], -ellipse_axes[1]])]
    marks += _grouped(x, y, names, groups, outliers)
    plot = Plot(
        marks=tuple(marks),
        x_limits=_around(reach[0]),
        y_limits=_around(reach[1]),
        x_label=labels[0],
        y_label=labels[1],
        legend=any(getattr(mark, "label", "") for mark in marks),
    )
    return Picture(Sheet(plots=(plot,), title=title, size_in=size_in, dpi=dpi))


def draw_t2_q(
    t2: ArrayLike,
    q: ArrayLike,
    names: Sequence[str],
    groups: Sequence[str | None] | None = None,
    *,
    t2_limit: float | None = None,
    q_limit: float | None = None,
    outliers: Sequence[bool] | None = None,
    title: str = "Distance in the model and from it",
    size_in: Pair = (8.0, 6.0),
    dpi: float = 300.0,
) -> Picture:
    """Hotelling's T2 against the residual Q of each spectrum, with their limits.

    An axis is logarithmic where something lies more than 30 limits away.

    Parameters
    ----------
    t2, q : (n,) arrays
        Not negative.
    names, groups, outliers, title, size_in, dpi
        As for `draw_scores`.
    t2_limit, q_limit
        Beyond which a spectrum stands out.
    """
    both = [np.asarray(each, dtype=np.float64) for each in (t2, q)]
    if both[0].shape != (len(names),) or both[1].shape != (len(names),):
        raise PlotError(
            f"T2 and Q have shapes {both[0].shape} and {both[1].shape} for {len(names)} names; give one each"
        )
    limits = [_upwards(values, limit) for values, limit in zip(both, (t2_limit, q_limit), strict=True)]
    shown = [np.maximum(values, low) if log else values for values, (low, _, log) in zip(both, limits, strict=True)]
    marks: list[Points | Rule] = []
    if t2_limit is not None:
        marks.append(Rule(at=t2_limit, upright=True, label="limit"))
    if q_limit is not None:
        marks.append(Rule(at=q_limit, label="" if t2_limit is not None else "limit"))
    marks += _grouped(shown[0], shown[1], names, groups, outliers)
    plot = Plot(
        marks=tuple(marks),
        x_limits=limits[0][:2],
        y_limits=limits[1][:2],
        x_label="Hotelling's T²",
        y_label="Q (squared residual)",
        x_log=limits[0][2],
        y_log=limits[1][2],
        legend=any(getattr(mark, "label", "") for mark in marks),
    )
    return Picture(Sheet(plots=(plot,), title=title, size_in=size_in, dpi=dpi))


def draw_control_chart(
    values: ArrayLike,
    names: Sequence[str],
    *,
    label: str,
    centre: float,
    limits: Pair,
    warning: Pair | None = None,
    outside: Sequence[int] | Sequence[bool] = (),
    order_label: str = "Spectrum, in order",
    title: str = "Control chart",
    size_in: Pair = (10.0, 4.5),
    dpi: float = 300.0,
) -> Picture:
    """A quantity of each spectrum in order, with its centre and its control limits.

    Parameters
    ----------
    values : (n,) array
        In order; a NaN is a gap.
    names
        Of the spectra.
    label
        What the values are, with their unit.
    centre, limits, warning
        Lines across: the middle, the control limits (low, high), and on wish warning limits.
    outside
        Which spectra are marked and named: their numbers, from 0, or a truth for each.
    order_label
        Below the axis.
    title, size_in, dpi
        Of the picture.
    """
    at = np.asarray(values, dtype=np.float64)
    if at.shape != (len(names),) or not len(names):
        raise PlotError(f"values have shape {at.shape} for {len(names)} names; give one each")
    chosen = np.zeros(at.size, dtype=bool)
    chosen[np.asarray(outside, dtype=bool if _truths(outside, at.size) else np.intp)] = True
    number = np.arange(1, at.size + 1, dtype=np.float64)
    marks: list[Line | Points | Rule] = [
        Rule(at=centre, label="centre", role=Role.HIGHLIGHT),
        Rule(at=limits[0], label="control limits"),
        Rule(at=limits[1]),
    ]
    lines = [centre, *limits]
    if warning is not None:
        marks += [Rule(at=warning[0], label="warning limits", colour="#b0b0b0"), Rule(at=warning[1], colour="#b0b0b0")]
        lines += warning
    if np.isfinite(at).sum() > 1:
        marks.append(Line(x=number, y=at, role=Role.DIFFERENCE, width_pt=0.8))
    marks.append(Points(x=number[~chosen], y=at[~chosen], size_pt=4.0))
    if chosen.any():
        marks.append(
            Points(
                x=number[chosen],
                y=at[chosen],
                size_pt=5.5,
                colour=_OUTLIER,
                symbol="D",
                label="outside",
                names=tuple(str(name) for name, is_out in zip(names, chosen, strict=True) if is_out),
            )
        )
    few = at.size <= _MOST_NAMES
    plot = Plot(
        marks=tuple(marks),
        x_limits=(0.5, at.size + 0.5),
        y_limits=_around(np.append(at, lines)),
        x_label=order_label,
        y_label=label,
        legend=True,
        x_names=tuple(Name(at=k, text=str(name)) for k, name in zip(number, names, strict=True)) if few else (),
    )
    return Picture(Sheet(plots=(plot,), title=title, size_in=size_in, dpi=dpi))


def draw_loadings(
    axis: Array, loadings: Array, names: Sequence[str], look: Look, *, title: str = "Loadings"
) -> Picture:
    """The loadings of components, one below the other, on the spectra's axis.

    Parameters
    ----------
    axis : (n,) array
        In the look's units.
    loadings : (k, n) array
        A row per component.
    names
        Such as ``"1 (63 %)"``.
    look
        Label, direction and size.
    """
    rows = np.asarray(loadings, dtype=np.float64)
    if rows.ndim != 2 or rows.shape != (len(names), np.size(axis)):
        raise PlotError(f"loadings have shape {rows.shape} for {len(names)} names; give a row for each")
    plots = tuple(
        Plot(
            marks=(Rule(at=0.0, colour="#b0b0b0"), Line(x=axis, y=row, role=Role.DIFFERENCE, width_pt=1.0)),
            x_limits=look.x_limits,
            y_limits=_around(np.append(row, 0.0)),
            y_label=name,
        )
        for row, name in zip(rows, names, strict=True)
    )
    return Picture(Sheet(plots=plots, title=title, x_label=look.x_label, size_in=look.size_in, dpi=look.dpi))


def _grouped(
    x: Array,
    y: Array,
    names: Sequence[str],
    groups: Sequence[str | None] | None,
    outliers: Sequence[bool] | None,
) -> list[Points]:
    """Points by group, those of outliers named first and ringed."""
    ringed = np.zeros(x.size, dtype=bool) if outliers is None else np.asarray(outliers, dtype=bool)
    of = ["" for _ in names] if groups is None else ["" if group is None else str(group) for group in groups]
    order = list(dict.fromkeys(group for group in of if group)) + [""] * ("" in of)
    found = []
    if ringed.any():
        told = tuple(str(name) for name, odd in zip(names, ringed, strict=True) if odd)
        found.append(
            Points(
                x=x[ringed],
                y=y[ringed],
                label="stands out",
                colour=_OUTLIER,
                size_pt=10.0,
                hollow=True,
                names=told,
            )
        )
    for at, group in enumerate(order):
        mine = np.array([each == group for each in of])
        plain = tuple("" if odd else str(name) for name, odd, own in zip(names, ringed, mine, strict=True) if own)
        found.append(
            Points(
                x=x[mine],
                y=y[mine],
                label=group or ("no group" if len(order) > 1 else ""),
                colour=CYCLE[at % len(CYCLE)],
                symbol=SYMBOLS[at % len(SYMBOLS)],
                names=plain if x.size <= _MOST_NAMES else (),
            )
        )
    return found


def _around(values: Array) -> Pair:
    told = values[np.isfinite(values)]
    low, high = (float(told.min()), float(told.max())) if told.size else (0.0, 1.0)
    margin = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
    return low - margin, high + margin


def _upwards(values: Array, limit: float | None) -> tuple[float, float, bool]:
    """Ends of an axis from zero, or of a logarithmic one where values lie far beyond the limit."""
    told = values[np.isfinite(values)]
    most = max(float(told.max()) if told.size else 0.0, limit or 0.0) or 1.0
    if limit is None or most <= _FAR * limit:
        return -0.02 * most, 1.08 * most, False
    positive = told[told > 0]
    least = max(float(positive.min()), limit * 1e-4) if positive.size else limit
    return 10.0 ** math.floor(math.log10(min(least, limit) * 0.8)), most * 2.0, True


def _truths(outside: Sequence[int] | Sequence[bool], count: int) -> bool:
    return len(outside) == count and all(isinstance(each, (bool, np.bool_)) for each in outside)
