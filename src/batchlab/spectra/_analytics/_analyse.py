"""Look at a whole batch of spectra at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchlab.errors import DataError
from batchlab.spectra._analytics._analysis import Analysis, Overview, Verdict
from batchlab.spectra._analytics._charts import ControlChart, control_chart, correlation_chart
from batchlab.spectra._analytics._clusters import FEWEST as FEWEST_TO_CLUSTER
from batchlab.spectra._analytics._clusters import clusters
from batchlab.spectra._analytics._drift import Drift, drift
from batchlab.spectra._analytics._matrix import Matrix, as_matrix, blocks, rows_of
from batchlab.spectra._analytics._model_of import Settled, settle
from batchlab.spectra._analytics._precision import Precision, precision
from batchlab.spectra._analytics._reasons import verdicts_and_reasons
from batchlab.spectra._analytics._separation import separation
from batchlab.spectra._model import Array, read_only
from batchlab.spectra._words import agreed, counted

__all__ = ["analyse"]

FEWEST_SPECTRA = 3
_FEW = 12
_MANY_OUTLIERS = 0.2
_OVERVIEW_ROWS = 400
_OVERVIEW_POINTS = 600


def analyse(
    axis: ArrayLike,
    matrix: ArrayLike | Matrix,
    names: Sequence[str],
    *,
    groups: Sequence[str | None] | None = None,
    times: Sequence[float] | None = None,
    order: Sequence[float] | None = None,
    components: int | None = None,
    level: float = 0.99,
    reference: ArrayLike | None = None,
    normal: Sequence[bool] | None = None,
    axis_unit: str | None = None,
    unit: str | None = None,
) -> Analysis:
    """Model a batch of spectra, and say which stand out of it, why, and what groups, drifts and repeats in it.

    Each point weighs the same and is centred, not scaled. What a spectrum is does not depend on the order of the
    spectra, the direction or unit of the axis, or the unit of the signal.

    Parameters
    ----------
    axis : (p,) array
        In `axis_unit`, strictly monotone.
    matrix : (n, p) array or DiskMatrix
        A row for each spectrum, on that axis; one on disk is read in blocks.
    names
        Of the spectra.
    groups
        Of each, None for none: replicates of one sample, whose spread within groups is the precision.
    times, order
        When each was measured, in any unit, or else its place in the run: what charts and drift go by. By default
        as given.
    components
        Of the model; see `settle` for the default.
    level
        Probability that a batch of good spectra has no outlier; also the level of one spectrum's limits, and of
        intervals.
    reference : (p,) array
        What the spectra are correlated with; by default the model's mean.
    normal
        Which spectra define what is normal, where that is known; the others are judged by a model of those.
    axis_unit, unit
        For words.

    Returns
    -------
    Analysis
        With fewer than 6 spectra all are left unjudged, and it says so.

    Raises
    ------
    DataError
        Reasons ``not-a-spectrum`` (shapes, values that are no finite numbers), ``too-few-spectra`` (below 3).
    """
    spectra = as_matrix(matrix)
    x = read_only(axis)
    count = _checked(spectra, x, names, groups, times, order, reference, normal, components, level)
    chosen = None if normal is None else np.asarray(normal, dtype=bool)
    if chosen is not None and chosen.sum() < 2:
        raise DataError(
            f"{counted(int(chosen.sum()), 'spectrum', 'spectra')} {agreed(int(chosen.sum()), 'is', 'are')} "
            f"called normal; a model "
            "needs two or more",
            reason="too-few-spectra",
        )
    settled = settle(spectra, level, components, chosen)
    middle = settled.model.mean if reference is None else read_only(reference)
    correlation = _correlations(spectra, middle)
    verdicts, reasons = verdicts_and_reasons(settled, spectra, x, axis_unit, correlation, level)
    labels, apart = _clustered(settled, verdicts)
    when, positions = _positions(count, times, order)
    series = _series(spectra, settled, correlation)
    kept = settled.model.loadings.shape[0]
    own_q = settled.q[settled.members]
    mean_q = float(own_q.mean())
    return Analysis(
        names=tuple(names),
        groups=(None,) * count if groups is None else tuple(groups),
        axis=x,
        axis_unit=axis_unit,
        unit=unit,
        mean=settled.model.mean,
        loadings=settled.model.loadings,
        explained=read_only(settled.model.explained),
        variances=settled.model.variances,
        scores=read_only(settled.scores),
        t2=read_only(settled.t2),
        t2_of_limit=read_only(settled.t2_of_limit),
        q=read_only(settled.q),
        dmodx=read_only(np.sqrt(settled.q / mean_q) if mean_q > 0 else np.zeros(count)),
        correlation=read_only(correlation),
        members=settled.members,
        clusters=labels,
        silhouette=apart,
        limits=settled.limits,
        verdicts=verdicts,
        reasons=reasons,
        order=positions,
        charts={name: _chart(name, values[positions], unit) for name, values in series.items()},
        drifts=_drifts(series, when, level),
        precision=_precision(spectra, groups),
        separation=None if groups is None else separation(settled.scores, groups),
        overview=_overview(x, spectra),
        level=level,
        warnings=tuple(_warnings(settled, verdicts, labels, correlation, names, kept, reference is not None)),
    )


def _checked(
    spectra: Matrix,
    axis: Array,
    names: Sequence[str],
    groups: Sequence[str | None] | None,
    times: Sequence[float] | None,
    order: Sequence[float] | None,
    reference: ArrayLike | None,
    normal: Sequence[bool] | None,
    components: int | None,
    level: float,
) -> int:
    count, points = spectra.shape
    if count < FEWEST_SPECTRA:
        raise DataError(
            f"{counted(count, 'spectrum', 'spectra')} {agreed(count, 'makes', 'make')} no batch: three or "
            f"more can be looked at together, six or more be judged",
            reason="too-few-spectra",
        )
    if axis.shape != (points,):
        raise DataError(f"an axis of shape {axis.shape} for spectra of {points} points", reason="not-a-spectrum")
    if reference is not None and np.shape(reference) != (points,):
        raise DataError(
            f"a reference of shape {np.shape(reference)} for spectra of {points} points; bring it to their axis",
            reason="not-a-spectrum",
        )
    for what, given in (("names", names), ("groups", groups), ("times", times), ("order", order), ("normal", normal)):
        if given is not None and len(given) != count:
            raise DataError(f"{len(given)} {what} for {count} spectra; give one for each", reason="not-a-spectrum")
    if not 0.5 <= level < 1:
        raise DataError(f"a level of {level:g}; write one from 0.5 to below 1, such as 0.99", reason="bad-level")
    if components is not None and components < 1:
        raise DataError(f"{counted(components, 'component')}; a model has one or more", reason="bad-components")
    return count


def _correlations(spectra: Matrix, middle: Array) -> Array:
    """Pearson's correlation of each row with one spectrum; NaN where either is constant."""
    against = middle - middle.mean()
    size = float(np.linalg.norm(against))
    found = np.full(spectra.shape[0], np.nan)
    for start, block in blocks(spectra):
        centred = block - block.mean(axis=1, keepdims=True)
        sizes = np.linalg.norm(centred, axis=1) * size
        part = np.full(len(block), np.nan)
        varies = sizes > 1e-12 * np.abs(block).max(axis=1) * np.abs(middle).max(initial=0.0)
        np.divide(centred @ against, sizes, out=part, where=varies)
        found[start : start + len(block)] = np.clip(part, -1.0, 1.0)
    return found


