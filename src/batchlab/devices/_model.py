"""The nouns of the domain: a chip, one run of a procedure on it, and a value derived from runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["DOUBTFUL", "Category", "Chip", "DerivedMetric", "Flag", "Run", "Value"]

Value: TypeAlias = str | int | float | bool | None

_CHIP = re.compile(r"(?P<group>.*?\D)(?P<number>\d+)")


class Flag(StrEnum):
    """What is wrong with the data of a run, as seen when it was staged."""

    DEAD_OPEN_CIRCUIT = "DEAD_OPEN_CIRCUIT"
    DEAD_FLAT_IVG = "DEAD_FLAT_IVG"
    DEAD_STUCK_SATURATED = "DEAD_STUCK_SATURATED"


DOUBTFUL = 0.5
"""Confidence below which a derived value is drawn apart from the others."""


class Category(StrEnum):
    """What a derived value tells of."""

    ELECTRICAL = "electrical"
    PHOTORESPONSE = "photoresponse"
    THERMAL = "thermal"
    OPTICAL = "optical"
    STRUCTURAL = "structural"
    STABILITY = "stability"


@dataclass(frozen=True, slots=True, order=True)
class Chip:
    """A chip is its group and its number: two chips of one number in two groups are two chips."""

    group: str
    number: int

    @property
    def name(self) -> str:
        """As files are called: ``Alisson67``."""
        return f"{self.group}{self.number}"

    @classmethod
    def named(cls, name: str, *, group: str = "Alisson") -> Chip:
        """The chip of ``Alisson67``, or of ``67`` in a group.

        Raises
        ------
        ValueError
            If the name does not end in a number.
        """
        if name.isascii() and name.isdigit():
            return cls(group, int(name))
        found = _CHIP.fullmatch(name)
        if found is None:
            raise ValueError(f"{name!r} is no chip; write a number, or group and number, as in Alisson67")
        return cls(found["group"], int(found["number"]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Run:
    """One measurement: what was set, and the columns that were recorded.

    Attributes
    ----------
    run_id
        16 hex digits of the raw data's bytes; the same file has the same wherever it lies.
    procedure
        ``IVg``, ``It``, ``LaserCalibration``, ...
    chip
        None for a procedure without one.
    start_utc
        When it began, aware, in UTC; None where neither file nor path say it.
    settings
        What was set, by the names of the manifest, in the units that end the names (``vds_v``, ``laser_voltage_v``).
    columns
        Recorded values by name with unit, as in the file (``Vg (V)``, ``I (A)``); equally long; a bad cell is NaN.
    flags
        What is wrong with the data.
    """

    run_id: str
    procedure: str
    chip: Chip | None = None
    start_utc: datetime | None = None
    has_light: bool | None = None
    settings: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    columns: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    flags: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Run {self.run_id}: {self._words}>"

    def _repr_html_(self) -> str:
        """What was recorded as a curve, and what was set, as a notebook shows it."""
        from batchlab.devices._notebook import page_of, run_curve, table_of

        known = [(name, value) for name, value in sorted(self.settings.items()) if value is not None]
        return page_of(f"{self.run_id}: {self._words}", run_curve(self), table_of(known), notes=self.flags)

    @property
    def _words(self) -> str:
        light = {True: "light ", False: "dark ", None: ""}[self.has_light]
        of = "" if self.chip is None else f" of {self.chip.name}"
        began = "" if self.start_utc is None else f", {self.start_utc:%Y-%m-%d %H:%M} UTC"
        flags = "".join(f", {flag}" for flag in self.flags)
        columns = f" of {', '.join(self.columns)}" if self.columns else ""
        return f"{light}{self.procedure}{of}{began}, {self.rows} rows{columns}{flags}"

    @property
    def rows(self) -> int:
        """Number of recorded rows."""
        return next((len(column) for column in self.columns.values()), 0)

    def number(self, name: str) -> float:
        """A setting as a number; NaN where it is not set or is none."""
        value = self.settings.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DerivedMetric:
    """A value derived from one run, or from a pair of runs whose later one it belongs to.

    Attributes
    ----------
    metric_name
        In lower case, with underscores.
    value_float, value_str, value_json
        At least one is given. JSON holds arrays and parts that are not for a table.
    unit
        Of ``value_float``; ``1`` for a plain number.
    extraction_method
        How it was found: ``maximum-resistance``, ``parabola``, ...
    extraction_version
        Of the algorithm; changes when the same run may give another value.
    confidence
        From 0 to 1: the product of the penalties of the checks that failed.
    flags
        Names of the checks that failed.
    """

    run_id: str
    procedure: str
    metric_name: str
    metric_category: Category
    unit: str
    extraction_method: str
    extraction_version: str
    chip: Chip | None = None
    value_float: float | None = None
    value_str: str | None = None
    value_json: Mapping[str, Any] | None = None
    standard_error: float | None = None
    confidence: float = 1.0
    flags: tuple[str, ...] = ()

    def __repr__(self) -> str:
        value: object = self.value_str if self.value_float is None else f"{self.value_float:.6g}"
        if self.value_float is not None and self.standard_error is not None:
            value = f"{value} ± {self.standard_error:.2g}"
        unit = "" if self.unit == "1" else f" {self.unit}"
        flags = "".join(f", {flag}" for flag in self.flags)
        told = f" = {value}{unit}" if value is not None else ""
        return f"<DerivedMetric {self.metric_name}{told} of {self.run_id} by {self.extraction_method}{flags}>"

    def _repr_html_(self) -> str:
        """The value with all that is known of it, as a notebook shows it."""
        from batchlab.devices._notebook import metrics_table

        return metrics_table([self])

    def __post_init__(self) -> None:
        if self.value_float is None and self.value_str is None and self.value_json is None:
            raise ValueError(f"{self.metric_name} of {self.run_id}: a metric needs a value")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"{self.metric_name} of {self.run_id}: confidence {self.confidence} is not from 0 to 1")
