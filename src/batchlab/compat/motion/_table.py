"""A small table: rows by number, columns by name."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, overload

from batchlab.errors import ConfigError

__all__ = ["Table"]

# What a spreadsheet would take for a formula.
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_OTHER_NAMES = {"cost_reduction": "cost_reduction_pct", "duration": "duration_s"}


class Table:
    """Rows, each a mapping of columns to values; None where nothing is known.

    ``table[0]`` is a row and ``table["final_cost"]`` a column; the columns ``cost_reduction_pct`` and ``duration_s``
    are found without their units, too. Printed, it is aligned.

    Parameters
    ----------
    columns, rows
        What a row lacks is None.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        self.columns = tuple(columns)
        self.rows = tuple({name: row.get(name) for name in self.columns} for row in rows)

    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, key: str) -> list[Any]: ...

    def __getitem__(self, key: int | str) -> dict[str, Any] | list[Any]:
        if isinstance(key, int):
            return self.rows[key]
        if key not in self:
            raise ConfigError(f"the table has no column {key!r}; it has {', '.join(self.columns)}")
        name = key if key in self.columns else _OTHER_NAMES[key]
        return [row[name] for row in self.rows]

    def __contains__(self, name: object) -> bool:
        return name in self.columns or _OTHER_NAMES.get(str(name)) in self.columns

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __str__(self) -> str:
        texts = [[_shown(value) for value in row.values()] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(self.columns, *texts, strict=True)]
        lines = [self.columns, *texts]
        return "\n".join("  ".join(text.rjust(w) for text, w in zip(line, widths, strict=True)) for line in lines)

    def __repr__(self) -> str:
        return f"<Table of {len(self)} rows: {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in self.rows
        )
        return f"<table><tr>{head}</tr>{body}</table>"

    def write_csv(self, path: Path) -> None:
        """Write it whole or not at all; texts that a spreadsheet would take for formulas get a ``'`` before them."""
        temporary = path.with_name(f".{path.name}.tmp")
        with temporary.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows([[_cell(value) for value in row.values()] for row in self.rows])
        temporary.replace(path)


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (int, float)):
        return value
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text
