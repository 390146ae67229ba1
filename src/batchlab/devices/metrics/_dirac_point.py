"""Dirac point (charge neutrality point) of each leg of a gate sweep, by three methods, and its hysteresis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices._model import Category, DerivedMetric, Run
from batchlab.devices.metrics import _constants
from batchlab.devices.metrics._extractor import ExtractionContext, Reason, Row, Skip, within
from batchlab.devices.metrics._legs import Leg, leg_jumps, middle, sweep_of
from batchlab.devices.metrics._trace import correlation_factor

if TYPE_CHECKING:
    from batchlab.devices._model import Array

__all__ = [
    "DiracPoint", "DiracPointExtractor", "METHODS", "doubts", "maximum_resistance", "parabola", "robust_fit", "valley",
]  # fmt: skip

_ROBUST_RISE = 1.3  # window of the robust fit: where conductance is below this multiple of its minimum
_HUBER = 1.345
_MAD = 1.4826
_STEPS = 15
_CLOSE = 1e-3  # of the window: a vertex that still moves by more was not found
_HALVED = 4.0  # half of what noise adds to the variance of a vertex in half the window
_PLACES, _TURNS = 25, 5
_PLAIN = 12.0  # evidence (twice the logarithm of odds) for two curvatures that leaves no room for one


@dataclass(frozen=True, slots=True)
class DiracPoint:
    """A Dirac point: gate voltage with standard error in V, and what was measured there.

    `asymmetry` is by how much the curvature towards higher voltages exceeds the other, as a share of their sum.
    """

    v: float
    error: float
    y: float
    asymmetry: float = 0.0


def maximum_resistance(v: Array, g: Array, *, min_modulation: float) -> DiracPoint | None:
    """The recorded gate voltage where resistance is largest.

    Parameters
    ----------
    v : (n,) array
        Gate voltage in V, ascending.
    g : (n,) array
        A positive quantity that goes with conductance, least at the Dirac point.
    min_modulation
        Ratio of largest to least resistance below which there is no Dirac point.

    Returns
    -------
    DiracPoint or None
        Known to the step: its error is step/sqrt(12). None at an end of the leg.
    """
    i = int(np.argmin(g))
    if i in (0, g.size - 1) or g[i] <= 0 or g.max() / g[i] < min_modulation:
        return None
    return DiracPoint(float(v[i]), float((v[i + 1] - v[i - 1]) / 2 / np.sqrt(12)), float(g[i]))


def parabola(v: Array, g: Array, *, window: float) -> DiracPoint | None:
    """Vertex of a parabola through conductance, `window` of the leg's range wide and centred on the vertex.

    Returns
    -------
    DiracPoint or None
        None if the parabola opens downwards or its vertex leaves the window.
    """
    half = parabola_window(v, window) / 2
    return _vertex(v, g, float(v[valley(v, g)]), half, middle(np.diff(v)), robust=False)


def parabola_window(v: Array, window: float) -> float:
    """Width in V of the window of `parabola`: a share of the leg's range, and at least five steps."""
    return max(window * float(v[-1] - v[0]), 5 * middle(np.diff(v)))


def robust_fit(v: Array, g: Array) -> DiracPoint | None:
    r"""Vertex of squared conductance, weighted after Huber, with a curvature of its own on either side where it shows.

    Residual carriers add to induced ones as :math:`\sigma^2 = \sigma_0^2 + \mu^2 C^2 (V - V_D)^2` [1]_, so that
    the square is a parabola far beyond the minimum; electrons and holes may differ in mobility.

    References
    ----------
    .. [1] Kim et al., Appl. Phys. Lett. 94, 062107 (2009); Meric et al., Nat. Nanotechnol. 3, 654 (2008).
    """
    i = valley(v, g)
    if g[i] <= 0:
        return None
    step = middle(v[1:] - v[:-1])
    # From the minimum outwards to where conductance has risen, so that a second valley far away has no say.
    (above,) = (g > _ROBUST_RISE * g[i]).nonzero()
    at = int(above.searchsorted(i))
    left = int(above[at - 1]) + 1 if at else 0
    right = int(above[at]) if at < above.size else g.size
    half = max(float(min(v[i] - v[left], v[right - 1] - v[i])), 3.5 * step)
    around = slice(max(min(left, i - 5), 0), max(right, i + 6))
    # Where the valley has a shoulder no wide window settles; a narrow one then knows less, and says so in its error.
    point = None
    while point is None and half >= 3.5 * step:
        point = _vertex(v, (g / g[i]) ** 2, float(v[i]), half, step, robust=True, around=around)
        half /= 2
    return None if point is None else replace(point, y=float(np.sqrt(max(point.y, 0.0)) * g[i]))


