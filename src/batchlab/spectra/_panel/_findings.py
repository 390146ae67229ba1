"""Of a demo: what the batch found of each sample, held against what is true of it."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.engine import BatchView, JobView, Status
from batchlab.spectra._panel._jobs import ANALYTICS, COMPARE, done, input_of, jobs_of, number_of, output_of
from batchlab.spectra._panel._numbers import pretty_unit

if TYPE_CHECKING:
    from batchlab.spectra._inspect import Inspection
    from batchlab.spectra._synthetic_batch import Made

__all__ = [
    "AREA_TOLERANCE",
    "PLACE_TOLERANCE",
    "SHIFT_TOLERANCE",
    "Found",
    "findings",
    "missed",
    "state_of",
    "truths_of",
]

AREA_TOLERANCE = 0.06  # of the ratio: a baseline takes the feet of broad bands with it, more of them where it is noisy
SHIFT_TOLERANCE = 0.2  # cm-1
PLACE_TOLERANCE = 5.0  # cm-1, of a band
_POSITION = re.compile(r"most at (?P<at>-?[\d.]+)")
_OUTLIER = "outlier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of one sample.

    Attributes
    ----------
    job
        The job that compared it.
    inspection
        What is known of its file; None where it is gone.
    area_ratio, shift
        By the comparison, after the recipe; NaN where it was not compared.
    conforms
        Its verdict; None where there is none.
    outside_at
        Where it is farthest outside of the band of tolerance, if it does not conform; else NaN.
    verdict, reason
        By the analysis of the whole batch; empty where it was not analysed.
    """

    job: JobView
    inspection: Inspection | None
    area_ratio: float
    shift: float
    conforms: bool | None
    outside_at: float
    verdict: str
    reason: str

    @property
    def layout(self) -> str:
        """How its file was recognised, in words."""
        seen = self.inspection
        if seen is None:
            return "the file is gone"
        if seen.refused is not None or seen.main is None:
            return f"refused: {seen.reason}"
        plan = None if seen.recognition is None else seen.recognition.plan
        how = seen.layout if plan is None else f"{seen.layout} by {plan.delimiter}, decimal {plan.decimal}"
        first, last = seen.main.axis[0], seen.main.axis[-1]
        return (
            f"{how}; {len(seen.main)} points, {first:g} to {last:g} {pretty_unit(seen.main.axis_unit) or ''}".rstrip()
        )

    @property
    def reason_at(self) -> float:
        """The place that the analysis names; NaN for none."""
        named = _POSITION.search(self.reason)
        return float(named["at"]) if named is not None else math.nan


def truths_of(view: BatchView) -> dict[str, Made] | None:
    """What is true of each job's sample, by the job's name; None where no such table is beside the reference."""
    jobs = jobs_of(view, COMPARE)
    reference = input_of(view, jobs[0], "reference") if jobs else None
    table = reference.parent / "truth.csv" if reference is not None else None
    if table is None or not table.is_file():
        return None
    from batchlab.spectra._synthetic_batch import read_truth

    by_file = read_truth(table)
    if by_file is None:
        return None
    named = {job.name: sample.name for job in jobs if (sample := input_of(view, job, "sample")) is not None}
    # Samples that no job compares are kept under the name that the job would have.
    known = {file: job for job, file in named.items()}
    found = {known.get(file, f"compare/{file.partition('.')[0]}"): made for file, made in by_file.items()}
    return found if by_file.keys() & known.keys() else None


def findings(view: BatchView, truths: Mapping[str, Made]) -> dict[str, Found]:
    """What was found of each sample of a demo, by the name of the job that compared it."""
    from batchlab.spectra._inspect import inspect

    analysed = _analysed(view)
    found = {}
    for job in jobs_of(view, COMPARE):
        if job.name not in truths:
            continue
        sample = input_of(view, job, "sample")
        row = analysed.get(truths[job.name].file.partition(".")[0], {})
        conforms = job.metrics.get("conforms")
        found[job.name] = Found(
            job=job,
            inspection=inspect(sample) if sample is not None and sample.is_file() else None,
            area_ratio=number_of(job, "area_ratio"),
            shift=number_of(job, "axis_shift"),
            conforms=conforms if isinstance(conforms, bool) else None,
            outside_at=number_of(job, "largest_excess_at") if conforms is False else math.nan,
            verdict=row.get("verdict", ""),
            reason=row.get("reason", ""),
        )
    return found


