"""Whether named groups of spectra are apart: does each spectrum lie nearest to its own group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batchlab.spectra._model import Array

__all__ = ["Separation", "separation"]

FEWEST_OF_GROUP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """How far groups are apart.

    Attributes
    ----------
    share
        Of the spectra that lie nearest to their own group, 0 to 1.
    by_group
        The same for each group.
    nearest
        Of each spectrum the group it lies nearest to; None for one that belongs to no group of three.
    """

    share: float
    by_group: dict[str, float]
    nearest: tuple[str | None, ...]


def separation(scores: Array, groups: Sequence[str | None]) -> Separation | None:
    """Find for each spectrum the nearest group, by Mahalanobis distance with the groups' pooled covariance [1]_.

    A spectrum is left out of what it is judged by, in closed form: neither its own group's mean nor the covariance
    knows it.

    Parameters
    ----------
    scores : (n, k) array
        Of all spectra.
    groups
        Of each, None for none.

    Returns
    -------
    Separation or None
        None where there are no two groups of three or more, or too few spectra for the covariance.

    References
    ----------
    .. [1] Lachenbruch and Mickey, *Technometrics* 10 (1968) 1-11.
    """
    sizes: dict[str, int] = {}
    for group in groups:
        if group is not None:
            sizes[group] = sizes.get(group, 0) + 1
    known = sorted(group for group, size in sizes.items() if size >= FEWEST_OF_GROUP)
    rows = np.array([at for at, group in enumerate(groups) if group in known], dtype=np.intp)
    components = scores.shape[1]
    if len(known) < 2 or not components or rows.size - len(known) - 1 <= components:
        return None
    own = np.array([known.index(str(groups[at])) for at in rows])
    points = scores[rows]
    middles = np.stack([points[own == at].mean(axis=0) for at in range(len(known))])
    count = np.array([sizes[group] for group in known])[own]
    away = points - middles[own]
    scatter = away.T @ away
    if np.linalg.matrix_rank(scatter, hermitian=True) < components:
        return None
    inverse = np.linalg.inv(scatter)
    weight = count / (count - 1.0)
    turned = away @ inverse
    room = 1.0 - weight * np.sum(away * turned, axis=1)
    distances = np.empty((rows.size, len(known)))
    for at in range(len(known)):
        apart = np.where((own == at)[:, None], weight[:, None] * away, points - middles[at])
        plain = np.sum((apart @ inverse) * apart, axis=1)
        distances[:, at] = plain + weight * np.sum(apart * turned, axis=1) ** 2 / np.maximum(room, 1e-12)
    found = np.argmin(distances, axis=1)
    nearest: list[str | None] = [None] * len(groups)
    for at, group in zip(rows, found, strict=True):
        nearest[at] = known[group]
    right = found == own
    return Separation(
        share=float(right.mean()),
        by_group={group: float(right[own == at].mean()) for at, group in enumerate(known)},
        nearest=tuple(nearest),
    )
