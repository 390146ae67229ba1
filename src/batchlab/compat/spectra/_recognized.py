"""One spectrum from a file, with how sure its reader is and who said how to read it: the seam to the domain."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum
    from batchlab.spectra._read import Recognition

__all__ = ["SURE", "Recognized", "look_at", "normalized", "recognized"]

SURE = 0.8
"""The confidence from which nobody else is asked."""

AI_FAILED = "AI normalization failed"
"""How the normaliser begins its warning when the AI gave no plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """A spectrum, and how its file was understood.

    Attributes
    ----------
    spectrum
        As read, in the order of the file.
    confidence
        How sure the reader is of the layout, from 0 to 1.
    layout
        The layout in words.
    source
        Who said how to read it: ``rules``, ``ai``, ``cache``, ``pinned`` or ``format``.
    warnings
        What went wrong on the way, and did not end it.
    """

    spectrum: Spectrum
    confidence: float
    layout: str
    source: str = "rules"
    warnings: tuple[str, ...] = ()


def look_at(path: str | os.PathLike[str]) -> tuple[float, str]:
    """How sure the rules are of a file's layout, and the layout in words, from a bounded piece of it.

    Raises
    ------
    DataError
        If it cannot be read or holds no spectrum that can be told.
    """
    from batchlab.errors import DataError
    from batchlab.spectra._normalizer._settings import AiSettings
    from batchlab.spectra._read import observe, recognize

    try:
        found = recognize(path)
    except DataError as error:
        if not AiSettings.from_environment().set_up:
            raise
        observe(path)  # what is no text at all is refused here again
        return 0.0, f"the rules find no spectrum ({error.reason}); the AI is asked"
    return found.confidence, _in_words(found)


def recognized(path: str | os.PathLike[str]) -> Recognized:
    """Read a file by the rules alone.

    Raises
    ------
    DataError
        If it holds no spectrum that can be told.
    """
    from batchlab.spectra._read import read_spectra, recognize

    found = recognize(path)
    spectrum, warnings = _one_of(read_spectra(path, plan=found.plan), Path(path))
    return Recognized(
        spectrum=spectrum,
        confidence=found.confidence,
        layout=_in_words(found),
        source="rules" if found.plan is not None else "format",
        warnings=warnings,
    )


def normalized(path: str | os.PathLike[str]) -> Recognized:
    """Read a file; where the rules are not sure, by a known plan, or one of the AI that the user has set up.

    A failure of the AI is a warning, and the rules decide.

    Raises
    ------
    DataError
        If it holds no spectrum that can be told, or nobody is sure how to read it.
    """
    from batchlab.errors import DataError
    from batchlab.spectra._normalizer._decide import Status
    from batchlab.spectra._normalizer._normalize import Normalizer
    from batchlab.spectra._read import read_spectra

    found = Normalizer().normalize(path)
    if found.status is Status.NEEDS_REVIEW:
        raise DataError(f"{path}: {'; '.join(found.warnings)}", reason="needs-review")
    spectrum, warnings = _one_of(read_spectra(path, plan=found.plan), Path(path))
    plan = found.plan
    return Recognized(
        spectrum=spectrum,
        confidence=found.confidence,
        layout="a format that describes itself" if plan is None else f"{plan.orientation}: {plan.reason}",
        source="rules" if found.source is None else found.source.value,
        warnings=(*found.warnings, *warnings),
    )


def _one_of(spectra: Sequence[Spectrum], path: Path) -> tuple[Spectrum, tuple[str, ...]]:
    """The sample of a file, called by the file's name; where it holds several the first, with a warning."""
    from batchlab.errors import DataError
    from batchlab.spectra._kinds import SpectrumRole

    samples = [each for each in spectra if each.role is SpectrumRole.SAMPLE] or list(spectra)
    if not samples:
        raise DataError(f"{path}: no spectrum in it", reason="not-a-spectrum")
    first = samples[0]
    told = (f"holds {len(samples)} spectra; the first, {first.name!r}, is taken",) if len(samples) > 1 else ()
    return replace(first, name=path.stem), told


def _in_words(found: Recognition) -> str:
    layout = found.format if found.plan is None else found.plan.orientation.value
    return "; ".join((layout, *found.reasons[:3]))
