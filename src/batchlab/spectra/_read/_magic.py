"""Formats told by their first bytes, whatever the file is called: none of them is a plain text table."""

from __future__ import annotations

from pathlib import Path

from batchlab.errors import DataError

__all__ = ["refuse_binary", "refuse_by_magic"]

# (first bytes, what it is, may it hold a spectrum)
_MAGIC: tuple[tuple[bytes, str, bool], ...] = (
    (b"\x89PNG\r\n", "a PNG picture", False),
    (b"\xff\xd8\xff", "a JPEG picture", False),
    (b"GIF8", "a GIF picture", False),
    (b"%PDF-", "a PDF document", False),
    (b"\x7fELF", "a program", False),
    (b"SQLite format 3\x00", "an SQLite database", False),
    (b"\x1f\x8b", "a gzip archive", False),
    (b"PK\x03\x04", "a ZIP archive (a workbook, or an OceanView .ProcSpec)", True),
    (b"\xd0\xcf\x11\xe0", "an OLE file (an old workbook, or a Shimadzu .spc)", True),
    (b"\x89HDF\r\n", "an HDF5 file", True),
    (b"\x0a\x0a\xfe\xfe", "a Bruker OPUS file", True),
    (b"WDF1", "a Renishaw WiRE .wdf file", True),
    (b"PEPE2D", "a PerkinElmer .sp file", True),
    (b"Spectral Data File", "a Thermo OMNIC .spa file", True),
)
_SPC_SECOND_BYTES = (0x4B, 0x4D)

# Control characters that text holds: tab, line feed, form feed, carriage return, and the DOS end of file.
_TEXT_CONTROLS = (0x09, 0x0A, 0x0C, 0x0D, 0x1A)
_CONTROLS = bytes(sorted({*range(32)} - {*_TEXT_CONTROLS}))

_ADVICE = "this reader takes plain text tables: export the spectrum as text (CSV or tab-separated)"


def refuse_by_magic(path: Path, data: bytes) -> None:
    """Raise for a format that its first bytes name.

    Raises
    ------
    DataError
        Reason ``unsupported-format`` where a spectrum may be inside, ``binary`` where none is.
    """
    for magic, what, may_hold_spectrum in _MAGIC:
        if data.startswith(magic):
            if may_hold_spectrum:
                raise DataError(f"{path}: {what}; {_ADVICE}", reason="unsupported-format")
            raise DataError(f"{path}: {what}, not a spectrum", reason="binary")
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<!DOCTYPE", b"<html")):
        raise DataError(f"{path}: an XML or HTML document; {_ADVICE}", reason="unsupported-format")
    if start.upper().startswith(b"##TITLE") and b"##JCAMP" in data[:4096].upper():
        raise DataError(f"{path}: a JCAMP-DX file; {_ADVICE}", reason="unsupported-format")


def refuse_binary(path: Path, data: bytes) -> None:
    """Raise for bytes that are no text in an 8-bit encoding.

    Zero bytes alone do not condemn a file: AvaSoft pads a name in its preamble with some fifty of them.

    Raises
    ------
    DataError
        Reason ``binary``; ``truncated`` where text ends in a run of zero bytes, as after a power cut;
        ``unsupported-format`` where the second byte is the one of a Galactic SPC file.
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
    if len(data) > 512 and data[1] in _SPC_SECOND_BYTES:
        raise DataError(f"{path}: looks like a Galactic SPC file; {_ADVICE}", reason="unsupported-format")
    raise DataError(f"{path}: binary data; {_ADVICE}", reason="binary")
