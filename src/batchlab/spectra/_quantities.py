"""What a signal is as another quantity: absorbance, transmittance, reflectance and what is computed of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._model import Array, Quantity, Spectrum
from batchlab.spectra._units import no_such_conversion
from batchlab.spectra._words import agreed

__all__ = ["mix_up", "quantity_values", "to_quantity", "unit_wanted"]

_SHARES = {"1": 1.0, "%": 0.01}
_TRANSMITTED = (Quantity.TRANSMITTANCE, Quantity.ABSORBANCE)
_REFLECTED = (Quantity.REFLECTANCE, Quantity.LOG_INVERSE_REFLECTANCE, Quantity.KUBELKA_MUNK)
_IN_SHARES = (Quantity.TRANSMITTANCE, Quantity.REFLECTANCE)
_SAYS_NOTHING = (Quantity.UNKNOWN, Quantity.INTENSITY)
_MOST_ABSORBANCE = 10.0
_MOST_OF_A_SHARE = 1.5
_FEW = 0.01


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
    quantity = Quantity.named(quantity)
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
    Absorbance is decadic, A = -lg T [1]_; log(1/R) likewise. Kubelka-Munk is (1 - R)^2 / 2R [2]_, whose inverse here
    is the root below 1: above it there is no diffuse reflectance.

    References
    ----------
    .. [1] IUPAC, *Compendium of Chemical Terminology*, "absorbance".
    .. [2] Kubelka, *J. Opt. Soc. Am.* 38 (1948) 448-457.
    """
    (quantity, unit), other, other_unit = given, wanted[0], unit_wanted(*wanted)
    everywhere = np.ones(values.size, dtype=bool)
    if quantity in _SAYS_NOTHING and other not in _SAYS_NOTHING and unit in (None, "1", "a.u.", other_unit):
        return (
            values,
            everywhere,
            f"{called}: its file does not say what its signal is; taken for {other.value}, as wanted",
        )
    if quantity is other and (unit or "1") == (other_unit or "1") and not (unit is None and quantity in _IN_SHARES):
        return values, everywhere, None
    if quantity is other and other_unit is None:
        return values, everywhere, None
    if quantity is other and quantity not in _IN_SHARES:
        raise no_such_conversion(
            f"{called} is {quantity.value} in {unit or 'no unit'}, which nothing turns into {other_unit}"
        )
    if not any(quantity in kin and other in kin for kin in (_TRANSMITTED, _REFLECTED)):
        raise no_such_conversion(
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
    if not lost:
        return converted, valid, None
    have, are = agreed(lost, "has", "have"), agreed(lost, "is", "are")
    return converted, valid, f"{called}: {lost} of {values.size} points {have} no {other.value} and {are} left out"


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
        raise no_such_conversion(f"{quantity.value} is never in {unit}")
    return unit or "1"


def _share(values: Array, quantity: Quantity, unit: str | None, called: str) -> tuple[Array, NDArray[np.bool_]]:
    """A transmittance or reflectance as a share of 1, and where there is one."""
    if quantity in _IN_SHARES:
        if unit not in _SHARES:
            raise no_such_conversion(
                f"{called} is {quantity.value} in {unit or 'no unit'}; state unit: '%' or unit: '1'"
            )
        return values * _SHARES[unit], np.ones(values.size, dtype=bool)
    if quantity is Quantity.KUBELKA_MUNK:
        valid = values >= 0
        f = np.where(valid, values, 0.0)
        # The root 1 + F - sqrt(F^2 + 2F), written so that a large F loses no digits.
        return 1.0 / (1.0 + f + np.sqrt(f * f + 2.0 * f)), valid
    # A stray point far below zero has no transmittance that a float can hold.
    valid = values > -300.0
    return 10.0 ** -np.where(valid, values, 0.0), valid