def _clustered(settled: Settled, verdicts: tuple[Verdict, ...]) -> tuple[NDArray[np.intp], float | None]:
    """Clusters of all that are no outliers; 0 for those, and for all where there are too few."""
    inside = np.array([verdict is not Verdict.OUTLIER for verdict in verdicts])
    labels = np.zeros(inside.size, dtype=np.intp)
    if inside.sum() < FEWEST_TO_CLUSTER:
        return labels, None
    found = clusters(settled.scores[inside])
    labels[inside] = found.labels
    return labels, found.silhouette


def _positions(
    count: int, times: Sequence[float] | None, order: Sequence[float] | None
) -> tuple[Array, NDArray[np.intp]]:
    """What drift goes by, for each spectrum as given, and the spectra's numbers in that order."""
    keys = times if times is not None else order
    if keys is None:
        return np.arange(count, dtype=np.float64), np.arange(count)
    given = np.asarray(keys, dtype=np.float64)
    if not np.isfinite(given).all():
        raise DataError("a time or place in the order is no finite number; give one to each", reason="not-a-time")
    positions = np.argsort(given, kind="stable")
    return given, positions


def _series(spectra: Matrix, settled: Settled, correlation: Array) -> dict[str, Array]:
    levels = np.empty(spectra.shape[0])
    for start, block in blocks(spectra):
        levels[start : start + len(block)] = block.mean(axis=1)
    series = {"correlation": correlation, "level": levels}
    if settled.scores.shape[1]:
        series["score 1"] = settled.scores[:, 0]
    return {name: values for name, values in series.items() if np.isfinite(values).all()}


