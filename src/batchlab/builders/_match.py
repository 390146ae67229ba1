"""Files by pattern: sorted, each once, hidden ones left out, safe with looping links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache

_WILD = re.compile(r"[*?]")
_NAMED_LIKE_A_FILE = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{0,7}")


def is_pattern(path: str) -> bool:
    """Whether `path` holds a wildcard: ``*``, ``**`` or ``?``. Brackets are part of a name, as in ``a[1].txt``."""
    return _WILD.search(path) is not None


def match(pattern: str, *, leave_out: str | None = None) -> list[str]:
    """Files that a pattern matches.

    Parameters
    ----------
    pattern
        An absolute path whose names may hold ``*`` (any text), ``?`` (one character); the name ``**`` stands
        for any folders, none included. Hidden names are matched only where the pattern itself has the dot.
    leave_out
        A folder that wildcards do not lead into: the batch's own output.

    Returns
    -------
    list of str
        Absolute paths sorted by code point, each once. A folder counts as a match if its name has a file's
        extension, since some instruments write a folder per measurement (``run.d``). A link that leads
        nowhere counts too: its job says so.
    """
    head, names = _split(pattern)
    found: set[str] = set()
    _walk(head, names, leave_out and os.path.normpath(leave_out), found, set())
    return sorted(found)


def folder_of(pattern: str) -> str:
    """The folder that a pattern starts from: all of it before its first wildcard."""
    return _split(pattern)[0]


def _split(pattern: str) -> tuple[str, tuple[str, ...]]:
    """The folder before the first wildcard, and the names from there on."""
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    first = next((i for i, name in enumerate(names) if is_pattern(name)), len(names))
    return "/" + "/".join(names[:first]), tuple(names[first:])


def _walk(
    folder: str,
    names: tuple[str, ...],
    leave_out: str | None,
    found: set[str],
    seen: set[tuple[int, int, int]],
) -> None:
    """Add the matches of `names` below `folder`; recurses as deep as the pattern and the tree."""
    name, rest = names[0], names[1:]
    if name == "**":
        # A folder met twice, by a link or by a loop of links, is walked once.
        identity = _identity(folder)
        if identity is None or (*identity, len(names)) in seen:
            return
        seen.add((*identity, len(names)))
        _walk(folder, rest or ("*",), leave_out, found, seen)
        for entry in _folders(folder):
            if not entry.name.startswith(".") and entry.path != leave_out:
                _walk(entry.path, names, leave_out, found, seen)
        return
    if not is_pattern(name):
        path = os.path.join(folder, name)
        if rest:
            _walk(path, rest, leave_out, found, seen)
        elif os.path.lexists(path):
            found.add(path)
        return
    matches = name_pattern(name).fullmatch
    for entry in _entries(folder):
        if not matches(entry.name) or (entry.name[0] == "." and name[0] != "."):
            continue
        if rest:
            if entry.is_dir() and entry.path != leave_out:
                _walk(entry.path, rest, leave_out, found, seen)
        elif entry.is_file():
            found.add(entry.path)
        elif entry.is_dir():
            if _NAMED_LIKE_A_FILE.fullmatch(entry.name) and entry.path != leave_out:
                found.add(entry.path)
        elif entry.is_symlink():
            found.add(entry.path)


@lru_cache(maxsize=256)
def name_pattern(name: str) -> re.Pattern[str]:
    """One name of a path with wildcards, as a regular expression with a group for each wildcard."""
    text = "".join(
        "(.*)" if part[0] == "*" else "(.)" if part == "?" else re.escape(part)
        for part in re.findall(r"\*+|\?|[^*?]+", name)
    )
    return re.compile(text, re.DOTALL)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def _folders(folder: str) -> list[os.DirEntry[str]]:
    """Subfolders, real ones ahead of links: so a file is known by its real path where it has both."""
    return sorted(
        (entry for entry in _entries(folder) if entry.is_dir()),
        key=lambda entry: (entry.is_symlink(), entry.name),
    )


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
