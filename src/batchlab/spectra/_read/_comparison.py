"""The file of a comparison's table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._read._load import load
from batchlab.spectra._similarity import Comparison
from batchlab.spectra._table import format_comparison, parse_comparison

__all__ = ["read_comparison", "write_comparison"]


def write_comparison(
    path: str | os.PathLike[str], comparison: Comparison, provenance: Mapping[str, object] | None = None
) -> None:
    """Write a comparison as CSV with its units and provenance; `read_comparison` gives it back exactly.

    Parameters
    ----------
    path
        Where to; what is there is replaced. Packed if it ends in ``.gz`` or ``.zst``.
    comparison
        What to write.
    provenance
        How it was made; any JSON.

    Raises
    ------
    JobError
        Of category output, reason ``output-check``, if the file does not hold what was written.
    """
    from batchlab.spectra._write import put  # which reads files, too, through this package

    put(path, format_comparison(comparison, provenance).encode("ascii"))


def read_comparison(path: str | os.PathLike[str]) -> tuple[Comparison, dict[str, object]]:
    """Read a comparison's table, packed or not, and its provenance.

    Raises
    ------
    DataError
        Reason ``not-a-comparison``, or one of `load`'s.
    """
    from batchlab.spectra._write import unpacked

    path = Path(path)
    try:
        text = unpacked(load(path), str(path)).decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not the table of a comparison: {error}", reason="not-a-comparison") from error
    return parse_comparison(text, where=str(path))
