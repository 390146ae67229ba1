"""What the numbers of comparisons are: formula, range, and what was done to the signals before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from batchlab.engine import JobView
from batchlab.reports import Table
from batchlab.spectra._kinds import Normalization
from batchlab.spectra._measures import MEASURES, split_region

__all__ = ["legend", "pretty_unit", "treatment"]

_PRETTY = {"cm-1": "cm⁻¹", "um": "µm"}


def legend(names: Iterable[str]) -> Table:
    """A row for each number that is shown: its formula, what it may be, where it is from."""
    metrics = dict.fromkeys(split_region(name)[0] for name in names)
    return Table(
        title="What the numbers are, of a reference a and a sample b with means ma and mb and n points",
        columns=("number", "formula", "range", "source"),
        rows=tuple(
            (name, MEASURES[name].formula, MEASURES[name].range, MEASURES[name].source or None)
            for name in metrics
            if name in MEASURES
        ),
    )


def treatment(jobs: Sequence[JobView]) -> str:
    """A sentence about what was done to both signals before they were judged, and what was left out."""
    told = {_treatment(job) for job in jobs}
    if len(told) > 1:
        return "They were prepared in different ways: see the params of each."
    return told.pop() if told else ""


def pretty_unit(unit: str | None) -> str | None:
    """A unit as people write it."""
    return _PRETTY.get(unit or "", unit)


def _treatment(job: JobView) -> str:
    from batchlab.spectra.tasks import CompareParams

    try:
        params = CompareParams.model_validate(dict(job.params))
    except ValidationError:  # of another version's ledger
        return ""
    steps = [f"to_axis({params.to_axis.value})"] if params.to_axis is not None else []
    steps += [f"to_quantity({params.to_quantity.value})"] if params.to_quantity is not None else []
    steps += map(str, params.recipe.steps)
    steps += [params.normalization.value] if params.normalization is not Normalization.NONE else []
    text = f"Both were prepared alike: {', '.join(steps)}." if steps else "The signals are compared as measured."
    if params.masks:
        text += f" No number knows of {', '.join(f'{low:g} to {high:g}' for low, high in params.masks)}."
    return text
