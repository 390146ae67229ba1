"""Read a spectrum by the plan of whoever knows its layout best: a pinned one, the rules, an AI that was set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchlab.errors import DataError
from batchlab.spectra._model import Spectrum
from batchlab.spectra._normalizer import Normalizer, Source, Status
from batchlab.spectra._plan import Plan
from batchlab.spectra._read import read_spectra, read_spectrum
from batchlab.spectra._read._spectra import DOUBT

__all__ = ["read_all_normalized", "read_normalized"]

_WHOSE = {Source.RULES: "the rules", Source.AI: "the AI", Source.CACHE: "the AI", Source.PINNED: "a pinned plan"}
# Another plan may still find a layout, or which of the columns is meant; where the rules are sure, none is asked for.
_OPEN = ("unknown-layout", "not-a-spectrum", "ambiguous-columns", "no-sample", "broken-table")


def read_normalized(path: Path, **reading: Any) -> Spectrum:
    """Read one spectrum; where the rules are not sure how, by what the normaliser decides.

    Parameters
    ----------
    path
        The file.
    reading
        Options of `read_spectrum`. With a column or an axis that is named nobody is asked.

    Raises
    ------
    DataError
        The reasons of `read_spectrum`, and ``needs-review`` where nobody is sure how the file is read.
    """
    if reading.get("axis") is not None or reading.get("column") is not None:
        return read_spectrum(path, **reading)
    (spectrum,) = _by_the_best_plan(path, lambda plan: (read_spectrum(path, plan=plan, **reading),))
    return spectrum


def read_all_normalized(path: Path, **stated: Any) -> tuple[Spectrum, ...]:
    """The same for all spectra of a file.

    Parameters
    ----------
    path
        The file.
    stated
        Options of `read_spectra`.

    Raises
    ------
    DataError
        The reasons of `read_spectra`, and ``needs-review``.
    """
    return _by_the_best_plan(path, lambda plan: read_spectra(path, plan=plan, **stated))


def _by_the_best_plan(path: Path, read_by: Callable[[Plan | None], tuple[Spectrum, ...]]) -> tuple[Spectrum, ...]:
    normalizer = Normalizer()
    if not normalizer.has_pinned:
        try:
            spectra = read_by(None)
        except DataError as error:
            if error.reason not in _OPEN or not normalizer.can_ask:
                raise
        else:
            if not any(text.startswith(DOUBT) for spectrum in spectra for text in spectrum.warnings):
                return spectra
    found = normalizer.normalize(path)
    if found.status is Status.NEEDS_REVIEW:
        proposed = [f"{_WHOSE[each.source]} ({each.confidence:.2f}): {each.reason}" for each in found.proposals]
        why = "; ".join(found.warnings) or "nobody is sure how this file is read"
        raise DataError(
            f"{path}: {why}: `batchlab spectra inspect` "
            "shows how it may be read, `batchlab spectra plans pin` settles it"
            + (f"; proposed by {'; by '.join(proposed)}" if proposed else ""),
            reason="needs-review",
        )
    try:
        spectra = read_by(found.plan)
    except DataError as error:
        told = "; ".join((str(error), *found.warnings))
        raise DataError(told, category=error.category, reason=error.reason) from error
    who = () if found.source in (Source.RULES, Source.FORMAT) else (f"read by the plan of the {found.source}",)
    return tuple(replace(spectrum, warnings=(*spectrum.warnings, *found.warnings, *who)) for spectrum in spectra)
