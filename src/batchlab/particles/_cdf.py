"""CDF files by variable."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from batchlab.particles._cdf_records import Entry, attributes_of, entries_of, open_records, variables_of
from batchlab.particles._cdf_source import Source
from batchlab.particles._cdf_variable import TEXT_TYPES, Floats, Variable, entry_text
from batchlab.particles._model import MissingVariable

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Cdf", "Floats", "Variable"]


class Cdf:
    """An open CDF; nothing but descriptors is read until a variable's values are asked for.

    Parameters
    ----------
    path
        Of a file of version 2 or 3, packed by GZIP or RLE or not.

    Raises
    ------
    InvalidCdf
        If the file is none, is damaged or is cut short.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        source = Source(self.path)
        try:
            self.header = open_records(source)
            self._variables = {record.name: Variable(self, record) for record in variables_of(self.header)}
            self._attributes = attributes_of(self.header)
        except BaseException:
            source.close()
            raise
        self._entries: dict[str, list[Entry]] = {}

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file; variables cannot be read afterwards."""
        self.header.source.close()

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Name to variable, in the order of the file."""
        return self._variables

    def __contains__(self, name: str) -> bool:
        """Whether there is a variable of this name."""
        return name in self._variables

    def __getitem__(self, name: str) -> Variable:
        """The variable of this name; `MissingVariable` where there is none."""
        if name not in self._variables:
            near = difflib.get_close_matches(name, self._variables, 1)
            meant = f"; {near[0]!r} comes nearest" if near else ""
            raise MissingVariable(f"{self.path} has no variable {name!r}{meant}")
        return self._variables[name]

    def get(self, name: str) -> Variable | None:
        """The variable of this name if it is there and has records."""
        found = self._variables.get(name)
        return found if found is not None and found.records else None

    def entries(self, attribute: str) -> list[Entry]:
        """All values of an attribute; none where the file does not have it."""
        if attribute not in self._entries:
            place = self._attributes.get(attribute)
            self._entries[attribute] = list(entries_of(self.header, place)) if place else []
        return self._entries[attribute]

    def text(self, attribute: str) -> str:
        """The first text of a global attribute, or ""."""
        for entry in self.entries(attribute):
            if entry.data_type in TEXT_TYPES:
                return entry_text(entry)
        return ""
