"""What a program's export means without saying so: told by the program's own mark in its first lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from batchlab.spectra._kinds import AxisKind, Quantity, Technique
from batchlab.spectra._read._vocabulary import Meaning, Role

__all__ = ["Dialect", "declared_points", "dialect_of"]

_WAVELENGTH = Meaning(role=Role.AXIS, axis_kind=AxisKind.WAVELENGTH, unit="nm")
_DARK = Meaning(role=Role.DARK, quantity=Quantity.COUNTS, unit="counts")
_REFERENCE = Meaning(role=Role.REFERENCE, quantity=Quantity.COUNTS, unit="counts")
_SAMPLE = Meaning(role=Role.RAW, quantity=Quantity.COUNTS, unit="counts")
_PROCESSED = Meaning(role=Role.RESULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A program whose exports we know.

    Attributes
    ----------
    program
        Its name.
    mark
        What stands in the first lines of its exports.
    names, columns
        Its columns, where their number agrees.
    technique
        How all its spectra are measured; UNKNOWN where they are of several kinds.
    """

    program: str
    mark: re.Pattern[str]
    names: tuple[str, ...]
    columns: tuple[Meaning, ...]
    technique: Technique = Technique.UNKNOWN


_DIALECTS = (
    Dialect(
        program="Ocean Optics Jaz",
        mark=re.compile(r"^Jaz Data File"),
        names=("wavelength", "dark", "reference", "sample", "processed"),
        columns=(_WAVELENGTH, _DARK, _REFERENCE, _SAMPLE, _PROCESSED),
    ),
    Dialect(
        program="Ocean Optics",
        mark=re.compile(
            r"^(?:SpectraSuite Data File|OOIBase32 Version)|^Data from .*^XAxis mode: Wavelengths",
            re.MULTILINE | re.DOTALL,
        ),
        names=("wavelength", "signal"),
        columns=(_WAVELENGTH, _PROCESSED),
    ),
    Dialect(
        program="Spectra Vista",
        mark=re.compile(r"^/\*\*\* Spectra Vista SIG Data \*\*\*/"),
        names=("wavelength", "reference", "target", "reflectance"),
        columns=(
            _WAVELENGTH,
            Meaning(role=Role.REFERENCE, quantity=Quantity.RADIANCE),
            Meaning(role=Role.RAW, quantity=Quantity.RADIANCE),
            Meaning(role=Role.RESULT, quantity=Quantity.REFLECTANCE, unit="%"),
        ),
        technique=Technique.FIELD_REFLECTANCE,
    ),
    Dialect(
        program="PerkinElmer PEDS",
        mark=re.compile(r"^PE FL\s+SPECTRUM\s+ASCII\s+PEDS.*^#GR\nNM\n", re.MULTILINE | re.DOTALL),
        names=("wavelength", "fluorescence intensity"),
        columns=(_WAVELENGTH, Meaning(role=Role.RESULT, quantity=Quantity.FLUORESCENCE, unit="a.u.")),
        technique=Technique.FLUORESCENCE,
    ),
)

_COUNT_KEYS = re.compile(
    r"(?:##)?n_?points|data points|number of (?:data )?points|number of pixels in .*(?:spectrum|file)",
    re.IGNORECASE,
)
_PEDS_COUNT_AFTER_GRAPH = 7


def dialect_of(preamble: tuple[str, ...], columns: int) -> Dialect | None:
    """Tell the program that wrote a file from its preamble; None where it is none of those known."""
    if not preamble:
        return None
    text = "\n".join(preamble)
    for dialect in _DIALECTS:
        if len(dialect.columns) == columns and dialect.mark.search(text):
            return dialect
    return None


def declared_points(preamble: tuple[str, ...], metadata: dict[str, str], dialect: Dialect | None) -> int | None:
    """How many points the preamble says there are; None where it does not say."""
    for key, value in metadata.items():
        if _COUNT_KEYS.fullmatch(key) and value.strip().isdecimal() and len(value) < 12:
            return int(value)
    if dialect is not None and dialect.program == "PerkinElmer PEDS":
        # Positional: the unit follows #GR, then a blank, two factors, first axis value, step, count.
        at = preamble.index("#GR") + _PEDS_COUNT_AFTER_GRAPH
        if at < len(preamble) and preamble[at].strip().isdecimal():
            return int(preamble[at])
    return None
