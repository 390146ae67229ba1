"""What is found out about a batch of spectra."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from batchlab.spectra._analytics._charts import ControlChart
from batchlab.spectra._analytics._drift import Drift
from batchlab.spectra._analytics._model_of import Limits
from batchlab.spectra._analytics._precision import Precision
from batchlab.spectra._analytics._separation import Separation
from batchlab.spectra._model import Array

__all__ = ["Analysis", "Overview", "SpectrumRow", "Verdict"]


_MOST_SHOWN = 12  # spectra, in a notebook


class Verdict(StrEnum):
    """What a spectrum is to its batch."""

    GOOD = "good"
    WATCH = "watch"  # beyond the limit of one spectrum, as few of many good ones are
    OUTLIER = "outlier"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrumRow:
    """What is found out about one spectrum.

    Attributes
    ----------
    name, group
        As given.
    cluster
        From 1; None where no clusters were sought, or for an outlier.
    scores
        In the signal's unit, a number for each component.
    t2, q
        As a model of the others sees it; q in the signal's unit squared.
    t2_of_limit, q_of_limit
        The same over the limit of the batch; NaN where nothing could be judged.
    dmodx
        Distance to the model, the root of q over its mean in the model.
    correlation
        Pearson's, with the reference or else with the model's mean.
    verdict, reason
        What that comes to, and why in words; the reason of a good one is empty.
    """

    name: str
    group: str | None
    cluster: int | None
    scores: tuple[float, ...]
    t2: float
    q: float
    t2_of_limit: float
    q_of_limit: float
    dmodx: float
    correlation: float
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overview:
    """The batch at a glance, thinned to what a picture can show.

    Attributes
    ----------
    axis : (m,) array
        Means of neighbouring points.
    rows : (r,) array
        Numbers, from 0, of the spectra shown.
    values : (r, m) array
        In the signal's unit.
    """

    axis: Array
    rows: NDArray[np.intp]
    values: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """A batch of spectra: its model, what stands out of it, groups, charts, drift and precision.

    Attributes
    ----------
    names, groups
        Of the spectra, in the order given.
    axis : (p,) array
        The common axis, in `axis_unit`.
    mean : (p,) array, loadings : (k, p) array
        Of the model.
    explained : (k,) array
        Share of the variance of the model's spectra that each component explains.
    variances : (k,) array
        Of the model's scores.
    scores : (n, k) array, t2, t2_of_limit, q, dmodx, correlation : (n,) arrays
        As in `SpectrumRow`.
    members : (n,) array of bool
        The spectra the model was made from.
    clusters : (n,) array
        From 1; 0 for none.
    silhouette
        How well the clusters stand apart; None for one cluster.
    limits
        None where there are too few spectra to judge by.
    verdicts, reasons
        Of each.
    order : (n,) array
        The spectra's numbers, from 0, in the order of the charts.
    charts
        ``correlation``, ``level`` (mean intensity) and ``score 1``, by name.
    drifts
        Of the same, against the times given, or else the order; by name.
    precision
        Of replicates; None without groups that have any.
    separation
        Of the groups from each other; None without two groups of three spectra.
    level
        Of the limits.
    warnings
        What could not be judged, and what is to be known about what was.
    """

    names: tuple[str, ...]
    groups: tuple[str | None, ...]
    axis: Array
    axis_unit: str | None
    unit: str | None
    mean: Array
    loadings: Array
    explained: Array
    variances: Array
    scores: Array
    t2: Array
    t2_of_limit: Array
    q: Array
    dmodx: Array
    correlation: Array
    members: NDArray[np.bool_]
    clusters: NDArray[np.intp]
    silhouette: float | None
    limits: Limits | None
    verdicts: tuple[Verdict, ...]
    reasons: tuple[str, ...]
    order: NDArray[np.intp]
    charts: Mapping[str, ControlChart]
    drifts: Mapping[str, Drift]
    precision: Precision | None
    separation: Separation | None
    overview: Overview
    level: float
    warnings: tuple[str, ...]

    @property
    def rows(self) -> tuple[SpectrumRow, ...]:
        """Each spectrum, in the order given."""
        limits = self.limits
        q_limit = limits.q_batch if limits else math.nan
        return tuple(
            SpectrumRow(
                name=name,
                group=self.groups[at],
                cluster=int(self.clusters[at]) or None,
                scores=tuple(self.scores[at].tolist()),
                t2=float(self.t2[at]),
                q=float(self.q[at]),
                t2_of_limit=float(self.t2_of_limit[at]),
                q_of_limit=float(self.q[at]) / q_limit if q_limit else math.nan,
                dmodx=float(self.dmodx[at]),
                correlation=float(self.correlation[at]),
                verdict=self.verdicts[at],
                reason=self.reasons[at],
            )
            for at, name in enumerate(self.names)
        )

    @property
    def outlying(self) -> tuple[SpectrumRow, ...]:
        """The outliers, the one furthest beyond its limit first."""
        return tuple(
            sorted(
                (row for row in self.rows if row.verdict is Verdict.OUTLIER),
                key=lambda row: (-max(row.t2_of_limit, row.q_of_limit), row.name),
            )
        )

    @property
    def outliers(self) -> tuple[str, ...]:
        """Names of the outliers, the one furthest beyond its limit first."""
        return tuple(row.name for row in self.outlying)

    @property
    def n_clusters(self) -> int:
        """How many groups the spectra fall into by themselves; 0 where none were sought."""
        return int(self.clusters.max(initial=0))

    def _repr_html_(self) -> str:
        """The scores, and the spectra that stand out with the reason, as a notebook shows them."""
        from batchlab.spectra._notebook import page_of, points_svg, table_of

        odd = [row for row in self.rows if row.verdict in (Verdict.OUTLIER, Verdict.WATCH)]
        odd.sort(key=lambda row: (row.verdict is not Verdict.OUTLIER, -max(row.t2_of_limit, row.q_of_limit), row.name))
        shown = [
            (row.name, row.verdict.value, row.t2_of_limit, row.q_of_limit, row.reason) for row in odd[:_MOST_SHOWN]
        ]
        second = self.scores[:, min(1, self.scores.shape[1] - 1)]
        marked = [verdict is Verdict.OUTLIER for verdict in self.verdicts]
        more = (f"and {len(odd) - _MOST_SHOWN} more that stand out",) if len(odd) > _MOST_SHOWN else ()
        return page_of(
            repr(self),
            points_svg(self.scores[:, 0], second, self.names, marked),
            table_of(shown, ("name", "verdict", "T2 / limit", "Q / limit", "reason")) if shown else "",
            notes=(*more, *self.warnings),
        )

    def __repr__(self) -> str:
        found = f"{len(self.outliers)} outliers" if self.limits else "not judged"
        return f"<Analysis of {len(self.names)} spectra: {self.loadings.shape[0]} components, {found}>"
