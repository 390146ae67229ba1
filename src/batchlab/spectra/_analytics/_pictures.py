"""The picture of a batch: scores, distances, the course of the run, and all spectra as a map."""

from __future__ import annotations

import math

import numpy as np

from batchlab.figures import CYCLE, PALETTE, SYMBOLS, Line, Mesh, Plot, Points, Role, Rule, Sheet, ellipse
from batchlab.spectra._analytics._analysis import Analysis, Verdict
from batchlab.spectra._analytics._hotelling import t2_limit
from batchlab.spectra._model import Array

__all__ = ["batch_sheet", "chart_plot", "distances_plot", "map_plot", "scores_plot"]

Limits = tuple[float, float]

_MOST_GROUPS = len(CYCLE)
_MOST_NAMED = 12
_LEAST_OF_LIMIT = 1e-4  # shown; what is smaller is put there
_ROUNDING = 1e-8
_SHARES = (1.0, 99.0)  # percentiles of the colours' ends: a single gross spectrum would make all others one colour


def batch_sheet(
    analysis: Analysis,
    *,
    title: str = "",
    axis_label: str = "Axis",
    intensity_label: str = "Intensity",
    falling: bool = False,
    size_in: tuple[float, float] = (14.0, 10.0),
    dpi: float = 150.0,
) -> Sheet:
    """Four plots of a batch.

    Parameters
    ----------
    analysis
        What to show.
    title
        Above all.
    axis_label, intensity_label
        With units.
    falling
        Whether the axis runs down from left to right, as wavenumbers do.
    size_in, dpi
        Of the picture.
    """
    return Sheet(
        plots=(
            scores_plot(analysis),
            distances_plot(analysis),
            chart_plot(analysis, "correlation" if "correlation" in analysis.charts else "level"),
            map_plot(analysis, axis_label=axis_label, intensity_label=intensity_label, falling=falling),
        ),
        columns=2,
        title=title,
        size_in=size_in,
        dpi=dpi,
    )


def scores_plot(analysis: Analysis) -> Plot:
    """The first two scores, by group or cluster, with the ellipse that a good spectrum lies in at the level."""
    kept = analysis.loadings.shape[0]
    count = len(analysis.names)
    x = analysis.scores[:, 0] if kept else np.zeros(count)
    y = analysis.scores[:, 1] if kept > 1 else np.arange(1.0, count + 1)
    marks: list[Line | Points | Rule] = []
    number = int(analysis.members.sum())
    reach_x, reach_y = [float(x.min()), float(x.max())], [float(y.min()), float(y.max())]
    if analysis.limits is not None and kept:
        limit = math.sqrt(t2_limit(min(kept, 2), number, analysis.level))
        half = limit * np.sqrt(analysis.variances)
        label = f"{analysis.level:.3g} limit of one spectrum"
        reach_x += [-float(half[0]), float(half[0])]
        if kept > 1:
            marks.append(ellipse((0.0, 0.0), (float(half[0]), float(half[1])), label=label))
            reach_y += [-float(half[1]), float(half[1])]
        else:
            marks += [Rule(at=-float(half[0]), upright=True, label=label), Rule(at=float(half[0]), upright=True)]
    marks += [*_by_group(analysis, x, y), *_rings(analysis, x, y)]
    return Plot(
        marks=tuple(marks),
        x_limits=_around(reach_x),
        y_limits=_around(reach_y),
        x_label=_score_label(analysis, 0) if kept else "nothing varies",
        y_label=_score_label(analysis, 1) if kept > 1 else "Spectrum, in the order given",
        legend=True,
    )


def distances_plot(analysis: Analysis) -> Plot:
    """T2 and Q of each spectrum over the limits of the batch, both logarithmic."""
    q_limit = analysis.limits.q_batch if analysis.limits else float(np.median(analysis.q)) or 1.0
    x = _shown(analysis.t2_of_limit if analysis.limits else analysis.t2)
    y = _shown(analysis.q / q_limit)
    marks: list[Points | Rule] = []
    if analysis.limits:
        marks += [Rule(at=1.0, upright=True, label="limit of the batch"), Rule(at=1.0)]
    marks += [*_by_group(analysis, x, y), *_rings(analysis, x, y)]
    judged = analysis.limits is not None
    return Plot(
        marks=tuple(marks),
        x_limits=_log_around([*x.tolist(), 1.0]),
        y_limits=_log_around([*y.tolist(), 1.0]),
        x_label="T² over its limit" if judged else "T²",
        y_label="Q over its limit" if judged else "Q over its median",
        x_log=True,
        y_log=True,
        title="Distance within the model, and from it" if judged else "Too few spectra to judge",
    )


