"""What a caller sets: where pictures go and how they look, and how hard the machine may work."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from batchlab.engine import Conflict, check_template
from batchlab.errors import ConfigError

__all__ = ["FORMATS", "TEMPLATE_FIELDS", "BatchConfig", "OutputSettings"]

FORMATS = ("png", "jpg", "jpeg", "pdf", "svg", "webp")
CONFLICTS = tuple(each.value for each in Conflict)
TEMPLATE_FIELDS = ("sample", "baseline", "reference")


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Where outputs go, and how they look.

    Attributes
    ----------
    output_dir
        The folder; it is made if it is not there. Everything of the engine's own is in its ``.batchlab``.
    format
        ``png``, ``jpg``, ``pdf``, ``svg`` or ``webp``.
    dpi
        Pixels per inch; pictures are 10 x 6 inches.
    open_folder_after
        Show the folder at the end, where there is a display and somebody sits before it.
    save_normalized_csvs
        Keep each spectrum, the baseline too, as a CSV file that reads back exactly.
    filename_template
        Fields ``{sample}`` and ``{baseline}``, also called ``{reference}``. Without a picture's suffix it gets the
        format's; with one, that decides the format.
    conflict_resolution
        Where a file of that name is there: ``auto_increment``, ``overwrite``, ``skip``, ``timestamp`` or ``fail``.

    Raises
    ------
    ConfigError
        If a value is none of these.
    """

    output_dir: str | os.PathLike[str]
    format: str = "png"
    dpi: int = 300
    open_folder_after: bool = True
    save_normalized_csvs: bool = False
    filename_template: str = "{sample}_vs_{baseline}"
    conflict_resolution: str = "auto_increment"

    def __post_init__(self) -> None:
        if not os.fspath(self.output_dir):
            raise ConfigError("output_dir is empty; name a folder")
        if self.format.lower().lstrip(".") not in FORMATS:
            raise ConfigError(f"format {self.format!r}: write one of {', '.join(FORMATS)}")
        _check_number("dpi", self.dpi, 10, 2400)
        if self.conflict_resolution not in CONFLICTS:
            raise ConfigError(f"conflict_resolution {self.conflict_resolution!r}: write one of {', '.join(CONFLICTS)}")
        problems = check_template(self.filename_template, TEMPLATE_FIELDS)
        if not self.filename_template.strip() or self.filename_template.endswith("/"):
            problems.append(f"filename_template {self.filename_template!r} names no file")
        if problems:
            raise ConfigError("; ".join(problems))

    @property
    def conflict(self) -> Conflict:
        """The strategy, as the engine calls it."""
        return Conflict(self.conflict_resolution)

    @property
    def picture_template(self) -> str:
        """The template with the suffix of a picture."""
        template = self.filename_template
        if template.lower().endswith(tuple(f".{each}" for each in FORMATS)):
            return template
        return f"{template}.{self.format.lower().lstrip('.')}"


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """How a batch is run.

    Attributes
    ----------
    max_concurrent_files
        Worker processes at most.
    memory_limit_mb
        For all of them together, in MB of 10^6 bytes: each is killed beyond its even share, and there are no more of
        them than have room for a picture.
    timeout_per_file_minutes
        For one file, everything together; fractions are allowed.
    retry_failed_files, max_retries
        Whether, and how often, what may pass by itself is tried again. A bad file never is; a timeout, a crash and a
        want of memory once.
    continue_on_error
        Go on after a file has failed.
    cleanup_temp_files
        Remove the normalised copies that the comparison read, unless they are to be saved.

    Raises
    ------
    ConfigError
        If a number makes no sense.
    """

    max_concurrent_files: int = 3
    memory_limit_mb: int = 1000
    timeout_per_file_minutes: float = 10
    retry_failed_files: bool = True
    max_retries: int = 2
    continue_on_error: bool = True
    cleanup_temp_files: bool = True

    def __post_init__(self) -> None:
        _check_number("max_concurrent_files", self.max_concurrent_files, 1, 1024)
        _check_number("memory_limit_mb", self.memory_limit_mb, 1, 1e9)
        _check_number("timeout_per_file_minutes", self.timeout_per_file_minutes, 1e-6, 1e6)
        _check_number("max_retries", self.max_retries, 0, 100)

    @property
    def retries(self) -> int:
        """Tries after the first."""
        return self.max_retries if self.retry_failed_files else 0


def _check_number(name: str, value: float, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"{name} {value!r}: give a number from {low:g} to {high:g}")
