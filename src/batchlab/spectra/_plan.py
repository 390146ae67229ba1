"""The plan by which a text file is read: what its table means, as data and never as code.

A plan is proposed by the rules, by an AI or by a person; the same code applies it whoever wrote it. It says where
things are and what they are, and holds no number of the measurement, so one plan serves every file of its layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from batchlab.spectra._kinds import AxisKind, Orientation, Quantity, SpectrumRole, Technique

__all__ = ["AxisPlan", "Op", "Plan", "PreambleStyle", "SpectrumPlan"]

_MOST_SHOWN = 12  # spectra, in a notebook
Line = int  # counted from 1
Column = int  # counted from 0


class Op(StrEnum):
    """What may be done to the numbers of a file on their way in; nothing else may."""

    DROP_BLANK_AXIS = "drop_blank_axis"
    SORT = "sort"
    SPLIT_OVERLAP = "split_overlap"  # detectors that overlap: cut at the joins, then sorted
    PERCENT_TO_FRACTION = "percent_to_fraction"
    SCALE_0_01 = "scale_0.01"
    SCALE_100 = "scale_100"
    SCALE_0_001 = "scale_0.001"
    SCALE_1000 = "scale_1000"


class PreambleStyle(StrEnum):
    """How keys and values are parted above the table."""

    NONE = "none"
    COLON = "colon"
    EQUALS = "equals"
    SEMICOLON = "semicolon"
    COMMA = "comma"
    TAB = "tab"
    POSITIONAL = "positional"
    SECTIONS = "sections"
    JCAMP = "jcamp"
    HASH = "hash"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what it says beyond the defaults."""
        defaults = {name: each.default for name, each in type(self).model_fields.items()}
        for name, value in super().__repr_args__():
            if name is None or value != defaults[name]:
                yield name, value.value if isinstance(value, StrEnum) else value

    def __str__(self) -> str:
        return repr(self)


class AxisPlan(_Part):
    """Where the axis is, and what it is.

    Exactly one of `column`, `header_row` and the three keys says where. A table of pairs names the axis column of each
    spectrum beside it, and here that of the first.
    """

    column: Column | None = Field(default=None, ge=0)
    header_row: Line | None = Field(default=None, ge=1, description="the line that holds the axis values of all rows")
    first_key: str | None = Field(default=None, max_length=80, description="preamble key of the first axis value")
    last_key: str | None = Field(default=None, max_length=80)
    count_key: str | None = Field(default=None, max_length=80)
    kind: AxisKind = AxisKind.UNKNOWN
    unit: str | None = Field(default=None, max_length=20)
    direction: Literal["ascending", "descending", "mixed"] = "ascending"


class SpectrumPlan(_Part):
    """Where a spectrum's intensities are, and what they are.

    A spectrum is a column; or a row; or, with ``rows: all``, every row from the first to the last data line.
    """

    column: Column | None = Field(default=None, ge=0)
    axis_column: Column | None = Field(default=None, ge=0, description="its own axis, in a table of pairs")
    rows: Line | Literal["all"] | None = None
    role: SpectrumRole = SpectrumRole.SAMPLE
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = Field(default=None, max_length=20)
    name_from: Literal["file", "header", "row"] = "file"
    name_column: Column | None = Field(default=None, ge=0, description="the cell of a row that names its spectrum")


class Plan(_Part):
    """How a text file is read.

    Lines are counted from 1, columns from 0. `last_data_line` None is the end of the run of rows that begins at
    `first_data_line`; fences, where given, say the same in words and win over the line numbers, since preambles
    of one instrument differ in length.
    """

    technique: Technique = Technique.UNKNOWN
    encoding: str = Field(default="utf-8", max_length=40)
    delimiter: Literal["tab", "comma", "semicolon", "blank"] = "comma"
    decimal: Literal["point", "comma"] = "point"
    first_data_line: Line = Field(default=1, ge=1)
    last_data_line: Line | None = Field(default=None, ge=1)
    begin_fence: str | None = Field(
        default=None, max_length=200, description="the data begin after the line with this text"
    )
    end_fence: str | None = Field(default=None, max_length=200)
    header_lines: tuple[Line, ...] = Field(default=(), max_length=5)
    unit_line: Line | None = Field(default=None, ge=1)
    orientation: Orientation = Orientation.COLUMNS
    first_column: Column | None = Field(default=None, ge=0, description="rows: the first column that is a point")
    last_column: Column | None = Field(default=None, ge=0)
    axis: AxisPlan = AxisPlan()
    spectra: tuple[SpectrumPlan, ...] = ()
    ops: tuple[Op, ...] = ()
    preamble_style: PreambleStyle = PreambleStyle.NONE
    preamble_keys: tuple[str, ...] = Field(default=(), description="keys worth keeping")
    confidence: float = Field(default=0.0, ge=0, le=1)
    reason: str = Field(default="", max_length=200)

    def _repr_html_(self) -> str:
        """What it says beyond the defaults, as a notebook shows it."""
        from batchlab.spectra._notebook import page_of, table_of

        said = self.model_dump(mode="json", exclude_defaults=True, exclude={"spectra"})
        head = tuple(SpectrumPlan.model_fields)
        spectra = [tuple(each.model_dump(mode="json").values()) for each in self.spectra[:_MOST_SHOWN]]
        more = len(self.spectra) - len(spectra)
        notes = (f"and {more} more spectra",) if more > 0 else ()
        return page_of("Plan", table_of(said.items()), table_of(spectra, head), notes=notes)
