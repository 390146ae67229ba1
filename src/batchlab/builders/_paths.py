"""Paths and task names as a batch holds them: absolute."""

from __future__ import annotations

import os

from batchlab.engine import is_user_task
from batchlab.engine._task import split_user_task


def absolute(path: str, base: str) -> str:
    """`path` from `base`, without ``.`` and empty parts; links are left as they are."""
    return os.path.normpath(os.path.join(base, path))


def task_name(task: str, base: str) -> str:
    """A task's full name: of a user's file, with its absolute path."""
    if not is_user_task(task):
        return task
    file, function = split_user_task(task)
    return f"{absolute(str(file), base)}:{function}"


def last_word(task: str) -> str:
    """``compare`` of ``spectra.compare``, ``measure`` of ``file.py:measure``: an entry's default id."""
    return task.rpartition(":")[2] if is_user_task(task) else task.rpartition(".")[2]
