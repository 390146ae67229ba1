"""What was amiss in a file that could be read nonetheless."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Note"]

_SAID = {
    "bad-cells": "a cell is no number, read as NaN",
    "comments": "a comment between the rows, left out",
    "cut-last-row": "the file ends within a row; its last cell is not believed",
    "further-tests": "another test begins here; only the first of a file is read",
    "lost-bytes": "zero bytes between the rows, left out",
    "no-chip": "the procedure is one of chips, but no chip number is given; the run is in no history",
    "no-start-time": "no start time in the file; it stands at midnight of the day in its path, or at the file's time",
    "ragged-rows": "a row with too few or too many cells; missing ones are NaN",
    "repeated-header": "the column names stand here again: two runs in one file",
    "unread-setting": "a setting does not read as what it should be, kept as text",
}
# What says that the file is not as the procedure's description has it.
_OF_SCHEMA = frozenset(("no-chip", "unread-setting"))


@dataclass(frozen=True, slots=True)
class Note:
    """One kind of slip: what, how often, and in which line first (from 1) or at which setting."""

    kind: str
    count: int = 1
    line: int | None = None
    about: str = ""

    @property
    def against_schema(self) -> bool:
        """Whether it makes the file a reject when read strictly."""
        return self.kind in _OF_SCHEMA

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else f"{self.about}: " if self.about else ""
        often = f" ({self.count} times)" if self.count > 1 else ""
        return f"{where}{_SAID.get(self.kind, self.kind)}{often}"
