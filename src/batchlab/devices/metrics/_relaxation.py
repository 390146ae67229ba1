r"""Stretched exponentials by variable projection: :math:`y = B + A\exp(-(t/\tau)^\beta)`, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from batchlab.devices.metrics._trace import correlation_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.devices._model import Array

__all__ = ["Relaxation", "fit_relaxations", "fit_sets"]

_BINS = 64
_PARTS = np.arange(_BINS) / _BINS
_GRID_TAUS = 14
_MOST_VALUES = 5000  # searched at once: what more of them need leaves the caches of a processor
_GRID_BETAS = (0.3, 0.5, 0.7, 0.85, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """A fitted relaxation.

    Attributes
    ----------
    tau_s, beta, amplitude, offset
        Of ``offset + amplitude*exp(-(t/tau_s)**beta)``; amplitude and offset in the unit of the data.
    tau_error_s, beta_error, amplitude_error, offset_error
        Standard errors; infinite where the data do not say.
    covariance
        Of (offset, amplitude, ln tau, beta), 4 x 4.
    r_squared, aic
        Of the fit; Akaike's criterion counts the noise among the parameters.
    tau_single_s, aic_single
        Of the best single exponential (beta = 1).
    converged, iterations
        How the search ended.
    rows
        Number of samples.
    correlation
        By how much errors grow because neighbouring residuals are alike; they do not contain it.
    bounded
        Whether the time constant ended at a bound: the data show a step, a straight line or a logarithm, and no time.
    """

    tau_s: float
    beta: float
    amplitude: float
    offset: float
    tau_error_s: float
    beta_error: float
    amplitude_error: float
    offset_error: float
    covariance: tuple[tuple[float, ...], ...]
    r_squared: float
    aic: float
    tau_single_s: float
    aic_single: float
    converged: bool
    iterations: int
    rows: int
    bounded: bool
    correlation: float

    def __call__(self, t: Array) -> Array:
        """The curve at times since its start, in s."""
        return self.offset + self.amplitude * np.exp(-((np.maximum(t, 0.0) / self.tau_s) ** self.beta))

    def gradient(self, t: float) -> Array:
        """Derivatives of the curve at one time by (offset, amplitude, ln tau, beta)."""
        s = max(t, 0.0) / self.tau_s
        z = s**self.beta
        f = float(np.exp(-z))
        return np.array(
            [1.0, f, self.amplitude * f * z * self.beta, -self.amplitude * f * z * float(np.log(s)) if s > 0 else 0.0]
        )

    def moved_by(self, t: Array, change: Array) -> tuple[float, float]:
        """How far a small change of the values would move time constant (in s) and exponent: their sizes, first order.

        Parameters
        ----------
        t, change : (n,) array
            Times of the fitted samples since the start, in s, positive; by how much each would change.
        """
        z = (t / self.tau_s) ** self.beta
        f = np.exp(-z)
        by = [np.ones_like(f), f, self.amplitude * f * z * self.beta]
        if self.beta < 1.0:  # at its bound it does not move
            by.append(-self.amplitude * f * z * np.log(t / self.tau_s))
        design = np.stack(by, axis=1)
        size = np.maximum(np.sqrt((design * design).sum(axis=0)), 1e-300)
        design = design / size
        moved = _inverse(design.T @ design, 1e-12) @ (design.T @ change) / size
        return abs(self.tau_s * float(moved[2])), abs(float(moved[3])) if self.beta < 1.0 else 0.0


def fit_relaxations(
    series: Sequence[tuple[Array, Array]],
    *,
    edge_errors_s: Sequence[float] = (),
    max_iterations: int = 100,
    tolerance: float = 1e-8,
    beta_range: tuple[float, float] = (0.05, 1.0),
) -> list[Relaxation | None]:
    r"""Fit a stretched and a single exponential to every series.

    Offset and amplitude are solved for exactly at every step (variable projection [1]_ with Kaufman's Jacobian [2]_),
    so that the search has two dimensions, ln tau and beta. It starts from the best point of a grid, steps after
    Levenberg and Marquardt with damping in proportion to each curvature, and works on scaled data: amperes and
    microamperes take the same steps.

    Parameters
    ----------
    series
        Pairs of (n,) arrays: time in s since the relaxation began, positive and ascending; values.
    edge_errors_s
        Standard error of the start of each series, which adds to those of the parameters; 0 unless given.
    max_iterations
        Of the search on all samples.
    tolerance
        Relative gain below which a search has converged.
    beta_range
        Allowed exponents.

    Returns
    -------
    list of Relaxation or None
        None where a series has fewer than six samples or does not vary.

    References
    ----------
    .. [1] Golub and Pereyra, SIAM J. Numer. Anal. 10, 413 (1973).
    .. [2] Kaufman, BIT 15, 49 (1975).
    """
    return fit_sets(
        [(series, edge_errors_s)], max_iterations=max_iterations, tolerance=tolerance, beta_range=beta_range
    )[0]


def fit_sets(
    sets: Sequence[tuple[Sequence[tuple[Array, Array]], Sequence[float]]],
    *,
    max_iterations: int,
    tolerance: float,
    beta_range: tuple[float, float],
) -> list[list[Relaxation | None]]:
    """Fit each set of series, with the errors of their starts, as `fit_relaxations` does.

    Sets of equal lengths are searched together, which is quicker; what comes out for one does not depend on the others.
    """
    results: list[list[Relaxation | None]] = [[None] * len(series) for series, _ in sets]
    alike: dict[tuple[int, ...], list[tuple[int, _Scaled]]] = {}
    for k, (series, edge_errors_s) in enumerate(sets):
        scaled = _scale(series, edge_errors_s)
        if scaled is not None:
            lengths = (scaled.full[0].shape[1], scaled.coarse[0].shape[1])
            alike.setdefault(lengths, []).append((k, scaled))
    for group in alike.values():
        most = max(_MOST_VALUES // group[0][1].full[0].size, 1)
        for at in range(0, len(group), most):
            some = group[at : at + most]
            fits = iter(_fit([scaled for _, scaled in some], max_iterations, tolerance, beta_range))
            for k, scaled in some:
                for i in scaled.usable:
                    results[k][i] = next(fits)
    return results


@dataclass(frozen=True, slots=True, eq=False)
class _Scaled:
    """The series of a set that can be fitted, as the search wants them: all samples, and few that stand for them."""

    usable: list[int]
    rows: list[int]
    scales: list[float]
    shifts: list[float]
    full: tuple[Array, ...]
    coarse: tuple[Array, ...]
    low: list[float]
    high: list[float]
    edges: list[float]


def _scale(series: Sequence[tuple[Array, Array]], edge_errors_s: Sequence[float]) -> _Scaled | None:
    """None where no series has six samples and varies."""
    usable = [
        i for i, (t, y) in enumerate(series) if t.size >= 6 and t[0] > 0 and np.ptp(y) > 0 and np.isfinite(y).all()
    ]
    if not usable:
        return None
    sets = [series[i] for i in usable]
    scales = [float(np.ptp(y)) for _, y in sets]
    shifts = [float(y.mean()) for _, y in sets]
    plain = [(t, (y - m) / s) for (t, y), m, s in zip(sets, shifts, scales, strict=True)]
    return _Scaled(
        usable=usable,
        rows=[t.size for t, _ in sets],
        scales=scales,
        shifts=shifts,
        full=_pad([(t, y, None) for t, y in plain]),
        coarse=_pad([_binned(t, y) for t, y in plain]),
        low=[float(np.log(max(t[0], (t[-1] - t[0]) * 1e-4) / 3)) for t, _ in sets],
        high=[float(np.log(t[-1] * 30)) for t, _ in sets],
        edges=[edge_errors_s[i] if edge_errors_s else 0.0 for i in usable],
    )


def _fit(
    group: Sequence[_Scaled], max_iterations: int, tolerance: float, beta_range: tuple[float, float]
) -> list[Relaxation]:
    """Fits of all series of sets of equal lengths, one set after the other."""
    full = tuple(np.concatenate(parts) for parts in zip(*(each.full for each in group), strict=True))
    coarse = tuple(np.concatenate(parts) for parts in zip(*(each.coarse for each in group), strict=True))
    low, high = (np.concatenate([getattr(each, name) for each in group]) for name in ("low", "high"))
    rows = [n for each in group for n in each.rows]
    scales = [s for each in group for s in each.scales]
    shifts = [m for each in group for m in each.shifts]
    bounds = (np.r_[low, low], np.r_[high, high], *beta_range)
    # Every series stands twice: once with its exponent free, once with 1.
    count = len(rows)
    free = np.r_[np.ones(count, bool), np.zeros(count, bool)]
    twice = np.r_[np.arange(count), np.arange(count)]
    u, b = _grid_start(coarse, low, high, beta_range)
    search = (bounds, free)
    u, b, *_ = _search(tuple(part[twice] for part in coarse), u, b, *search, 30, 1e-6)
    data = tuple(part[twice] for part in full)
    u, b, cost, converged, steps = _search(data, u, b, *search, max_iterations, tolerance)
    best = (u[:count], b[:count])
    edges = np.concatenate([each.edges for each in group])
    covariances, coefficients, alike = _covariance(full, *best, cost[:count], edges)
    results: list[Relaxation] = []
    for k in range(count):
        total = float(np.sum(full[1][k, : rows[k]] ** 2))
        scale = np.array([scales[k], scales[k], 1.0, 1.0])
        covariance = covariances[k] * np.outer(scale, scale)
        error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        tau = float(np.exp(u[k]))
        results.append(
            Relaxation(
                tau_s=tau,
                beta=float(b[k]),
                amplitude=float(coefficients[k, 1] * scales[k]),
                offset=float(coefficients[k, 0] * scales[k] + shifts[k]),
                tau_error_s=tau * float(error[2]),
                beta_error=float(error[3]),
                amplitude_error=float(error[1]),
                offset_error=float(error[0]),
                covariance=tuple(tuple(float(c) for c in row) for row in covariance),
                r_squared=1 - float(cost[k]) / total,
                aic=_aic(rows[k], float(cost[k]) * scales[k] ** 2, 5),
                tau_single_s=float(np.exp(u[count + k])),
                aic_single=_aic(rows[k], float(cost[count + k]) * scales[k] ** 2, 4),
                converged=bool(converged[k]),
                iterations=int(steps[k]),
                rows=rows[k],
                correlation=alike[k],
                bounded=bool(not low[k] + 0.05 < u[k] < high[k] - 0.05),
            )
        )
    return results


def _aic(rows: int, sse: float, parameters: int) -> float:
    """Akaike's criterion of a least-squares fit with Gaussian noise."""
    return rows * float(np.log(max(sse / rows, 1e-300))) + 2 * parameters


def _pad(sets: list[tuple[Array, Array, Array | None]]) -> tuple[Array, Array, Array, Array]:
    """Logarithm of time, values less their mean and weights as (k, n) arrays, and summed weights.

    What is padded has weight 0.
    """
    length = max(t.size for t, _, _ in sets)
    log_t, y, w = np.zeros((3, len(sets), length))
    for k, (t, values, weight) in enumerate(sets):
        log_t[k, : t.size] = np.log(t)
        y[k, : t.size] = values
        w[k, : t.size] = 1.0 if weight is None else weight
    total = w.sum(axis=1)
    y -= ((w * y).sum(axis=1) / total)[:, None]
    return log_t, y, w, total


def _binned(t: Array, y: Array) -> tuple[Array, Array, Array]:
    """Means over bins that widen with time, with the number of samples of each."""
    if t.size <= 2 * _BINS:
        return t, y, np.ones(t.size)
    edges = t[0] * (t[-1] / t[0]) ** _PARTS
    starts = np.searchsorted(t, edges)
    starts = starts[np.diff(starts, prepend=-1) > 0]
    count = np.diff(np.r_[starts, t.size]).astype(float)
    return np.add.reduceat(t, starts) / count, np.add.reduceat(y, starts) / count, count


def _grid_start(
    data: tuple[Array, ...], low: Array, high: Array, beta_range: tuple[float, float]
) -> tuple[Array, Array]:
    """Best grid points: for each series with a free exponent, then for each with 1."""
    log_t, y, w, total = data
    betas = np.array([b for b in _GRID_BETAS if beta_range[0] <= b <= beta_range[1]])
    part = np.linspace(0.0, 1.0, _GRID_TAUS)
    u = low[:, None] + (high - low)[:, None] * part
    z = np.exp(betas[None, None, :, None] * (log_t[:, None, None, :] - u[:, :, None, None]))
    f = np.exp(-z)
    weight = w / total[:, None]
    # Projections by matrix products: no array beyond f itself is as large.
    mean = np.einsum("kabn,kn->kab", f, weight)
    square = np.einsum("kabn,kabn,kn->kab", f, f, weight) - mean**2
    product = np.einsum("kabn,kn->kab", f, weight * y)
    gain = np.where(square > 1e-12, product**2 / np.maximum(square, 1e-12), 0.0)
    rows = np.arange(len(y))
    flat = gain.reshape(len(y), -1).argmax(axis=1)
    single = gain[:, :, -1].argmax(axis=1)
    return (
        np.r_[u[rows, flat // betas.size], u[rows, single]],
        np.r_[betas[flat % betas.size], np.ones(len(y))],
    )


def _project(data: tuple[Array, ...], u: Array, b: Array) -> tuple[Array, ...]:
    """Exact amplitudes: cost, gradient by (ln tau, beta), and what remains of the curvature beside them."""
    log_t, y, w, total = data
    x = log_t - u[:, None]
    z = np.exp(np.minimum(b[:, None] * x, 50.0))
    decay = np.exp(-z)
    f = decay - (np.einsum("kn,kn->k", w, decay) / total)[:, None]
    weighted = w * f
    norm = np.maximum(np.einsum("kn,kn->k", weighted, f), 1e-30)
    a = np.einsum("kn,kn->k", weighted, y) / norm
    r = y - a[:, None] * f
    weighted_r = w * r
    cost = np.einsum("kn,kn->k", weighted_r, r)
    z *= decay
    z *= a[:, None]
    g = np.stack((z * b[:, None], -z * x), axis=1)
    gradient = np.einsum("kpn,kn->kp", g, weighted_r)
    weighted_g = g * w[:, None, :]
    mean = weighted_g.sum(axis=2)
    along = np.einsum("kpn,kn->kp", weighted_g, f)
    normal = np.einsum("kpn,kqn->kpq", weighted_g, g)
    normal -= mean[:, :, None] * (mean / total[:, None])[:, None, :]
    normal -= along[:, :, None] * (along / norm[:, None])[:, None, :]
    return cost, gradient, normal


def _search(
    data: tuple[Array, ...],
    u: Array,
    b: Array,
    bounds: tuple[Any, ...],
    free: NDArray[np.bool_],
    max_iterations: int,
    tolerance: float,
) -> tuple[Array, Array, Array, Array, Array]:
    """Levenberg-Marquardt on (ln tau, beta) of all series together; each stops by itself.

    What is decided for a series is decided in plain numbers: arrays of two or three cost more than they hold.
    """
    low, high, beta_low, beta_high = (bound.tolist() if isinstance(bound, np.ndarray) else bound for bound in bounds)
    count = u.size
    us, bs, frees = u.tolist(), b.tolist(), free.tolist()
    damping, converged, steps = [1e-3] * count, [False] * count, [0] * count
    costs, gradients, normals = (part.tolist() for part in _project(data, u, b))
    live = list(range(count))
    part = data
    for _ in range(max_iterations):
        left, moves = [], []
        for k in live:
            g1, g2 = gradients[k]
            # An exponent that is fixed, or what is at its bound and pushed outwards, does not take part.
            held_b = not frees[k] or (bs[k] >= beta_high and g2 > 0) or (bs[k] <= beta_low and g2 < 0)
            held_u = (us[k] >= high[k] and g1 > 0) or (us[k] <= low[k] and g1 < 0)
            # What a whole step could still gain: against the noise, parameters then stand still within their errors.
            whole = _step(normals[k], g1, g2, 1e-9, held_u, held_b)
            if whole[0] * g1 + whole[1] * g2 <= tolerance * costs[k] or damping[k] > 1e12:
                converged[k] = True
                continue
            left.append(k)
            steps[k] += 1
            du, db = _step(normals[k], g1, g2, damping[k], held_u, held_b)
            moves.append((min(max(du, -2.0), 2.0), min(max(db, -0.3), 0.3)))
        if not left:
            break
        if len(left) < len(live):
            part = tuple(each[left] for each in data)
        live = left
        tries = [
            (min(max(us[k] + du, low[k]), high[k]), min(max(bs[k] + db, beta_low), beta_high))
            for k, (du, db) in zip(live, moves, strict=True)
        ]
        found = (each.tolist() for each in _project(part, *np.array(tries).T))
        for k, (du, db), (try_u, try_b), cost, gradient, normal in zip(live, moves, tries, *found, strict=True):
            gain = costs[k] - cost
            # Half of the promised gain or less: the step was too long, and would go to and fro about the optimum.
            good = gain > 0.5 * (du * gradients[k][0] + db * gradients[k][1])
            damping[k] = max(damping[k] * 0.2, 1e-6) if good else max(damping[k], 0.01) * 8.0
            if gain >= 0:
                us[k], bs[k], costs[k], gradients[k], normals[k] = try_u, try_b, cost, gradient, normal
    return np.array(us), np.array(bs), np.array(costs), np.array(converged), np.array(steps)


def _step(
    normal: Sequence[Sequence[float]], g1: float, g2: float, damping: float, held_u: bool, held_b: bool
) -> tuple[float, float]:
    """Damped Gauss-Newton step of a 2 x 2 system; what is held does not move."""
    tiny = 1e-300
    n11 = normal[0][0] * (1 + damping) + tiny
    n22 = normal[1][1] * (1 + damping) + tiny
    n12 = 0.0 if held_u or held_b else normal[0][1]
    g1, g2 = 0.0 if held_u else g1, 0.0 if held_b else g2
    determinant = max(n11 * n22 - n12 * n12, tiny)
    return (n22 * g1 - n12 * g2) / determinant, (n11 * g2 - n12 * g1) / determinant


def _covariance(
    data: tuple[Array, ...], u: Array, b: Array, cost: Array, edges: Array
) -> tuple[Array, Array, list[float]]:
    """Covariances of (offset, amplitude, ln tau, beta) of scaled data, the two coefficients, likeness of residuals."""
    log_t, y, w, total = data
    x = log_t - u[:, None]
    z = np.exp(np.minimum(b[:, None] * x, 50.0))
    f = np.exp(-z)
    mean_f = (w * f).sum(axis=1) / total
    fc = f - mean_f[:, None]
    a = (w * fc * y).sum(axis=1) / np.maximum((w * fc * fc).sum(axis=1), 1e-30)
    by_u = a[:, None] * f * z * b[:, None]
    jacobian = np.stack((np.ones_like(f), f, by_u, -a[:, None] * f * z * x), axis=1)
    weighted = jacobian * w[:, None, :]
    normal = np.einsum("kpn,kqn->kpq", weighted, jacobian)
    size = np.sqrt(np.maximum(np.einsum("kpp->kp", normal), 1e-300))
    inverse = _inverse(normal / size[:, :, None] / size[:, None, :], 1e-14)
    inverse = inverse / size[:, :, None] / size[:, None, :]
    covariance = inverse * (cost / np.maximum(total - 4, 1.0))[:, None, None]
    # A start that is wrong by dt changes the curve by its slope, by_u / t, times dt: the parameters see that.
    shift = np.einsum("kpq,kqn,kn->kp", inverse, weighted, by_u * np.exp(-log_t)) * edges[:, None]
    covariance += shift[:, :, None] * shift[:, None, :]
    residual = y - a[:, None] * fc
    alike = [correlation_factor(r[: int(rows)]) for r, rows in zip(residual, w.sum(axis=1), strict=True)]
    return covariance, np.stack((-a * mean_f, a), axis=1), alike


def _inverse(normal: Array, rcond: float) -> Array:
    """Pseudoinverses of normal matrices: `numpy.linalg.pinv` without its detour over a general decomposition."""
    values, vectors = np.linalg.eigh(normal)
    values, vectors = values[..., ::-1], vectors[..., ::-1]
    large = values > rcond * values[..., :1]
    inverse = np.divide(1.0, values, where=large, out=np.zeros_like(values))
    inverses: Array = vectors @ (inverse[..., None] * np.swapaxes(vectors, -1, -2))
    return inverses
