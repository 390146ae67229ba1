"""The words that name what an axis, a signal and a scaling are; they load no numpy, so params can use them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import Self

from batchlab.errors import ConfigError

_BLANKS = str.maketrans("-_", "  ")

__all__ = [
    "AxisKind",
    "Common",
    "Interpolation",
    "Joins",
    "Normalization",
    "Orientation",
    "Quantity",
    "References",
    "SpectrumRole",
    "Technique",
]


class _Words(StrEnum):
    """Words that are known in any case, with a hyphen or a blank between them."""

    @classmethod
    def _missing_(cls, value: object) -> _Words | None:
        given = str(value).translate(_BLANKS).strip().lower()
        return next((each for each in cls if each.value.translate(_BLANKS).lower() == given), None)

    @classmethod
    def named(cls, given: str) -> Self:
        """The word that a caller means.

        Raises
        ------
        ConfigError
            If it is none of them, with the nearest, and all.
        """
        try:
            return cls(given)
        except ValueError:
            what = re.sub("(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()
            near = get_close_matches(str(given).lower(), [each.value.lower() for each in cls], n=1)
            told = f", did you mean {cls(near[0]).value!r}?" if near else "."
            raise ConfigError(f"{given!r:.60} is no {what}{told} There are {', '.join(cls)}") from None


class AxisKind(_Words):
    """What the points of a spectrum are spread along."""

    WAVENUMBER = "wavenumber"
    RAMAN_SHIFT = "raman shift"
    WAVELENGTH = "wavelength"
    ENERGY = "energy"
    FREQUENCY = "frequency"
    PIXEL = "pixel"
    TIME = "time"
    UNKNOWN = "unknown"


class Quantity(_Words):
    """What was measured at each point; INTENSITY is a signal that its file calls no more than that."""

    ABSORBANCE = "absorbance"
    TRANSMITTANCE = "transmittance"
    REFLECTANCE = "reflectance"
    COUNTS = "counts"
    INTENSITY = "intensity"
    FLUORESCENCE = "fluorescence intensity"
    RADIANCE = "radiance"
    IRRADIANCE = "irradiance"
    LOG_INVERSE_REFLECTANCE = "log(1/R)"
    KUBELKA_MUNK = "Kubelka-Munk"
    SINGLE_BEAM = "single beam"
    INTERFEROGRAM = "interferogram"
    UNKNOWN = "unknown"


class Normalization(_Words):
    """How a spectrum is scaled before it is compared."""

    NONE = "none"
    SNV = "snv"
    MIN_MAX = "min-max"
    AREA = "area"
    VECTOR = "vector"
    RNV = "rnv"
    MSC = "msc"
    EMSC = "emsc"


class SpectrumRole(_Words):
    """What a spectrum is to the measurement that its file holds."""

    SAMPLE = "sample"  # the result, or the raw signal where there is no result
    REFERENCE = "reference"
    DARK = "dark"
    BACKGROUND = "background"
    IGNORE = "ignore"  # another form of a spectrum that is there already, a count of rows, a flag


class Technique(_Words):
    """How a spectrum was measured; decides defaults, never numbers."""

    FTIR = "ftir"
    RAMAN = "raman"
    UV_VIS = "uv-vis"
    FLUORESCENCE = "fluorescence"
    NIR = "nir"
    FIELD_REFLECTANCE = "field reflectance"
    UNKNOWN = "unknown"


class Orientation(_Words):
    """How spectra lie in a table."""

    COLUMNS = "columns"  # one axis column, an intensity column for each spectrum
    ROWS = "rows"  # one row of axis values, a row for each spectrum
    PAIRS = "pairs"  # an axis column of its own before each intensity column
    SINGLE_Y = "single-y"  # intensities alone; first, last and number of points stand in the preamble
    MATRIX = "matrix"  # blocks, a plate or a map, each with an axis of its own


class Common(_Words):
    """Which points two spectra are compared at."""

    OVERLAP = "overlap"  # the reference's points that the sample reaches
    UNION = "union"  # the same, and the rest of both is shown
    REFERENCE = "reference"  # all of the reference's points, or none
    GRID = "grid"  # the points of a given grid that both reach


class Interpolation(_Words):
    """How a value between two measured points is found."""

    LINEAR = "linear"
    CUBIC = "cubic"
    PCHIP = "pchip"
    BIN = "bin"


class Joins(_Words):
    """What is done where the detectors of an instrument overlap, so that its axis steps back."""

    MIDDLE = "middle"  # cut at the middle of each overlap
    KEEP = "keep"  # nothing: the points of both interleave


class References(_Words):
    """What several references are to a sample."""

    ONE = "one"  # there is but one
    BEST = "best"  # the one that it is most like
    MEAN = "mean"  # all of them, averaged point by point
    NEAREST = "nearest"  # the one whose metadata are nearest
