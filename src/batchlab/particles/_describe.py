"""What a file of particles holds, told without reading its intensities."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from batchlab.particles._cdf import Cdf
from batchlab.particles._fast import WORDS, fast_name, fast_times, is_fast
from batchlab.particles._generic import candidates
from batchlab.particles._istp import Layout, label_of, tidy_unit, times_of
from batchlab.particles._model import EmptyFile, Quantity

__all__ = ["FileDescription", "FileKind", "VariableDescription", "describe"]


class FileKind(StrEnum):
    """What can be made of a file."""

    FAST = "fast"
    SPECTROGRAMS = "spectrograms"
    ORBIT = "orbit"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableDescription:
    """A variable that a spectrogram can be made of.

    Attributes
    ----------
    name
        To be given as ``variable``.
    quantity, unit
        What it holds, in words.
    records, energies, directions
        How many there are; 0 directions where the file tells no pitch angles.
    """

    name: str
    quantity: str
    unit: str
    records: int
    energies: int
    directions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDescription:
    """What a file holds.

    Attributes
    ----------
    path, kind, title
        The file; what can be made of it; what it says of itself.
    start_s, end_s
        Seconds since 1970, UTC without leap seconds; None where no record has a time.
    records
        Of the first variable, or of the file's times.
    invalid, low_quality
        Records that the file marks as bad, and as of low quality.
    variables
        The first is the one that is read unless another is named.
    """

    path: Path
    kind: FileKind
    title: str
    start_s: float | None
    end_s: float | None
    records: int
    invalid: int = 0
    low_quality: int = 0
    variables: tuple[VariableDescription, ...] = ()

    def _repr_html_(self) -> str:
        """What the file holds, as a notebook shows it."""
        from batchlab.particles._notebook import page_of, table_of, told_span

        span = told_span(self.start_s, self.end_s) if self.start_s is not None and self.end_s is not None else None
        facts = (
            ("title", self.title),
            ("kind", self.kind.value),
            ("time", span),
            ("records", self.records),
            ("bad records", self.invalid or None),
            ("records of low quality", self.low_quality or None),
        )
        variables = table_of(
            ((each.name, each.quantity, each.unit, each.records, each.energies, each.directions or None)
             for each in self.variables),
            ("variable", "quantity", "unit", "records", "energies", "directions"),
        )  # fmt: skip
        told = table_of((name, value) for name, value in facts if value is not None)
        return page_of(self.path.name, told, variables if self.variables else "")


def describe(path: Path | str) -> FileDescription:
    """Tell what a CDF holds.

    Raises
    ------
    InvalidCdf
        If the file is no CDF, or a damaged one.
    """
    with Cdf(path) as cdf:
        title = cdf.text("Logical_source_description") or cdf.text("Title") or cdf.text("TITLE") or cdf.path.stem
        if is_fast(cdf):
            return _fast(cdf, title)
        layouts = candidates(cdf)
        if layouts:
            times = times_of(layouts[0])
            kind = FileKind.SPECTROGRAMS
        else:
            names = {name.lower() for name in cdf.variables}
            kind = FileKind.ORBIT if names & {"ilat", "mlt", "flat"} else FileKind.OTHER
            epochs = [variable for variable in cdf.variables.values() if variable.is_time and variable.records > 0]
            at = epochs[0].times_s() if epochs else np.empty(0)
            times = np.stack([at, at], axis=1)
        start, end = _span(times)
        return FileDescription(
            path=cdf.path,
            kind=kind,
            title=title,
            start_s=start,
            end_s=end,
            records=len(times),
            variables=tuple(map(_variable, layouts)),
        )


def _fast(cdf: Cdf, title: str) -> FileDescription:
    flux = cdf["eflux"]
    try:
        times = fast_times(cdf)
    except EmptyFile:
        times = np.empty((0, 2))
    start, end = _span(times)
    valid, flags = cdf.get("valid"), cdf.get("data_quality")
    quantity, unit = WORDS[Quantity.ENERGY_FLUX]
    sizes = (*flux.shape[1:], 0, 0)
    return FileDescription(
        path=cdf.path,
        kind=FileKind.FAST,
        title=f"{fast_name(cdf)}: {title}",
        start_s=start,
        end_s=end,
        records=len(times),
        invalid=0 if valid is None else int(np.count_nonzero(valid.values() != 1)),
        low_quality=0 if flags is None else int(np.count_nonzero(flags.values())),
        variables=(
            VariableDescription(
                name="eflux",
                quantity=quantity,
                unit=unit,
                records=flux.records,
                energies=sizes[1],
                directions=sizes[0],
            ),
        ),
    )


def _variable(layout: Layout) -> VariableDescription:
    sizes = layout.variable.shape[1:]
    return VariableDescription(
        name=layout.variable.name,
        quantity=label_of(layout.variable),
        unit=tidy_unit(layout.variable.text("UNITS")),
        records=layout.variable.records,
        energies=sizes[layout.energy_axis],
        directions=0 if layout.pitch_axis is None else sizes[layout.pitch_axis],
    )


def _span(times: np.ndarray) -> tuple[float | None, float | None]:
    known = times[np.isfinite(times).all(axis=1)]
    return (float(known[:, 0].min()), float(known[:, 1].max())) if len(known) else (None, None)