def missed(made: Made, found: Found) -> tuple[str, ...]:
    """What is not as it should be of one sample; nothing if all is."""
    from batchlab.spectra._synthetic_batch import Kind

    job = found.job
    if made.kind is Kind.CUT_OFF:
        refused = (job.state, job.reason) == (Status.FAILED, "truncated")
        return () if refused else (f"should have been refused as cut off, and is {state_of(job)}",)
    if job.state is not Status.DONE:
        return (f"should be done, and is {state_of(job)}",)
    return (*_layout_missed(made, found), *_numbers_missed(made, found), *_verdicts_missed(made, found))


def state_of(job: JobView) -> str:
    """Its state, with the reason where there is one."""
    why = job.reason or job.category
    return f"{job.state} ({why})" if why else str(job.state)


def _layout_missed(made: Made, found: Found) -> Iterable[str]:
    from batchlab.spectra._synthetic_files import FILES

    kind, seen = FILES[made.program], found.inspection
    if seen is None or seen.main is None or seen.recognition is None:
        yield f"its layout is not recognised: {found.layout}"
        return
    plan = seen.recognition.plan
    written = (kind.layout, kind.delimiter, kind.decimal, kind.points, "nm" if kind.in_nm else "cm-1")
    read = (
        seen.layout, plan.delimiter if plan else "", plan.decimal if plan else "", len(seen.main), seen.main.axis_unit,
    )  # fmt: skip
    ends = float(seen.main.axis[0]), float(seen.main.axis[-1])
    if read != written or not all(
        math.isclose(a, b, abs_tol=0.01) for a, b in zip(ends, (kind.first, kind.last), strict=True)
    ):
        yield f"its layout is {kind.words}, and was read as {found.layout}"


def _numbers_missed(made: Made, found: Found) -> Iterable[str]:
    from batchlab.spectra._synthetic_batch import Kind

    # Against bands that it has not, another substance has no shift, and its baseline is another one.
    if made.kind is Kind.OTHER or made.area_ratio is None:
        return
    if not abs(found.area_ratio / made.area_ratio - 1) <= AREA_TOLERANCE:
        yield f"area ratio {found.area_ratio:.4g}, {made.area_ratio:.4g} is true"
    if not abs(found.shift - made.shift) <= SHIFT_TOLERANCE:
        yield f"shift {found.shift:.3g} cm-1, {made.shift:.3g} is true"


def _verdicts_missed(made: Made, found: Found) -> Iterable[str]:
    from batchlab.spectra._synthetic_batch import Kind

    good = made.kind is Kind.GOOD
    if found.conforms is not good:
        yield f"should {'' if good else 'not '}conform"
    if (found.verdict == _OUTLIER) is good or not found.verdict:
        yield f"the analysis calls it {found.verdict or 'nothing'}, and it is {made.kind.value}"
    if made.foreign_band is not None:
        places = (("comparison", found.outside_at), ("analysis", found.reason_at))
        for who, at in places:
            if not abs(at - made.foreign_band) <= PLACE_TOLERANCE:
                yield f"its foreign band is at {made.foreign_band:g} cm-1, and the {who} says {at:g}"


def _analysed(view: BatchView) -> dict[str, dict[str, str]]:
    """The rows of the analysis, by the spectrum's name; none where its table is gone."""
    for job in done(jobs_of(view, ANALYTICS)):
        path = output_of(job, "table")
        if path is None:
            continue
        try:
            with (Path(view.root) / path).open(encoding="utf-8", newline="") as file:
                return {row["name"]: row for row in csv.DictReader(line for line in file if not line.startswith("# "))}
        except (OSError, KeyError, csv.Error):  # moved or edited since
            continue
    return {}
