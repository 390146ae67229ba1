"""The words that name what an axis, a signal and a scaling are; they load no numpy, so params can use them."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["AxisKind", "Normalization", "Quantity"]


class AxisKind(StrEnum):
    """What the points of a spectrum are spread along."""

    WAVENUMBER = "wavenumber"
    RAMAN_SHIFT = "raman shift"
    WAVELENGTH = "wavelength"
    ENERGY = "energy"
    FREQUENCY = "frequency"
    PIXEL = "pixel"
    TIME = "time"
    UNKNOWN = "unknown"


class Quantity(StrEnum):
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


class Normalization(StrEnum):
    """How a spectrum is scaled before it is compared."""

    NONE = "none"
    SNV = "snv"
    MIN_MAX = "min-max"
    AREA = "area"
