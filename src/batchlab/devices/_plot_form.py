"""Reading single values of a batch file of plots, each slip noted with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from batchlab.devices._procedures import nearest
from batchlab.errors import Problem

if TYPE_CHECKING:
    from batchlab.batchfile._yaml import Node

__all__ = ["Form", "Place"]

Place: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the top of the file."""


class Form:
    """Readers of values; what is wrong is noted, and something harmless read in its stead."""

    def __init__(self, file: str, root: Node, problems: list[Problem]) -> None:
        self.file = file
        self.root = root
        self.problems = problems

    def mapping(self, value: Any, at: Place, what: str, known: Sequence[str] = ()) -> dict[str, Any]:
        """Keys with values; an unknown key is noted, with the nearest known one."""
        if value is None:
            if not at:
                self.note((), "the file says nothing; write chip: 67 and plots: [...]")
            return {}
        if not isinstance(value, dict):
            self.note(at, f"{what}: write keys with values, not {value!r:.40}")
            return {}
        for key in value:
            if known and key not in known:
                self.note((*at, key), f"{what} has an unknown key {key!r}{nearest(key, known)}", key=True)
        return value

    def text(self, mapping: Mapping[str, Any], key: str, at: Place) -> str | None:
        """A text, or None where nothing is given."""
        value = mapping.get(key)
        if value is None:
            return None
        if isinstance(value, bool | dict | list) or not str(value).strip():
            self.note((*at, key), f"{key}: write text, not {value!r:.40}")
            return None
        return str(value).strip()

    def flag(self, mapping: Mapping[str, Any], key: str, at: Place, default: bool) -> bool:
        """True or false."""
        value = mapping.get(key, default)
        if not isinstance(value, bool):
            self.note(self.place(at, key), f"{key}: write true or false, not {value!r:.40}")
            return default
        return value

    def keys(self, node: Node) -> tuple[str, ...]:
        """Keys of a mapping."""
        return tuple(node.value) if isinstance(node.value, dict) else ()

    def holds(self, path: Place) -> bool:
        """Whether something was written there."""
        here = self.root
        for part in path:
            below = here.value
            if isinstance(below, dict) and str(part) in below:
                here = below[str(part)]
            elif isinstance(below, list) and isinstance(part, int) and part < len(below):
                here = below[part]
            else:
                return False
        return True

    def place(self, at: Place, *path: str | int) -> Place:
        """Where a word of an entry was written: there, among the defaults, or nowhere."""
        for base in (at, ("defaults",)):
            if path and self.holds((*base, path[0])):
                return (*base, *path)
        return at

    def note(self, at: Place, message: str, *, key: bool = False) -> None:
        """Keep a slip, with line and column of its value, or of its key."""
        line, column = self.root.locate(at, key=key)
        self.problems.append(Problem(message=message, file=self.file, line=line, column=column))

    def read(self, value: Mapping[str, Any], key: str, at: Place, reader: Callable[[Any], Any], nothing: Any) -> Any:
        """What a reader makes of a word; what is wrong with it is noted."""
        if value.get(key) is None:
            return nothing
        try:
            return reader(value[key])
        except ValueError as error:
            self.note(self.place(at, key), f"{key}: {error}")
            return nothing