def _vertex(
    v: Array, y: Array, start: float, half: float, step: float, *, robust: bool, around: slice = slice(None)
) -> DiracPoint | None:
    """Vertex of a parabola in a window that follows it, by Gauss and Newton.

    The window's edges are soft by one step: it moves without jumps, and a symmetric curve has its vertex in the middle.
    """
    uneven, doubt = None, 0.0
    for sided in (True, False) if robust else (False,):
        found = _newton(v, y, start, half, step, sided=sided, robust=robust)
        # A window whose vertex runs away holds a shoulder and no valley.
        far = max(half / 3, 1.5 * step) if robust else half
        if found is None or abs(found[0] - start) > far or not v[0] < found[0] < v[-1]:
            uneven = _profile(v[around], y[around]) if sided else uneven
            if sided and uneven is not None:
                return uneven
            continue
        centre, fit, inverse, residual, weight = found
        total = float(weight.sum())
        variance = float(weight @ residual**2) / max(total - fit.size, 1.0)
        alike = correlation_factor(residual)
        error = half * float(np.sqrt(variance * inverse[1, 1])) / (2 * float(fit[2])) * alike
        error = float(np.hypot(error, _form_error(v, y, centre, half, fit, error)))
        point = DiracPoint(centre, error, float(fit[0]), float(fit[3] / fit[2]) if sided else 0.0)
        if not sided:
            if uneven is not None:
                return _mean(uneven, point, doubt)
            # Nobody knows whether its sides differ; a parabola alone is asked for one curvature.
            return replace(point, error=float(np.hypot(error, step))) if robust else point
        doubt = float(fit[3] ** 2 / max(variance * inverse[3, 3], 1e-300)) / alike**2 - float(np.log(total))
        if doubt > _PLAIN:
            return point
        uneven = point
    return uneven


def _mean(uneven: DiracPoint, even: DiracPoint, evidence: float) -> DiracPoint:
    """Mean of two models by their evidence [1]_: one curvature has a third of the error, and is wrong if there are two.

    References
    ----------
    .. [1] Burnham and Anderson, *Model Selection and Multimodel Inference*, 2nd ed., ch. 4.
    """
    part = 1 / (1 + float(np.exp(-evidence / 2)))
    v = part * uneven.v + (1 - part) * even.v
    variance = part * (uneven.error**2 + (uneven.v - v) ** 2) + (1 - part) * (even.error**2 + (even.v - v) ** 2)
    return DiracPoint(v, float(np.sqrt(variance)), part * uneven.y + (1 - part) * even.y, part * uneven.asymmetry)


def _form_error(v: Array, y: Array, centre: float, half: float, fit: Array, error: float) -> float:
    """What the vertex owes to the valley being no parabola: its shift in half the window, beyond the noise."""
    x = (v - centre) / half
    (near,) = (np.abs(x) <= 0.5).nonzero()
    if near.size < fit.size + 2:
        return 0.0
    part = slice(near[0], near[-1] + 1)
    design = _design(x[part], fit.size)
    try:
        inner = np.linalg.solve(design.T @ design, design.T @ y[part])
    except np.linalg.LinAlgError:
        return 0.0
    if inner[2] <= 0:
        return 0.0
    shift = half * float(inner[1]) / (2 * float(inner[2]))
    return float(np.sqrt(max(shift**2 - _HALVED * error**2, 0.0)))


