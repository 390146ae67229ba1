"""Builders: functions that make a `Batch` of files, folders, groups, grids and folds, and tell what came of it.

They know nothing of running.
"""

from batchlab.builders._entry import (
    Each,
    Entry,
    Finding,
    FromEntry,
    InputSpec,
    Many,
    One,
    problems_of,
    read_input,
)
from batchlab.builders._expand import expand, expand_or_raise
from batchlab.builders._files import FileGroup, from_directory, from_files, group_files, groups
from batchlab.builders._folds import Fold, folds
from batchlab.builders._grid import grid
from batchlab.builders._match import match
from batchlab.builders._own import own_files
from batchlab.builders._paths import absolute, last_word, task_name
from batchlab.builders._results import Choice, Comparison, Spread, best, compare, statistics

__all__ = [
    "Choice",
    "Comparison",
    "Each",
    "Entry",
    "FileGroup",
    "Finding",
    "Fold",
    "FromEntry",
    "InputSpec",
    "Many",
    "One",
    "Spread",
    "absolute",
    "best",
    "compare",
    "expand",
    "expand_or_raise",
    "folds",
    "from_directory",
    "from_files",
    "grid",
    "group_files",
    "groups",
    "last_word",
    "match",
    "own_files",
    "problems_of",
    "read_input",
    "statistics",
    "task_name",
]
