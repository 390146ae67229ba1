"""The words that exports use for axes, signals and units, in the languages we have seen them in.

A word is looked for; a range of values never decides what a column is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from batchlab.spectra._model import AxisKind, Quantity
from batchlab.spectra._unit_words import unit_of

__all__ = ["Meaning", "Role", "axis_meaning", "is_unit", "meaning", "unit_of"]


class Role(Enum):
    """What a column is to the spectrum it stands in."""

    AXIS = "axis"
    RESULT = "result"  # what the instrument computed, or a signal that has no other companion
    RAW = "raw"  # the raw signal of the sample
    DARK = "dark"
    REFERENCE = "reference"
    BACKGROUND = "background"
    ASIDE = "aside"  # a deviation, a temperature, a flag: no spectrum
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a column's header says of it."""

    role: Role = Role.UNKNOWN
    axis_kind: AxisKind = AxisKind.UNKNOWN
    quantity: Quantity = Quantity.UNKNOWN
    unit: str | None = None


_BRACKETED = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")
_AFTER_MARK = re.compile(r"(?:\s/\s|,\s|\s)\s*([^\s,]+(?:\s*-\s*1)?)\s*$")

_AXIS_WORDS: tuple[tuple[str, AxisKind], ...] = (
    (
        r"raman\s*-?_?\s*shifts?|raman-verschiebung|d[ée]placement raman|desplazamiento raman|spostamento raman"
        r"|deslocamento raman|\u30e9\u30de\u30f3\u30b7\u30d5\u30c8|\u62c9\u66fc\u4f4d\u79fb",
        AxisKind.RAMAN_SHIFT,
    ),
    (
        r"wave\s*-?_?\s*numbers?|wellenzahl(?:en)?|nombre d.onde|n[úu]mero (?:de |d.)onda|golfgetal|\u6ce2\u6570",
        AxisKind.WAVENUMBER,
    ),
    (
        r"(?:(?:emission|excitation|em\.?|ex\.?)[ _])?wave\s*-?_?\s*lengths?|wellenl[äa]e?ngen?|longueur d.onde"
        r"|longitud de onda|lunghezza d.onda|comprimento de onda|golflengte|wl|wvl|lambda|\u03bb"
        r"|\u6ce2\u9577|\u6ce2\u957f",
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
_COMPANIONS = (Role.DARK, Role.REFERENCE, Role.BACKGROUND, Role.ASIDE)
_AXIS_BY_UNIT = {"nm": AxisKind.WAVELENGTH, "um": AxisKind.WAVELENGTH, "eV": AxisKind.ENERGY}

_SIGNAL_WORDS: tuple[tuple[str, Role, Quantity], ...] = (
    (r"dark(?: spectrum| signal| current)?", Role.DARK, Quantity.UNKNOWN),
    (r"(?:reference|ref\.?|white)(?: spectrum| signal)?", Role.REFERENCE, Quantity.UNKNOWN),
    (r"(?:background|blank|baseline)(?: spectrum| signal)?", Role.BACKGROUND, Quantity.UNKNOWN),
    (r"dark[- ]subtracted.*", Role.RESULT, Quantity.COUNTS),
    (r"(?:raw(?: data)?|sample|target|scope)(?: spectrum| signal)?", Role.RAW, Quantity.UNKNOWN),
    (
        r"std\.?(?: ?dev\.?)?|sd|sigma|(?:standard )?(?:deviation|error)|uncertainty|err\.?|temperature.*|flags?"
        r"|weights?|\u00b1.*|\+/-.*",
        Role.ASIDE,
        Quantity.UNKNOWN,
    ),
    (
        r"abs\.?|absorban[cz](?:e|a)|absorption|extinktion|extinction|absorbancia|absorb[âa]ncia|assorbanza"
        r"|optical density|od|a|\u5438\u5149\u5ea6",
        Role.RESULT,
        Quantity.ABSORBANCE,
    ),
    (
        r"%\s?tr?|t\s?%|(?:%\s*)?transmi(?:ttance|ssion|tt\.?)|durchl[äa]ssigkeit|transmit[âa]ncia|trasmittanza"
        r"|\u900f\u904e\u7387|\u900f\u8fc7\u7387",
        Role.RESULT,
        Quantity.TRANSMITTANCE,
    ),
    (
        r"%\s?r|r\s?%|(?:%\s*)?reflect(?:ance|ion)|reflexion|r[ée]flectance|reflectancia|reflet[âa]ncia"
        r"|\u53cd\u5c04\u7387",
        Role.RESULT,
        Quantity.REFLECTANCE,
    ),
    (r"log\s*\(?\s*1\s*/\s*r\s*\)?", Role.RESULT, Quantity.LOG_INVERSE_REFLECTANCE),
    (r"kubelka[- ]munk|k\s*/\s*s", Role.RESULT, Quantity.KUBELKA_MUNK),
    (r"single[- ]?(?:beam|channel)", Role.RESULT, Quantity.SINGLE_BEAM),
    (r"interferogram", Role.RESULT, Quantity.INTERFEROGRAM),
    (r"counts?", Role.RESULT, Quantity.COUNTS),
    (r"fluorescence(?: intensity)?", Role.RESULT, Quantity.FLUORESCENCE),
    (r"irradiance", Role.RESULT, Quantity.IRRADIANCE),
    (r"radiance", Role.RESULT, Quantity.RADIANCE),
    (
        r"intens(?:ity)?|intensit[äa]e?t|intensit[ée]|intensidade?|intensit[àa]|signal|y|processed|result|spectrum"
        r"|\u5f37\u5ea6|\u5f3a\u5ea6",
        Role.RESULT,
        Quantity.INTENSITY,
    ),
)
# A name of a sample may hold the word of its quantity: "leaf 3 - Abs", "%T of blank".
_QUANTITY_WITHIN = (
    (re.compile(r"(?:^|[\s_\-:(])(?:abs(?:orbance)?|extinktion)(?=$|[\s_\-:.)])", re.IGNORECASE), Quantity.ABSORBANCE),
    (re.compile(r"%\s?T\b|\btransmittance\b", re.IGNORECASE), Quantity.TRANSMITTANCE),
    (re.compile(r"%\s?R\b|\breflectance\b", re.IGNORECASE), Quantity.REFLECTANCE),
)
_AXIS_PATTERNS = tuple((re.compile(rf"(?:{p})\b.*", re.IGNORECASE), kind) for p, kind in _AXIS_WORDS)
_SIGNAL_PATTERNS = tuple(
    (re.compile(rf"(?:{p})(?:\s*#?\s*\d+)?", re.IGNORECASE), role, quantity) for p, role, quantity in _SIGNAL_WORDS
)


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
            if role not in _COMPANIONS and quantity in (Quantity.UNKNOWN, Quantity.INTENSITY) and unit == "counts":
                quantity = Quantity.COUNTS
            if unit is None and "%" in bare:
                unit = "%"
            return Meaning(role=role, quantity=quantity, unit=unit)
    if unit == "counts" or unit_of(bare) == "counts":
        return Meaning(role=Role.RESULT, quantity=Quantity.COUNTS, unit="counts")
    within = [quantity for pattern, quantity in _QUANTITY_WITHIN if pattern.search(name)]
    if len(within) == 1:
        return Meaning(quantity=within[0], unit=unit or ("%" if "%" in name else None))
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
