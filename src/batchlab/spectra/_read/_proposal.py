"""A way to read a file, and the evidence for it: named terms whose product says how sure we are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from batchlab.spectra._plan import Plan
from batchlab.spectra._read._layout import Layout

__all__ = ["DELIMITER_WORD", "SIGN_OF", "Evidence", "Proposal"]

DELIMITER_WORD = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "blank"}
SIGN_OF = {word: sign for sign, word in DELIMITER_WORD.items()}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One term: its name, a factor of at most 1, and what was seen, in words."""

    name: str
    factor: float
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan with its evidence.

    Attributes
    ----------
    plan
        The plan; its confidence and reason are not yet filled in.
    evidence
        What speaks for it and against it.
    first, last, count
        The axis as written in the file; count by lines. None where only reading the file tells.
    first_line
        The line of the first point, where rows without one may stand above it; None where it is the plan's first.
    covered
        Whether the table reaches from the head of a sampled text into its tail, or nothing was left out.
    layout
        The table it was seen in, for layouts of columns.
    other_axes
        The same table with another of its columns for the axis, which the evidence speaks of already.
    """

    plan: Plan
    evidence: tuple[Evidence, ...]
    first: float | None = None
    last: float | None = None
    count: int | None = None
    first_line: int | None = None
    covered: bool = True
    layout: Layout | None = None
    other_axes: tuple[Proposal, ...] = ()

    @property
    def score(self) -> float:
        """The product of all factors; not yet a probability."""
        return math.prod(each.factor for each in self.evidence)
