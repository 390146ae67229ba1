"""Which recordings are meant: files, folders and patterns, and which of them belong together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

from batchlab.builders import match, own_files
from batchlab.errors import ConfigError

__all__ = ["SUFFIXES", "find_recordings", "grouping"]

SUFFIXES = (".c3d", ".n3d", ".trc", ".csv", ".tsv")
"""What recordings in a folder end in; a file that is named may end in anything."""

_WILD = re.compile(r"[*?]")
_FIELD = re.compile(r"\{([^{}]*)\}")


def find_recordings(
    places: Sequence[str | os.PathLike[str]], output: str | os.PathLike[str] | None = None
) -> tuple[str, ...]:
    """Absolute paths of recordings, each once, in the order of places and sorted within each.

    Parameters
    ----------
    places
        Files; folders, whose own files of `SUFFIXES` are taken; patterns with ``*``, ``**`` and ``?``. A file that is
        named is taken even if it is not there: its job then says so.
    output
        The output root; what a batch has made there is no recording.

    Raises
    ------
    ConfigError
        If a folder or a pattern holds none.
    """
    root = None if output is None else os.path.abspath(os.fspath(output))
    own = own_files(root) if root is not None else frozenset()
    found: dict[str, None] = {}
    for place in places:
        path = os.path.abspath(os.fspath(place))
        if os.path.isdir(path):
            here = [each for each in match(os.path.join(path, "*")) if each.lower().endswith(SUFFIXES)]
            here = [each for each in here if os.path.isfile(each)]
        elif _WILD.search(path) and not os.path.lexists(path):
            here = match(path, leave_out=root)
        else:
            found[path] = None
            continue
        here = [each for each in here if os.path.realpath(each) not in own]
        if not here:
            what = f"file ending in {', '.join(SUFFIXES)}" if os.path.isdir(path) else "file"
            raise ConfigError(f"{place}: no {what} is there; name recordings, or a folder that holds them")
        found.update(dict.fromkeys(here))
    if not found:
        raise ConfigError("no recording is named; name files, folders or patterns")
    return tuple(found)


def grouping(pattern: str) -> Callable[[str], Hashable]:
    """What a file belongs to, by its name: the texts in the places of a pattern's fields.

    Parameters
    ----------
    pattern
        As in ``subject_{subject}_*.csv``. It has to match the end of a path: all of the name, and folders if it has
        some.

    Returns
    -------
    callable
        From a path to the texts of the fields; raises `ConfigError` for a path that does not match.

    Raises
    ------
    ConfigError
        If the pattern has no field.
    """
    parts = _FIELD.split(pattern)
    if len(parts) < 3:
        raise ConfigError(f"{pattern!r} has no field; write what belongs together as in subject_{{subject}}_*.csv")
    text = ""
    for number, part in enumerate(parts):
        if number % 2:
            text += r"([^/]+?)"
        else:
            text += "".join(
                r"[^/]*" if piece == "*" else "[^/]" if piece == "?" else re.escape(piece)
                for piece in re.split(r"([*?])", part)
            )
    expression = re.compile(f"(?:.*/)?{text}")

    def group_of(path: str) -> Hashable:
        found = expression.fullmatch(Path(path).as_posix())
        if found is None:
            raise ConfigError(f"{path} does not match {pattern!r}, so nothing tells what it belongs to")
        return found.groups()

    return group_of
