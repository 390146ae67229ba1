"""The noun of the domain: one spectrum, with what is known of its axis and of its intensity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole, Technique

__all__ = ["Array", "AxisKind", "Quantity", "Spectrum", "SpectrumRole", "Technique"]

Array = NDArray[np.float64]


# An IR or Raman axis is in cm-1 by its definition; a wavelength may be in nm or in micrometres.
_AXIS_UNIT = {
    AxisKind.WAVENUMBER: "cm-1",
    AxisKind.RAMAN_SHIFT: "cm-1",
    AxisKind.PIXEL: "1",
}

_PRETTY_UNIT = {"cm-1": "cm⁻¹", "um": "µm"}
_QUANTITY_UNIT = {
    Quantity.ABSORBANCE: "1",
    Quantity.LOG_INVERSE_REFLECTANCE: "1",
    Quantity.KUBELKA_MUNK: "1",
    Quantity.COUNTS: "counts",
}
_MOST_SHOWN = 8  # of the metadata, in a notebook
# Names that are written as they are: a formula, a person's name.
_AS_WRITTEN = (Quantity.LOG_INVERSE_REFLECTANCE, Quantity.KUBELKA_MUNK)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Spectrum:
    """One spectrum, in the order of its file.

    Attributes
    ----------
    axis : (n,) array
        Positions in `axis_unit`; finite, read-only. Ascending or descending; a file that joins detectors may
        step back, or say a position twice.
    intensity : (n,) array
        Signal in `unit`; finite, read-only.
    axis_kind, axis_unit
        What the axis is; UNKNOWN and None where the file does not say so.
    quantity, unit
        What the signal is; UNKNOWN and None where the file does not say so. A unit ``1`` is a plain number.
    role
        What it is to its measurement: a sample, or the reference or the dark it was computed from.
    technique
        How it was measured, where the file says so.
    name
        What to call it: the stem of its file.
    metadata
        What the file says besides, as written; not to be changed.
    warnings
        What its reader found odd, in sentences.

    Raises
    ------
    DataError
        Reason ``not-a-spectrum``: the arrays are not two columns of equal length, or hold what is no number.
    """

    axis: Array
    intensity: Array
    axis_kind: AxisKind = AxisKind.UNKNOWN
    axis_unit: str | None = None
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None
    role: SpectrumRole = SpectrumRole.SAMPLE
    technique: Technique = Technique.UNKNOWN
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "axis", read_only(self.axis))
        object.__setattr__(self, "intensity", read_only(self.intensity))
        object.__setattr__(self, "axis_kind", AxisKind.named(self.axis_kind))
        object.__setattr__(self, "quantity", Quantity.named(self.quantity))
        object.__setattr__(self, "role", SpectrumRole.named(self.role))
        object.__setattr__(self, "technique", Technique.named(self.technique))
        object.__setattr__(self, "metadata", dict(self.metadata))
        if self.axis_unit is None:
            object.__setattr__(self, "axis_unit", _AXIS_UNIT.get(self.axis_kind))
        if self.unit is None:
            object.__setattr__(self, "unit", _QUANTITY_UNIT.get(self.quantity))
        called = f"spectrum {self.name!r}" if self.name else "a spectrum"
        if self.axis.ndim != 1 or self.axis.shape != self.intensity.shape or self.axis.size < 2:
            raise DataError(
                f"{called} needs one intensity for each of two or more axis values, got shapes "
                f"{self.axis.shape} and {self.intensity.shape}",
                reason="not-a-spectrum",
            )
        if not (np.isfinite(self.axis).all() and np.isfinite(self.intensity).all()):
            raise DataError(
                f"{called} holds values that are not finite numbers; leave those points out",
                reason="not-a-spectrum",
            )

    def __len__(self) -> int:
        return int(self.axis.size)

    def __repr__(self) -> str:
        return (
            f"<Spectrum {self.name!r}: {len(self)} points, {self.axis[0]:g} to {self.axis[-1]:g}, {self.axis_label}; "
            f"{self.intensity_label}>"
        )

    def _repr_html_(self) -> str:
        """Its curve, and what is known of it, as a notebook shows them."""
        from batchlab.spectra._notebook import curves_svg, page_of, table_of

        falling = self.axis_kind is AxisKind.WAVENUMBER
        known = [
            ("axis", f"{self.axis_label}, {self.axis[0]:g} to {self.axis[-1]:g}, {len(self)} points"),
            ("signal", self.intensity_label),
            ("role", self.role.value),
            ("technique", self.technique.value),
            *list(self.metadata.items())[:_MOST_SHOWN],
        ]
        curve = curves_svg(self.axis, {self.name: self.intensity}, falling=falling)
        return page_of(self.name or "Spectrum", curve, table_of(known), notes=self.warnings)

    @property
    def axis_label(self) -> str:
        """The axis as a plot names it: ``Raman shift / cm⁻¹``, ``Axis (unit not stated)``."""
        return axis_label(self.axis_kind, self.axis_unit)

    @property
    def intensity_label(self) -> str:
        """The signal as a plot names it: ``Transmittance / %``, ``Intensity (unit not stated)``."""
        return intensity_label(self.quantity, self.unit)


def axis_label(kind: AxisKind, unit: str | None) -> str:
    """Name an axis of this kind and unit for a plot, honestly where something is not stated."""
    name = "Axis" if kind is AxisKind.UNKNOWN else kind.value.capitalize()
    return _labelled(name, unit)


def intensity_label(quantity: Quantity, unit: str | None) -> str:
    """Name a signal of this quantity and unit for a plot, honestly where something is not stated."""
    name = "Intensity" if quantity is Quantity.UNKNOWN else quantity.value.capitalize()
    name = quantity.value if quantity in _AS_WRITTEN else name
    unit = unit or _QUANTITY_UNIT.get(quantity)
    if unit == quantity.value:
        unit = "1"
    return _labelled(name, unit)


def read_only(values: ArrayLike) -> Array:
    """Give an array of one's own that nobody can write to."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


def _labelled(name: str, unit: str | None) -> str:
    if unit is None:
        return f"{name} (unit not stated)"
    if unit == "1":
        return name
    return f"{name} / {_PRETTY_UNIT.get(unit, unit)}"
