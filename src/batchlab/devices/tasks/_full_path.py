"""Paths in params: a worker runs in a folder of its own, from which a part of a path leads nowhere."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import AfterValidator

__all__ = ["FullPath", "ModuleName"]


def _full(path: str) -> str:
    if not os.path.isabs(path):
        raise ValueError(
            f"{path!r} is not a full path, and a job runs in a folder of its own; write it in full, or in a batch file "
            f'as "${{lab}}/{path}", with --set lab=...'
        )
    return path


def _module(name: str) -> str:
    return _full(name) if name.endswith(".py") else name


FullPath = Annotated[str, AfterValidator(_full)]
"""A path from the root on; a shorter one would be taken for a file that is not there."""

ModuleName = Annotated[str, AfterValidator(_module)]
"""A module's name, or the full path of a ``.py`` file."""
