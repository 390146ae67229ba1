"""Files that we wrote, told by what is in them and read back exactly, whatever they are called."""

from __future__ import annotations

from pathlib import Path

from batchlab.errors import BatchlabError, DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._write._csv import is_normalized_csv, parse_spectra
from batchlab.spectra._write._jcamp import LABEL
from batchlab.spectra._write._pack import beginning, unpacked
from batchlab.spectra._write._parquet import KEY, spectra_of_parquet
from batchlab.spectra._write._read_jcamp import parse_jcamp

__all__ = ["is_ours", "kind_of_ours", "read_ours"]

_START = 8192


def is_ours(data: bytes) -> bool:
    """Whether a file's content was written by `write_spectra`, packed or not; see `kind_of_ours`."""
    return kind_of_ours(data) is not None


def kind_of_ours(data: bytes) -> str | None:
    """``CSV``, ``JCAMP-DX`` or ``Parquet`` if `write_spectra` wrote this content, packed or not; looks at its start.

    Of a Parquet file the end is looked at, where its schema stands.
    """
    if data.startswith(b"PAR1"):
        return "Parquet" if KEY in data[-1_000_000:] else None
    try:
        start = beginning(data, _START)
    except BatchlabError:
        return None
    if is_normalized_csv(start):
        return "CSV"
    return "JCAMP-DX" if start.startswith(b"##TITLE=") and LABEL.encode("ascii") in start else None


def read_ours(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read back what `write_spectra` wrote, equal field for field and float for float.

    Parameters
    ----------
    path, data
        The file and its whole content.

    Raises
    ------
    DataError
        Reason ``not-normalized``: not such a file, or not a whole one.
    ConfigError
        If the library that it needs is not installed.
    """
    where = str(path)
    if data.startswith(b"PAR1"):
        return spectra_of_parquet(data, where)
    try:
        text = unpacked(data, where).decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: holds other letters than we write ({error}); write the spectra again", reason="not-normalized"
        ) from error
    return parse_jcamp(text, where) if text.startswith("##") else parse_spectra(text, where)
