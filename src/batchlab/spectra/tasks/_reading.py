"""How a job reads its files, and what it says of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.engine import JobContext
from batchlab.spectra.tasks._params import Reading

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["kept", "read", "tell"]


def read(ctx: JobContext, path: Path, params: Reading) -> Spectrum:
    """Read a file."""
    from batchlab.spectra._read import read_spectrum

    return read_spectrum(path, **params.reading)


def kept(ctx: JobContext, path: Path, params: Reading) -> Spectrum:
    """Read a file that many jobs share, once a worker."""
    from batchlab.cache import worker_cache
    from batchlab.spectra._read import read_spectrum

    spectrum: Spectrum = worker_cache(ctx.cache).load(path, read_spectrum, **params.reading)
    return spectrum


def tell(ctx: JobContext, spectrum: Spectrum) -> None:
    """Hand on what the reader of a spectrum found odd."""
    for text in spectrum.warnings:
        ctx.warn(f"{spectrum.name}: {text}" if spectrum.name else text)
