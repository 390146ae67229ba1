"""Spectra as JCAMP-DX 5.01, in the one form that keeps every float: pairs, written out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from batchlab.errors import DataError
from batchlab.spectra._model import AxisKind, Quantity, Spectrum, Technique
from batchlab.spectra._write._facts import as_json, spectrum_facts

__all__ = ["LABEL", "POINTS", "format_jcamp"]

LABEL = "##$BATCHLAB="
POINTS = "##XYPOINTS=(XY..XY)"

_TYPES = {
    Technique.FTIR: "INFRARED SPECTRUM",
    Technique.NIR: "NEAR INFRARED SPECTRUM",
    Technique.RAMAN: "RAMAN SPECTRUM",
    Technique.UV_VIS: "UV/VIS SPECTRUM",
    Technique.FLUORESCENCE: "FLUORESCENCE SPECTRUM",
    Technique.FIELD_REFLECTANCE: "REFLECTANCE SPECTRUM",
}
_X_UNITS = {"cm-1": "1/CM", "nm": "NANOMETERS", "um": "MICROMETERS", "s": "SECONDS", "eV": "EV"}
_Y_UNITS = {
    Quantity.ABSORBANCE: "ABSORBANCE",
    Quantity.TRANSMITTANCE: "TRANSMITTANCE",
    Quantity.REFLECTANCE: "REFLECTANCE",
    Quantity.KUBELKA_MUNK: "KUBELKA-MUNK",
    Quantity.COUNTS: "COUNTS",
    Quantity.LOG_INVERSE_REFLECTANCE: "LOG(1/R)",
}
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_LONGEST = 76  # of a line; the standard allows 80


def format_jcamp(spectra: Sequence[Spectrum], provenance: Mapping[str, object] | None = None) -> str:
    r"""Write spectra as JCAMP-DX: one block, or a LINK block around several.

    Points are pairs in AFFN with factors of 1 and the shortest digits that read back to the same float, so an uneven
    axis is kept, too. What the standard has no word for (role, metadata, warnings) stands in ``##$BATCHLAB`` as
    JSON. A transmittance in percent is called ``% TRANSMITTANCE``, for the standard's own is a fraction.

    Parameters
    ----------
    spectra
        One or more; each keeps its own axis.
    provenance
        How they came about; any JSON.

    Returns
    -------
    str
        In ASCII, with ``\r\n`` line ends.

    Raises
    ------
    DataError
        Reason ``no-spectra``.

    References
    ----------
    .. [1] McDonald and Wilks, JCAMP-DX: A Standard Form for Exchange of Infrared Spectra in Computer Readable
       Form, *Appl. Spectrosc.* 42 (1988) 151.
    """
    if not spectra:
        raise DataError("there is no spectrum to write; give one or more", reason="no-spectra")
    blocks = [_block(each, provenance, number) for number, each in enumerate(spectra, start=1)]
    if len(blocks) == 1:
        lines = blocks[0]
    else:
        lines = [
            "##TITLE=Spectra written by batchlab",
            "##JCAMP-DX=5.01",
            "##DATA TYPE=LINK",
            f"##BLOCKS={len(blocks)}",
            *(line for block in blocks for line in block),
            "##END=",
        ]
    return "\r\n".join([*lines, ""])


def _block(spectrum: Spectrum, provenance: Mapping[str, object] | None, number: int) -> list[str]:
    axis, signal = spectrum.axis, spectrum.intensity
    facts: dict[str, object] = {
        "axis": {"kind": spectrum.axis_kind.value, "unit": spectrum.axis_unit},
        **spectrum_facts(spectrum),
    }
    if provenance:
        facts["provenance"] = dict(provenance)
    first, last = axis[0].item(), axis[-1].item()
    return [
        f"##TITLE={_plain(spectrum.name) or 'spectrum'}",
        "##JCAMP-DX=5.01 $$ batchlab",
        f"##DATA TYPE={_data_type(spectrum)}",
        f"##BLOCK_ID={number}",
        "##ORIGIN=batchlab",
        "##OWNER=",
        *_folded(LABEL, as_json(facts)),
        f"##XUNITS={_x_units(spectrum)}",
        f"##YUNITS={_y_units(spectrum)}",
        "##XFACTOR=1",
        "##YFACTOR=1",
        f"##FIRSTX={first!r}",
        f"##LASTX={last!r}",
        f"##MINX={float(axis.min())!r}",
        f"##MAXX={float(axis.max())!r}",
        f"##MINY={float(signal.min())!r}",
        f"##MAXY={float(signal.max())!r}",
        f"##FIRSTY={signal[0].item()!r}",
        f"##NPOINTS={len(spectrum)}",
        POINTS,
        *(f"{x!r}, {y!r}" for x, y in zip(axis.tolist(), signal.tolist(), strict=True)),
        "##END=",
    ]


def _data_type(spectrum: Spectrum) -> str:
    if spectrum.technique in _TYPES:
        return _TYPES[spectrum.technique]
    if spectrum.axis_kind is AxisKind.RAMAN_SHIFT:
        return "RAMAN SPECTRUM"
    if spectrum.quantity is Quantity.INTERFEROGRAM:
        return "INFRARED INTERFEROGRAM"
    return "INFRARED SPECTRUM" if spectrum.axis_kind is AxisKind.WAVENUMBER else "SPECTRUM"


def _x_units(spectrum: Spectrum) -> str:
    return _X_UNITS.get(spectrum.axis_unit or "") or _plain(spectrum.axis_unit or "").upper() or "ARBITRARY UNITS"


def _y_units(spectrum: Spectrum) -> str:
    said = _Y_UNITS.get(spectrum.quantity)
    if said is None:
        return "ARBITRARY UNITS"
    return f"% {said}" if spectrum.unit == "%" else said


def _plain(text: str) -> str:
    """A text that ends no record and begins no comment."""
    return _NOT_ASCII.sub("?", " ".join(text.split())).replace("$$", "$ $").replace("##", "# #")


def _folded(label: str, text: str) -> list[str]:
    """A long JSON text over several lines; each goes on where the one before ended.

    ``$$`` and ``##`` would mean something to a reader, so their second sign is written by its number.
    """
    text = text.replace("$$", "$\\u0024").replace("##", "#\\u0023")
    parts = [label]
    for at in range(0, len(text), _LONGEST - 1):
        parts.append(f" {text[at : at + _LONGEST - 1]}")
    return parts