def _profile(v: Array, y: Array) -> DiracPoint | None:
    """Vertex of a valley whose sides differ so much that Newton's steps run away along the flat one.

    For every place of the vertex the curvature of either side is a linear fit; the least misfit tells the place.
    """
    if v.size < 9:
        return None
    ends = float(v[2]), float(v[-3])
    low, high = ends
    fit, weight = np.zeros(3), np.ones(v.size)
    for turn in range(_TURNS):
        centres = np.linspace(low, high, _PLACES)
        x = v - centres[:, None]
        design = np.stack([np.ones_like(x), np.where(x > 0, x * x, 0.0), np.where(x < 0, x * x, 0.0)], axis=2)
        weighted = design * weight[:, None]
        try:
            fits = np.linalg.solve(
                np.einsum("knp,knq->kpq", weighted, design), np.einsum("knp,n->kp", weighted, y)[:, :, None]
            )[:, :, 0]
        except np.linalg.LinAlgError:
            return None
        residual = y - np.einsum("knp,kp->kn", design, fits)
        misfit = np.where((fits[:, 1:] > 0).all(axis=1), (residual * residual) @ weight, np.inf)
        best = int(np.argmin(misfit))
        if best in (0, _PLACES - 1) or not np.isfinite(misfit[best - 1 : best + 2]).all():
            return None
        fit, left = fits[best], residual[best]
        before, least, after = (float(misfit[k]) for k in (best - 1, best, best + 1))
        span = float(centres[best + 1] - centres[best - 1])
        if turn == _TURNS - 1:
            break
        # Weights that follow the residuals may lead elsewhere: the whole window is searched with them once more.
        low, high = ends if turn < _TURNS - 2 else (float(centres[best - 1]), float(centres[best + 1]))
        off = np.abs(left)
        weight = np.minimum(1.0, _HUBER * max(_MAD * middle(off), 1e-12) / np.maximum(off, 1e-300))
    bend = (before - 2 * least + after) / (span / 2) ** 2
    if bend <= 0:
        return None
    centre = float(centres[best]) + (before - after) / bend / span
    error = float(np.sqrt(2 * least / max(float(weight.sum()) - 4, 1.0) / bend)) * correlation_factor(left)
    return DiracPoint(centre, error, float(fit[0]), float((fit[1] - fit[2]) / (fit[1] + fit[2])))


