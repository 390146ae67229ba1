"""Groups that spectra fall into by themselves: Ward's tree, cut where the groups stand apart best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._model import Array

__all__ = ["Clusters", "clusters", "silhouette"]

FEWEST = 6
_MOST_CLUSTERS = 8
_FEWEST_IN_CLUSTER = 3  # one or two that stand apart are odd ones, and no kind of their own
_LEAST_SHARE = 0.02
_STAND_APART = 0.5  # Kaufman and Rousseeuw: a reasonable structure has been found
_MOST_IN_TREE = 1000  # the tree takes memory by the square
_ROUNDS = 100
_COMPONENTS = 3  # what can be looked at; each further one adds more noise than structure
_DRAWS = 19  # the largest of 19 by chance is exceeded by chance in one of 20 batches
_LARGEST_DRAW = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Which group each spectrum belongs to.

    Attributes
    ----------
    labels : (n,) array
        From 1, the largest group first; all 1 where no groups stand apart.
    count
        How many groups.
    silhouette
        How well they stand apart, -1 to 1; None where there is one group, or too few spectra to tell.
    """

    labels: NDArray[np.intp]
    count: int
    silhouette: float | None


def clusters(scores: Array, *, most: int = _MOST_CLUSTERS) -> Clusters:
    """Find groups among spectra by their first three scores [1]_, as many as make the mean silhouette largest [2]_.

    A single group can always be cut in two, so that the silhouette has to exceed 0.5, and also what normal scores
    of the same variances bring about in 19 of 20 draws. A group has at least three spectra, and 2 % of all: fewer are
    odd ones, which are set aside while groups are judged and join the nearest then. Above 1,000 spectra the tree is of
    1,000 spread evenly along the first component, and the others join the nearest middle, by Lloyd's rounds. Nothing
    depends on the order of the spectra.

    Parameters
    ----------
    scores : (n, k) array
        In one unit, unscaled: a component counts by what it explains.
    most
        Groups to try.

    Returns
    -------
    Clusters
        One group where no others stand apart, or there are fewer than 6 spectra.

    References
    ----------
    .. [1] Ward, *Journal of the American Statistical Association* 58 (1963) 236-244.
    .. [2] Rousseeuw, *Journal of Computational and Applied Mathematics* 20 (1987) 53-65.
    """
    points = scores[:, :_COMPONENTS]
    count = points.shape[0]
    one = Clusters(labels=np.ones(count, dtype=np.intp), count=1, silhouette=None)
    if count < FEWEST or points.shape[1] == 0 or not np.ptp(points, axis=0).any():
        return one
    along = np.lexsort(points.T[::-1])
    picked = along[np.unique(np.linspace(0, count - 1, min(count, _MOST_IN_TREE)).round().astype(np.intp))]
    labels, value = _best_cut(points[picked], most)
    if labels is None or value <= max(_STAND_APART, _by_chance(points.std(axis=0), count, most)):
        return one
    if picked.size < count:
        middles = np.stack([points[picked][labels == each].mean(axis=0) for each in np.unique(labels)])
        whole = _joined(points, middles)
    else:
        whole = np.empty(count, dtype=np.intp)
        whole[picked] = labels
    return Clusters(labels=_by_size(whole, points), count=int(np.unique(whole).size), silhouette=value)


def _best_cut(points: Array, most: int) -> tuple[NDArray[np.intp] | None, float]:
    """The cut of Ward's tree whose groups stand apart best, and how well."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(points, method="ward")
    least = max(_FEWEST_IN_CLUSTER, int(np.ceil(_LEAST_SHARE * points.shape[0])))
    best, value = None, -1.0
    for number in range(2, min(most, points.shape[0] // 3) + 1):
        labels = fcluster(tree, number, criterion="maxclust").astype(np.intp)
        each, sizes = np.unique(labels, return_counts=True)
        large = each[sizes >= least]
        if each.size != number or large.size < 2:
            continue
        inside = np.isin(labels, large)
        if (found := silhouette(points[inside], labels[inside])) > value + 1e-9:
            best, value = _with_nearest(points, labels, large), found
    return best, value


def _with_nearest(points: Array, labels: NDArray[np.intp], large: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same with what belongs to no large group in the one whose middle is nearest."""
    middles = np.stack([points[labels == group].mean(axis=0) for group in large])
    away = ((points[:, None, :] - middles) ** 2).sum(axis=2)
    return np.where(np.isin(labels, large), labels, large[np.argmin(away, axis=1)])


def _by_chance(deviations: Array, count: int, most: int) -> float:
    """The best silhouette among draws from a single group; the same for the same variances."""
    rng = np.random.default_rng(0)
    size = min(count, _LARGEST_DRAW)
    draws = [rng.standard_normal((size, deviations.size)) * deviations for _ in range(_DRAWS)]
    return max(_best_cut(draw, most)[1] for draw in draws)


def silhouette(points: Array, labels: NDArray[np.intp]) -> float:
    """Mean over all points of how much nearer its own group is than the nearest other, -1 to 1.

    Parameters
    ----------
    points : (n, k) array
        At most some thousands: all distances are taken.
    labels : (n,) array
        Their groups, two or more; a point alone in its group counts as 0.
    """
    from scipy.spatial.distance import cdist

    each = np.unique(labels)
    distances = cdist(points, points)
    sums = np.stack([distances[:, labels == group].sum(axis=1) for group in each], axis=1)
    sizes = np.array([np.sum(labels == group) for group in each])
    own = labels[:, None] == each
    alone = sizes[np.argmax(own, axis=1)] == 1
    inside = sums[own] / np.maximum(sizes[np.argmax(own, axis=1)] - 1, 1)
    outside = np.where(own, np.inf, sums / sizes).min(axis=1)
    larger = np.maximum(inside, outside)
    value = np.where(alone | (larger == 0), 0.0, (outside - inside) / np.where(larger == 0, 1.0, larger))
    return float(value.mean())


def _joined(scores: Array, middles: Array) -> NDArray[np.intp]:
    """Each spectrum with the nearest middle, the middles moved until none changes."""
    labels = np.full(scores.shape[0], -1)
    for _ in range(_ROUNDS):
        nearest = np.argmin(np.stack([np.sum((scores - middle) ** 2, axis=1) for middle in middles]), axis=0)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        middles = np.stack(
            [scores[labels == at].mean(axis=0) if np.any(labels == at) else middles[at] for at in range(len(middles))]
        )
    return labels


def _by_size(labels: NDArray[np.intp], scores: Array) -> NDArray[np.intp]:
    """Numbers from 1, the largest group first; of equally large ones that with the larger first score."""
    each = np.unique(labels)
    order = sorted(each, key=lambda at: (-np.sum(labels == at), -scores[labels == at, 0].mean()))
    numbers = {group: number for number, group in enumerate(order, start=1)}
    return np.array([numbers[label] for label in labels], dtype=np.intp)
