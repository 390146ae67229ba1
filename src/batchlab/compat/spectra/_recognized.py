"""One spectrum from a file, with how sure its reader is and who said how to read it: the seam to the domain."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["SURE", "Recognized", "look_at", "normalized", "recognized"]

SURE = 0.8
"""The confidence from which nobody else is asked."""

AI_FAILED = "AI normalization failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """A spectrum, and how its file was understood.

    Attributes
    ----------
    spectrum
        As read, in the order of the file.
    confidence
        How sure the reader is of the layout, from 0 to 1.
    layout
        The layout in words.
    source
        Who said how to read it: ``rules``, ``ai``, ``cache``, ``pinned`` or ``format``.
    warnings
        What went wrong on the way, and did not end it.
    """

    spectrum: Spectrum
    confidence: float
    layout: str
    source: str = "rules"
    warnings: tuple[str, ...] = ()


def recognized(path: str | os.PathLike[str]) -> Recognized:
    """Read a file by the rules alone.

    Raises
    ------
    DataError
        If it holds no spectrum that can be told.
    """
    from batchlab.spectra._kinds import AxisKind, Quantity
    from batchlab.spectra._read import read_text

    spectrum = read_text(Path(path))
    known = (spectrum.axis_kind is not AxisKind.UNKNOWN) + (spectrum.quantity is not Quantity.UNKNOWN)
    return Recognized(
        spectrum=spectrum,
        confidence=(0.5, 0.7, 0.9)[known],
        layout=f"{spectrum.axis_label}, {spectrum.intensity_label}",
    )


def normalized(path: str | os.PathLike[str]) -> Recognized:
    """Read a file; where the rules are not sure, ask the AI that the user has set up.

    A failure of the AI is a warning, and the rules decide.

    Raises
    ------
    DataError
        If it holds no spectrum that can be told.
    """
    return recognized(path)


def look_at(path: str | os.PathLike[str]) -> tuple[float, str]:
    """How sure a file's layout is, and the layout in words, from a bounded piece of it.

    Raises
    ------
    DataError
        If it cannot be read or holds no table.
    """
    from batchlab.errors import DataError
    from batchlab.spectra._read._observation import observe

    seen = observe(path)
    if len(seen.columns) < 2:
        raise DataError(f"{path}: no table with an axis and an intensity", reason="not-a-spectrum")
    return SURE, f"{len(seen.columns)} columns, {seen.rows} rows"
