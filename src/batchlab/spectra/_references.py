"""Which reference is a sample judged by: one of several, the mean of a group, the nearest by its metadata."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.spectra._comparison import Comparison
from batchlab.spectra._conformity import Band, band_of_replicates
from batchlab.spectra._kinds import Normalization
from batchlab.spectra._laser import laser_line_of
from batchlab.spectra._measures import BEST_LARGE, DEFAULT_METRICS, ordering_metric
from batchlab.spectra._model import Array, Spectrum, read_only
from batchlab.spectra._normalization import normalize
from batchlab.spectra._recipe import Recipe, prepare
from batchlab.spectra._similarity import compare

__all__ = ["Group", "Nearest", "Ranking", "group_of", "nearest_reference", "rank_references"]

_NUMBER = re.compile(r"\s*([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """A sample beside each of several references.

    Attributes
    ----------
    by
        The number that orders them.
    hits
        A comparison with each reference, the best first; equals by name.
    gap
        How much better the best is than the next; NaN for one alone. A small gap says as much as a good number.
    left_out
        References that could not be compared: name and reason.
    """

    by: str
    hits: tuple[Comparison, ...]
    gap: float
    left_out: tuple[tuple[str, str], ...]

    @property
    def best(self) -> Comparison:
        """The comparison with the best reference."""
        return self.hits[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Several spectra on one axis.

    Attributes
    ----------
    mean
        A spectrum to compare with; with the axis, the units and the quantity of the prepared members.
    sd : (n,) array
        Their standard deviation, with m - 1 in its denominator; NaN for a single one.
    members : (m, n) array
        The members' signals, prepared.
    names
        What they are called.
    warnings
        What is worth a look.
    """

    mean: Spectrum
    sd: Array
    members: Array
    names: tuple[str, ...]
    warnings: tuple[str, ...]

    def band(self, k: float = 3.0, least: float = 0.0) -> Band:
        """Mean ± k standard deviations; see `band_of_replicates`."""
        return band_of_replicates(self.mean.axis, self.members, k=k, least=least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The reference that is nearest by metadata.

    Attributes
    ----------
    reference
        It; of several as near, the first by name.
    distance
        Sum over the numeric keys of difference / scale.
    ties
        Names of others that are as near.
    words
        Why it was chosen.
    """

    reference: Spectrum
    distance: float
    ties: tuple[str, ...]
    words: str


def rank_references(references: Iterable[Spectrum], sample: Spectrum, *, by: str = "hqi", **options: Any) -> Ranking:
    """Compare a sample with each of several references, the best first.

    Parameters
    ----------
    references
        In any order.
    sample
        The spectrum.
    by
        A metric, of a region if it names one: ``hqi``, ``rmse``, ``pearson_r[C-H]``.
    options
        Of `compare`.

    Raises
    ------
    ConfigError
        If `by` tells no better from worse.
    DataError
        Reason ``no-reference``: no reference can be compared.
    """
    try:
        metric = ordering_metric(by, options.get("regions", {}))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    options["metrics"] = {*options.get("metrics", DEFAULT_METRICS), metric}
    sign = -1.0 if metric in BEST_LARGE else 1.0
    hits: list[tuple[float, str, Comparison]] = []
    left_out = []
    for reference in references:
        try:
            comparison = compare(reference, sample, **options)
        except DataError as error:
            left_out.append((reference.name, error.reason or str(error)))
            continue
        cost = sign * float(comparison.metrics[by])
        hits.append((math.inf if math.isnan(cost) else cost, reference.name, comparison))
    if not hits:
        tried = ", ".join(f"{name} ({reason})" for name, reason in left_out) or "none was given"
        raise DataError(f"no reference for {sample.name!r} can be compared with it: {tried}", reason="no-reference")
    hits.sort(key=lambda hit: hit[:2])
    gap = hits[1][0] - hits[0][0] if len(hits) > 1 else math.nan
    return Ranking(by=by, hits=tuple(hit[2] for hit in hits), gap=gap, left_out=tuple(left_out))


def group_of(
    spectra: Sequence[Spectrum],
    *,
    name: str = "mean",
    recipe: Recipe | None = None,
    normalization: Normalization | str = Normalization.NONE,
) -> Group:
    """Bring spectra to one axis, and average them.

    Parameters
    ----------
    spectra
        One or more; the axis is that of the first by name, so their order does not matter, as far as all reach.
    name
        What to call the mean.
    recipe, normalization
        What is done to each before. Samples that are held against the group's mean and band need the same, and the
        mean needs it no more: where samples are compared with the mean by `compare` under a recipe, give none here.

    Raises
    ------
    DataError
        Reason ``no-reference``: none is given. ``no-overlap``: there are no points that all have. Those of `prepare`.
    """
    if not spectra:
        raise DataError("a mean of no spectra; give one or more", reason="no-reference")
    method = Normalization.named(normalization)
    members = sorted(spectra, key=lambda each: each.name)
    memory: dict[str, Any] = {}
    joined = [prepare(members[0], each, recipe, memory) for each in members]
    axis = joined[0].axis
    for both in joined[1:]:
        axis = axis[np.isin(axis, both.axis)]
    if axis.size < 3:
        raise DataError(
            f"{axis.size} points are common to all of {', '.join(each.name for each in members[:5])}"
            f"{' and more' if len(members) > 5 else ''}; group spectra of one range",
            reason="no-overlap",
        )
    rows = np.stack([normalize(axis, both.sample[np.isin(both.axis, axis)], method) for both in joined])
    one = joined[0]
    warnings = dict.fromkeys(text for both in joined for text in both.warnings)
    if len(rows) == 1:
        warnings[f"the group {name!r} has a single member, so it has no spread"] = None
    lasers = {laser_line_of(each.metadata) for each in members}
    line = lasers.pop() if len(lasers) == 1 else None
    mean = Spectrum(
        axis=axis,
        intensity=rows.mean(axis=0),
        axis_kind=one.axis_kind,
        axis_unit=one.axis_unit,
        quantity=one.quantity,
        unit=one.unit,
        name=name,
        metadata={} if line is None else {"laser_nm": repr(line)},
    )
    spread = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.full(axis.size, math.nan)
    return Group(
        mean=mean,
        sd=read_only(spread),
        members=read_only(rows),
        names=tuple(each.name for each in members),
        warnings=tuple(warnings),
    )


def nearest_reference(sample: Spectrum, references: Iterable[Spectrum], keys: Mapping[str, float | None]) -> Nearest:
    """Choose the reference whose metadata are nearest to the sample's.

    Parameters
    ----------
    sample
        Its metadata hold every key.
    references
        Those that lack a key, or differ in one that has to be equal, are no candidates.
    keys
        Metadata key to its scale: how much of a difference counts as one; None for a key that has to be equal (case
        and outer blanks apart). Of a value such as ``20,5 mW`` the number counts.

    Raises
    ------
    ConfigError
        No key, or a scale that is not positive.
    DataError
        Reason ``no-metadata``: the sample lacks a key, or a number in it. ``no-reference``: no candidate is left.
    """
    if not keys or any(scale is not None and not scale > 0 for scale in keys.values()):
        raise ConfigError(
            "name one metadata key or more, each with a scale above zero, or None where it has to be equal"
        )
    wanted = _facts(sample, keys)
    if isinstance(wanted, str):
        raise DataError(f"the sample {sample.name!r} {wanted}; so no reference can be near it", reason="no-metadata")
    near: list[tuple[float, str, Spectrum]] = []
    refused = []
    for reference in references:
        facts = _facts(reference, keys)
        if isinstance(facts, str):
            refused.append(f"{reference.name} {facts}")
            continue
        unequal = next((key for key, scale in keys.items() if scale is None and facts[key] != wanted[key]), None)
        if unequal is not None:
            refused.append(f"{reference.name} differs in {unequal!r}")
            continue
        distance = sum(
            abs(float(facts[key]) - float(wanted[key])) / scale for key, scale in keys.items() if scale is not None
        )
        near.append((distance, reference.name, reference))
    if not near:
        raise DataError(
            f"no reference is near the sample {sample.name!r} in {', '.join(keys)}: "
            f"{'; '.join(refused[:5]) or 'none was given'}",
            reason="no-reference",
        )
    near.sort(key=lambda each: each[:2])
    distance, _, chosen = near[0]
    ties = tuple(name for other, name, _ in near[1:] if math.isclose(other, distance, rel_tol=1e-9, abs_tol=1e-12))
    words = f"{chosen.name} is nearest in {', '.join(keys)}, at a distance of {distance:.4g}"
    if ties:
        words += f"; {', '.join(ties)} as near, the first by name was taken"
    return Nearest(reference=chosen, distance=distance, ties=ties, words=words)


def _facts(spectrum: Spectrum, keys: Mapping[str, float | None]) -> dict[str, float | str] | str:
    """The spectrum's value of each key, or what is missing."""
    facts: dict[str, float | str] = {}
    for key, scale in keys.items():
        if key not in spectrum.metadata:
            return f"has no {key!r} in its metadata"
        text = spectrum.metadata[key]
        if scale is None:
            facts[key] = text.strip().casefold()
            continue
        number = _NUMBER.match(text)
        if number is None:
            return f"has no number in its {key!r}, {text!r}"
        facts[key] = float(number[1].replace(",", "."))
    return facts
