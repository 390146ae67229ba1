"""What the positions of a spectrum are on another axis, and which conversions nobody may make.

Positions go by the vacuum wavenumber; the refractive index of air (3 in 10,000) is left out, as instruments leave it
out in their exports.
"""

from __future__ import annotations

from dataclasses import replace

from batchlab.errors import DataError
from batchlab.spectra._laser import laser_line_of
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum

__all__ = ["axis_values", "no_such_conversion", "to_axis"]

# CODATA 2018 [1]_: exact since the units were defined by them.
_C_M_PER_S = 299_792_458.0
_H_J_S = 6.626_070_15e-34
_E_C = 1.602_176_634e-19
_EV_PER_CM1 = _H_J_S * _C_M_PER_S / _E_C * 100.0
_THZ_PER_CM1 = _C_M_PER_S * 100.0 * 1e-12
_NM_TIMES_CM1 = 1e7

_UNITS = {
    AxisKind.WAVENUMBER: {"cm-1": 1.0, "m-1": 0.01},
    AxisKind.RAMAN_SHIFT: {"cm-1": 1.0},
    AxisKind.WAVELENGTH: {"nm": 1.0, "um": 1e3, "mm": 1e6, "angstrom": 0.1},
    AxisKind.ENERGY: {"eV": 1.0, "meV": 1e-3},
    AxisKind.FREQUENCY: {"THz": 1.0, "GHz": 1e-3, "MHz": 1e-6, "Hz": 1e-12},
}
_KIND_OF_UNIT = {
    unit: kind
    for kind, units in _UNITS.items()
    for unit in units
    if kind is not AxisKind.RAMAN_SHIFT and unit != "cm-1"
}
_DENSITIES = (Quantity.RADIANCE, Quantity.IRRADIANCE)


def to_axis(
    spectrum: Spectrum, kind: AxisKind | str, unit: str | None = None, *, laser_nm: float | None = None
) -> Spectrum:
    """Convert the axis of a spectrum, point by point.

    Parameters
    ----------
    spectrum
        What was measured; nothing is sorted and no point is lost.
    kind, unit
        What is wanted; the unit is nm, cm-1, eV or THz where it is not said.
    laser_nm
        The laser line in nm, to or from a Raman shift; by default the one that the metadata say.

    Returns
    -------
    Spectrum
        The same signal. An axis that does not say what it is, is taken for what is wanted, with a warning.

    Raises
    ------
    DataError
        Reason ``no-laser-line``: a Raman shift without its line. ``no-such-conversion``: pixels and times have no
        wavelength; a radiance per nm is another one per cm-1; positions at or below zero have no inverse.
    """
    kind = AxisKind.named(kind)
    called = f"spectrum {spectrum.name!r}" if spectrum.name else "the spectrum"
    unit = unit or next(iter(_UNITS.get(kind, ())), spectrum.axis_unit)
    own_kind, own_unit = spectrum.axis_kind, spectrum.axis_unit
    if own_kind is AxisKind.UNKNOWN and own_unit in _KIND_OF_UNIT:
        own_kind = _KIND_OF_UNIT[own_unit]
    if (own_kind, own_unit) == (kind, unit):
        return spectrum if spectrum.axis_kind is kind else replace(spectrum, axis_kind=kind)
    silent = own_kind is AxisKind.UNKNOWN and own_unit in (None, unit)
    if silent or (own_kind is kind and own_unit is None):
        warning = f"{called}: its file does not say what its axis is; taken for {kind.value} in {unit}, as wanted"
        return replace(spectrum, axis_kind=kind, axis_unit=unit, warnings=(*spectrum.warnings, warning))
    if spectrum.quantity in _DENSITIES and own_kind is not kind:
        raise no_such_conversion(
            f"{called} is a {spectrum.quantity.value} per unit of {own_kind.value}: per unit of {kind.value} each "
            "value is another one; convert it where its unit is known, or compare it on its own axis"
        )
    if laser_nm is None:
        laser_nm = laser_line_of(spectrum.metadata)
    axis = axis_values(spectrum.axis, (own_kind, own_unit), (kind, unit), laser_nm=laser_nm, called=called)
    warnings = spectrum.warnings
    if spectrum.quantity is Quantity.FLUORESCENCE and own_kind is not kind:
        warnings = (
            *warnings,
            f"{called}: positions were converted to {kind.value}, intensities kept per point: bands keep their height, "
            "not their area",
        )
    return replace(spectrum, axis=axis, axis_kind=kind, axis_unit=unit, warnings=warnings)


