"""The codes of Galactic SPC files for axes, signals and techniques."""

from __future__ import annotations

from batchlab.spectra._kinds import AxisKind, Quantity, Technique
from batchlab.spectra._read._formats._units import Axis, Signal

__all__ = ["AXES", "SIGNALS", "TECHNIQUES"]

AXES: dict[int, Axis] = {
    1: Axis(AxisKind.WAVENUMBER, "cm-1"),
    2: Axis(AxisKind.WAVELENGTH, "um"),
    3: Axis(AxisKind.WAVELENGTH, "nm"),
    4: Axis(AxisKind.TIME, "s"),
    5: Axis(AxisKind.TIME, "min"),
    6: Axis(AxisKind.FREQUENCY, "Hz"),
    7: Axis(AxisKind.FREQUENCY, "kHz"),
    8: Axis(AxisKind.FREQUENCY, "MHz"),
    9: Axis(AxisKind.UNKNOWN, "m/z"),
    10: Axis(AxisKind.UNKNOWN, "ppm"),
    13: Axis(AxisKind.RAMAN_SHIFT, "cm-1"),
    14: Axis(AxisKind.ENERGY, "eV"),
    16: Axis(AxisKind.PIXEL),
    17: Axis(AxisKind.PIXEL),
    22: Axis(AxisKind.PIXEL),
    23: Axis(AxisKind.TIME, "ms"),
    24: Axis(AxisKind.TIME, "us"),
    25: Axis(AxisKind.TIME, "ns"),
    26: Axis(AxisKind.FREQUENCY, "GHz"),
    30: Axis(AxisKind.TIME, "h"),
}
SIGNALS: dict[int, Signal] = {
    0: Signal(Quantity.INTENSITY, "a.u."),
    1: Signal(Quantity.INTERFEROGRAM),
    2: Signal(Quantity.ABSORBANCE),
    3: Signal(Quantity.KUBELKA_MUNK),
    4: Signal(Quantity.COUNTS),
    5: Signal(Quantity.INTENSITY, "V"),
    9: Signal(Quantity.INTENSITY, "mV"),
    10: Signal(Quantity.LOG_INVERSE_REFLECTANCE),
    11: Signal(Quantity.UNKNOWN, "%"),
    12: Signal(Quantity.INTENSITY),
    13: Signal(Quantity.INTENSITY),
    14: Signal(Quantity.INTENSITY),
    128: Signal(Quantity.TRANSMITTANCE),
    129: Signal(Quantity.REFLECTANCE),
    130: Signal(Quantity.SINGLE_BEAM),
    131: Signal(Quantity.INTENSITY),
}
TECHNIQUES: dict[int, Technique] = {
    4: Technique.FTIR,
    5: Technique.NIR,
    7: Technique.UV_VIS,
    11: Technique.RAMAN,
    12: Technique.FLUORESCENCE,
}
