"""Of a demo: what is true beside what was found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batchlab.engine import BatchView, Scalar, Status
from batchlab.reports import Panel, Table
from batchlab.spectra._panel._findings import (
    AREA_TOLERANCE,
    PLACE_TOLERANCE,
    SHIFT_TOLERANCE,
    Found,
    findings,
    missed,
    truths_of,
)
from batchlab.spectra._panel._jobs import output_of

if TYPE_CHECKING:
    from batchlab.spectra._synthetic_batch import Made

__all__ = ["demo_panel", "truths_of"]


def demo_panel(view: BatchView, truths: dict[str, Made]) -> Panel:
    """What is true of each sample of a demo, and what was found."""
    found = findings(view, truths)
    compared = [(truths[job], each) for job, each in found.items()]
    right = sum(not missed(made, each) for made, each in compared)
    return Panel(
        title="Spectra: what is true, and what was found",
        text=(
            f"{right} of {len(truths)} samples are as they were made. All are one polymer, more or less of it, in the "
            "files of several instruments: with fluorescence, noise and cosmic rays, some with an axis that is off. A "
            "few have a foreign band, one is another substance, one file is cut off on purpose. What is true was known "
            "before the files were written, and no number of it is read from them. Right is an area ratio within "
            f"{AREA_TOLERANCE:.0%}, a shift within {SHIFT_TOLERANCE:g} cm⁻¹, a band within {PLACE_TOLERANCE:g} cm⁻¹."
        ),
        tables=(
            Table(
                title="How the files are written",
                columns=("sample", "as it is", "as it was recognised"),
                rows=tuple((_stem(made), _written(made), each.layout) for made, each in compared),
            ),
            Table(
                title="What is in them, and beside it what was found",
                columns=(
                    "sample", "what it is", "scale", "area ratio", "as measured", "found", "shift", "found",
                    "foreign band", "found at", "conforms", "in the batch", "missed",
                ),
                units=(None, None, None, None, None, None, "cm⁻¹", "cm⁻¹", "cm⁻¹", "cm⁻¹", None, None, None),
                rows=tuple(_row(made, each) for made, each in compared),
            ),
        ),
        pictures=_one_of_each(compared),
    )  # fmt: skip


def _one_of_each(compared: Sequence[tuple[Made, Found]]) -> tuple[str, ...]:
    """The pictures of the first sample of each kind."""
    first: dict[str, str] = {}
    for made, found in compared:
        picture = output_of(found.job, "figure")
        if picture is not None:
            first.setdefault(made.kind.value, picture)
    return tuple(first.values())


def _row(made: Made, found: Found) -> tuple[Scalar, ...]:
    compared = found.job.state is Status.DONE
    true = (made.scale, made.area_ratio, made.area_ratio_as_measured)
    return (
        _stem(made),
        made.kind.value,
        *(true if made.area_ratio is not None else (None, None, None)),
        _rounded(found.area_ratio, 4),
        made.shift if compared else None,
        _rounded(found.shift, 2),
        made.foreign_band,
        _rounded(found.outside_at, 1),
        found.conforms,
        found.verdict if compared else f"{found.job.state}: {found.job.reason or found.job.category or 'not run'}",
        "; ".join(missed(made, found)) or None,
    )


def _stem(made: Made) -> str:
    return made.file.partition(".")[0]


def _written(made: Made) -> str:
    from batchlab.spectra._synthetic_batch import Kind
    from batchlab.spectra._synthetic_files import FILES

    words = FILES[made.program].words
    return f"{words}; cut off" if made.kind is Kind.CUT_OFF else words


def _rounded(value: float, places: int) -> float | None:
    # Plus zero, for there is no minus zero in a table.
    return None if math.isnan(value) else round(value, places) + 0.0
