"""What a job says of the spectra that it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchlab.engine import JobContext

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["tell"]


def tell(ctx: JobContext, spectrum: Spectrum) -> None:
    """Hand on what the reader of a spectrum found odd."""
    for text in spectrum.warnings:
        ctx.warn(f"{spectrum.name}: {text}" if spectrum.name else text)
