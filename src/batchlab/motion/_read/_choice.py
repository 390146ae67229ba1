"""Which of a file's markers are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from batchlab.errors import DataError

__all__ = ["choose", "meant", "told_names", "unique_names"]

_MOST_TOLD = 12


def choose(names: Sequence[str], patterns: Sequence[str], path: Path) -> list[int]:
    """Positions of the names that one of the patterns matches, in the file's order; all without patterns.

    A name itself is a pattern too, whatever letters it has; others are as of `fnmatch`: ``boite:*``.

    Raises
    ------
    DataError
        If there are no names, or a pattern matches none.
    """
    if not names:
        raise DataError(f"{path}: there are no markers in it; export it with marker positions", reason="no-markers")
    if not patterns:
        return list(range(len(names)))
    chosen: set[int] = set()
    for pattern in patterns:
        found = [place for place, name in enumerate(names) if name == pattern]
        found = found or [place for place, name in enumerate(names) if fnmatchcase(name, pattern)]
        if not found:
            raise DataError(f"{path}: no marker is called {pattern!r}; {meant(pattern, names)}", reason="no-markers")
        chosen.update(found)
    return sorted(chosen)


def meant(name: str, names: Sequence[str]) -> str:
    """The nearest of the names that are there, and what is there: the end of a sentence on one that is not."""
    plain = name.strip("*?[]").lower()
    # A name without its prefix, as Foot1 of subject:Foot1, is nearer than any that is spelt alike.
    near = [each for each in names if plain and each.lower().endswith(plain)] or get_close_matches(name, names, n=1)
    there = f"it has {told_names(names)}"
    return f"did you mean {near[0]!r}? {there}" if near else there


def told_names(names: Sequence[str]) -> str:
    """Names for a sentence, not too many."""
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return ", ".join(names[:_MOST_TOLD]) + more


def unique_names(names: Sequence[str], notes: list[str]) -> list[str]:
    """Names without doubles: nameless markers are called by their position, later doubles get a number."""
    named = [name or f"marker_{place}" for place, name in enumerate(names, 1)]
    nameless = sum(not name for name in names)
    if nameless:
        notes.append(f"{nameless} markers have no name; they are called by their position, such as marker_{len(named)}")
    taken = set(named)
    seen: Counter[str] = Counter()
    doubled = []
    for place, name in enumerate(named):
        seen[name] += 1
        if seen[name] > 1:
            number = seen[name]
            while f"{name}_{number}" in taken:
                number += 1
            named[place] = f"{name}_{number}"
            taken.add(named[place])
            doubled.append(named[place])
    if doubled:
        notes.append(f"several markers bear the same name; the later ones are called {told_names(doubled)}")
    return named
