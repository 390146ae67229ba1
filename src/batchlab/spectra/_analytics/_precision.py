"""How well measurements of one sample repeat: the spread within groups of replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._analytics._matrix import Matrix, rows_of
from batchlab.spectra._model import Array, read_only

__all__ = ["Precision", "precision"]

_REPEATABILITY = 2.8  # ISO 5725-6:1994, 4.1.4: 1.96 times the root of 2, rounded
_MEANINGFUL = 0.1  # of the largest mean: at lower ones a relative deviation tells of the zero, not of the spread


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Precision:
    """The spread of replicates.

    Attributes
    ----------
    mean : (p,) array
        Of the spectra that have replicates.
    deviation : (p,) array
        Pooled standard deviation within groups (the repeatability standard deviation), in the signal's unit.
    relative : (p,) array
        The same over the mean, in percent; NaN where the mean is below a tenth of its largest.
    repeatability_limit : (p,) array
        What two replicates differ by in no more than 5 % of cases, 2.8 deviations.
    typical_relative
        Median of `relative`, in percent; NaN if there is none.
    by_group
        Root mean square deviation over the points, in the signal's unit, for each group with replicates.
    dof
        Degrees of freedom: replicates less groups.
    """

    mean: Array
    deviation: Array
    relative: Array
    repeatability_limit: Array
    typical_relative: float
    by_group: dict[str, float]
    dof: int


def precision(matrix: Matrix, groups: Sequence[str | None]) -> Precision:
    """Pool the variances within groups of replicates [1]_, each by its degrees of freedom.

    Parameters
    ----------
    matrix : (n, p)
        The spectra; a group is held in memory at a time.
    groups
        Of each, None for none. Groups of one are left out.

    Raises
    ------
    DataError
        Reason ``no-replicates``: no group has two spectra.

    References
    ----------
    .. [1] ISO 5725-2:2019, section 7.4.
    """
    by_group: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        if group is not None:
            by_group.setdefault(group, []).append(row)
    replicated = {group: rows for group, rows in sorted(by_group.items()) if len(rows) > 1}
    if not replicated:
        raise DataError("no group has two spectra, so nothing was repeated", reason="no-replicates")
    points = matrix.shape[1]
    squares, total, count, dof = np.zeros(points), np.zeros(points), 0, 0
    spread: dict[str, float] = {}
    for group, rows in replicated.items():
        block = rows_of(matrix, np.array(rows))
        own = np.sum((block - block.mean(axis=0)) ** 2, axis=0)
        spread[group] = float(np.sqrt(np.mean(own) / (len(rows) - 1)))
        squares += own
        total += block.sum(axis=0)
        count += len(rows)
        dof += len(rows) - 1
    mean, deviation = total / count, np.sqrt(squares / dof)
    large = np.abs(mean) >= _MEANINGFUL * float(np.abs(mean).max())
    relative = np.full(points, np.nan)
    np.divide(100.0 * deviation, np.abs(mean), out=relative, where=large & (mean != 0))
    known = relative[np.isfinite(relative)]
    return Precision(
        mean=read_only(mean),
        deviation=read_only(deviation),
        relative=read_only(relative),
        repeatability_limit=read_only(_REPEATABILITY * deviation),
        typical_relative=float(np.median(known)) if known.size else float("nan"),
        by_group=spread,
        dof=dof,
    )
