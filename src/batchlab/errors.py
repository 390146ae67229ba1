"""Every error that batchlab raises on purpose, and the category each belongs to.

A message says what is wrong, where (file, line, column) and what mends it. Errors cross process borders, so
they pickle: the message is their only required argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "BatchlabError",
    "Category",
    "ConfigError",
    "DataError",
    "JobError",
    "PlotError",
    "Problem",
    "StartError",
]


class Category(StrEnum):
    """The kind of a failure: what the retry table, the report and the exit code speak of."""

    INVALID_INPUT = "invalid-input"
    MISSING_INPUT = "missing-input"
    NUMERICAL = "numerical"
    PLOTTING = "plotting"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    DISK = "disk"
    OUTPUT = "output"
    SERVICE = "service"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    GENERIC = "generic"


class BatchlabError(Exception):
    """The root of the tree.

    Parameters
    ----------
    message
        What is wrong, where, and the mend.
    category
        The failure's kind; each class has its own default.
    reason
        A refinement in the field's words, such as ``not-a-spectrum``; data, never parsed from a message.
    """

    category: Category = Category.GENERIC
    reason: str | None = None

    def __init__(self, message: str, *, category: Category | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        if category is not None:
            self.category = category
        if reason is not None:
            self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with what somebody wrote; lines and columns count from 1."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """``file, line 3, column 5: message``, as far as it is known."""
        where = [self.file] if self.file else []
        if self.line is not None:
            where.append(f"line {self.line}")
        if self.column is not None:
            where.append(f"column {self.column}")
        return f"{', '.join(where)}: {self.message}" if where else self.message


class ConfigError(BatchlabError):
    """A batch, a batch file or a call is wrong; nothing was started (exit 2).

    Carries every problem found, not the first alone.
    """

    # Of a job: what was asked of its task does not fit its input, and trying again mends nothing.
    category = Category.INVALID_INPUT

    def __init__(self, message: str, *, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (Problem(message=message),)

    @classmethod
    def of(cls, problems: list[Problem] | tuple[Problem, ...]) -> ConfigError:
        """One error out of many problems, a line each; equal ones are told once."""
        told = tuple(dict.fromkeys(problems))
        return cls("\n".join(str(p) for p in told), problems=told)


class StartError(BatchlabError):
    """The run could not start: the folder is held by another run, is full or may not be written (exit 3)."""


class DataError(BatchlabError):
    """A measurement's file is not what it should be."""

    category = Category.INVALID_INPUT


class JobError(BatchlabError):
    """A job could not do its work, for a reason that is not its input's."""


class PlotError(JobError):
    """A picture could not be drawn."""

    category = Category.PLOTTING
