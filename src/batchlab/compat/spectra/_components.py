"""The parts of the processor that can be used by themselves: reading, normalising, drawing."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.compat.spectra._graph import ComparisonGraph, comparison_graph, spectrum_from
from batchlab.compat.spectra._recognized import normalized, recognized
from batchlab.errors import BatchlabError

if TYPE_CHECKING:
    from batchlab.spectra._model import Spectrum

__all__ = ["AINormalizer", "CSVParser", "FileStructure", "GraphGenerator", "NormalizationResult", "ParseResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStructure:
    """How a file is laid out.

    Attributes
    ----------
    confidence
        How sure that is, from 0 to 1; below 0.8 the batch asks the AI, if there is one.
    format
        In words.
    """

    confidence: float = 0.0
    format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseResult:
    """What a file holds.

    Attributes
    ----------
    success
        Whether it holds a spectrum.
    data
        The spectrum, `batchlab.spectra.Spectrum`, with axis and intensity as arrays; None without success.
    structure
        How the file is laid out.
    errors, warnings
        Why there is no spectrum; what was odd about it.
    """

    success: bool
    data: Spectrum | None = None
    structure: FileStructure = FileStructure()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class CSVParser:
    """Reads the exports of instruments."""

    def parse_file(self, file_path: str | os.PathLike[str]) -> ParseResult:
        """Read a file by the rules alone; it never raises for what is in a file.

        Parameters
        ----------
        file_path
            The file.
        """
        try:
            found = recognized(file_path)
        except BatchlabError as error:
            return ParseResult(success=False, errors=(str(error),))
        return ParseResult(
            success=True,
            data=found.spectrum,
            structure=FileStructure(confidence=found.confidence, format=found.layout),
            warnings=found.spectrum.warnings,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizationResult:
    """A spectrum as the best source of plans reads it.

    Attributes
    ----------
    success
        Whether there is one.
    data
        The spectrum; what was given where nothing better was found.
    confidence
        From 0 to 1.
    source
        Who said how to read it: ``rules``, ``ai``, ``cache``, ``pinned``, ``format`` or ``given``.
    errors, warnings
        What went wrong; a failed AI is a warning, for the rules decide then.
    """

    success: bool
    data: Spectrum | None = None
    confidence: float = 0.0
    source: str = "given"
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class AINormalizer:
    """Reads files of unsure layout with the help of an AI, where the user has set one up."""

    async def normalize_csv(self, data: object, file_path: str | os.PathLike[str]) -> NormalizationResult:
        """Read a file again, with all that can be known of its layout.

        What an AI sees is the layout of the file and none of its values, so `data` itself goes nowhere.

        Parameters
        ----------
        data
            What parsing gave; it is handed back where there is no such file.
        file_path
            The file.
        """
        return await asyncio.to_thread(_normalized, data, Path(file_path))


class GraphGenerator:
    """Draws comparisons."""

    def generate_comparison_graph(
        self, baseline_data: object, sample_data: object, baseline_name: str = "baseline", sample_name: str = "sample"
    ) -> ComparisonGraph:
        """Compare a sample with the baseline, as a picture that can be saved and as numbers.

        Parameters
        ----------
        baseline_data, sample_data
            What parsing gave as data, or tables of two columns.
        baseline_name, sample_name
            What to call them.

        Raises
        ------
        DataError
            If they have no points in common, or differ in what they measure.
        """
        return comparison_graph(baseline_data, sample_data, baseline_name, sample_name)


def _normalized(data: object, path: Path) -> NormalizationResult:
    try:
        if not path.exists():
            given = spectrum_from(data, path.stem)
            return NormalizationResult(success=True, data=given, warnings=(f"{path} is not there; nothing is changed",))
        found = normalized(path)
    except BatchlabError as error:
        return NormalizationResult(success=False, errors=(str(error),))
    return NormalizationResult(
        success=True,
        data=found.spectrum,
        confidence=found.confidence,
        source=found.source,
        warnings=(*found.warnings, *found.spectrum.warnings),
    )