def _chart(name: str, values: Array, unit: str | None) -> ControlChart:
    if name == "correlation":
        return correlation_chart(values, name=name)
    return control_chart(values, name=name, unit=unit)


def _drifts(series: dict[str, Array], when: Array, level: float) -> dict[str, Drift]:
    if np.ptp(when) == 0:
        return {}
    return {name: drift(when, values, name=name, level=level, tests=len(series)) for name, values in series.items()}


def _precision(spectra: Matrix, groups: Sequence[str | None] | None) -> Precision | None:
    named = Counter(group for group in groups or () if group is not None)
    return precision(spectra, groups) if groups is not None and max(named.values(), default=0) > 1 else None


def _overview(axis: Array, spectra: Matrix) -> Overview:
    count, points = spectra.shape
    rows = np.unique(np.linspace(0, count - 1, min(count, _OVERVIEW_ROWS)).round().astype(np.intp))
    width = -(-points // _OVERVIEW_POINTS)
    starts = np.arange(0, points, width)
    sizes = np.diff(np.append(starts, points))
    values = np.stack(
        [np.add.reduceat(rows_of(spectra, rows[at : at + 1])[0], starts) / sizes for at in range(rows.size)]
    )
    return Overview(axis=read_only(np.add.reduceat(axis, starts) / sizes), rows=rows, values=read_only(values))


def _warnings(
    settled: Settled,
    verdicts: tuple[Verdict, ...],
    labels: NDArray[np.intp],
    correlation: Array,
    names: Sequence[str],
    kept: int,
    referred: bool,
) -> list[str]:
    told = []
    number, count = settled.model.n_spectra, len(verdicts)
    if settled.model.total_variance <= 0 or not kept:
        told.append("the spectra are all equal, so there is nothing to judge")
    elif settled.limits is None:
        told.append(f"{number} spectra are too few to tell outliers; the scores are for the eye alone")
        if np.isfinite(correlation).all():
            least = int(np.argmin(correlation))
            with_what = "the reference" if referred else "the mean"
            told.append(
                f"{names[least]} is least like {with_what} (correlation {correlation[least]:.4g}), judged or not"
            )
    elif number < _FEW:
        told.append(f"the model is of {number} spectra, so only gross outliers can be told")
    outliers = sum(verdict is Verdict.OUTLIER for verdict in verdicts)
    if outliers > _MANY_OUTLIERS * count and settled.members.sum() + outliers >= count:
        told.append(
            f"{outliers} of {count} spectra {agreed(outliers, 'is an outlier', 'are outliers')}: this is "
            f"hardly one kind of sample; look at the scores, or "
            "say which spectra are normal"
        )
    if int(labels.max(initial=0)) > 1:
        told.append(
            f"the spectra fall into {int(labels.max())} clusters; the limits are those of one kind of sample, so an "
            "outlier of a single cluster may stay unseen"
        )
    return told
