"""What a reader of one format hands on, and what the person who reads has declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from batchlab.motion._read._choice import told_names

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["Asked", "Raw", "confidences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was declared, and which markers are wanted.

    Attributes
    ----------
    unit, rate_hz, time_unit
        As declared; None leaves it to the file.
    markers
        Patterns; empty for all.
    min_confidence
        Less than this counts as not seen.
    """

    unit: str | None = None
    rate_hz: float | None = None
    time_unit: str | None = None
    markers: tuple[str, ...] = ()
    min_confidence: float | None = None


@dataclass(slots=True, kw_only=True)
class Raw:
    """Positions as the file has them.

    Attributes
    ----------
    markers
        (M,) of those that are wanted, in the file's order.
    positions
        (F, M, D) in the file's unit; NaN, infinite or all zeros where nothing was seen.
    stated_unit
        As the file, or its format, says; None if neither does.
    rate_hz
        As the file says; None if it does not.
    numbers
        (F,) numbers of frames, counted from 0; None for 0, 1, 2...
    times
        (F,) stamps, in `time_unit`, or in an unknown unit where that is None.
    confidence
        (F, M) from 0 to 1.
    notes
        Sentences on what was odd.
    """

    markers: tuple[str, ...]
    positions: Float
    stated_unit: str | None
    rate_hz: float | None = None
    numbers: Float | None = None
    times: Float | None = None
    time_unit: str | None = None
    confidence: Float | None = None
    notes: list[str] = field(default_factory=list)


def confidences(values: Float, markers: Sequence[str], known: Sequence[bool], notes: list[str]) -> Float | None:
    """(F, M) confidences where only some markers have them, a column each; the others are believed wholly.

    None if no marker has any.
    """
    if not any(known):
        return None
    if without := [name for name, has in zip(markers, known, strict=True) if not has]:
        notes.append(f"without a confidence, and believed wherever they have a place: {told_names(without)}")
    spread = np.ones((len(values), len(markers)))
    spread[:, np.asarray(known)] = np.nan_to_num(values)
    return spread
