"""Which chips are meant by words such as ``67,81``, ``67-75`` or ``Alisson67``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

from batchlab.devices._model import Chip
from batchlab.devices._procedures import load_schema
from batchlab.errors import ConfigError

__all__ = ["chosen_chips", "chosen_words", "groups_alike"]

_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


def chosen_chips(words: Iterable[str], there: Collection[Chip], *, group: str | None = None) -> tuple[Chip, ...]:
    """The chips that are meant, sorted.

    Parameters
    ----------
    words
        Numbers, ranges of numbers, names, or several with commas between. All chips if there are none.
    there
        The chips that there are.
    group
        Only chips of this group; a number means a chip of any group unless it is given.

    Raises
    ------
    ConfigError
        If a word means none of them, or a number is asked for that two groups have; names what there is.
    """
    known = sorted(chip for chip in there if group is None or chip.group == group)
    if group is not None and not known:
        groups = sorted({chip.group for chip in there})
        raise ConfigError(f"no chip is of the group {group!r}; there are {', '.join(groups) or 'none'}")
    parts = [part.strip() for word in words for part in str(word).split(",") if part.strip()]
    if not parts:
        return tuple(known)
    found: set[Chip] = set()
    for part in parts:
        spanned = _RANGE.fullmatch(part)
        if spanned is not None:
            low, high = int(spanned[1]), int(spanned[2])
            if low > high:
                raise ConfigError(f"chips {part}: a range begins with its smaller number")
            fitting = [chip for chip in known if low <= chip.number <= high]
        elif part.isascii() and part.isdigit():
            fitting = [chip for chip in known if chip.number == int(part)]
        else:
            fitting = [chip for chip in known if chip.name == part]
        if not fitting:
            raise ConfigError(f"no chip {part} is staged{_hint(part, known)}")
        found.update(fitting)
    return tuple(sorted(found))


def groups_alike(groups: Iterable[str]) -> list[tuple[str, ...]]:
    """Names of groups that differ in capital letters alone, together: more likely a slip than two groups."""
    found: dict[str, list[str]] = {}
    for name in sorted(set(groups)):
        found.setdefault(name.casefold(), []).append(name)
    return [tuple(names) for names in found.values() if len(names) > 1]


def _hint(part: str, known: Collection[Chip]) -> str:
    names = [chip.name for chip in known]
    number = re.sub(r"\D", "", part)
    near = [chip.name for chip in known if number and str(chip.number) == number] or get_close_matches(part, names, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(names) or 'none'}"


def chosen_words(words: Iterable[str], there: Collection[str], what: str) -> tuple[str, ...]:
    """Those of some words that are meant, sorted; several may stand in one with commas between; all if none are given.

    Raises
    ------
    ConfigError
        If one is not there; names the nearest.
    """
    parts = [part.strip() for word in words for part in str(word).split(",") if part.strip()]
    if not parts:
        return tuple(sorted(there))
    for part in parts:
        if part not in there:
            if what == "procedure" and part in load_schema().procedures:
                raise ConfigError(f"no {part} is staged; there are {', '.join(sorted(there)) or 'none'}")
            near = get_close_matches(part, sorted(there), n=1) or [
                each for each in there if each.lower() == part.lower()
            ]
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(there)) or 'none'}"
            raise ConfigError(f"no {what} {part!r}; {hint}")
    return tuple(sorted(set(parts)))
