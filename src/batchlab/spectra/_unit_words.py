"""Units as people write them, and which of them an axis or a signal can have; loads no numpy, so params can use it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from batchlab.spectra._kinds import AxisKind, Quantity

__all__ = ["AXIS_UNITS", "SIGNAL_UNITS", "stated_axis_unit", "stated_signal_unit", "unit_of"]

_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"cm\s*(?:\^|\*\*)?\s*[-\u2212]\s*1|cm\s*\u207b\u00b9|1\s*/\s*cm|cm\^?\{-1\}|rel\.?\s*1/cm", "cm-1"),
    (r"nm\.?|nanomet(?:er|re)s?", "nm"),
    (r"[u\u00b5\u03bc]m|microns?|micromet(?:er|re)s?", "um"),
    (r"ev", "eV"),
    (r"thz", "THz"),
    (r"ghz", "GHz"),
    (r"seconds?|secs?|s", "s"),
    (r"minutes?|mins?", "min"),
    (r"%|%\s*(?:t|r|transmittance|reflectance)|percent", "%"),
    (r"counts?|cts?\.?|adu|cnts?", "counts"),
    (r"counts?/s(?:ec)?|cps", "counts/s"),
    (r"a\.?\s?u\.?|arb\.?\s*units?|arbitrary units?", "a.u."),
    (r"w\s*/\s*cm\^?2\s*/\s*nm", "W/cm2/nm"),
    (r"[\u00b5\u03bcu]w\s*/\s*cm\^?2\s*/\s*nm", "uW/cm2/nm"),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), unit) for pattern, unit in _SPELLINGS)

#: The units that positions of each kind can have.
AXIS_UNITS = {
    AxisKind.WAVENUMBER: ("cm-1", "m-1"),
    AxisKind.RAMAN_SHIFT: ("cm-1",),
    AxisKind.WAVELENGTH: ("nm", "um", "mm", "angstrom"),
    AxisKind.ENERGY: ("eV", "meV"),
    AxisKind.FREQUENCY: ("THz", "GHz", "MHz", "Hz"),
    AxisKind.PIXEL: ("1",),
    AxisKind.TIME: ("s", "ms", "min", "h"),
}
#: The units of signals that cannot have just any.
SIGNAL_UNITS = {
    Quantity.ABSORBANCE: ("1", "a.u."),
    Quantity.TRANSMITTANCE: ("1", "%"),
    Quantity.REFLECTANCE: ("1", "%"),
    Quantity.LOG_INVERSE_REFLECTANCE: ("1", "a.u."),
    Quantity.KUBELKA_MUNK: ("1", "a.u."),
    Quantity.COUNTS: ("counts", "counts/s", "a.u.", "1"),
}
_OF_AXES = tuple(dict.fromkeys(unit for units in AXIS_UNITS.values() for unit in units))
_OF_SIGNALS = ("1", "%", "counts", "counts/s", "a.u.", "W/cm2/nm", "W/m2/nm", "W/m2/sr/nm", "mV", "V", "nA", "RFU")
# What a unit of a signal may be a product of: W m-2 nm-1 sr-1, photons/s/cm^2.
_FACTOR = re.compile(
    r"[munpfkMGT\u00b5\u03bcc]?(?:W|J|m|sr|s|V|A|Hz|eV|mol|g|l|L|AU|OD|Jy)|counts?|photons?|electrons?|R[FL]U|adu|dB"
    r"|min|h|sec|pixel|px|%|a\.u\."
)
_BETWEEN = re.compile(r"[\s/*\u00b7()^]+|[-\u2212+]?\d+|[\u2070-\u207b\u00b2\u00b3\u00b9]+")


def unit_of(text: str) -> str | None:
    """Say a unit in our spelling; None for a word that is no unit we know."""
    text = text.strip()
    for pattern, unit in _PATTERNS:
        if pattern.fullmatch(text):
            return unit or text
    return None


def stated_axis_unit(text: str, kind: AxisKind | None = None) -> str:
    """The unit of an axis as somebody states it, in our spelling.

    Parameters
    ----------
    text
        As written.
    kind
        Of the axis, where it is known.

    Raises
    ------
    ValueError
        It is no unit, or none of such an axis; with the nearest that is.
    """
    units = AXIS_UNITS.get(kind, _OF_AXES) if kind is not None else _OF_AXES
    written = text.strip()
    spelled = written if written in _OF_AXES else unit_of(written) or _in_any_case(written, units)
    if spelled not in _OF_AXES:
        raise ValueError(f"{text!r} is no unit of an axis{_near(written, units)} There are {', '.join(_OF_AXES)}")
    if spelled not in units:
        of_them = next(word for word, own in AXIS_UNITS.items() if spelled in own)
        raise ValueError(f"a {kind} is in {' or '.join(units)}, not in {spelled}, the unit of a {of_them}")
    return spelled


def stated_signal_unit(text: str, quantity: Quantity | None = None) -> str:
    """The unit of a signal as somebody states it, in our spelling; products such as ``W m-2 nm-1`` are as written.

    Raises
    ------
    ValueError
        It is no unit, or none of such a signal; with the nearest that is.
    """
    written = text.strip()
    spelled = unit_of(written) or _in_any_case(written, _OF_SIGNALS) or written
    units = SIGNAL_UNITS.get(quantity) if quantity is not None else None
    known = spelled in _OF_SIGNALS or (spelled not in _OF_AXES and _is_product(spelled))
    if not known:
        what = "a unit of an axis, and none of a signal" if spelled in _OF_AXES else "no unit of a signal"
        of_them = units or _OF_SIGNALS
        raise ValueError(f"{text!r} is {what}{_near(written, of_them)} There are {', '.join(of_them)}"
                         f"{'' if units else ', and products such as W m-2 nm-1'}")  # fmt: skip
    if units is not None and spelled not in units:
        raise ValueError(f"{quantity} is in {' or '.join(units)}, where 1 is a plain number, not in {spelled}")
    return spelled


def _is_product(text: str) -> bool:
    factors = [part for part in _BETWEEN.split(text) if part]
    return bool(factors) and all(_FACTOR.fullmatch(part) for part in factors)


def _in_any_case(text: str, units: Iterable[str]) -> str | None:
    found = [unit for unit in units if unit.lower() == text.lower()]
    return found[0] if len(found) == 1 else None


def _near(text: str, units: Iterable[str]) -> str:
    """The unit that is meant, if it can be told: letters that changed places first."""
    known = tuple(units)
    swapped = [unit for unit in known if sorted(unit) == sorted(text.lower())]
    near = swapped or get_close_matches(text, known, 1, 0.5)
    return f", did you mean {near[0]!r}?" if near else "."
