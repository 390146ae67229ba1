"""What a spectrum's axis and signal are in other units, and which conversions nobody may make.

Positions go by the vacuum wavenumber; the refractive index of air (3 in 10,000) is left out, as instruments leave it
out in their exports.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum

__all__ = ["axis_values", "mix_up", "quantity_values", "to_axis", "to_quantity", "unit_wanted"]

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
_SHARES = {"1": 1.0, "%": 0.01}
_TRANSMITTED = (Quantity.TRANSMITTANCE, Quantity.ABSORBANCE)
_REFLECTED = (Quantity.REFLECTANCE, Quantity.LOG_INVERSE_REFLECTANCE, Quantity.KUBELKA_MUNK)
_IN_SHARES = (Quantity.TRANSMITTANCE, Quantity.REFLECTANCE)
_SAYS_NOTHING = (Quantity.UNKNOWN, Quantity.INTENSITY)
_MOST_ABSORBANCE = 10.0
_MOST_OF_A_SHARE = 1.5
_FEW = 0.01


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
        The laser line in nm, to or from a Raman shift.

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
    kind = AxisKind(kind)
    called = f"spectrum {spectrum.name!r}" if spectrum.name else "the spectrum"
    unit = unit or (next(iter(_UNITS[kind])) if kind in _UNITS else None)
    own_kind, own_unit = spectrum.axis_kind, spectrum.axis_unit
    if own_kind is AxisKind.UNKNOWN and own_unit in _KIND_OF_UNIT:
        own_kind = _KIND_OF_UNIT[own_unit]
    if (own_kind, own_unit) == (kind, unit):
        return spectrum if spectrum.axis_kind is kind else replace(spectrum, axis_kind=kind)
    silent = own_kind is AxisKind.UNKNOWN and own_unit in (None, unit)
    if silent or (own_kind is kind and own_unit is None):
        warning = f"{called} does not say what its axis is; taken for {kind.value} in {unit}, as wanted"
        return replace(spectrum, axis_kind=kind, axis_unit=unit, warnings=(*spectrum.warnings, warning))
    if spectrum.quantity in _DENSITIES and own_kind is not kind:
        raise _refused(
            f"{called} is a {spectrum.quantity.value} per unit of {own_kind.value}: per unit of {kind.value} each "
            "value is another one; convert it where its unit is known, or compare it on its own axis"
        )
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
            raise _refused(f"{called} does not say what it is; state axis_kind and axis_unit")
        if kind not in _UNITS:
            raise _refused(f"{called}: no {given[0].value} becomes a {wanted[0].value}; state axis_kind if it is wrong")
        if unit not in _UNITS[kind]:
            raise _refused(f"{called}: {kind.value} in {unit or 'no unit'}; write {' or '.join(_UNITS[kind])}")
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


def to_quantity(spectrum: Spectrum, quantity: Quantity | str, unit: str | None = None) -> Spectrum:
    """Convert the signal of a spectrum.

    Parameters
    ----------
    spectrum
        What was measured.
    quantity, unit
        What is wanted; a transmittance or reflectance is in % or, by default, a share of 1.

    Returns
    -------
    Spectrum
        On the same axis, without the points that have no such value (a transmittance of zero or less has no
        absorbance), which a warning counts. A signal that does not say what it is, is taken for what is wanted,
        with a warning.

    Raises
    ------
    DataError
        Reason ``no-such-conversion``, such as counts to absorbance, or absorbance to reflectance.
        ``not-a-spectrum``: fewer than two points are left.
    """
    called = f"spectrum {spectrum.name!r}" if spectrum.name else "the spectrum"
    given = (spectrum.quantity, spectrum.unit)
    quantity = Quantity(quantity)
    unit = unit_wanted(quantity, unit) or spectrum.unit
    values, valid, warning = quantity_values(spectrum.intensity, given, (quantity, unit), called=called)
    return replace(
        spectrum,
        axis=spectrum.axis[valid],
        intensity=values[valid],
        quantity=quantity,
        unit=unit,
        warnings=spectrum.warnings if warning is None else (*spectrum.warnings, warning),
    )


def quantity_values(
    values: Array,
    given: tuple[Quantity, str | None],
    wanted: tuple[Quantity, str | None],
    *,
    called: str = "the signal",
) -> tuple[Array, NDArray[np.bool_], str | None]:
    """Convert a signal from one quantity to another.

    Parameters
    ----------
    values : (n,) array
        In the unit given.
    given, wanted
        Quantity and unit.
    called
        Whose signal it is, for a message.

    Returns
    -------
    values : (n,) array
        In the unit wanted; meaningless where not valid.
    valid : (n,) array of bool
        Where there is such a value.
    warning : str or None
        What was taken for granted, or how many points have no value.

    Raises
    ------
    DataError
        Reason ``no-such-conversion``.

    Notes
    -----
    Absorbance is decadic, A = -lg T [2]_; log(1/R) likewise. Kubelka-Munk is (1 - R)^2 / 2R [3]_, whose inverse here
    is the root below 1: above it there is no diffuse reflectance.

    References
    ----------
    .. [2] IUPAC, *Compendium of Chemical Terminology*, "absorbance".
    .. [3] Kubelka, *J. Opt. Soc. Am.* 38 (1948) 448-457.
    """
    (quantity, unit), other, other_unit = given, wanted[0], unit_wanted(*wanted)
    everywhere = np.ones(values.size, dtype=bool)
    if quantity in _SAYS_NOTHING and other not in _SAYS_NOTHING and unit in (None, "1", "a.u.", other_unit):
        return values, everywhere, f"{called} does not say what its signal is; taken for {other.value}, as wanted"
    if quantity is other and (unit or "1") == (other_unit or "1") and not (unit is None and quantity in _IN_SHARES):
        return values, everywhere, None
    if quantity is other and other_unit is None:
        return values, everywhere, None
    if quantity is other and quantity not in _IN_SHARES:
        raise _refused(f"{called} is {quantity.value} in {unit or 'no unit'}, which nothing turns into {other_unit}")
    if not any(quantity in kin and other in kin for kin in (_TRANSMITTED, _REFLECTED)):
        raise _refused(
            f"{called} is {quantity.value}, which has no {other.value}"
            + (
                "; what is to a reflectance as absorbance to a transmittance is log(1/R)"
                if quantity in _REFLECTED and other is Quantity.ABSORBANCE
                else "; compare it with its like, or state its quantity if the file is wrong"
            )
        )
    share, valid = _share(values, quantity, unit, called)
    if other in (Quantity.ABSORBANCE, Quantity.LOG_INVERSE_REFLECTANCE, Quantity.KUBELKA_MUNK):
        valid &= share > 0
    safe = np.where(valid, share, 1.0)
    if other in _IN_SHARES:
        converted: Array = safe / _SHARES[str(other_unit)]
    elif other is Quantity.KUBELKA_MUNK:
        converted = (1.0 - safe) ** 2 / (2.0 * safe)
    else:
        converted = -np.log10(safe)
    lost = int(values.size - np.count_nonzero(valid))
    if values.size - lost < 2:
        raise DataError(
            f"{called}: {lost} of {values.size} values of {quantity.value} have no {other.value}; look at the file",
            reason="not-a-spectrum",
        )
    warning = f"{called}: {lost} of {values.size} points have no {other.value} and are left out" if lost else None
    return converted, valid, warning


def mix_up(quantity: Quantity, unit: str | None, values: Array) -> str | None:
    """Say so where a signal is hardly what it is said to be: absorbance that looks like a transmittance in %.

    Parameters
    ----------
    quantity, unit
        What it is said to be.
    values : (n,) array
        The signal.

    Returns
    -------
    str or None
        What it looks like, and what to state if it is so. The range alone decides nothing.
    """
    if quantity not in (*_IN_SHARES, Quantity.ABSORBANCE, Quantity.LOG_INVERSE_REFLECTANCE):
        return None
    highest = float(values.max())
    if unit == "%":
        if 0.0 < highest <= _MOST_OF_A_SHARE:
            return (
                f"it is said to be {quantity.value} in %, yet never exceeds {highest:.3g}: if it is a share of 1, "
                "state unit: '1'; if it is absorbance, state quantity: absorbance"
            )
        return None
    beyond = values > _MOST_ABSORBANCE if highest > _MOST_ABSORBANCE else values < -1.0
    share = np.count_nonzero(beyond) / values.size
    if share <= _FEW:
        return None
    what = f"{quantity.value}{' as a share of 1' if quantity in _IN_SHARES else ''}"
    if highest <= _MOST_ABSORBANCE:
        return f"it is said to be {what}, yet {share:.0%} of it lies below -1: look at its dark and its reference"
    percent = Quantity.REFLECTANCE if quantity in _REFLECTED else Quantity.TRANSMITTANCE
    return (
        f"it is said to be {what}, yet {share:.0%} of it lies above {_MOST_ABSORBANCE:g}, up to {highest:.4g}: if "
        f"it is in %, state quantity: {percent.value}, unit: '%'"
    )


def unit_wanted(quantity: Quantity, unit: str | None) -> str | None:
    """The unit a quantity is converted to: a plain number where nothing else is said; None keeps what there is.

    Raises
    ------
    DataError
        Reason ``no-such-conversion``: the quantity is never in that unit.
    """
    if quantity not in (*_TRANSMITTED, *_REFLECTED):
        return unit
    if unit is not None and unit not in (_SHARES if quantity in _IN_SHARES else ("1",)):
        raise _refused(f"{quantity.value} is never in {unit}")
    return unit or "1"


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
        raise _refused(f"{called} holds positions at or below zero, which have no inverse; cut them off")
    inverse: Array = _NM_TIMES_CM1 / values
    return inverse


def _laser(laser_nm: float | None, called: str) -> float:
    if laser_nm is None or not laser_nm > 0:
        raise DataError(
            f"{called}: a Raman shift counts from the laser line, which is not known; state laser_nm, such as 785",
            reason="no-laser-line",
        )
    return _NM_TIMES_CM1 / laser_nm


def _share(values: Array, quantity: Quantity, unit: str | None, called: str) -> tuple[Array, NDArray[np.bool_]]:
    """A transmittance or reflectance as a share of 1, and where there is one."""
    if quantity in _IN_SHARES:
        if unit not in _SHARES:
            raise _refused(f"{called} is {quantity.value} in {unit or 'no unit'}; state unit: '%' or unit: '1'")
        return values * _SHARES[unit], np.ones(values.size, dtype=bool)
    if quantity is Quantity.KUBELKA_MUNK:
        valid = values >= 0
        f = np.where(valid, values, 0.0)
        # The root 1 + F - sqrt(F^2 + 2F), written so that a large F loses no digits.
        return 1.0 / (1.0 + f + np.sqrt(f * f + 2.0 * f)), valid
    # A stray point far below zero has no transmittance that a float can hold.
    valid = values > -300.0
    return 10.0 ** -np.where(valid, values, 0.0), valid


def _refused(message: str) -> DataError:
    return DataError(message, reason="no-such-conversion")
