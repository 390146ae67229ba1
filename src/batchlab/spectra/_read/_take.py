"""Take spectra from a table of columns: which rows, which columns, and what each is called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._joins import joins_of, overlap_words
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole, Technique
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._read._block import MIN_ROWS
from batchlab.spectra._read._columns import steps_back
from batchlab.spectra._read._layout import Layout
from batchlab.spectra._read._vocabulary import unit_of
from batchlab.spectra._words import agreed, counted

__all__ = ["LEFT_OUT", "Said", "axis_warnings", "in_our_spelling", "kept_rows", "take", "unique"]

LEFT_OUT = "left out"  # the key of the note in the metadata

_LEAST_KEPT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of a spectrum by its file, its plan or its reader's caller."""

    axis_kind: AxisKind = AxisKind.UNKNOWN
    axis_unit: str | None = None
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None
    role: SpectrumRole = SpectrumRole.SAMPLE
    technique: Technique = Technique.UNKNOWN


def take(layout: Layout, axis: int, column: int, said: Said, name: str, warnings: Iterable[str] = ()) -> Spectrum:
    """Take one spectrum from two columns of a table.

    Points whose axis or intensity is blank are left out, with a warning; those at the ends that the instrument gives
    no axis value with a note in the metadata.

    Raises
    ------
    DataError
        Reason ``unknown-layout`` where hardly a row has both.
    """
    kept, gaps, note = kept_rows(layout, axis, column)
    x = layout.values[kept, axis]
    metadata = dict(layout.metadata)
    metadata.setdefault("encoding", layout.encoding)
    if note:
        metadata.setdefault(LEFT_OUT, note)
    if layout.names:
        metadata.setdefault("column", layout.names[column])
    return Spectrum(
        axis=x,
        intensity=layout.values[kept, column],
        axis_kind=said.axis_kind,
        axis_unit=said.axis_unit,
        quantity=said.quantity,
        unit=said.unit,
        role=said.role,
        technique=said.technique,
        name=name,
        metadata=metadata,
        warnings=(*layout.warnings, *gaps, *axis_warnings(x, layout.lines[kept]), *warnings),
    )


def kept_rows(layout: Layout, at: int, signal: int) -> tuple[NDArray[np.intp], list[str], str]:
    """Rows that have both an axis value and an intensity, a warning that counts the others, or a mere note.

    Rows at the ends that an instrument gives no axis value are pixels without light: nobody misses them.
    """
    whole = ~np.isnan(layout.values[:, at]) & ~np.isnan(layout.values[:, signal])
    kept = np.flatnonzero(whole)
    left_out = whole.size - kept.size
    if kept.size < max(MIN_ROWS, _LEAST_KEPT * whole.size):
        raise sparse(layout.path, left_out, whole.size, at, signal)
    if not left_out:
        return kept, [], ""
    inside = int(kept[-1] - kept[0] + 1 - kept.size)
    if not inside and left_out > 1 and np.isnan(layout.values[~whole, at]).all():
        return kept, [], f"{left_out} rows at the ends, which have no axis value"
    rows, are = counted(left_out, "row"), agreed(left_out, "is", "are")
    where = ""
    if inside:
        where = " between other points" if inside == left_out else f", {inside} of them between other points"
    return kept, [f"{rows} without an axis value or an intensity {are} left out{where}"], ""


def sparse(path: Path, left_out: int, rows: int, at: int, signal: int) -> DataError:
    """Most rows of a spectrum are blank."""
    return DataError(
        f"{path}: {left_out} of {rows} rows have a blank axis or intensity (columns {at} and {signal}), so this is no "
        "plain table; export one spectrum as two columns",
        reason="unknown-layout",
    )


def axis_warnings(x: Array, lines: NDArray[np.int64] | None = None) -> list[str]:
    """Sentences about an axis that turns against itself or stands still."""
    against, still = steps_back(x)
    warnings = []
    if against.size:
        where = f"line {lines[against[0]]}" if lines is not None else f"point {against[0] + 1}"
        joins = joins_of(x)
        cuts = " and ".join(f"{join.middle:.6g}" for join in joins)
        warnings.append(
            f"the axis steps back {counted(against.size, 'time')}, first at {where} ({x[against[0]]:g}); "
            + (
                f"detectors overlap {overlap_words(joins)}, and are spliced at the middle, {cuts}, before they are "
                "compared, unless joins says otherwise"
                if joins
                else "points are sorted before they are compared"
            )
        )
    if still.size:
        where = f"line {lines[still[0]]}" if lines is not None else f"point {still[0] + 1}"
        warnings.append(
            f"{counted(still.size, 'axis value')} {agreed(still.size, 'is', 'are')} said twice, first at "
            f"{where} ({x[still[0]]:g}); "
            "their mean is used where spectra are compared"
        )
    return warnings


def in_our_spelling(unit: str | None) -> str | None:
    """A unit as we write it, where we know it."""
    return None if unit is None else unit_of(unit) or unit


def unique(names: Iterable[str]) -> list[str]:
    """Names of which none is said twice: a second ``leaf`` becomes ``leaf (2)``."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    made = []
    for name in names:
        found = name
        while found in taken:
            counts[name] = counts.get(name, 1) + 1
            found = f"{name} ({counts[name]})"
        taken.add(found)
        made.append(found)
    return made
