"""The files of written spectra: format by suffix, checked after they are written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from batchlab.errors import BatchlabError, Category, ConfigError, DataError, JobError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._load import load
from batchlab.spectra._write._csv import format_spectra
from batchlab.spectra._write._facts import difference_of
from batchlab.spectra._write._jcamp import format_jcamp
from batchlab.spectra._write._ours import read_ours
from batchlab.spectra._write._pack import PACKINGS, pack
from batchlab.spectra._write._parquet import parquet_bytes

__all__ = ["SUFFIXES", "check_written", "read_written", "write_spectra", "write_spectrum"]

_TABLES = (".csv", ".jdx", ".dx", ".jcamp")
SUFFIXES = (*_TABLES, *(f"{each}{packing}" for each in _TABLES for packing in PACKINGS), ".parquet")
"""What the name of a written file may end in; Parquet packs its columns itself."""


def write_spectrum(
    path: str | os.PathLike[str],
    spectrum: Spectrum,
    *,
    provenance: Mapping[str, object] | None = None,
    check: bool = True,
) -> None:
    """Write one spectrum in the format that the file's name ends in.

    Parameters
    ----------
    path
        Where to; what is there is replaced. Ends in one of `SUFFIXES`, such as ``.csv``, ``.csv.gz``, ``.jdx`` or
        ``.parquet``.
    spectrum
        What to write; all of it comes back with `read_written`, float for float.
    provenance
        How it came about; any JSON.
    check
        Whether to read the file again and compare.

    Raises
    ------
    ConfigError
        If the suffix is none of those, or the library it needs is not installed.
    JobError
        Of category output, reason ``output-check``, if the file does not hold what was written.
    """
    write_spectra(path, (spectrum,), provenance=provenance, check=check)


def write_spectra(
    path: str | os.PathLike[str],
    spectra: Sequence[Spectrum],
    *,
    provenance: Mapping[str, object] | None = None,
    check: bool = True,
) -> None:
    """Write several spectra into one file; see `write_spectrum`.

    CSV and Parquet are tables with one axis for all; in JCAMP-DX each spectrum is a block with its own.

    Raises
    ------
    DataError
        Reason ``different-axes``, where one table would need several; or ``no-spectra``.
    """
    path = Path(path)
    table, packing = _suffixes(path)
    if table == ".parquet":
        data = parquet_bytes(spectra, provenance)
    elif table == ".csv":
        data = pack(format_spectra(spectra, provenance).encode("ascii"), packing)
    else:
        data = pack(format_jcamp(spectra, provenance).encode("ascii"), packing)
    path.write_bytes(data)
    if check:
        check_written(path, spectra)


def read_written(path: str | os.PathLike[str]) -> tuple[Spectrum, ...]:
    """Read back what `write_spectra` wrote, equal field for field and float for float.

    Raises
    ------
    DataError
        Reason ``not-normalized``: no file of ours, or not a whole one; or one of those of a file that cannot be read.
    ConfigError
        If the suffix is none of `SUFFIXES`, or the library it needs is not installed.
    """
    path = Path(path)
    _suffixes(path)
    return read_ours(path, load(path))


def check_written(path: str | os.PathLike[str], spectra: Sequence[Spectrum]) -> None:
    """Make sure that a file opens and holds these spectra: as many, each with its points, no value changed.

    Raises
    ------
    JobError
        Of category output, reason ``output-check``, saying what is wrong.
    """
    path = Path(path)
    try:
        found = read_written(path)
    except DataError as error:
        raise _failed(path, f"cannot be read back: {error}", error) from error
    if len(found) != len(spectra):
        raise _failed(path, f"holds {len(found)} spectra of {len(spectra)}")
    for written, read in zip(spectra, found, strict=True):
        if len(written) != len(read):
            raise _failed(path, f"holds {len(read)} points of {written.name or 'a spectrum'} with {len(written)}")
        field = difference_of(written, read)
        if field is not None:
            raise _failed(path, f"{field} of {written.name or 'a spectrum'} reads back otherwise")


def _suffixes(path: Path) -> tuple[str, str]:
    """The format and the packing that a name ends in."""
    name = path.name.lower()
    ending = max((each for each in SUFFIXES if name.endswith(each)), key=len, default=None)
    if ending is None:
        raise ConfigError(f"{path}: spectra are written as {', '.join(SUFFIXES)}; let the name end in one of them")
    packing = next((each for each in PACKINGS if ending.endswith(each)), "")
    return ending.removesuffix(packing), packing


def _failed(path: Path, problem: str, error: BatchlabError | None = None) -> JobError:
    category = error.category if error is not None and error.category is Category.DISK else Category.OUTPUT
    return JobError(f"{path}: {problem}; the disk may be failing", category=category, reason="output-check")
