"""Binary and structured formats, told by their first bytes and never by what a file is called."""

from __future__ import annotations

import importlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.errors import ConfigError, DataError
from batchlab.spectra._read._formats._refusals import refuse, refuse_binary

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["READERS", "Format", "refuse_binary", "sniff"]

# Where each format's reader is; it is imported when a file needs it.
READERS: dict[str, str] = {
    "JCAMP-DX": "._jcamp:read_jcamp",
    "SPC": "._spc:read_spc",
    "SPC (old)": "._spc:read_spc",
    "OPUS": "._opus:read_opus",
    "WDF": "._wdf:read_wdf",
    "Jobin-Yvon XML": "._jobin_yvon:read_jobin_yvon",
    "PerkinElmer SP": "._perkin_elmer:read_perkin_elmer",
    "Thermo SPA": "._omnic:read_omnic",
    "batchlab CSV": "batchlab.spectra._write:read_ours",
    "batchlab JCAMP-DX": "batchlab.spectra._write:read_ours",
    "batchlab Parquet": "batchlab.spectra._write:read_ours",
}

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x0a\x0a\xfe\xfe", "OPUS"),
    (b"WDF1", "WDF"),
    (b"PEPE2D", "PerkinElmer SP"),
    (b"Spectral Data File", "Thermo SPA"),
)
# How files begin that may be of our own writing, packed ones too; whether they are is looked at closer.
_MAYBE_OURS = (b"# batchlab", b"##TITLE=", b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_SPC_VERSIONS = {0x4B: "SPC", 0x4C: "SPC", 0x4D: "SPC (old)"}
_NEW_SPC_HEADER, _OLD_SPC_HEADER = 512, 256
_LEAST_ZEROS = 32
_START = 8192  # bytes in which a text format must have named itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What a file is, and how that was told.

    Attributes
    ----------
    name
        Such as ``JCAMP-DX``, ``SPC (old)``, ``OPUS``.
    confidence
        How sure that is; 1 for a magic number of several bytes.
    reason
        What told it, in words.
    """

    name: str
    confidence: float
    reason: str

    def read(self, path: Path, data: bytes) -> tuple[Spectrum, ...]:
        """Read every spectrum of a file of this format, the sample's result first.

        Parameters
        ----------
        path, data
            The file and its whole content.

        Returns
        -------
        tuple of Spectrum
            At least one; axes as the file has them.

        Raises
        ------
        DataError
            Reason ``truncated``, ``damaged``, ``not-a-spectrum`` or ``unsupported-format``; for a file of our own
            writing that was changed or cut since, ``not-normalized``.
        """
        module, function = READERS[self.name].split(":")
        reader = getattr(importlib.import_module(module, __name__), function)
        try:
            spectra: tuple[Spectrum, ...] = reader(path, data)
        except ConfigError as error:  # a library is not installed
            raise DataError(f"{path}: {error}", reason="unsupported-format") from error
        except (ArithmeticError, LookupError, ValueError, struct.error, MemoryError) as error:
            raise DataError(
                f"{path}: {self.name} that cannot be read ({type(error).__name__}: {error}); the file is damaged or of "
                "a kind not known: copy it again, or export the spectrum as text",
                reason="damaged",
            ) from error
        return spectra


def sniff(data: bytes, path: Path) -> Format | None:
    """Tell a binary or structured format by its first bytes; None for what may be a plain text table.

    Parameters
    ----------
    data
        The file's content.
    path
        Its name, for messages alone.

    Raises
    ------
    DataError
        Reason ``unsupported-format`` or ``binary``: a format that is known and not read here, with advice.
    """
    ours = _ours(data)
    if ours is not None:
        return ours
    for magic, name in _MAGIC:
        # A text may be called "Spectral Data File" in its first line; it holds no zeros.
        if data.startswith(magic) and b"\x00" in data[:512]:
            return Format(name=name, confidence=1.0, reason=f"begins with {_shown(magic)}, as {name} does")
    start = _without_comments(data[:_START])
    if start.startswith(b"##JCAMP") or (start.startswith(b"##TITLE") and b"##JCAMP" in start.replace(b" ", b"")):
        return Format(name="JCAMP-DX", confidence=1.0, reason="begins with the records ##TITLE and ##JCAMP-DX")
    if start.startswith(b"<?XML") and b"<LSX_DATA" in start:
        return Format(name="Jobin-Yvon XML", confidence=1.0, reason="is XML whose root is LSX_Data")
    refuse(path, data)
    return _galactic(data)


def _ours(data: bytes) -> Format | None:
    """What we wrote ourselves says all about its spectra, and goes before the formats that it also is."""
    if not data.startswith(_MAYBE_OURS):
        return None
    from batchlab.spectra._write import kind_of_ours  # it opens files, too, through this package

    kind = kind_of_ours(data)
    if kind is None:
        return None
    return Format(
        name=f"batchlab {kind}", confidence=1.0, reason=f"is {kind} that batchlab wrote, with all facts in it"
    )


def _without_comments(start: bytes) -> bytes:
    """A file's start in capitals, without byte order mark, blank lines and JCAMP comments before the first record."""
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip().upper()
    while start.startswith(b"$$"):
        start = start.partition(b"\n")[2].lstrip()
    return start


def _galactic(data: bytes) -> Format | None:
    """One byte is too little to tell a format by, so the header must make sense, too."""
    if len(data) < _OLD_SPC_HEADER or (name := _SPC_VERSIONS.get(data[1])) is None:
        return None
    if data[1] == 0x4D:
        _, points, first, last = struct.unpack_from("<hfff", data, 2)
        codes = data[16], data[17]
        sensible = 2 <= points <= len(data)
    else:
        if len(data) < _NEW_SPC_HEADER:
            return None
        points, first, last, _ = struct.unpack_from("<IddI" if data[1] == 0x4B else ">IddI", data, 4)
        codes = data[28], data[29]
        sensible = points > 0
    ends = all(abs(end) < 1e30 for end in (first, last))  # NaN fails, too
    known = codes[0] in (*range(31), 255) and codes[1] in (*range(31), *range(128, 132))
    # A text whose second letter is a K, L or M has no zeros, and these headers have many; not even their reserved
    # bytes are zero in every program's files, though.
    zeros = data[:_OLD_SPC_HEADER].count(0)
    if not (sensible and ends and known and zeros >= _LEAST_ZEROS):
        return None
    return Format(
        name=name,
        confidence=0.98,
        reason=f"its second byte is 0x{data[1]:02X} and its header makes sense as the one of {name}",
    )


def _shown(magic: bytes) -> str:
    return repr(magic.decode("ascii")) if magic.isascii() and magic.decode("ascii").isprintable() else magic.hex(" ")
