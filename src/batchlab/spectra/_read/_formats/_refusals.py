"""What holds no spectrum that is read here: told by its first bytes, whatever the file is called, with the mend."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from batchlab.errors import DataError

__all__ = ["refuse", "refuse_binary"]

_TEXT = "export the spectrum as text (CSV or tab-separated)"
_AVASOFT = "in AvaSoft, convert it to ASCII: File > Convert Graph"
_CSV = "save its sheet as CSV"


class _Refused(NamedTuple):
    """A format, and what to do about it; without advice it holds no spectrum at all."""

    what: str
    advice: str = ""


_MAGIC: tuple[tuple[bytes, _Refused], ...] = (
    (b"\x89PNG\r\n", _Refused("a PNG picture")),
    (b"\xff\xd8\xff", _Refused("a JPEG picture")),
    (b"GIF8", _Refused("a GIF picture")),
    (b"II*\x00", _Refused("a TIFF picture")),
    (b"MM\x00*", _Refused("a TIFF picture")),
    (b"%PDF-", _Refused("a PDF document")),
    (b"%!PS", _Refused("a PostScript document")),
    (b"\x7fELF", _Refused("a program")),
    (b"SQLite format 3\x00", _Refused("an SQLite database")),
    (b"\x1f\x8b", _Refused("a gzip archive: unpack it first")),
    (b"BZh", _Refused("a bzip2 archive: unpack it first")),
    (b"\xfd7zXZ\x00", _Refused("an xz archive: unpack it first")),
    (b"\x28\xb5\x2f\xfd", _Refused("a zstd archive: unpack it first")),
    (b"7z\xbc\xaf\x27\x1c", _Refused("a 7-Zip archive: unpack it first")),
    (b"Rar!\x1a\x07", _Refused("a RAR archive: unpack it first")),
    (b"\x89HDF\r\n", _Refused("an HDF5 file", _TEXT)),
    (b"CDF\x01", _Refused("a NetCDF file", _TEXT)),
    (b"CDF\x02", _Refused("a NetCDF file", _TEXT)),
    (b"PAR1", _Refused("a Parquet table", "write it as CSV")),
    (b"\x93NUMPY", _Refused("a NumPy array", "write it as CSV with numpy.savetxt")),
    (b"MATLAB 5.0 MAT-file", _Refused("a MATLAB file", "write its arrays as CSV with writematrix")),
    (b"WIT_PR", _Refused("a WITec project", "in WITec Project, export the spectrum as an ASCII table")),
    (b"WIT^PR", _Refused("a WITec project", "in WITec Project, export the spectrum as an ASCII table")),
    (b"AVS8", _Refused("an AvaSoft 8 file", _AVASOFT)),
    (b"Spectral Exte File", _Refused("a Thermo OMNIC group or series", "in OMNIC, save each spectrum as .spa or CSV")),
    (b"PEPE3D", _Refused("a PerkinElmer image", "in Spectrum IMAGE, export its spectra as .sp or ASCII")),
)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ZIPPED: tuple[tuple[bytes, _Refused], ...] = (
    (b"OOISignatures", _Refused("an OceanView or SpectraSuite .ProcSpec file", "in OceanView, save it as ASCII")),
    (b"ProcSpec", _Refused("an OceanView or SpectraSuite .ProcSpec file", "in OceanView, save it as ASCII")),
    (b"xl/", _Refused("a workbook", _CSV)),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", _Refused("a workbook", _CSV)),
)
_ZIP_AT_ALL = _Refused("a ZIP archive (perhaps an OceanView .ProcSpec)", f"unpack it, or {_TEXT}")
_OLE_NAMES: tuple[tuple[str, _Refused], ...] = (
    (
        "DataSetGroup",
        _Refused("a Shimadzu UVProbe file", "in UVProbe, save it as text: File > Save As, data print table"),
    ),
    (
        "DataStorage",
        _Refused("a Shimadzu UVProbe file", "in UVProbe, save it as text: File > Save As, data print table"),
    ),
    ("Workbook", _Refused("an old workbook", _CSV)),
)
_OLE_AT_ALL = _Refused("an OLE file (an old workbook, or a Shimadzu .spc)", _TEXT)
_PRINCETON = _Refused("a Princeton Instruments .spe file", "in LightField or WinSpec, export it as CSV or ASCII")
_PRINCETON_MARK, _PRINCETON_AT = b"\x67\x45\x23\x01", 2996
_AVASOFT_7 = _Refused("an AvaSoft 6 or 7 file (.TRM, .ROH, ...)", _AVASOFT)
_AVASOFT_VERSIONS = (b"\x00\x00\x70\x42", b"\x00\x00\x8c\x42")  # 60 and 70, as floats
_ASD = (b"ASD", b"as4", b"as5", b"as6", b"as7", b"as8")
_ASD_REFUSED = _Refused("an ASD FieldSpec file", "in ViewSpec, process it to ASCII: Process > ASCII Export")
_XML = _Refused("an XML or HTML document", _TEXT)

# Control characters that text holds: tab, line feed, form feed, carriage return, and the DOS end of file.
_TEXT_CONTROLS = (0x09, 0x0A, 0x0C, 0x0D, 0x1A)
_CONTROLS = bytes(sorted({*range(32)} - {*_TEXT_CONTROLS}))


def refuse(path: Path, data: bytes) -> None:
    """Raise for a format that its first bytes name and that is not read here.

    Raises
    ------
    DataError
        Reason ``unsupported-format`` where a spectrum may be inside, ``binary`` where none is.
    """
    found = _refused(data)
    if found is None:
        return
    if found.advice:
        raise DataError(f"{path}: {found.what}, which is not read here; {found.advice}", reason="unsupported-format")
    raise DataError(f"{path}: {found.what}, not a spectrum", reason="binary")


def refuse_binary(path: Path, data: bytes) -> None:
    """Raise for bytes that are no text in an 8-bit encoding.

    Zero bytes alone do not condemn a file: AvaSoft pads a name in its preamble with some fifty of them.

    Raises
    ------
    DataError
        Reason ``binary``; ``truncated`` where text ends in a run of zero bytes, as after a power cut.
    """
    text = data.rstrip(b"\x00")
    zeros = len(data) - len(text)
    controls = len(text) - len(text.translate(None, _CONTROLS))
    inner_zeros = text.count(b"\x00")
    if text and controls - inner_zeros <= 0.002 * len(text) and inner_zeros <= 0.1 * len(text):
        if zeros:
            raise DataError(
                f"{path}: the last {zeros} bytes are zero: the file was not written to its end; copy it again",
                reason="truncated",
            )
        return
    raise DataError(
        f"{path}: binary data of no format that is known here (a project of LabSpec, perhaps); {_TEXT}", reason="binary"
    )


def _refused(data: bytes) -> _Refused | None:
    for magic, refused in _MAGIC:
        # A text may begin with the letters of a magic number; it holds no zeros.
        if data.startswith(magic) and (not magic.isalnum() or b"\x00" in data[:1024]):
            return refused
    if data.startswith(_ZIP):
        return next((each for name, each in _ZIPPED if name in data), _ZIP_AT_ALL)
    if data.startswith(_OLE):
        return next((each for name, each in _OLE_NAMES if name.encode("utf-16-le") in data), _OLE_AT_ALL)
    if data[_PRINCETON_AT : _PRINCETON_AT + 4] == _PRINCETON_MARK:
        return _PRINCETON
    if data.startswith(_AVASOFT_VERSIONS):
        return _AVASOFT_7
    if data.startswith(_ASD) and b"\x00\x00\x00" in data[:484]:
        return _ASD_REFUSED
    if data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<!DOCTYPE", b"<html")):
        return _XML
    return None
