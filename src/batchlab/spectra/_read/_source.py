"""A file's bytes: a format of its own, or text."""

from __future__ import annotations

from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._read._encoding import Decoded, decode
from batchlab.spectra._read._formats import sniff

__all__ = ["text_of"]


def text_of(path: Path, data: bytes, wished: str | None = None) -> Decoded:
    """Decode a file that must be a text table.

    Parameters
    ----------
    path, data
        The file and its bytes.
    wished
        An encoding that is taken where nothing in the bytes contradicts it.

    Raises
    ------
    DataError
        Reason ``unsupported-format`` for a format of its own, which has no layout to be told; ``binary``,
        ``truncated``, ``encoding``.
    """
    found = sniff(data, path)
    if found is not None:
        raise DataError(
            f"{path}: {found.name}, which is no text table: it needs no plan; read it with read_spectra",
            reason="unsupported-format",
        )
    return decode(path, data, wished)
