"""`group_files_by_pattern`: files of one subject, session or whatever names tell."""

from __future__ import annotations

import os
import re
from pathlib import Path

from batchlab.builders import group_files

__all__ = ["group_files_by_pattern"]

_WILD = re.compile(r"\*+|\?")
_NUMBERED = re.compile(r"\D*\d+")
_WORD = re.compile(r"[^_\-. ]+")


def group_files_by_pattern(directory: str | os.PathLike[str], pattern: str) -> dict[str, list[Path]]:
    """Group the files of a folder by what their names have in common.

    Parameters
    ----------
    directory
        Where they are.
    pattern
        With named fields, as in ``subject_{subject}_session_{session}.csv`` or ``subject_{subject}_*.csv``, files
        belong together whose fields agree. With wildcards alone, as in ``subject_*.csv``, the first one tells: if
        nothing but the file's ending follows it, up to the end of the first number it stands for, and where it has
        none, up to the first ``_``, ``-``, dot or space. Of ``subject_01_session_2.csv`` that is ``subject_01``, of
        ``subject_ferret_757_a.csv`` ``subject_ferret_757``, of ``subject_anna_walk.csv`` ``subject_anna``. Where that
        is not what names mean, name the fields.

    Returns
    -------
    dict
        Paths, sorted, by the name of their group: the texts of the fields, joined by a slash, or the beginning of
        the files' names.

    Raises
    ------
    ConfigError
        If no file matches.
    """
    if "{" in pattern:
        named = dict.fromkeys(re.findall(r"\{([^{}]*)\}", pattern))
        return {group.name: [Path(file) for file in group.files]
                for group in group_files(directory, pattern, by=list(named))}  # fmt: skip
    wild = _WILD.search(pattern)
    first = ["1"] if wild else None
    before = pattern[: wild.start()] if wild else ""
    open_end = wild is not None and not re.search(r"[*?]|[^*?.]", _stem_after(pattern, wild.end()))
    found: dict[str, list[Path]] = {}
    for group in group_files(directory, pattern, by=first):
        text = group.fields["1"]
        if open_end:
            told = _NUMBERED.match(text) or _WORD.match(text)
            text = told[0] if told else text
        found.setdefault((before + text).rpartition("/")[2], []).extend(Path(file) for file in group.files)
    return {name: sorted(files) for name, files in sorted(found.items())}


def _stem_after(pattern: str, place: int) -> str:
    """What follows in a pattern, without the file's ending."""
    rest = pattern[place:]
    return rest.rpartition(".")[0] if "." in rest else rest
