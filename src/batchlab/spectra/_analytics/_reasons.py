"""Why a spectrum stands out, in words."""

from __future__ import annotations

import math

import numpy as np

from batchlab.spectra._analytics._analysis import Verdict
from batchlab.spectra._analytics._matrix import Matrix, rows_of
from batchlab.spectra._analytics._model_of import FEWEST, Settled
from batchlab.spectra._model import Array

__all__ = ["verdicts_and_reasons"]

_SMOOTH = 5  # points: a spike of noise is not where a spectrum differs


def verdicts_and_reasons(
    settled: Settled, matrix: Matrix, axis: Array, axis_unit: str | None, correlation: Array, level: float
) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """Judge each spectrum; the reason of a good one is empty.

    Parameters
    ----------
    settled
        The model and its limits.
    matrix : (n, p)
        The spectra; only those that stand out are read.
    axis, axis_unit
        Where a spectrum differs is told on it.
    correlation : (n,) array
        Of each with the middle of the batch.
    level
        Of the limits.
    """
    count, limits = settled.t2.size, settled.limits
    if limits is None:
        few = (
            f"too few spectra to judge it by: {settled.model.n_spectra} in the model, {FEWEST} or more are needed, "
            "and four more than components"
        )
        return (Verdict.NOT_JUDGED,) * count, (few,) * count
    lowest = int(np.nanargmin(correlation)) if np.isfinite(correlation).any() else -1
    verdicts: list[Verdict] = []
    reasons: list[str] = []
    for at in range(count):
        t2, q = float(settled.t2_of_limit[at]), float(settled.q[at]) / limits.q_batch
        parts: list[tuple[float, str]] = []
        if t2 > 1:
            parts.append((t2, _t2_words(settled, at, t2, axis, axis_unit)))
        if q > 1:
            parts.append((q, _q_words(settled, matrix, at, q, axis, axis_unit)))
        if parts:
            verdicts.append(Verdict.OUTLIER)
            words = [text for _, text in sorted(parts, key=lambda part: -part[0])]
            if at == lowest:
                words.append(f"the lowest correlation of the batch, {correlation[at]:.4g}")
            reasons.append("; ".join(words))
        elif settled.t2_of_single[at] > 1 or settled.q[at] > limits.q:
            verdicts.append(Verdict.WATCH)
            beyond = (("T2", settled.t2_of_single[at] > 1), ("Q residual", settled.q[at] > limits.q))
            which = " and ".join(name for name, is_beyond in beyond if is_beyond)
            reasons.append(f"{which} above the {level:.4g} limit of a single spectrum, as a few of many good ones are")
        else:
            verdicts.append(Verdict.GOOD)
            reasons.append("")
    return tuple(verdicts), tuple(reasons)


def _t2_words(settled: Settled, at: int, times: float, axis: Array, unit: str | None) -> str:
    shares = settled.scores[at] ** 2 / settled.model.variances
    component = int(np.argmax(shares))
    away = float(settled.scores[at, component])
    where = _place(axis, np.abs(settled.model.loadings[component]), unit)
    how = f"{times:.3g} x the limit" if math.isfinite(times) else "beyond any limit"
    return (
        f"T2 {how}: {'more' if away > 0 else 'less'} of component {component + 1} than the others, "
        f"which is largest at {where}"
    )


def _q_words(settled: Settled, matrix: Matrix, at: int, times: float, axis: Array, unit: str | None) -> str:
    centred = rows_of(matrix, np.array([at]))[0] - settled.model.mean
    left = centred - settled.scores[at] @ settled.model.loadings
    smooth = np.convolve(left, np.ones(_SMOOTH) / _SMOOTH, mode="same") if left.size > _SMOOTH else left
    where = int(np.argmax(np.abs(smooth)))
    side = "higher" if smooth[where] > 0 else "lower"
    place = _called(axis[where], unit)
    return f"Q residual {times:.3g} x the limit: unlike the others, most at {place}, where it is {side}"


def _place(axis: Array, size: Array, unit: str | None) -> str:
    return _called(axis[int(np.argmax(size))], unit)


def _called(position: float, unit: str | None) -> str:
    return f"{position:.6g} {unit}" if unit not in (None, "1") else f"{position:.6g}"
