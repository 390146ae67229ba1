"""How a job reads its files, and what it says of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.engine import JobContext
from batchlab.spectra.tasks._params import Reading

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["kept", "read", "read_one_of", "read_samples", "stem_of", "tell"]

_PACKED = (".gz", ".zst")


def read(ctx: JobContext, path: Path, params: Reading) -> Spectrum:
    """Read a file."""
    from batchlab.spectra._normalized import read_normalized

    return read_normalized(path, name=_called(path, params), **params.reading)


def kept(ctx: JobContext, path: Path, params: Reading) -> Spectrum:
    """Read a file that many jobs share, once a worker."""
    from batchlab.cache import worker_cache
    from batchlab.spectra._normalized import read_normalized

    spectrum: Spectrum = worker_cache(ctx.cache).load(
        path, read_normalized, name=_called(path, params), **params.reading
    )
    return spectrum


def read_one_of(ctx: JobContext, path: Path, params: Reading, which: int | str) -> Spectrum:
    """One of a file's spectra; the file is read once a worker, however many of its spectra have jobs."""
    from batchlab.spectra._read._spectra import choose_spectrum

    return choose_spectrum(path, _all_kept(ctx, path, params), which)


def read_samples(ctx: JobContext, path: Path, params: Reading) -> tuple[Spectrum, ...]:
    """Every sample of a file."""
    from batchlab.spectra._kinds import SpectrumRole

    return tuple(each for each in _all_kept(ctx, path, params) if each.role is SpectrumRole.SAMPLE)


def _all_kept(ctx: JobContext, path: Path, params: Reading) -> tuple[Spectrum, ...]:
    from batchlab.cache import worker_cache
    from batchlab.spectra._normalized import read_all_normalized

    spectra: tuple[Spectrum, ...] = worker_cache(ctx.cache).load(path, read_all_normalized, **params.stated)
    return spectra


def _called(path: Path, params: Reading) -> str | None:
    """The file's stem, unless one of many is meant, which its file names."""
    return stem_of(path) if params.spectrum is None else None


def stem_of(path: Path) -> str:
    """What a file is called: ``leaf`` for ``leaf.csv`` and for ``leaf.csv.gz``."""
    return (path.with_suffix("") if path.suffix.lower() in _PACKED else path).stem


def tell(ctx: JobContext, spectrum: Spectrum) -> None:
    """Hand on what the reader of a spectrum found odd."""
    for text in spectrum.warnings:
        ctx.warn(f"{spectrum.name}: {text}" if spectrum.name else text)
