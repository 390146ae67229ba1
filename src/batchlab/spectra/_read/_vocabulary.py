"""The words that exports use for axes, signals and units, in the languages we have seen them in.

A word is looked for; a range of values never decides what a column is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from batchlab.spectra._model import AxisKind, Quantity

__all__ = ["Meaning", "Role", "axis_meaning", "is_unit", "meaning", "unit_of"]


class Role(Enum):
    """What a column is to the spectrum it stands in."""

    AXIS = "axis"
    RESULT = "result"  # what the instrument computed, or a signal that has no other companion
    SAMPLE = "sample"  # the raw signal of the sample
    SUPPORT = "support"  # a dark or reference signal that the result was computed from
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a column's header says of it."""

    role: Role = Role.UNKNOWN
    axis_kind: AxisKind = AxisKind.UNKNOWN
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None


_UNITS: tuple[tuple[str, str], ...] = (
    (r"cm\s*(?:\^|\*\*)?\s*[-\u2212]\s*1|cm\s*\u207b\u00b9|1\s*/\s*cm|cm\^?\{-1\}|rel\.?\s*1/cm", "cm-1"),
    (r"nm\.?|nanomet(?:er|re)s?", "nm"),
    (r"[u\u00b5\u03bc]m|microns?|micromet(?:er|re)s?", "um"),
    (r"ev", "eV"),
    (r"[tg]hz", ""),
    (r"seconds?|secs?|s", "s"),
    (r"minutes?|mins?", "min"),
    (r"%|%\s*(?:t|r|transmittance|reflectance)|percent", "%"),
    (r"counts?|cts?\.?|adu|cnts?", "counts"),
    (r"counts?/s(?:ec)?|cps", "counts/s"),
    (r"a\.?\s?u\.?|arb\.?\s*units?|arbitrary units?", "a.u."),
    (r"[\u00b5u]?w\s*/\s*cm\^?2\s*/\s*nm", "W/cm2/nm"),
)
_UNIT_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), unit) for pattern, unit in _UNITS)
_BRACKETED = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")
_AFTER_MARK = re.compile(r"(?:\s/\s|,\s|\s)\s*([^\s,]+(?:\s*-\s*1)?)\s*$")

_AXIS_WORDS: tuple[tuple[str, AxisKind], ...] = (
    (
        r"raman\s*-?\s*shift|ramanshift|raman-verschiebung|d[ée]placement raman|desplazamiento raman",
        AxisKind.RAMAN_SHIFT,
    ),
    (r"wave\s*-?_?\s*numbers?|wellenzahl(?:en)?|nombre d.onde|n[úu]mero de onda", AxisKind.WAVENUMBER),
    (
        r"wave\s*-?_?\s*lengths?|wellenl[äa]e?nge|longueur d.onde|longitud de onda|wl|lambda|\u03bb",
        AxisKind.WAVELENGTH,
    ),
    (r"photon energy|energy|energie", AxisKind.ENERGY),
    (r"frequency|frequenz", AxisKind.FREQUENCY),
    (r"pixels?(?: number| index)?", AxisKind.PIXEL),
    (r"time|zeit", AxisKind.TIME),
)
# Words that say "this is the axis" and not which.
_VAGUE_AXIS_WORDS = re.compile(r"x|wave|x[- _]?(?:axis|data|values?)|shift", re.IGNORECASE)
# Words that are a unit even without a bracket; a bare S may be seconds or the sample.
_AXIS_UNITS = ("nm", "um", "cm-1", "eV")
_AXIS_BY_UNIT = {"nm": AxisKind.WAVELENGTH, "um": AxisKind.WAVELENGTH, "eV": AxisKind.ENERGY}

