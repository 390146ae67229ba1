"""What is usually done to the spectra of a technique, and how they are shown. Loads no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from batchlab.spectra._kinds import AxisKind, Quantity, Technique

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The custom of a technique.

    Attributes
    ----------
    axis_kind, axis_unit, quantity, unit
        What its spectra are compared in, if they can be converted to it.
    descending
        Whether the axis is drawn from high to low.
    recipe
        What a recipe takes where nothing is written: its steps, and the conversions that every such spectrum has.
    why
        The reason for each, in a sentence or two.
    """

    axis_kind: AxisKind
    axis_unit: str
    quantity: Quantity
    unit: str
    descending: bool
    recipe: Mapping[str, Any]
    why: str


_ALL = {
    Technique.FTIR: Preset(
        axis_kind=AxisKind.WAVENUMBER,
        axis_unit="cm-1",
        quantity=Quantity.ABSORBANCE,
        unit="1",
        descending=True,
        recipe={
            "to_axis": "wavenumber",
            "to_quantity": "absorbance",
            "steps": [{"baseline": {"method": "arpls", "lam": 1e6}}, {"mask": "co2"}, "vector"],
        },
        why=(
            "A slow baseline from scatter and the instrument goes by arPLS, which needs no peak positions; lam 1e6 "
            "leaves bands of hundreds of points alone. It is found before the mask, so in one piece. Carbon dioxide in "
            "the beam differs between any two days, so its bands are left out. Vector length takes out thickness and "
            "contact. Absorbance, since it is proportional to the amount."
        ),
    ),
    Technique.RAMAN: Preset(
        axis_kind=AxisKind.RAMAN_SHIFT,
        axis_unit="cm-1",
        quantity=Quantity.COUNTS,
        unit="counts",
        descending=False,
        recipe={"steps": ["despike", {"mask": "anti-stokes"}, {"baseline": {"method": "arpls", "lam": 1e5}}, "snv"]},
        why=(
            "Cosmic rays first, since every later step would spread them. The laser line is not the sample, and "
            "beyond it a filter is. Fluorescence lies below the bands and is wider, which arPLS follows without being "
            "told where bands are. SNV takes out power, exposure and focus."
        ),
    ),
    Technique.UV_VIS: Preset(
        axis_kind=AxisKind.WAVELENGTH,
        axis_unit="nm",
        quantity=Quantity.ABSORBANCE,
        unit="1",
        descending=False,
        recipe={},
        why=(
            "Absorbance in solution is proportional to concentration: its height is the result, so nothing is "
            "subtracted or scaled. Against scatter add {offset: [LOW, HIGH]} with a range where nothing absorbs."
        ),
    ),
    Technique.FLUORESCENCE: Preset(
        axis_kind=AxisKind.WAVELENGTH,
        axis_unit="nm",
        quantity=Quantity.FLUORESCENCE,
        unit="a.u.",
        descending=False,
        recipe={"steps": ["despike", {"savgol": {"window_width": 5.0}}]},
        why=(
            "Photon counting noise is smoothed over 5 nm, far less than the bands of dyes and proteins. Nothing is "
            "scaled, since height follows concentration; add area to compare shapes."
        ),
    ),
    Technique.NIR: Preset(
        axis_kind=AxisKind.WAVELENGTH,
        axis_unit="nm",
        quantity=Quantity.LOG_INVERSE_REFLECTANCE,
        unit="1",
        descending=False,
        recipe={"steps": ["snv", {"derivative": {"order": 1, "window_points": 15}}]},
        why=(
            "Scatter by particle size adds to and multiplies log(1/R): SNV takes out both. The first derivative then "
            "parts overtones that overlap, and takes out what slope is left."
        ),
    ),
    Technique.FIELD_REFLECTANCE: Preset(
        axis_kind=AxisKind.WAVELENGTH,
        axis_unit="nm",
        quantity=Quantity.REFLECTANCE,
        unit="%",
        descending=False,
        recipe={"steps": [{"mask": "h2o"}]},
        why=(
            "Around 1400 and 1870 nm the air takes nearly all sunlight, so a ratio there is noise divided by noise. "
            "Reflectance is kept as it is: its height tells plant from plant. Where detectors overlap, as everywhere, "
            "each is cut at the middle of the overlap (joins: middle)."
        ),
    ),
    Technique.UNKNOWN: Preset(
        axis_kind=AxisKind.UNKNOWN,
        axis_unit="1",
        quantity=Quantity.UNKNOWN,
        unit="1",
        descending=False,
        recipe={},
        why="Nothing is done to a spectrum that nobody knows the technique of.",
    ),
}
PRESETS: Mapping[Technique, Preset] = MappingProxyType(_ALL)
"""The custom of every technique."""
