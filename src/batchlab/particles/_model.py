"""The nouns of the domain: a file of an instrument, what it measured, marks in time, and limits of axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from batchlab.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Float32: TypeAlias = NDArray[np.float32]
    Index: TypeAlias = NDArray[np.uint8]

__all__ = [
    "COLORMAPS",
    "INSTRUMENTS",
    "PITCH_CATEGORIES",
    "Collapse",
    "DataFile",
    "Dropped",
    "EmptyFile",
    "InvalidCdf",
    "Limits",
    "Mark",
    "MissingVariable",
    "PitchCategory",
    "Quantity",
    "Scale",
    "Scales",
    "Spectrogram",
]

INSTRUMENTS = ("ees", "eeb", "ies", "ieb")


class InvalidCdf(DataError):
    """A file that is no CDF, or is cut short, or holds what no CDF may hold."""

    reason = "invalid-cdf"


class MissingVariable(DataError):
    """A file without a variable that is needed."""

    reason = "missing-variable"


class EmptyFile(DataError):
    """A file without a single record to show."""

    reason = "empty"


class Quantity(StrEnum):
    """What the colours tell."""

    ENERGY_FLUX = "energy_flux"
    NUMBER_FLUX = "number_flux"
    COUNTS = "counts"
    PHASE_SPACE_DENSITY = "phase_space_density"


class Collapse(StrEnum):
    """How the directions of a category become one value."""

    SOLID_ANGLE_MEAN = "solid_angle_mean"
    MEAN = "mean"
    SUM = "sum"


class Scale(StrEnum):
    """How an axis or the colours run."""

    LINEAR = "linear"
    LOG = "log"


Scales: TypeAlias = tuple[Scale, Scale]
"""Of energy, and of colour."""

COLORMAPS: Mapping[Scales, str] = {
    (Scale.LINEAR, Scale.LINEAR): "viridis",
    (Scale.LINEAR, Scale.LOG): "cividis",
    (Scale.LOG, Scale.LINEAR): "plasma",
    (Scale.LOG, Scale.LOG): "inferno",
}
"""Colours by the scales of energy and of colour, so that one sees from a distance which picture it is."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DataFile:
    """One file, as its name tells.

    Attributes
    ----------
    instrument
        One of `INSTRUMENTS`, or the file's own name for other missions.
    orbit
        None where files are not by orbit.
    start
        UTC, of the first record, as far as the name tells.
    version
        Of the file; the highest wins.
    """

    orbit: int | None
    instrument: str
    path: Path
    start: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchCategory:
    """Directions that are shown together.

    Attributes
    ----------
    name
        Such as ``downgoing``.
    ranges_deg
        Pairs of pitch angles from 0 to 360, both ends inclusive.
    flips
        Whether the category is about the vertical: south of the equator, where the field points up, its ranges are
        turned by 180 degrees when hemispheres are told apart.
    """

    name: str
    ranges_deg: tuple[tuple[float, float], ...]
    flips: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """How much of a file was left out, and why.

    Attributes
    ----------
    cells, fill, out_of_range
        Cells of all records that were looked at; those that hold the fill value, and those outside the valid range.
    records, invalid, low_quality, out_of_order
        Records of the file; those marked as bad, those of low quality, and those put back in order of time.
    """

    cells: int = 0
    fill: int = 0
    out_of_range: int = 0
    records: int = 0
    invalid: int = 0
    low_quality: int = 0
    out_of_order: int = 0

    @property
    def fraction(self) -> float:
        """Of the cells of kept records, how much is not shown: from 0 to 1."""
        return (self.fill + self.out_of_range) / self.cells if self.cells else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Spectrogram:
    """Intensity against time and energy, for one or several categories of directions.

    Records may differ in their energies (modes): each names the table that it was measured with, and values of
    different tables are never mixed.

    Attributes
    ----------
    name
        The instrument.
    quantity, unit
        What the values are: ``"Differential energy flux"`` and ``"eV/(cm² s sr eV)"``; counts have the unit "".
    categories
        (C,) names, in order.
    times_s
        (N, 2): start and end of each record in seconds since 1970, UTC without leap seconds; starts ascend.
    mode
        (N,): index of each record's table in `energy_edges_ev`.
    energy_edges_ev
        A table per mode: (E_m + 1,) edges of its channels, ascending, in eV.
    energies_ev
        A table per mode: (E_m,) energies of its channels as the file states them, in eV.
    values
        (C, N, E) with E the largest E_m; NaN where nothing was measured, and beyond the E_m of the record's mode; 0
        is a measured zero.
    dropped
        What was left out.
    notes
        Sentences for the report, such as that a whole mode is fill.
    """

    name: str
    quantity: str
    unit: str
    categories: tuple[str, ...]
    times_s: Float
    mode: Index
    energy_edges_ev: tuple[Float, ...]
    energies_ev: tuple[Float, ...]
    values: Float32
    dropped: Dropped = field(default_factory=Dropped)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Spectrogram {self.name!r}: {self._shape}; {', '.join(self.categories)}>"

    def _repr_html_(self) -> str:
        """A small picture of every category, and what was left out, as a notebook shows them."""
        from batchlab.particles._notebook import spectrogram_page

        return spectrogram_page(self, self._shape)

    @property
    def _shape(self) -> str:
        modes = sorted(set(self.mode.tolist()))
        energies = " and ".join(str(len(self.energies_ev[mode])) for mode in modes) or "no"
        unit = f" / {self.unit}" if self.unit else ""
        return f"{self.quantity}{unit}, {len(self.times_s)} records of {energies} energies"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """An event: a time or a stretch of time, in seconds since 1970, UTC without leap seconds."""

    start_s: float
    end_s: float
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ends of the axes, in the units of the data whatever the scale; None where the data decide."""

    y_min: float | None = None
    y_max: float | None = None
    z_min: float | None = None
    z_max: float | None = None

    def _repr_html_(self) -> str:
        """A row of the four ends, as a notebook shows it."""
        from batchlab.particles._notebook import table_of

        return table_of(
            [(self.y_min, self.y_max, self.z_min, self.z_max)],
            ("energy from / eV", "to / eV", "colours from", "to"),
        )


PITCH_CATEGORIES = (
    PitchCategory(name="all", ranges_deg=((0.0, 360.0),)),
    PitchCategory(name="downgoing", ranges_deg=((0.0, 30.0), (330.0, 360.0)), flips=True),
    PitchCategory(name="upgoing", ranges_deg=((150.0, 210.0),), flips=True),
    PitchCategory(name="perpendicular", ranges_deg=((40.0, 140.0), (210.0, 330.0))),
)
