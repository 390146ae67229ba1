"""What the samples of a batch are held against: one reference, the best of several, their mean, or the nearest."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, FiniteFloat, ValidationInfo, field_validator, model_validator

from batchlab.engine import JobContext, Scalar
from batchlab.errors import Category, DataError, JobError
from batchlab.spectra._kinds import References
from batchlab.spectra._measures import DEFAULT_METRICS, Difference, ShiftHandling, known_metrics, ordering_metric
from batchlab.spectra.tasks._params import Limits, Preparation
from batchlab.spectra.tasks._reading import tell

if TYPE_CHECKING:
    from batchlab.spectra._comparison import Comparison
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._references import Group, Ranking

__all__ = ["Against", "Judged", "Judging", "group_in_memory", "span_of"]

_MEMORY_KEY = "batchlab.spectra.groups"
_SPANS_KEY = "batchlab.spectra.spans"
_KEPT = 8
_BEST_BY = "hqi"


class Judging(Preparation):
    """How files are read, how they are prepared, and how a sample is held against its reference."""

    references: References = Field(References.ONE, description="which of several references a sample is compared with")
    best_by: str = Field(_BEST_BY, description="for references: best, the metric that orders them")
    nearest_by: dict[str, FiniteFloat | None] = Field(
        default_factory=dict,
        description="for references: nearest, metadata key to the difference that counts as one; null for a key that "
        "has to be equal",
    )
    metrics: tuple[str, ...] = Field(DEFAULT_METRICS, description="what is computed; [all] for everything")
    regions: dict[str, Limits] = Field(
        default_factory=dict, description="name to [low, high], judged besides the whole"
    )
    masks: tuple[Limits, ...] = Field((), description="[low, high] that no number is to know of; still shown")
    difference: Difference = Field(Difference.DIFFERENCE, description="what the curve below is")
    factor: FiniteFloat | str = Field(
        "values", description="of a scaled difference: a number, values, derivative, or a region's name"
    )
    shift: ShiftHandling = Field(ShiftHandling.IGNORE, description="what is done about a shift of the sample's axis")

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        known_metrics(metrics)
        return metrics

    # Of a field, unlike of the whole, it is told beside what else is wrong.
    @field_validator("factor")
    @classmethod
    def _has_an_effect(cls, factor: float | str, info: ValidationInfo) -> float | str:
        known = info.data
        if factor != "values" and known.get("difference", Difference.SCALED) is not Difference.SCALED:
            raise ValueError(f"{factor!r} is for difference: scaled difference; say so, or leave it out")
        ways = ("values", "derivative", *known.get("regions", ()))
        if isinstance(factor, str) and factor not in ways and "regions" in known:
            near = get_close_matches(factor, ways, 1)
            told = f", did you mean {near[0]!r}?" if near else "."
            raise ValueError(
                f"{factor!r} is no number and no region{told} Write a number, values, derivative, or the name of one "
                "of the regions"
            )
        return factor

    @model_validator(mode="after")
    def _sensible(self) -> Judging:
        wrong = []
        if self.references is References.NEAREST and not self.nearest_by:
            wrong.append("references: nearest needs nearest_by, such as {laser_power_mW: 10}")
        if self.references is not References.NEAREST and self.nearest_by:
            wrong.append("nearest_by is for references: nearest; say so, or leave it out")
        if self.references is not References.BEST and self.best_by != _BEST_BY:
            wrong.append("best_by is for references: best; say so, or leave it out")
        try:
            ordering_metric(self.best_by, self.regions)
        except ValueError as error:
            wrong.append(f"best_by: {error}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def judging(self) -> dict[str, Any]:
        """Options of `compare` besides the two spectra."""
        return {
            "normalization": self.normalization,
            "recipe": self.recipe,
            "metrics": self.metrics,
            "regions": self.regions,
            "masks": self.masks,
            "difference": self.difference,
            "factor": self.factor,
            "shift": self.shift,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A comparison, and how its reference was chosen.

    Attributes
    ----------
    among
        The references that it could be chosen from, or averaged of.
    warnings
        Of that choice, and so of this sample.
    """

    comparison: Comparison
    reference: Spectrum
    metrics: Mapping[str, Scalar]
    among: tuple[Spectrum, ...]
    warnings: tuple[str, ...] = ()
    ranking: Ranking | None = None