def chart_plot(analysis: Analysis, name: str) -> Plot:
    """A control chart: values in the order of the run, with limits; what is out of them is ringed."""
    chart = analysis.charts[name]
    at = np.arange(1.0, chart.values.size + 1)
    marks: list[Line | Points | Rule] = [
        Rule(at=chart.centre, role=Role.REFERENCE, label="median"),
        Line(x=at, y=chart.values, label=name, role=Role.SAMPLE),
        Points(x=at, y=chart.values, colour=PALETTE[Role.SAMPLE].colour, size_pt=3.0),
    ]
    limits = [limit for limit in (chart.low, chart.high) if math.isfinite(limit)]
    if chart.judged:
        marks[1:1] = [Rule(at=limit, label="" if at else "3 standard deviations") for at, limit in enumerate(limits)]
    if chart.beyond:
        out = np.array(chart.beyond)
        furthest = set(out[np.argsort(-np.abs(chart.values[out] - chart.centre), kind="stable")][:_MOST_NAMED].tolist())
        names = [analysis.names[analysis.order[each]] if each in furthest else "" for each in out.tolist()]
        marks.append(_ring(at[out], chart.values[out], names, "out of the limits"))
    unit = "" if chart.unit in (None, "1") else f" / {chart.unit}"
    return Plot(
        marks=tuple(marks),
        x_limits=(0.0, float(at[-1]) + 1.0),
        y_limits=_around([float(chart.values.min()), float(chart.values.max()), *limits]),
        x_label="Place in the run",
        y_label=f"{name.capitalize()}{unit}" + ("" if chart.judged else ", too few for limits"),
        legend=True,
    )


def map_plot(analysis: Analysis, *, axis_label: str, intensity_label: str, falling: bool) -> Plot:
    """All spectra below each other, in the order of the run, as colours."""
    view = analysis.overview
    place = np.empty(len(analysis.names), dtype=np.intp)
    place[analysis.order] = np.arange(len(analysis.names))
    rows = np.argsort(place[view.rows], kind="stable")
    values = view.values[rows]
    edges = _edges(view.axis)
    low, high = (float(each) for each in np.percentile(values, _SHARES))
    ends = (float(edges.min()), float(edges.max()))
    return Plot(
        marks=(
            Mesh(
                x_edges=edges,
                y_edges=_edges(place[view.rows][rows].astype(np.float64) + 1.0),
                values=values,
                label=intensity_label,
                limits=(low, high) if high > low else None,
            ),
        ),
        x_limits=ends[::-1] if falling else ends,
        y_limits=(float(place[view.rows].max()) + 1.5, 0.5),
        x_label=axis_label,
        y_label="Place in the run",
        title="All spectra",
    )


def _by_group(analysis: Analysis, x: Array, y: Array) -> list[Points]:
    """Points in a colour and symbol for each group, or else for each cluster."""
    groups = analysis.groups
    named = sorted({group for group in groups if group is not None})
    if len(named) > 1 and len(named) <= _MOST_GROUPS:
        keys: list[str] = [group or "no group" for group in groups]
        order = [*named, "no group"]
    elif analysis.n_clusters > 1:
        keys = [f"cluster {label}" if label else "no cluster" for label in analysis.clusters.tolist()]
        order = [*(f"cluster {label}" for label in range(1, analysis.n_clusters + 1)), "no cluster"]
    else:
        keys, order = ["spectra"] * len(groups), ["spectra"]
    marks = []
    for number, key in enumerate(order):
        chosen = np.array([each == key for each in keys])
        if chosen.any():
            colour, symbol = CYCLE[number % len(CYCLE)], SYMBOLS[number % len(SYMBOLS)]
            marks.append(Points(x=x[chosen], y=y[chosen], label=key, colour=colour, symbol=symbol))
    return marks


def _rings(analysis: Analysis, x: Array, y: Array) -> list[Points]:
    out = np.flatnonzero([verdict is Verdict.OUTLIER for verdict in analysis.verdicts])
    if not out.size:
        return []
    worst = set(analysis.outliers[:_MOST_NAMED])
    names = [analysis.names[at] if analysis.names[at] in worst else "" for at in out]
    return [_ring(x[out], y[out], names, "outliers")]


def _ring(x: Array, y: Array, names: list[str], label: str) -> Points:
    return Points(x=x, y=y, label=label, colour="#D55E00", size_pt=10.0, hollow=True, names=tuple(names))


def _score_label(analysis: Analysis, at: int) -> str:
    unit = "" if analysis.unit in (None, "1") else f" / {analysis.unit}"
    return f"Score {at + 1}{unit} ({100 * analysis.explained[at]:.3g} % of the variance)"


def _shown(values: Array) -> Array:
    """Positive and finite: what is too small, or without limit, at the ends of what is shown."""
    finite = values[np.isfinite(values)]
    largest = max(float(finite.max(initial=1.0)), 1.0)
    return np.asarray(np.clip(np.where(np.isnan(values), _LEAST_OF_LIMIT, values), _LEAST_OF_LIMIT, 10 * largest))


def _around(values: list[float]) -> Limits:
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    # Rounding is not to be looked at, nor could the axis be labelled.
    room = 0.06 * (high - low) if high - low > _ROUNDING * largest else 0.05 * largest or 1.0
    return low - room, high + room


def _log_around(values: list[float]) -> Limits:
    low, high = math.log10(min(values)), math.log10(max(values))
    room = 0.06 * (high - low) + 0.1
    return float(10 ** (low - room)), float(10 ** (high + room))


def _edges(middles: Array) -> Array:
    if middles.size < 2:
        return np.array([float(middles[0]) - 0.5, float(middles[0]) + 0.5])
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])