def _newton(
    v: Array, y: Array, centre: float, half: float, step: float, *, sided: bool, robust: bool
) -> tuple[float, Array, Array, Array, Array] | None:
    """Centre, coefficients, inverse normal matrix, residuals and weights; None if the centre does not settle.

    Huber's weights follow along: each step takes those of the residuals before it.
    """
    scale = 0.0
    fit = np.zeros(4)
    for k in range(_STEPS):
        away = v - centre
        weight = (half + step / 2 - np.abs(away)) / step
        (near,) = (weight > 0).nonzero()
        if near.size < 6:
            return None
        part = slice(near[0], near[-1] + 1)
        x, z = away[part] / half, y[part]
        weight = np.minimum(weight[part], 1.0)
        design = _design(x, 4 if sided else 3)
        if robust and k:
            off = np.abs(z - design @ fit)
            scale = _MAD * middle(off)
            if scale > 0:
                weight = weight * np.minimum(1.0, _HUBER * scale / np.maximum(off, 1e-300))
        weighted = design.T * weight
        try:
            inverse = np.asarray(np.linalg.inv(weighted @ design), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None
        fit = inverse @ (weighted @ z)
        if fit[2] <= 0 or (sided and abs(fit[3]) >= fit[2]):
            return None
        # With a curvature for each side the vertex is where the slope at the centre is 0.
        move = -float(fit[1]) / (2 * float(fit[2]))
        centre += half * min(max(move, -0.5), 0.5)
        fit[1] = 0.0  # about the new centre
        if abs(move) < _CLOSE and k > 1:
            return centre, fit, inverse, z - design @ fit, weight
    return None


def _design(x: Array, columns: int) -> Array:
    """1, x, x^2 and, as a fourth, x |x|: a curvature of its own on either side."""
    design = np.empty((x.size, columns))
    design[:, 0], design[:, 1] = 1.0, x
    np.multiply(x, x, out=design[:, 2])
    if columns > 3:
        np.multiply(x, np.abs(x), out=design[:, 3])
    return design


def valley(v: Array, g: Array) -> int:
    """Index of the least, close to where five neighbours' median is least: one bad reading far away is no Dirac point.

    The median alone lies on the flatter side of a valley whose sides differ.
    """
    if g.size < 7:
        return int(np.argmin(g))
    low = max(int(np.argmin(_medians(g))) - 1, 0)
    return low + int(np.argmin(g[low : low + 7]))


def _medians(g: Array) -> Array:
    """Of every five neighbours, by comparisons: a tenth of the cost of sorting them."""
    a, b, c, d, e = (g[k : g.size - 4 + k] for k in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.maximum(np.minimum(low, high), np.minimum(e, np.maximum(low, high)))


METHODS = ("robust", "parabola", "maximum-resistance")  # the first stands in tables with one column a metric


class DiracPointExtractor:
    """Dirac points of both legs by every method, their mean and their difference."""

    name = "dirac_point"
    metrics: tuple[str, ...] = ("cnp_voltage", "cnp_forward", "cnp_backward", "cnp_hysteresis")
    category = Category.ELECTRICAL
    procedures = frozenset({"IVg", "VVg", "IVgT"})
    version = "3"

    def extract(self, run: Run, context: ExtractionContext) -> list[DerivedMetric] | Skip:
        """Each method gives its own rows; one that finds nothing on any leg gives none."""
        k = context.constants
        sweep = sweep_of(run, k.MIN_LEG_COVERAGE)
        if isinstance(sweep, Skip):
            return sweep
        if any(flag.startswith("DEAD_") for flag in run.flags):
            return Skip(Reason.DEAD_SAMPLE, ", ".join(run.flags))
        by_method = dirac_points(sweep.full, sweep.column, k)
        rows: list[DerivedMetric] = []
        means = [float(np.mean([p.v for p in points.values()])) for points in by_method.values() if points]
        if not means:
            return Skip(Reason.QUALITY_FAILURE, "no leg has a minimum of conductance inside its range")
        agree = max(means) - min(means) <= k.MAX_METHOD_SPREAD * sweep.span
        clipped = max(_clipped(leg.y, k.SATURATED_WITHIN) for leg in sweep.full)
        modulation = max(float(1 - np.abs(leg.y).min() / np.abs(leg.y).max()) for leg in sweep.full)
        for method in METHODS:
            if by_method[method]:
                rows += _rows(Row(self, run), method, by_method[method], sweep.full, agree, modulation, clipped, k)
        return rows

    def validate(self, metric: DerivedMetric) -> bool:
        """A Dirac point lies in the sweep, and in the constants' band if the sweep does not go further."""
        if metric.metric_name == "cnp_hysteresis":
            return metric.value_float is not None and bool(np.isfinite(metric.value_float))
        low, high = _constants.CNP_VOLTAGE_RANGE
        swept = (metric.value_json or {}).get("swept_v", [low, high])
        return within(metric, min(low, swept[0]), max(high, swept[1]))


def dirac_points(legs: tuple[Leg, ...], column: str, constants: Any) -> dict[str, dict[str, DiracPoint]]:
    """Dirac points of legs: by method, then by direction."""
    find: dict[str, Callable[[Array, Array], DiracPoint | None]] = {
        "robust": robust_fit,
        "parabola": lambda v, g: parabola(v, g, window=constants.PARABOLA_WINDOW),
        "maximum-resistance": lambda v, g: maximum_resistance(v, g, min_modulation=constants.MIN_RESISTANCE_MODULATION),
    }
    found: dict[str, dict[str, DiracPoint]] = {method: {} for method in METHODS}
    for leg in legs:
        size = np.abs(leg.y)
        top = float(size.max())
        if top == 0.0:
            continue
        # At fixed current the measured voltage is the resistance; at fixed voltage the current is the conductance.
        least = max(float(size.min()), 1e-12 * top)
        g = least / np.maximum(size, least) if column == "VDS (V)" else size / top
        for method in METHODS:
            point = find[method](leg.v, g)
            if point is not None and leg.v[0] < point.v < leg.v[-1]:
                y = float(np.interp(point.v, leg.v, leg.y))
                found[method][leg.name] = replace(point, y=y)
    return found


def doubts(legs: tuple[Leg, ...], points: Mapping[str, DiracPoint], k: Any) -> dict[str, float]:
    """What speaks against Dirac points although they are sharp: the sweep broke down, or ends right beyond them."""
    checks: dict[str, float] = {}
    if any(leg_jumps(leg, k.MIN_JUMP) for leg in legs):
        checks["JUMP"] = 0.3
    ends = {leg.name: (float(leg.v[0]), float(leg.v[-1])) for leg in legs}
    near = (
        min(p.v - ends[name][0], ends[name][1] - p.v) < k.SWEEP_END * np.ptp(ends[name]) for name, p in points.items()
    )
    if any(near):
        checks["NEAR_SWEEP_END"] = 0.4
    return checks


def _rows(
    row: Row,
    method: str,
    points: dict[str, DiracPoint],
    legs: tuple[Leg, ...],
    agree: bool,
    modulation: float,
    clipped: float,
    k: Any,
) -> list[DerivedMetric]:
    """Rows of one method."""
    checks = doubts(legs, points, k)
    if len(points) < 2:
        checks["SWEEP_NOT_LOOPED" if len(legs) < 2 else "SWEEP_COMPLETE"] = 0.7
    if modulation <= k.MIN_GOOD_MODULATION:
        checks["LOW_MODULATION"] = 0.4
    if not agree:
        checks["METHODS_DISAGREE"] = 0.6
    swept = [float(legs[0].v[0]), float(legs[0].v[-1])]
    if clipped > 0.1:
        checks["SATURATED"] = 0.6
    stated: dict[str, Any] = {"swept_v": swept}
    if method == "parabola":
        stated["window_v"] = {leg.name: parabola_window(leg.v, k.PARABOLA_WINDOW) for leg in legs}
    notes = ("ASYMMETRIC",) if max(abs(p.asymmetry) for p in points.values()) > k.MAX_GOOD_ASYMMETRY else ()
    extra: dict[str, Any] = {**stated, "modulation": modulation}
    values = list(points.values())
    mean = float(np.mean([p.v for p in values]))
    error = float(np.sqrt(sum(p.error**2 for p in values))) / len(values)
    out = []
    if len(values) == 2:
        lag = points["backward"].v - points["forward"].v
        spread = float(np.hypot(values[0].error, values[1].error))
        if abs(lag) > k.MAX_GOOD_HYSTERESIS_V:
            checks["LARGE_HYSTERESIS"] = 0.6
        extra |= {"hysteresis_v": lag}
        out.append(row("cnp_hysteresis", lag, "V", method, error=spread, checks=checks, notes=notes, json=extra))
    low, high = k.CNP_VOLTAGE_RANGE
    if not min(low, swept[0]) <= mean <= max(high, swept[1]):
        checks["CNP_OUT_OF_RANGE"] = 0.3
    for name, point in points.items():
        extra |= {f"v_{name}": point.v, f"y_{name}": point.y}
        out.append(row(f"cnp_{name}", point.v, "V", method, error=point.error, checks=checks, notes=notes, json=stated))
    out.append(row("cnp_voltage", mean, "V", method, error=error, checks=checks, notes=notes, json=extra))
    return out


def _clipped(y: Array, near: float) -> float:
    """Share of values within `near` of the largest, beyond what a smooth curve has there: a meter at its limit."""
    size = np.abs(y)
    return float(np.mean(size >= (1 - near) * size.max()))
