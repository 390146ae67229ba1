"""The words that name what an axis, a signal and a scaling are; they load no numpy, so params can use them."""

from __future__ import annotations

from enum import StrEnum

_BLANKS = str.maketrans("-_", "  ")

__all__ = ["AxisKind", "Normalization", "Quantity"]


class _Words(StrEnum):
    """Words that are known in any case, with a hyphen or a blank between them."""

    @classmethod
    def _missing_(cls, value: object) -> _Words | None:
        given = str(value).translate(_BLANKS).strip().lower()
        return next((each for each in cls if each.value.translate(_BLANKS) == given), None)


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
    UNKNOWN = "unknown"


class Normalization(_Words):
    """How a spectrum is scaled before it is compared."""

    NONE = "none"
    SNV = "snv"
    MIN_MAX = "min-max"
    AREA = "area"
