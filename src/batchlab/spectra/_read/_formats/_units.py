"""What the words and codes of structured formats say of an axis and of a signal."""

from __future__ import annotations

import re
from typing import NamedTuple

from batchlab.spectra._kinds import AxisKind, Quantity, Technique

__all__ = ["Axis", "Signal", "axis_of", "signal_of", "technique_of"]


class Axis(NamedTuple):
    """What an axis is, and its unit where it has one of its own."""

    kind: AxisKind
    unit: str | None = None


class Signal(NamedTuple):
    """What was measured, and its unit where it has one of its own."""

    quantity: Quantity
    unit: str | None = None


_AXES: tuple[tuple[str, Axis], ...] = (
    (r"raman|\bshift", Axis(AxisKind.RAMAN_SHIFT, "cm-1")),
    (r"1\s*/\s*cm|cm\s*\^?\s*-\s*1|wave\s*num", Axis(AxisKind.WAVENUMBER, "cm-1")),
    (r"nano\s*met|\bnm\b", Axis(AxisKind.WAVELENGTH, "nm")),
    (r"micro\s*met|micron|\b[uµμ]m\b", Axis(AxisKind.WAVELENGTH, "um")),
    (r"angstrom", Axis(AxisKind.WAVELENGTH, "Å")),
    (r"\bev\b|electron\s*volt", Axis(AxisKind.ENERGY, "eV")),
    (r"\bthz\b", Axis(AxisKind.FREQUENCY, "THz")),
    (r"\bghz\b", Axis(AxisKind.FREQUENCY, "GHz")),
    (r"\bmhz\b", Axis(AxisKind.FREQUENCY, "MHz")),
    (r"\bhz\b|hertz", Axis(AxisKind.FREQUENCY, "Hz")),
    (r"second|\bsec?\b", Axis(AxisKind.TIME, "s")),
    (r"minute|\bmin\b", Axis(AxisKind.TIME, "min")),
    (r"wave\s*length", Axis(AxisKind.WAVELENGTH)),
    (r"pixel|diode|channel", Axis(AxisKind.PIXEL)),
    (r"m\s*/\s*z", Axis(AxisKind.UNKNOWN, "m/z")),
    (r"ppm", Axis(AxisKind.UNKNOWN, "ppm")),
)
_SIGNALS: tuple[tuple[str, Signal], ...] = (
    (r"kubelka|\bk-?m\b", Signal(Quantity.KUBELKA_MUNK)),
    (r"log\s*\(?\s*1\s*/\s*r", Signal(Quantity.LOG_INVERSE_REFLECTANCE)),
    (r"absorb|\babs\b|optical density|^a$", Signal(Quantity.ABSORBANCE)),
    (r"(?=.*(?:%|percent))(?=.*(?:trans|\bt\b|%t))", Signal(Quantity.TRANSMITTANCE, "%")),
    (r"(?=.*(?:%|percent))(?=.*(?:refl|\br\b|%r))", Signal(Quantity.REFLECTANCE, "%")),
    (r"transmi|^t$", Signal(Quantity.TRANSMITTANCE)),
    (r"reflect|^r$", Signal(Quantity.REFLECTANCE)),
    (r"irradiance", Signal(Quantity.IRRADIANCE)),
    (r"radiance", Signal(Quantity.RADIANCE)),
    (r"fluorescence", Signal(Quantity.FLUORESCENCE)),
    (r"single\s*(?:beam|channel)", Signal(Quantity.SINGLE_BEAM)),
    (r"interferogram", Signal(Quantity.INTERFEROGRAM)),
    (r"(?:counts?|cnts?)\s*/\s*s", Signal(Quantity.COUNTS, "counts/s")),
    (r"count|\bcnts?\b", Signal(Quantity.COUNTS)),
    (r"arbitrary|\ba\.\s?u\b", Signal(Quantity.INTENSITY, "a.u.")),
    (r"intens", Signal(Quantity.INTENSITY)),
)
_TECHNIQUES: tuple[tuple[str, Technique], ...] = (
    (r"raman", Technique.RAMAN),
    (r"fluorescence|luminescence", Technique.FLUORESCENCE),
    (r"near[\s-]*infrared|\bnir\b", Technique.NIR),
    (r"infrared|ft-?ir", Technique.FTIR),
    (r"uv|visible", Technique.UV_VIS),
)


def axis_of(text: str) -> Axis:
    """Read an axis' label or unit; unknown where it says nothing we know."""
    return next((axis for pattern, axis in _AXES if re.search(pattern, text, re.IGNORECASE)), Axis(AxisKind.UNKNOWN))


def signal_of(text: str) -> Signal:
    """Read a signal's label or unit; unknown, with the label as its unit, where it says nothing we know."""
    text = text.strip()
    found = next((signal for pattern, signal in _SIGNALS if re.search(pattern, text, re.IGNORECASE)), None)
    return found or Signal(Quantity.UNKNOWN, text or None)


def technique_of(text: str) -> Technique:
    """Read a technique's name; unknown where it names none of ours."""
    found = (technique for pattern, technique in _TECHNIQUES if re.search(pattern, text, re.IGNORECASE))
    return next(found, Technique.UNKNOWN)