class Against:
    """The references of a job, read once; each sample is compared with what the params make of them.

    Parameters
    ----------
    ctx
        Its input ``reference`` is one file or several.
    params
        How.
    read
        How a reference is read.
    """

    def __init__(self, ctx: JobContext, params: Judging, read: Callable[[Path], Spectrum]) -> None:
        self._ctx, self._params = ctx, params
        files = ctx.inputs("reference")
        if len(files) > 1 and params.references is References.ONE:
            raise JobError(
                f"{len(files)} references, and no word which is meant; write references: best, mean or nearest",
                category=Category.INVALID_INPUT,
                reason="several-references",
            )
        self.spectra = tuple(read(file) for file in files)
        self._files = files
        self.group = self._group(self.spectra) if params.references is References.MEAN else None

    @property
    def first(self) -> Spectrum:
        """The reference, the mean, or the first of several: what the axes of pictures go by."""
        return self.group.mean if self.group is not None else self.spectra[0]

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest point of the reference as compared: the x axis of all pictures of a batch."""
        from batchlab.spectra._similarity import compare

        memory: dict[Any, Any] = self._ctx.cache.setdefault(_SPANS_KEY, {})
        key = (id(self.first), self._params.recipe.model_dump_json())
        if key not in memory:
            itself = compare(self.first, self.first, recipe=self._params.recipe, metrics=())
            memory[key] = self.first, span_of(itself)  # kept, so that no other object can have its id
            while len(memory) > _KEPT:
                del memory[next(iter(memory))]
        low, high = memory[key][1]
        return low, high

    def compare(self, sample: Spectrum, file: Path) -> Judged:
        """Hold a sample against its reference; of several, against the others where it is one of them itself.

        Parameters
        ----------
        sample
            As read.
        file
            From which it was read.

        Raises
        ------
        DataError
            Those of `compare`, `rank_references` and `nearest_reference`; ``no-reference`` where the only one is the
            sample itself.
        """
        others = tuple(
            each for at, each in zip(self._files, self.spectra, strict=True) if not _same(at, each, file, sample)
        )
        if len(others) == len(self.spectra):
            return self._compare(sample, self.spectra, self.group)
        if len(self.spectra) == 1:
            judged = self._compare(sample, self.spectra, self.group)
            return replace(judged, warnings=(*judged.warnings, "the sample is the reference itself"))
        if not others:
            raise DataError(f"all references are the sample {sample.name!r} itself; give others", reason="no-reference")
        group = self._group(others) if self.group is not None else None
        judged = self._compare(sample, others, group)
        told = f"the sample is one of the {len(self.spectra)} references, and is compared with the others alone"
        return replace(judged, warnings=(*judged.warnings, told))

    def _compare(self, sample: Spectrum, references: tuple[Spectrum, ...], group: Group | None) -> Judged:
        from batchlab.spectra._references import nearest_reference, rank_references
        from batchlab.spectra._similarity import compare

        params, options = self._params, self._params.judging
        if params.references is References.BEST:
            ranking = rank_references(references, sample, by=params.best_by, memory=self._ctx.cache, **options)
            named = {spectrum.name: spectrum for spectrum in references}
            told: dict[str, Scalar] = {
                "reference": ranking.best.reference_name,
                "next_reference": ranking.hits[1].reference_name if len(ranking.hits) > 1 else None,
                "gap": ranking.gap if len(ranking.hits) > 1 else None,
            }
            warnings = tuple(f"the reference {name} is left out: {reason}" for name, reason in ranking.left_out)
            chosen = named[ranking.best.reference_name]
            return Judged(
                comparison=ranking.best,
                reference=chosen,
                metrics=told,
                among=references,
                warnings=warnings,
                ranking=ranking,
            )
        if params.references is References.NEAREST:
            near = nearest_reference(sample, references, params.nearest_by)
            comparison = compare(near.reference, sample, memory=self._ctx.cache, **options)
            told = {"reference": near.reference.name, "reference_distance": near.distance}
            return Judged(
                comparison=comparison,
                reference=near.reference,
                metrics=told,
                among=references,
                warnings=(near.words,) if near.ties else (),
            )
        first = references[0] if group is None else group.mean
        comparison = compare(first, sample, memory=self._ctx.cache, **options)
        return Judged(comparison=comparison, reference=first, metrics={}, among=references)

    def tell(self) -> None:
        """Tell what is odd about the references, whatever the sample: of their files, and of their mean."""
        for spectrum in self.spectra:
            tell(self._ctx, spectrum)
        if len(self.spectra) == 1 and self._params.references is not References.ONE:
            self._ctx.warn(
                f"references: {self._params.references} has no effect: there is one reference alone, "
                f"{self._files[0].name}; give a folder, a pattern or several files"
            )
        for text in self.group.warnings if self.group is not None else ():
            self._ctx.warn(text)

    def _group(self, references: tuple[Spectrum, ...]) -> Group:
        return group_in_memory(self._ctx, references, None, f"mean of {len(references)} references")


def _same(file: Path, reference: Spectrum, of_sample: Path, sample: Spectrum) -> bool:
    """Whether a reference and a sample are one spectrum of one file."""
    import numpy as np

    if os.path.realpath(file) != os.path.realpath(of_sample):
        return False
    return np.array_equal(reference.axis, sample.axis) and np.array_equal(reference.intensity, sample.intensity)


def span_of(comparison: Comparison) -> tuple[float, float]:
    """Lowest and highest position that a comparison shows."""
    axes = [comparison.axis, *(axis for axis, _ in (*comparison.reference_alone, *comparison.sample_alone))]
    return min(float(axis.min()) for axis in axes), max(float(axis.max()) for axis in axes)


def group_in_memory(ctx: JobContext, spectra: tuple[Spectrum, ...], params: Judging | None, name: str) -> Group:
    """The group of some spectra, averaged once a worker.

    Parameters
    ----------
    ctx
        Its cache keeps the last few.
    spectra
        As kept by the same cache: they are told apart by being the same objects.
    params
        Its recipe and normalisation are applied to each member; None averages them as they are.
    name
        Of the mean.
    """
    from batchlab.spectra._references import group_of

    memory: dict[Any, tuple[tuple[Spectrum, ...], Group]] = ctx.cache.setdefault(_MEMORY_KEY, {})
    recipe = None if params is None else params.recipe.normalized(params.normalization)
    # The members are kept beside their group, so that no other object can have their ids.
    key = (tuple(map(id, spectra)), name, "" if recipe is None else recipe.model_dump_json())
    if key not in memory:
        memory[key] = (spectra, group_of(spectra, name=name, recipe=recipe))
        while len(memory) > _KEPT:
            del memory[next(iter(memory))]
    return memory[key][1]
