"""The batch processor of an earlier spectral analyser: its names and calls, run by this engine.

A program that was written for it changes its import lines and nothing else. Timeouts, retries, limits of memory and
cancelling, which were words there, hold here.
"""

from batchlab.compat.spectra._components import (
    AINormalizer,
    CSVParser,
    FileStructure,
    GraphGenerator,
    NormalizationResult,
    ParseResult,
)
from batchlab.compat.spectra._file_manager import FileManager
from batchlab.compat.spectra._graph import ComparisonGraph
from batchlab.compat.spectra._processor import BatchProcessor
from batchlab.compat.spectra._results import (
    BatchProcessResult,
    FileValidationResult,
    ProcessingEstimate,
    ProcessingProgress,
    ProcessingStage,
)
from batchlab.compat.spectra._settings import BatchConfig, OutputSettings

__all__ = [
    "AINormalizer",
    "BatchConfig",
    "BatchProcessResult",
    "BatchProcessor",
    "CSVParser",
    "ComparisonGraph",
    "FileManager",
    "FileStructure",
    "FileValidationResult",
    "GraphGenerator",
    "NormalizationResult",
    "OutputSettings",
    "ParseResult",
    "ProcessingEstimate",
    "ProcessingProgress",
    "ProcessingStage",
]