def axis_values(
    positions: Array,
    given: tuple[AxisKind, str | None],
    wanted: tuple[AxisKind, str | None],
    *,
    laser_nm: float | None = None,
    called: str = "the axis",
) -> Array:
    """Convert positions from one kind and unit of axis to another.

    Parameters
    ----------
    positions : (n,) array
        In the unit given.
    given, wanted
        Kind and unit.
    laser_nm
        The laser line in nm.
    called
        Whose axis it is, for a message.

    Returns
    -------
    (n,) array
        In the unit wanted, in the order of `positions`: between wavelengths and wavenumbers it runs the other way.

    Raises
    ------
    DataError
        Reasons ``no-laser-line`` and ``no-such-conversion``.

    References
    ----------
    .. [1] Tiesinga et al., *Rev. Mod. Phys.* 93 (2021) 025010: h, c and e are exact.
    """
    for kind, unit in (given, wanted):
        if kind is AxisKind.UNKNOWN:
            raise no_such_conversion(f"{called} does not say what it is; state axis_kind and axis_unit")
        if kind not in _UNITS:
            raise no_such_conversion(
                f"{called}: no {given[0].value} becomes a {wanted[0].value}; state axis_kind if it is wrong"
            )
        if unit not in _UNITS[kind]:
            raise no_such_conversion(
                f"{called}: {kind.value} in {unit or 'no unit'}; write {' or '.join(_UNITS[kind])}"
            )
    (kind, unit), (other, other_unit) = given, wanted
    factor, divisor = _UNITS[kind][str(unit)], _UNITS[other][str(other_unit)]
    if kind is other:
        return positions * (factor / divisor)
    wavenumber = _wavenumber(positions * factor, kind, laser_nm, called)
    if other is AxisKind.WAVENUMBER:
        values = wavenumber
    elif other is AxisKind.RAMAN_SHIFT:
        values = _laser(laser_nm, called) - wavenumber
    elif other is AxisKind.ENERGY:
        values = wavenumber * _EV_PER_CM1
    elif other is AxisKind.FREQUENCY:
        values = wavenumber * _THZ_PER_CM1
    else:
        values = _inverse(wavenumber, called)
    converted: Array = values / divisor
    return converted


def _wavenumber(positions: Array, kind: AxisKind, laser_nm: float | None, called: str) -> Array:
    """Absolute wavenumbers in cm-1 of positions in the first unit of their kind."""
    if kind is AxisKind.WAVENUMBER:
        return positions
    if kind is AxisKind.RAMAN_SHIFT:
        return _laser(laser_nm, called) - positions
    if kind is AxisKind.ENERGY:
        return positions / _EV_PER_CM1
    if kind is AxisKind.FREQUENCY:
        return positions / _THZ_PER_CM1
    return _inverse(positions, called)


def _inverse(values: Array, called: str) -> Array:
    if not (values > 0).all():
        raise no_such_conversion(f"{called} holds positions at or below zero, which have no inverse; cut them off")
    inverse: Array = _NM_TIMES_CM1 / values
    return inverse


def _laser(laser_nm: float | None, called: str) -> float:
    if laser_nm is None or not laser_nm > 0:
        raise DataError(
            f"{called}: state laser_nm, such as 785; a Raman shift counts from the laser line, and the file does not "
            "say which",
            reason="no-laser-line",
        )
    return _NM_TIMES_CM1 / laser_nm


def no_such_conversion(message: str) -> DataError:
    """The error for a conversion that would be wrong."""
    return DataError(message, reason="no-such-conversion")
