"""Whether a compared sample conforms: to limits of numbers, and to a band of tolerance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat

from batchlab.engine import JobContext
from batchlab.errors import Category, JobError
from batchlab.spectra._rules import parse_rule
from batchlab.spectra.tasks._against import Against, Judged, Judging, group_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchlab.spectra._conformity import Band
    from batchlab.spectra._model import Spectrum

__all__ = ["Tolerance", "band_of", "conforming"]


_K, _LEAST = 3.0, 0.0


def _rule(text: str) -> str:
    parse_rule(text)
    return text


Rule = Annotated[str, AfterValidator(_rule)]


class Tolerance(BaseModel):
    """How wide a band of tolerance is, and what a sample has to keep to pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = Field(
        default=(),
        description="such as pearson_r >= 0.99 or outside_percent <= 1; where there is a band and none is about it, "
        "no point is to be outside",
    )
    within: FiniteFloat | None = Field(
        default=None, gt=0, description="a band so far either way from the reference, in the compared signals' unit"
    )
    k: FiniteFloat = Field(default=_K, gt=0, description="standard deviations either way from the mean of replicates")
    least: FiniteFloat = Field(
        default=_LEAST, ge=0, description="least half-width of such a band, where replicates agree"
    )

    @property
    def asks_for_a_spread(self) -> bool:
        """Whether the spread of averaged references is to be a band: not where rules judge other numbers alone."""
        rules = [parse_rule(rule) for rule in self.rules]
        stated = (self.k, self.least) != (_K, _LEAST) or any(rule.of_band for rule in rules)
        return self.within is None and (stated or not rules)


def band_of(
    ctx: JobContext,
    params: Judging,
    tolerance: Tolerance,
    against: Against,
    judged: Judged,
    read: Callable[[Path], Spectrum],
) -> Band | None:
    """The band that a sample is held against: of a file, of replicates, of the references' own spread, of a number.

    Raises
    ------
    DataError
        Those of `read_band`, `group_of` and `band_of_replicates`.
    """
    from batchlab.cache import worker_cache
    from batchlab.spectra._conformity import band_about
    from batchlab.spectra._read import read_band

    if ctx.given("band"):
        band: Band = worker_cache(ctx.cache).load(ctx.input("band"), read_band)
        return band
    members = tuple(read(file) for file in ctx.inputs("replicates")) if ctx.given("replicates") else ()
    if not members and against.group is not None and tolerance.asks_for_a_spread:
        members = judged.among
    if members:
        group = group_in_memory(ctx, members, params, f"mean of {len(members)}")
        return group.band(tolerance.k, tolerance.least)
    if tolerance.within is None:
        return None
    return band_about(judged.comparison.axis, judged.comparison.reference, tolerance.within)


def conforming(
    ctx: JobContext,
    params: Judging,
    tolerance: Tolerance | None,
    against: Against,
    judged: Judged,
    read: Callable[[Path], Spectrum],
) -> tuple[dict[str, float | int | str | bool], Band | None]:
    """The verdict on a comparison as metrics, and the band; nothing where nothing was asked.

    Raises
    ------
    JobError
        Reason ``no-band``: a rule is about a band, and there is none.
    """
    from batchlab.spectra._conformity import judge

    if tolerance is None and not (ctx.given("band") or ctx.given("replicates")):
        return {}, None
    tolerance = tolerance or Tolerance()
    band = band_of(ctx, params, tolerance, against, judged, read)
    of_band = next((rule for rule in map(parse_rule, tolerance.rules) if rule.of_band), None)
    if band is None and of_band is not None:
        raise JobError(
            f"the rule '{of_band}' is about a tolerance band, and there is none; give tolerance: within, or files as "
            "the input band or replicates",
            category=Category.INVALID_INPUT,
            reason="no-band",
        )
    found = judge(judged.comparison, tolerance.rules, band)
    for text in found.warnings:
        ctx.warn(text)
    return found.metrics, band
