"""Horiba (Jobin-Yvon) LabSpec XML files: axes in a tree whose elements are told by number, intensities in rows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Technique
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._read._formats._assemble import assemble, one_or_more, part_name
from batchlab.spectra._read._formats._units import Axis, axis_of, signal_of

__all__ = ["read_jobin_yvon"]

_WHAT = "a LabSpec XML file"
_AXES, _VALUES, _LABEL, _UNIT = "0x7B697861", "0x7D6CD4DB", "0x6D707974", "0x7C696E75"
_TITLE, _SETTING_NAME, _SETTING_VALUE = "0x6C7469D9", "0x6D6D616E", "0x7D6C61DB"
_COMMON = {"date": "date", "laser (nm)": "laser_nm", "title": "title", "instrument": "instrument"}


def read_jobin_yvon(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read every spectrum of a LabSpec XML file: one, or each row of a map.

    Raises
    ------
    DataError
        Reason ``damaged``, ``truncated``, ``not-a-spectrum``.
    """
    # Instruments write no entities; who wants them expanded wants memory, not a spectrum read.
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
        raise _broken(path, "declares a document type of its own")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise DataError(
            f"{path}: {_WHAT} that is no whole XML document ({error}); it was not written to its end or is damaged: "
            "copy or export it again",
            reason="truncated" if "no element found" in str(error) else "damaged",
        ) from error
    x, axis, unit = _axis(path, root)
    rows = [_numbers(path, row.text or "") for row in root.iterfind("LSX_Matrix/LSX_Row")]
    settings = dict(_settings(root))
    if axis.kind is AxisKind.WAVENUMBER and "laser_nm" in settings:
        # LabSpec writes 1/cm for the shift from its laser; an absolute axis is in nm or eV.
        axis = Axis(AxisKind.RAMAN_SHIFT, "cm-1")
    spectra = []
    for number, y in enumerate(rows, start=1):
        if y.size != x.size:
            raise _broken(path, f"has {y.size} intensities in row {number} for {x.size} axis values")
        spectra.append(
            assemble(
                path,
                part_name(path, str(number), len(rows)),
                x,
                y,
                axis,
                signal_of(unit),
                metadata=settings,
                technique=Technique.RAMAN if axis.kind is AxisKind.RAMAN_SHIFT else Technique.UNKNOWN,
            )
        )
    return one_or_more(path, spectra, _WHAT)


def _axis(path: Path, root: ET.Element) -> tuple[Array, Axis, str]:
    """The axis, what it is, and the unit of the intensities."""
    axes = next((each for each in root.iter("LSX") if each.get("ID") == _AXES), None)
    if axes is None:
        raise _broken(path, "has no axes")
    intensity = axes.find("LSX[@ID='0x0']")
    for each in axes:
        if each.get("ID") != "0x0" and _said(each, _LABEL).lower().startswith("spectr"):
            unit = _said(each, _UNIT)
            return _numbers(path, _said(each, _VALUES)), axis_of(unit), _said(intensity, _UNIT)
    raise _broken(path, "has no spectral axis")


def _settings(root: ET.Element) -> Iterator[tuple[str, str]]:
    for element in root.iter("LSX"):
        name, value = _said(element, _SETTING_NAME), _said(element, _SETTING_VALUE)
        if name and value:
            yield _COMMON.get(name.lower(), name), value


def _said(element: ET.Element | None, number: str) -> str:
    found = None if element is None else element.find(f"LSX[@ID='{number}']")
    return "" if found is None else (found.text or "").strip()


def _numbers(path: Path, text: str) -> Array:
    try:
        return np.array([float(each) for each in text.split()])
    except ValueError as error:
        raise _broken(path, f"has something that is no number among its values ({error})") from error


def _broken(path: Path, what: str) -> DataError:
    return DataError(
        f"{path}: {_WHAT} that {what}; the file is damaged or of a kind not known: export the spectrum as text",
        reason="damaged",
    )
