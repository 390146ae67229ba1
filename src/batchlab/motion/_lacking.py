"""Which recordings of a folder a body is fitted to: not every one has every body."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from batchlab.engine import Json
from batchlab.errors import BatchlabError

__all__ = ["files_of_bodies"]

log = logging.getLogger(__name__)

_READING = ("unit", "rate_hz", "time_unit", "min_confidence", "file_format")
_MOST_TOLD = 4


def files_of_bodies(
    files: Sequence[str],
    places: Sequence[str | os.PathLike[str]],
    bodies: Mapping[str, Sequence[str]],
    params: Mapping[str, Json],
) -> dict[str, tuple[str, ...]]:
    """By body, the files that it is fitted to; what is left out is logged once.

    Parameters
    ----------
    files
        Absolute paths of recordings.
    places
        What named them: a file that is named itself is kept for each body, and its job tells what it lacks.
    bodies
        Patterns of markers by name of the body. One body alone is fitted to all files.
    params
        Of the fit, for how files are read.

    Returns
    -------
    dict
        Without files of folders and patterns that have no marker of a body, unless no file at all has one: then they
        are kept, to be refused in words. A file that cannot be read is kept, too.
    """
    everywhere = {body: tuple(files) for body in bodies}
    named = {os.path.abspath(os.fspath(place)) for place in places}
    if len(bodies) < 2 or named.issuperset(files):
        return everywhere
    markers = {file: _markers(file, params) for file in files}
    out: dict[str, tuple[str, ...]] = {}
    told = []
    for body, patterns in bodies.items():
        lacking = [file for file in files if _lacks(markers[file], patterns)]
        if len(lacking) == len(files):
            out[body] = tuple(files)
            continue
        skipped = [file for file in lacking if file not in named]
        out[body] = tuple(file for file in files if file not in skipped)
        if skipped:
            names = ", ".join(Path(file).name for file in skipped[:_MOST_TOLD])
            more = f" and {len(skipped) - _MOST_TOLD} more" if len(skipped) > _MOST_TOLD else ""
            told.append(f"{body} in {names}{more}")
    if told:
        log.warning("skipped where there is no marker of it: %s", "; ".join(told))
    return out


def _markers(file: str, params: Mapping[str, Json]) -> tuple[str, ...] | None:
    """Names of a file's markers; None where it cannot be read, which its jobs will tell."""
    from batchlab.motion._read import read_recording

    asked = {name: params[name] for name in _READING if params.get(name) is not None}
    try:
        return read_recording(file, **asked).markers
    except (BatchlabError, TypeError, ValueError):
        return None


def _lacks(markers: tuple[str, ...] | None, patterns: Sequence[str]) -> bool:
    """Whether a file is known to have none of them."""
    if markers is None:
        return False
    return not any(name == pattern or fnmatchcase(name, pattern) for name in markers for pattern in patterns)
