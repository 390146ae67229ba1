"""What a caller is told: how far a batch is, what came of it, which files are fit for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = [
    "BatchProcessResult",
    "FileValidationResult",
    "ProcessingEstimate",
    "ProcessingProgress",
    "ProcessingStage",
]


class ProcessingStage(Enum):
    """What a batch is doing."""

    VALIDATION = "validation"
    LOADING = "loading"
    NORMALIZATION = "normalization"
    GRAPH_GENERATION = "graph_generation"
    SAVING = "saving"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingProgress:
    """How far a batch is, at one instant.

    Attributes
    ----------
    current_file
        Name of the file that something has just happened to; empty where it concerns none.
    files_completed, total_files
        Samples that are over, one way or another, and all of them.
    current_stage
        What is being done to it. Files are worked on side by side, so stages come and go.
    progress_percent
        From 0 to 100, never falling.
    estimated_remaining_minutes
        From what the jobs so far took; 0 before anything is known.
    current_operation
        The same in words.
    errors_count, warnings_count
        So far.
    """

    current_file: str = ""
    files_completed: int = 0
    total_files: int = 0
    current_stage: ProcessingStage = ProcessingStage.VALIDATION
    progress_percent: float = 0.0
    estimated_remaining_minutes: float = 0.0
    current_operation: str = ""
    errors_count: int = 0
    warnings_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProcessResult:
    """What came of a batch: `total_files` is the sum of `successful`, `failed` and the files skipped or cancelled.

    Attributes
    ----------
    output_files
        Absolute paths: pictures, and the normalised CSV files that are kept.
    errors
        A sentence for each file that failed, and why.
    warnings
        What is worth a look though nothing failed.
    processing_time
        Seconds, from validation to cleaning up.
    ai_normalizations
        Files whose layout an AI was asked about.
    cache_hits
        Files read by a plan that an AI gave earlier, and files whose earlier result still stands.
    skipped_files
        Names of files that were left alone, since a file of the output's name was there.
    cancelled_files
        Names of files that were not done when the batch was stopped.
    memory_peak_mb
        The most that one worker held.
    """

    total_files: int = 0
    successful: int = 0
    failed: int = 0
    output_files: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    processing_time: float = 0.0
    ai_normalizations: int = 0
    cache_hits: int = 0
    skipped_files: tuple[str, ...] = ()
    cancelled_files: tuple[str, ...] = ()
    memory_peak_mb: float = 0.0

    @property
    def success(self) -> bool:
        """Whether nothing failed and nothing was left undone."""
        return not self.failed and not self.cancelled_files and not self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class FileValidationResult:
    """Which files can be processed.

    Attributes
    ----------
    valid_files
        Paths as given, the baseline's first.
    invalid_files
        Name and reason of each that cannot.
    total_size_mb
        Of the valid ones.
    estimated_time_minutes
        For processing them.
    warnings
        What is odd, and no obstacle.
    """

    valid_files: tuple[str, ...] = ()
    invalid_files: tuple[tuple[str, str], ...] = ()
    total_size_mb: float = 0.0
    estimated_time_minutes: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingEstimate:
    """What a batch should take.

    Attributes
    ----------
    estimated_time_minutes
        On this machine, from earlier batches where there are some.
    estimated_memory_mb
        Of all workers together, at most.
    estimated_output_mb
        Room for pictures, tables and the engine's records.
    total_size_mb
        Of the files.
    files
        How many samples.
    from_history
        Whether earlier batches are behind the time.
    """

    estimated_time_minutes: float
    estimated_memory_mb: float
    estimated_output_mb: float
    total_size_mb: float
    files: int
    from_history: bool
