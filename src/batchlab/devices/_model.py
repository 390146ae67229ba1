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

__all__ = ["Category", "Chip", "DerivedMetric", "Flag", "Run", "Value"]

Value: TypeAlias = str | int | float | bool | None

_CHIP = re.compile(r"(?P<group>.*?\D)(?P<number>\d+)")


class Flag(StrEnum):
    """What is wrong with the data of a run, as seen when it was staged."""

    DEAD_OPEN_CIRCUIT = "DEAD_OPEN_CIRCUIT"
    DEAD_FLAT_IVG = "DEAD_FLAT_IVG"
    DEAD_STUCK_SATURATED = "DEAD_STUCK_SATURATED"


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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

    @property
    def rows(self) -> int:
        """Number of recorded rows."""
        return next((len(column) for column in self.columns.values()), 0)

    def number(self, name: str) -> float:
        """A setting as a number; NaN where it is not set or is none."""
        value = self.settings.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
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

    def __post_init__(self) -> None:
        if self.value_float is None and self.value_str is None and self.value_json is None:
            raise ValueError(f"{self.metric_name} of {self.run_id}: a metric needs a value")
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"{self.metric_name} of {self.run_id}: confidence {self.confidence} is not from 0 to 1")