_SIGNAL_WORDS: tuple[tuple[str, Role, Quantity], ...] = (
    (r"dark(?: spectrum| signal)?", Role.SUPPORT, Quantity.UNKNOWN),
    (r"(?:reference|ref\.?|background|blank|white)(?: spectrum| signal)?", Role.SUPPORT, Quantity.UNKNOWN),
    (r"dark[- ]subtracted.*", Role.RESULT, Quantity.COUNTS),
    (r"(?:raw(?: data)?|sample|target|scope)(?: spectrum| signal)?", Role.SAMPLE, Quantity.UNKNOWN),
    (
        r"abs\.?|absorbance|absorption|extinktion|extinction|absorbancia|optical density|od|a",
        Role.RESULT,
        Quantity.ABSORBANCE,
    ),
    (
        r"%\s?tr?|t\s?%|(?:%\s*)?transmi(?:ttance|ssion|tt\.?)|durchl[äa]ssigkeit|transmitancia",
        Role.RESULT,
        Quantity.TRANSMITTANCE,
    ),
    (
        r"%\s?r|r\s?%|(?:%\s*)?reflect(?:ance|ion)|reflexion|r[ée]flectance|reflectancia",
        Role.RESULT,
        Quantity.REFLECTANCE,
    ),
    (r"counts?", Role.RESULT, Quantity.COUNTS),
    (r"fluorescence(?: intensity)?", Role.RESULT, Quantity.FLUORESCENCE),
    (r"irradiance", Role.RESULT, Quantity.IRRADIANCE),
    (r"radiance", Role.RESULT, Quantity.RADIANCE),
    (
        r"intensity|intensit[äa]e?t|intensit[ée]|intensidad|signal|y|processed|result|spectrum",
        Role.RESULT,
        Quantity.INTENSITY,
    ),
)
_AXIS_PATTERNS = tuple((re.compile(rf"(?:{p})\b.*", re.IGNORECASE), kind) for p, kind in _AXIS_WORDS)
_SIGNAL_PATTERNS = tuple(
    (re.compile(rf"(?:{p})(?:\s*#?\s*\d+)?", re.IGNORECASE), role, quantity) for p, role, quantity in _SIGNAL_WORDS
)


def unit_of(text: str) -> str | None:
    """Say a unit in our spelling; None for a word that is no unit we know."""
    text = text.strip()
    for pattern, unit in _UNIT_PATTERNS:
        if pattern.fullmatch(text):
            return unit or text
    return None


def is_unit(cell: str) -> bool:
    """Whether a header cell is a unit and nothing else: ``[nm]``, ``(%)``, ``cm-1``."""
    return _BRACKETED.fullmatch(cell.strip()) is not None or unit_of(cell) in _AXIS_UNITS


def axis_meaning(name: str, unit: str | None = None) -> Meaning | None:
    """Read a header as the one of an axis; None where it has no word or unit of one."""
    bare, unit_in_name = _split(name)
    unit = unit or unit_in_name
    for pattern, kind in _AXIS_PATTERNS:
        if pattern.fullmatch(bare):
            return Meaning(role=Role.AXIS, axis_kind=kind, unit=unit)
    if _VAGUE_AXIS_WORDS.fullmatch(bare) or unit in _AXIS_UNITS:
        kind = _AXIS_BY_UNIT.get(unit or "", AxisKind.UNKNOWN)
        return Meaning(role=Role.AXIS, axis_kind=kind, unit=unit)
    return None


def meaning(name: str, unit: str | None = None) -> Meaning:
    """Read a column's header, and the unit that stands below it if any.

    Parameters
    ----------
    name
        The header cell, such as ``Wavelength (nm)`` or ``%T #1``.
    unit
        The unit from a row of its own.

    Returns
    -------
    Meaning
        What it says; all unknown where it says nothing we know.
    """
    axis = axis_meaning(name, unit)
    if axis is not None:
        return axis
    bare, unit_in_name = _split(name)
    unit = unit or unit_in_name
    for pattern, role, quantity in _SIGNAL_PATTERNS:
        if pattern.fullmatch(bare):
            if role is not Role.SUPPORT and quantity in (Quantity.UNKNOWN, Quantity.INTENSITY) and unit == "counts":
                quantity = Quantity.COUNTS
            if unit is None and "%" in bare:
                unit = "%"
            return Meaning(role=role, quantity=quantity, unit=unit)
    if unit == "counts":
        return Meaning(role=Role.RESULT, quantity=Quantity.COUNTS, unit=unit)
    return Meaning(unit=unit)


def _split(name: str) -> tuple[str, str | None]:
    """Part a header into its name and its unit."""
    name = name.strip()
    bracketed = _BRACKETED.search(name)
    if bracketed is not None:
        return (name[: bracketed.start()] + name[bracketed.end() :]).strip(), unit_of(bracketed[1]) or bracketed[
            1
        ] or None
    if unit_of(name) in _AXIS_UNITS:
        return name, unit_of(name)
    tail = _AFTER_MARK.search(name)
    if tail is not None and (unit := unit_of(tail[1])) is not None:
        return name[: tail.start()].strip(), unit
    return name, None
