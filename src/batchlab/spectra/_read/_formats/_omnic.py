"""Thermo OMNIC files (.spa): a table of keys, each with the place of a part of the file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from batchlab.spectra._kinds import AxisKind, Quantity, Technique
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats._assemble import assemble, evenly, one_or_more
from batchlab.spectra._read._formats._bytes import Bytes, words
from batchlab.spectra._read._formats._units import Axis, Signal

__all__ = ["read_omnic"]

_WHAT = "a Thermo OMNIC file"
_TITLE, _KEYS, _FIRST_KEY, _KEY_SIZE = 30, 294, 304, 16
_HEADER, _INTENSITIES, _HISTORY = 2, 3, 27
_AXES = {
    1: Axis(AxisKind.WAVENUMBER, "cm-1"),
    2: Axis(AxisKind.PIXEL),
    3: Axis(AxisKind.WAVELENGTH, "nm"),
    4: Axis(AxisKind.WAVELENGTH, "um"),
    32: Axis(AxisKind.RAMAN_SHIFT, "cm-1"),
}
_SIGNALS = {
    11: Signal(Quantity.REFLECTANCE, "%"),
    12: Signal(Quantity.LOG_INVERSE_REFLECTANCE),
    16: Signal(Quantity.TRANSMITTANCE, "%"),
    17: Signal(Quantity.ABSORBANCE),
    20: Signal(Quantity.KUBELKA_MUNK),
    21: Signal(Quantity.REFLECTANCE),
    22: Signal(Quantity.SINGLE_BEAM, "V"),
    31: Signal(Quantity.INTENSITY),
}
_RESOLUTION = re.compile(rb"Resolution:\s*([\d.]+)")
_EPOCH = dt.datetime(1899, 12, 31, tzinfo=dt.UTC)


def read_omnic(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read the spectrum of an OMNIC file; its interferograms are left where they are.

    Raises
    ------
    DataError
        Reason ``truncated``, ``damaged``, ``not-a-spectrum``.
    """
    source = Bytes(path, data, _WHAT)
    places: dict[int, tuple[int, int]] = {}
    for number in range(source.integer("H", _KEYS, "table of keys")):
        at = _FIRST_KEY + _KEY_SIZE * number
        key = source.take(at, _KEY_SIZE, "table of keys")[0]
        start, size = source.unpack("II", at + 2, "table of keys")
        places.setdefault(key, (int(start), int(size)))
    if not {_HEADER, _INTENSITIES} <= set(places):
        raise source.broken("has no intensities or no header for them")
    header = places[_HEADER][0]
    points, axis_code = source.unpack("IB", header + 4, "header")
    signal_code = source.integer("B", header + 12, "header")
    first, last = (float(each) for each in source.unpack("ff", header + 16, "header"))
    start, size = places[_INTENSITIES]
    y = source.array("f4", start, size // 4, "intensities")
    if points != y.size:
        raise source.broken(f"says it has {points} points and holds {y.size}")
    axis = _AXES.get(int(axis_code), Axis(AxisKind.UNKNOWN))
    technique = Technique.FTIR if axis.kind is AxisKind.WAVENUMBER else Technique.UNKNOWN
    spectrum = assemble(
        path,
        path.stem,
        evenly(first, last, y.size),
        y,
        axis,
        _SIGNALS.get(signal_code, Signal(Quantity.UNKNOWN)),
        metadata=_metadata(source, header, places.get(_HISTORY)),
        technique=Technique.RAMAN if axis.kind is AxisKind.RAMAN_SHIFT else technique,
    )
    return one_or_more(path, [spectrum], _WHAT)


def _metadata(source: Bytes, header: int, history: tuple[int, int] | None) -> dict[str, object]:
    written = (_EPOCH + dt.timedelta(seconds=source.integer("I", 296, "date"))).isoformat(timespec="seconds")
    metadata: dict[str, object] = {
        "title": source.text(_TITLE, 255, "title"),
        "date": written,
        "scans": source.integer("I", header + 36, "header"),
        "background scans": source.integer("I", header + 52, "header"),
    }
    if history is not None:
        text = source.take(*history, "history")
        metadata["history"] = words(text)
        if found := _RESOLUTION.search(text):
            metadata["resolution"] = words(found[1])
    return metadata
